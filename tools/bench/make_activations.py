#!/usr/bin/env python3
"""Writes tests/goldens/activations: the values and gradients of PyTorch's activations.

    make_activations.py --output FILE

One line per activation: its name in --network, the inputs x, the outputs y, the output gradients dy, and the input
gradients dx. All values are fp32 and written so that reading them gives the same numbers.
"""

import argparse
import json

import torch
from torch import nn

ACTIVATIONS = {
    "relu": nn.ReLU(),
    "leakyrelu": nn.LeakyReLU(),
    "leakyrelu(0.3)": nn.LeakyReLU(0.3),
    "elu": nn.ELU(),
    "elu(0.5)": nn.ELU(0.5),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
}


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.tolist()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    torch.manual_seed(0)
    edges = torch.tensor([0.0, -1e-8, 1e-8, -1e-3, 1e-3, -20.0, 20.0, -90.0, 90.0, -1e4, 1e4])
    inputs = torch.cat([edges, torch.linspace(-6, 6, 25), 3 * torch.randn(30)])
    dy = torch.randn(len(inputs))
    with open(options.output, "w") as file:
        for text, module in ACTIVATIONS.items():
            x = inputs.clone().requires_grad_()
            y = module(x)
            y.backward(dy)
            line = {"text": text, "torch": torch.__version__.split("+")[0]}
            line |= {"x": numbers(x), "dy": numbers(dy), "y": numbers(y), "dx": numbers(x.grad)}
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
