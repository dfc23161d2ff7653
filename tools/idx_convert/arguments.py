"""Types of command-line arguments, for argparse."""

import argparse
import math

MAX_DIMENSION = (1 << 32) - 1  # of an IDX file
MAX_SAMPLE = 1 << 30  # bytes
FILES = ("train-images", "train-labels", "test-images", "test-labels")


def dimension(text):
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_DIMENSION:
        raise argparse.ArgumentTypeError(f"'{text}': expected a whole number, 1 to {MAX_DIMENSION}")
    return int(text)


def shape(text):
    sizes = [dimension(part) for part in text.split("x")]
    if len(sizes) > 3:
        raise argparse.ArgumentTypeError(f"'{text}': expected 1 to 3 dimensions, joined by 'x'")
    if math.prod(sizes) > MAX_SAMPLE:
        raise argparse.ArgumentTypeError(
            f"'{text}': a sample of {math.prod(sizes)} bytes, expected at most {MAX_SAMPLE}")
    return sizes


def image_size(text):
    sizes = shape(text)
    if len(sizes) != 2 or max(sizes) > 16384:
        raise argparse.ArgumentTypeError(f"'{text}': expected HEIGHTxWIDTH, each at most 16384, for example 28x28")
    return sizes


def class_count(text):
    if not 2 <= dimension(text) <= 256:
        raise argparse.ArgumentTypeError(f"'{text}': expected 2 to 256 classes")
    return int(text)


def number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


def fraction(text):
    if not 0 < number(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}': expected a number above 0 and below 1")
    return float(text)


def value_range(text):
    limits = [number(part) for part in text.split(",")]
    if len(limits) != 2 or not all(map(math.isfinite, limits)) or not limits[0] < limits[1]:
        raise argparse.ArgumentTypeError(f"'{text}': expected LOW,HIGH with LOW below HIGH, for example 0,1")
    if not math.isfinite((limits[1] - limits[0]) * 255):
        raise argparse.ArgumentTypeError(f"'{text}': HIGH - LOW is too large, expected less than 7e305")
    return limits


def add_folder(parser):
    parser.add_argument("folder", metavar="DIR", help="folder for the four IDX files; created if it does not exist")


def add_files(parser, metavar):
    """An option for each of the four files of a data set."""
    for name in FILES:
        parser.add_argument(f"--{name}", required=True, metavar=metavar, help=name.replace("-", " ").replace(
            "train ", "training "))


def files_of(asked):
    return [getattr(asked, name.replace("-", "_")) for name in FILES]


def add_range(parser, text):
    parser.add_argument("--range", type=value_range, metavar="LOW,HIGH", help=text)


def add_seed(parser, text):
    parser.add_argument("--seed", type=int, default=0, metavar="S", help=f"{text} (default 0)")


def add_test_fraction(parser, when):
    parser.add_argument("--test-fraction", type=fraction, metavar="F",
                        help=f"fraction of each class that becomes the test set {when} (default 0.1)")


RANGE_OF_ARRAYS = (
    "pixel values that become 0 and 255; values outside are clipped. Default: 8-bit integers are taken as they are; "
    "16-bit unsigned integers 0,65535; floating-point values the first of 0,1 and -1,1 and 0,255 that holds all")
