#!/usr/bin/env python3
"""Exchanges models with PyTorch, ONNX Runtime and NumPy, and compares their results.

    tools/exchange_test.py [--data DIR] [--warpfit build/release/warpfit] [--samples 1000]

DIR has Fashion-MNIST's test files; the default is the folder of tools/fetch_data. Trains the tutorial's NeuralNetwork
for a few steps in PyTorch, evaluates it, predicts with it and exports it with warpfit, loads the exported files, and
continues training with both from the same files. Then warpfit trains networks with other layers, such as convolutions,
and PyTorch, ONNX Runtime and NumPy load them. Probabilities, logits and losses must be within 1e-5 of PyTorch's;
predictions and parameters must be equal. Prints one row per comparison. Exit status: 0 all agree; 1 a comparison
failed; 2 something is missing.

Needs torch, safetensors, onnx and onnxruntime: pip install torch safetensors onnx onnxruntime
"""

import argparse
import gzip
import json
import pathlib
import struct
import subprocess
import sys
import tempfile


def parse():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=root / "data/fashion-mnist")
    parser.add_argument("--warpfit", type=pathlib.Path, default=root / "build/release/warpfit")
    parser.add_argument("--samples", type=int, default=1000)
    return parser.parse_args()


OPTIONS = parse()  # before the imports, so that --help needs no packages
try:
    import numpy as np
    import onnx
    import onnxruntime
    import torch
    from safetensors.torch import load_file, save_file
    from torch import nn
except ImportError as error:
    print(f"{error}; pip install torch safetensors onnx onnxruntime", file=sys.stderr)
    sys.exit(2)

TOLERANCE = 1e-5
CLASSES = 10


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class NeuralNetwork(nn.Module):
    """The network of the tutorial."""

    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear_relu_stack = nn.Sequential(
            nn.Linear(28 * 28, 512),
            nn.ReLU(),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Linear(512, CLASSES),
        )

    def forward(self, x):
        return self.linear_relu_stack(self.flatten(x))


def read_idx(folder, name):
    """Reads the elements of an IDX file, compressed with gzip or not, as an array."""
    for path, opener in ((folder / name, open), (folder / (name + ".gz"), gzip.open)):
        if path.exists():
            with opener(path, "rb") as file:
                data = file.read()
            shape = struct.unpack_from(f">{data[3]}I", data, 4)
            return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)
    print(f"{folder}: no {name} or {name}.gz in it; tools/fetch_data gets it", file=sys.stderr)
    sys.exit(2)


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(head + array.tobytes())


class Exchange:
    def __init__(self, warpfit, folder, images, labels):
        self.warpfit, self.folder = warpfit, folder
        folder.mkdir(exist_ok=True)
        self.images, self.labels = folder / "images", folder / "labels"
        write_idx(self.images, images)
        write_idx(self.labels, labels)
        self.x = torch.from_numpy(images.astype(np.float32) / np.float32(255))
        self.y = torch.from_numpy(labels.astype(np.int64))
        self.samples = [part for kind in ("train", "test")
                        for part in (f"--{kind}-images", self.images, f"--{kind}-labels", self.labels)]
        self.rows = []

    def run(self, *arguments):
        command = [str(self.warpfit), *map(str, arguments), "--quiet"]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def predict(self, model, scores, *more):
        """warpfit's predictions: the scores of each sample in class order, and the best class."""
        out = self.run("predict", model, self.images, "--format", "jsonl", "--top-k", CLASSES, "--scores", scores,
                       *more)
        table, best = np.full((len(self.y), CLASSES), np.nan), []
        for line in out.splitlines():
            row = json.loads(line)
            table[row["index"], row["classes"]] = row[scores]
            best.append(row["classes"][0])
        return table, np.array(best)

    def note(self, what, difference, bound=TOLERANCE):
        self.rows.append((what, float(difference), bound, bool(difference <= bound)))  # False for NaN

    def compare(self, what, ours, theirs):
        theirs = np.asarray(theirs, dtype=np.float64)
        if np.shape(ours) != theirs.shape or theirs.size == 0:
            self.note(f"{what}: shapes {np.shape(ours)} and {theirs.shape}", float("inf"))
        else:
            self.note(what, np.max(np.abs(np.asarray(ours, dtype=np.float64) - theirs)))


