#!/usr/bin/env python3
"""PyTorch's training of the job that `warpfit train` does: the peer that `compare` runs against.

    torch_peer.py --data DIR [--variant tensors] [--device cpu] [--network 784-512-512-10] [--batch-size 64]
                  [--lr 1e-3] [--seed 0] [--epochs 2] [--threads T]

DIR holds the four IDX files of Fashion-MNIST or MNIST, gzipped or not. The network is Flatten, Linear, ReLU, ...,
Linear; cross-entropy and SGD; batches in file order, the last one short. Random numbers are drawn in the order of
PyTorch's tutorial "Optimizing Model Parameters" (manual_seed, then the layers), so the initial weights and the losses
are the tutorial's.

Variants:
  dataloader  the tutorial as written: Dataset, DataLoader, a conversion for each sample (without the PIL image
              that torchvision makes on the way)
  tensors     the data set as one float32 tensor in memory, batches are slices of it
  compile     tensors on the device; forward, loss and backward through torch.compile
  eager       GPU only: tensors on the device
  graph       GPU only: tensors on the device, all steps of an epoch captured in one CUDA graph, the evaluation in
              another

Output: one JSON line that describes the run, then one an epoch: train_s, test_s, losses ([images seen, loss] of every
hundredth batch), correct, accuracy, avg_loss. Reading the data, moving it to the device and capturing graphs are
outside the times; what compiles on first use falls into epoch 1.
"""

import argparse
import json
import os
import sys
import time

try:
    import torch
except ImportError as error:
    sys.exit(
        f"torch_peer: {sys.executable} has no PyTorch ({error}); tools/bench/torch_setup makes one that has"
    )

sys.dont_write_bytecode = True
import torch_data  # noqa: E402

EVERY = 100  # batches between two printed losses
GPU_ONLY = ("eager", "graph")
VARIANTS = ("tensors", "dataloader", "compile", *GPU_ONLY)


