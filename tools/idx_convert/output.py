"""Writes the four IDX files of a data set, and classes.txt, so that an error or Ctrl-C leaves no part of a data set.

Each file is written as NAME.part and renamed when all are complete. Ctrl-C does not stop the renaming. If one of the
files cannot be renamed, the message says which were already replaced.
"""

import os
import pathlib
import signal

from .messages import FILES, Failure, counted, note, printable

SETS = ("train", "t10k")  # the names MNIST gave to its training and test set
KINDS = ("images-idx3-ubyte", "labels-idx1-ubyte")
NAMES = tuple(f"{each}-{kind}" for each in SETS for kind in KINDS)
UNSIGNED_BYTES, INT32 = 0x08, 0x0C  # types of IDX elements
IDX_TYPES = (0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E)
CLASSES = "classes.txt"


def header(dimensions, element=UNSIGNED_BYTES):
    sizes = b"".join(each.to_bytes(4, "big") for each in dimensions)
    return bytes([0, 0, element, len(dimensions)]) + sizes


def is_idx(path):
    with open(path, "rb") as file:
        start = file.read(4)
    return len(start) == 4 and start[:2] == b"\0\0" and start[2] in IDX_TYPES and 1 <= start[3] <= 4


class DataSet:
    """A context manager: leaving it without an exception publishes the files, with one removes them."""

    def __init__(self, folder, class_names=None):
        self.folder = pathlib.Path(folder)
        self.class_names = class_names
        self.files = {}  # open files by name

    def __enter__(self):
        self.created = not self.folder.exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.check_existing()
        return self

    def check_existing(self):
        """Files that no earlier run can have written are not overwritten."""
        existing = [self.folder / name for name in NAMES if os.path.lexists(self.folder / name)]
        for path in existing:
            if not path.is_file() or not is_idx(path):
                raise Failure(FILES, f"{path} exists and is not an IDX file; it is not overwritten")
        classes = self.folder / CLASSES
        if not os.path.lexists(classes):
            return
        if self.class_names is None:
            note(f"{classes} exists and is left as it is; it may not describe the new labels")
        elif not existing or not classes.is_file():
            raise Failure(FILES, f"{classes} exists, and no IDX file next to it; it is not overwritten")

    def create(self, name):
        self.files[name] = open(self.folder / f"{name}.part", "wb")
        return self.files[name]

    def images(self, of_set, count, shape):
        """The open file of a set's samples, after its header."""
        file = self.create(f"{of_set}-{KINDS[0]}")
        file.write(header([count, *shape]))
        return file

    def label_file(self, of_set, count, element=UNSIGNED_BYTES):
        file = self.create(f"{of_set}-{KINDS[1]}")
        file.write(header([count], element))
        return file

    def labels(self, of_set, values, element):
        """A whole file of labels."""
        file = self.label_file(of_set, len(values), element)
        if element == UNSIGNED_BYTES:
            file.write(bytes(iter(values)))
        else:
            file.write(b"".join(value.to_bytes(4, "big") for value in values))

    def __exit__(self, kind, error, trace):
        complete = False
        try:
            if kind is None:
                if self.class_names is not None:
                    text = "".join(f"{name}\n" for name in self.class_names)
                    self.create(CLASSES).write(text.encode("utf-8", "surrogateescape"))
                for file in self.files.values():
                    file.close()
                self.publish()
                complete = True
        finally:
            if not complete:
                self.remove()

    def publish(self):
        """Renames all files. Errors: Failure."""
        names = list(self.files)
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for index, name in enumerate(names):
                try:
                    os.replace(self.folder / f"{name}.part", self.folder / name)
                except OSError as error:
                    replaced = ", ".join(names[:index]) or "none"
                    raise Failure(FILES, f"{self.folder / name}: {error.strerror}; already replaced: {replaced}; as "
                                         f"before: {', '.join(names[index:])}") from None
        finally:
            signal.signal(signal.SIGINT, handler)

    def remove(self):
        for name, file in self.files.items():
            try:
                file.close()
            except OSError:
                pass  # the disk is full: closing writes what is left in the buffer
            (self.folder / f"{name}.part").unlink(missing_ok=True)
        if self.created:
            try:
                self.folder.rmdir()
            except OSError:
                pass  # another program has put something there

    def summary(self, counts, shape):
        """Says on standard output what was written."""
        classes = f", {len(self.class_names)} classes" if self.class_names is not None else ""
        samples = f"{counted(counts[0], 'training sample')} and {counted(counts[1], 'test sample')}"
        print(f"{printable(self.folder)}: {samples} of {'x'.join(map(str, shape))}{classes}")
