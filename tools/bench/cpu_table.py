#!/usr/bin/env python3
"""Prints the table of `cpu_jobs`, in Markdown.

    cpu_table.py NAMES RESULTS

Each line of NAMES is the name of a job, and the same line of RESULTS the last JSON line of its comparison. A ratio is
the other framework's median time divided by warpfit's. "-": not part of the job; "failed": every contender of the
framework failed.
"""

import json
import sys

import report

HEADINGS = ("job", "warpfit", "of the floor", "PyTorch", "ratio", "JAX", "ratio")


def peer_cells(rows, framework, mine):
    if all(row["framework"] != framework for row in rows):
        return ["-", "-"]
    best = report.best_of(rows, framework)
    if best is None:
        return ["failed", "-"]
    median = best["total_s"]["median"]
    return [f"{median:.3f} s", "-" if mine is None else f"{median / mine:.2f}"]


def cells(name, result):
    rows = result["rows"]
    ours = report.row_of_ours(rows)
    if ours is None:
        own, mine = ["failed", "-"], None
    else:
        mine, floor = ours["total_s"]["median"], ours["times_floor"]
        own = [f"{mine:.3f} s", "-" if floor is None else f"{floor:.2f} x"]
    return [name, *own, *peer_cells(rows, "PyTorch", mine), *peer_cells(rows, "JAX", mine)]


def main(names, results):
    with open(names, encoding="utf-8") as name_lines, open(results, encoding="utf-8") as result_lines:
        jobs = [
            cells(name.rstrip("\n"), json.loads(result))
            for name, result in zip(name_lines, result_lines, strict=True)
        ]
    for line in (HEADINGS, ["---"] * len(HEADINGS), *jobs):
        print(f"| {' | '.join(line)} |" if line[0] != "---" else f"|{'|'.join(line)}|")


if __name__ == "__main__":
    main(*sys.argv[1:])
