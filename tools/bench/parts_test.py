#!/usr/bin/env python3
"""Tests of the modules of `compare` (runs, report, flops, initial_weights), of sass_counts, and of the pinned versions
of PyTorch and JAX. Needs only Python.

    python3 tools/bench/parts_test.py
"""

import hashlib
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import flops  # noqa: E402
import initial_weights  # noqa: E402
import report  # noqa: E402
import runs  # noqa: E402
import sass_counts  # noqa: E402


class ReportTest(unittest.TestCase):
    def test_noise_is_said(self):
        def row(low, high):
            return {"name": "ours", "error": None, "total_s": report.spread([low, high])}

        self.assertIsNone(report.noise_text([row(1.0, 1.2)], 0.1))
        self.assertIn("ours spreads 1.30-fold", report.noise_text([row(1.0, 1.3)], 0.1))
        self.assertIn("load before the run 1.50", report.noise_text([row(1.0, 1.0)], 1.5))

    def test_a_bundle_names_its_commit(self):
        with tempfile.TemporaryDirectory() as folder:
            named = pathlib.Path(folder, "COMMIT")
            named.write_text("0123abc\n")
            self.assertEqual(report.commit_of(folder), {"commit": "0123abc", "dirty": False})
            named.write_text("0123abc and changes\n")
            self.assertEqual(report.commit_of(folder), {"commit": "0123abc", "dirty": True})


class SassCountsTest(unittest.TestCase):
    def test_a_disassembly_counted_by_hand(self):
        text = """\t.section\t.text._Zfirst,"ax",@progbits
.text._Zfirst:
        /*0000*/                   LDC R1, c[0x0][0x28] ;
        /*0010*/              @!P0 LDG.E.128.STRONG.GPU R4, desc[UR4][R2.64] ;
        /*0020*/                   LDG.E R4, desc[UR4][R2.64] ;
        /*0030*/               @P1 FFMA R4, R5, R6, R7 ;
        /*0040*/                   FFMA.FTZ R4, R5, R6, R7 ;
.L_x_1:
        /*0050*/                   LDGSTS.E.BYPASS.128 [R1], desc[UR4][R2.64] ;
        /*0060*/                   BRA `(.L_x_1);
        /*0070*/                   NOP;
.text.second:
        /*0000*/                   EXIT ;
"""
        found = sass_counts.count(text.splitlines())
        self.assertEqual(list(found), ["_Zfirst", "second"])
        first = found["_Zfirst"]
        self.assertEqual(first["instructions"], 7)
        counts = [first[kind] for kind in ("FFMA", "LDG", "LDGSTS", "BRA", "STG")]
        self.assertEqual(counts, [2, 2, 1, 1, 0])
        self.assertEqual(first["loads"], {"LDG.E": 1, "LDG.E.128.STRONG.GPU": 1})
        self.assertEqual(found["second"]["instructions"], 1)


class InitialWeightsTest(unittest.TestCase):
    def test_they_are_pytorchs(self):
        goldens = pathlib.Path(__file__).resolve().parents[2] / "tests/goldens"
        for name in ("tutorial_seed0", "batch7_seed42", "narrow_batch1000_seed123456789012"):
            golden = json.loads((goldens / f"{name}.json").read_text())
            dims = [int(width) for width in golden["config"]["dims"].split("-")]
            layers = initial_weights.linear_layers(dims, golden["config"]["seed"])
            self.assertEqual(
                [hashlib.sha256(values.tobytes()).hexdigest() for layer in layers for values in layer],
                [tensor["sha256"] for tensor in golden["initial"]],
            )


class FlopsTest(unittest.TestCase):
    def test_a_network_counted_by_hand(self):
        # 3-2-1: forward 2 * (6 + 2), weight gradients the same, input gradients of the second layer 2 * 2.
        self.assertEqual(flops.forward([3, 2, 1]), 16)
        self.assertEqual(flops.train_step([3, 2, 1]), 36)

    def test_the_tutorial(self):
        widths = flops.parse_network("784-512-512-10")
        self.assertEqual(flops.forward(widths), 2 * 668672)
        self.assertEqual(flops.train_step(widths), 4 * 668672 + 2 * (512 * 512 + 512 * 10))

    def test_bad_networks(self):
        for text in ("784", "784-0-10", "784-ten", ""):
            self.assertRaises(ValueError, flops.parse_network, text)


