#!/usr/bin/env python3
"""Tests of check_golden.py: the tutorial's trace, in warpfit's output format, agrees; modified outputs do not.

    python3 tools/bench/check_golden_test.py
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parents[1] / "tests/goldens/tutorial_seed0.json"


def printed(golden):
    """The trace in the output format of warpfit."""
    text = ""
    for epoch in golden["epochs"]:
        text += f"Epoch {epoch['epoch']}\n-------------------------------\n"
        text += "".join(f"loss: {loss:>7f}  [{seen:>5d}/60000]\n" for seen, loss in epoch["train"])
        accuracy = epoch["test_correct"] / 100
        text += f"Test Error: \n Accuracy: {accuracy:>0.1f}%, Avg loss: {epoch['test_avg_loss']:>8f} \n\n"
    return text + "Done!\n"


class CheckGoldenTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.output = pathlib.Path(holder.name) / "output.txt"
        self.golden = json.loads(GOLDEN.read_text())
        self.text = printed(self.golden)

    def check(self, text, *arguments, golden=GOLDEN):
        self.output.write_text(text)
        command = [sys.executable, str(HERE / "check_golden.py"), str(self.output), str(golden), *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    def refused(self, text, message):
        self.assertNotEqual(text, self.text)
        done = self.check(text)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(message, done.stdout)

    def shifted(self, text, by):
        return self.text.replace(text, f"{float(text) + by:.6f}", 1)

    def test_the_golden_itself(self):
        done = self.check(self.text)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("agrees with tutorial_seed0.json (PyTorch 1.13.0a0): 110 losses", done.stdout)

    def test_a_loss_in_any_place(self):
        for epoch in (0, 4, 9):
            for index in (0, 5, 9):
                loss = f"{self.golden['epochs'][epoch]['train'][index][1]:.6f}"
                self.refused(self.shifted(loss, 6e-5), f"epoch {epoch + 1}: loss {index + 1}")
                self.assertEqual(self.check(self.shifted(loss, 4e-5)).returncode, 0)
                self.refused(self.text.replace(loss, "nan", 1), "nan against")

    def test_the_average_test_loss(self):
        average = f"{self.golden['epochs'][-1]['test_avg_loss']:.6f}"
        self.refused(self.shifted(average, -6e-5), "epoch 10: average test loss")
        self.assertEqual(self.check(self.shifted(average, -6e-5), "--tolerance", "1e-4").returncode, 0)

    def test_the_accuracy(self):
        correct = self.golden["epochs"][-1]["test_correct"]
        last = f"Accuracy: {correct / 100:>0.1f}%"
        start, end = self.text.rsplit(last, 1)
        self.refused(f"{start}Accuracy: {correct / 100 + 0.2:.1f}%{end}", "epoch 10: accuracy")

    def test_what_is_missing_or_too_much(self):
        first_loss = self.text.splitlines(keepends=True)[2]
        self.refused(self.text.replace(first_loss, "", 1), "epoch 1: 9 losses against 10")
        self.refused(self.text.replace(first_loss, 2 * first_loss, 1), "epoch 1: 11 losses against 10")
        self.refused(self.text.replace("[    0/60000]", "[   64/60000]", 1), "epoch 1: losses after")
        self.refused(self.text[: self.text.index("Epoch 10")] + "Done!\n", "9 epochs against 10")
        self.refused(self.text.replace("Epoch 10", "Epoch 11"), "its epochs are headed")
        self.refused(self.text.removesuffix("Done!\n"), "does not end with 'Done!'")
        self.refused(self.text.replace("Avg loss", "Loss", 1), "epoch 1 has no line 'Accuracy")
        self.refused("", "does not end")
        self.refused("Done!\n", "0 epochs against 10")

    def test_files_that_cannot_be_read(self):
        for golden in (self.output, self.output.with_name("none.json")):
            done = self.check(self.text, golden=golden)
            self.assertEqual(done.returncode, 2)
            self.assertIn("check_golden:", done.stderr)


if __name__ == "__main__":
    unittest.main()
