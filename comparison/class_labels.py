"""Classes of items for the tasks of labels; what cannot be judged is left out and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from core.modality import Modality
from ingest.dataset import Dataset

LEAST_PER_CLASS = 5
"""A class with fewer items says nothing of its neighbours and fills no five folds."""
NO_LABEL = "without a label"


@dataclass(frozen=True, eq=False)
class ClassLabels:
    """The class of each item.

    Attributes
    ----------
    names : tuple of str
        Classes that are used, sorted.
    codes : (n,) int32
        Place in ``names``; -1 for items that are left out.
    left_out : mapping of str to int
        How many items, by reason.
    refused : str
        Why no task of labels can be done; empty where it can.
    groups : (n,) int64 or None
        Equal numbers for items that are the same; None where only their vectors can tell.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int32]
    left_out: Mapping[str, int] = field(default_factory=dict)
    refused: str = ""
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return the number of items, those left out included."""
        return len(self.codes)

    @classmethod
    def of(cls, values: Sequence[Any], *, least: int = LEAST_PER_CLASS) -> ClassLabels:
        """Return the classes of values; None, NaN and empty text are no label.

        Classes of fewer than ``least`` items are left out with their items.
        """
        texts = [_text(value) for value in values]
        present = sorted({text for text in texts if text})
        place = {text: i for i, text in enumerate(present)}
        codes = np.array([place.get(text, -1) for text in texts], np.int32)
        counts = np.bincount(codes[codes >= 0], minlength=len(present))
        kept = counts >= least
        renumbered = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1).astype(np.int32)
        left_out = {
            NO_LABEL: int((codes < 0).sum()),
            f"in classes of fewer than {least} items": int(counts[~kept].sum()),
        }
        return cls(
            tuple(name for name, is_kept in zip(present, kept, strict=True) if is_kept),
            renumbered[codes],
            {reason: n for reason, n in left_out.items() if n},
            _refusal(counts, int(kept.sum()), least),
        )

    def only(self, keep: NDArray[np.bool_], reason: str) -> ClassLabels:
        """Return the labels of the items to keep, ``(n,) bool``; the others count as left out.

        Classes that become too small are left out as in :meth:`of`.
        """
        dropped = int((~keep[self.rows]).sum())
        if not dropped or self.refused:
            return self
        names = np.array([*self.names, None], object)
        kept = ClassLabels.of(names[np.where(keep, self.codes, -1)].tolist())
        left_out = {**self.left_out, reason: dropped}
        for why, n in kept.left_out.items():
            if why != NO_LABEL:
                left_out[why] = left_out.get(why, 0) + n
        return replace(kept, left_out=left_out, groups=self.groups)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Return the items that are used."""
        return np.flatnonzero(self.codes >= 0)

    @property
    def used(self) -> NDArray[np.int32]:
        """Return the classes of the items that are used, ``(len(rows),)``."""
        return self.codes[self.rows]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Return how many items each class has."""
        return np.bincount(self.used, minlength=len(self.names))

    @property
    def largest_share(self) -> float:
        """Return the share of the largest class: what naming it every time gets right."""
        return float(self.counts.max() / self.counts.sum())

    def sample(self, most: int, *, seed: int, least: int = 2) -> NDArray[np.int64]:
        """Return at most about ``most`` of ``rows``, each class by its share, in order.

        No class falls below ``least`` items (or what it has), so that many small classes may
        bring more than ``most``.
        """
        if len(self.rows) <= most:
            return self.rows
        wanted = np.rint(self.counts * most / len(self.rows)).astype(np.int64)
        wanted = np.minimum(self.counts, np.maximum(wanted, least))
        shuffled = np.random.default_rng(seed).permutation(self.rows)
        order = shuffled[np.argsort(self.codes[shuffled], kind="stable")]
        start = np.repeat(np.cumsum(self.counts) - self.counts, self.counts)
        is_taken = np.arange(len(order)) - start < np.repeat(wanted, self.counts)
        return np.sort(order[is_taken])


def labels_of(dataset: Dataset, column: str, ids: Sequence[str]) -> ClassLabels:
    """Return the classes that a column of a dataset gives to some of its items.

    Raises
    ------
    ParameterError
        If there is no such column. An id that the dataset lacks has no label.

    Notes
    -----
    Texts are copies where they are equal word by word; nodes, users and items never are. Whether
    images, rows and given vectors are is left to their vectors.
    """
    if column not in dataset.columns:
        have = ", ".join(map(str, dataset.columns)) or "none"
        raise ParameterError(f"{dataset.name} has no column {column!r}; there are: {have}.")
    values = dict(zip(dataset.ids, dataset.columns[column].tolist(), strict=True))
    labels = ClassLabels.of([values.get(id) for id in ids])
    return replace(labels, groups=_groups(dataset, ids))


def _groups(dataset: Dataset, ids: Sequence[str]) -> NDArray[np.int64] | None:
    if dataset.modality in (Modality.GRAPH, Modality.INTERACTIONS):
        return np.arange(len(ids))
    if dataset.modality is not Modality.TEXT:
        return None
    texts = dict(zip(dataset.ids, dataset.items, strict=True))
    first: dict[object, int] = {}
    # An id that the dataset lacks is its own: no text is a tuple.
    return np.array([first.setdefault(texts.get(id, (id,)), len(first)) for id in ids], np.int64)


def _text(value: Any) -> str:
    """Return a label as text; empty where there is none."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return "" if text in {"<NA>", "NaT"} else text


def _refusal(counts: NDArray[np.int64], n_kept: int, least: int) -> str:
    n, n_classes = int(counts.sum()), len(counts)
    if n_classes == 0:
        return "No item has a label."
    if n_classes == 1:
        return f"All {n:,} labels are the same; at least two classes are needed."
    if n_classes == n:
        return f"All {n:,} labels are different: they name items, not classes of items."
    if n_kept < 2:
        have = "has" if n_kept == 1 else "have"
        return (
            f"{n_kept} of {n_classes:,} classes {have} {least} items or more; two such classes are "
            "needed."
        )
    return ""
