"""Computes the initial parameters of torch.nn.Linear layers after torch.manual_seed without PyTorch, bit for bit.

PyTorch's CPU generator is mt19937 seeded with the low 32 bits of the seed; uniform_ keeps the low 24 bits of each
draw. The C++ counterpart is host/base/torch_random.cpp with host/model/initializer.cpp.
"""

import array
import math
import random


def generator(seed):
    """Python's mt19937 in the initial state of std::mt19937(seed) and torch.manual_seed(seed)."""
    state = [seed & 0xFFFFFFFF]
    for i in range(1, 624):
        state.append((1812433253 * (state[-1] ^ (state[-1] >> 30)) + i) & 0xFFFFFFFF)
    made = random.Random()
    made.setstate((3, (*state, 624), None))
    return made


def uniform(source, count, bound):
    """`count` float32 values of Tensor.uniform_(-bound, bound)."""
    low = array.array("f", [-bound])[0]
    draws = array.array("I", source.getrandbits(32 * count).to_bytes(4 * count, "little"))
    # Exact in double precision: 24 bits times 24 bits, plus a float32. array("f") then rounds once, like PyTorch's
    # fused multiply-add.
    scale = -2 * low / (1 << 24)
    return array.array("f", [(draw & 0xFFFFFF) * scale + low for draw in draws])


def linear_layers(dims, seed):
    """The weight (outputs x inputs, row-major) and the bias of each layer, as arrays of float32."""
    source = generator(seed)
    layers = []
    for inputs, outputs in zip(dims, dims[1:]):
        root = math.sqrt(inputs)
        weight = uniform(source, inputs * outputs, math.sqrt(3.0) * (math.sqrt(2.0 / 6.0) / root))
        layers.append((weight, uniform(source, outputs, 1.0 / root)))
    return layers
