"""Shared by torch_peer.py and jax_peer.py: command line, IDX files, times and JSON lines.

A trainer has two methods that return when the device has finished:
  train_epoch()  returns [images seen, loss] of every hundredth batch
  evaluate()     returns the number of correct test images, and the mean of the test batches' mean losses
"""

import argparse
import gzip
import json
import math
import os
import pathlib
import time

IMAGES, LABELS = 3, 1  # number of dimensions of an IDX file, as in its name and magic number


def cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def parser(description, variants):
    """The command-line options of both peers; the first variant is the default."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--data", required=True, help="folder with the four IDX files")
    options.add_argument("--variant", choices=variants, default=variants[0])
    options.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options.add_argument("--network", default="784-512-512-10")
    options.add_argument("--batch-size", type=int, default=64)
    options.add_argument("--lr", type=float, default=1e-3)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--epochs", type=int, default=2)
    options.add_argument("--threads", type=int, default=cores())
    return options


def parse(options):
    options = options.parse_args()
    options.dims = [int(width) for width in options.network.split("-")]
    return options


def read_idx(folder, name, rank, as_array):
    """Reads the array in folder/name or folder/name.gz, which must have `rank` dimensions.

    as_array(content, offset) creates a one-dimensional uint8 array from the bytes after `offset`.
    """
    path = pathlib.Path(folder) / name
    packed = path.with_name(name + ".gz")
    if not path.exists() and not packed.exists():
        raise FileNotFoundError(f"neither {path} nor {packed.name} exists")
    content = bytearray(path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes()))
    if content[:4] != bytes([0, 0, 8, rank]):
        raise ValueError(f"{path} is not an IDX file of bytes with {rank} dimensions")
    shape = [int.from_bytes(content[4 * i : 4 * i + 4], "big") for i in range(1, rank + 1)]
    return as_array(content, 4 * (rank + 1)).reshape(shape)


def read_part(folder, part, as_array):
    """The images and the labels of 'train' or 't10k'."""
    images = read_idx(folder, f"{part}-images-idx3-ubyte", IMAGES, as_array)
    return images, read_idx(folder, f"{part}-labels-idx1-ubyte", LABELS, as_array)


def check(options, train, test):
    """Raises ValueError if the data set does not match the network."""
    for images, labels in (train, test):
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images but {len(labels)} labels")
    pixels, classes = math.prod(train[0].shape[1:]), int(train[1].max()) + 1
    if len(options.dims) < 2 or options.dims[0] != pixels or options.dims[-1] < classes:
        raise ValueError(
            f"--network {options.network}: the data needs {pixels} inputs and at least {classes} outputs"
        )


def emit(record):
    print(json.dumps(record), flush=True)


def timed(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def run(options, make_trainer, facts, train, test):
    """Trains and evaluates; prints a line that describes the run, then a line per epoch."""
    check(options, train, test)
    setup_s, trainer = timed(make_trainer)
    job = ("variant", "device", "network", "batch_size", "lr", "seed")
    emit(
        facts
        | {name: getattr(options, name) for name in job}
        | {"train_images": len(train[0]), "test_images": len(test[0]), "setup_s": round(setup_s, 4)}
    )
    for epoch in range(1, options.epochs + 1):
        train_s, losses = timed(trainer.train_epoch)
        test_s, (correct, avg_loss) = timed(trainer.evaluate)
        emit(
            {
                "epoch": epoch,
                "train_s": round(train_s, 6),
                "test_s": round(test_s, 6),
                "losses": losses,
                "correct": correct,
                "accuracy": correct / len(test[0]),
                "avg_loss": avg_loss,
            }
        )
