#!/usr/bin/env python3
"""Tests of make_idx from-images: class folders, splits, colours, sizes, misuse, and that warpfit learns from them.

python3 tests/tools/make_idx_images_test.py WARPFIT
"""

import base64
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
from make_idx_support import MakeIdxCase, main, png  # noqa: E402

# Grayscale, 8 high and 16 wide, the left half black and the right half white, without metadata.
JPEG = base64.b64decode(
    "/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/wAALCAAIABAB"
    "AREA/8QAFQABAQAAAAAAAAAAAAAAAAAABwj/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AD9QD//Z")


def gray(value, height=4, width=4):
    return png([[value] * width] * height)


def exif(orientation):
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">H", orientation) + b"\0\0\0\0\0\0"


class ImagesTest(MakeIdxCase):
    module = "PIL.Image"

    def convert(self, *options, source="in", folder="out", **more):
        return self.run_tool("from-images", self.scratch / source, self.scratch / folder, *options, **more)

    def refuse_images(self, status, expected, *options, **more):
        return self.refuse(status, expected, "from-images", self.scratch / "in", self.scratch / "out", *options, **more)

    def put_classes(self, images, source="in"):
        """The training images and the test images; both classes have the same file twice, one for each set."""
        for name in ("a", "b"):
            for index in (0, 1):
                self.put(f"{source}/{name}/{index}.png", images)

    def pixels(self, image, *options):
        """The dimensions and the pixels of the first sample of a data set of this image alone."""
        self.put_classes(image)
        self.said = self.convert(*options)
        _, dimensions, content = self.read()[0]
        return dimensions[1:], list(content[:len(content) // 2])

    def test_takes_classes_by_name_and_folders_below_them(self):
        for value in range(10):
            self.put(f"in/pear/{value}.png", gray(value))
            self.put(f"in/Zebra/{'below/' * (value % 3)}{value}.PNG", gray(100 + value))
            self.put(f"in/apple/{value}.png", gray(200 + value))
        self.put("in/pear/.hidden.png", "not an image")
        self.put("in/pear/readme.txt", "no")
        self.put("in/.git/x.png", "not an image")
        self.assertIn("1 file of other types not converted", self.convert())
        train, train_labels, test, test_labels = self.read()
        self.assertEqual(train[:2], (8, [27, 4, 4]))
        self.assertEqual(test[:2], (8, [3, 4, 4]))
        self.assertEqual((self.scratch / "out/classes.txt").read_text(), "Zebra\napple\npear\n")
        self.assertEqual(list(test_labels[2]), [0, 1, 2])  # one of ten of each class
        pairs = list(zip([*train[2][::16], *test[2][::16]], [*train_labels[2], *test_labels[2]]))
        self.assertEqual(sorted(pairs), sorted((first + value, label) for first, label in ((100, 0), (200, 1), (0, 2))
                                               for value in range(10)))
        self.assertNotEqual(list(train_labels[2]), sorted(train_labels[2]))  # in random order
        self.assertIn("27 training samples and 3 test samples of 4x4, 3 classes", self.output)
        self.assertFalse(list(self.scratch.rglob("*.part")))
        self.convert(folder="again")
        self.assertEqual(self.read("again"), self.read())
        self.convert("--seed", "1")  # over the files of the first run
        self.assertNotEqual(self.read("again")[2], self.read()[2])
        self.convert("--test-fraction", "0.3")
        self.assertEqual(self.read()[2][1], [9, 4, 4])

    def test_sorts_the_class_names(self):
        names = [f"{letter}{index}" for letter in "qaZ" for index in (10, 9, 1)]
        for at, name in enumerate(names):
            for index in (0, 1):
                self.put(f"in/{name}/{index}.png", gray(at))
        self.convert()
        self.assertEqual((self.scratch / "out/classes.txt").read_text().split(), sorted(names))
        self.assertEqual(list(self.read()[2][2][::16]), [names.index(name) for name in sorted(names)])

    def test_keeps_a_given_split(self):
        for test_name in ("test", "val", "valid"):
            for name, value in (("x", 1), ("y", 2)):
                self.put(f"{test_name}-in/train/{name}/1.png", gray(value))
                self.put(f"{test_name}-in/{test_name}/{name}/1.png", gray(10 * value))
            self.convert(source=f"{test_name}-in", folder=test_name)
            train, train_labels, test, test_labels = self.read(test_name)
            self.assertEqual(sorted(zip(train[2][::16], train_labels[2])), [(1, 0), (2, 1)])
            self.assertEqual(list(zip(test[2][::16], test_labels[2])), [(10, 0), (20, 1)])
        self.refuse(2, "--test-fraction has nothing to split", "from-images", self.scratch / "val-in",
                    self.scratch / "out", "--test-fraction", "0.5")
        (self.scratch / "val-in/train/z").mkdir()
        self.put("val-in/train/z/1.png", gray(3))
        self.refuse(3, ["class z", "train", "val"], "from-images", self.scratch / "val-in", self.scratch / "out")

    def test_writes_colour_as_planes(self):
        image = png([[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], [255, 0, 0, 0, 255, 0]], kind=2)
        self.assertEqual(self.pixels(image), ([3, 3, 2], [1, 4, 7, 10, 255, 0, 2, 5, 8, 11, 0, 255, 3, 6, 9, 12, 0, 0]))
        # 0.299 x 255 = 76.2, 0.587 x 255 = 149.7
        self.assertEqual(self.pixels(image, "--color", "gray"), ([3, 2], [2, 5, 8, 11, 76, 150]))
        self.assertEqual(self.pixels(gray(9, 1, 2), "--color", "rgb"), ([3, 1, 2], [9] * 6))
        self.put("in/a/gray.png", gray(9, 3, 2))
        self.put("in/a/0.png", image)
        self.convert("--size", "3x2")
        self.assertEqual(self.read()[0][1][1:], [3, 3, 2])  # one colour image makes all of them colour

    def test_converts_transparency_palettes_and_depths(self):
        half = [[10, 0, 10, 255, 10, 128]]  # gray and alpha; half of 10 and half of white: 255 - 245 x 128 / 255
        self.assertEqual(self.pixels(png(half, kind=4)), ([1, 3], [255, 10, 132]))
        rgba = [[9, 8, 7, 0, 9, 8, 7, 255]]
        self.assertEqual(self.pixels(png(rgba, kind=6)), ([3, 1, 2], [255, 9, 255, 8, 255, 7]))
        palette = (b"PLTE", bytes([1, 2, 3, 40, 50, 60]))
        self.assertEqual(self.pixels(png([[1, 0]], kind=3, chunks=[palette])), ([3, 1, 2], [40, 1, 50, 2, 60, 3]))
        transparent = (b"tRNS", bytes([0]))
        self.assertEqual(self.pixels(png([[1, 0]], kind=3, chunks=[palette, transparent])),
                         ([3, 1, 2], [40, 255, 50, 255, 60, 255]))
        grays = (b"PLTE", bytes([7, 7, 7, 90, 90, 90]))
        self.assertEqual(self.pixels(png([[1, 0]], kind=3, chunks=[grays])), ([1, 2], [90, 7]))
        self.assertEqual(self.pixels(png([[0b10100000]], depth=1)), ([1, 8], [255, 0, 255, 0, 0, 0, 0, 0]))
        # 16 bits: 128 / 257 = 0.498, 129 / 257 = 0.502
        deep = png([struct.pack(">6H", 0, 128, 129, 0x1234, 65534, 65535)], depth=16)
        self.assertEqual(self.pixels(deep), ([1, 6], [0, 0, 1, 18, 255, 255]))
        self.assertIn("0 becomes 0, 65535 becomes 255", self.said)
        self.assertEqual(self.pixels(deep, "--range", "0,258"), ([1, 6], [0, 127, 128, 255, 255, 255]))
        self.assertIn("12 pixel values outside the range 0 to 258 were clipped", self.said)

    def test_applies_the_orientation(self):
        turned = {1: [1, 2, 3, 4, 5, 6], 2: [2, 1, 4, 3, 6, 5], 3: [6, 5, 4, 3, 2, 1], 4: [5, 6, 3, 4, 1, 2],
                  5: [1, 3, 5, 2, 4, 6], 6: [5, 3, 1, 6, 4, 2], 7: [6, 4, 2, 5, 3, 1], 8: [2, 4, 6, 1, 3, 5]}
        for orientation, expected in turned.items():
            image = png([[1, 2], [3, 4], [5, 6]], chunks=[(b"eXIf", exif(orientation))])
            shape = [3, 2] if orientation < 5 else [2, 3]
            self.assertEqual(self.pixels(image), (shape, expected), orientation)
        segment = b"Exif\0\0" + exif(6)
        photo = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(segment)) + segment + JPEG[2:]
        shape, values = self.pixels(photo)  # turned to the right: what was on the left is at the top
        self.assertEqual(shape, [16, 8])
        self.assertLess(max(values[:64]), 8)
        self.assertGreater(min(values[64:]), 247)

    def test_resizes_with_a_triangle_filter(self):
        row = [0, 10, 20, 250, 30, 90, 200, 100]
        expected = []
        for to in range(4):  # 8 pixels to 4: the triangle has a half-width of 2 pixels
            weights = [max(0, 1 - abs(at + 0.5 - (2 * to + 1)) / 2) for at in range(8)]
            expected.append(sum(map(lambda weight, value: weight * value, weights, row)) / sum(weights))
        shape, values = self.pixels(png([row] * 6), "--size", "3x4")
        self.assertEqual(shape, [3, 4])
        for value, exact in zip(values, expected * 3):
            self.assertAlmostEqual(value, exact, delta=0.51)

    def test_refuses_what_it_cannot_convert(self):
        self.put_classes(gray(1))
        good = gray(1, 30, 30)
        for wrong in (b"not an image", b"", good[:50]):  # the last one has the header only
            self.put("in/b/2.png", wrong)
            self.refuse_images(3, ["in/b/2.png", "cannot be read as an image"], "--size", "4x4")
        self.put("in/b/2.png", gray(1, 5, 4))
        said = self.refuse_images(3, ["in/a/0.png has 4x4", "in/b/2.png has 5x4", "--size"])
        self.assertNotIn("/b/0.png", said)
        self.put_classes(gray(1, 5, 4))
        self.put("in/b/2.png", gray(1, 4, 5))  # found when it is decoded only
        self.refuse_images(3, ["in/a/0.png has 5x4", "in/b/2.png has 4x5", "--size"])
        (self.scratch / "in/c").mkdir()
        self.refuse_images(3, ["in/c", "no images"])
        self.put("in/c/0.png", gray(1))
        self.refuse_images(3, ["class c", "only one sample"])
        for wrong in (["--size", "28"], ["--size", "0x4"], ["--test-fraction", "1"], ["--range", "3,3"],
                      ["--color", "x"]):
            self.refuse_images(2, wrong[0], *wrong)
        self.refuse(2, "inside", "from-images", self.scratch / "in", self.scratch / "in/out")
        self.refuse(5, "missing", "from-images", self.scratch / "missing", self.scratch / "out")
        self.put("one/train/a/1.png", gray(1))
        self.refuse(3, ["found only train", "one/train"], "from-images", self.scratch / "one", self.scratch / "out")

    def test_refuses_class_names_that_warpfit_would_not_read(self):
        for name, expected in ((b"a" * 201, "the name of the class has 201 bytes, expected at most 200"),
                               ("\u00e9".encode() * 101, "has 202 bytes"),
                               (b"caf\xe9", "is not UTF-8"), (b"t\x1b[2J", "contains a control character"),
                               (b"two\nlines", "contains a control character"),
                               ("\u202e".encode(), "contains a control character"),
                               ("\u0085".encode(), "contains a control character")):
            folder = os.path.join(os.fsencode(self.scratch), b"in", name)
            self.put_classes(gray(1))
            os.mkdir(folder)
            for index in (b"0.png", b"1.png"):
                pathlib.Path(os.fsdecode(os.path.join(folder, index))).write_bytes(gray(2))
            self.refuse_images(3, [expected, "rename the folder"])
            shutil.rmtree(folder)
        for name in ("a" * 200, "caf\u00e9 \U0001f600"):
            for index in (0, 1):
                self.put(f"in/{name}/{index}.png", gray(2))
        self.convert()
        command = [self.warpfit, "train", "--data", self.scratch / "out", "--network", "16-4", "--device", "cpu",
                   "--epochs", "1", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_overwrites_no_other_file(self):
        self.put_classes(gray(1))
        self.put("out/classes.txt", "mine")
        self.refuse_images(5, "classes.txt exists")
        (self.scratch / "out/classes.txt").unlink()
        self.put("out/t10k-labels-idx1-ubyte", "mine, too")
        self.refuse_images(5, "t10k-labels-idx1-ubyte exists and is not an IDX file")
        self.assertEqual((self.scratch / "out/t10k-labels-idx1-ubyte").read_text(), "mine, too")

    def test_names_the_missing_package(self):
        self.put_classes(gray(1))
        self.put("packages/PIL/__init__.py", "raise ImportError")
        said = self.refuse_images(6, "Pillow", environment={"PYTHONPATH": str(self.scratch / "packages"),
                                                            "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(said.splitlines()[1:], ["apt install python3-pil", "pip install pillow"])

    def test_makes_what_warpfit_learns(self):
        draws = random.Random(5)
        for name, at in (("high", 0), ("middle", 2), ("low", 4)):
            for index in range(100):
                rows = [[(180 if row in (at, at + 1) else 0) + draws.randrange(70) for _ in range(6)]
                        for row in range(6)]
                self.put(f"in/{name}/{index}.png", png(rows))
        self.convert("--test-fraction", "0.2")
        self.assertGreater(self.accuracy(self.scratch / "out"), 90)


if __name__ == "__main__":
    main()