def build_model(dims, seed):
    torch.manual_seed(seed)
    layers = [torch.nn.Flatten()]
    for inputs, outputs in zip(dims, dims[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


class EagerTrainer:
    """Every variant but `graph`: the tutorial's two loops."""

    def __init__(self, model, train, test, options):
        self.model, self.train, self.test, self.options = model, train, test, options
        self.optimizer = torch.optim.SGD(model.parameters(), lr=options.lr)
        self.loss_fn = torch.nn.CrossEntropyLoss()
        self.forward_loss, self.forward_test = self.plain_loss, self.plain_test
        if options.variant == "compile":
            mode = "reduce-overhead" if options.device == "cuda" else "default"  # the former is CUDA graphs
            self.forward_loss = torch.compile(self.plain_loss, dynamic=False, mode=mode)
            self.forward_test = torch.compile(self.plain_test, dynamic=False, mode=mode)

    def plain_loss(self, x, y):
        return self.loss_fn(self.model(x), y)

    def plain_test(self, x, y):
        prediction = self.model(x)
        return self.loss_fn(prediction, y), (prediction.argmax(1) == y).sum()

    def on_device(self, x, y):
        device = self.options.device
        return x.to(device, non_blocking=True), y.to(device, non_blocking=True)

    def step(self, x, y):
        loss = self.forward_loss(x, y)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss

    def train_epoch(self):
        self.model.train()
        losses = []
        for index, batch in enumerate(self.train):
            loss = self.step(*self.on_device(*batch))
            if index % EVERY == 0:
                losses.append([index * self.options.batch_size, loss.item()])
        return losses

    def evaluate(self):
        self.model.eval()
        loss_sum = torch.zeros((), dtype=torch.float64, device=self.options.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.options.device)
        with torch.no_grad():
            for batch in self.test:
                loss, hits = self.forward_test(*self.on_device(*batch))
                loss_sum += loss
                correct += hits
        return int(correct), float(loss_sum) / len(self.test)


class GraphTrainer(EagerTrainer):
    """An epoch is one graph launch.

    The steps are captured over fixed slices of the data: no batch is copied, and the short last batch needs
    nothing special.
    """

    def __init__(self, model, train, test, options):
        super().__init__(model, train, test, options)
        points = len(range(0, len(train), EVERY))
        self.losses = torch.zeros(points, device=options.device)
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=options.device)
        self.correct = torch.zeros((), dtype=torch.int64, device=options.device)
        self.stream = torch.cuda.Stream()
        self.warm_up()
        self.train_graph = self.capture(self.run_train)
        self.test_graph = self.capture(self.run_test)

    def warm_up(self):
        """What libraries set up on first use may not happen in a capture. The weights end as they began."""
        start = [parameter.detach().clone() for parameter in self.model.parameters()]
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for batch in self.train[:3] + self.train[-1:]:
                self.step(*batch)
            self.run_test(self.test[:1] + self.test[-1:])
            with torch.no_grad():
                for parameter, value in zip(self.model.parameters(), start):
                    parameter.copy_(value)
        torch.cuda.current_stream().wait_stream(self.stream)
        torch.cuda.synchronize()

    def capture(self, work):
        self.optimizer.zero_grad(set_to_none=True)  # the gradients must come from the graph's own memory
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            work()
        return graph

    def run_train(self):
        for index, batch in enumerate(self.train):
            loss = self.step(*batch)
            if index % EVERY == 0:
                self.losses[index // EVERY].copy_(loss.detach())
        self.optimizer.zero_grad(set_to_none=True)

    def run_test(self, batches=None):
        self.loss_sum.zero_()
        self.correct.zero_()
        with torch.no_grad():
            for batch in batches or self.test:
                loss, hits = self.plain_test(*batch)
                self.loss_sum += loss
                self.correct += hits

    def train_epoch(self):
        self.train_graph.replay()
        return [[i * EVERY * self.options.batch_size, loss] for i, loss in enumerate(self.losses.tolist())]

    def evaluate(self):
        self.test_graph.replay()
        return int(self.correct), float(self.loss_sum) / len(self.test)


def timed(work, device):
    begin = time.perf_counter()
    result = work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin, result


def check(options, train, test):
    """Says why the job cannot run, before it starts."""
    for images, labels in (train, test):
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images but {len(labels)} labels")
    pixels, classes = train[0][0].numel(), int(train[1].max()) + 1
    if len(options.dims) < 2 or options.dims[0] != pixels or options.dims[-1] < classes:
        raise ValueError(
            f"--network {options.network}: the data wants {pixels} inputs and {classes} outputs or more"
        )


def check_device(options):
    if options.variant in GPU_ONLY and options.device != "cuda":
        raise ValueError(
            f"--variant {options.variant} runs on a GPU only: say --device cuda, on a machine that has one"
        )
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"--device cuda: PyTorch {torch.__version__} (for CUDA {torch.version.cuda}) sees no GPU here"
        )
    if options.variant == "compile" and not hasattr(torch, "compile"):
        raise ValueError(
            f"--variant compile: PyTorch {torch.__version__} has no torch.compile, 2.0 is the first that has"
        )


def parse():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser = argparse.ArgumentParser(
        description="PyTorch's training of the same job; see the head of this file."
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--variant", choices=VARIANTS, default="tensors")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--network", default="784-512-512-10")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=cores)
    options = parser.parse_args()
    options.dims = [int(width) for width in options.network.split("-")]
    return options


def emit(record):
    print(json.dumps(record), flush=True)


def make_trainer(options, train, test):
    model = build_model(options.dims, options.seed).to(options.device)
    batches = torch_data.loader if options.variant == "dataloader" else torch_data.slices
    trainer = GraphTrainer if options.variant == "graph" else EagerTrainer
    return trainer(model, batches(train, options), batches(test, options), options)


def run(options):
    check_device(options)
    torch.set_num_threads(options.threads)
    train, test = torch_data.read_part(options.data, "train"), torch_data.read_part(options.data, "t10k")
    check(options, train, test)
    setup_s, trainer = timed(lambda: make_trainer(options, train, test), options.device)
    emit(
        {
            "torch": torch.__version__,
            "variant": options.variant,
            "device": options.device,
            "device_name": torch.cuda.get_device_name() if options.device == "cuda" else None,
            "threads": torch.get_num_threads(),
            "network": options.network,
            "batch_size": options.batch_size,
            "lr": options.lr,
            "seed": options.seed,
            "train_images": len(train[0]),
            "test_images": len(test[0]),
            "setup_s": round(setup_s, 4),
        }
    )
    for epoch in range(1, options.epochs + 1):
        train_s, losses = timed(trainer.train_epoch, options.device)
        test_s, (correct, avg_loss) = timed(trainer.evaluate, options.device)
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


if __name__ == "__main__":
    try:
        run(parse())
    except (OSError, ValueError) as error:
        sys.exit(f"torch_peer: {error}")
