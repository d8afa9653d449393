"""Rows of two columns become distinct things on two sides and the links between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.dataset import Dataset, Dropped
from ingest.values import verbatim
from ingest.wording import count

Repeats = Literal["largest", "last", "sum"]
_NO_PAIR = re.compile(r"([\d,]+) rows? with a weight of 0 or less: no pair")


@dataclass(frozen=True, eq=False)
class Coded:
    """A column as numbers: rows with equal cells have the same one.

    Attributes
    ----------
    code : (n,) int32
        -1 where the cell is missing.
    values : sequence of str
        The cell of each code.
    missing : str
        Why a row without a code is left out.
    """

    code: NDArray[np.int32]
    values: Sequence[str]
    missing: str


@dataclass(frozen=True, eq=False)
class Links:
    """Distinct pairs of distinct things.

    Attributes
    ----------
    source, target : (m,) int32
        Counted from 0 on each side.
    weight : (m,) float32
        Positive, unless any weight makes a pair.
    left, right : (n_left,), (n_right,) int32
        The code of each thing, in order of first appearance.
    left_row, right_row : (n_left,), (n_right,) int64
        The first row of each thing.
    rows : (r,) int64
        The rows of the table whose things are kept.
    dropped : tuple of Dropped
    n_dropped : int
    notes : tuple of str
    """

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    weight: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    left_row: NDArray[np.int64]
    right_row: NDArray[np.int64]
    rows: NDArray[np.int64]
    dropped: tuple[Dropped, ...]
    n_dropped: int
    notes: tuple[str, ...]


def coded(data: pa.ChunkedArray, *, missing: str, trim: bool = False) -> Coded:
    """Return a column of texts or ids as codes in order of first appearance."""
    texts = verbatim(data).data
    if trim:
        texts = pc.utf8_trim_whitespace(texts)
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    encoded = array.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Coded(codes, encoded.dictionary.to_pylist(), missing)


def linked(
    left: Coded,
    right: Coded,
    weight: NDArray[np.float64] | None,
    time: NDArray[np.float64] | None,
    *,
    repeats: Repeats,
    keeps_things: bool,
    any_weight: bool = False,
    origin: NDArray[np.int64] | None = None,
) -> Links:
    """Return the distinct pairs.

    Parameters
    ----------
    left, right : Coded, one code per row
    weight : (n,) float64 or None
        NaN where missing. A pair needs one above 0, unless ``any_weight``.
    time : (n,) float64 or None
        Pairs are put in its order; "last" is the latest. Rows without a time come first.
    repeats : {"largest", "last", "sum"}
        Which weight a pair has that occurs again.
    keeps_things : bool
        Whether things stay whose only pairs have no positive weight.
    any_weight : bool
        Whether a weight of 0 or less makes a pair too, as a bad rating does.
    origin : (n,) int64, optional
        The row of the source that each row came from, to name those that are left out.
    """
    reasons = ("", left.missing, right.missing, "no weight", "a weight of 0 or less")
    why = np.zeros(len(left.code), np.int8)
    with np.errstate(over="ignore", under="ignore"):
        small = np.ones(len(why), np.float32) if weight is None else weight.astype(np.float32)
    if not any_weight:
        why[~(small > 0)] = 4
    why[~np.isfinite(small)] = 3
    is_no_pair = why == 4 if keeps_things else np.zeros(len(why), np.bool_)
    why[right.code < 0] = 2
    why[left.code < 0] = 1
    is_thing = (left.code >= 0) & (right.code >= 0)
    rows = np.flatnonzero(is_thing if keeps_things else why == 0)
    left_place, left_codes, left_row = _in_order(left.code, rows)
    right_place, right_codes, right_row = _in_order(right.code, rows)
    pairs = np.flatnonzero(why == 0)
    if time is not None:
        key = np.where(np.isnan(time[pairs]), -np.inf, time[pairs])
        pairs = pairs[np.argsort(key, kind="stable")]
    kept, merged = _merged(
        left_place[left.code[pairs]], right_place[right.code[pairs]], small[pairs], repeats
    )
    is_no_pair &= is_thing
    out = np.flatnonzero((why > 0) & ~is_no_pair)
    n_repeats = len(pairs) - len(kept)
    return Links(
        left_place[left.code[pairs[kept]]],
        right_place[right.code[pairs[kept]]],
        merged,
        left_codes,
        right_codes,
        left_row,
        right_row,
        rows,
        tuple(
            Dropped(f"row {(i if origin is None else origin[i]) + 1}", reasons[why[i]])
            for i in out[: Dataset.MAX_LISTED]
        ),
        len(out),
        tuple(_notes(why[out], reasons, int(is_no_pair.sum()), n_repeats, repeats)),
    )


def _in_order(
    code: NDArray[np.int32], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Return the place of each code, the code of each place, and its first row."""
    distinct, first = np.unique(code[rows], return_index=True)
    order = np.argsort(first, kind="stable")
    codes = distinct[order].astype(np.int32)
    place = np.full(int(code.max(initial=-1)) + 2, -1, np.int32)
    place[codes] = np.arange(len(codes), dtype=np.int32)
    return place, codes, rows[first[order]]


def _merged(
    source: NDArray[np.int32],
    target: NDArray[np.int32],
    weight: NDArray[np.float32],
    repeats: Repeats,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the row of each distinct pair (the last one for "last") and its weight."""
    if not len(source):
        return np.empty(0, np.int64), weight
    pair = source.astype(np.int64) * (int(target.max()) + 1) + target
    order = np.argsort(pair, kind="stable")
    is_first = np.diff(pair[order], prepend=-1) != 0
    starts = np.flatnonzero(is_first)
    if repeats == "last":
        ends = np.append(starts[1:], len(pair)) - 1
        kept = np.sort(order[ends])
        return kept, weight[kept]
    add = np.add if repeats == "sum" else np.maximum
    together = add.reduceat(weight[order].astype(np.float64), starts)
    kept = order[starts]
    by_place = np.argsort(kept, kind="stable")
    return kept[by_place], together[by_place].astype(np.float32)


def _notes(
    why: NDArray[np.int8], reasons: Sequence[str], n_no_pair: int, n_repeats: int, repeats: Repeats
) -> list[str]:
    notes = [
        f"{count(int((why == code).sum()), 'row')} left out: {reason}."
        for code, reason in enumerate(reasons)
        if code and (why == code).any()
    ]
    if n_no_pair:
        notes.append(
            f"{count(n_no_pair, 'row')} with a weight of 0 or less: no pair, but what stands "
            "there stays an item."
        )
    if n_repeats:
        rule = {
            "largest": "the largest weight counts",
            "last": "the last one counts",
            "sum": "their weights are added up",
        }[repeats]
        notes.append(f"{count(n_repeats, 'row')} repeating a pair merged; {rule}.")
    return notes


def n_rated_as_no_pair(notes: Iterable[str]) -> int:
    """Return how many rows the notes of a dataset say were no pair for their weight."""
    found = (_NO_PAIR.match(note) for note in notes)
    return sum(int(match[1].replace(",", "")) for match in found if match)


def constant_within(data: pa.ChunkedArray, group: NDArray[np.int32], rows: Any) -> bool:
    """Tell whether a column has one value per group; ``group`` and ``rows`` go together."""
    if not len(rows):
        return False
    encoded = pc.fill_null(verbatim(data).data, "").combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    cells = encoded.indices.to_numpy(zero_copy_only=False)[rows]
    first = np.zeros(int(group.max()) + 1, np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]  # the first occurrence is written last
    return bool((cells == cells[first[group]]).all())
