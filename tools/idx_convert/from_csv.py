"""make_idx from-csv: tables with one sample a line, such as label,pixel0,pixel1,... as Kaggle's data sets have them.

The first line may name the columns. A file may be compressed with gzip. Values are separated by commas. Each file is
read twice, line by line, so that memory holds the labels only. Needs Python alone.
"""

import math

from . import arguments, scale
from .csv_table import Table
from .labels import element_type, report
from .messages import USAGE, Failure, bad_data, note
from .output import SETS, DataSet
from .split import DEFAULT_FRACTION, test_members


def add_arguments(parser):
    arguments.add_folder(parser)
    parser.add_argument("--train", required=True, metavar="TRAIN.csv", help="the training samples, .csv or .csv.gz")
    parser.add_argument("--test", metavar="TEST.csv", help="the test samples; without it, some of --train are taken")
    arguments.add_test_fraction(parser, "without --test")
    arguments.add_seed(parser, "seed of the split by --test-fraction")
    parser.add_argument("--shape", type=arguments.shape, metavar="HxW",
                        help="shape of a sample, 1 to 3 dimensions such as 28x28 or 3x32x32 (default: square if the "
                             "number of pixels is, otherwise a vector)")
    parser.add_argument("--label-column", default=None, metavar="NAME",
                        help="column of the label: its name, first or last (default: the column named label, "
                             "otherwise the first)")
    arguments.add_range(
        parser, "pixel values that become 0 and 255; values outside are clipped. Default: integers from 0 to 255 are "
        "taken as they are; other values the first of 0,1 and -1,1 and 0,255 that holds all")


def shape_of(pixels, asked):
    if asked:
        if math.prod(asked) != pixels:
            raise bad_data(f"--shape {'x'.join(map(str, asked))} has {math.prod(asked)} values, but each line has "
                           f"{pixels} besides its label")
        return asked
    side = math.isqrt(pixels)
    if side * side == pixels:
        return [side, side]
    note(f"{pixels} values in each line are no square image, so the samples are written as vectors; use --shape for "
         "images")
    return [pixels]


def choose_scale(tables, asked):
    kind = "integer" if all(table.whole for table in tables) else "float"
    return scale.choose(kind, min(table.low for table in tables), max(table.high for table in tables), asked)


def split(labels, fraction, seed):
    """For each sample, whether it is for testing."""
    members = {}
    for index, label in enumerate(labels):
        members.setdefault(label, []).append(index)
    testing = bytearray(len(labels))
    for label, indices in sorted(members.items()):
        for position in test_members(len(indices), fraction, seed, f"class {label}"):
            testing[indices[position]] = 1
    return testing


def write(table, files, testing, scaling):
    """Each sample into the first file, or into the second if it is for testing."""
    for (_, _, fields), to in zip(table.rows(), testing):
        if scaling.as_is:
            files[to].write(bytes(map(int, fields)))
        else:
            files[to].write(bytes(map(scaling.byte, map(float, fields))))


def run(asked):
    if asked.test is not None and asked.test_fraction is not None:
        raise Failure(USAGE, "--test-fraction splits --train, which --test makes unnecessary; give one of the two")
    tables = [Table(path, asked.label_column) for path in (asked.train, asked.test) if path is not None]
    for table in tables:
        table.survey()
        if table.pixels != tables[0].pixels:
            raise bad_data(f"{tables[0].path} has {tables[0].pixels} values in each line besides the label, but "
                           f"{table.path} has {table.pixels}; does it lack the labels?")
    shape = shape_of(tables[0].pixels, asked.shape)
    scaling = choose_scale(tables, asked.range)
    labels = [table.labels for table in tables]
    testing = [bytes(len(labels[0])), b"\1" * len(labels[-1])]  # for the samples of each table
    if asked.test is None:
        testing = [split(labels[0], asked.test_fraction or DEFAULT_FRACTION, asked.seed)]
        labels = [[label for label, each in zip(labels[0], testing[0]) if each == to] for to in (0, 1)]
    report(*labels)
    with DataSet(asked.folder) as data_set:
        for name, values in zip(SETS, labels):
            data_set.labels(name, values, element_type(*labels))
        files = [data_set.images(name, len(values), shape) for name, values in zip(SETS, labels)]
        for table, to in zip(tables, testing):
            write(table, files, to, scaling)
    scaling.report_clipped()
    data_set.summary([len(each) for each in labels], shape)
