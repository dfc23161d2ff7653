#!/usr/bin/env python3
"""Writes tests/goldens/optimizers: parameters after steps of PyTorch's optimizers.

    make_optimizers.py --output FILE
    make_optimizers.py --muon --output FILE
    make_optimizers.py --groups --output FILE

One line per optimizer: its flags of `warpfit train`, the initial parameters, the gradients of each step, and the
parameters after the last step. Computed in double precision; for Muon, whose iterations use bf16, in float. With
--groups the parameters are the weight and the bias of a linear layer, with learning rates of their own.
"""

import argparse
import json

import torch

PARAMETERS, STEPS = 12, 12
OPTIMIZERS = [
    ("sgd", torch.optim.SGD, {}),
    ("adam", torch.optim.Adam, {}),
    ("adamw", torch.optim.AdamW, {}),
    ("rmsprop", torch.optim.RMSprop, {}),
    ("adagrad", torch.optim.Adagrad, {}),
    ("adadelta", torch.optim.Adadelta, {}),
    ("adadelta", torch.optim.Adadelta, {"lr": 0.5, "rho": 0.5, "eps": 0.01, "weight_decay": 0.1}),
    ("adamax", torch.optim.Adamax, {}),
    ("adamax", torch.optim.Adamax, {"lr": 0.01, "betas": (0.5, 0.6), "eps": 0.01, "weight_decay": 0.1}),
    ("nadam", torch.optim.NAdam, {}),
    ("nadam", torch.optim.NAdam, {"lr": 0.01, "betas": (0.5, 0.6), "momentum_decay": 0.5, "weight_decay": 0.1}),
    ("nadam", torch.optim.NAdam, {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("radam", torch.optim.RAdam, {}),
    ("radam", torch.optim.RAdam, {"lr": 0.01, "betas": (0.5, 0.6), "weight_decay": 0.1}),
    ("radam", torch.optim.RAdam, {"lr": 0.01, "eps": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("rprop", torch.optim.Rprop, {}),
    ("rprop", torch.optim.Rprop, {"lr": 0.02, "etas": (0.25, 2.0), "step_sizes": (0.015, 0.05)}),
    ("asgd", torch.optim.ASGD, {}),
    ("asgd", torch.optim.ASGD, {"lr": 0.1, "lambd": 0.5, "alpha": 0.5, "t0": 5, "weight_decay": 0.1}),
]

WEIGHTS = 8  # of the parameters, for --groups; the others are biases
GROUPS = [  # with the factors of the weights' and of the biases' learning rate
    ("sgd", torch.optim.SGD, {"lr": 0.001, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True}, (1, 64)),
    ("adamw", torch.optim.AdamW, {"lr": 0.004, "weight_decay": 0.1}, (0.25, 8)),
    ("nadam", torch.optim.NAdam, {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}, (1, 0.5)),
    ("rprop", torch.optim.Rprop, {"lr": 0.02}, (2, 0.5)),
    ("asgd", torch.optim.ASGD, {"lr": 0.1, "lambd": 0.5, "alpha": 0.5, "t0": 5}, (0.125, 1)),
]

MUON_STEPS = 3
MUON = [
    ((6, 10), {}),
    ((10, 6), {}),
    ((8, 8), {"momentum": 0.5, "weight_decay": 0, "ns_steps": 3}),
    ((12, 4), {"adjust_lr": "match-rms-adamw"}),
    ((4, 12), {"adjust_lr": "match-rms-adamw"}),
]


def flags(name, options):
    words = ["--optimizer", name]
    for option, value in options.items():
        words.append("--" + option.replace("_", "-"))
        if value is not True:
            words.append(",".join(map(str, value)) if isinstance(value, tuple) else str(value))
    return words


def after(optimizer, options, parameters, gradients):
    """The parameters after all steps."""
    w = parameters.double().requires_grad_()
    steps = optimizer([w], foreach=False, **options)
    for gradient in gradients:
        w.grad = gradient.double()
        steps.step()
    return w.tolist()


def groups_line(name, optimizer, options, factors, parameters, gradients):
    """Parameters after all steps, with a parameter group for the weights and one for the biases."""
    parts = [part.double().requires_grad_() for part in parameters.split([WEIGHTS, len(parameters) - WEIGHTS])]
    groups = [{"params": [part], "lr": options["lr"] * factor} for part, factor in zip(parts, factors)]
    steps = optimizer(groups, foreach=False, **options)
    for gradient in gradients:
        for part, its_gradient in zip(parts, gradient.double().split([len(part) for part in parts])):
            part.grad = its_gradient
        steps.step()
    line = {"flags": [*flags(name, options), "--lr-factor", "0.weight={},*.bias={}".format(*factors)]}
    line |= {"torch": torch.__version__.split("+")[0], "parameters": rounded(parameters.tolist())}
    line |= {"gradients": [rounded(step) for step in gradients.tolist()]}
    return line | {"after": sum((part.tolist() for part in parts), [])}


def rounded(values):
    return [float(f"{value:.9g}") for value in values]


def bf16(values):
    return values.bfloat16().float()


def muon_steps(w, gradients, options, noise):
    """Steps of Muon in float with bf16 values. Products are perturbed as if they were summed in another order."""

    def product(x, y):
        return x @ y + noise * torch.randn(x.shape[0], y.shape[1]) * (x.abs() @ y.abs())

    momentum, w = torch.zeros_like(w), w.clone()
    mu, rows, cols = options.get("momentum", 0.95), *w.shape
    rate = options["lr"] * (0.2 * max(rows, cols) ** 0.5 if "adjust_lr_fn" in options else max(1, rows / cols) ** 0.5)
    for gradient in gradients:
        momentum = momentum.lerp(gradient, 1 - mu)
        u = bf16(gradient.lerp(momentum, mu))
        u = u.T if rows > cols else u
        u = bf16(u / bf16(u.norm()))
        for _ in range(options.get("ns_steps", 5)):
            gram = bf16(product(u, u.T))
            update = bf16(-4.7750 * gram + 2.0315 * product(gram, gram))
            u = bf16(3.4445 * u + product(update, u))
        w = w * (1 - options["lr"] * options.get("weight_decay", 0.1)) - rate * (u.T if rows > cols else u)
    return w


def muon_line(shape, given):
    """Uses the first seed whose result does not depend on the rounding of sums, so that every device can match it."""
    options = {"lr": 0.02} | given
    line = {"flags": flags("muon", options), "torch": torch.__version__.split("+")[0], "shape": shape}
    if "adjust_lr" in options:
        options["adjust_lr_fn"] = options.pop("adjust_lr").replace("-", "_")
    for seed in range(100_000):
        torch.manual_seed(seed)
        begin = torch.randn(shape)
        gradients = torch.randn(MUON_STEPS, *shape)
        w = torch.nn.Parameter(begin.clone())
        muon = torch.optim.Muon([w], **options)
        for gradient in gradients:
            w.grad = gradient.clone()
            muon.step()
        again = [muon_steps(begin, gradients, options, noise) for noise in [0] + [1e-6] * 40]
        if all((other - w).abs().max() < 1e-6 for other in again):
            break
    else:
        raise SystemExit(f"{shape}: no seed")
    line |= {"seed": seed, "parameters": rounded(begin.flatten().tolist())}
    line |= {"gradients": [rounded(gradient.flatten().tolist()) for gradient in gradients]}
    return line | {"after": rounded(w.flatten().tolist())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--muon", action="store_true", help="steps of torch.optim.Muon")
    parser.add_argument("--groups", action="store_true", help="parameter groups with learning rates of their own")
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.muon:
        with open(options.output, "w") as file:
            file.writelines(json.dumps(muon_line(shape, given)) + "\n" for shape, given in MUON)
        return
    if options.groups:
        parameters, gradients = torch.randn(PARAMETERS), torch.randn(STEPS, PARAMETERS)
        with open(options.output, "w") as file:
            file.writelines(json.dumps(groups_line(*each, parameters, gradients)) + "\n" for each in GROUPS)
        return
    parameters = torch.randn(PARAMETERS)
    gradients = torch.randn(STEPS, PARAMETERS)
    gradients[:, 1] = gradients[:, 1].abs()  # never negative
    gradients[:, 2] *= 100
    gradients[4, 3] = 0
    with open(options.output, "w") as file:
        for name, optimizer, given in OPTIMIZERS:
            line = {"flags": flags(name, given), "torch": torch.__version__.split("+")[0]}
            line |= {"parameters": [float(f"{w:.9g}") for w in parameters.tolist()]}
            line |= {"gradients": [[float(f"{g:.9g}") for g in step] for step in gradients.tolist()]}
            line |= {"after": after(optimizer, given, parameters, gradients)}
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
