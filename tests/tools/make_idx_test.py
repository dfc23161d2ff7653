#!/usr/bin/env python3
"""Tests of make_idx random: headers, bytes, memory, misuse, and that warpfit learns from what it makes.

python3 tests/tools/make_idx_test.py WARPFIT
"""

import contextlib
import errno
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import unittest
import zlib
from unittest import mock

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from idx_convert import output  # noqa: E402
from idx_convert.messages import Failure  # noqa: E402

FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
WARPFIT = None


class MakeIdxTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def make(self, name, *options, status=0):
        """The four files of a new folder."""
        command = [sys.executable, ROOT / "tools/make_idx", "random", self.scratch / name, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stderr)
        if status != 0:
            return done.stderr
        self.assertEqual(sorted(path.name for path in (self.scratch / name).iterdir()), sorted(FILES))
        return [(self.scratch / name / file).read_bytes() for file in FILES]

    def test_writes_headers_and_sizes(self):
        images, labels, test_images, test_labels = self.make(
            "set", "--train", "300", "--test", "7", "--shape", "3x5x2", "--classes", "4")
        self.assertEqual(images[:20], bytes.fromhex("00000804 0000012c 00000003 00000005 00000002"))
        self.assertEqual(len(images), 20 + 300 * 30)
        self.assertEqual(labels[:8], bytes.fromhex("00000801 0000012c"))
        self.assertEqual(len(labels), 8 + 300)
        self.assertEqual(len(test_images), 20 + 7 * 30)
        self.assertEqual(len(test_labels), 8 + 7)
        self.assertEqual(set(labels[8:]), {0, 1, 2, 3})

    def test_gives_the_same_bytes_for_the_same_options(self):
        options = ["--train", "3000", "--test", "50", "--shape", "1000"]  # more than a block
        first = self.make("first", *options)
        self.assertEqual(self.make("second", *options), first)
        self.assertNotEqual(self.make("other", *options, "--seed", "1")[0], first[0])
        # On any machine, with any version of Python.
        self.assertEqual([f"{zlib.crc32(each):08x}" for each in first], CHECKSUMS)

    def test_takes_little_memory(self):
        self.make("large", "--train", "100000", "--test", "1")
        kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertLess(kilobytes, 50 * 1024)  # of 78 MB

    def test_refuses_what_no_file_can_hold(self):
        for wrong in (["--train", "0"], ["--test", "4294967296"], ["--shape", "2x2x2x2"], ["--shape", "28x"],
                      ["--shape", "70000x70000"], ["--classes", "257"], ["--classes", "1"], ["--train", "1e6"]):
            self.assertIn("expected", self.make("wrong", *wrong, status=2))
        self.assertIn("expected at most 268435455", self.make("wrong", "--shape", "16384x16384", status=2))
        self.assertNotIn("one byte", self.make("wrong", "--classes", "257", status=2))
        (self.scratch / "file").write_text("")
        self.assertIn("file", self.make("file", status=5))

    def test_names_the_subcommands(self):
        for words in ([], ["folder"], ["--train", "300", "folder"], ["folder", "--train", "300"]):
            command = [sys.executable, ROOT / "tools/make_idx", *words]
            done = subprocess.run(command, cwd=self.scratch, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            for expected in ("random", "from-images", "from-npz", "from-npy", "from-idx", "from-csv", "make_idx random DIR"):
                self.assertIn(expected, done.stderr)
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_overwrites_idx_files_only(self):
        self.make("set", "--train", "300", "--test", "7", "--seed", "1")
        again = self.make("set", "--train", "300", "--test", "7")
        self.assertEqual(self.make("new", "--train", "300", "--test", "7"), again)
        (self.scratch / "set" / FILES[3]).write_text("notes")
        self.assertIn(f"{FILES[3]} exists and is not an IDX file", self.make("set", status=5))
        self.assertEqual([(self.scratch / "set" / file).read_bytes() for file in FILES], again[:3] + [b"notes"])

    def test_leaves_nothing_if_a_file_cannot_be_written(self):
        limit = 100000  # bytes of a file
        command = [sys.executable, ROOT / "tools/make_idx", "random", self.scratch / "set"]
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_is_not_interrupted_while_the_files_appear(self):
        def replace(source, target):
            os.kill(os.getpid(), signal.SIGINT)
            os.rename(source, target)

        handler = signal.getsignal(signal.SIGINT)
        with mock.patch.object(output.os, "replace", replace), self.data_set():
            pass
        self.assertEqual(sorted(path.name for path in (self.scratch / "set").iterdir()), sorted(FILES))
        self.assertIs(signal.getsignal(signal.SIGINT), handler)

    def test_says_which_files_were_replaced_before_one_that_could_not_be(self):
        def replace(source, target):
            if target.name == FILES[2]:
                raise PermissionError(errno.EACCES, "Permission denied", str(source), None, str(target))
            os.rename(source, target)

        with mock.patch.object(output.os, "replace", replace), self.assertRaises(Failure) as raised, self.data_set():
            pass
        self.assertEqual(raised.exception.status, 5)
        self.assertIn(f"{FILES[2]}: Permission denied", str(raised.exception))
        self.assertIn(f"already replaced: {FILES[0]}, {FILES[1]}", str(raised.exception))
        self.assertIn(f"as before: {FILES[2]}, {FILES[3]}", str(raised.exception))
        self.assertEqual(sorted(path.name for path in (self.scratch / "set").iterdir()), sorted(FILES[:2]))

    @contextlib.contextmanager
    def data_set(self):
        """A data set whose files are complete and appear at the end of the context."""
        with output.DataSet(self.scratch / "set") as data_set:
            for name in output.SETS:
                data_set.images(name, 1, [1]).write(b"\1")
                data_set.labels(name, [0], output.UNSIGNED_BYTES)
            yield

    def test_makes_what_warpfit_learns(self):
        self.make("set", "--train", "2000", "--test", "500", "--shape", "8x8", "--classes", "10")
        command = [WARPFIT, "train", "--data", self.scratch / "set", "--device", "cpu", "--threads", "1", "--epochs",
                   "3", "--lr", "0.1", "--batch-size", "16", "--network", "64-32-10", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        accuracy = float(done.stdout.rsplit("Accuracy: ", 1)[1].split("%")[0])
        self.assertGreater(accuracy, 90, done.stdout)


CHECKSUMS = ["c9d87517", "1c0919a1", "8bfbbe70", "10c917eb"]

if __name__ == "__main__":
    WARPFIT = sys.argv.pop()
    unittest.main()
