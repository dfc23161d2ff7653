"""Reads the tables of planted faults: *.txt in this folder.

Each fault is a paragraph; lines between paragraphs that begin with '#' are comments:

    name: relu-passes-at-zero
    file: cuda/ops/relu.cu
    breaks: the gradient passes through ReLU where its output is 0
    tests: Relu LinearTest.ReluPassesNothing
    modes: eager
    -    if (!(y[i] > 0.0F)) dx[i] = 0.0F;
    +    if (!(y[i] >= 0.0F)) dx[i] = 0.0F;

breaks     the effect of the fault
program    the test program that must find it (see PROGRAMS); default emulated_tests; mpi: warpfit_tests, with MPI
tests      names of suites, or prefixes of suite.test, of that program. For emulated_tests, a suffix such as /cuda_stream
           selects the test parameter, which otherwise is any that begins with cuda. warpfit_tests runs without its CUDA
           tests.
modes      only for emulated_tests: how the tests run (see MODES); default the first three, one after another
sanitize   only for emulated_tests: thread or address,undefined if only that sanitizer detects the fault
-          old text: these lines, joined, must occur exactly once in the file
+          new text
"""

import dataclasses
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = {  # the test program, and what else to link: tests run a program from their own folder
    "emulated_tests": ["emulated_tests"],
    "warpfit_tests": ["warpfit_tests", "warpfit"],
    "mpi": ["warpfit_tests", "warpfit", "libwarpfit_mpi.so", "mpi_ranks_program"],
}
MODES = {  # for emulated_tests
    "eager": "order=forward,streams=eager",
    "lazy": "order=random,seed=5,streams=lazy",
    "reverse": "order=reverse,streams=eager",
    "h100": "multiprocessors=132",  # whole networks, for a few steps
}
USUAL_MODES = [*MODES][:3]


class TableError(Exception):
    pass


@dataclasses.dataclass
class Mutation:
    name: str
    file: str
    breaks: str
    tests: list
    modes: list
    sanitize: str
    program: str
    old: str
    new: str

    def apply(self, text):
        """The mutated text. Errors: TableError if the old text does not occur exactly once."""
        count = text.count(self.old)
        if count != 1:
            raise TableError(f"{self.name}: the old text occurs {count} times in {self.file}, not once")
        return text.replace(self.old, self.new)


def gtest_filter(program, tests):
    if program != "emulated_tests":
        return ":".join(sorted({f"{test}*:*/{test}*" for test in tests})) + "-*/cuda*"
    pairs = (test.partition("/") for test in tests)
    return ":".join(sorted({f"*/{test}*/{backend or 'cuda'}*" for test, _, backend in pairs}))


def parse(paragraph, where):
    """Creates a Mutation from the lines of its paragraph."""
    fields, old, new = {}, [], []
    for line in paragraph:
        if line[0] in "-+":
            (old if line[0] == "-" else new).append(line[1:])
            continue
        key, colon, value = line.partition(":")
        if not colon or key in fields:
            raise TableError(f"{where}: cannot read '{line}'")
        fields[key] = value.strip()
    program = fields.setdefault("program", "emulated_tests")
    of_program = {"modes", "sanitize"} if program == "emulated_tests" else set()
    needed = {"name", "file", "breaks", "tests"}
    missing, unknown = needed - fields.keys(), fields.keys() - needed - of_program - {"program"}
    modes = fields.pop("modes", " ".join(USUAL_MODES)).split() if of_program else [""]
    unknown |= ({program} - PROGRAMS.keys()) | (set(modes) - MODES.keys() - {""})
    if missing or unknown or not old:
        raise TableError(f"{where}: missing {sorted(missing)}, unknown {sorted(unknown)}, old text: {old}")
    fields.setdefault("sanitize", "")
    tests = fields.pop("tests").split()
    return Mutation(**fields, tests=tests, modes=modes, old="\n".join(old), new="\n".join(new))


def read(source):
    """All mutations. Errors: TableError, also if an old text does not occur exactly once in its file under `source`."""
    mutations = []
    for path in sorted(HERE.glob("*.txt")):
        paragraph = []
        for number, line in enumerate([*path.read_text().splitlines(), ""], 1):
            if line and (paragraph or not line.startswith("#")):
                paragraph.append(line)
            elif not line and paragraph:
                mutations.append(parse(paragraph, f"{path.name}, paragraph before line {number}"))
                paragraph = []
    names = [mutation.name for mutation in mutations]
    if len(set(names)) != len(names):
        raise TableError(f"names occur twice: {sorted(name for name in set(names) if names.count(name) > 1)}")
    for mutation in mutations:
        mutation.apply((source / mutation.file).read_text())
    return mutations
