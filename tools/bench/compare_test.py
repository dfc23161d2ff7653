#!/usr/bin/env python3
"""Tests of `compare`, with stand-ins for warpfit and PyTorch: needs neither, nor data, and takes seconds.

python3 tools/bench/compare_test.py
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import flops  # noqa: E402
import report  # noqa: E402
import runs  # noqa: E402

COMPARE = pathlib.Path(__file__).resolve().parent / "compare"

LOSSES = [[2.305311, 2.298351], [1.5, 1.25]]  # epochs x printed losses
OUR_TEXT = (
    "".join(
        f"Epoch {e}\n-------------------------------\n"
        + "".join(f"loss: {loss:>7f}  [{6400 * i:>5d}/60000]\n" for i, loss in enumerate(losses))
        + "Test Error: \n Accuracy: 49.5%, Avg loss: 2.162512 \n\n"
        for e, losses in enumerate(LOSSES, 1)
    )
    + "Done!\n"
)
OUR_TIMES = (
    "note\n\x1b[32m[info]\x1b[0m epoch 1: train 9.000 s, test 0.900 s, 6667 samples/s\n"
    "epoch 2: train 1.234 s, test 0.056 s, 48,612 samples/s\n"
)
TORCH_TEXT = "\n".join(
    [json.dumps({"torch": "0", "device": "cpu"})]
    + [
        json.dumps(
            {
                "epoch": e,
                "train_s": 2.0,
                "test_s": 0.5,
                "losses": [[i, loss + 1e-5] for i, loss in enumerate(losses)],
                "accuracy": 0.4948,
                "avg_loss": 2.162513,
            }
        )
        for e, losses in enumerate(LOSSES, 1)
    ]
)


def write_program(path, stdout, stderr=""):
    """An executable that prints the two texts whatever its arguments are."""
    path.with_suffix(".out").write_text(stdout)
    path.with_suffix(".err").write_text(stderr)
    path.write_text(f"#!/bin/sh\ncat '{path}.out'\ncat '{path}.err' >&2\n")
    path.chmod(0o755)
    return path


def write_idx(folder, part, count):
    (folder / f"{part}-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + count.to_bytes(4, "big"))


class CompareTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        write_idx(self.folder, "train", 60000)
        write_idx(self.folder, "t10k", 10000)

    def compare(self, ours=OUR_TEXT, times=OUR_TIMES, torch=TORCH_TEXT, *more):
        warpfit = write_program(self.folder / "warpfit", ours, times)
        python = write_program(self.folder / "python", torch)
        command = [
            sys.executable,
            str(COMPARE),
            "--data",
            str(self.folder),
            "--warpfit",
            str(warpfit),
            "--torch-python",
            str(python),
            "--rounds",
            "1",
            "--threads",
            "2",
            "--json",
            str(self.folder / "out.json"),
            *(more or ("--peak", "200")),
        ]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder)

    def test_counts_the_second_epoch_only(self):
        done = self.compare()
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        rows = json.loads((self.folder / "out.json").read_text())["rows"]
        self.assertEqual(
            [(row["name"], row["threads"]) for row in rows],
            [("ours", 2), ("torch-tensors", 1), ("torch-tensors", 2)],
        )
        self.assertAlmostEqual(rows[0]["total_s"]["median"], 1.29)
        self.assertAlmostEqual(rows[0]["warm_up_s"][0], 9.9)
        self.assertAlmostEqual(rows[0]["gflops"], 205.926 / 1.29, places=2)
        self.assertAlmostEqual(rows[0]["times_floor"], 1.29 / (205.926 / 200), places=4)
        self.assertIn("ratio 1.94", done.stdout)

    def test_each_disagreement_is_exit_status_1(self):
        for wrong in (
            OUR_TEXT.replace("2.298351", "2.298412"),
            OUR_TEXT.replace("2.298351", "nan"),
            OUR_TEXT.replace("2.162512", "2.162612"),
            OUR_TEXT.replace("49.5%", "49.6%"),
            OUR_TEXT.replace("loss: 1.250000  [ 6400/60000]\n", ""),
        ):
            self.assertNotEqual(wrong, OUR_TEXT)
            done = self.compare(ours=wrong)
            self.assertEqual(done.returncode, 1, done.stderr + done.stdout)
            self.assertIn("LOSSES DISAGREE", done.stdout)
            self.assertFalse(
                json.loads((self.folder / "out.json").read_text().splitlines()[-1])["losses_agree"]
            )

    def test_what_is_missing_is_named(self):
        cases = [
            ({"times": OUR_TIMES.replace("epoch 2:", "epoch two:")}, "no line 'epoch 2: train"),
            ({"ours": OUR_TEXT.replace("Epoch 2", "Epoch 3")}, "headings of epochs"),
            ({"ours": OUR_TEXT.replace("Avg loss", "Loss")}, "no line 'Accuracy"),
            ({"ours": OUR_TEXT.replace("1.500000", "x").replace("1.250000", "x")}, "'x', not a number"),
            ({"torch": TORCH_TEXT.rsplit("\n", 1)[0]}, "printed 1 epochs, expected 2"),
            ({"torch": "Segmentation fault"}, "something else than its JSON lines"),
        ]
        for outputs, message in cases:
            done = self.compare(**outputs)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(message, done.stderr)

    def test_failing_programs_are_named(self):
        done = self.compare(OUR_TEXT, OUR_TIMES, TORCH_TEXT, "--torch-python", "/nonexistent/python")
        self.assertEqual(done.returncode, 2)
        self.assertIn("torch_setup", done.stderr)
        done = self.compare(OUR_TEXT, OUR_TIMES, TORCH_TEXT, "--warpfit", "/nonexistent/warpfit")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no program", done.stderr)

    def test_without_a_peer_nothing_is_checked_nor_claimed(self):
        done = self.compare(OUR_TEXT, OUR_TIMES, TORCH_TEXT, "--variants", "ours", "--peak", "200")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("losses: not checked", done.stdout)

    def test_a_gpu_has_no_floor_from_the_cpu(self):
        done = self.compare(OUR_TEXT, OUR_TIMES, TORCH_TEXT, "--device", "cuda")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("torch-graph", done.stdout)
        self.assertIn("floor: not measured", done.stdout)


class ReportTest(unittest.TestCase):
    def test_noise_is_said(self):
        def row(low, high):
            return {"name": "ours", "total_s": report.spread([low, high])}

        self.assertIsNone(report.noise_text([row(1.0, 1.2)], 0.1))
        self.assertIn("ours spreads 1.30-fold", report.noise_text([row(1.0, 1.3)], 0.1))
        self.assertIn("load before the run 1.50", report.noise_text([row(1.0, 1.0)], 1.5))


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
        self.assertGreater(large - small, 180 * 2**20)
        self.assertLess(large - small, 220 * 2**20)

    def test_a_failing_program_says_its_last_lines(self):
        with self.assertRaisesRegex(runs.RunError, "status 3:\nno such flag"):
            runs.launch([sys.executable, "-c", "import sys; sys.stderr.write('no such flag'); sys.exit(3)"])

    def test_thread_variables_do_not_reach_the_child(self):
        os.environ["OMP_NUM_THREADS"] = "7"
        self.addCleanup(os.environ.pop, "OMP_NUM_THREADS")
        self.assertEqual(
            runs.launch([sys.executable, "-c", "import os; print(os.environ.get('OMP_NUM_THREADS'))"])[
                0
            ].strip(),
            "None",
        )


if __name__ == "__main__":
    unittest.main()
