"""Messages on standard error, and the failures that end the program with a stated exit status."""

import importlib
import os
import stat
import sys

USAGE, BAD_DATA, FILES, MEMORY, MISSING_PACKAGE = 2, 3, 5, 7, 6  # exit statuses


class Failure(Exception):
    """Ends the program with this exit status after printing the message, and below it commands that may help."""

    def __init__(self, status, message, commands=()):
        super().__init__(message)
        self.status = status
        self.commands = commands


def bad_data(message):
    return Failure(BAD_DATA, message)


def printable(text):
    """The text with control characters escaped, so that a file name cannot change the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def say(message, commands=()):
    """One line, and below it the lines that can be copied into a terminal."""
    print(f"make_idx: {printable(message)}", *commands, sep="\n", file=sys.stderr)


def note(message):
    say(f"note: {message}")


def counted(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def check_regular(path):
    """Fails unless the path is a regular file; a missing file raises the OSError that names it."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Failure(FILES, f"{path}: expected a regular file")


def require(module, package, name):
    """The imported module of a package that not every computer has."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Failure(MISSING_PACKAGE, f"this subcommand needs the Python package {name}. Install it with one of:",
                      [f"apt install python3-{package}", f"pip install {name.lower()}"]) from None
