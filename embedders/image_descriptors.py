"""Base of descriptors that are computed from one image at a time, with nothing to learn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from core.arrays import AnyArray, FloatMatrix, FloatVector
from core.errors import UnreadableSource, UnsafeSource
from core.params import Params
from core.progress import Progress, quiet
from embedders.image_items import ImageItemEmbedder, ImageReference
from ingest.dataset import Dataset


class ImageDescriptor(ImageItemEmbedder):
    """One vector per image, from that image alone; authors write ``_describe``."""

    pretrained = True

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._fitted = False

    @abstractmethod
    def _describe(self, data: bytes) -> FloatVector:
        """Return the ``(d,) float32`` descriptor of one encoded image."""

    @property
    def is_fitted(self) -> bool:
        """Tell whether ``fit`` or ``restore`` has run."""
        return self._fitted

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Check that the result would fit into memory; there is nothing to learn.

        Raises
        ------
        TooLarge
        """
        self._check_modality(dataset)
        progress(0, 1, "preparing")
        self._check_images(len(dataset))
        self._fitted = True
        progress(1, 1, "preparing")
        return self

    def restore(self, state: Mapping[str, AnyArray]) -> Self:  # noqa: ARG002
        """Take up the settings; there is no other state."""
        self._fitted = True
        return self

    def _check_images(self, n: int) -> None:
        self._check_size(n, self._dim(), "Choose a coarser grid or fewer images.")

    def _embed_batch(self, items: Sequence[ImageReference]) -> FloatMatrix:
        block = np.empty((len(items), self._dim()), np.float32)
        for i, item in enumerate(items):
            try:
                block[i] = self._describe(item.data)
            except (UnreadableSource, UnsafeSource) as error:
                raise item.unreadable(error) from error
        return block
