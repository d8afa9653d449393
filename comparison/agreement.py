"""One measure of agreement between every two of several spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vectors.bootstrap import Interval

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Agreement:
    """A symmetric table of one measure, with what chance would give and how sure it is.

    Attributes
    ----------
    measure : str
        Such as "overlap@10".
    names : tuple of str
    values : (m, m) float64
        1 on the diagonal; NaN where the measure would mislead.
    low, high : (m, m) float64
        Bootstrap interval over items; NaN where there is none.
    n_used : int
        Items behind the figures.
    chance : float or None
        What unrelated spaces would give; None where it is not known.
    refused : mapping of pair to str
        Why a value is missing.
    remarks : mapping of pair to str
        What to know of a value that is there: sentences.
    used : mapping of pair to int
        Items behind a figure, where they are fewer than in other pairs.
    """

    measure: str
    names: tuple[str, ...]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n_used: int
    chance: float | None = None
    refused: Mapping[Pair, str] = field(default_factory=dict)
    remarks: Mapping[Pair, str] = field(default_factory=dict)
    used: Mapping[Pair, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        measure: str,
        names: tuple[str, ...],
        cells: Mapping[Pair, float] | Mapping[Pair, Interval],
        *,
        n_used: int,
        chance: float | None = None,
        refused: Mapping[Pair, str] | None = None,
        remarks: Mapping[Pair, str] | None = None,
        used: Mapping[Pair, int] | None = None,
    ) -> Agreement:
        """Return the table of the values above its diagonal."""
        m = len(names)
        values, low, high = (np.full((m, m), np.nan) for _ in range(3))
        np.fill_diagonal(values, 1.0)
        for (i, j), cell in cells.items():
            if isinstance(cell, Interval):
                values[i, j] = values[j, i] = cell.mean
                low[i, j] = low[j, i] = cell.low
                high[i, j] = high[j, i] = cell.high
            else:
                values[i, j] = values[j, i] = cell
        told = (dict(refused or {}), dict(remarks or {}), dict(used or {}))
        return cls(measure, names, values, low, high, n_used, chance, *told)

    def least_alike(self) -> tuple[str, str] | None:
        """Return the two spaces that differ most, or None where nothing could be measured."""
        upper = np.where(np.triu(np.ones_like(self.values), 1) > 0, self.values, np.nan)
        if np.isnan(upper).all():
            return None
        i, j = np.unravel_index(np.nanargmin(upper), upper.shape)
        return self.names[int(i)], self.names[int(j)]


def guard_of_procrustes(n: int, d1: int, d2: int) -> str | None:
    """Return why a rotation would fit noise, or None where it would not."""
    if n > 2 * max(d1, d2):
        return None
    return (
        f"{n:,} items are too few for {max(d1, d2):,} dimensions: a rotation would fit noise as "
        f"well. More than {2 * max(d1, d2):,} are needed."
    )
