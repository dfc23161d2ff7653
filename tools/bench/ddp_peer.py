"""Trains the job of `scaling` with PyTorch: DistributedDataParallel over gloo, or one process without it.

    ddp_peer.py --data DIR [--processes 2] [--threads 1] [--network 784-2048-2048-10] [--batch-size 1024] [--lr 1e-3]
                [--seed 0] [--epochs 2]

--batch-size is the size of the global batch, of which each process computes consecutive rows; --threads is per process. The
network, the initial weights and the plain SGD update are those of torch_peer.py. The data is in memory as float32, in file
order. Each process has its rows of each batch as slices of one tensor. DistributedDataParallel uses
gradient_as_bucket_view, which saves a copy of the gradients, and its default size of buckets.

Output: a line of JSON that describes the run, then a line per epoch: train_s, and loss, the mean loss of the epoch's first
batch. Processes begin and end each epoch together.
"""

import os
import sys
import tempfile

try:
    import torch
    import torch.distributed
    import torch.multiprocessing
except ImportError as error:
    sys.exit(f"ddp_peer: {sys.executable} has no PyTorch ({error}); tools/bench/peers_setup installs it")

sys.dont_write_bytecode = True
import peer  # noqa: E402
import torch_data  # noqa: E402
import torch_peer  # noqa: E402


def check_slices(options, samples):
    """The mean over the processes of the means over their rows is the mean of the batch only if all have as many rows."""
    for rows in {min(options.batch_size, samples), samples % options.batch_size}:
        if rows % options.processes != 0:
            raise ValueError(f"a batch of {rows} rows cannot be divided evenly among {options.processes} processes")


def slices(options, images, labels, rank):
    """The rows of this rank of each batch."""
    images, labels = torch_data.to_float(images), labels.to(torch.int64)
    batches = zip(images.split(options.batch_size), labels.split(options.batch_size))
    return [(x.chunk(options.processes)[rank], y.chunk(options.processes)[rank]) for x, y in batches]


class Trainer:
    def __init__(self, options, batches):
        self.batches, self.processes = batches, options.processes
        self.model = torch_peer.build_model(options.dims, options.seed)
        if self.processes > 1:
            self.model = torch.nn.parallel.DistributedDataParallel(self.model, gradient_as_bucket_view=True)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=options.lr)
        self.loss = torch.nn.CrossEntropyLoss()

    def meet(self):
        if self.processes > 1:
            torch.distributed.barrier()

    def train(self):
        first = None
        for x, y in self.batches:
            loss = self.loss(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            first = loss.detach() if first is None else first
        self.meet()
        return first

    def epoch(self):
        self.meet()
        seconds, loss = peer.timed(self.train)
        if self.processes > 1:
            torch.distributed.all_reduce(loss)
        return {"train_s": round(seconds, 6), "loss": float(loss) / self.processes}


def train(rank, options, meeting):
    torch.set_num_threads(options.threads)
    images, labels = torch_data.read_part(options.data, "train")
    check_slices(options, len(images))
    if options.processes > 1:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=rank, world_size=options.processes
        )
    trainer = Trainer(options, slices(options, images, labels, rank))
    if rank == 0:
        peer.emit({"torch": torch.__version__, "processes": options.processes, "threads": torch.get_num_threads(),
                   "train_images": len(images), "network": options.network, "batch_size": options.batch_size})
    for epoch in range(1, options.epochs + 1):
        result = trainer.epoch()
        if rank == 0:
            peer.emit({"epoch": epoch} | result)
    if options.processes > 1:
        torch.distributed.destroy_process_group()


def main():
    parser = peer.parser(__doc__.split("\n")[0], ("ddp",))
    parser.add_argument("--processes", type=int, default=2)
    parser.set_defaults(network="784-2048-2048-10", batch_size=1024, threads=1)
    options = peer.parse(parser)
    if options.processes == 1:
        return train(0, options, None)
    images, _ = torch_data.read_part(options.data, "train")
    check_slices(options, len(images))
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # all processes are on this machine
    with tempfile.TemporaryDirectory() as folder:
        meeting = os.path.join(folder, "meeting")
        torch.multiprocessing.spawn(train, (options, meeting), nprocs=options.processes)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"ddp_peer: {error}")
