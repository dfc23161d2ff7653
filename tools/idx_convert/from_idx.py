"""make_idx from-idx: four IDX files of other element types, such as floating-point images.

Images of integers of 8, 16 or 32 bits, or of floating-point numbers, become the unsigned bytes that warpfit reads. Files
may be compressed with gzip; others are mapped into memory, so that they may be larger than it.
"""

import gzip
import math
import os
import zlib

from . import arguments, arrays
from .messages import USAGE, Failure, bad_data, check_regular, require
from .output import NAMES

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_RANK = 4


def add_arguments(parser):
    arguments.add_folder(parser)
    arguments.add_files(parser, "FILE")
    arguments.add_range(parser, arguments.RANGE_OF_ARRAYS)


def parse_header(path, start):
    """The element type of NumPy, the dimensions and the size of the header in bytes."""
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES or not 1 <= start[3] <= MAX_RANK:
        raise bad_data(f"{path}: is not an IDX file of 1 to {MAX_RANK} dimensions")
    size = 4 + 4 * start[3]
    if len(start) < size:
        raise bad_data(f"{path}: ends inside its header of {size} bytes")
    return TYPES[start[2]], [int.from_bytes(start[at:at + 4], "big") for at in range(4, size, 4)], size


def read_gzip(path):
    try:
        with gzip.open(path) as file:
            return file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise bad_data(f"{path}: cannot be read as a gzip file ({error})") from None


def load(numpy, path):
    """The array of a file. Errors: Failure, OSError."""
    check_regular(path)
    with open(path, "rb") as file:
        start = file.read(4 + 4 * MAX_RANK)
    content = read_gzip(path) if start[:2] == b"\x1f\x8b" else numpy.memmap(path, mode="r") if start else b""
    dtype, dimensions, header = parse_header(path, bytes(content[:4 + 4 * MAX_RANK]))
    expected = header + math.prod(dimensions) * numpy.dtype(dtype).itemsize
    if len(content) != expected:
        raise bad_data(f"{path}: has {len(content)} bytes, expected {expected} for its dimensions "
                       f"{'x'.join(map(str, dimensions))}")
    return numpy.frombuffer(content, dtype, offset=header).reshape(dimensions)


def run(asked):
    numpy = require("numpy", "numpy", "NumPy")
    paths = arguments.files_of(asked)
    outputs = [os.path.realpath(os.path.join(asked.folder, name)) for name in NAMES]
    for path in paths:
        if os.path.realpath(path) in outputs:
            raise Failure(USAGE, f"{path} would be replaced; choose another folder for the converted data set")
    arrays.write(numpy, asked.folder, [load(numpy, path) for path in paths], paths, asked.range)
