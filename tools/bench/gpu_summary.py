#!/usr/bin/env python3
"""Writes gpu_check's summary.json to stdout.

    gpu_summary.py STAGES [NAME=VALUE...]

STAGES is a file of lines "name<tab>state<tab>seconds<tab>exit code or reason"; each NAME=VALUE becomes a field, with
null for an empty VALUE. `passed` is true if every stage that ran passed, and false if none ran. `engines_left_out` lists
the engines that failed their stage smoke-ENGINE: later stages that need one of them are skipped.
"""

import json
import pathlib
import sys


def read_stages(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        name, state, seconds, note = line.split("\t")
        yield {"stage": name, "state": state, "seconds": float(seconds), "note": note}


def main(path, *fields):
    stages = list(read_stages(pathlib.Path(path)))
    states = {stage["state"] for stage in stages if stage["state"] != "skipped"}
    summary = {name: value or None for name, _, value in (field.partition("=") for field in fields)}
    left_out = [
        stage["stage"].removeprefix("smoke-")
        for stage in stages
        if stage["stage"].startswith("smoke-") and stage["state"] not in ("ok", "skipped")
    ]
    results = {"passed": states == {"ok"}, "engines_left_out": left_out, "stages": stages}
    print(json.dumps(summary | results, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
