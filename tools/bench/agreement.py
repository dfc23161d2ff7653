"""Whether the contenders of `compare` trained the same network: their losses and accuracies against one another."""

import dataclasses

import runs


@dataclasses.dataclass(frozen=True)
class Tolerance:
    loss: float  # of each loss
    first: float  # of the training losses in the first hundred steps
    share: float = 0.0  # of the test images, by which the number of correct ones may differ (3 always may)


# Momentum and adaptive step sizes magnify rounding. tests/goldens/README.md has what was measured in one epoch between
# versions of PyTorch. In two epochs of the tutorial's job with Adam, PyTorch's own default and fused implementations
# lay up to 3.9e-2 and 94 of 10,000 images apart, warpfit and PyTorch 5.0e-2 and 29 images, but 2.5e-3 in the first
# hundred steps. The limits are about twice these.
TOLERANCES = {
    "sgd": Tolerance(5e-5, 5e-5),
    "momentum": Tolerance(1e-2, 2e-4, 0.005),
    "adam": Tolerance(1e-1, 5e-3, 0.02),
    "adamw": Tolerance(1e-1, 5e-3, 0.02),
}


def tolerance_of(options):
    """The optimizer's, or --tolerance for each loss."""
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
