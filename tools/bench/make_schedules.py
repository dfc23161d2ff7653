#!/usr/bin/env python3
"""Writes tests/goldens/schedules: the learning rate of every step under PyTorch's schedulers.

    make_schedules.py --output FILE

One line per run: the scheduler's class and parameters, the optimizer's learning rate, the epochs, the batches of linear
warm-up, and the learning rate of each step. OneCycleLR and LinearLR, whose total_iters are all batches of the run,
are stepped after each batch, the others after each epoch of 7 batches.
"""

import argparse
import json

import torch
from torch.optim import lr_scheduler

STEPS_PER_EPOCH = 7
# class, parameters, learning rate, epochs, batches of warm-up; without a class: constant
RUNS = [
    ("StepLR", {"step_size": 1, "gamma": 0.1}, 0.1, 6, 0),
    ("StepLR", {"step_size": 3, "gamma": 0.5}, 0.3, 12, 0),
    ("MultiStepLR", {"milestones": [1, 4, 5], "gamma": 0.1}, 0.7, 8, 0),
    ("ExponentialLR", {"gamma": 0.9}, 0.1, 12, 0),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.0}, 0.05, 6, 0),
    ("CosineAnnealingLR", {"T_max": 3, "eta_min": 0.01}, 0.05, 12, 0),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 1, "eta_min": 0.0}, 0.2, 10, 0),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3, "eta_min": 0.001}, 0.2, 14, 0),
    ("OneCycleLR", {"max_lr": 0.5, "pct_start": 0.3}, 0.1, 4, 0),
    ("OneCycleLR", {"max_lr": 0.5, "pct_start": 0.0}, 0.1, 3, 0),
    ("OneCycleLR", {"max_lr": 0.5, "pct_start": 0.9}, 0.1, 3, 0),
    ("LinearLR", {"end_factor": 0.0}, 0.1, 4, 0),
    ("LinearLR", {"end_factor": 0.25}, 0.4, 3, 0),
    ("LinearLR", {"end_factor": 0.07}, 11.5, 3, 9),
    ("", {}, 0.1, 2, 10),
    ("StepLR", {"step_size": 1, "gamma": 0.1}, 0.1, 3, 10),
    ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.0}, 0.1, 4, 16),
]


def make_scheduler(optimizer, name, parameters, epochs):
    if name == "OneCycleLR":
        steps = epochs * STEPS_PER_EPOCH
        return lr_scheduler.OneCycleLR(optimizer, **parameters, total_steps=steps, cycle_momentum=False)
    if name == "LinearLR":
        return lr_scheduler.LinearLR(optimizer, start_factor=1, **parameters, total_iters=epochs * STEPS_PER_EPOCH)
    return getattr(lr_scheduler, name)(optimizer, **parameters)


def rates(name, parameters, rate, epochs, warmup):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    each_step, each_epoch = [], []
    if warmup:
        each_step.append(lr_scheduler.LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1))
    if name:
        (each_step if name in ("OneCycleLR", "LinearLR") else each_epoch).append(
            make_scheduler(optimizer, name, parameters, epochs)
        )
    for _ in range(epochs):
        for _ in range(STEPS_PER_EPOCH):
            yield optimizer.param_groups[0]["lr"]
            optimizer.step()
            for scheduler in each_step:
                scheduler.step()
        for scheduler in each_epoch:
            scheduler.step()


def main():
    parser = argparse.ArgumentParser(description="PyTorch's learning rates; see the head of this file.")
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    keys = ("scheduler", "parameters", "lr", "epochs", "warmup")
    lines = [json.dumps({**dict(zip(keys, run)), "rates": list(rates(*run))}) for run in RUNS]
    head = json.dumps({"torch": torch.__version__.split("+")[0], "steps_per_epoch": STEPS_PER_EPOCH})
    with open(options.output, "w", encoding="ascii") as file:
        file.write(head[:-1] + ', "runs": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
