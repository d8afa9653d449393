"""Vectors as they stand in a file, and the checks that all of them pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.arrays import AnyArray, BoolVector, FloatMatrix
from core.errors import UnreadableSource
from ingest.dataset import Dropped
from ingest.ids import row_ids
from ingest.limits import MB, Limits, check_limit
from ingest.raw_table import RawTable
from ingest.wording import count


@dataclass(frozen=True, eq=False)
class RawVectors:
    """A matrix with what its file says about the rows.

    Attributes
    ----------
    matrix : (n, d) array of numbers
    format : str
        In words: "word2vec text".
    ids : sequence of str or None
        One per row; may repeat.
    columns : RawTable or None
        Other columns, one row per vector.
    dropped : list of Dropped
        Rows of the file that are no vectors.
    n_dropped : int
    notes : list of str
    """

    matrix: AnyArray
    format: str
    ids: Sequence[str] | None = None
    columns: RawTable | None = None
    dropped: list[Dropped] = field(default_factory=list)
    n_dropped: int = 0
    notes: list[str] = field(default_factory=list)


def check_size(n: int, dim: int, name: str, limits: Limits) -> None:
    """Refuse a matrix that would need more than ``max_vector_mb`` as float32.

    Raises
    ------
    TooLarge
    """
    check_limit(
        n * dim * 4 // MB,
        limits.max_vector_mb,
        what=f"{name} holds {n:,} vectors of {dim:,} numbers, which need {{}} MB",
        name="max_vector_mb",
        advice="Give a part of the vectors.",
    )


def usable(raw: RawVectors, name: str) -> RawVectors:
    """Return the rows that can be used, as float32, with an id each; the others are listed.

    Rows with NaN or infinity are dropped, and so is every later row of an id that occurred before.
    Rows without ids are called by their numbers, counted from 1.

    Raises
    ------
    UnreadableSource
        If no row is left.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        matrix = np.ascontiguousarray(raw.matrix, dtype=np.float32)
    finite = _finite_rows(matrix)
    first = _first_of_id(raw.ids, len(matrix))
    dropped, notes = list(raw.dropped), list(raw.notes)
    for reason, bad in (("NaN or infinity", ~finite), ("repeats an earlier id", finite & ~first)):
        rows = np.flatnonzero(bad)
        names = [f"row {i + 1}" if raw.ids is None else raw.ids[int(i)] for i in rows[:1000]]
        dropped += [Dropped(called, reason) for called in names]
        if len(rows):
            notes.append(f"{count(len(rows), 'row')} left out: {reason}.")
    keep = finite & first
    if not keep.any():
        raise UnreadableSource(
            f"{name} holds no usable vector: every row has NaN or infinity. Write it again with "
            "finite numbers."
        )
    ids = row_ids(len(matrix)) if raw.ids is None else raw.ids
    n_dropped = raw.n_dropped + int((~keep).sum())
    if keep.all():
        return RawVectors(matrix, raw.format, ids, raw.columns, dropped, n_dropped, notes)
    rows = np.flatnonzero(keep)
    columns = None if raw.columns is None else take_rows(raw.columns, rows)
    kept = [ids[int(i)] for i in rows]
    return RawVectors(matrix[rows], raw.format, kept, columns, dropped, n_dropped, notes)


def _finite_rows(matrix: FloatMatrix, block: int = 65_536) -> BoolVector:
    finite = np.ones(len(matrix), bool)
    for start in range(0, len(matrix), block):  # bounds the memory of the boolean matrix
        finite[start : start + block] = np.isfinite(matrix[start : start + block]).all(axis=1)
    return finite


def _first_of_id(ids: Sequence[str] | None, n: int) -> BoolVector:
    first = np.ones(n, bool)
    if ids is None or len(set(ids)) == n:
        return first
    seen: set[str] = set()
    for row, id in enumerate(ids):
        first[row] = id not in seen
        seen.add(id)
    return first


def take_rows(table: RawTable, rows: NDArray[np.int64]) -> RawTable:
    """Return some rows of a table, in that order."""
    at = pa.array(rows)
    columns = tuple(column.take(at) for column in table.columns)
    return RawTable(table.names, columns, table.format, notes=table.notes)
