"""What the tests of tools/make_idx share: running it, reading IDX files, and writers of PNG and NumPy files.

The writers use Python alone, so that expected pixels do not come from the packages that the program uses.
"""

import io
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


def interpreter_with(module):
    """The tests' own Python, or else Debian's with its packages python3-pil and python3-numpy; None if none has it."""
    for each in (sys.executable, "/usr/bin/python3"):
        command = [each, "-c", f"import {module}"]
        if os.path.exists(each) and subprocess.run(command, capture_output=True).returncode == 0:
            return each
    return None


def png(rows, kind=0, depth=8, chunks=()):
    """A PNG file; rows: the packed bytes of each row; kind: 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    bits = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind] * depth
    header = struct.pack(">IIBBBBB", len(rows[0]) * 8 // bits, len(rows), depth, kind, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in parts)


def npy(dtype, shape, data):
    """A NumPy file; dtype such as '<f4'; data: a list of numbers, or bytes."""
    if not isinstance(data, bytes):
        code = {"u1": "B", "u2": "H", "i8": "q", "f4": "f", "f8": "d", "b1": "?", "i4": "i"}[dtype[1:]]
        data = struct.pack(f"{'>' if dtype[0] == '>' else '<'}{len(data)}{code}", *data)
    text = str({"descr": dtype, "fortran_order": False, "shape": tuple(shape)})
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode() + data


def npz(**arrays):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in arrays.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def idx(element, dimensions, data):
    """An IDX file; element: the type's byte."""
    return bytes([0, 0, element, len(dimensions)]) + struct.pack(f">{len(dimensions)}I", *dimensions) + data


def read_idx(path):
    """The type, the dimensions and the elements' bytes."""
    content = path.read_bytes()
    rank = content[3]
    return content[2], list(struct.unpack(f">{rank}I", content[4:4 + 4 * rank])), content[4 + 4 * rank:]


class MakeIdxCase(unittest.TestCase):
    warpfit = None
    python = sys.executable
    module = None  # that the subcommand needs

    @classmethod
    def setUpClass(cls):
        if cls.module is None:
            return
        cls.python = interpreter_with(cls.module)
        if cls.python is None:
            reason = f"neither {sys.executable} nor /usr/bin/python3 can import {cls.module}"
            if os.environ.get("WARPFIT_REQUIRE_DATA") == "1":
                raise AssertionError(reason)
            raise unittest.SkipTest(reason)

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def run_tool(self, *words, status=0, environment=None):
        """Standard error; standard output is in `self.output`."""
        done = subprocess.run([self.python, ROOT / "tools/make_idx", *map(str, words)], capture_output=True, text=True,
                              env={**os.environ, **(environment or {})})
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.output = done.stdout
        return done.stderr

    def refuse(self, status, expected, *words, folder="out", **more):
        """The program ends with the status, names what is expected, and leaves nothing."""
        before = sorted(self.scratch.rglob("*"))
        said = self.run_tool(*words, status=status, **more)
        for each in [expected] if isinstance(expected, str) else expected:
            self.assertIn(each, said)
        self.assertEqual(sorted(self.scratch.rglob("*")), before)
        return said

    def put(self, name, content):
        path = self.scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def read(self, folder="out"):
        """Training images and labels, test images and labels: each type, dimensions, bytes."""
        return [read_idx(self.scratch / folder / name) for name in FILES]

    def accuracy(self, folder):
        command = [self.warpfit, "train", "--data", folder, "--device", "cpu", "--threads", "1", "--epochs", "2",
                   "--lr", "0.1", "--batch-size", "8", "--network", "flatten,linear(32),relu,linear(3)", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return float(done.stdout.rsplit("Accuracy: ", 1)[1].split("%")[0])


def main():
    MakeIdxCase.warpfit = sys.argv.pop()
    unittest.main()
