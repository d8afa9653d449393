"""What an item of pairs belongs with: its first partner, and how many more there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components import session
from components.items import RunItems, subset_items
from components.neighbour_list import Partner
from core.modality import Modality
from ingest import Dataset


@dataclass(frozen=True, eq=False)
class Partners:
    """The partners of every item of a dataset of pairs, the strongest first.

    Attributes
    ----------
    items : RunItems
        All items of the dataset, left ones first.
    starts : (n + 1,) int64
    rows : (2m,) int64
        The partners of item ``i`` are ``rows[starts[i]:starts[i + 1]]``, each once.
    """

    items: RunItems
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]

    def of(self, key: str) -> Partner | None:
        """Return what is told of the partners of an item; None where it has none."""
        place = self.items.position(key)
        sides = self.items.sides
        if place is None or sides is None:
            return None
        found = self.rows[self.starts[place] : self.starts[place + 1]]
        if not len(found):
            return None
        first = int(found[0])
        return Partner(
            side=sides.names[0 if first < sides.n_left else 1],
            text=self.items.texts[first],
            image=self.items.image(first),
            n_more=len(found) - 1,
        )


def partners_of(dataset: str) -> Partners | None:
    """Return the partners within a dataset, by its id; None where it does not hold pairs."""
    data = session.dataset(dataset)
    if data.modality is not Modality.PAIRS or data.edges is None or not len(data.edges):
        return None
    return session.worked_out(("partners", dataset), lambda: _partners(data))


def _partners(data: Dataset) -> Partners:
    assert data.edges is not None  # noqa: S101 -- pairs have them
    n = len(data)
    left, right = data.edges.source.astype(np.int64), data.edges.target.astype(np.int64)
    ends = np.concatenate([left, right])
    others = np.concatenate([right, left])
    weights = np.concatenate([data.edges.weight, data.edges.weight])
    order = np.lexsort((-weights, ends))  # stable: equal ones in the order of the data
    ends, others = ends[order], others[order]
    _, first = np.unique(ends * n + others, return_index=True)
    first.sort()  # a pair that is given twice counts once, at its strongest
    counts = np.bincount(ends[first], minlength=n)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Partners(subset_items(data, np.arange(n)), starts, others[first])
