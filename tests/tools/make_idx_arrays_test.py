#!/usr/bin/env python3
"""Tests of make_idx from-npz, from-npy and from-idx: names, types, ranges, labels, misuse, and that warpfit learns from them.

python3 tests/tools/make_idx_arrays_test.py WARPFIT
"""

import gzip
import random
import struct
import sys

sys.dont_write_bytecode = True
from make_idx_support import MakeIdxCase, idx, main, npy, npz  # noqa: E402

KERAS = ["x_train", "y_train", "x_test", "y_test"]
MEDMNIST = ["train_images", "train_labels", "test_images", "test_labels"]
LABELS = npy("|u1", [2], [0, 1])


class ArraysTest(MakeIdxCase):
    module = "numpy"

    def npz(self, train, train_labels=LABELS, test=None, test_labels=LABELS, names=KERAS, **more):
        contents = [train, train_labels, train if test is None else test, test_labels]
        self.put("in.npz", npz(**dict(zip(names, contents)), **more))

    def convert(self, *options):
        return self.run_tool("from-npz", self.scratch / "in.npz", self.scratch / "out", *options)

    def refuse_npz(self, expected, *options, status=3):
        return self.refuse(status, expected, "from-npz", self.scratch / "in.npz", self.scratch / "out", *options)

    def pixels(self, dtype, values, *options):
        """The bytes of two samples with half of the values each."""
        self.npz(npy(dtype, [2, len(values) // 2], values))
        self.said = self.convert(*options)
        return list(self.read()[0][2])

    def test_takes_the_arrays_of_keras(self):
        train = bytes(range(3 * 4 * 5))
        self.npz(npy("|u1", [3, 4, 5], train), npy("<i8", [3], [2, 0, 1]), npy("|u1", [1, 4, 5], bytes(20)),
                 npy("|u1", [1], [1]))
        self.assertIn("taken as they are", self.convert())
        self.assertEqual(self.read(), [(8, [3, 4, 5], train), (8, [3], b"\2\0\1"), (8, [1, 4, 5], bytes(20)),
                                       (8, [1], b"\1")])
        self.assertIn("3 training samples and 1 test sample of 4x5", self.output)
        self.assertEqual(sorted(path.name for path in (self.scratch / "out").iterdir()), sorted(
            ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]))

    def test_takes_the_arrays_of_medmnist(self):
        colour = bytes(range(2 * 5 * 5 * 3))
        self.npz(npy("|u1", [2, 5, 5, 3], colour), npy("|u1", [2, 1], [0, 1]), None, npy("|u1", [2, 1], [1, 0]),
                 names=MEDMNIST, val_images=b"not looked at", val_labels=b"")
        said = self.convert()
        self.assertIn("not converted: val_images, val_labels", said)
        self.assertIn("5x5x3 have their channels last; they are written as 3x5x5", said)
        images, labels, _, test_labels = self.read()
        planes = [bytes(colour[first + channel:first + 75:3]) for first in (0, 75) for channel in range(3)]
        self.assertEqual(images, (8, [2, 3, 5, 5], b"".join(planes)))
        self.assertEqual((labels, test_labels), ((8, [2], b"\0\1"), (8, [2], b"\1\0")))
        self.npz(npy("|u1", [2, 5, 5, 1], bytes(50)))
        self.convert()
        self.assertEqual(self.read()[0][1], [2, 5, 5])
        for shape in ([2, 3, 5, 5], [2, 3, 4, 4]):  # channels first already
            self.npz(npy("|u1", shape, colour[:2 * 3 * shape[2] ** 2]))
            self.convert()
            self.assertEqual(self.read()[0], (8, shape, colour[:2 * 3 * shape[2] ** 2]))

    def test_scales_other_types_to_bytes(self):
        # 0.1 x 255 = 25.5 is rounded up; 0.25 x 255 = 63.75
        self.assertEqual(self.pixels("<f8", [0, 0.1, 0.25, 1]), [0, 26, 64, 255])
        self.assertIn("0 becomes 0, 1 becomes 255", self.said)
        self.assertEqual(self.pixels("<f4", [-1, -0.5, 0, 1]), [0, 64, 128, 255])  # 63.75, 127.5
        self.assertIn("-1 becomes 0, 1 becomes 255", self.said)
        self.assertEqual(self.pixels(">f4", [0, 1.4, 1.5, 255]), [0, 1, 2, 255])
        self.assertIn("0 becomes 0, 255 becomes 255", self.said)
        self.assertEqual(self.pixels("<u2", [0, 128, 129, 65535]), [0, 0, 1, 255])
        self.assertIn("65535 becomes 255", self.said)
        self.assertEqual(self.pixels("<i8", [0, 1, 254, 255]), [0, 1, 254, 255])
        self.assertEqual(self.pixels("|b1", [0, 1, 1, 0]), [0, 255, 255, 0])
        self.assertEqual(self.pixels("<i8", [0, 1, 1, 0]), [0, 1, 1, 0])
        self.assertIn("--range 0,1", self.said)
        self.assertEqual(self.pixels("|u1", [0, 50, 100, 200], "--range", "0,100"), [0, 128, 255, 255])
        self.assertIn("2 pixel values outside the range 0 to 100 were clipped", self.said)  # one in each set
        self.assertEqual(self.pixels("<f4", [-3, -2, 2, 6], "--range", "-2,2"), [0, 0, 255, 255])
        self.assertIn("4 pixel values", self.said)
        # The range is that of both sets together.
        self.npz(npy("<f4", [2, 1], [0, 1]), test=npy("<f4", [2, 1], [-1, 1]))
        self.convert()
        self.assertEqual([self.read()[0][2], self.read()[2][2]], [bytes([128, 255]), bytes([0, 255])])

    def test_scales_more_than_a_block(self):
        values = [index % 65536 for index in range(1300 * 1000)]
        self.npz(npy("<u2", [1300, 1000], values), npy("|u1", [1300], bytes(1300)),
                 npy("<u2", [2, 1000], bytes(4000)))
        self.convert()
        self.assertEqual(self.read()[0][2], bytes((2 * value + 257) // 514 for value in values))

    def test_refuses_pixels_without_a_range(self):
        for dtype, values in (("<f4", [0, 1, 2, 256]), ("<f4", [-1.5, 0, 0, 1]), ("<i8", [0, 1, 2, 256]),
                              ("<i8", [-1, 0, 0, 1])):
            self.npz(npy(dtype, [2, 2], values))
            self.refuse_npz(f"from {min(values):g} to {max(values):g}, which is none of the usual ranges")
        for value, name in ((float("nan"), "nan"), (float("inf"), "inf")):
            self.npz(npy("<f4", [2, 2, 2], [0, 0, 0, 0, 0, 0, value, 0]))
            self.refuse_npz(f"x_train[1, 1, 0] is {name}", "--range", "0,1")
        self.npz(npy("<f4", [2, 2], [0] * 4), test=npy("|u1", [2, 2], [0] * 4))
        self.refuse_npz(["x_train is of the type float32", "x_test of the type uint8"])
        for dtype, size in (("<U1", 4), ("<c8", 8), ("<M8[s]", 8)):
            self.npz(npy(dtype, [2, 2], bytes(4 * size)))
            self.refuse_npz("x_train: the type")

    def test_takes_labels_of_every_form(self):
        images = npy("|u1", [3, 2], bytes(6))
        for labels, expected in ((npy("<f4", [3], [2, 0, 1]), [2, 0, 1]), (npy(">i4", [3, 1], [2, 0, 1]), [2, 0, 1]),
                                 (npy("|b1", [3], [1, 0, 1]), [1, 0, 1]),
                                 (npy("<f4", [3, 2], [0, 1, 1, 0, 0, 1]), [1, 0, 1]),
                                 (npy("|u1", [3, 300], bytes(299) + b"\1\1" + bytes(598) + b"\1"), [299, 0, 299])):
            self.npz(images, labels, test_labels=labels)
            said = self.convert()
            element, dimensions, content = self.read()[1]
            self.assertEqual((element, dimensions), (0x0C if max(expected) > 255 else 8, [3]))
            self.assertEqual(list(content if element == 8 else struct.unpack(">3i", content)), expected)
            self.assertEqual("y_train is one-hot encoded" in said, len(labels) in (152, 1028), said)
        for labels, expected in (([255, 0, 1], (8, b"\xff\0\1")),
                                 ([256, 0, 1], (12, b"\0\0\1\0\0\0\0\0\0\0\0\1")),
                                 ([65535, 0, 1], (12, b"\0\0\xff\xff\0\0\0\0\0\0\0\1"))):
            self.npz(images, npy("<i8", [3], labels), test_labels=npy("<i8", [3], [0, 0, 0]))
            self.convert()
            self.assertEqual(self.read()[1][::2], expected)
            self.assertEqual(self.read()[3][0], expected[0])  # both files have the same type
        self.npz(images, npy("|u1", [3], [1, 2, 2]), test_labels=npy("|u1", [3], [1, 2, 3]))
        said = self.convert()
        self.assertIn("class 0 is empty", said)
        self.assertIn("sorted by label; train with --shuffle", said)
        self.assertIn("test labels reach 3, but the training labels only 2", said)

    def test_refuses_wrong_labels(self):
        images = npy("|u1", [3, 2], bytes(6))
        for labels, expected in ((npy("<i8", [3], [0, 1, -1]), "y_train[2]: the label -1 is negative"),
                                 (npy("<f8", [3], [0, 1.5, 1]), "y_train[1]: the label 1.5 is not a whole number"),
                                 (npy("<f8", [3, 1], [0, float("nan"), 1]), "y_train[1, 0]: the label nan"),
                                 (npy("<i8", [3], [0, 65536, 1]), "y_train[1]: the label 65536 is too large; expected 0 to 65535"),
                                 (npy("|u1", [3, 2], [0, 1, 1, 1, 1, 0]), "y_train[1]: a row of 2 values that is not"),
                                 (npy("|u1", [3, 2], [0, 1, 0, 2, 1, 0]), "y_train[1]: a row of 2 values that is not"),
                                 (npy("<f4", [3, 2], [0, 1, 1, 0, 0.5, 0.5]), "y_train[2]: a row of 2 values that is"),
                                 (npy("<U1", [3], bytes(12)), "y_train: the type <U1"),
                                 (npy("|u1", [3, 1, 1], bytes(3)), "y_train: labels of the shape (3, 1, 1)"),
                                 (npy("|u1", [4], bytes(4)), "3 samples, but 4 labels")):
            self.npz(images, labels, test_labels=npy("|u1", [3], bytes(3)))
            self.refuse_npz(expected)
        self.npz(images, npy("|u1", [3], bytes(3)))
        self.refuse_npz("x_test and y_test: 3 samples, but 2 labels")

    def test_refuses_what_is_no_data_set(self):
        self.npz(npy("|u1", [2, 2], bytes(4)), test=npy("|u1", [2, 3], bytes(6)))
        self.refuse_npz("x_train has samples of the shape (2,), but x_test of the shape (3,)")
        for shape in ([2], [0, 2], [2, 0], [2, 1, 1, 1, 1]):
            size = 0 if 0 in shape else 2
            self.npz(npy("|u1", shape, bytes(size)))
            self.refuse_npz("x_train: samples of the shape")
        self.npz(npy("|O", [2, 2], b"cos\nsystem\n(S'exit'\ntR."))
        self.refuse_npz("Python objects")
        for content, expected in ((b"", "is neither"), (b"text", "is neither"), (b"\x80\x04N.", "is neither"),
                                  (npz(x_train=LABELS)[:50], "cannot be read as a NumPy file"),
                                  (npz(**dict.fromkeys(KERAS, LABELS[:50])), "cannot be read as a NumPy file")):
            self.put("in.npz", content)
            self.refuse_npz(f"in.npz: {expected}")
        self.put("in.npz", npz(images=LABELS, y=LABELS))
        self.refuse_npz(["x_train, y_train, x_test, y_test", "it has images, y"])
        self.put("in.npz", LABELS)
        self.refuse_npz("from-npy")
        (self.scratch / "in.npz").unlink()
        self.refuse_npz("in.npz: No such file", status=5)

    def test_names_the_missing_package(self):
        self.npz(npy("|u1", [2, 2], bytes(4)))
        self.put("packages/numpy.py", "raise ImportError")
        said = self.refuse(6, "NumPy", "from-npz", self.scratch / "in.npz", self.scratch / "out", environment={
            "PYTHONPATH": str(self.scratch / "packages"), "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(said.splitlines()[1:], ["apt install python3-numpy", "pip install numpy"])

    def test_takes_four_files(self):
        names = ["--train-images", "--train-labels", "--test-images", "--test-labels"]
        contents = [npy("<f4", [2, 2, 2], [0, 0.2, 0.4, 0.6, 0.8, 1, 0, 0]), npy("<i8", [2], [1, 0]),
                    npy("<f4", [1, 2, 2], [1, 1, 0, 0]), npy("|u1", [1, 1], [1])]
        words = ["from-npy", self.scratch / "out"]
        for name, content in zip(names, contents):
            words += [name, self.put(f"{name[2:]}.npy", content)]
        self.run_tool(*words)
        self.assertEqual(self.read(), [(8, [2, 2, 2], bytes([0, 51, 102, 153, 204, 255, 0, 0])), (8, [2], b"\1\0"),
                                       (8, [1, 2, 2], bytes([255, 255, 0, 0])), (8, [1], b"\1")])
        words[1] = self.scratch / "new"
        self.refuse(2, "--test-labels", *words[:-2])
        for content, expected in ((npy("|O", [1], b"cos\nsystem\n(S'exit'\ntR."), "Python objects"),
                                  (npz(x=LABELS), "from-npz"), (contents[2][:-1], "cannot be read as a NumPy file")):
            self.put("test-images.npy", content)
            self.refuse(3, ["test-images.npy", expected], *words)

    def idx_words(self, images, labels=None, test_labels=None):
        """from-idx with two training samples and one test sample."""
        labels = idx(8, [2], b"\1\0") if labels is None else labels
        contents = [images, labels, idx(0x0D, [1, 2, 2], struct.pack(">4f", 1, 1, 0, 0)), idx(8, [1], b"\1")]
        words = ["from-idx", self.scratch / "out"]
        for name, content in zip(["train-images", "train-labels", "test-images", "test-labels"], contents):
            words += [f"--{name}", self.put(f"{name}-idx", content)]
        return words

    def test_takes_idx_files_of_other_types(self):
        floats = idx(0x0D, [2, 2, 2], struct.pack(">8f", 0, 0.2, 0.4, 0.6, 0.8, 1, 0, 0))
        for images, labels in ((floats, None), (gzip.compress(floats), idx(0x0C, [2], struct.pack(">2i", 1, 0)))):
            self.assertIn("0 becomes 0, 1 becomes 255", self.run_tool(*self.idx_words(images, labels)))
            self.assertEqual(self.read(), [(8, [2, 2, 2], bytes([0, 51, 102, 153, 204, 255, 0, 0])),
                                           (8, [2], b"\1\0"), (8, [1, 2, 2], bytes([255, 255, 0, 0])),
                                           (8, [1], b"\1")])
        for element, code, value in ((9, "b", 100), (0x0B, "h", 300), (0x0C, "i", 70000), (0x0E, "d", 5e9)):
            words = self.idx_words(idx(element, [2, 2, 2], struct.pack(f">8{code}", *[value] * 8)))
            self.run_tool(*words, "--range", f"0,{2 * value}")
            self.assertEqual(self.read()[0][2], bytes([128] * 8))

    def test_does_not_replace_the_idx_files_it_reads(self):
        words = self.idx_words(idx(0x0D, [2, 2, 2], bytes(32)))
        words[3] = self.put("out/train-images-idx3-ubyte", idx(0x0D, [2, 2, 2], bytes(32)))
        self.refuse(2, ["train-images-idx3-ubyte would be replaced", "another folder"], *words)

    def test_refuses_what_is_no_idx_file(self):
        good = idx(0x0D, [2, 2, 2], bytes(32))
        for images, expected in ((b"", "is not an IDX file"), (LABELS, "is not an IDX file"),
                                 (idx(0x0D, [2, 2, 2, 2, 2], bytes(128)), "is not an IDX file of 1 to 4 dimensions"),
                                 (idx(0x0A, [2, 2, 2], bytes(32)), "is not an IDX file"),
                                 (good[:10], "ends inside its header of 16 bytes"),
                                 (good[:-1], "has 47 bytes, expected 48 for its dimensions 2x2x2"),
                                 (good + b"x", "has 49 bytes, expected 48"),
                                 (gzip.compress(good)[:-4], "cannot be read as a gzip file"),
                                 (idx(0x0D, [0, 2, 2], b""), "expected at least one sample")):
            self.refuse(3, ["train-images-idx", expected], *self.idx_words(images))

    def test_makes_what_warpfit_learns(self):
        draws = random.Random(5)
        sets = []
        for count in (300, 90):
            labels = bytes(draws.randrange(3) for _ in range(count))
            sets += [npy("|u1", [count, 6, 6], bytes((180 if row // 2 == label else 0) + draws.randrange(70)
                                                     for label in labels for row in range(6) for _ in range(6))),
                     npy("|u1", [count], labels)]
        self.npz(*sets)
        self.convert()
        self.assertGreater(self.accuracy(self.scratch / "out"), 90)


if __name__ == "__main__":
    main()
