#!/usr/bin/env python3
"""Writes tests/goldens/networks: the first losses of PyTorch for networks that are lists of layers.

    make_networks.py --data DIR --output DIR

One file per network: its text as in --network; seed, batch size, learning rate; the losses of the first hundred steps of
plain SGD on Fashion-MNIST in file order, in float64 and, with one and two threads, in float32; the running statistics
afterwards, likewise. All runs begin with the float32 parameters of the seed.
"""

import argparse
import json
import os
import re
import sys

sys.dont_write_bytecode = True
import torch  # noqa: E402
import torch_data  # noqa: E402
from torch import nn  # noqa: E402

STEPS = 100
NETWORKS = {
    "batchnorm": "linear(128),batchnorm,relu,linear(64),relu,batchnorm(eps=0.001,momentum=0.3),linear(10)",
    "batchnorm_image": "batchnorm,flatten,linear(64),batchnorm,relu,linear(10)",
    "pools": "batchnorm,maxpool(3,stride=2,padding=1),batchnorm,avgpool(2),linear(32),relu,linear(10)",
    "lenet": "conv(6,5,padding=2),relu,maxpool(2),conv(16,5),relu,maxpool(2),linear(120),relu,linear(84),relu,linear(10)",
    # GELU, because the derivative of ReLU jumps: all pixels of a flat background may pass 0 at the same time, after which
    # even PyTorch's runs with one and two threads differ by 1e-3.
    "conv_batchnorm": "conv(8,3,padding=1),batchnorm,gelu,conv(16,3,stride=2,padding=1),batchnorm,gelu,avgpool(2),linear(32),"
    "relu,linear(10)",
    "residual": "conv(8,3,stride=2,padding=1),batchnorm,gelu,residual(conv(8,3,padding=1),batchnorm,gelu,"
    "conv(8,3,padding=1),batchnorm),gelu,globalavgpool,linear(10)",
    "conv_kinds": "conv(6,5,stride=2,bias=false),relu,conv(12,3,padding=2,dilation=2,groups=3),gelu,conv(10,1),globalavgpool,"
    "linear(10)",
}
POOLS = {"maxpool": nn.MaxPool2d, "avgpool": nn.AvgPool2d}
ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def split(text):
    """The parts of a list between the commas outside of parentheses."""
    parts, depth = [""], 0
    for c in text:
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts if part.strip()]


def arguments_of(inside):
    """The positional and the keyword arguments of a layer. init is ignored: parameters get PyTorch's default values."""
    parts = split(inside)
    keywords = dict(part.split("=") for part in parts if "=" in part)
    keywords.pop("init", None)
    values = [json.loads(part) for part in parts if "=" not in part]
    return values, {key: json.loads(value) for key, value in keywords.items()}


def layer(name, inside, shape):
    """The module of one layer, which takes samples of this shape."""
    values, keywords = arguments_of(inside)
    if name == "linear":
        return nn.Linear(shape[0], *values, **keywords)
    if name == "conv":
        return nn.Conv2d(shape[0], *values, **keywords)
    if name == "batchnorm":
        return (nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d)(shape[0], *values, **keywords)
    if name in POOLS:
        return POOLS[name](*values, **keywords)
    if name == "globalavgpool":
        return nn.AdaptiveAvgPool2d(1)
    return nn.Flatten() if name == "flatten" else ACTIVATIONS[name]()


def append_layers(model, text, example):
    """Appends the layers of a list; returns their output for `example`."""
    for part in split(text):
        name, inside = re.fullmatch(r"(\w+)(?:\((.*)\))?", part).groups()
        if name == "linear" and example.ndim > 2:
            model.append(nn.Flatten())
            example = example.flatten(1)
        if name == "residual":
            model.append(Residual())
            append_layers(model[-1], inside, example)
        else:
            model.append(layer(name, inside or "", tuple(example.shape[1:])))
        example = model[-1].eval()(example)
        model[-1].train()
    return example


def build(text, shape, seed):
    """The network, in which images are flattened before the first linear layer."""
    torch.manual_seed(seed)
    model = nn.Sequential()
    flattens = text.startswith("linear")
    example = torch.zeros(2, *shape)
    append_layers(model, text, example.flatten(1) if flattens else example)
    return model, flattens


def statistics(model):
    return {name: values.double().tolist() for name, values in model.named_buffers() if "running" in name}


def train(text, images, labels, options, dtype, threads):
    torch.set_num_threads(threads)
    model, flattens = build(text, images.shape[1:], options["seed"])
    model = model.to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=options["lr"])
    losses = []
    for step in range(STEPS):
        batch = slice(step * options["batch_size"], (step + 1) * options["batch_size"])
        x = images[batch].to(dtype)
        loss = nn.functional.cross_entropy(model(x.flatten(1) if flattens else x), labels[batch])
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"losses": losses, "statistics": statistics(model)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    images, labels = torch_data.read_part(arguments.data, "train")
    images, labels = torch_data.to_float(images), labels.to(torch.int64)
    for name, text in NETWORKS.items():
        options = {"text": text, "seed": 0, "batch_size": 64, "lr": 0.05}
        golden = {"torch": torch.__version__.split("+")[0]} | options
        golden["float64"] = train(text, images, labels, options, torch.float64, 1)
        golden["float32"] = [train(text, images, labels, options, torch.float32, threads) for threads in (1, 2)]
        with open(os.path.join(arguments.output, f"{name}.json"), "w", encoding="ascii") as file:
            json.dump(golden, file)
            file.write("\n")


if __name__ == "__main__":
    main()