def train(model, x, y, rate):
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for first in range(0, len(x), 64):
        loss = nn.functional.cross_entropy(model(x[first : first + 64]), y[first : first + 64])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def logits_of(model, x):
    with torch.no_grad():
        return model(x)


def from_pytorch(exchange, model):
    path = exchange.folder / "pytorch.safetensors"
    save_file(model.state_dict(), path)
    logits = logits_of(model, exchange.x)
    best = logits.argmax(1)
    probabilities, classes = exchange.predict(path, "probabilities")
    exchange.compare("predict, PyTorch's file: probabilities", probabilities, logits.double().softmax(1))
    exchange.compare("predict, PyTorch's file: logits", exchange.predict(path, "logits")[0], logits)
    exchange.note("predict, PyTorch's file: other classes", int((classes != best.numpy()).sum()), 0)
    batches = zip(logits.split(64), exchange.y.split(64))
    loss = np.mean([nn.functional.cross_entropy(out, y).item() for out, y in batches])
    found = json.loads(exchange.run("eval", path, "--test-images", exchange.images, "--test-labels",
                                    exchange.labels, "--json"))
    exchange.compare("eval: loss", found["loss"], loss)
    exchange.note("eval: correct answers", abs(found["correct"] - int((best == exchange.y).sum())), 0)
    confusion = np.zeros((CLASSES, CLASSES), dtype=int)
    np.add.at(confusion, (exchange.y.numpy(), best.numpy()), 1)
    exchange.note("eval: confusion matrix", np.abs(np.array(found["confusion"]) - confusion).max(), 0)
    return path


def to_pytorch(exchange, path, logits):
    written = exchange.folder / "warpfit.safetensors"
    exchange.run("export", path, "--to", "safetensors", "--output", written)
    model = NeuralNetwork()
    model.load_state_dict(load_file(written), strict=True)
    exchange.compare("export --to safetensors: logits in PyTorch", logits_of(model, exchange.x), logits)
    exchange.compare("predict, warpfit's file: logits", exchange.predict(written, "logits")[0], logits)


def to_onnx(exchange, path, logits, what="export --to onnx: logits in ONNX Runtime"):
    written = exchange.folder / "warpfit.onnx"
    exchange.run("export", path, "--to", "onnx", "--output", written)
    onnx.checker.check_model(onnx.load(written), full_check=True)
    session = onnxruntime.InferenceSession(str(written), providers=["CPUExecutionProvider"])
    x = exchange.x.numpy().reshape(len(exchange.x), *session.get_inputs()[0].shape[1:])
    exchange.compare(what, session.run(None, {"input": x})[0], logits)


def to_numpy(exchange, path, model, what="export --to npz: "):
    written = exchange.folder / "warpfit.npz"
    exchange.run("export", path, "--to", "npz", "--output", written)
    arrays = np.load(written)
    state = model.state_dict()
    exchange.note(f"{what}other names", len(set(arrays) ^ set(state)), 0)
    largest = max(np.abs(arrays[name] - state[name].numpy()).max() for name in arrays)
    exchange.note(f"{what}parameters in NumPy", largest, 0)


def networks():
    """Networks with all kinds of layers, for images without channels: their names, as text, and in PyTorch."""
    yield "batch normalization", "linear(64),batchnorm,relu,linear(10)", nn.Sequential(
        nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, CLASSES))
    yield "LeNet", ("conv(6,5,padding=2),tanh,avgpool(2),conv(16,5),tanh,avgpool(2),linear(120),tanh,linear(84),tanh,"
                    "linear(10)"), nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, CLASSES))
    yield "all layers of images", (
        "conv(8,3,padding=1,bias=false),batchnorm,gelu,maxpool(3,2,1),"
        "conv(16,3,stride=2,padding=2,dilation=2,groups=4),batchnorm(0.001,0.2),silu,avgpool(3,2,1),"
        "conv(24,2),leakyrelu(0.2),globalavgpool,dropout(0.1),linear(10)"), nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.GELU(), nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(8, 16, 3, stride=2, padding=2, dilation=2, groups=4), nn.BatchNorm2d(16, 0.001, 0.2), nn.SiLU(),
        nn.AvgPool2d(3, 2, 1), nn.Conv2d(16, 24, 2), nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2d(1), nn.Dropout(0.1),
        nn.Flatten(), nn.Linear(24, CLASSES))
    yield "residual blocks", ("conv(8,3,stride=2),residual(conv(8,3,padding=1),batchnorm,relu,residual(conv(8,1))),relu,"
                              "linear(10)"), nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2),
        Residual(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), Residual(nn.Conv2d(8, 8, 1))), nn.ReLU(),
        nn.Flatten(), nn.Linear(8 * 13 * 13, CLASSES))
    yield "convolution at the end", "batchnorm,elu(0.5),conv(10,3,stride=2),globalavgpool", nn.Sequential(
        nn.BatchNorm2d(1), nn.ELU(0.5), nn.Conv2d(1, CLASSES, 3, stride=2), nn.AdaptiveAvgPool2d(1))


