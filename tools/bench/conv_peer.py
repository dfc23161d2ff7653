"""Measures training steps of networks with PyTorch, for `conv_steps`.

    conv_peer.py --device cpu|cuda

Prints a line of JSON with PyTorch's version and the name of the device. Then answers each line of JSON on standard
input, {"network": TEXT, "batch_size": N, "layout": "contiguous" or "channels_last", "precision": "fp32" or "tf32",
"threads": N or null, "compile": true or false}, with {"step_s": the median time of a step in seconds} or {"error": TEXT}.

A step is the forward pass, cross-entropy, the backward pass and plain SGD on one batch of images of 28x28 that is on the
device as float32. On a GPU, cuDNN measures its algorithms (cudnn.benchmark) before the timing begins, and the GPU is
synchronized at both ends of a measurement.
"""

import argparse
import json
import statistics
import sys
import time

import torch
from torch.nn import functional

sys.dont_write_bytecode = True
import make_networks  # noqa: E402

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
SECONDS = 0.1  # of a measurement on a GPU


def set_precision(precision):
    """Whether cuDNN and cuBLAS may round the operands of convolutions and matrix products to TF32."""
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"


def training_step(device, request):
    """A function that runs one step of training."""
    layout = LAYOUTS[request["layout"]]
    model, flattens = make_networks.build(request["network"], (1, 28, 28), 0)
    if flattens:
        raise ValueError("the network begins with a linear layer, expected one that reads images")
    model = model.to(device, memory_format=layout)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x = torch.rand(request["batch_size"], 1, 28, 28).to(device, memory_format=layout)
    y = torch.randint(0, 10, (request["batch_size"],)).to(device)

    def loss_of(x, y):
        return functional.cross_entropy(model(x), y)

    if request["compile"]:
        # The default mode, in which convolutions are cuDNN's, chosen by cudnn.benchmark. "max-autotune-no-cudagraphs" also
        # compiles and measures many Triton kernels for each convolution, which can take minutes.
        torch.compiler.reset()  # otherwise it stops compiling after some networks
        loss_of = torch.compile(loss_of, dynamic=False)

    def step():
        loss = loss_of(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def seconds_of_step(step, device, steps):
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps


def measure(device, request):
    """The median time of a step in seconds."""
    steps, repeats = 20, 7
    if device == "cuda":
        set_precision(request["precision"])
        torch.backends.cudnn.benchmark = True
    if request["threads"]:
        torch.set_num_threads(request["threads"])
    step = training_step(device, request)
    if device == "cuda" or request["compile"]:
        seconds_of_step(step, device, 5)  # choice of cuDNN's algorithms, compilation
        steps, repeats = min(300, max(5, int(SECONDS / seconds_of_step(step, device, 5)))), 3
    else:
        seconds_of_step(step, device, steps)
    return statistics.median(seconds_of_step(step, device, steps) for _ in range(repeats))


def answer(device, request):
    try:
        return {"step_s": measure(device, request)}
    except Exception as error:  # whatever PyTorch or a compiler reports is the result of this request
        return {"error": f"{type(error).__name__}: {error}"}


def hello(device):
    name = "cpu"
    if device == "cuda":
        if not torch.cuda.is_available():
            return {"error": f"PyTorch {torch.__version__} finds no GPU"}
        name = torch.cuda.get_device_name()
        torch.ones(1, device=device).add_(1).item()  # creates the context
    return {"torch": torch.__version__, "device_name": name}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), required=True)
    device = parser.parse_args().device
    first = hello(device)
    print(json.dumps(first), flush=True)
    if "error" in first:
        return 1
    for line in sys.stdin:
        print(json.dumps(answer(device, json.loads(line))), flush=True)
        if device == "cuda":
            torch.cuda.empty_cache()  # leaves the memory to the next contender
    return 0


if __name__ == "__main__":
    sys.exit(main())
