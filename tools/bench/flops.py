"""The number of floating-point operations of an epoch of a fully connected network. Used by `compare`.

A multiply-add counts as 2. A layer of k inputs and m outputs needs 2*k*m per image in the forward pass, the same for
the weight gradient, and the same for the input gradient, except in the first layer. Biases, activations, loss and update
are not counted, because a trainer can fuse them. A short last batch counts only its own images.
"""

import gzip
import pathlib


def parse_network(text):
    """'784-512-10' -> [784, 512, 10]"""
    widths = [int(width) for width in text.split("-")]
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"--network {text}: expected two or more positive widths, as in 784-512-512-10")
    return widths


def forward(widths):
    """FLOP of the forward pass for one image."""
    return 2 * sum(k * m for k, m in zip(widths, widths[1:]))


def train_step(widths):
    """FLOP of a training step per image."""
    first_layer = 2 * widths[0] * widths[1]
    return 3 * forward(widths) - first_layer


def image_count(folder, part):
    """The number of images in the header of the IDX file of `part` ('train' or 't10k'), compressed or not."""
    path = pathlib.Path(folder) / f"{part}-images-idx3-ubyte"
    packed = path.with_name(path.name + ".gz")
    if not path.exists() and not packed.exists():
        raise ValueError(f"neither {path} nor {packed.name} exists")
    with path.open("rb") if path.exists() else gzip.open(packed) as file:
        head = file.read(8)
    if len(head) < 8 or head[:4] != bytes([0, 0, 8, 3]):
        raise ValueError(f"{path} is not an IDX file of images")
    return int.from_bytes(head[4:], "big")


class EpochWork:
    """The FLOP of one epoch: training, evaluation, and their sum."""

    def __init__(self, network, folder):
        widths = parse_network(network)
        self.train_images = image_count(folder, "train")
        self.test_images = image_count(folder, "t10k")
        self.train = train_step(widths) * self.train_images
        self.test = forward(widths) * self.test_images
        self.total = self.train + self.test
