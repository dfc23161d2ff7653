#!/usr/bin/env python3
"""Writes tests/goldens/losses: losses of PyTorch, and their gradients.

    make_losses.py --output FILE

One line per loss: its name in --loss and its parameters (weights: class weights), the outputs (N, C) in row-major
order, the labels (N), the loss, and the gradient with respect to the outputs.
"""

import argparse
import json

import torch
from torch import nn

ROWS, CLASSES = 9, 5
LOSSES = [
    ({"loss": "mse"}, nn.MSELoss()),
    ({"loss": "l1"}, nn.L1Loss()),
    ({"loss": "smooth-l1"}, nn.SmoothL1Loss()),
    ({"loss": "smooth-l1", "beta": 0.25}, nn.SmoothL1Loss(beta=0.25)),
    ({"loss": "smooth-l1", "beta": 0.0}, nn.SmoothL1Loss(beta=0.0)),
    ({"loss": "huber"}, nn.HuberLoss()),
    ({"loss": "huber", "delta": 0.5}, nn.HuberLoss(delta=0.5)),
    ({"loss": "bce-with-logits"}, nn.BCEWithLogitsLoss()),
    ({"loss": "multi-margin"}, nn.MultiMarginLoss()),
    ({"loss": "multi-margin", "margin": 0.25}, nn.MultiMarginLoss(margin=0.25)),
]
WEIGHTS = [0.5, 2.0, 0.0, 1.0, 3.5]
WEIGHTED = [
    ({"loss": "cross-entropy", "weights": WEIGHTS}, nn.CrossEntropyLoss(torch.tensor(WEIGHTS))),
    ({"loss": "cross-entropy", "weights": WEIGHTS, "smoothing": 0.25},
     nn.CrossEntropyLoss(torch.tensor(WEIGHTS), label_smoothing=0.25)),
    ({"loss": "nll", "weights": WEIGHTS},
     lambda y, t: nn.NLLLoss(torch.tensor(WEIGHTS))(nn.functional.log_softmax(y, 1), t)),
]


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    torch.manual_seed(0)
    outputs = 2 * torch.randn(ROWS, CLASSES)
    labels = torch.randint(CLASSES, (ROWS,))
    outputs[0] = torch.tensor([100.0, -100.0, 0.0, 1.0, 20.0])
    outputs[1, labels[1]] = 1  # exactly the target
    target = nn.functional.one_hot(labels, CLASSES).float()
    with open(options.output, "w") as file:
        for line, module in LOSSES + WEIGHTED:
            y = outputs.clone().requires_grad_()
            by_class = line["loss"] in ("cross-entropy", "nll", "multi-margin")
            loss = module(y, labels if by_class else target)
            loss.backward()
            line |= {"torch": torch.__version__.split("+")[0], "outputs": numbers(outputs)}
            line |= {"labels": labels.tolist(), "value": loss.item(), "gradient": numbers(y.grad)}
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
