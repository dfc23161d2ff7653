"""Checks that the contenders of `compare` trained the same network, by comparing their losses and accuracies."""

import dataclasses

import runs


@dataclasses.dataclass(frozen=True)
class Tolerance:
    loss: float  # for each loss
    first: float  # for the training losses of the first hundred steps
    share: float = 0.0  # allowed difference of the number of correct test images, as a share of all (at least 3 images)


# Momentum and adaptive step sizes amplify rounding errors. tests/goldens/README.md has measurements of one epoch with
# different versions of PyTorch. In two epochs of the tutorial's job with Adam, PyTorch's default and fused
# implementations differed by up to 3.9e-2 and 94 of 10,000 images, warpfit and PyTorch by 5.0e-2 and 29 images, but
# only by 2.5e-3 in the first hundred steps. The limits are about twice these values.
TOLERANCES = {
    "sgd": Tolerance(5e-5, 5e-5),
    "momentum": Tolerance(1e-2, 2e-4, 0.005),
    "adam": Tolerance(1e-1, 5e-3, 0.02),
    "adamw": Tolerance(1e-1, 5e-3, 0.02),
}


def tolerance_of(options):
    """The tolerance of the optimizer, or --tolerance for each loss if given."""
    found = TOLERANCES[options.optimizer]
    if options.tolerance is None:
        return found
    return dataclasses.replace(found, loss=options.tolerance, first=options.tolerance)


def check(options, contenders, test_images):
    """Compares every run with the first run of another framework. Returns a sentence and whether all agree."""
    working = [contender for contender in contenders if contender.error is None]
    peers = [contender for contender in working if not contender.is_ours]
    if not peers or len(peers) == len(working):
        return "losses: not checked, that needs ours and another framework", True
    tolerance, reference = tolerance_of(options), peers[0].runs[0]
    problems, largest = [], 0.0
    for contender in working:
        for run in contender.runs:
            found, difference = runs.differences(
                run, reference, test_images, tolerance.loss, tolerance.first, tolerance.share
            )
            problems += [f"  {contender.name}: {text}" for text in found]
            largest = max(largest, difference)
    if problems:
        head = f"LOSSES DISAGREE by more than {tolerance.loss:g}: the times mean nothing"
        if tolerance.first != tolerance.loss:
            head = head.replace(":", f" ({tolerance.first:g} in the first hundred steps):", 1)
        return "\n".join([head, *problems[:20]]), False
    count = sum(len(contender.runs) for contender in working)
    return (
        f"losses: all {count} runs agree with {peers[0].name} within {tolerance.loss:g} in {options.epochs} x "
        f"{len(reference.epochs[0].losses)} training and {options.epochs} test losses "
        f"(largest difference {largest:.1e}), and in accuracy"
    ), True
