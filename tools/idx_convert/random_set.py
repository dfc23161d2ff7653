"""make_idx random: a data set of any size that can be learned.

Each class has a prototype, drawn once; a sample is its class's prototype plus noise of the same strength. The same
options give the same bytes on every computer. Files are written as they are made, in constant memory.
"""

import math
import random

from . import arguments
from .messages import USAGE, Failure
from .output import SETS, DataSet

BLOCK = 1 << 20  # bytes made at once, or one sample
MAX_SAMPLE = (1 << 28) - 1  # bytes: getrandbits() draws fewer than 2^31 bits at once


class Noise:
    """Draws of bytes from 0 to 127, as one long number: two of these add up byte by byte, without a carry."""

    def __init__(self, seed, max_size):
        self.random = random.Random(seed)
        self.mask = int.from_bytes(b"\x7f" * max_size, "little")

    def draw(self, size):
        return self.random.getrandbits(8 * size) & self.mask

    def labels(self, count, classes):
        return bytes(self.random.getrandbits(16) * classes >> 16 for _ in range(count))


def write_set(data_set, name, count, shape, prototypes, seed):
    """The samples and the labels of one set."""
    size = math.prod(shape)
    at_once = max(1, BLOCK // size)
    noise = Noise(f"{seed} {name}", at_once * size)
    images = data_set.images(name, count, shape)
    labels = data_set.label_file(name, count)
    for first in range(0, count, at_once):
        rows = min(at_once, count - first)
        classes = noise.labels(rows, len(prototypes))
        clean = int.from_bytes(b"".join(prototypes[each] for each in classes), "little")
        images.write((clean + noise.draw(rows * size)).to_bytes(rows * size, "little"))
        labels.write(classes)


def add_arguments(parser):
    arguments.add_folder(parser)
    parser.add_argument("--train", type=arguments.dimension, default=60000, metavar="N",
                        help="number of training samples (default 60000)")
    parser.add_argument("--test", type=arguments.dimension, default=10000, metavar="N",
                        help="number of test samples (default 10000)")
    parser.add_argument("--shape", type=arguments.shape, default=[28, 28], metavar="AxBxC",
                        help="shape of a sample, 1 to 3 dimensions (default 28x28)")
    parser.add_argument("--classes", type=arguments.class_count, default=10, metavar="C",
                        help="number of classes, 2 to 256 (default 10)")
    arguments.add_seed(parser, "seed of all random numbers")


def run(asked):
    size = math.prod(asked.shape)
    if size > MAX_SAMPLE:
        raise Failure(USAGE, f"--shape {'x'.join(map(str, asked.shape))}: a sample of {size} bytes, expected at most "
                             f"{MAX_SAMPLE} in a random data set")
    noise = Noise(f"{asked.seed} prototypes", size)
    prototypes = [noise.draw(size).to_bytes(size, "little") for _ in range(asked.classes)]
    with DataSet(asked.folder) as data_set:
        for name, count in zip(SETS, (asked.train, asked.test)):
            write_set(data_set, name, count, asked.shape, prototypes, asked.seed)
