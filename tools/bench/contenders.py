"""The contenders of `compare`: the command of each variant, and its runs."""

import dataclasses
import pathlib

import runs

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]

# Names of optimizers, as in torch_peer.py, and the corresponding options of warpfit.
OPTIMIZERS = {
    "sgd": ["--optimizer", "sgd"],
    "momentum": ["--optimizer", "sgd", "--momentum", "0.9"],
    "adam": ["--optimizer", "adam"],
    "adamw": ["--optimizer", "adamw"],
}
# PyTorch's implementations of an optimizer that are compared for optimizers other than plain SGD.
IMPLEMENTATIONS = ("default", "foreach", "fused")

CPU_VARIANTS = ("ours", "torch-tensors", "torch-dataloader", "torch-compile", "jax-scan")
GPU_VARIANTS = (*CPU_VARIANTS, "ours-fused", "ours-layers", "torch-eager", "torch-graph")
DEFAULT_CPU = ("ours", "torch-tensors", "jax-scan")
DEFAULT_GPU = ("ours-fused", "ours-layers", "torch-eager", "torch-compile", "torch-graph", "jax-scan")


@dataclasses.dataclass
class Contender:
    name: str
    threads: int | None  # None on a GPU
    framework: str  # warpfit, PyTorch or JAX
    command: list
    error: str | None = None  # the reason of a failure, in one line; a failed contender is not run again
    runs: list = dataclasses.field(default_factory=list)

    @property
    def is_ours(self):
        return self.framework == "warpfit"

    def label(self):
        return self.name if self.threads is None else f"{self.name}, threads {self.threads}"

    def run(self, epochs, timeout):
        """Runs the contender and adds the result. On failure, stores the error and raises RunError."""
        read = runs.run_ours if self.is_ours else runs.run_peer
        try:
            self.runs.append(read(self.command, epochs, timeout))
        except runs.RunError as error:
            self.error = error.summary
            raise


class Peer:
    """Another framework: the peer program, its Python interpreter, and whether that can import the framework."""

    def __init__(self, framework, module, python, device):
        self.framework, self.module, self.python = framework, module, python
        # JAX without its CUDA packages can be imported, but finds no GPU.
        probe = (
            "import jax; jax.devices('cuda')" if (module, device) == ("jax", "cuda") else f"import {module}"
        )
        self.error = None
        # Without the working directory (""), from which the peer programs do not import either. -I would also exclude
        # packages that were installed for a single user.
        elsewhere = "import sys; sys.path = [path for path in sys.path if path]"
        try:
            runs.launch([python, "-c", f"{elsewhere}\n{probe}"], timeout=120)
        except runs.RunError as error:
            self.error = runs.RunError(f"{python} cannot use {framework}: {error.summary}").summary

    def command(self, variant):
        return [self.python, str(HERE / f"{self.module}_peer.py"), "--variant", variant]


def default_python():
    venv = REPOSITORY / ".venv/bin/python"
    return str(venv) if venv.exists() else "python3"


def job_flags(options):
    job = {
        "--device": options.device,
        "--data": options.data,
        "--network": options.network,
        "--batch-size": str(options.batch_size),
        "--lr": options.lr,
        "--seed": options.seed,
        "--epochs": str(options.epochs),
    }
    return [text for flag_and_value in job.items() for text in flag_and_value]


def ours(options, name):
    engine = ["--engine", name.removeprefix("ours-")] if name != "ours" else []
    command = [options.warpfit, "train", *job_flags(options), "--threads", str(options.threads)]
    threads = None if options.device == "cuda" else options.threads
    return Contender(name, threads, "warpfit", [*command, *OPTIMIZERS[options.optimizer], *engine])


def of_peer(options, peer, name):
    """One contender for each number of threads and, except for plain SGD, each of PyTorch's implementations."""
    command = [*peer.command(name.partition("-")[2]), *job_flags(options)]
    settings = [(name, command)]
    if peer.module == "torch" and options.optimizer != "sgd":
        settings = [
            (
                name if kind == "default" else f"{name}/{kind}",
                [*command, "--optimizer", options.optimizer, "--implementation", kind],
            )
            for kind in IMPLEMENTATIONS
        ]
    gpu = options.device == "cuda"
    return [
        Contender(label, None if gpu else count, peer.framework, [*line, "--threads", str(count)], peer.error)
        for label, line in settings
        for count in ([options.threads] if gpu else sorted({1, options.threads}))
    ]


def find(options, say):
    """All contenders; some may have an error already. `say` is called with notes about excluded or missing ones."""
    torch_python = options.torch_python or default_python()
    pythons = {"torch": ("PyTorch", torch_python), "jax": ("JAX", options.jax_python or torch_python)}
    peers, found = {}, []
    for name in options.variants:
        module = name.partition("-")[0]
        if module == "ours":
            found.append(ours(options, name))
            continue
        if module not in peers:
            framework, python = pythons[module]
            peers[module] = Peer(framework, module, python, options.device)
            if peers[module].error:
                say(f"{peers[module].error}\n{framework} is installed by tools/bench/peers_setup")
        if module == "jax" and peers[module].error and options.default_variants:
            say(f"{name} is left out")
            continue
        found += of_peer(options, peers[module], name)
    return found
