#!/usr/bin/env python3
"""Writes one of tests/goldens: PyTorch's trace of a run of plain SGD with cross-entropy, batches in file order.

    make_golden.py --data DIR --output FILE [--network 784-512-512-10] [--batch-size 64] [--lr 1e-3] [--seed 0]
                   [--epochs 1] [--every 100]

The file contains the options of the run; the shape, first four values, last value and SHA-256 of the little-endian
float32 bytes of each initial parameter; and for each epoch [images seen, loss] of every `--every`th batch, the number
of correct test images, and the mean of the test batches' mean losses.
"""

import argparse
import hashlib
import json
import sys

sys.dont_write_bytecode = True
import torch  # noqa: E402
import torch_data  # noqa: E402
import torch_peer  # noqa: E402


def parse():
    parser = argparse.ArgumentParser(description="PyTorch's trace of a run; see the head of this file.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--network", default="784-512-512-10")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--every", type=int, default=100)
    options = parser.parse_args()
    options.dims = [int(width) for width in options.network.split("-")]
    options.variant, options.device = "tensors", "cpu"
    options.optimizer, options.implementation = "sgd", "default"
    return options


def describe(name, tensor):
    values = tensor.detach().flatten()
    return {
        "name": name,
        "shape": list(tensor.shape),
        "first": values[:4].tolist(),
        "last": values[-1].item(),
        "sha256": hashlib.sha256(values.numpy().astype("<f4").tobytes()).hexdigest(),
    }


def config(options):
    return {
        "dims": options.network,
        "seed": options.seed,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "loss": "cross-entropy",
        "optimizer": "sgd",
        "lr": options.lr,
        "momentum": 0.0,
        "nesterov": False,
        "weight_decay": 0.0,
        "shuffle": False,
        "schedule": "constant",
        "clip_grad_norm": 0.0,
        "every": options.every,
    }


def trace(trainer, options):
    for number in range(1, options.epochs + 1):
        losses = trainer.train_epoch()
        correct, average = trainer.evaluate()
        yield {"epoch": number, "lr": options.lr, "train": losses, "test_correct": correct, "test_avg_loss": average}


def main():
    options = parse()
    torch_peer.EVERY = options.every
    model = torch_peer.build_model(options.dims, options.seed)
    initial = [describe(name, parameter) for name, parameter in model.named_parameters()]
    parts = [torch_data.read_part(options.data, part) for part in ("train", "t10k")]
    batches = [torch_data.slices(part, options) for part in parts]
    trainer = torch_peer.EagerTrainer(model, *batches, options)
    golden = {
        "torch": torch.__version__.split("+")[0],
        "config": config(options),
        "initial": initial,
        "epochs": list(trace(trainer, options)),
    }
    with open(options.output, "w", encoding="ascii") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
