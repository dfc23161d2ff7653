"""Predicts the time of a data-parallel training step. Used by `scaling`.

The model:

- A step of the whole compute time C is a forward pass, then a backward pass. C is divided among them, and the backward pass
  among the layers, in proportion to their floating-point operations (flops.py). The update, the loss and fixed costs are
  part of C and are divided in the same way.
- Gradients lie in one flat buffer in the order of the layers, and the backward pass completes them from the last layer to
  the first. When the gradients completed since the last bucket take BUCKET_BYTES or more, they become a bucket. A layer is
  not divided, so that a bucket can be much larger. The first layer's completion ends the last bucket. This is what
  host/train/step.cpp does.
- Buckets are summed one after the other on one link while the backward pass goes on. Sums take no time from the
  computation; on a CPU, where both need the same cores, this is optimistic.
- The sum of S bytes over N ranks is a ring: 2 (N - 1) / N * S / bandwidth + 2 (N - 1) * latency.
- All ranks compute their rows in the same time.
"""

import dataclasses
import math

import flops

BUCKET_BYTES = 4 << 20
FLOAT_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Link:
    """The connection between neighboring ranks of the ring, in one direction."""

    name: str
    bandwidth: float  # bytes per second
    latency: float  # seconds

    def sum_seconds(self, size, ranks):
        """The time of the sum of `size` bytes over all ranks."""
        return 2 * (ranks - 1) / ranks * size / self.bandwidth + 2 * (ranks - 1) * self.latency

    def text(self):
        return f"{self.name}, {self.bandwidth / 1e9:.3g} GB/s and {self.latency * 1e6:.3g} us"


def fitted_link(name, ranks, small, large):
    """The link with which sum_seconds() gives two measurements, each a pair of bytes and seconds."""
    (small_size, small_s), (large_size, large_s) = small, large
    bandwidth = 2 * (ranks - 1) / ranks * (large_size - small_size) / max(large_s - small_s, 1e-12)
    latency = (small_s - 2 * (ranks - 1) / ranks * small_size / bandwidth) / (2 * (ranks - 1))
    return Link(name, bandwidth, max(latency, 0.0))


def layer_bytes(widths):
    """The gradients of each layer, weights and biases."""
    return [FLOAT_BYTES * (k + 1) * m for k, m in zip(widths, widths[1:])]


def backward_flops(widths):
    """FLOP of each layer's backward pass for one sample; the first layer has no input gradient."""
    return [(2 if i == 0 else 4) * k * m for i, (k, m) in enumerate(zip(widths, widths[1:]))]


def buckets(widths):
    """The buckets in the order in which they are summed: pairs of the layer that completes one, and its bytes."""
    found, pending = [], 0
    for layer, size in reversed(list(enumerate(layer_bytes(widths)))):
        pending += size
        if pending >= BUCKET_BYTES or layer == 0:
            found.append((layer, pending))
            pending = 0
    return found


def step_seconds(widths, compute_s, ranks, link):
    """The predicted time of a step in which each rank computes for `compute_s` seconds."""
    if ranks == 1:
        return compute_s
    of_flop = compute_s / flops.train_step(widths)
    now = of_flop * flops.forward(widths)
    sizes, link_is_free = dict(buckets(widths)), 0.0
    for layer, work in reversed(list(enumerate(backward_flops(widths)))):
        now += of_flop * work
        if layer in sizes:
            link_is_free = max(link_is_free, now) + link.sum_seconds(sizes[layer], ranks)
    return max(now, link_is_free)


@dataclasses.dataclass(frozen=True)
class Gpus:
    """GPUs of one kind. Up to `per_node` of them are connected by `near`, more by `far`, the slower link of the ring."""

    flop_rate: float  # FLOP per second that a step reaches
    launch_s: float  # fixed time of a step
    near: Link
    far: Link
    per_node: int = 8

    def link(self, ranks):
        return self.near if ranks <= self.per_node else self.far

    def step_seconds(self, widths, rows, ranks):
        """The predicted time of a step with `rows` rows on each GPU."""
        compute_s = flops.train_step(widths) * rows / self.flop_rate + self.launch_s
        return step_seconds(widths, compute_s, ranks, self.link(ranks))

    def strong(self, widths, batch, ranks):
        """The time of a step with a global batch of `batch`, and the efficiency: the speedup divided by the ranks."""
        time = self.step_seconds(widths, math.ceil(batch / ranks), ranks)
        return time, self.step_seconds(widths, batch, 1) / time / ranks

    def weak(self, widths, rows, ranks):
        """The time of a step with `rows` rows per GPU, and the efficiency: the time of one GPU divided by it."""
        time = self.step_seconds(widths, rows, ranks)
        return time, self.step_seconds(widths, rows, 1) / time

    def smallest_batch(self, widths, ranks, efficiency, limit=1 << 24):
        """The smallest power of two, at most `limit`, with this strong-scaling efficiency as a global batch, or None."""
        batch = 1 << (ranks - 1).bit_length()
        while batch <= limit:
            if self.strong(widths, batch, ranks)[1] >= efficiency:
                return batch
            batch *= 2
        return None
