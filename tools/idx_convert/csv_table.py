"""A table of labelled samples in a CSV file, plain or compressed with gzip, read line by line."""

import array
import csv
import gzip
import math
import zlib

from .labels import check_label
from .messages import bad_data, check_regular, note

MISSING = ("", "na", "n/a", "nan", "null", "none", "?")  # written where a value is missing
MAX_NAMES_SHOWN = 4


def number(text):
    """None if the text is not a number."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def names_columns(fields):
    """Whether a first line names the columns: most of its fields are names, which are neither numbers nor missing."""
    names = [field for field in fields if number(field) is None and field.strip().lower() not in MISSING]
    return 2 * len(names) > len(fields)


def bytes_of(fields):
    """The pixels if all are whole numbers from 0 to 255, otherwise None: one fast step for a line of most files."""
    if "_" in "".join(fields):  # for int(), 1_2 is 12
        return None
    try:
        return bytes(map(int, fields))
    except ValueError:
        return None


class Table:
    """After survey(): `labels`, the number of `pixels` a line, and the range of their values, `low` to `high`, which
    are all integers if `whole`. Errors: Failure, OSError."""

    def __init__(self, path, label_column):
        check_regular(path)  # it is read twice
        self.path = path
        self.low, self.high, self.whole = math.inf, -math.inf, True
        self.first_line, first = next(self.lines(), (0, []))
        if len(first) < 2:
            raise bad_data(f"{path}: expected a label and pixel values, separated by commas, in each line")
        self.header = first if names_columns(first) else None
        self.columns = len(first)
        self.pixels = self.columns - 1
        self.label = self.find_label(label_column)
        self.labels = array.array("l")
        if self.header:
            more = ", ..." if self.columns > MAX_NAMES_SHOWN else ""
            note(f"{path}: the first line is taken as column names: {', '.join(first[:MAX_NAMES_SHOWN])}{more}")

    def find_label(self, column):
        """The index of the label's column."""
        names = [name.strip() for name in self.header or []]
        if column == "last":
            return self.columns - 1
        if column is None:
            lower = [name.lower() for name in names]
            return lower.index("label") if "label" in lower else 0
        if column == "first":
            return 0
        if column in names:
            return names.index(column)
        had = f"its columns begin with {', '.join(names[:5])}" if names else "its first line has no names"
        raise bad_data(f"{self.path}: there is no column named {column}; {had}")

    def lines(self):
        """Pairs of the line's number and its fields. Empty lines are left out."""
        try:
            with open(self.path, "rb") as file:
                compressed = file.read(2) == b"\x1f\x8b"
            with (gzip.open if compressed else open)(
                    self.path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
                reader = csv.reader(file)
                for fields in reader:
                    if fields:
                        yield reader.line_num, fields
        except (csv.Error, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise bad_data(f"{self.path}: cannot be read as a CSV file ({error})") from None

    def names_hint(self, line):
        """Of an error in this line: the first one may have been meant as names."""
        return "" if line != self.first_line else (
            ". The first line is taken as column names only if most of its fields are names")

    def rows(self):
        """For each sample: the line's number, the label's text and the pixels' texts."""
        lines = self.lines()
        if self.header:
            next(lines)
        for line, fields in lines:
            if len(fields) != self.columns:
                raise bad_data(f"{self.path}, line {line}: {len(fields)} values, expected {self.columns} as in the "
                               "first line")
            yield line, fields.pop(self.label), fields

    def survey(self):
        for line, label, fields in self.rows():
            value = number(label)
            if value is None:
                raise bad_data(f"{self.path}, line {line}: the label '{label}' is not a number{self.names_hint(line)}")
            self.labels.append(check_label(value, lambda: f"{self.path}, line {line}"))
            self.include(line, fields)
        if not self.labels:
            raise bad_data(f"{self.path}: there are no samples")

    def include(self, line, fields):
        pixels = bytes_of(fields) or [self.pixel(line, index, text) for index, text in enumerate(fields)]
        self.low, self.high = min(self.low, min(pixels)), max(self.high, max(pixels))

    def pixel(self, line, index, text):
        value = number(text)
        if value is None or not math.isfinite(value):
            column = index + (index >= self.label)
            name = f" ({self.header[column].strip()})" if self.header else ""
            wrong = f"'{text}' is not a number" if value is None else f"the pixel value is {value}"
            raise bad_data(f"{self.path}, line {line}, column {column + 1}{name}: {wrong}; expected a finite "
                           f"number{self.names_hint(line)}")
        self.whole = self.whole and text.strip().lstrip("+-").isdigit()
        return value
