"""HOG: how edges run in each part of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from core.arrays import FloatMatrix, FloatVector
from core.params import Params, flag, integer
from embedders.image_descriptors import ImageDescriptor
from ingest.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class HogParams(Params):
    """Settings of HOG."""

    cells: int = integer(
        6,
        low=3,
        high=16,
        help="The image is cut into cells x cells parts; more tell finer shapes apart.",
    )
    orientations: int = integer(
        9,
        low=2,
        high=18,
        help="How many directions of edges are told apart within half a turn.",
    )
    colour: bool = flag(
        True,
        help="Take edges from the strongest colour channel; otherwise only brightness counts.",
    )
    cell_pixels: int = integer(
        8,
        low=4,
        high=16,
        help="Side of a cell in pixels; every image is resized to cells times this many.",
        advanced=True,
    )
    block: int = integer(
        3,
        low=1,
        high=3,
        help="Contrast is evened out within overlapping blocks of this many cells per side.",
        advanced=True,
    )
    gamma: bool = flag(
        False,
        help="Take square roots of the pixels first, which lessens strong light and shadow.",
        advanced=True,
    )


class Hog(ImageDescriptor):
    """Histograms of oriented gradients: edge directions per cell, evened out per block.

    Notes
    -----
    The gradient is the centred difference; of the colour channels the one with the largest counts.
    Each pixel votes with its gradient's length for one of ``orientations`` unsigned directions;
    blocks of cells overlap by one cell and are scaled by L2-Hys (length 1, clipped at .2, length
    1). As in scikit-image, which computes it, votes are not interpolated between cells and
    directions, and no Gaussian window weighs a block, as they are in the paper (6.3 and 6.4).

    Without an edge the vector is zero, so distances are Euclidean: blank images lie together.

    References
    ----------
    Dalal & Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005.
    """

    id = "hog"
    title = "HOG"
    summary = "Describes shapes by the directions of edges in each part of an image."
    source = "Dalal & Triggs 2005, Histograms of Oriented Gradients for Human Detection"
    metric = "euclidean"
    params_class = HogParams

    def _side(self) -> int:
        return int(self.params.cells * self.params.cell_pixels)

    def _dim(self) -> int:
        p: HogParams = self.params
        blocks = p.cells - p.block + 1
        return blocks**2 * p.block**2 * p.orientations

    def _describe(self, data: bytes) -> FloatVector:
        from skimage.feature import hog

        from ingest.images import decode

        p: HogParams = self.params
        mode: Literal["RGB", "L"] = "RGB" if p.colour else "L"
        pixels = decode(data, mode=mode, size=(self._side(), self._side()))
        vector: FloatVector = hog(
            pixels / 255.0,
            orientations=p.orientations,
            pixels_per_cell=(p.cell_pixels, p.cell_pixels),
            cells_per_block=(p.block, p.block),
            block_norm="L2-Hys",
            transform_sqrt=p.gamma,
            channel_axis=-1 if p.colour else None,
        ).astype(np.float32)
        return vector

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:  # noqa: ARG002
        side = self._side()
        resized = f"Images were resized to {side} x {side} pixels; sides were stretched to fit."
        n_blank = int((~matrix.any(axis=1)).sum())
        what = "1 image has" if n_blank == 1 else f"{n_blank:,} images have"
        blank = f"{what} no edge at all; such a vector is zero."
        self.notes_on_data = (blank,) if n_blank else ()
        return {"notes": [resized, *self.notes_on_data]}