class RunsTest(unittest.TestCase):
    def test_peak_memory_is_the_childs(self):
        small = runs.launch([sys.executable, "-c", "pass"])[2]
        large = runs.launch([sys.executable, "-c", f"x = b'1' * {200 * 2**20}"])[2]
        self.assertLess(small, 100 * 2**20)
        self.assertGreater(large, 200 * 2**20)
        self.assertLess(large, 240 * 2**20)

    def test_a_failing_program_says_its_last_lines(self):
        with self.assertRaisesRegex(runs.RunError, "status 3: no such flag"):
            runs.launch([sys.executable, "-c", "import sys; sys.stderr.write('no such flag'); sys.exit(3)"])

    def test_a_summary_is_one_short_line(self):
        error = runs.RunError("first\nsecond " + "x" * 500, "details")
        self.assertEqual(len(error.summary), 160)
        self.assertTrue(error.summary.startswith("first second x"))
        self.assertTrue(str(error).endswith("details"))

    def test_thread_variables_do_not_reach_the_child(self):
        os.environ["OMP_NUM_THREADS"] = "7"
        self.addCleanup(os.environ.pop, "OMP_NUM_THREADS")
        self.assertEqual(
            runs.launch([sys.executable, "-c", "import os; print(os.environ.get('OMP_NUM_THREADS'))"])[
                0
            ].strip(),
            "None",
        )


class PeersTest(unittest.TestCase):
    def test_every_package_has_an_exact_version(self):
        files = sorted(pathlib.Path(__file__).parent.glob("peers*.txt"))
        self.assertEqual([file.name for file in files], ["peers.txt", "peers_cuda.txt"])
        pinned = set()
        for file in files:
            for line in file.read_text().splitlines():
                if not line or line.startswith("#") or line == "-r peers.txt":
                    continue
                self.assertRegex(line, r"^[a-z0-9_-]+(\[[a-z0-9]+\])?==[0-9]+(\.[0-9]+)+$", file.name)
                pinned.add(re.split(r"[\[=]", line)[0])
        self.assertLessEqual({"torch", "numpy", "jax", "jaxlib"}, pinned)


class SameModelsTest(unittest.TestCase):
    """Tests with fakes that save a model of one tensor, whose byte is given by their name."""

    def program(self, byte, code=0):
        header = json.dumps({"w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
        model = pathlib.Path(self.folder.name, f"model{byte}")
        model.write_bytes(struct.pack("<Q", len(header)) + header + bytes([byte]))
        path = pathlib.Path(self.folder.name, f"warpfit{byte}-{code}")
        path.write_text(f'#!/bin/sh\necho "$*" >>"{self.folder.name}/calls"\ncp "{model}" "$4"\nexit {code}\n')
        path.chmod(0o755)
        return str(path)

    def compare(self, before, after, *more):
        tool = pathlib.Path(__file__).parent / "same_models"
        command = [tool, before, after, "--data", "data", *more]
        return subprocess.run(command, capture_output=True, text=True)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_equal_and_other_models(self):
        done = self.compare(self.program(1), self.program(1))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count(": equal\n"), 16)
        calls = pathlib.Path(self.folder.name, "calls").read_text()
        self.assertEqual(calls.count("--epochs 1"), 32)
        self.assertIn("--network 784-512-512-10 --seed 0 --batch-size 64 --loss mse --optimizer sgd --lr 0.1", calls)
        done = self.compare(self.program(1), self.program(2), "--only", "tutorial_seed0")
        self.assertEqual((done.returncode, done.stdout), (1, "tutorial_seed0: other bytes in w\n"))

    def test_a_failure_is_no_equality(self):
        done = self.compare(self.program(1), self.program(1, 6), "--only", "tutorial_seed0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ended with exit code 6", done.stdout)
        self.assertEqual(self.compare("x", "y", "--only", "none").returncode, 2)


if __name__ == "__main__":
    unittest.main()
