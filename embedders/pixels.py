"""Raw pixels: an image as the list of its brightnesses, the baseline that knows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from core.arrays import FloatMatrix, FloatVector
from core.params import Params, flag, integer
from embedders.image_descriptors import ImageDescriptor
from ingest.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class PixelsParams(Params):
    """Settings of raw pixels."""

    side: int = integer(
        16,
        low=1,
        high=128,
        help="Every image is resized to a square of so many pixels; small ones forgive shifts.",
    )
    colour: bool = flag(True, help="Keep red, green and blue; otherwise only brightness counts.")
    even_out: bool = flag(
        False,
        help="Give every image the same mean and contrast, so that light and dark do not count.",
    )


class Pixels(ImageDescriptor):
    """Vectors of pixels in [0, 1], row by row, the channels of a pixel side by side.

    Notes
    -----
    What every method that claims to see must beat. The Euclidean distance is the root of the sum
    of squared differences of pixels. The same after principal components is the method "pca".

    References
    ----------
    Duda, Hart & Stork, "Pattern Classification", 2001, section 4.6 (nearest neighbours).
    """

    id = "pixels"
    title = "Pixels"
    summary = "Compares images pixel by pixel: the baseline that any method which sees must beat."
    source = "Duda, Hart & Stork 2001, Pattern Classification, section 4.6"
    metric = "euclidean"
    params_class = PixelsParams

    def _dim(self) -> int:
        p: PixelsParams = self.params
        return p.side * p.side * (3 if p.colour else 1)

    def _describe(self, data: bytes) -> FloatVector:
        from ingest.images import decode

        p: PixelsParams = self.params
        mode: Literal["RGB", "L"] = "RGB" if p.colour else "L"
        pixels = decode(data, mode=mode, size=(p.side, p.side))
        values: FloatVector = np.divide(pixels.ravel(), 255, dtype=np.float32)
        if not p.even_out:
            return values
        centred = values - values.mean()
        spread = centred.std()
        # Of an even image nothing is left; dividing would only enlarge rounding errors.
        evened: FloatVector = centred / spread if spread > 1e-4 else np.zeros_like(values)
        return evened

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:  # noqa: ARG002
        p: PixelsParams = self.params
        what = "colour" if p.colour else "grey"
        even = "; mean and contrast of each were evened out" if p.even_out else ""
        return {
            "notes": [
                f"Images were resized to {p.side} x {p.side} pixels, {what}; sides were stretched "
                f"to fit{even}."
            ]
        }
