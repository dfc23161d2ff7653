"""The data set of torch_peer.py: IDX files, and their batches in two forms that are usual in PyTorch."""

import torch

import peer


def read_part(folder, part):
    """The images and the labels of 'train' or 't10k' as uint8 tensors."""
    return peer.read_part(
        folder, part, lambda content, offset: torch.frombuffer(content, dtype=torch.uint8, offset=offset)
    )


def to_float(images):
    """torchvision's ToTensor on all images at once: (N, 1, H, W) in [0, 1]."""
    return images.unsqueeze(1).to(torch.float32).div(255)


class ImageDataset(torch.utils.data.Dataset):
    """Converts each sample on access, like torchvision's FashionMNIST(transform=ToTensor())."""

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

    The tensors are on the device, except in the variant `tensors`, which copies each batch to the device.
    """
    images, labels = to_float(part[0]), part[1].to(torch.int64)
    if options.variant != "tensors":
        images, labels = images.to(options.device), labels.to(options.device)
    elif options.device == "cuda":
        images, labels = images.pin_memory(), labels.pin_memory()
    return list(zip(images.split(options.batch_size), labels.split(options.batch_size)))