def networks_of_colors():
    yield "three channels", "conv(12,3,groups=3),relu,maxpool(4),linear(10)", nn.Sequential(
        nn.Conv2d(3, 12, 3, groups=3), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(432, CLASSES))


def trained(exchange, networks):
    """Networks that warpfit trains are the same in PyTorch, ONNX Runtime and NumPy."""
    path = exchange.folder / "trained.safetensors"
    for name, text, model in networks:
        is_vector = isinstance(model[0], nn.Linear)
        device = () if is_vector else ("--device", "cpu")
        exchange.run("train", *exchange.samples, "--network", text, "--names", "", "--lr", 0.1, "--epochs", 2,
                     "--save", path, *device)
        model.load_state_dict(load_file(path), strict=True)
        x = exchange.x.flatten(1) if is_vector else exchange.x.reshape(len(exchange.x), -1, 28, 28)
        logits = logits_of(model.eval(), x).flatten(1)
        exchange.compare(f"{name}, PyTorch: logits", exchange.predict(path, "logits", *device)[0], logits)
        to_onnx(exchange, path, logits, f"{name}, ONNX Runtime: logits")
        to_numpy(exchange, path, model, f"{name}, NumPy: ")


def go_on(exchange, path, model):
    """Both frameworks train one epoch from the same file: first from PyTorch's, then from warpfit's."""
    rate = 0.01
    for step, name in enumerate(("PyTorch's", "warpfit's")):
        written = exchange.folder / f"trained_{step}.safetensors"
        exchange.run("train", *exchange.samples, "--init-from", path, "--epochs", 1, "--lr", rate, "--save", written)
        model.load_state_dict(load_file(path), strict=True)
        train(model, exchange.x, exchange.y, rate)
        ours = NeuralNetwork()
        ours.load_state_dict(load_file(written), strict=True)
        exchange.compare(f"train from {name} file: logits", logits_of(ours, exchange.x), logits_of(model, exchange.x))
        path = written


def main():
    if not OPTIONS.warpfit.exists():
        print(f"{OPTIONS.warpfit}: no such program; build it, or name one with --warpfit", file=sys.stderr)
        return 2
    images = read_idx(OPTIONS.data, "t10k-images-idx3-ubyte")[: OPTIONS.samples]
    labels = read_idx(OPTIONS.data, "t10k-labels-idx1-ubyte")[: OPTIONS.samples]
    torch.manual_seed(0)
    model = NeuralNetwork()
    with tempfile.TemporaryDirectory() as folder:
        exchange = Exchange(OPTIONS.warpfit, pathlib.Path(folder), images, labels)
        train(model, exchange.x, exchange.y, 0.1)  # so that it predicts more than one class
        logits = logits_of(model, exchange.x)
        path = from_pytorch(exchange, model)
        to_pytorch(exchange, path, logits)
        to_onnx(exchange, path, logits)
        to_numpy(exchange, path, model)
        go_on(exchange, path, model)
        trained(exchange, networks())
        colors = np.stack([images, 255 - images, images[:, ::-1]], 1)
        colored = Exchange(OPTIONS.warpfit, exchange.folder / "colored", colors, labels)
        trained(colored, networks_of_colors())
        exchange.rows += colored.rows

    print(f"{len(images)} samples; torch {torch.__version__}, onnxruntime {onnxruntime.__version__}")
    print(f"{'compared':<52} {'largest difference':>18} {'allowed':>8}")
    for what, difference, bound, good in exchange.rows:
        print(f"{what:<52} {difference:>18.2g} {bound:>8.0e} {'ok' if good else 'DIFFERS'}")
    return 0 if all(good for *_, good in exchange.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
