"""make_idx from-npy: four files of NumPy arrays.

Samples have the shape (N, D), (N, H, W), (N, H, W, C) or (N, C, H, W); labels (N), (N, 1) or one-hot (N, classes).
Files are mapped into memory, so that they may be larger than it.
"""

from . import arguments, arrays
from .messages import bad_data, check_regular, require


def add_arguments(parser):
    arguments.add_folder(parser)
    arguments.add_files(parser, "FILE.npy")
    arguments.add_range(parser, arguments.RANGE_OF_ARRAYS)


def run(asked):
    numpy = require("numpy", "numpy", "NumPy")
    paths = arguments.files_of(asked)
    for path in paths:
        check_regular(path)
    loaded = [arrays.load(numpy, path, mmap_mode="r") for path in paths]
    for path, array in zip(paths, loaded):
        if hasattr(array, "files"):
            raise bad_data(f"{path}: holds an archive of arrays; expected a single one. See make_idx from-npz")
    arrays.write(numpy, asked.folder, loaded, paths, asked.range)
