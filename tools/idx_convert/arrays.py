"""NumPy arrays: their labels as integers, and their samples as bytes, block by block."""

import math

from . import scale
from .labels import check_counts, check_label, element_type, report
from .messages import bad_data, note
from .output import SETS, DataSet

BLOCK = 1 << 20  # elements converted at once, or one sample


def load(numpy, path, **options):
    """An array or an archive of arrays, without running anything that a file may contain. Errors: Failure, OSError."""
    with open(path, "rb") as file:
        start = file.read(6)
    if start != b"\x93NUMPY" and not start.startswith(b"PK"):
        raise bad_data(f"{path}: is neither a NumPy array (.npy) nor an archive of arrays (.npz)")
    try:
        return numpy.load(path, allow_pickle=False, **options)
    except Exception as error:
        raise unreadable(path, error) from None


def unreadable(path, error):
    if isinstance(error, OSError) and error.errno is not None or isinstance(error, MemoryError):
        return error
    if "Object arrays" in str(error) or "Python objects" in str(error):
        return bad_data(f"{path}: holds an array of Python objects, which is not read because that could run a program "
                        "from the file; save the array with a numeric type")
    return bad_data(f"{path}: cannot be read as a NumPy file ({error})")


def kind_of(array, name):
    if array.dtype.kind == "f":
        return "float"
    if array.dtype.kind in "iu":
        return array.dtype.name if array.dtype.name in ("uint8", "uint16") else "integer"
    if array.dtype.kind == "b":
        return "bool"
    raise bad_data(f"{name}: the type {array.dtype} is neither an integer nor a floating-point type")


def labels_of(numpy, array, name):
    """The labels as Python integers: from (N), (N, 1) or one-hot (N, C)."""
    kind_of(array, name)
    if array.ndim == 2 and array.shape[1] > 1:
        return one_hot(numpy, array, name)
    if array.ndim != 1 and (array.ndim != 2 or array.shape[1] != 1):
        raise bad_data(f"{name}: labels of the shape {array.shape}; expected (N), (N, 1) or one-hot (N, C)")
    column = array.ndim == 2
    where = "{0}[{1}, 0]" if column else "{0}[{1}]"
    values = numpy.asarray(array).reshape(-1)
    values = values.astype(int) if values.dtype.kind == "b" else values
    return [check_label(value, lambda: where.format(name, index)) for index, value in enumerate(values.tolist())]


def one_hot(numpy, array, name):
    valid = ((array == 0) | (array == 1)).all(axis=1) & (array.sum(axis=1) == 1)
    if not valid.all():
        raise bad_data(f"{name}[{int(numpy.argmin(valid))}]: a row of {array.shape[1]} values that is not one-hot; "
                       "expected a single 1 and otherwise 0")
    note(f"{name} is one-hot encoded; the position of the 1 is the label")
    return numpy.argmax(array, axis=1).tolist()


class Layout:
    """The order of a sample's dimensions: images with channels last are written with channels first."""

    def __init__(self, shape):
        self.axes = None
        self.shape = list(shape)
        if len(shape) == 3 and shape[2] <= 4 < shape[0]:
            self.axes = (0, 3, 1, 2)
            self.shape = [shape[2], *shape[:2]] if shape[2] > 1 else list(shape[:2])
            note(f"the samples of {'x'.join(map(str, shape))} have their channels last; "
                 f"they are written as {'x'.join(map(str, self.shape))}")

    def apply(self, block):
        return block.transpose(self.axes) if self.axes else block


def blocks(array):
    """Pairs of the first index and the rows from there."""
    rows = max(1, BLOCK // math.prod(array.shape[1:]))
    for first in range(0, len(array), rows):
        yield first, array[first:first + rows]


def limits(numpy, array, name):
    """The smallest and the largest value. Errors: Failure for a value that is not finite."""
    low, high = math.inf, -math.inf
    for first, block in blocks(array):
        finite = numpy.isfinite(block)
        if not finite.all():
            index = numpy.argwhere(~finite)[0].tolist()
            position = ", ".join(map(str, [first + index[0], *index[1:]]))
            raise bad_data(f"{name}[{position}] is {block[tuple(index)]}; expected finite pixel values")
        low, high = min(low, block.min().item()), max(high, block.max().item())
    return low, high


def choose_scale(numpy, images, names, asked):
    kinds = [kind_of(array, name) for array, name in zip(images, names)]
    if kinds[0] != kinds[1] and not asked:
        raise bad_data(f"{names[0]} is of the type {images[0].dtype} and {names[1]} of the type {images[1].dtype}; "
                       "use one type for both, or give --range LOW,HIGH")
    if not {"float", "integer"} & set(kinds):
        return scale.choose(kinds[0], 0, 65535, asked)
    each = [limits(numpy, array, name) for array, name in zip(images, names)]
    return scale.choose(kinds[0], min(low for low, _ in each), max(high for _, high in each), asked)


def check_shapes(images, names):
    for array, name in zip(images, names):
        if not 2 <= array.ndim <= 4 or array.size == 0:
            raise bad_data(f"{name}: samples of the shape {array.shape}; expected at least one sample and 2 to 4 "
                           "dimensions, such as (N, 784), (N, 28, 28) or (N, 32, 32, 3)")
    if images[0].shape[1:] != images[1].shape[1:]:
        raise bad_data(f"{names[0]} has samples of the shape {images[0].shape[1:]}, but {names[1]} of the shape "
                       f"{images[1].shape[1:]}")


def write(numpy, folder, arrays, names, asked_range):
    """arrays and names: training images and labels, test images and labels."""
    images, labels = arrays[0::2], arrays[1::2]
    check_shapes(images, names[0::2])
    labels = [labels_of(numpy, array, name) for array, name in zip(labels, names[1::2])]
    for index in (0, 1):
        check_counts(f"{names[2 * index]} and {names[2 * index + 1]}", len(images[index]), len(labels[index]))
    scaling = choose_scale(numpy, images, names[0::2], asked_range)
    layout = Layout(images[0].shape[1:])
    report(*labels)
    with DataSet(folder) as data_set:
        for name, array, values in zip(SETS, images, labels):
            data_set.labels(name, values, element_type(*labels))
            file = data_set.images(name, len(array), layout.shape)
            for _, block in blocks(array):
                file.write(layout.apply(scaling.array(numpy, block)).tobytes())
    scaling.report_clipped()
    data_set.summary([len(each) for each in images], layout.shape)
