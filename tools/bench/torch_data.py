"""The data set of torch_peer.py: IDX files, and their batches in the two forms that a PyTorch user would choose."""

import gzip
import pathlib

import torch

IMAGES, LABELS = 3, 1  # dimensions of an IDX file, as its name and magic number say


def read_idx(folder, name, rank):
    """The uint8 tensor in folder/name or folder/name.gz, which must have `rank` dimensions."""
    path = pathlib.Path(folder) / name
    packed = path.with_name(name + ".gz")
    if not path.exists() and not packed.exists():
        raise FileNotFoundError(f"neither {path} nor {packed.name} exists")
    content = bytearray(path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes()))
    if content[:4] != bytes([0, 0, 8, rank]):
        raise ValueError(f"{path} is not an IDX file of bytes with {rank} dimensions")
    shape = [int.from_bytes(content[4 * i : 4 * i + 4], "big") for i in range(1, rank + 1)]
    return torch.frombuffer(content, dtype=torch.uint8, offset=4 * (rank + 1)).reshape(shape)


def read_part(folder, part):
    """The images and the labels of 'train' or 't10k'."""
    images = read_idx(folder, f"{part}-images-idx3-ubyte", IMAGES)
    return images, read_idx(folder, f"{part}-labels-idx1-ubyte", LABELS)


def to_float(images):
    """torchvision's ToTensor on all images at once: (N, 1, H, W) in [0, 1]."""
    return images.unsqueeze(1).to(torch.float32).div(255)


class ImageDataset(torch.utils.data.Dataset):
    """One sample at a time, converted on access as torchvision's FashionMNIST(transform=ToTensor()) does."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = self.images[index].clone().view(*self.images.shape[1:], 1).permute(2, 0, 1).contiguous()
        return image.to(torch.float32).div(255), int(self.labels[index])


def loader(part, options):
    return torch.utils.data.DataLoader(ImageDataset(*part), batch_size=options.batch_size)


def slices(part, options):
    """The batches of one part as views of two tensors.

    They are on the device, but for the variant `tensors`, whose batches travel there one by one.
    """
    images, labels = to_float(part[0]), part[1].to(torch.int64)
    if options.variant != "tensors":
        images, labels = images.to(options.device), labels.to(options.device)
    elif options.device == "cuda":
        images, labels = images.pin_memory(), labels.pin_memory()
    return list(zip(images.split(options.batch_size), labels.split(options.batch_size)))
