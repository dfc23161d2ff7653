"""Fakes of warpfit and of a Python with PyTorch or JAX, for the tests of `compare` and `cpu_jobs`."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent
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


def write_script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n".replace("'$0.", '"$0"\'.'))
    path.chmod(0o755)
    return path


def write_program(path, stdout, stderr=""):
    """Creates an executable that prints the two texts for any arguments."""
    path.with_suffix(".out").write_text(stdout)
    path.with_suffix(".err").write_text(stderr)
    return write_script(path, f"cat '{path}.out'\ncat '{path}.err' >&2")


def write_idx(folder, part, count):
    (folder / f"{part}-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + count.to_bytes(4, "big"))


class StandIns(unittest.TestCase):
    """Runs `compare` with fakes: a job of two epochs, one round, 2 threads."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        write_idx(self.folder, "train", 60000)
        write_idx(self.folder, "t10k", 10000)

    def command(self, *more, ours=OUR_TEXT, times=OUR_TIMES, torch=TORCH_TEXT, peak=("--peak", "200")):
        """Runs `compare`; later options override earlier ones. By default there is no JAX."""
        options = {
            "--data": self.folder,
            "--warpfit": write_program(self.folder / "warpfit", ours, times),
            "--torch-python": write_program(self.folder / "python", torch),
            "--jax-python": "/nonexistent/python",
            "--rounds": 1,
            "--threads": 2,
            "--json": self.folder / "out.json",
        }
        flags = [text for flag_and_value in options.items() for text in flag_and_value]
        return [str(text) for text in (sys.executable, TOOLS / "compare", *flags, *peak, *more)]

    def compare(self, *more, **outputs):
        """Runs `compare` with a new JSON file."""
        (self.folder / "out.json").unlink(missing_ok=True)
        command = self.command(*more, **outputs)
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder)

    def results(self):
        return [json.loads(line) for line in (self.folder / "out.json").read_text().splitlines()]

    def result(self):
        return self.results()[-1]

    def assert_ended(self, file):
        """Whether the process whose ID is in the file has ended; a zombie counts as ended."""
        stat = pathlib.Path("/proc") / file.read_text().strip() / "stat"
        if stat.exists():
            self.assertEqual(stat.read_text().rpartition(")")[2].split()[0], "Z")
