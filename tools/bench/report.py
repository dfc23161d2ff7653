"""Creates the table and the JSON line of `compare` from the runs."""

import datetime
import os
import pathlib
import platform
import shutil
import statistics
import subprocess

NOISY_SPREAD = 1.25  # slowest epoch divided by the fastest of a contender
NOISY_LOAD = 0.5  # load average before the measurement


def spread(samples):
    return {
        "median": statistics.median(samples),
        "min": min(samples),
        "max": max(samples),
        "samples": samples,
    }


def summarize(contender, work, peak_gflops):
    """The row of one contender. The first epoch of each run is a warm-up: it is listed but not counted.

    A contender that failed has an error instead of times.
    """
    row = {
        "name": contender.name,
        "threads": contender.threads,
        "framework": contender.framework,
        "is_ours": contender.is_ours,
        "error": contender.error,
    }
    if contender.error is not None:
        return row
    runs = contender.runs
    counted = [epoch for run in runs for epoch in run.epochs[1:]]
    total = spread([epoch.total_s for epoch in counted])
    gflops = work.total / total["median"] * 1e-9
    return row | {
        "train_s": spread([epoch.train_s for epoch in counted]),
        "test_s": spread([epoch.test_s for epoch in counted]),
        "total_s": total,
        "warm_up_s": [run.epochs[0].total_s for run in runs],
        "gflops": gflops,
        "times_floor": peak_gflops / gflops if peak_gflops else None,
        "peak_mib": max(run.peak_bytes for run in runs) / 2**20,
        "header": runs[0].header,
    }


def measured(rows):
    return [row for row in rows if row["error"] is None]


def row_of_ours(rows):
    return next((row for row in measured(rows) if row["is_ours"]), None)


def median_of_ours(rows):
    ours = row_of_ours(rows)
    return ours and ours["total_s"]["median"]


def best_of(rows, framework):
    """The row of the framework with the smallest median, or None."""
    found = (row for row in measured(rows) if row["framework"] == framework)
    return min(found, key=lambda row: row["total_s"]["median"], default=None)


def peer_frameworks(rows):
    return list(dict.fromkeys(row["framework"] for row in measured(rows) if not row["is_ours"]))


def seconds(value):
    """Formats with four significant digits, enough for a GPU's milliseconds."""
    return f"{value:.3f}" if value >= 1 else f"{value:.4f}"


def row_cells(row, ours):
    def cell(key):
        return seconds(row[key]["median"])

    begin = [row["name"], "" if row["threads"] is None else str(row["threads"])]
    if row["error"] is not None:
        return begin
    total = row["total_s"]
    return [
        *begin,
        cell("train_s"),
        cell("test_s"),
        cell("total_s"),
        f"{seconds(total['min'])} - {seconds(total['max'])}",
        "" if ours is None else f"{total['median'] / ours:.2f}",
        f"{row['gflops']:.1f}",
        "" if row["times_floor"] is None else f"{row['times_floor']:.2f}",
        f"{row['peak_mib']:.0f}",
        " ".join(seconds(value) for value in row["warm_up_s"]),
    ]


HEADINGS = "|threads|train s|test s|epoch s|min - max|/ ours|GFLOP/s|/ floor|MiB|warm-up s".split("|")


def table(rows):
    cells = [HEADINGS] + [row_cells(row, median_of_ours(rows)) for row in rows]
    widths = [max(len(line[i]) for line in cells if i < len(line)) for i in range(len(HEADINGS))]
    lines = [
        "  ".join(
            [line[0].ljust(widths[0])] + [text.rjust(width) for text, width in zip(line[1:], widths[1:])]
        )
        for line in cells
    ]
    errors = [""] + ["" if row["error"] is None else f"  FAILED: {row['error']}" for row in rows]
    return "\n".join(line.rstrip() if not error else line + error for line, error in zip(lines, errors))


def floor_text(work, peak):
    train, test, total = (flop * 1e-9 for flop in (work.train, work.test, work.total))
    text = f"epoch: {train:.1f} GFLOP of training, {test:.1f} of evaluation; "
    if peak is None:
        return text + "floor: not measured"
    rate = peak["gflops"]
    measured = f"fma_peak, {peak['isa']}, threads {peak['threads']}, best of this run"
    source = "given" if peak["isa"] is None else measured
    return text + f"floor: {total:.1f} GFLOP / {rate:.1f} GFLOP/s ({source}) = {seconds(total / rate)} s"


def verdict_text(rows):
    """One line per other framework: its best contender compared with warpfit."""
    ours, frameworks = row_of_ours(rows), peer_frameworks(rows)
    if ours is None or not frameworks:
        return "ratio: needs ours and another framework"
    return "\n".join(verdict_line(ours["total_s"], best_of(rows, name)) for name in frameworks)


def verdict_line(mine, peer):
    name = peer["name"] if peer["threads"] is None else f"{peer['name']} with threads {peer['threads']}"
    theirs = peer["total_s"]
    return (
        f"{peer['framework']}'s best: {name}, {seconds(theirs['median'])} s; ours: {seconds(mine['median'])} s; "
        f"ratio {theirs['median'] / mine['median']:.2f} "
        f"(its fastest epoch against our slowest: {theirs['min'] / mine['max']:.2f})"
    )


def head_text(around, device):
    commit = "no commit" if around["commit"] is None else f"commit {around['commit'][:12]}"
    return (
        f"{around['gpu'] if device == 'cuda' else around['cpu']}, {around['cores']} cores, "
        f"load before the run {around['load_before']:.2f}, "
        f"{commit}{' and changes' if around['dirty'] else ''}, {around['date']}"
    )


def noise_text(rows, load_before):
    """A warning if the measurements indicate other load on the machine, otherwise None."""
    signs = [
        f"{row['name']} spreads {row['total_s']['max'] / row['total_s']['min']:.2f}-fold"
        for row in measured(rows)
        if row["total_s"]["max"] > NOISY_SPREAD * row["total_s"]["min"]
    ]
    if load_before > NOISY_LOAD:
        signs.insert(0, f"load before the run {load_before:.2f}")
    return f"NOISY: {'; '.join(signs)}: repeat on an idle machine, or with more rounds" if signs else None


def output_of(command, folder=None):
    """The first line of a command's output, or None if it cannot run."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else None


def cpu_name():
    info = pathlib.Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def gpu_state():
    if shutil.which("nvidia-smi") is None:
        return None
    return output_of(
        [
            "nvidia-smi",
            "--query-gpu=name,driver_version,clocks.sm,clocks.mem,power.limit",
            "--format=csv,noheader",
        ]
    )


def commit_of(repository):
    """The measured commit, from a bundle's file COMMIT ("ID" or "ID and changes"), otherwise from git."""
    bundled = pathlib.Path(repository, "COMMIT")
    if bundled.exists():
        commit, _, changes = bundled.read_text().strip().partition(" and ")
        return {"commit": commit, "dirty": bool(changes)}
    commit = output_of(["git", "rev-parse", "HEAD"], repository)
    return {
        "commit": commit,
        "dirty": bool(output_of(["git", "status", "--porcelain"], repository)) if commit else None,
    }


def surroundings(repository, warpfit):
    """The machine and the versions of the measurement."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "system": platform.system(),
        "gpu": gpu_state(),
        "python": platform.python_version(),
        "warpfit": output_of([warpfit, "--version"]),
        **commit_of(repository),
    }
