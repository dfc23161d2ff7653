#!/usr/bin/env python3
"""Trains the same job as `warpfit train` with JAX, for `compare`. Does not need PyTorch.

    jax_peer.py --data DIR [--variant scan] [--device cpu] [--network 784-512-512-10] [--batch-size 64]
                [--lr 1e-3] [--seed 0] [--epochs 2] [--threads T]

The job, the initial parameters, the order of the batches and the output are those of torch_peer.py. Plain SGD only.

Variant:
  scan  one jitted function per epoch: lax.scan over the full batches, then a step for the short last batch. The data
        set is on the device as uint8; each step converts its batch to float32.

Matrix products are computed in fp32: TF32 is disabled on a GPU. On the CPU, XLA has no option for its number of
threads; its thread pools have one thread for each core that the process may use. Therefore --threads T binds the
process to T cores before JAX is imported (on Linux; elsewhere it uses all cores). Epoch 1 includes the compilation.
"""

import os
import sys

sys.dont_write_bytecode = True
import initial_weights  # noqa: E402
import peer  # noqa: E402

EVERY = 100  # number of batches from one printed loss to the next


def bind_to_cores(threads):
    """Binds the process to cores and returns their number, which is at most the number it could use before."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    return peer.cores()


def import_jax(options):
    """Imports JAX for the device, with fp32 products. Sets options.threads to the number of threads that JAX uses."""
    if options.device == "cpu":
        options.threads = bind_to_cores(options.threads)
    try:
        import jax
    except ImportError as error:
        raise ValueError(
            f"{sys.executable} has no JAX ({error}); tools/bench/peers_setup installs it"
        ) from error
    if options.device == "cpu":
        jax.config.update("jax_platforms", "cpu")  # does not use a GPU
    jax.config.update("jax_default_matmul_precision", "highest")
    return jax


def initial_parameters(np, options):
    """(weight (inputs, outputs), bias (outputs)) of each layer."""
    flat = initial_weights.linear_layers(options.dims, options.seed)
    return [
        (np.array(weight, np.float32).reshape(outputs, -1).T.copy(), np.array(bias, np.float32))
        for (weight, bias), outputs in zip(flat, options.dims[1:])
    ]


def split(images, labels, size):
    """Full batches as images (batches, size, pixels) and labels (batches, size) and the short last batch or None."""
    images, labels = images.reshape(len(images), -1), labels.astype("int32")
    full = len(labels) // size * size
    scanned = images[:full].reshape(-1, size, images.shape[1]), labels[:full].reshape(-1, size)
    return scanned, (images[full:], labels[full:]) if full < len(labels) else None


class ScanTrainer:
    def __init__(self, jax, parameters, train, test, options):
        self.jax, self.options = jax, options
        self.parameters, self.train, self.test = jax.device_put((parameters, train, test))
        self.jitted_train = jax.jit(self.train_all, donate_argnums=0)
        self.jitted_test = jax.jit(self.test_all)
        jax.block_until_ready((self.parameters, self.train, self.test))

    def forward(self, parameters, images):
        x = images.astype("float32") / 255
        for index, (weight, bias) in enumerate(parameters):
            x = (self.jax.nn.relu(x) if index else x) @ weight + bias
        return x

    def cross_entropy(self, prediction, labels):
        picked = self.jax.numpy.take_along_axis(self.jax.nn.log_softmax(prediction), labels[:, None], axis=1)
        return -picked.mean()

    def step(self, parameters, batch):
        images, labels = batch
        loss, gradients = self.jax.value_and_grad(
            lambda at: self.cross_entropy(self.forward(at, images), labels)
        )(parameters)
        return self.jax.tree.map(lambda p, g: p - self.options.lr * g, parameters, gradients), loss

    def test_step(self, parameters, batch):
        images, labels = batch
        prediction = self.forward(parameters, images)
        return parameters, (
            self.cross_entropy(prediction, labels),
            (prediction.argmax(axis=1) == labels).sum(),
        )

    def over_batches(self, step, parameters, batches):
        """Returns the parameters after all batches, and the results of each batch as arrays."""
        scanned, last = batches
        parameters, results = self.jax.lax.scan(step, parameters, scanned)
        if last is not None:
            parameters, result = step(parameters, last)
            results = self.jax.tree.map(lambda all, one: self.jax.numpy.append(all, one), results, result)
        return parameters, results

    def train_all(self, parameters, batches):
        parameters, losses = self.over_batches(self.step, parameters, batches)
        return parameters, losses[::EVERY]

    def test_all(self, parameters, batches):
        return self.over_batches(self.test_step, parameters, batches)[1]

    def train_epoch(self):
        done = self.jitted_train(self.parameters, self.train)
        self.parameters, losses = self.jax.block_until_ready(done)
        return [[i * EVERY * self.options.batch_size, loss] for i, loss in enumerate(losses.tolist())]

    def evaluate(self):
        losses, hits = self.jitted_test(self.parameters, self.test)
        losses = losses.tolist()  # summed in double precision, as in torch_peer.py
        return int(hits.sum()), sum(losses) / len(losses)


def run(options):
    jax = import_jax(options)
    import numpy as np

    def as_array(content, offset):
        return np.frombuffer(content, np.uint8, offset=offset)

    train, test = (peer.read_part(options.data, part, as_array) for part in ("train", "t10k"))
    try:
        device = jax.devices(options.device)[0]
    except RuntimeError as error:
        raise ValueError(f"--device {options.device}: JAX {jax.__version__}: {error}") from error
    facts = {"jax": jax.__version__, "device_name": device.device_kind, "threads": options.threads}

    def make_trainer():
        parts = [split(*part, options.batch_size) for part in (train, test)]
        return ScanTrainer(jax, initial_parameters(np, options), *parts, options)

    peer.run(options, make_trainer, facts, train, test)


if __name__ == "__main__":
    try:
        run(peer.parse(peer.parser(__doc__.split("\n")[0], ("scan",))))
    except (OSError, ValueError) as error:
        sys.exit(f"jax_peer: {error}")
