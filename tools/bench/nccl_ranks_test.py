#!/usr/bin/env python3
"""Tests of `nccl_ranks`. warpfit is replaced by a fake; takes seconds.

    python3 tools/bench/nccl_ranks_test.py
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent

# Behaves as the settings in FAKE say: `version` of NCCL, what the runs through NCCL print in addition, and so on.
FAKE = '''#!{python}
import json, os, pathlib, sys, time
fake = json.loads(os.environ["FAKE"])
arguments, variables = sys.argv[1:], os.environ
if arguments == ["devices"]:
    print("warpfit 0.1\\nCUDA (--device cuda)\\n  cuDNN         none")
    if "version" in fake:
        print("  NCCL          " + fake["version"])
    sys.exit(0)
ranks, nccl = int(variables.get("WORLD_SIZE", "1")), "--parallel" in arguments
with open(fake["log"], "a") as log:
    log.write(json.dumps([arguments, {{name: variables[name] for name in variables}}]) + "\\n")
key = f"{{ranks}}{{'nccl' if nccl else ''}}"
if key + " fails" in fake and variables.get("RANK", "1") == "1":
    print("warpfit [error] " + fake[key + " fails"], file=sys.stderr)
    sys.exit(6)
if key + " hangs" in fake:
    time.sleep(77)
if nccl:
    pathlib.Path(variables["NCCL_DEBUG_FILE"].replace("%p", str(os.getpid()))).write_text(
        "host:1 [0] NCCL INFO AllReduce: opCount 2 sendbuff 0x7f\\n" * fake.get("calls", 36))
if variables.get("RANK", "0") != "0":
    sys.exit(0)
print("device: a GPU" + (", NCCL 2.30.7" if nccl else ""), file=sys.stderr)
if ranks > 1 and "alone" not in fake:
    print(f"warpfit [info] {{ranks}} processes, TCP", file=sys.stderr)
loss = 2.0 * (1 + fake.get(key + " difference", 0))
later = 2.162512 * (1 + fake.get(key + " later difference", 0))
for epoch in (1, 2):
    print(f"Epoch {{epoch}}\\nloss: {{loss:.7f}}  [    0/60000]\\nTest Error: \\n Accuracy: 49.5%, Avg loss: {{later:.6f}} \\n")
    print(f"epoch {{epoch}}: train {{0.5 / epoch * ranks:.3f}} s, test 0.1 s, 48,612 samples/s", file=sys.stderr)
print("Done!")
pathlib.Path(arguments[arguments.index("--save") + 1]).write_text(fake.get(key + " model", "a model"))
'''


class NcclRanksTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = self.folder / "warpfit"
        self.program.write_text(FAKE.format(python=sys.executable))
        self.program.chmod(0o755)

    def run_tool(self, code, *options, **fake):
        """Runs nccl_ranks and returns its stdout. Its calls of `warpfit train` are in self.calls."""
        log, self.json = self.folder / "log", self.folder / "json"
        for file in (log, self.json):
            file.write_text("")
        variables = os.environ | {"FAKE": json.dumps(fake | {"log": str(log)}), "RANK": "5", "WORLD_SIZE": "9",
                                  "NCCL_ALGO": "Ring", "LD_LIBRARY_PATH": "/some/folder"}
        done = subprocess.run([sys.executable, TOOLS / "nccl_ranks", "--warpfit", self.program, "--data", "DIR", "--json",
                               self.json, *options], env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.calls = [json.loads(line) for line in log.read_text().splitlines()]
        return done.stdout

    def test_without_nccl_it_is_skipped(self):
        said = self.run_tool(77, version="none")
        self.assertEqual(said, "skipped: no NCCL (libnccl.so.2 was not found)\n")
        self.assertEqual(self.calls, [])

    def test_a_program_that_does_not_tell_is_an_error(self):
        self.run_tool(1)

    def test_two_processes_share_the_gpu(self):
        said = self.run_tool(0, version="2.30.7")
        self.assertIn("| one process | 1000 us | 0.0e+00 | - |\n", said)
        self.assertIn("| one process, through NCCL | 1000 us | 0.0e+00 | 36 for 500 steps, in CUDA graphs |\n", said)
        self.assertIn("| two processes on one GPU, through NCCL | 2000 us | 0.0e+00 | 36 for 500 steps, in CUDA graphs |\n", said)
        self.assertEqual(said.splitlines()[-1],
                         "NCCL 2.30.7; one process: 1000 us a step; one process, through NCCL: 1000 us a step; two processes on "
                         "one GPU, through NCCL: 2000 us a step; sums in CUDA graphs")
        row = json.loads(self.json.read_text())
        self.assertEqual((row["nccl"], [entry["nccl_calls"] for entry in row["rows"]]), ("2.30.7", [0, 36, 36]))
        alone, through, first, second = self.calls
        for arguments, variables in self.calls:
            self.assertIn("--device cuda:0", " ".join(arguments))
            self.assertIn("--update separate", " ".join(arguments))
            self.assertEqual(variables["LD_LIBRARY_PATH"], "/some/folder")
            self.assertNotIn("NCCL_ALGO", variables)
        for arguments, variables in (alone, through):
            self.assertNotIn("WORLD_SIZE", variables)
            self.assertNotIn("RANK", variables)
        self.assertNotIn("--parallel", alone[0])
        for arguments, variables in (through, first, second):
            self.assertEqual(arguments[-2:], ["--parallel", "nccl"])
        self.assertEqual(sorted(variables["RANK"] for _, variables in (first, second)), ["0", "1"])
        for _, variables in (first, second):
            self.assertEqual((variables["WORLD_SIZE"], variables["MASTER_ADDR"]), ("2", "127.0.0.1"))
            self.assertEqual(variables["NCCL_MULTI_RANK_GPU_ENABLE"], "1")
        for name in ("MASTER_PORT", "WARPFIT_JOB_TOKEN"):
            self.assertEqual(first[1][name], second[1][name])

    def test_an_older_nccl_runs_one_process(self):
        said = self.run_tool(0, version="2.28.9")
        self.assertEqual(len(self.calls), 2)
        self.assertIn("; two processes on one GPU need NCCL 2.30 or later; sums in CUDA graphs", said.splitlines()[-1])

    def test_a_refusal_of_two_processes_is_no_failure(self):
        fails = "rank 1: Multiple Ranks are using the same GPU; use --device cuda:N, one GPU for each process"
        said = self.run_tool(0, "--timeout", "3", version="2.30.7", **{"2nccl fails": fails, "2nccl hangs": True})
        self.assertIn("; NCCL 2.30.7 refuses two processes on one GPU", said.splitlines()[-1])

    def test_differences_are_failures(self):
        said = self.run_tool(1, version="2.30.7", **{"1nccl model": "another"})
        self.assertIn("FAILED: one process, through NCCL: the model has other bits", said)
        self.run_tool(0, version="2.30.7", **{"2nccl difference": 8e-6})
        said = self.run_tool(1, version="2.30.7", **{"2nccl difference": 1.2e-5})
        self.assertIn("FAILED: two processes: a loss differs by 1.2e-05, relatively", said)
        self.run_tool(1, version="2.30.7", **{"2nccl difference": float("nan")})
        self.assertNotIn("Infinity", self.json.read_text())
        self.run_tool(0, version="2.30.7", **{"2nccl later difference": 9e-4})
        self.run_tool(1, version="2.30.7", **{"2nccl later difference": 1.1e-3})

    def test_sums_outside_of_graphs_are_a_failure(self):
        said = self.run_tool(1, version="2.28.9", calls=1000)
        self.assertIn("1000 for 500 steps: the sums are not in CUDA graphs", said)
        said = self.run_tool(0, version="2.28.9", calls=0)  # another NCCL may log something else
        self.assertIn("| one process, through NCCL | 1000 us | 0.0e+00 | - |\n", said)

    def test_a_run_that_fails_or_hangs_is_a_failure(self):
        said = self.run_tool(1, version="2.30.7", **{"1nccl fails": "it broke"})
        self.assertIn("FAILED: one process, through NCCL: ended with status 6: warpfit [error] it broke", said)
        self.assertIn("| two processes on one GPU, through NCCL |", said)
        said = self.run_tool(1, "--timeout", "2", version="2.30.7", **{"2nccl hangs": True})
        self.assertIn("FAILED: two processes on one GPU, through NCCL: timed out after ", said)
        said = self.run_tool(1, version="2.30.7", **{"1 fails": "it broke"})
        self.assertIn("FAILED: one process: ended with status 6", said)
        said = self.run_tool(1, version="2.30.7", alone=True)
        self.assertIn("has no '2 processes,'", said)

    def test_without_a_gpu_the_processes_meet_over_tcp(self):
        said = self.run_tool(0, "--no-gpu", version="none")
        self.assertEqual(said.splitlines()[-1], "the CPU, without NCCL; one process: 1000 us a step; two processes over TCP: 2000 us a step")
        self.assertEqual(len(self.calls), 3)
        for arguments, _ in self.calls:
            self.assertIn("--device cpu", " ".join(arguments))
            self.assertNotIn("--parallel", arguments)


if __name__ == "__main__":
    unittest.main()
