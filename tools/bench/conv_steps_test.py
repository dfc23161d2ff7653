#!/usr/bin/env python3
"""Tests of `conv_steps` with fakes of warpfit and PyTorch: needs neither of them, no data and no GPU, and takes seconds.

    python3 tools/bench/conv_steps_test.py

If this Python has PyTorch, conv_peer.py measures a network on the CPU as well.
"""

import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
import conv_networks  # noqa: E402
from compare_stand_ins import TOOLS, write_script  # noqa: E402

HELLO = 'echo \'{"torch": "2.0", "device_name": "Fake GPU"}\''
ANSWERS = """*true*) echo '{"step_s": 0.004}' ;; *channels_last*) echo '{"step_s": 0.002}' ;;
    *) echo '{"step_s": 0.003}' ;;"""
FOUND = {"phases": {"step": {"seconds": {"median": 0.001}}}, "samples_per_second": {"compute alone": {"median": 64000}}}


class ConvStepsTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        (self.folder / "found").write_text(json.dumps(FOUND))
        self.warpfit()
        self.torch()

    def warpfit(self, action=":"):
        """A fake warpfit, which records its arguments, runs `action`, and writes FOUND to the file after --json."""
        body = f"""case $1 in --version) exit ;; esac; echo "$*" >>'$0.calls'; {action}
while [ "$1" != --json ]; do shift; done; cat '{self.folder}/found' >"$2\""""
        write_script(self.folder / "warpfit", body)

    def torch(self, cases="", hello=HELLO):
        """A fake Python with PyTorch; `cases` of sh apply to the requests before ANSWERS do."""
        body = f"""echo start >>'$0.starts'; {hello}
while read -r line; do echo "$line" >>'$0.requests'; case "$line" in {cases} {ANSWERS} esac; done"""
        write_script(self.folder / "python", body)

    def command(self, *more):
        flags = ["--data", "DATA", "--warpfit", self.folder / "warpfit", "--torch-python", self.folder / "python",
                 "--json", self.folder / "out.json"]
        return [str(text) for text in (sys.executable, TOOLS / "conv_steps", *flags, *more)]

    def run_steps(self, *more):
        for name in ("out.json", "warpfit.calls", "python.requests", "python.starts"):
            (self.folder / name).unlink(missing_ok=True)
        return subprocess.run(self.command(*more), capture_output=True, text=True, cwd=self.folder)

    def lines(self, name):
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def results(self):
        return [json.loads(line) for line in self.lines("out.json")]

    def requests(self):
        return [json.loads(line) for line in self.lines("python.requests")]

    def test_cpu(self):
        done = self.run_steps("--rounds", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines(), [
            "| a training step, batch 64 | warpfit | PyTorch | ratio |",
            "|---|---|---|---|",
            "| LeNet-5 with ReLU | 1.00 ms | 2.00 ms | 2.00 |",
            "| two convolutions, batch norm | 1.00 ms | 2.00 ms | 2.00 |",
        ])
        calls = self.lines("warpfit.calls")
        self.assertEqual(len(calls), 4)
        self.assertIn(f"bench --data DATA --device cpu --network {conv_networks.LENET} --batch-size 64 --json ", calls[0])
        threads = sorted({1, len(os.sched_getaffinity(0))})
        settings = [(request["threads"], request["layout"], request["compile"]) for request in self.requests()]
        each = [(count, layout, False) for count in threads for layout in ("contiguous", "channels_last")]
        self.assertEqual(settings, 4 * each)
        first, second = self.results()
        self.assertEqual([first["warpfit_s"], first["pytorch_s"]], [[0.001] * 2, [0.002] * 2])
        self.assertEqual([first["network"], first["torch"], first["errors"]], [conv_networks.LENET, "2.0", {}])
        self.assertEqual(second["network"], conv_networks.BATCH_NORM)
        self.assertEqual(len(self.lines("python.starts")), 1)

    def test_cuda(self):
        done = self.run_steps("--device", "cuda", "--rounds", "1", "--precision", "tf32", "--compile")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "| a training step, Fake GPU, tf32 | warpfit | PyTorch | channels_last | torch.compile | "
                         "ratio |")
        self.assertEqual(lines[1], "|---|---|---|---|---|---|")
        self.assertEqual(lines[2], "| LeNet-5 with ReLU, batch 64 | 1.000 ms, 64,000 images/s | 3.000 ms, 21,333 images/s | "
                         "2.000 ms, 32,000 images/s | 4.000 ms, 16,000 images/s | 2.00 |")
        self.assertIn("| cnn-94, batch 1024 | 16.000 ms, 64,000 images/s | 3.000 ms, 341,333 images/s |", lines[-1])
        calls = self.lines("warpfit.calls")
        self.assertIn(" --device cuda --engine layers --precision tf32 --repeats 3 ", calls[0])
        self.assertEqual([call.split(" --batch-size ")[1].split()[0] for call in calls], ["64", "1024"] * 2 + ["1024"])
        self.assertEqual([call.split(" --steps ")[1] for call in calls], ["200", "12"] * 2 + ["12"])
        settings = [(request["layout"], request["compile"]) for request in self.requests()[:3]]
        self.assertEqual(settings, [("contiguous", False), ("channels_last", False), ("channels_last", True)])
        self.assertEqual({request["precision"] for request in self.requests()}, {"tf32"})
        self.assertEqual({result["precision"] for result in self.results()}, {"tf32"})
        self.assertEqual(self.results()[0]["pytorch_compile_s"], [0.004])

    def test_fp32_without_compile_is_the_default(self):
        done = self.run_steps("--device", "cuda", "--only", "batch 1024")
        self.assertEqual(done.returncode, 0, done.stderr)
        head = "| a training step, Fake GPU, fp32 | warpfit | PyTorch | channels_last | ratio |\n"
        self.assertTrue(done.stdout.startswith(head), done.stdout)
        self.assertEqual([result["name"] for result in self.results()], [
            "LeNet-5 with ReLU, batch 1024", "two convolutions, batch norm, batch 1024", "cnn-94, batch 1024"])
        self.assertEqual(len(self.requests()), 3 * 2 * 3)
        self.assertEqual({request["precision"] for request in self.requests()}, {"fp32"})
        self.assertFalse(any(request["compile"] for request in self.requests()))

    def test_a_contender_that_fails_is_reported_and_the_others_continue(self):
        self.warpfit("case \"$*\" in *batchnorm,relu*) echo no engine >&2; exit 6 ;; esac")
        done = self.run_steps("--device", "cuda", "--rounds", "2")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("| two convolutions, batch norm, batch 64 | FAILED | 3.000 ms, 21,333 images/s |", done.stdout)
        self.assertIn("| - |\n", done.stdout)
        self.assertIn("\n\nFAILED: warpfit, two convolutions, batch norm, batch 64: ended with status 6: no engine\n",
                      done.stdout)
        self.assertIn("| cnn-94, batch 1024 | 16.000 ms,", done.stdout)
        failed = self.results()[2]
        self.assertEqual(failed["errors"], {"warpfit_s": "ended with status 6: no engine"})
        self.assertEqual((failed["warpfit_s"], failed["pytorch_s"]), ([], [0.003] * 2))
        self.assertEqual(len(self.lines("warpfit.calls")), 3 * 2 + 2 * 1, "it is not run again with that network")

    def test_errors_of_pytorch(self):
        for cases, message in (
            ("*channels_last*) echo '{\"error\": \"OutOfMemoryError: too large\"}' ;;", "OutOfMemoryError: too large"),
            ("*channels_last*) echo out of luck >&2; kill -SEGV $$ ;;", "was killed by SIGSEGV: out of luck"),
            ("*channels_last*) echo '{' ;;", "a line that is not JSON"),
        ):
            self.torch(cases)
            done = self.run_steps("--device", "cuda", "--rounds", "1")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("| LeNet-5 with ReLU, batch 64 | 1.000 ms, 64,000 images/s | 3.000 ms, 21,333 images/s | "
                          "FAILED | 3.00 |", done.stdout)
            self.assertEqual(done.stdout.count("FAILED: channels_last, "), 5)
            self.assertIn(message, done.stdout)
            self.assertEqual(len(self.lines("python.starts")), 5, "a new process after each error")
            self.assertEqual([result["pytorch_s"] for result in self.results()], [[0.003]] * 5)

    def test_other_lines_of_pytorch_are_ignored(self):
        self.torch(hello=f"echo a warning; {HELLO}; echo another")
        self.assertEqual(self.run_steps().returncode, 0)

    def test_a_contender_that_hangs_is_not_run_again(self):
        self.torch("*channels_last*) sleep 60 & echo $! >'$0.new'; mv '$0.new' '$0.child'; wait ;;")
        begin = time.monotonic()
        done = self.run_steps("--device", "cuda", "--timeout", "2")
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout.count("FAILED: channels_last, "), 5)
        self.assertIn("FAILED: channels_last, cnn-94, batch 1024: timed out after 2 s", done.stdout)
        self.assertEqual([len(result["pytorch_s"]) for result in self.results()], [3] * 5)
        self.assertEqual(sum(request["layout"] == "channels_last" for request in self.requests()), 1)
        self.assertTrue(self.has_ended("python.child"))
        self.torch()
        self.warpfit("sleep 60")
        done = self.run_steps("--device", "cuda", "--timeout", "2")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(self.lines("warpfit.calls")), 1)
        self.assertEqual([len(result["pytorch_s"]) for result in self.results()], [3] * 5)

    def has_ended(self, name):
        stat = pathlib.Path("/proc") / (self.folder / name).read_text().strip() / "stat"
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"

    def test_ended_by_a_signal_it_ends_the_contender(self):
        self.torch("*) sleep 60 & echo $! >'$0.new'; mv '$0.new' '$0.child'; wait ;;")
        process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not (self.folder / "python.child").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=30), 128 + signal.SIGTERM)
        self.assertTrue(self.has_ended("python.child"))

    def test_missing_pytorch_is_exit_status_2(self):
        for hello, message in (
            ("echo 'No module named torch' >&2; exit 1", "ended with status 1: No module named torch"),
            ("echo '{\"error\": \"PyTorch 2.0 finds no GPU\"}'", "PyTorch 2.0 finds no GPU"),
        ):
            self.torch(hello=hello)
            done = self.run_steps("--device", "cuda")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(message, done.stderr)
            self.assertIn("tools/bench/peers_setup", done.stderr)
            self.assertEqual(self.lines("warpfit.calls"), [])
        done = self.run_steps("--torch-python", "/nonexistent/python")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot start /nonexistent/python", done.stderr)

    def test_a_missing_program_is_a_failure(self):
        done = self.run_steps("--warpfit", "/nonexistent/warpfit")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("FAILED: warpfit, LeNet-5 with ReLU: cannot start /nonexistent/warpfit", done.stdout)

    def test_wrong_arguments(self):
        for wrong, message in (
            (("--rounds", "0"), "--rounds"),
            (("--timeout", "0"), "--timeout"),
            (("--only", "ResNet"), "there is no such row; there are LeNet-5 with ReLU, two"),
            (("--compile",), "--device cuda"),
            (("--precision", "tf32"), "--device cuda"),
            (("--precision", "bf16", "--device", "cuda"), "--precision"),
        ):
            done = self.run_steps(*wrong)
            self.assertEqual((done.returncode, done.stdout), (2, ""), wrong)
            self.assertIn(message, done.stderr)
        self.assertEqual(self.lines("python.starts"), [])
        self.assertIn("conv_steps --data DIR", self.run_steps("--help").stdout)


