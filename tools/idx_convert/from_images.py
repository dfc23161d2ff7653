"""make_idx from-images: PNG or JPEG files in a folder for each class, as torchvision.datasets.ImageFolder takes them.

SOURCE/CLASS/FILE.png, split by --test-fraction; or SOURCE/train/CLASS/FILE.png and SOURCE/test/CLASS/FILE.png
(or val, or valid), a split that is kept. The sorted class names have the labels 0, 1 and so on; classes.txt lists them.
Folders below a class are searched, hidden files are not converted. Training samples are written in random order.
Extensions: .jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp.

Images are grayscale (N, H, W) if all files are, otherwise RGB (N, 3, H, W). The EXIF orientation is applied.
Transparent images are composited on white. With --size, images are resized by Pillow's bilinear filter, antialiased,
without keeping their aspect ratio. 16-bit grayscale is scaled from 0..65535, or from --range.
"""

import os

from . import arguments
from .class_folders import ClassFolders
from .labels import element_type
from .messages import USAGE, Failure, bad_data, note
from .output import SETS, DataSet
from .pictures import Decoder
from .split import DEFAULT_FRACTION, shuffled, test_members


def add_arguments(parser):
    parser.add_argument("source", metavar="SOURCE", help="folder with a folder for each class")
    arguments.add_folder(parser)
    parser.add_argument("--size", type=arguments.image_size, metavar="HxW",
                        help="resize all images to this height and width (default: all must have the same size)")
    parser.add_argument("--color", choices=("gray", "rgb"),
                        help="grayscale, or red, green and blue (default: gray if all images are gray)")
    arguments.add_test_fraction(parser, "if SOURCE has no split")
    arguments.add_seed(parser, "seed of the split and of the training samples' order")
    arguments.add_range(parser, "16-bit grayscale: values that become 0 and 255; values outside are clipped "
                                "(default 0,65535)")


def samples_of(asked):
    """The class names, and for each set pairs of a path and its label."""
    found = ClassFolders(asked.source)
    if found.given_split:
        if asked.test_fraction is not None:
            raise Failure(USAGE, f"{asked.source} has a folder for training and one for testing, so "
                                 "--test-fraction has nothing to split")
        train, test = [[(path, label) for label, paths in enumerate(classes) for path in paths]
                       for classes in (found.train, found.test)]
    else:
        train, test = [], []
        fraction = asked.test_fraction or DEFAULT_FRACTION
        for label, (name, paths) in enumerate(zip(found.class_names, found.train)):
            testing = test_members(len(paths), fraction, asked.seed, f"class {name}")
            for index, path in enumerate(paths):
                (test if index in testing else train).append((path, label))
    train = [train[index] for index in shuffled(len(train), f"{asked.seed} order")]
    return found.class_names, [train, test]


def different_sizes(first, size, second, other):
    return bad_data(f"{first} has {size[1]}x{size[0]} pixels (height x width), but {second} has {other[1]}x{other[0]}; "
                    "resize all images with --size HxW")


def survey(decoder, paths, asked):
    """Whether the images are written as gray. Most images of different sizes are found here, before any is decoded."""
    gray = True
    first_size = None
    for path in paths:
        image_gray, size = decoder.header(path)
        gray = gray and image_gray
        first_size = first_size or size
        if asked.size is None and sorted(size) != sorted(first_size):  # the orientation may exchange the two
            raise different_sizes(paths[0], decoder.size(paths[0]), path, decoder.size(path))
    return gray if asked.color is None else asked.color == "gray"


def run(asked):
    if os.path.realpath(asked.folder).startswith(os.path.realpath(asked.source) + os.sep):
        raise Failure(USAGE, f"{asked.folder} is inside {asked.source}, where it would be taken for a class; choose a "
                             "folder elsewhere")
    decoder = Decoder(asked.range)
    class_names, samples = samples_of(asked)
    paths = sorted(path for of_set in samples for path, _ in of_set)
    gray = survey(decoder, paths, asked)
    size = (asked.size[1], asked.size[0]) if asked.size else None
    expected = size or decoder.size(paths[0])
    shape = [*([] if gray else [3]), expected[1], expected[0]]
    element = element_type(*[[label for _, label in of_set] for of_set in samples])
    with DataSet(asked.folder, class_names) as data_set:
        for name, of_set in zip(SETS, samples):
            images = data_set.images(name, len(of_set), shape)
            data_set.labels(name, [label for _, label in of_set], element)
            for path, _ in of_set:
                pixels, shown = decoder.pixels(path, gray, size)
                if size is None and shown != expected:
                    raise different_sizes(paths[0], expected, path, shown)
                images.write(pixels)
    if decoder.has_deep:
        note(f"16-bit gray values are scaled: {decoder.scale.low:g} becomes 0, {decoder.scale.high:g} becomes 255")
        decoder.scale.report_clipped()
    data_set.summary([len(of_set) for of_set in samples], shape)
