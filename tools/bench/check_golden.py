#!/usr/bin/env python3
"""Compares the output of `warpfit train` with PyTorch's reference trace of the same run.

    check_golden.py OUTPUT GOLDEN [--tolerance 5e-5] [--test-images 10000]

OUTPUT contains the program's standard output, GOLDEN is a file of tests/goldens. Every printed training loss and the
average test loss of each epoch must be within the tolerance, the number of samples before each loss must be equal, and
the accuracy must be within 3 images plus the rounding of its printed value. NaN equals nothing. Exit status: 0 they
agree; 1 they differ, with one line per difference; 2 a file cannot be read.
"""

import argparse
import json
import pathlib
import sys

sys.dont_write_bytecode = True
import runs  # noqa: E402


def read_output(text):
    """The epochs that the program printed, and for each epoch the number of samples before each loss."""
    parts = runs.EPOCH_HEAD.split(runs.COLOUR.sub("", text))[1:]  # number, text, number, text, ...
    expected = [str(i) for i in range(1, len(parts) // 2 + 1)]
    if parts[::2] != expected:
        raise runs.RunError(f"its epochs are headed {', '.join(parts[::2])}")
    if not text.endswith("Done!\n"):
        raise runs.RunError("it does not end with 'Done!'")
    epochs, seen = [], []
    for index, part in enumerate(parts[1::2], 1):
        test = runs.TEST_LINE.search(part)
        if test is None:
            raise runs.RunError(f"epoch {index} has no line 'Accuracy: ...%, Avg loss: ...'")
        lines = list(runs.LOSS_LINE.finditer(part))
        losses = [runs.number(line[1], f"a loss of epoch {index}") for line in lines]
        accuracy = runs.number(test[1], f"the accuracy of epoch {index}")
        average = runs.number(test[2], f"the average loss of epoch {index}")
        epochs.append(runs.Epoch(0, 0, losses, accuracy, average))
        seen.append([int(line[2]) for line in lines])
    return runs.Run(epochs), seen


def read_golden(golden, test_images):
    epochs = [
        runs.Epoch(
            0,
            0,
            [loss for _, loss in epoch["train"]],
            100 * epoch["test_correct"] / test_images,
            epoch["test_avg_loss"],
        )
        for epoch in golden["epochs"]
    ]
    return runs.Run(epochs), [[samples for samples, _ in epoch["train"]] for epoch in golden["epochs"]]


def compare(text, golden, tolerance, test_images):
    """The differences as sentences, and the largest difference of a loss."""
    mine, mine_seen = read_output(text)
    theirs, theirs_seen = read_golden(golden, test_images)
    if len(mine.epochs) != len(theirs.epochs):
        return [f"{len(mine.epochs)} epochs against {len(theirs.epochs)}"], 0.0
    found, largest = runs.differences(mine, theirs, test_images, tolerance)
    for index, (a, b) in enumerate(zip(mine_seen, theirs_seen), 1):
        if a != b:
            found.append(f"epoch {index}: losses after {a} samples against {b}")
    return found, largest


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("golden", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=5e-5, help="largest difference of a loss")
    parser.add_argument("--test-images", type=int, default=10000)
    options = parser.parse_args()
    try:
        golden = json.loads(options.golden.read_text(encoding="ascii"))
        text = options.output.read_text(encoding="utf-8")
        found, largest = compare(text, golden, options.tolerance, options.test_images)
    except (OSError, ValueError, KeyError) as error:
        print(f"check_golden: {error!r}", file=sys.stderr)
        return 2
    except runs.RunError as error:
        print(f"{options.output}: {error}")
        return 1
    print(*[f"{options.output}: {text}" for text in found], sep="\n", end="\n" if found else "")
    count = sum(len(epoch["train"]) + 1 for epoch in golden["epochs"])
    print(
        f"{options.output}: {'DISAGREES with' if found else 'agrees with'} {options.golden.name} (PyTorch "
        f"{golden['torch']}): {count} losses, largest difference {largest:.1e}, allowed {options.tolerance:g}"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
