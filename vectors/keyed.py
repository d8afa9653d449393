"""The result of every embedding method: a matrix whose rows have names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.arrays import BoolVector, FloatMatrix, FloatVector, frozen_float32
from core.errors import DatasetError, ParameterError, UnknownKey
from core.modality import METRICS, Metric

KINDS_TOGETHER = " + "
"""Between the names of several kinds: "query + document" are both sides in one space."""


class KeyedVectors:
    """Keys and their vectors, un-normalised, immutable.

    Parameters
    ----------
    keys : sequence of str
        One per row. Unique within one kind: the word "1" and the document "1" may coexist.
    matrix : array_like, (n, d)
        Finite numbers; kept as read-only C-contiguous float32 (a float32 memory map is not copied).
    kinds : sequence of str or str, optional
        What each key is: "document", "word", "image", "node", "row", "user", "item", "topic".
        One text for all rows or one per row. Default "item".
    metric : {"cosine", "dot", "euclidean"}
        The geometry the vectors are meant for.
    provenance : mapping, optional
        Plain values that say how the vectors came about (method, settings, counts of what was
        dropped or truncated).

    Raises
    ------
    DatasetError
        If lengths differ, keys repeat within a kind, or a number is not finite.
    """

    def __init__(
        self,
        keys: Sequence[str],
        matrix: ArrayLike,
        *,
        kinds: Sequence[str] | str | None = None,
        metric: Metric = "cosine",
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        if metric not in METRICS:
            raise ParameterError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}.")
        self.keys: tuple[str, ...] = tuple(keys)
        self.matrix: FloatMatrix = frozen_float32(matrix, what="The vectors")
        self.kinds: NDArray[np.str_] = self._kinds_array(kinds)
        self.metric: Metric = metric
        self.provenance: Mapping[str, Any] = MappingProxyType(dict(provenance or {}))
        if len(self.keys) != len(self.matrix):
            raise DatasetError(
                f"{len(self.keys)} keys but {len(self.matrix)} vectors. Give one key per row."
            )
        self._check_unique()

    def _kinds_array(self, kinds: Sequence[str] | str | None) -> NDArray[np.str_]:
        n = len(self.keys)
        if kinds is None or isinstance(kinds, str):
            array = np.full(n, kinds or "item")
        else:
            array = np.asarray(kinds, dtype=np.str_)
        if len(array) != n:
            raise DatasetError(f"{n} keys but {len(array)} kinds. Give one kind per key.")
        array.setflags(write=False)
        return array

    def _check_unique(self) -> None:
        for kind, lookup in self._positions.items():
            count = int((self.kinds == kind).sum())
            if len(lookup) != count:
                raise DatasetError(
                    f"{count - len(lookup)} keys of kind {kind!r} occur more than once. "
                    "Keys must be unique within a kind."
                )

    @cached_property
    def _positions(self) -> dict[str, dict[str, int]]:
        tables: dict[str, dict[str, int]] = {}
        for position, (key, kind) in enumerate(zip(self.keys, self.kinds.tolist(), strict=True)):
            tables.setdefault(kind, {}).setdefault(key, position)
        return tables

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.keys)

    @property
    def dim(self) -> int:
        """Return the number of dimensions."""
        return int(self.matrix.shape[1])

    @property
    def kind_names(self) -> tuple[str, ...]:
        """Return the kinds present, in order of first appearance."""
        return tuple(self._positions)

    def has(self, key: str, kind: str | None = None) -> bool:
        """Tell whether ``key`` (of ``kind``, if given) has a vector."""
        tables = self._positions
        chosen = [tables.get(kind, {})] if kind else tables.values()
        return any(key in table for table in chosen)

    def position(self, key: str, kind: str | None = None) -> int:
        """Return the row of ``key``; of several kinds, the first that holds it.

        Raises
        ------
        UnknownKey
            With up to five keys that look similar.
        """
        for name, table in self._positions.items():
            if kind in (None, name) and key in table:
                return table[key]
        near = self._similar(key, kind)
        what = f"{kind} " if kind else ""
        hint = f" Similar: {', '.join(near)}." if near else " Check the spelling."
        raise UnknownKey(f'The {what}"{key}" has no vector.{hint}', key=key, suggestions=near)

    def _similar(self, key: str, kind: str | None) -> tuple[str, ...]:
        pool = [k for name, t in self._positions.items() if kind in (None, name) for k in t]
        folded = key.casefold()
        same_case = [k for k in pool if k.casefold() == folded]
        # difflib is O(n) per call with a large constant: keys that share the beginning first.
        head = [k for k in pool if k.casefold().startswith(folded[:2])][:5_000]
        near = difflib.get_close_matches(key, head, n=5, cutoff=0.6)
        return tuple(dict.fromkeys([*same_case, *near]))[:5]

    def __getitem__(self, key: str) -> FloatVector:
        """Return the ``(d,) float32`` vector of ``key``."""
        vector: FloatVector = self.matrix[self.position(key)]
        return vector

    def subset(self, where: BoolVector) -> KeyedVectors:
        """Return the rows where the ``(n,) bool`` mask is true, in order."""
        rows = np.flatnonzero(where)
        return KeyedVectors(
            [self.keys[i] for i in rows],
            self.matrix[rows],
            kinds=self.kinds[rows].tolist(),
            metric=self.metric,
            provenance=self.provenance,
        )

    def of_kind(self, kind: str) -> KeyedVectors:
        """Return the vectors of one kind, or of several joined by ``" + "`` (``self`` if all).

        Raises
        ------
        UnknownKey
            If no vector is of that kind.
        """
        wanted = [kind] if kind in self._positions else kind.split(KINDS_TOGETHER)
        if not set(wanted) <= set(self._positions):
            have = ", ".join(self.kind_names)
            raise UnknownKey(f"No vectors of kind {kind!r}; there are: {have}.", key=kind)
        if set(self.kind_names) == set(wanted):
            return self
        return self.subset(np.isin(self.kinds, wanted))

    def __repr__(self) -> str:
        """Return size, kinds and metric."""
        kinds = "+".join(self.kind_names)
        return f"KeyedVectors({len(self)} x {self.dim}, {kinds}, {self.metric})"
