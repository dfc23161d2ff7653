"""Checks the labels of a data set, counted from 0, and chooses how the files hold them."""

import math

from .messages import bad_data, note
from .output import INT32, UNSIGNED_BYTES

MAX_LABEL = (1 << 16) - 1  # as warpfit has it: see host/stream/labels.cpp


def check_label(value, where):
    """The label as an integer; `where` is called for the location that an error names."""
    whole = value
    if isinstance(value, float):
        whole = int(value) if math.isfinite(value) else None
    if whole != value:
        raise bad_data(f"{where()}: the label {value} is not a whole number")
    if not 0 <= whole <= MAX_LABEL:
        raise bad_data(f"{where()}: the label {whole} is {'negative' if whole < 0 else 'too large'}; "
                       f"expected 0 to {MAX_LABEL}")
    return whole


def check_counts(name, images, labels):
    if images != labels:
        raise bad_data(f"{name}: {images} samples, but {labels} labels")


def element_type(train, test):
    """The IDX type that holds the labels of both sets: unsigned bytes for up to 256 classes."""
    return UNSIGNED_BYTES if max(max(train), max(test)) < 256 else INT32


def report(train, test):
    """Notes about labels that may not be what the user means."""
    if min(train) > 0:
        first = min(train)
        note(f"the labels begin at {first}, so class 0 is empty; the network gets an output for it"
             if first == 1 else f"the labels begin at {first}, so the classes below it are empty")
    if max(test) > max(train):
        note(f"the test labels reach {max(test)}, but the training labels only {max(train)}")
    if len(train) > 1 and len(set(train)) > 1 and all(a <= b for a, b in zip(train, train[1:])):
        note("the training samples are sorted by label; train with --shuffle")
