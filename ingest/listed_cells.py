"""Cells that hold several things at once: a query with a list of its passages."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.raw_table import RawTable
from ingest.wording import count

_LOOKED_AT = 200


def holds_lists(data: pa.ChunkedArray) -> bool:
    """Tell whether the cells are lists of plain values, or texts that are such lists in JSON."""
    kind = data.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return not pa.types.is_nested(kind.value_type) and not pa.types.is_binary(kind.value_type)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return False
    sample = [cell for cell in data.slice(0, _LOOKED_AT).to_pylist() if cell]
    return bool(sample) and all(_listed(cell) is not None for cell in sample)


def spread(table: RawTable, names: Sequence[str]) -> tuple[RawTable, NDArray[np.int64]]:
    """Return a table with one row for each thing in a list, and the row that each came from.

    Parameters
    ----------
    names : sequence of str
        The columns whose lists count; two of them in one row make every combination. An empty
        list becomes a missing cell.

    Returns
    -------
    table : RawTable
    origin : (n,) int64
    """
    origin = np.arange(len(table), dtype=np.int64)
    for name in names:
        data = table.column(name)
        if not holds_lists(data):
            continue
        lists = [_cells(cell) for cell in data.to_pylist()]
        rows = np.repeat(np.arange(len(lists)), [len(cells) for cells in lists])
        flat = pa.chunked_array(
            [pa.array([c for cells in lists for c in cells], pa.large_string())]
        )
        taken = pa.array(rows)
        table = dataclasses.replace(
            table,
            columns=tuple(
                flat if other == name else column.take(taken)
                for other, column in zip(table.names, table.columns, strict=True)
            ),
            notes=(
                *table.notes,
                f"{name!r} holds lists: each thing in them is taken by itself, so that "
                f"{count(len(lists), 'row')} became {len(rows):,}.",
            ),
        )
        origin = origin[rows]
    return table, origin


def first_of_lists(data: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the first thing of each list, to see what they hold; other columns as they are."""
    if pa.types.is_nested(data.type) and holds_lists(data):
        firsts = [_cells(cell)[0] for cell in data.to_pylist()]
        return pa.chunked_array([pa.array(firsts, pa.large_string())])
    return data


def _cells(cell: Any) -> list[str | None]:
    """Return what a cell holds, one missing cell where that is nothing."""
    inner = _listed(cell) if isinstance(cell, str) else cell
    if inner is None:
        return [cell if isinstance(cell, str) else None]
    return [None if one is None else str(one) for one in inner] or [None]


def _listed(cell: str) -> list[Any] | None:
    if not cell.lstrip().startswith("["):
        return None
    try:
        inner = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    plain = isinstance(inner, list) and not any(isinstance(one, list | dict) for one in inner)
    return inner if plain else None
