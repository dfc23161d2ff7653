"""The networks of `conv_steps` as lists of layers in warpfit's notation. Needs no PyTorch."""

import pathlib
import tomllib

RECIPE = pathlib.Path(__file__).resolve().parents[2] / "data/recipes/cnn-94.toml"
LENET = "conv(6,5,padding=2),relu,maxpool(2),conv(16,5),relu,maxpool(2),linear(120),relu,linear(84),relu,linear(10)"
BATCH_NORM = (
    "conv(32,3,padding=1),batchnorm,relu,maxpool(2),conv(64,3,padding=1),batchnorm,relu,maxpool(2),linear(128),relu,"
    "linear(10)"
)
# The keys of a layer in a TOML file that are positional arguments in the text form.
POSITIONAL = {"conv": ("out_channels", "kernel_size"), "maxpool": ("kernel_size",), "avgpool": ("kernel_size",),
              "linear": ("outputs",)}


def value_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def layer_text(layer):
    """A table [[layer]] of a TOML file as text, for example conv(8,3,padding=1)."""
    kind, first = layer["type"], POSITIONAL.get(layer["type"], ())
    values = [value_text(layer[key]) for key in first]
    values += [f"{key}={value_text(value)}" for key, value in layer.items() if key != "type" and key not in first]
    return f"{kind}({','.join(values)})" if values else kind


def text_of_recipe(path):
    """The network of a TOML file, such as data/recipes/cnn-94.toml."""
    with open(path, "rb") as file:
        return ",".join(layer_text(layer) for layer in tomllib.load(file)["layer"])


def on_cpu():
    """Rows of the comparison: name, network, batch size."""
    return [("LeNet-5 with ReLU", LENET, 64), ("two convolutions, batch norm", BATCH_NORM, 64)]


def on_cuda():
    rows = [(f"{name}, batch {batch}", text, batch) for name, text, _ in on_cpu() for batch in (64, 1024)]
    return [*rows, ("cnn-94, batch 1024", text_of_recipe(RECIPE), 1024)]
