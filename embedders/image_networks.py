"""Small networks for images, put together from timm's blocks: a residual CNN and a ViT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix
from embedders.torchvision_schemas import declare_missing

PATCH = 4
"""Side of a ViT's patch in pixels."""
_WIDTHS = {"small": (32, 64, 128), "medium": (48, 96, 192), "large": (64, 128, 256)}
_STEM = {"small": 16, "medium": 24, "large": 32}
_VIT = {"small": (96, 4, 3), "medium": (128, 6, 4), "large": (192, 6, 6)}


class Blueprint(NamedTuple):
    """What a network is built from.

    Attributes
    ----------
    architecture : {"cnn", "vit"}
    size : {"small", "medium", "large"}
    side : int
        Pixels per side of the images it reads, a multiple of 4.
    channels : int
        3 for colour, 1 for grey.
    n_classes : int
    """

    architecture: str
    size: str
    side: int
    channels: int
    n_classes: int

    @property
    def dim(self) -> int:
        """Return the length of the vector that the classifier reads."""
        return _WIDTHS[self.size][-1] if self.architecture == "cnn" else _VIT[self.size][0]


def build(blueprint: Blueprint, seed: int) -> Any:
    """Return a module with two parts: ``body`` (images to vectors) and ``head`` (to classes).

    The weights are random and follow from ``seed`` alone; torch's own random state is left as it
    was.

    Notes
    -----
    The CNN is the network of He et al. 2016, section 4.2, for small images: a 3 x 3 convolution,
    residual blocks that each halve the sides and double the width, the mean over the image. Its
    shortcuts average 2 x 2 pixels before they widen (He et al. 2019, "Bag of Tricks", ResNet-D).
    The ViT is Dosovitskiy et al. 2021 with patches of 4 x 4 pixels, its vector the mean of the
    patches.
    """
    declare_missing()
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = _cnn(blueprint) if blueprint.architecture == "cnn" else _vit(blueprint)
        head = torch.nn.Linear(blueprint.dim, blueprint.n_classes)
        network = torch.nn.ModuleDict({"body": body, "head": head})
    # Convolutions on a processor run a third faster with the channels last.
    return network.to(memory_format=torch.channels_last)


def _cnn(blueprint: Blueprint) -> Any:
    from torch import nn

    width = _STEM[blueprint.size]
    layers: list[Any] = [
        nn.Conv2d(blueprint.channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    ]
    for wider in _WIDTHS[blueprint.size]:
        layers.append(_residual(width, wider))
        width = wider
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _residual(width: int, wider: int) -> Any:
    from timm.models.resnet import BasicBlock
    from torch import nn

    shortcut = nn.Sequential(
        nn.AvgPool2d(2, 2, ceil_mode=True),
        nn.Conv2d(width, wider, 1, bias=False),
        nn.BatchNorm2d(wider),
    )
    return BasicBlock(width, wider, 2, shortcut)


def _vit(blueprint: Blueprint) -> Any:
    from timm.models.vision_transformer import VisionTransformer

    dim, depth, heads = _VIT[blueprint.size]
    return VisionTransformer(
        img_size=blueprint.side,
        patch_size=PATCH,
        in_chans=blueprint.channels,
        embed_dim=dim,
        depth=depth,
        num_heads=heads,
        num_classes=0,
        global_pool="avg",
        class_token=False,
    )


class Scaling(NamedTuple):
    """Mean and standard deviation of each channel of the learnt images, of values in [0, 255]."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> Scaling:
        """Return those of ``(n, side, side, channels)`` pixels; a constant channel keeps 1."""
        level, channels = np.arange(256), range(pixels.shape[3])
        counts = np.zeros((len(channels), 256))
        for start in range(0, len(pixels), 1_000):  # bincount makes eight bytes of every pixel
            part = pixels[start : start + 1_000]
            counts += [np.bincount(part[..., c].ravel(), minlength=256) for c in channels]
        share = counts / max(1, pixels[..., 0].size)
        mean = share @ level
        std = np.sqrt(np.maximum(share @ level**2 - mean**2, 0))
        return cls(mean.astype(np.float32), np.where(std < 1, 1, std).astype(np.float32))


def as_batch(pixels: NDArray[np.uint8], scaling: Scaling) -> Any:
    """Return ``(n, side, side, channels) uint8`` pixels as the scaled tensor a network reads."""
    import torch

    scaled = (pixels.astype(np.float32) - scaling.mean) / scaling.std
    # A view of the same memory in the order (n, channels, side, side): channels last.
    return torch.from_numpy(scaled).permute(0, 3, 1, 2)


def features(network: Any, pixels: NDArray[np.uint8], scaling: Scaling) -> FloatMatrix:
    """Return the ``(n, d) float32`` vectors that the classifier would read."""
    import torch

    with torch.inference_mode():
        block: FloatMatrix = network["body"](as_batch(pixels, scaling)).numpy()
    return block


def weights_of(network: Any) -> dict[str, AnyArray]:
    """Return copies of all weights and running statistics by name."""
    return {name: t.detach().numpy().copy() for name, t in network.state_dict().items()}


def load_weights(network: Any, weights: Mapping[str, AnyArray]) -> None:
    """Put stored weights into a network of the same blueprint and set it to embed."""
    import torch

    network.load_state_dict({n: torch.from_numpy(np.array(a)) for n, a in weights.items()})
    network.eval()


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let torch compute with ``n`` threads inside; what was set before is set again after."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
