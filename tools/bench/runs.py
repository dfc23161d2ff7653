"""Starts the trainers and parses their output. Used by `compare`.

The result is a Run: an Epoch for each epoch, and the peak memory of the process. If a value is missing from the output,
this is an error that names it; a missing value is never replaced by another.
"""

import dataclasses
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import tempfile
import threading
import time

# warpfit's stdout is the tutorial's text; its stderr has a line with times per epoch, after a log prefix.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
EPOCH_HEAD = re.compile(r"^Epoch (\d+)$", re.MULTILINE)
LOSS_LINE = re.compile(r"^loss: +(\S+) +\[ *(\d+)/ *(\d+)\]", re.MULTILINE)
TEST_LINE = re.compile(r"Accuracy: +([^ %]+)%, Avg loss: +(\S+)")
TIME_LINE = re.compile(r"\bepoch (\d+): train ([\d.]+) s, test ([\d.]+) s, [\d,.]+ samples/s")


class RunError(Exception):
    """A program could not be run, failed, or printed unexpected output.

    The message is the summary and the details; `summary` is a single line of at most 160 characters.
    """

    def __init__(self, summary, details=""):
        super().__init__(f"{summary}\n{details}" if details else summary)
        self.summary = " ".join(summary.split())[:160]


@dataclasses.dataclass
class Epoch:
    train_s: float
    test_s: float
    losses: list  # of every hundredth batch
    accuracy: float  # in percent
    avg_loss: float

    @property
    def total_s(self):
        return self.train_s + self.test_s


@dataclasses.dataclass
class Run:
    epochs: list
    peak_bytes: int = 0
    header: dict = dataclasses.field(default_factory=dict)  # the first JSON line of PyTorch or JAX, with versions


def child_environment():
    """The current environment without the variables that would override --threads."""
    overruling = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS", "NPROC")
    return {name: value for name, value in os.environ.items() if name not in overruling}


def kill_group(process):
    """Kills a process that leads its own process group, and all others of the group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it has ended already


def wait(process, timeout):
    """Waits for a process that leads a process group. Returns its exit status and its resource usage.

    After `timeout` seconds, or when this program is interrupted, the group is killed.
    """
    expired = threading.Event()
    timer = threading.Timer(timeout, lambda: (expired.set(), kill_group(process)))
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        kill_group(process)
        process.wait()
        raise
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if expired.is_set():
        raise RunError(f"timed out after {timeout:g} s", " ".join(process.args))
    return process.returncode, usage


def exit_text(code):
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def launch(command, timeout=600):
    """Runs a command until it ends. Returns its stdout, its stderr and its peak resident memory in bytes."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=child_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise RunError(f"cannot start {command[0]}: {error.strerror}") from error
        code, usage = wait(process, timeout)
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if code != 0:
        tail = COLOUR.sub("", stderr or stdout).splitlines()[-10:]
        last = f": {tail[-1]}" if tail else ""
        raise RunError(exit_text(code) + last, "\n".join([" ".join(command), *tail]))
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return stdout, stderr, usage.ru_maxrss * unit


def number(text, what):
    try:
        return float(text)
    except ValueError:
        raise RunError(f"{what} is '{text}', not a number") from None


def read_ours(stdout, stderr, epochs):
    """The epochs of a `warpfit train` run."""
    text = COLOUR.sub("", stdout)
    parts = EPOCH_HEAD.split(text)[1:]  # number, text, number, text, ...
    times = {int(match[1]): match for match in TIME_LINE.finditer(COLOUR.sub("", stderr))}
    expected = [str(i) for i in range(1, epochs + 1)]
    if parts[::2] != expected:
        raise RunError(f"warpfit's stdout has the headings of epochs {parts[::2]}, expected {expected}")
    return [read_our_epoch(i, part, times.get(i)) for i, part in enumerate(parts[1::2], 1)]


