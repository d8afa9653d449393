"""Methods whose model may change under its name, unseen: somebody else runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from core.arrays import AnyArray, FloatVector

SAME = 0.999
"""Least cosine between two vectors of one text by one model; services are not exact."""


@runtime_checkable
class ChangingModel(Protocol):
    """A pretrained method that can tell whether its model is still the one of before."""

    def witness(self) -> FloatVector:
        """Return the ``(d,)`` vector that the fitted model gives to a text of ours."""

    def changed_since(self, state: Mapping[str, AnyArray]) -> bool:
        """Tell whether the state of an earlier run is that of another model; the notes say so."""

    def changed_from(self, witness: FloatVector) -> bool:
        """Tell whether another model gave that vector to the text; the notes say so."""

    def is_of_one_model(self) -> bool:
        """Tell whether no other model than that of the witness was seen to answer since ``fit``."""


def cosine(a: AnyArray, b: AnyArray) -> float:
    """Return the cosine of two vectors: 0 where their lengths differ or one of them is zero."""
    if a.shape != b.shape:
        return 0.0
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    norms = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / norms if norms else float(not x.any() and not y.any())
