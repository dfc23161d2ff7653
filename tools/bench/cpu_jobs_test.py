#!/usr/bin/env python3
"""Tests of `cpu_jobs` with fakes of warpfit, PyTorch and JAX: needs none of them, and takes some seconds.

    python3 tools/bench/cpu_jobs_test.py
"""

import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from compare_stand_ins import (  # noqa: E402
    OUR_TEXT,
    OUR_TIMES,
    TOOLS,
    TORCH_TEXT,
    StandIns,
    write_program,
    write_script,
)

PLAIN = ["the tutorial's", "batch 1", "batch 16", "batch 256", "batch 4096", "width 128", "width 2048"]
OTHERS = ["momentum 0.9", "Adam", "AdamW"]


class CpuJobsTest(StandIns):
    def run_jobs(self, *more):
        """Runs all jobs, each with one round of two epochs. `more` has options that override these."""
        write_program(self.folder / "warpfit", OUR_TEXT, OUR_TIMES)
        write_program(self.folder / "python", TORCH_TEXT)
        write_program(self.folder / "jax", TORCH_TEXT.replace('"train_s": 2.0', '"train_s": 1.0'))
        options = {
            "--data": self.folder,
            "--warpfit": self.folder / "warpfit",
            "--torch-python": self.folder / "python",
            "--jax-python": self.folder / "jax",
            "--rounds": 1,
            "--epochs": 2,
            "--threads": 1,
            "--peak": 200,
            "--json": self.folder / "out.json",
        }
        flags = [text for flag_and_value in options.items() for text in flag_and_value]
        command = [str(text) for text in (TOOLS / "cpu_jobs", *flags, *more)]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder)

    def table(self, done):
        """The table cells of each job."""
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "| job | warpfit | of the floor | PyTorch | ratio | JAX | ratio |")
        self.assertEqual(lines[1], "|---|---|---|---|---|---|---|")
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
        return {name: cells for name, *cells in rows}

    def test_a_line_for_each_job(self):
        done = self.run_jobs("--rounds", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        table = self.table(done)
        self.assertEqual(list(table), PLAIN + OTHERS)
        self.assertEqual(table["the tutorial's"], ["1.290 s", "1.25 x", "2.500 s", "1.94", "1.500 s", "1.16"])
        for name in PLAIN:
            self.assertEqual(table[name][2:], ["2.500 s", "1.94", "1.500 s", "1.16"], name)
        for name in OTHERS:
            self.assertEqual(table[name][2:], ["2.500 s", "1.94", "-", "-"], name)
        results = self.results()
        self.assertEqual([(line["round"], line["rounds"]) for line in results], [(2, 2)] * 10)
        self.assertEqual(
            [line["job"]["optimizer"] for line in results[-4:]], ["sgd", "momentum", "adam", "adamw"]
        )
        self.assertEqual([line["job"]["batch_size"] for line in results[:5]], [64, 1, 16, 256, 4096])

    def test_a_failing_framework_has_no_figure_and_loses_no_job(self):
        jax = write_script(
            self.folder / "broken", "case $1 in -c) exit 0 ;; esac; echo no memory >&2; exit 9"
        )
        done = self.run_jobs("--jax-python", jax)
        self.assertEqual(done.returncode, 1, done.stderr)
        table = self.table(done)
        self.assertEqual(list(table), PLAIN + OTHERS)
        self.assertEqual(table["batch 1"][2:], ["2.500 s", "1.94", "failed", "-"])
        self.assertIn("FAILED: ended with status 9: no memory", done.stderr)
        warpfit = write_script(self.folder / "broken", "exit 8")
        done = self.run_jobs("--warpfit", warpfit)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(self.table(done)["Adam"], ["failed", "-", "2.500 s", "-", "-", "-"])

    def test_losses_that_disagree(self):
        write_program(self.folder / "other", OUR_TEXT.replace("1.250000", "2.250000"), OUR_TIMES)
        done = self.run_jobs("--warpfit", self.folder / "other")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(self.table(done)), 10)
        self.assertIn("AdamW: LOSSES DISAGREE", done.stderr)

    def test_without_any_contender(self):
        done = self.run_jobs("--variants", "torch-tensors", "--torch-python", "/nonexistent/python")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(self.run_jobs("--warpfit", "/nonexistent/warpfit").returncode, 2)


if __name__ == "__main__":
    unittest.main()