def read_our_epoch(index, text, times):
    losses = [number(match[1], f"a loss of epoch {index}") for match in LOSS_LINE.finditer(text)]
    test = TEST_LINE.search(text)
    if not losses:
        raise RunError(f"warpfit's stdout has no line 'loss: ... [ .../...]' in epoch {index}")
    if test is None:
        raise RunError(f"warpfit's stdout has no line 'Accuracy: ...%, Avg loss: ...' in epoch {index}")
    if times is None:
        raise RunError(
            f"warpfit's stderr has no line 'epoch {index}: train ... s, test ... s, ... samples/s'"
        )
    return Epoch(
        number(times[2], "a time"),
        number(times[3], "a time"),
        losses,
        number(test[1], "an accuracy"),
        number(test[2], "an average loss"),
    )


def read_peer(program, stdout, epochs):
    """The header and the epochs of a run of torch_peer.py or jax_peer.py."""
    try:
        header, *records = [json.loads(line) for line in stdout.splitlines() if line.startswith("{")]
        read = [
            Epoch(
                r["train_s"],
                r["test_s"],
                [loss for _, loss in r["losses"]],
                100 * r["accuracy"],
                r["avg_loss"],
            )
            for r in records
        ]
    except (ValueError, KeyError) as error:
        raise RunError(
            f"{program} printed something else than its JSON lines ({error!r})", stdout[-500:]
        ) from error
    if len(read) != epochs:
        raise RunError(f"{program} printed {len(read)} epochs, expected {epochs}")
    return header, read


def run_ours(command, epochs, timeout):
    stdout, stderr, peak = launch(command, timeout)
    return Run(read_ours(stdout, stderr, epochs), peak)


def run_peer(command, epochs, timeout):
    stdout, _, peak = launch(command, timeout)
    header, read = read_peer(pathlib.Path(command[1]).name, stdout, epochs)
    return Run(read, peak, header)


def fma_peak(binary, threads):
    """The result of fma_peak: a dict with threads, isa, gflops, ..."""
    stdout, _, _ = launch([binary, "--threads", str(threads)])
    peak = json.loads(stdout)
    if not peak["optimized"]:
        raise RunError(f"{binary} was built without optimization: its figure means nothing")
    return peak


def help_ms(binary, times=20):
    """Median milliseconds of `binary --help`, including the start of the process."""
    samples = []
    for _ in range(times):
        begin = time.perf_counter()
        done = subprocess.run(
            [binary, "--help"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        samples.append(1e3 * (time.perf_counter() - begin))
        if done.returncode != 0:
            raise RunError(f"{binary} --help ended with status {done.returncode}")
    return statistics.median(samples)


def differences(run, reference, test_images, tolerance, first=None, share=0.0):
    """The differences of `run` from `reference` as sentences, and the largest difference of a loss.

    `tolerance` applies to each loss; `first`, if given, to the training losses of the first hundred steps. An accuracy
    may differ by 3 images or by `share` of the test images, plus the rounding to a tenth of a percent. NaN equals
    nothing.
    """
    found, largest = [], 0.0
    accuracy_tolerance = 100 * max(3 / test_images, share) + 0.05 + 1e-9
    for index, (mine, theirs) in enumerate(zip(run.epochs, reference.epochs, strict=True), 1):
        if len(mine.losses) != len(theirs.losses):
            found.append(f"epoch {index}: {len(mine.losses)} losses against {len(theirs.losses)}")
        pairs = [
            (f"loss {i}", a, b, first if first is not None and index == 1 and i <= 2 else tolerance)
            for i, (a, b) in enumerate(zip(mine.losses, theirs.losses), 1)
        ]
        pairs.append(("average test loss", mine.avg_loss, theirs.avg_loss, tolerance))
        largest = max([largest] + [abs(a - b) for _, a, b, _ in pairs])
        pairs.append(("accuracy in percent", mine.accuracy, theirs.accuracy, accuracy_tolerance))
        found += [
            f"epoch {index}: {what} {a:.6f} against {b:.6f}"
            for what, a, b, limit in pairs
            if not abs(a - b) <= limit
        ]
    return found, largest
