#!/usr/bin/env python3
"""Tests of make_idx from-csv: headers, label columns, shapes, ranges, splits, misuse, and that warpfit learns from it.

python3 tests/tools/make_idx_csv_test.py WARPFIT
"""

import gzip
import os
import random
import subprocess
import sys

sys.dont_write_bytecode = True
from make_idx_support import ROOT, MakeIdxCase, main  # noqa: E402


class CsvTest(MakeIdxCase):
    def convert(self, train, test=None, *options):
        words = ["--train", self.put("train.csv", train)]
        words += [] if test is None else ["--test", self.put("test.csv", test)]
        return self.run_tool("from-csv", self.scratch / "out", *words, *options)

    def refuse_csv(self, expected, train, test=None, *options, status=3):
        self.put("train.csv", train)
        self.put("test.csv", test or train)
        return self.refuse(status, expected, "from-csv", self.scratch / "out", "--train", self.scratch / "train.csv",
                           *(["--test", self.scratch / "test.csv"] if test is not None else []), *options)

    def test_takes_tables_with_and_without_names(self):
        expected = [(8, [2, 2, 2], bytes([1, 2, 3, 255, 0, 6, 7, 8])), (8, [2], b"\3\0"),
                    (8, [1, 2, 2], bytes([9] * 4)), (8, [1], b"\2")]
        rows = "3,1,2,3,255\n0,0,6,7,8\n"
        test = "2,9,9,9,9\n"
        names = "label,p0,p1,p2,p3\n"
        quoted = '"label","p0","p1","p2","p3"\r\n"3","1","2","3","255"\r\n\r\n0,0,6,7,8\r\n'
        for text in (rows, names + rows, "\ufeff" + names + rows, "\ufeff" + rows, quoted, rows.strip()):
            self.assertIn("taken as they are", self.convert(text, test))
            self.assertEqual(self.read(), expected, text)
        self.assertIn("2 training samples and 1 test sample of 2x2", self.output)
        compressed = [self.put(f"{name}.csv.gz", gzip.compress(text.encode()))
                      for name, text in (("a", names + rows), ("b", names + test))]
        self.run_tool("from-csv", self.scratch / "gz", "--train", compressed[0], "--test", compressed[1])
        self.assertEqual(self.read("gz"), expected)
        # The label's column: by its name in each file, by an option, or the last one.
        self.convert("p,q,Label,r,s\n1,2,3,3,255\n0,6,0,7,8\n", names + test)
        self.assertEqual(self.read(), expected)
        text = "label,p,class,q,r\n1,2,3,3,255\n0,6,0,7,8\n"
        self.convert(text, "class,p,q,r,s\n" + test, "--label-column", "class")
        self.assertEqual(self.read(), expected)
        self.convert("1,2,3,255,3\n0,6,7,8,0\n", "9,9,9,9,2\n", "--label-column", "last")
        self.assertEqual(self.read(), expected)
        self.convert("x,label,y,z,w\n" + rows, test, "--label-column", "first")
        self.assertEqual(self.read(), expected)

    def test_says_that_the_first_line_names_the_columns(self):
        self.assertNotIn("column names", self.convert("0,1,2\n", "0,3,4\n"))
        said = self.convert("label,p0,p1\n0,1,2\n", "0,3,4\n")
        self.assertIn("train.csv: the first line is taken as column names: label, p0, p1", said)
        self.assertNotIn("test.csv", said)
        self.assertIn("names: label, a, b, c, ...", self.convert("label,a,b,c,d\n0,1,2,3,4\n", "0,1,2,3,4\n"))
        self.assertEqual(self.read()[0][1], [1, 2, 2])
        # A sample with a missing pixel is not taken as names, and lost.
        for first, position in (("0,1,,3", "column 3: ''"), ("0,NA,2,3", "column 2: 'NA'"),
                                ("1,,NA,", "column 2: ''"), ("0,1,2,x", "column 4: 'x'")):
            self.refuse_csv([f"line 1, {position} is not a number", "only if most of its fields are names"], f"{first}\n0,1,2,3\n")
        self.refuse_csv(["line 1: the label 'label' is not a number", "most of its fields"], "label,0,1,2\n0,1,2,3\n")

    def test_refuses_underscores_in_numbers(self):
        for row, position in (("0,1_2,3", "column 2: '1_2'"), ("0,3,1_2.5", "column 3: '1_2.5'")):
            self.refuse_csv(f"line 2, {position} is not a number", f"0,1,2\n{row}\n")

    def test_chooses_the_shape(self):
        text = "1,1,2,3,4,5,6\n"
        self.assertIn("no square image", self.convert(text, text))
        self.assertEqual(self.read()[0], (8, [1, 6], bytes([1, 2, 3, 4, 5, 6])))
        for shape, sizes in (("2x3", [2, 3]), ("3x1x2", [3, 1, 2]), ("6", [6])):
            self.convert(text, text, "--shape", shape)
            self.assertEqual(self.read()[0], (8, [1, *sizes], bytes([1, 2, 3, 4, 5, 6])))
        self.refuse_csv("--shape 2x2 has 4 values, but each line has 6", text, text, "--shape", "2x2")

    def test_scales_other_values_to_bytes(self):
        def pixels(values, *options):
            self.said = self.convert(f"0,{values}\n", f"0,{values}\n", *options)
            return list(self.read()[0][2])
        self.assertEqual(pixels("0,0.1,0.25,1"), [0, 26, 64, 255])  # 25.5, 63.75
        self.assertIn("0 becomes 0, 1 becomes 255", self.said)
        self.assertEqual(pixels("-1,-0.5,0,1.0"), [0, 64, 128, 255])
        self.assertEqual(pixels("0,1.4,1.5,2.55e2"), [0, 1, 2, 255])
        self.assertEqual(pixels("0,1,1,0"), [0, 1, 1, 0])
        self.assertIn("--range 0,1", self.said)
        self.assertEqual(pixels("0,128,129,65535", "--range", "0,65535"), [0, 0, 1, 255])
        self.assertEqual(pixels("-3,-2,2,6", "--range", "-2,2"), [0, 0, 255, 255])
        self.assertIn("4 pixel values outside the range -2 to 2 were clipped", self.said)
        for limits in ("-1e308,1e308", "0,1e307"):  # neither the difference nor 255 times it may overflow
            self.refuse_csv(["--range", "HIGH - LOW"], "0,0,0.5\n0,0,1\n", None, f"--range={limits}", status=2)
        self.assertEqual(pixels("0,1e304,1e305,7e305", "--range", "0,7e305"), [0, 4, 36, 255])
        self.refuse_csv("from 0 to 256, which is none", "0,0,256\n0,0,1\n")
        self.refuse_csv("from -1 to 1.5, which is none", "0,-1,1.5\n0,0,1\n")

    def test_splits_by_class(self):
        def text_of(*labels):
            return "label,p\n" + "".join(f"{label},{100 * at + index}\n" for index in range(10)
                                         for at, label in enumerate(labels))
        text = text_of(1, 0, 2)
        self.convert(text)
        train, train_labels, test, test_labels = self.read()
        self.assertEqual((train[1], test[1]), ([27, 1, 1], [3, 1, 1]))
        self.assertEqual(sorted(test_labels[2]), [0, 1, 2])
        pairs = list(zip([*train[2], *test[2]], [*train_labels[2], *test_labels[2]]))
        self.assertEqual(sorted(pairs), [(100 * at + index, label) for at, label in enumerate((1, 0, 2))
                                         for index in range(10)])
        first = self.read()
        self.convert(text.replace("300", "2"))
        self.assertEqual(self.read(), first)
        self.convert(text.replace("300", "2"), None, "--seed", "3")
        self.assertNotEqual(self.read()[2], first[2])
        self.convert(text.replace("300", "2"), None, "--test-fraction", "0.5")
        self.assertEqual(self.read()[2][1], [15, 1, 1])
        self.convert(text_of(1, 0, 300))
        self.assertEqual(self.read()[1][0], 0x0C)
        self.refuse_csv("class 7 has only one sample", text + "7,0\n")
        self.refuse_csv("one of the two", text, text, "--test-fraction", "0.5", status=2)

    def test_refuses_what_it_cannot_read(self):
        for text, expected in (("0,1,2\n1,2\n", "train.csv, line 2: 2 values, expected 3"),
                               ("label,p\n-1,2\n", "line 2: the label -1 is negative"),
                               ("0,2\n1.5,2\n", "line 2: the label 1.5 is not a whole number"),
                               ("label,p\ncat,2\n", "line 2: the label 'cat' is not a number"),
                               ("label,p,q\n1,2,x\n", "line 2, column 3 (q): 'x' is not a number"),
                               ("p,label,q\nx,1,2\n", "line 2, column 1 (p): 'x' is not a number"),
                               ("0,1,2\n0,1,\n", "line 2, column 3: '' is not a number"),
                               ("0,1,nan\n", "line 1, column 3: the pixel value is nan"),
                               ("0,1,1e999\n", "line 1, column 3: the pixel value is inf"),
                               ("", "expected a label and pixel values, separated by commas"),
                               ("0;1;2\n", "separated by commas"), ("label,p\n", "there are no samples")):
            self.refuse_csv(expected, text, "0,1\n")
        self.refuse_csv("cannot be read as a CSV file", gzip.compress(b"0,1,2\n" * 1000)[:-20])
        self.refuse_csv(["train.csv has 3 values", "test.csv has 2", "lack the labels"], "label,a,b,c\n0,1,2,3\n",
                        "a,b,c\n1,2,3\n")
        self.refuse_csv(["no column named kind", "label, p"], "label,p\n0,1\n", None, "--label-column", "kind")
        for path, expected in ((self.scratch / "missing.csv", "missing.csv: No such file"),
                               ("/dev/null", "expected a regular file")):
            self.refuse(5, expected, "from-csv", self.scratch / "out", "--train", path)
        self.put("out", "a file")
        self.refuse_csv("out: File exists", "0,1\n0,2\n", status=5)

    def test_takes_little_memory(self):
        with open(self.scratch / "train.csv", "w") as file:  # 40 MB of text, 20 MB of pixels
            for _ in range(4000):
                file.write(",".join(["1"] * 5001) + "\n")
        command = [self.python, ROOT / "tools/make_idx", "from-csv", self.scratch / "out", "--train",
                   self.scratch / "train.csv"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
            _, program.returncode, usage = os.wait4(program.pid, 0)
        self.assertEqual(program.returncode, 0)
        self.assertLess(usage.ru_maxrss, 25 * 1024)

    def test_makes_what_warpfit_learns(self):
        draws = random.Random(5)
        lines = ["label," + ",".join(f"pixel{index}" for index in range(36))]
        for _ in range(400):
            label = draws.randrange(3)
            values = [(180 if row // 2 == label else 0) + draws.randrange(70) for row in range(6) for _ in range(6)]
            lines.append(",".join(map(str, [label, *values])))
        self.convert("\n".join(lines) + "\n", None, "--test-fraction", "0.2")
        self.assertEqual(self.read()[0][1][1:], [6, 6])
        self.assertGreater(self.accuracy(self.scratch / "out"), 90)


if __name__ == "__main__":
    main()
