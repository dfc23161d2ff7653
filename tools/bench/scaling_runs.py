"""The runs of `scaling`: their commands, their times, and the link between processes of this machine."""

import dataclasses
import json
import os
import pathlib
import re
import resource
import shlex
import statistics

import contenders
import runs
import scaling_model

LOSS_LINE = re.compile(r"^loss: +(\S+) +\[ *0/", re.MULTILINE)
TOLERANCE = 5e-5  # of a loss, as in `compare` for plain SGD


@dataclasses.dataclass
class Contender:
    title: str
    key: str
    processes: int
    batch_size: int  # of one step of the run
    command: list
    framework: str = "warpfit"
    epochs_s: list = dataclasses.field(default_factory=list)  # all counted epochs of all rounds
    losses: list = dataclasses.field(default_factory=list)  # of the first batch of each epoch, in the last round
    others: list = dataclasses.field(default_factory=list)  # cores that other programs used during each run
    error: str | None = None

    def run(self, epochs, timeout):
        """Adds the results of one run, without its first epoch. On failure stores the error."""
        begin = busy_seconds(), own_seconds(), os.times().elapsed
        try:
            stdout, stderr, _ = runs.launch(self.command, timeout)
            times, self.losses = (read_ours if self.framework == "warpfit" else read_peer)(stdout, stderr, epochs)
        except runs.RunError as error:
            self.error, self.epochs_s = error.summary, []
            return
        self.epochs_s += times[1:]
        busy, own, wall = (now - then for now, then in zip((busy_seconds(), own_seconds(), os.times().elapsed), begin))
        self.others.append(max(0.0, busy - own) / max(wall, 0.01))

    def median_s(self):
        return statistics.median(self.epochs_s) if self.epochs_s else None


def busy_seconds():
    """The time for which all cores of this machine together have been busy; 0 if the system does not tell."""
    try:
        fields = pathlib.Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)[1:9]
    except OSError:
        return 0.0
    user, nice, system, _idle, _wait, irq, softirq, steal = (int(field) for field in fields)
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    """The processor time of this process and of all its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def read_ours(stdout, stderr, epochs):
    """The training times of the epochs, and the first loss of each."""
    times = {int(match[1]): float(match[2]) for match in runs.TIME_LINE.finditer(runs.COLOUR.sub("", stderr))}
    losses = [runs.number(match[1], "a loss") for match in LOSS_LINE.finditer(runs.COLOUR.sub("", stdout))]
    if sorted(times) != list(range(1, epochs + 1)) or len(losses) != epochs:
        raise runs.RunError(f"warpfit printed {len(times)} times and {len(losses)} first losses, expected {epochs}")
    return [times[epoch] for epoch in sorted(times)], losses


def read_peer(stdout, _stderr, epochs):
    try:
        _header, *lines = [json.loads(line) for line in stdout.splitlines() if line.startswith("{")]
        read = [(float(line["train_s"]), float(line["loss"])) for line in lines]
    except (ValueError, KeyError) as error:
        raise runs.RunError(f"ddp_peer.py printed something else than its JSON lines ({error!r})") from error
    if len(read) != epochs:
        raise runs.RunError(f"ddp_peer.py printed {len(read)} epochs, expected {epochs}")
    return [seconds for seconds, _ in read], [loss for _, loss in read]


def launcher(options, processes):
    """The command that starts this number of processes. Open MPI refuses more than there are cores without a flag."""
    command = [*shlex.split(options.mpirun), "-n", str(processes)]
    if processes > options.threads:
        command.append("--oversubscribe")
    if os.geteuid() == 0:
        command.append("--allow-run-as-root")  # Open MPI refuses to start as root, as in a container, without it
    return command


def count_text(count, what):
    return f"{count} {what}" if count == 1 else f"{count} {what}{'es' if what.endswith('s') else 's'}"


def setting(processes, threads):
    return f"{count_text(processes, 'process')} x {count_text(threads, 'thread')}"


def threads_of(options, processes):
    return max(1, options.threads // processes)


def job(options, batch_size):
    return ["--data", str(options.data), "--network", options.network, "--batch-size", str(batch_size), "--lr", "1e-3",
            "--epochs", str(options.epochs)]


def whole_run(options, processes):
    """A run of `processes` processes that train together."""
    threads = threads_of(options, processes)
    command = [options.warpfit, "train", *job(options, options.batch_size), "--device", "cpu", "--threads", str(threads)]
    if processes > 1:
        command = [*launcher(options, processes), *command]
    else:
        command += ["--parallel", "none"]
    title = f"warpfit, {setting(processes, threads)}"
    title += ", oversubscribed" if processes * threads > options.threads else ""
    return Contender(title, f"processes_{processes}", processes, options.batch_size, command)


def compute_alone(options, processes):
    """One process with the rows and the threads of one of `processes`, which computes gradients in memory as they do."""
    rows, threads = options.batch_size // processes, threads_of(options, processes)
    command = [options.warpfit, "train", *job(options, rows), "--device", "cpu", "--threads", str(threads), "--parallel",
               "none", "--update", "separate"]
    return Contender(f"warpfit alone, batch {rows}, {setting(1, threads)}", f"alone_{processes}", processes, rows, command)


def peer(options, processes):
    threads = threads_of(options, processes)
    command = [options.torch_python, str(contenders.HERE / "ddp_peer.py"), "--processes", str(processes), "--threads",
               str(threads), *job(options, options.batch_size)]
    title = f"PyTorch{' DDP, gloo' if processes > 1 else ''}, {setting(processes, threads)}"
    return Contender(title, f"torch_{processes}", processes, options.batch_size, command, "PyTorch")


def differences(found):
    """Losses of runs with the global batch that differ from those of the first such run, as sentences."""
    found = [contender for contender in found if contender.losses and not contender.key.startswith("alone")]
    return [
        f"{contender.title}: loss {mine:.6f} of epoch {epoch}, but {found[0].title}: {first:.6f}"
        for contender in found[1:]
        for epoch, (mine, first) in enumerate(zip(contender.losses, found[0].losses, strict=True), 1)
        if not abs(mine - first) <= TOLERANCE
    ]


def measured_link(options, folder):
    """The link between two processes, from the sums of link_probe, which is compiled into `folder`."""
    binary = pathlib.Path(folder, "link_probe")
    source = contenders.HERE / "link_probe.cpp"
    runs.launch([os.environ.get("CXX", "c++"), "-O2", "-std=c++20", "-I", str(contenders.REPOSITORY), str(source), "-o",
                 str(binary), "-ldl"])
    library = pathlib.Path(options.warpfit).resolve().with_name("libwarpfit_mpi.so")
    stdout, _, _ = runs.launch([*launcher(options, 2), str(binary), str(library)], options.timeout)
    sums = json.loads(stdout)["sums"]
    return scaling_model.fitted_link("measured between two processes here", 2, sums[0], sums[-1]), sums
