"""The two sides of a dataset of pairs or interactions: query and document, user and item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError
from core.modality import Modality

SIDE_COLUMN = "side"
"""The column that tells the side of each item; its role is "label"."""


@dataclass(frozen=True)
class Sides:
    """What the items of a dataset with two sides are; its left side comes first.

    Attributes
    ----------
    names : (str, str)
        Such as ``("query", "document")`` or ``("user", "item")``: what one item is called, and the
        kind of its key in vectors.
    modalities : (Modality or None, Modality or None)
        TEXT or IMAGE per side; None for bare ids.
    n_left : int
        ``ids[:n_left]`` are the left side, the others the right one.

    Raises
    ------
    DatasetError
        If the names are equal or empty.
    """

    names: tuple[str, str]
    modalities: tuple[Modality | None, Modality | None]
    n_left: int

    def __post_init__(self) -> None:
        """Check that the sides can be told apart."""
        left, right = self.names
        if not left or not right or left == right:
            raise DatasetError(
                f"The two sides are called {left!r} and {right!r}; give two different names."
            )

    def kinds(self, n: int) -> list[str]:
        """Return the name of the side of each of ``n`` items, in order."""
        return [self.names[0]] * self.n_left + [self.names[1]] * (n - self.n_left)

    def is_left(self, n: int) -> NDArray[np.bool_]:
        """Return the ``(n,) bool`` mask of the left side."""
        return np.arange(n) < self.n_left

    def take(self, rows: NDArray[np.int64]) -> Sides:
        """Return the sides of the items at ``rows``.

        Raises
        ------
        DatasetError
            If a left item would stand behind a right one.
        """
        left = rows < self.n_left
        n_left = int(left.sum())
        if not left[:n_left].all():
            raise DatasetError(
                f"A part of a dataset with two sides keeps its order: first each {self.names[0]}, "
                f"then each {self.names[1]}. Sort the positions."
            )
        return Sides(self.names, self.modalities, n_left)
