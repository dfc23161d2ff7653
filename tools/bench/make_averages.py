#!/usr/bin/env python3
"""Writes tests/goldens/averages: PyTorch's averages of a model's parameters.

    make_averages.py --output FILE

One line per average: its decay (0: equal weights), the parameters of each model, and the average after each model.
"""

import argparse
import json

import torch
from torch.optim import swa_utils

PARAMETERS, MODELS = 9, 6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    torch.manual_seed(0)
    models = torch.randn(MODELS, PARAMETERS)
    with open(options.output, "w") as file:
        for decay in (0, 0.5, 0.25, 0.9, 0.999):
            function = swa_utils.get_ema_multi_avg_fn(decay) if decay else swa_utils.get_swa_multi_avg_fn()
            model = torch.nn.Linear(PARAMETERS, 1, bias=False)
            average = swa_utils.AveragedModel(model, multi_avg_fn=function)
            averages = []
            for parameters in models:
                with torch.no_grad():
                    model.weight.copy_(parameters[None])
                average.update_parameters(model)
                averages.append([float(f"{a:.9g}") for a in average.module.weight[0].tolist()])
            line = {"decay": decay, "torch": torch.__version__.split("+")[0]}
            line |= {"models": [[float(f"{w:.9g}") for w in model] for model in models.tolist()]}
            file.write(json.dumps(line | {"averages": averages}) + "\n")


if __name__ == "__main__":
    main()
