#!/usr/bin/env python3
"""Counts the machine instructions of each kernel in a disassembly, by kind.

    nvcc -cubin -arch=sm_90 -O3 -I. --expt-relaxed-constexpr -std=c++20 cuda/fused/fused_run.cu -o fused.cubin
    nvdisasm -c fused.cubin | tools/bench/sass_counts.py [--kernel TEXT]

Prints a line of JSON for each kernel whose name contains TEXT: the number of all instructions, of the kinds below, and
of each kind of global load. These are static counts of the code, not of executed instructions: the body of a loop
counts once, that of an unrolled loop as often as it is unrolled. Exit status: 0; 1 no such kernel.
"""

import argparse
import collections
import json
import re
import sys

KINDS = {
    "FFMA": "fp32 multiply-adds",
    "LDG": "loads from global memory",
    "STG": "stores to global memory",
    "LDGSTS": "asynchronous copies from global to shared memory",
    "LDS": "loads from shared memory",
    "STS": "stores to shared memory",
    "SHFL": "shuffles",
    "BAR": "barriers of the block",
    "MEMBAR": "fences",
    "CCTL": "invalidations of the L1 cache",
    "I2FP": "integer conversions",
    "PRMT": "byte permutations",
    "BRA": "branches",
}
KERNEL = re.compile(r"^\.text\.(\S+):")
INSTRUCTION = re.compile(r"^\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_]*)((?:\.[A-Za-z0-9_]+)*)")


def count(lines):
    """{kernel: {"instructions": n, kind: n, "loads": {"LDG.E.128": n}}} from the lines of a disassembly."""
    kernels, kernel = {}, None
    for line in lines:
        if match := KERNEL.match(line):
            kernel = kernels.setdefault(match[1], {"all": collections.Counter(), "loads": collections.Counter()})
        elif kernel is not None and (match := INSTRUCTION.match(line)):
            kernel["all"][match[1]] += 1
            if match[1] == "LDG":
                kernel["loads"][match[1] + match[2]] += 1
    return {
        name: {"instructions": found["all"].total() - found["all"]["NOP"]}
        | {kind: found["all"][kind] for kind in KINDS}
        | {"loads": dict(sorted(found["loads"].items()))}
        for name, found in kernels.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", default="", metavar="TEXT", help="only kernels whose name contains TEXT")
    options = parser.parse_args()
    found = {name: counts for name, counts in count(sys.stdin).items() if options.kernel in name}
    for name, counts in found.items():
        print(json.dumps({"kernel": name} | counts))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
