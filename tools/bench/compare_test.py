#!/usr/bin/env python3
"""Tests of `compare` with fakes of warpfit, PyTorch and JAX: needs none of them, needs no data, and takes seconds.

    python3 tools/bench/compare_test.py
"""

import signal
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
import agreement  # noqa: E402
from compare_stand_ins import (  # noqa: E402
    OUR_TEXT,
    OUR_TIMES,
    TORCH_TEXT,
    StandIns,
    write_program,
    write_script,
)  # noqa: E402


class CompareTest(StandIns):
    def test_counts_the_second_epoch_only(self):
        done = self.compare()
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        rows = self.result()["rows"]
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
            self.assertFalse(self.result()["losses_agree"])

    def test_what_is_missing_is_a_failed_row(self):
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
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(message, done.stdout)
            failed = [row for row in self.result()["rows"] if row["error"]]
            self.assertEqual({row["is_ours"] for row in failed}, {"torch" not in outputs})
            self.assertNotIn("total_s", failed[0])
            self.assertIn(message, failed[0]["error"])
            self.assertLessEqual(len(failed[0]["error"]), 160)

    def test_a_crash_is_a_failed_row_and_the_others_go_on(self):
        write_script(self.folder / "crashing", "echo run >>'$0.count'; echo out of luck >&2; kill -SEGV $$")
        done = self.compare("--warpfit", self.folder / "crashing", "--rounds", "3")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("FAILED: was killed by SIGSEGV: out of luck", done.stdout)
        rows = self.result()["rows"]
        self.assertEqual([len(row["warm_up_s"]) for row in rows[1:]], [3, 3])
        self.assertEqual(rows[0]["error"], "was killed by SIGSEGV: out of luck")
        help_and_version = 2
        count = (self.folder / "crashing.count").read_text().count("run")
        self.assertEqual(count, 1 + help_and_version, "a contender that failed is not run again")

    def test_a_contender_that_fails_later_has_no_times(self):
        script = f"echo >>'$0.count'; [ $(wc -l <'$0.count') -lt 3 ] && exec cat '{self.folder}/python.out'; exit 7"
        write_script(self.folder / "tired", script)  # succeeds in the import check and in round 1, then fails
        done = self.compare("--torch-python", self.folder / "tired", "--threads", "1", "--rounds", "2")
        self.assertEqual(done.returncode, 1, done.stderr)
        first, last = self.results()
        self.assertEqual([row["error"] for row in first["rows"]], [None, None])
        self.assertEqual([row["error"] for row in last["rows"]], [None, "ended with status 7"])
        self.assertNotIn("total_s", last["rows"][1])
        self.assertEqual(len(last["rows"][0]["warm_up_s"]), 2)

    def test_a_hang_is_killed_with_its_children(self):
        write_script(self.folder / "hanging", "sleep 60 & echo $! >'$0.new'; mv '$0.new' '$0.child'; wait")
        begin = time.monotonic()
        done = self.compare("--jax-python", self.folder / "hanging", "--variants", "ours,torch-tensors")
        self.assertEqual(done.returncode, 0, "JAX is not asked where no variant needs it: " + done.stderr)
        script = "case $1 in -c) exit 0 ;; esac; sleep 60 & echo $! >'$0.new'; mv '$0.new' '$0.child'; wait"
        write_script(self.folder / "hanging", script)
        done = self.compare("--jax-python", self.folder / "hanging", "--timeout", "3", "--threads", "1")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("FAILED: timed out after 3 s", done.stdout)
        self.assertLess(time.monotonic() - begin, 50)
        self.assert_ended(self.folder / "hanging.child")

    def test_ended_by_a_signal_it_ends_the_contender(self):
        write_script(self.folder / "hanging", "sleep 60 & echo $! >'$0.new'; mv '$0.new' '$0.child'; wait")
        hanging = self.command("--torch-python", self.folder / "hanging", "--variants", "torch-tensors")
        process = subprocess.Popen(hanging, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not (self.folder / "hanging.child").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=30), 128 + signal.SIGTERM)
        self.assert_ended(self.folder / "hanging.child")

    def test_a_json_line_after_each_round(self):
        self.assertEqual(self.compare("--rounds", "3").returncode, 0)
        lines = self.results()
        self.assertEqual([(line["round"], line["rounds"]) for line in lines], [(1, 3), (2, 3), (3, 3)])
        self.assertEqual([len(line["rows"][0]["warm_up_s"]) for line in lines], [1, 2, 3])
        self.assertEqual([line["losses_agree"] for line in lines], [True] * 3)

    def test_missing_pytorch_is_asked_for_once_and_makes_failed_rows(self):
        write_script(self.folder / "bare", "echo run >>'$0.count'; echo 'No module named torch' >&2; exit 1")
        done = self.compare("--torch-python", self.folder / "bare", "--rounds", "2")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("peers_setup", done.stderr)
        rows = self.result()["rows"]
        self.assertEqual([bool(row["error"]) for row in rows], [False, True, True])
        self.assertIn("No module named torch", rows[1]["error"])
        self.assertEqual((self.folder / "bare.count").read_text(), "run\n")

    def test_nothing_could_be_run(self):
        done = self.compare("--torch-python", "/nonexistent/python", "--variants", "torch-tensors")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("no contender could be run", done.stderr)
        self.assertIn("FAILED", done.stdout)
        for wrong in (
            ("--warpfit", "/nonexistent/warpfit"),
            ("--variants", "ours,theirs"),
            ("--timeout", "0"),
            ("--variants", "ours,jax-scan", "--optimizer", "adam"),
        ):
            done = self.compare(*wrong)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(wrong[0], done.stderr)

    def test_a_peak_that_cannot_be_measured_leaves_the_table(self):
        done = self.compare("--fma-peak", "/nonexistent/fma_peak", peak=())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("floor: not measured (cannot start /nonexistent/fma_peak", done.stdout)
        self.assertIn("ratio 1.94", done.stdout)

    def test_jax_is_compared_where_it_can_be_imported(self):
        jax = write_program(self.folder / "jax", TORCH_TEXT.replace('"train_s": 2.0', '"train_s": 1.0'))
        done = self.compare("--jax-python", jax)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.result()["rows"]
        self.assertEqual(
            [(row["name"], row["threads"], row["framework"]) for row in rows[3:]],
            [("jax-scan", 1, "JAX"), ("jax-scan", 2, "JAX")],
        )
        self.assertIn("PyTorch's best: torch-tensors with threads 1, 2.500 s", done.stdout)
        self.assertIn("JAX's best: jax-scan with threads 1, 1.500 s; ours: 1.290 s; ratio 1.16", done.stdout)
        write_program(jax, TORCH_TEXT.replace("1.25001", "1.26"))
        self.assertEqual(self.compare("--jax-python", jax).returncode, 1)
        self.assertIn("jax-scan: epoch 2: loss 2 1.260000 against 1.250010", self.result()["losses"])

    def test_jax_that_cannot_be_imported(self):
        done = self.compare()  # default options
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("jax-scan is left out", done.stderr)
        done = self.compare("--variants", "ours,torch-tensors,jax-scan")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"jax-scan +1 +FAILED: .* cannot use JAX")

    def test_optimizers_are_passed_on(self):
        for name, flags in (
            ("momentum", "--optimizer sgd --momentum 0.9"),
            ("adam", "--optimizer adam"),
            ("adamw", "--optimizer adamw"),
        ):
            arguments = "echo \"$*\" >>'$0.seen'"
            warpfit = write_script(self.folder / "ours", f"{arguments}; exec '{self.folder}/warpfit' \"$@\"")
            python = write_script(self.folder / "theirs", f"{arguments}; exec '{self.folder}/python' \"$@\"")
            done = self.compare("--warpfit", warpfit, "--torch-python", python, "--optimizer", name)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            self.assertIn(flags + "\n", (self.folder / "ours.seen").read_text())
            names = ["torch-tensors", "torch-tensors/foreach", "torch-tensors/fused"]
            rows = [(row["name"], row["threads"]) for row in self.result()["rows"]]
            self.assertEqual(rows, [("ours", 2)] + [(kind, count) for kind in names for count in (1, 2)])
            seen = (self.folder / "theirs.seen").read_text()
            for kind in ("default", "foreach", "fused"):
                self.assertIn(f"--optimizer {name} --implementation {kind} --threads 1", seen)

    def test_optimizers_have_tolerances_of_their_own(self):
        for name, wrong, agrees in (
            ("sgd", "1.2502", False),
            ("momentum", "1.2550", True),
            ("momentum", "1.2650", False),
            ("adam", "1.3400", True),
            ("adam", "1.3600", False),
        ):
            done = self.compare("--optimizer", name, ours=OUR_TEXT.replace("1.250000", wrong))
            self.assertEqual(done.returncode, 0 if agrees else 1, f"{name} {wrong}: {done.stdout}")
        for name, wrong, agrees in (
            ("momentum", "2.2987", False),
            ("adam", "2.3014", True),
            ("adam", "2.3050", False),
        ):
            done = self.compare("--optimizer", name, ours=OUR_TEXT.replace("2.298351", wrong))
            self.assertEqual(done.returncode, 0 if agrees else 1, f"{name} {wrong}: {done.stdout}")
        strict = self.compare(
            "--optimizer", "adam", "--tolerance", "1e-4", ours=OUR_TEXT.replace("1.25", "1.26")
        )
        self.assertEqual(strict.returncode, 1)
        self.assertEqual(set(agreement.TOLERANCES), {"sgd", "momentum", "adam", "adamw"})

    def test_without_a_peer_nothing_is_checked_nor_claimed(self):
        done = self.compare("--variants", "ours")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("losses: not checked", done.stdout)

    def test_a_gpu_has_no_floor_from_the_cpu(self):
        done = self.compare("--device", "cuda", peak=())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("torch-graph", done.stdout)
        self.assertIn("floor: not measured", done.stdout)


if __name__ == "__main__":
    unittest.main()
