"""Vectors inside tables: a column of lists, or many numeric columns."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrays import AnyArray
from core.errors import UnreadableSource
from ingest.dataset import Dataset, Dropped
from ingest.limits import Limits
from ingest.raw_table import RawTable
from ingest.raw_vectors import RawVectors, check_size, take_rows
from ingest.reader import ReadOptions, require_column
from ingest.values import as_numbers, to_float, understand

_LIST = re.compile(r"\s*\[\s*-?[\d.]")
_NUMBERED = re.compile(
    r"(?i)(|d|v|e|x|z|f|c|dim|emb|embedding|embeddings|vec|vector|component|pc|latent|feature|umap|"
    r"tsne)[ _.-]?(\d+)"
)
_LIKELY_NAME = re.compile(r"(?i).*(embedding|vector|emb|vec)s?")
_FEWEST = 2  # numbers in a list that is a vector, not a pair of something


def list_columns(table: RawTable) -> list[str]:
    """Return the columns whose cells are lists of numbers, those called like vectors first."""
    found = [
        name
        for name, column in zip(table.names, table.columns, strict=True)
        if _is_list_column(column)
    ]
    return sorted(found, key=lambda name: not _LIKELY_NAME.fullmatch(name))


def _is_list_column(column: pa.ChunkedArray) -> bool:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = kind.value_type
        return bool(pa.types.is_floating(inner) or pa.types.is_integer(inner))
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return False
    head = [cell for cell in column.slice(0, 200).to_pylist() if cell]
    return bool(head) and all(_numbers_of(cell) is not None for cell in head[:20])


def is_sparse_list(table: RawTable, column: str) -> bool:
    """Tell whether a column of lists is an aside: short lists, or half of the rows without one."""
    cells = table.column(column).slice(0, 200).to_pylist()
    lists = [_numbers_of(cell) if isinstance(cell, str) else cell for cell in cells]
    long = [numbers for numbers in lists if numbers is not None and len(numbers) >= 8]
    return len(long) < 0.5 * len(cells)


def _numbers_of(cell: str) -> list[float] | None:
    if not _LIST.match(cell):
        return None
    try:
        values = json.loads(cell)
    except (ValueError, RecursionError):
        values = None
    if values is None:  # numpy prints blanks instead of commas
        try:
            values = [float(number) for number in cell.strip(" []\r\n").split()]
        except ValueError:
            return None
    plain = isinstance(values, list) and len(values) >= _FEWEST
    return values if plain and all(isinstance(v, int | float) for v in values) else None


def numbered_columns(table: RawTable) -> list[str]:
    """Return columns that number the coordinates of a vector (dim_0, dim_1, …), at least four."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for name in table.names:
        match = _NUMBERED.fullmatch(name.strip())
        if match:
            groups.setdefault(match[1].casefold(), []).append((int(match[2]), name))
    best = max(groups.values(), key=len, default=[])
    numbers = [number for number, _ in best]
    whole = numbers in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))
    return [name for _, name in best] if whole and len(best) >= 4 else []


def vectors_of_table(table: RawTable, name: str, options: ReadOptions) -> RawVectors:
    """Return the vectors of a table; its other columns stay beside them.

    Taken are a column of lists, else numbered columns, else all numeric columns that are not said
    to be something else. A column with role ``numeric`` in ``options.columns`` belongs to them,
    and if there is one, no other does.

    Raises
    ------
    UnreadableSource
        If there is neither.
    TooLarge, ParameterError
    """
    lists = list_columns(table)
    if lists:
        return _vectors_of_lists(table, lists[0], name, options.limits)
    chosen = _numeric_columns(table, name, options)
    check_size(len(table), len(chosen), name, options.limits)
    matrix = np.empty((len(table), len(chosen)), np.float32)
    for place, column in enumerate(chosen):
        matrix[:, place] = to_float(as_numbers(table.column(column)))
    rest = [column for column in table.names if column not in set(chosen)]
    notes = [f"Vectors are the {len(chosen):,} columns {_span(chosen)}."]
    return RawVectors(
        matrix,
        table.format,
        columns=_only(table, rest),
        dropped=list(table.dropped),
        n_dropped=table.n_dropped,
        notes=[*table.notes, *notes],
    )


def _numeric_columns(table: RawTable, name: str, options: ReadOptions) -> list[str]:
    said = [column for column, role in options.columns.items() if role == "numeric"]
    for column in said:
        require_column(column, table.names, where=name, option="columns")
    other = {*options.columns, options.label, options.id} - set(said)
    found = said or numbered_columns(table)
    if not found:
        pairs = zip(table.names, table.columns, strict=True)
        found = [n for n, data in pairs if n not in other and understand(data).kind == "number"]
    if not found:
        raise UnreadableSource(
            f"{name} holds no vectors: neither a column of lists of numbers nor numeric columns. "
            "Give one row per vector."
        )
    return found


def _vectors_of_lists(table: RawTable, column: str, name: str, limits: Limits) -> RawVectors:
    data = table.column(column)
    if pa.types.is_string(data.type) or pa.types.is_large_string(data.type):
        lists = [None if cell is None else _numbers_of(cell) for cell in data.to_pylist()]
        lengths = np.array([-1 if cells is None else len(cells) for cells in lists])
        dim = _usual(lengths, name, column)
        check_size(len(lists), dim, name, limits)
        rows = np.flatnonzero(lengths == dim)
        matrix: AnyArray = np.array([lists[row] for row in rows], np.float64)
    else:
        lengths = pc.fill_null(pc.list_value_length(data), -1).to_numpy().astype(np.int64)
        dim = _usual(lengths, name, column)
        check_size(len(lengths), dim, name, limits)
        rows = np.flatnonzero(lengths == dim)
        flat = pc.list_flatten(data.take(pa.array(rows)))
        matrix = pc.cast(flat, pa.float64(), safe=False).to_numpy().reshape(-1, dim)
    bad = np.flatnonzero(lengths != dim)
    dropped = [
        Dropped(
            f"row {row + 1}",
            "no vector" if lengths[row] < 0 else f"{lengths[row]} numbers instead of {dim}",
        )
        for row in bad[: Dataset.MAX_LISTED]
    ]
    rest = _only(table, [other for other in table.names if other != column])
    return RawVectors(
        matrix,
        table.format,
        columns=rest if rest is None or not len(bad) else take_rows(rest, rows),
        dropped=[*table.dropped, *dropped],
        n_dropped=table.n_dropped + len(bad),
        notes=[*table.notes, f"Vectors are the lists of column {column!r}."],
    )


def _usual(lengths: AnyArray, name: str, column: str) -> int:
    counts = Counter(lengths[lengths > 0].tolist())
    if not counts:
        raise UnreadableSource(f"{name}: column {column!r} holds no list of numbers.")
    return int(counts.most_common(1)[0][0])


def _only(table: RawTable, names: Sequence[str]) -> RawTable | None:
    if not names:
        return None
    columns = tuple(table.column(name) for name in names)
    return dataclasses.replace(table, names=tuple(names), columns=columns)


def _span(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{names[0]} … {names[-1]}"
