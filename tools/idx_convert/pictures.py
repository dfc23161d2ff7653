"""Decodes image files with Pillow to 8-bit pixels of one shape.

The EXIF orientation is applied. Transparent images are composited on white. Colour becomes gray as in Pillow,
0.299 R + 0.587 G + 0.114 B. 16-bit grayscale is scaled to 8 bits; of 16-bit colour, Pillow keeps the upper 8 bits.
Images are resized without keeping their aspect ratio, by Pillow's bilinear filter, which is antialiased when an image
becomes smaller. Of several frames, the first is used.
"""

import array
import math
import warnings

from .messages import bad_data, check_regular, require
from .scale import Scale

FORMATS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP", "GIF")  # no format for which Pillow starts another program
ORIENTATION = 0x0112  # tag in EXIF
DEEP_RANGE = (0, 65535)


class Decoder:
    def __init__(self, deep_range):
        self.pil = require("PIL.Image", "pil", "Pillow")
        self.pil.init()
        self.formats = [name for name in FORMATS if name in self.pil.OPEN]
        self.scale = Scale(*(deep_range or DEEP_RANGE))
        self.range_given = deep_range is not None
        self.has_deep = False
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata; what it cannot read is an error
        pil = self.pil
        self.turns = {2: pil.FLIP_LEFT_RIGHT, 3: pil.ROTATE_180, 4: pil.FLIP_TOP_BOTTOM, 5: pil.TRANSPOSE,
                      6: pil.ROTATE_270, 7: pil.TRANSVERSE, 8: pil.ROTATE_90}

    def read(self, path, use):
        """What `use` makes of the opened image. Errors: Failure that names the file; OSError."""
        check_regular(path)
        try:
            with self.pil.open(path, formats=self.formats) as image:
                return use(image)
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None or isinstance(error, MemoryError):
                raise
            reason = "its format is not known" if isinstance(error, self.pil.UnidentifiedImageError) else error
            raise bad_data(f"{path}: cannot be read as an image ({reason})") from None

    def header(self, path):
        """Whether the image is gray, and its width and height before its orientation is applied."""
        return self.read(path, lambda image: (is_gray(image), image.size))

    def size(self, path):
        """Width and height as shown."""
        clipped = self.scale.clipped
        size = self.read(path, lambda image: self.upright(image).size)
        self.scale.clipped = clipped  # these pixels are not written
        return size

    def pixels(self, path, gray, size):
        """The bytes of an image (H, W), or (3, H, W) unless gray, and its width and height before it was resized."""
        return self.read(path, lambda image: self.convert(image, gray, size))

    def convert(self, image, gray, size):
        image = self.upright(image)
        shown = image.size
        image = image.convert("L" if gray else "RGB")
        if size is not None and image.size != size:
            image = image.resize(size, self.pil.BILINEAR)
        return b"".join(channel.tobytes() for channel in image.split()), shown

    def upright(self, image):
        """The image as it is meant to be seen, with 8 bits a channel and without transparency."""
        image.load()
        try:
            orientation = image.getexif().get(ORIENTATION)
        except Exception:
            orientation = None  # damaged metadata of an image that can be read
        if image.mode == "F" or image.mode.startswith("I"):
            image = self.eight_bits(image)
        elif image.mode in ("LA", "RGBA", "PA", "RGBa") or "transparency" in image.info:
            image = image.convert("RGBA")
            image = self.pil.alpha_composite(self.pil.new("RGBA", image.size, "white"), image).convert("RGB")
        return image.transpose(self.turns[orientation]) if orientation in self.turns else image

    def eight_bits(self, image):
        """Grayscale of 16 bits, 32 bits or floating-point numbers."""
        self.has_deep = True
        whole = image.mode != "F"
        values = array.array("i" if whole else "f", image.convert("I" if whole else "F").tobytes())
        if not all(map(math.isfinite, values)):
            raise ValueError("it has gray values that are not finite")
        low, high = min(values), max(values)
        if not self.range_given and (not whole or low < self.scale.low or high > self.scale.high):
            raise ValueError(f"its gray values reach from {low:g} to {high:g}; name the values that become 0 and 255 "
                             "with --range LOW,HIGH")
        return self.pil.frombytes("L", image.size, bytes(map(self.scale.byte, values)))


def is_gray(image):
    """Whether the file stores gray values, or a palette of gray values only."""
    if image.mode in ("P", "PA"):
        palette = image.getpalette()
        return palette[0::3] == palette[1::3] == palette[2::3]
    return image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")