class NetworksTest(unittest.TestCase):
    def test_the_recipe_as_text(self):
        text = conv_networks.text_of_recipe(conv_networks.RECIPE)
        self.assertTrue(text.startswith("conv(8,2,init=whiten),gelu,conv(64,3,padding=1,bias=false,init=dirac),maxpool(2),"
                                        "batchnorm(eps=1e-12,momentum=0.4),gelu,"), text)
        self.assertTrue(text.endswith(",maxpool(3),flatten,linear(10,bias=false)"), text)
        self.assertEqual(text.count("conv("), 7)

    def test_lenet_is_the_goldens(self):
        golden = TOOLS.parents[1] / "tests/goldens/networks/lenet.json"
        self.assertEqual(json.loads(golden.read_text())["text"], conv_networks.LENET)


@unittest.skipUnless(importlib.util.find_spec("torch"), "this Python has no PyTorch")
class PeerTest(unittest.TestCase):
    def test_measures_each_network_on_the_cpu(self):
        recipe = conv_networks.text_of_recipe(conv_networks.RECIPE)
        job = {"batch_size": 2, "layout": "channels_last", "precision": "fp32", "threads": 1, "compile": False}
        requests = [json.dumps({"network": text} | job)
                    for text in (conv_networks.LENET, conv_networks.BATCH_NORM, recipe, "conv(6,50)")]
        done = subprocess.run([sys.executable, TOOLS / "conv_peer.py", "--device", "cpu"], input="\n".join(requests),
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        hello, *answers = map(json.loads, done.stdout.splitlines())
        self.assertEqual(set(hello), {"torch", "device_name"})
        for answer in answers[:3]:
            self.assertGreater(answer["step_s"], 0)
        self.assertIn("Kernel size", answers[3]["error"])

    def test_builds_the_recipes_layers(self):
        import make_networks

        model, _ = make_networks.build(conv_networks.text_of_recipe(conv_networks.RECIPE), (1, 28, 28), 0)
        norm, linear = model[4], model[-1]
        self.assertEqual((norm.eps, norm.momentum, linear.bias), (1e-12, 0.4, None))
        positional, _ = make_networks.build("batchnorm(0.001,0.2)", (3, 4, 4), 0)
        self.assertEqual((positional[0].eps, positional[0].momentum), (0.001, 0.2))


if __name__ == "__main__":
    unittest.main()
