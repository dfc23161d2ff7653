"""Finds labelled images in class folders, as torchvision.datasets.ImageFolder does.

SOURCE/CLASS/... or, with a given split, SOURCE/train/CLASS/... and SOURCE/test/CLASS/... (or val, or valid). The names
of the classes, sorted, have the labels 0, 1 and so on. Folders below a class are searched too.
"""

import os
import re

from .labels import check_label
from .messages import bad_data, counted, note

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
TEST_NAMES = ("test", "val", "valid")
MAX_NAME = 200  # bytes of UTF-8
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")  # also reverses text


def folders_in(folder):
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def name_problem(name):
    """Why warpfit does not read this class name, as host/stream/class_names.cpp defines it; None if it does."""
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:  # Python keeps bytes that are not UTF-8 as surrogates
        return "is not UTF-8"
    if CONTROL.search(name):
        return "contains a control character"
    return f"has {size} bytes, expected at most {MAX_NAME}" if size > MAX_NAME else None


class ClassFolders:
    """`class_names`; `given_split`; `train` and `test`: for each class the paths of its images, sorted.

    Without a given split, `train` has all images and `test` is None. Errors: Failure, OSError.
    """

    def __init__(self, source):
        self.skipped = []
        found = folders_in(source)
        test_name = next((name for name in TEST_NAMES if name in found), None)
        self.given_split = "train" in found and test_name is not None
        if not self.given_split:
            self.class_names, self.train = self.classes_in(source)
            self.test = None
        else:
            others = [name for name in found if name not in ("train", test_name)]
            if others:
                note(f"{source}: has the folders train and {test_name}; not converted: {', '.join(others)}")
            self.class_names, self.train = self.classes_in(os.path.join(source, "train"))
            test_classes, self.test = self.classes_in(os.path.join(source, test_name))
            self.check_same(test_classes, test_name)
        if self.skipped:
            note(f"{counted(len(self.skipped), 'file')} of other types not converted, for example {self.skipped[0]}")

    def classes_in(self, folder):
        names = folders_in(folder)
        if len(names) < 2:
            found = f"only {names[0]}" if names else "none"
            hint = ("; to split the images of this folder, name it as SOURCE: " + os.path.join(folder, "train")
                    if names == ["train"] else "")
            raise bad_data(f"{folder}: expected a folder for each of at least two classes, found {found}{hint}")
        for name in names:
            if problem := name_problem(name):
                raise bad_data(f"{os.path.join(folder, name)}: the name of the class {problem}; rename the folder")
        check_label(len(names) - 1, lambda: f"{folder}, class {names[-1]}")
        return names, [self.images_in(os.path.join(folder, name)) for name in names]

    def images_in(self, folder):
        """All images in a folder and the folders below it, which links may lead to."""
        images, seen = [], set()

        def fail(error):
            raise error

        for path, folders, files in os.walk(folder, followlinks=True, onerror=fail):
            real = os.path.realpath(path)
            folders[:] = [] if real in seen else sorted(name for name in folders if not name.startswith("."))
            if real in seen:
                continue
            seen.add(real)
            visible = [os.path.join(path, name) for name in sorted(files) if not name.startswith(".")]
            images += [each for each in visible if each.lower().endswith(EXTENSIONS)]
            self.skipped += [each for each in visible if not each.lower().endswith(EXTENSIONS)]
        if not images:
            raise bad_data(f"{folder}: there are no images in the folder of this class; expected files that end in "
                           f"{', '.join(EXTENSIONS)}")
        return sorted(images)

    def check_same(self, test_classes, test_name):
        for name in self.class_names:
            if name not in test_classes:
                raise bad_data(f"the class {name} is in the folder train, but not in {test_name}")
        for name in test_classes:
            if name not in self.class_names:
                raise bad_data(f"the class {name} is in the folder {test_name}, but not in train")
