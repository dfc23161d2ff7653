#!/usr/bin/env python3
"""Trains the same job as `warpfit train` with PyTorch, for `compare`.

    torch_peer.py --data DIR [--variant tensors] [--device cpu] [--network 784-512-512-10] [--batch-size 64]
                  [--lr 1e-3] [--optimizer sgd] [--implementation default] [--seed 0] [--epochs 2] [--threads T]

DIR has the four IDX files of Fashion-MNIST or MNIST, gzipped or not. The network is Flatten, Linear, ReLU, ...,
Linear; the loss is cross-entropy; batches in file order, the last one short. Random numbers are drawn in the order of
PyTorch's tutorial "Optimizing Model Parameters" (manual_seed, then the layers), so the initial weights and the losses
are the tutorial's.

Variants:
  dataloader  the tutorial as written: Dataset, DataLoader, a conversion of each sample (without the intermediate PIL
              image of torchvision)
  tensors     the data set as one float32 tensor in memory, batches are slices of it
  compile     tensors on the device; forward, loss and backward through torch.compile
  eager       GPU only: tensors on the device
  graph       GPU only: tensors on the device, all steps of an epoch captured in one CUDA graph, the evaluation in
              another

Optimizers, with the defaults of torch.optim: sgd; momentum, which is SGD with momentum 0.9; adam; adamw. Their
implementations are PyTorch's default for the device, foreach (all parameters in few calls) and fused (one kernel).

Output: one JSON line that describes the run, then one line per epoch: train_s, test_s, losses ([images seen, loss] of
every hundredth batch), correct, accuracy, avg_loss. The times do not include reading the data, copying it to the device
and capturing graphs; epoch 1 includes compilation on first use.
"""

import sys

try:
    import torch
except ImportError as error:
    sys.exit(f"torch_peer: {sys.executable} has no PyTorch ({error}); tools/bench/peers_setup installs it")

sys.dont_write_bytecode = True
import peer  # noqa: E402
import torch_data  # noqa: E402

EVERY = 100  # number of batches from one printed loss to the next
GPU_ONLY = ("eager", "graph")
VARIANTS = ("tensors", "dataloader", "compile", *GPU_ONLY)
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
}
IMPLEMENTATIONS = ("default", "foreach", "fused")


def build_model(dims, seed):
    torch.manual_seed(seed)
    layers = [torch.nn.Flatten()]
    for inputs, outputs in zip(dims, dims[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def make_optimizer(parameters, options):
    kind, constants = OPTIMIZERS[options.optimizer]
    if options.implementation != "default":
        constants = constants | {options.implementation: True}
    if options.variant == "graph" and kind is not torch.optim.SGD:
        constants = constants | {"capturable": True}  # the step count is on the device
    return kind(parameters, lr=options.lr, **constants)


class EagerTrainer:
    """All variants except `graph`: the tutorial's two loops."""

    def __init__(self, model, train, test, options):
        self.model, self.train, self.test, self.options = model, train, test, options
        self.optimizer = make_optimizer(model.parameters(), options)
        self.loss_fn = torch.nn.CrossEntropyLoss()
        self.forward_loss, self.forward_test = self.plain_loss, self.plain_test
        if options.variant == "compile":
            mode = "reduce-overhead" if options.device == "cuda" else "default"  # the former uses CUDA graphs
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
        self.synchronize()
        return losses

    def synchronize(self):
        if self.options.device == "cuda":
            torch.cuda.synchronize()

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
    """Runs an epoch as a single graph launch.

    The steps are captured with fixed slices of the data: no batch is copied, and the short last batch is not a special
    case.
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
        """Does one-time setup, which is not allowed during capture. Weights and optimizer state are restored."""
        start = [parameter.detach().clone() for parameter in self.model.parameters()]
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for batch in self.train[:3] + self.train[-1:]:
                self.step(*batch)
            self.run_test(self.test[:1] + self.test[-1:])
            with torch.no_grad():
                for parameter, value in zip(self.model.parameters(), start):
                    parameter.copy_(value)
                for state in self.optimizer.state.values():
                    for tensor in filter(torch.is_tensor, state.values()):
                        tensor.zero_()
        torch.cuda.current_stream().wait_stream(self.stream)
        torch.cuda.synchronize()

    def capture(self, work):
        self.optimizer.zero_grad(set_to_none=True)  # the gradients must be allocated in the graph's memory pool
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
        self.synchronize()
        return [[i * EVERY * self.options.batch_size, loss] for i, loss in enumerate(self.losses.tolist())]

    def evaluate(self):
        self.test_graph.replay()
        return int(self.correct), float(self.loss_sum) / len(self.test)


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
    parser = peer.parser(__doc__.split("\n")[0], VARIANTS)
    parser.add_argument("--optimizer", choices=tuple(OPTIMIZERS), default="sgd")
    parser.add_argument("--implementation", choices=IMPLEMENTATIONS, default="default")
    return peer.parse(parser)


def make_trainer(options, train, test):
    model = build_model(options.dims, options.seed).to(options.device)
    batches = torch_data.loader if options.variant == "dataloader" else torch_data.slices
    trainer = GraphTrainer if options.variant == "graph" else EagerTrainer
    return trainer(model, batches(train, options), batches(test, options), options)


def run(options):
    check_device(options)
    torch.set_num_threads(options.threads)
    train, test = torch_data.read_part(options.data, "train"), torch_data.read_part(options.data, "t10k")
    facts = {
        "torch": torch.__version__,
        "device_name": torch.cuda.get_device_name() if options.device == "cuda" else None,
        "threads": torch.get_num_threads(),
        "optimizer": options.optimizer,
        "implementation": options.implementation,
    }
    peer.run(options, lambda: make_trainer(options, train, test), facts, train, test)


if __name__ == "__main__":
    try:
        run(parse())
    except (OSError, ValueError) as error:
        sys.exit(f"torch_peer: {error}")
