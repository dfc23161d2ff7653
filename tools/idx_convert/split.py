"""Splits samples into a training and a test set, class by class. The same seed gives the same split everywhere."""

import math
import random

from .messages import bad_data

DEFAULT_FRACTION = 0.1


def shuffled(count, seed):
    """The numbers below `count` in a random order that depends on the seed alone, not on Python's version."""
    generator = random.Random(seed.encode("utf-8", "surrogateescape"))
    keys = [generator.getrandbits(64) for _ in range(count)]
    return sorted(range(count), key=keys.__getitem__)


def test_members(count, fraction, seed, class_name):
    """Which of the `count` samples of a class are for testing: the fraction, rounded, but at least one of each."""
    if count < 2:
        raise bad_data(f"{class_name} has only one sample; it needs at least two, one for training and one for testing")
    size = min(max(1, math.floor(count * fraction + 0.5)), count - 1)
    return set(shuffled(count, f"{seed} split {class_name}")[:size])
