"""Array aliases, and the one check every matrix passes before it is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import DatasetError

FloatMatrix = NDArray[np.float32]
FloatVector = NDArray[np.float32]
IntMatrix = NDArray[np.int32]
BoolVector = NDArray[np.bool_]
AnyArray = NDArray[Any]


def frozen_float32(matrix: ArrayLike, *, what: str = "The matrix") -> FloatMatrix:
    """Return ``matrix`` as a read-only, C-contiguous ``(n, d) float32`` array.

    Memory-mapped float32 arrays are kept as they are (no copy).

    Raises
    ------
    DatasetError
        If it is not two-dimensional, has no column, or holds NaN or infinity.
    """
    array = np.asanyarray(matrix)
    if array.ndim != 2 or array.shape[1] == 0:
        raise DatasetError(
            f"{what} must have rows and at least one column, got shape {array.shape}. "
            "Give one vector per row."
        )
    frozen = np.ascontiguousarray(array, dtype=np.float32)
    if frozen is array and array.flags.writeable:
        frozen = array.copy()
    bad = first_non_finite_row(frozen)
    if bad is not None:
        raise DatasetError(
            f"{what} holds NaN or infinity, first in row {bad}. "
            "Remove or fill those rows; a vector must be finite to have neighbours."
        )
    frozen.setflags(write=False)
    return frozen


def first_non_finite_row(matrix: FloatMatrix, *, block: int = 65_536) -> int | None:
    """Return the first row with NaN or infinity, or None; reads in blocks to bound memory."""
    for start in range(0, len(matrix), block):
        finite = np.isfinite(matrix[start : start + block]).all(axis=1)
        if not finite.all():
            return start + int(np.argmin(finite))
    return None
