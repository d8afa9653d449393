"""The tower for images: its own small network, or descriptors or the bundled CLIP under a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.arrays import FloatMatrix
from core.errors import UnreadableSource, UnsafeSource
from core.modality import Modality
from embedders import tiny_clip
from embedders.colour_histogram import ColourHistogram
from embedders.hog import Hog
from embedders.image_items import ImageReference
from embedders.tower import Tower

SIDE = 64
CHANNELS = (32, 64, 128, 128)
DROPOUT = 0.5
KEPT_PIXELS = 256 * 1024**2
"""Bytes of decoded images that training keeps; more are decoded again in every epoch."""


class ImageTower(Tower):
    """Base of both: images are decoded when their chunk comes."""

    modality = Modality.IMAGE

    def prepare(self, items: Sequence[ImageReference]) -> list[Any]:
        """Return the references: nothing is read yet."""
        return list(items)


class FixedTower(ImageTower):
    """Numbers that stay as they are; only the head is learnt.

    Half of them are left out at random while the head learns: there are more of them than of many
    collections' images.
    """

    def __init__(self, width: int, dim: int, *, body: Any) -> None:
        super().__init__(width, dim, body=body, is_body_trained=False)
        self._is_learning = False

    def learning(self, *, training: bool) -> None:
        """Switch dropout on or off."""
        super().learning(training=training)
        self._is_learning = training

    def project(self, numbers: Any) -> Any:
        """Return the vectors of length 1 of what was seen."""
        import torch

        dropped = torch.nn.functional.dropout(numbers, DROPOUT, training=self._is_learning)
        return super().project(dropped)


class DescriptorTower(FixedTower):
    """HOG and a colour histogram, both of length 1, under a learnt head."""

    def __init__(self, *, dim: int) -> None:
        self._parts = (Hog(), ColourHistogram())
        super().__init__(sum(part._dim() for part in self._parts), dim, body=None)

    def run(self, items: Sequence[ImageReference]) -> Any:
        """Return the ``(n, width)`` descriptors of a few images."""
        import torch

        return torch.from_numpy(np.stack([self._describe(item) for item in items]))

    def _describe(self, item: ImageReference) -> FloatMatrix:
        try:
            parts = [part._describe(item.data) for part in self._parts]
        except (UnreadableSource, UnsafeSource) as error:
            raise item.unreadable(error) from error
        scaled = [part / max(float(np.linalg.norm(part)), 1e-12) for part in parts]
        return np.concatenate(scaled).astype(np.float32)


class ClipTower(FixedTower):
    """What the bundled CLIP sees, of length 1, under a learnt head."""

    def __init__(self, *, dim: int) -> None:
        self._clip = tiny_clip.load()
        width = int(self._clip.model.visual.output_dim)
        super().__init__(width, dim, body=self._clip.model.visual)

    def _delivered(self) -> set[str]:
        return set(self.body.state_dict())

    def run(self, items: Sequence[ImageReference]) -> Any:
        """Return the ``(n, width)`` features of a few images."""
        import torch

        with torch.no_grad():
            seen = self.body(torch.stack([self._pixels(item) for item in items]))
            return torch.nn.functional.normalize(seen, dim=1)

    def _pixels(self, item: ImageReference) -> Any:
        from PIL import Image

        from ingest.image_codec import decode

        try:
            return self._clip.preprocess(Image.fromarray(decode(item.data)))
        except (UnreadableSource, UnsafeSource) as error:
            raise item.unreadable(error) from error


class NetworkTower(ImageTower):
    """A small convolutional network with random weights.

    While it learns, images are turned, shifted, scaled and tinted a little, anew in every epoch.
    Groups are normalised instead of batches (Wu & He 2018), so that the vector of an image does
    not depend on its company.
    """

    def __init__(self, *, dim: int) -> None:
        super().__init__(4 * CHANNELS[-1], dim, body=_network(), is_body_trained=True)
        self._kept: dict[str, Any] = {}

    def run(self, items: Sequence[ImageReference]) -> Any:
        """Return the ``(n, width)`` numbers that the network makes of a few images."""
        import torch

        pixels = torch.stack([self._pixels(item) for item in items]).float() / 255 - 0.5
        return self.body(varied(pixels) if self.body.training else pixels)

    def _pixels(self, item: ImageReference) -> Any:
        import torch

        from ingest.image_codec import decode

        known = self._kept.get(item.digest) if item.digest else None
        if known is not None:
            return known
        try:
            pixels = decode(item.data, size=(SIDE, SIDE))
        except (UnreadableSource, UnsafeSource) as error:
            raise item.unreadable(error) from error
        tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
        if self.body.training and len(self._kept) < KEPT_PIXELS // (3 * SIDE * SIDE):
            self._kept[item.digest] = tensor
        return tensor

    def forget(self) -> None:
        """Let the decoded images go that training kept."""
        self._kept.clear()


def _network() -> Any:
    """Return four convolutions that halve the image, then a 2 x 2 average of what they found."""
    import torch

    layers: list[Any] = []
    before = 3
    for channels in CHANNELS:
        layers += [
            torch.nn.Conv2d(before, channels, 3, stride=2, padding=1),
            torch.nn.GroupNorm(8, channels),
            torch.nn.ReLU(),
        ]
        before = channels
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten())


def varied(images: Any) -> Any:
    """Return ``(n, 3, side, side)`` images turned, shifted, scaled and tinted at random."""
    import torch

    n = len(images)

    def around_zero(*shape: int) -> Any:
        return torch.rand(n, *shape) - 0.5

    angle, scale = 0.35 * around_zero(), 1 + 0.4 * around_zero()
    affine = torch.zeros(n, 2, 3)
    affine[:, 0, 0] = affine[:, 1, 1] = torch.cos(angle) * scale
    affine[:, 1, 0] = torch.sin(angle) * scale
    affine[:, 0, 1] = -affine[:, 1, 0]
    affine[:, :, 2] = 0.3 * around_zero(2)
    grid = torch.nn.functional.affine_grid(affine, list(images.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(
        images, grid, padding_mode="border", align_corners=False
    )
    return moved * (1 + 0.3 * around_zero(3, 1, 1)) + 0.1 * around_zero(3, 1, 1)
