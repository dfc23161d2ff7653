"""make_idx from-npz: an archive of NumPy arrays.

The names are those of Keras' data sets, such as mnist.npz (x_train, y_train, x_test, y_test), or those of MedMNIST
(train_images, train_labels, test_images, test_labels; its validation set is not converted).
"""

from . import arguments, arrays
from .messages import bad_data, check_regular, note, require

NAMES = (("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels"))


def add_arguments(parser):
    parser.add_argument("file", metavar="FILE", help="the archive, FILE.npz")
    arguments.add_folder(parser)
    arguments.add_range(parser, arguments.RANGE_OF_ARRAYS)


def run(asked):
    numpy = require("numpy", "numpy", "NumPy")
    check_regular(asked.file)
    archive = arrays.load(numpy, asked.file)
    if not hasattr(archive, "files"):
        raise bad_data(f"{asked.file}: holds a single array; expected an archive of several. See make_idx from-npy")
    names = next((each for each in NAMES if set(each) <= set(archive.files)), None)
    if names is None:
        raise bad_data(f"{asked.file}: expected arrays named {', '.join(NAMES[0])}, or {', '.join(NAMES[1])}; it has "
                       f"{', '.join(archive.files) or 'none'}")
    ignored = sorted(set(archive.files) - set(names))
    if ignored:
        note(f"not converted: {', '.join(ignored)}")
    try:
        loaded = [archive[name] for name in names]
    except Exception as error:
        raise arrays.unreadable(asked.file, error) from None
    arrays.write(numpy, asked.folder, loaded, names, asked.range)
