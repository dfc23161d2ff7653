"""Scales pixel values of other types to bytes: LOW becomes 0, HIGH becomes 255, rounded to nearest, halves upwards."""

from .messages import bad_data, counted, note

FLOAT_RANGES = ((0, 1), (-1, 1), (0, 255))


class Scale:
    def __init__(self, low, high, as_is=False):
        self.low, self.high = low, high
        self.as_is = as_is  # the values are integers from 0 to 255 already
        self.clipped = 0

    def byte(self, value):
        if not self.low <= value <= self.high:
            self.clipped += 1
            return 0 if value < self.low else 255
        return int((value - self.low) * 255 / (self.high - self.low) + 0.5)

    def array(self, numpy, values):
        """The same for a NumPy array."""
        if self.as_is:
            return values.astype(numpy.uint8)
        values = values.astype(numpy.float64)
        self.clipped += int(numpy.count_nonzero((values < self.low) | (values > self.high)))
        values = numpy.clip(values, self.low, self.high)
        return numpy.floor((values - self.low) * 255 / (self.high - self.low) + 0.5).astype(numpy.uint8)

    def report(self):
        if self.as_is:
            note("the pixel values are taken as they are, as bytes from 0 to 255")
        else:
            note(f"the pixel values are scaled: {self.low:g} becomes 0, {self.high:g} becomes 255")

    def report_clipped(self):
        if self.clipped:
            note(f"{counted(self.clipped, 'pixel value')} outside the range {self.low:g} to {self.high:g} "
                 f"{'was' if self.clipped == 1 else 'were'} clipped")


def choose(kind, low, high, asked):
    """The scale for values of a kind (bool, uint8, uint16, integer, float) from low to high; asked: --range or None.

    Errors: Failure if the range cannot be derived.
    """
    if asked:
        scale = Scale(*asked)
    elif kind == "bool":
        scale = Scale(0, 1)
    elif kind == "uint8" or kind == "integer" and 0 <= low and high <= 255:
        scale = Scale(0, 255, as_is=True)
    elif kind == "uint16":
        scale = Scale(0, 65535)
    else:
        fitting = [each for each in FLOAT_RANGES if each[0] <= low and high <= each[1]] if kind == "float" else []
        if not fitting:
            raise bad_data(f"the pixel values reach from {low:g} to {high:g}, which is none of the usual ranges; "
                           "name the values that become 0 and 255 with --range LOW,HIGH")
        scale = Scale(*fitting[0])
    scale.report()
    if kind == "integer" and scale.as_is and high <= 1:
        note(f"the largest pixel value is {high:g}; if 1 is the brightest, use --range 0,1")
    return scale
