"""The first look at a table of pairs or interactions."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from ingest.dataset import Role
from ingest.pair_columns import PairColumns
from ingest.preview import ColumnGuess
from ingest.raw_table import RawTable
from ingest.values import understand

_SHOWN_ROWS = 20


def first_rows(table: RawTable) -> pd.DataFrame:
    """Return the first rows as they stand in the file."""
    head = [column.slice(0, _SHOWN_ROWS) for column in table.columns]
    shown: pd.DataFrame = pa.table(head, names=list(table.names)).to_pandas()
    return shown


def column_guesses(
    table: RawTable, columns: PairColumns, *, roles: tuple[Role, Role]
) -> tuple[ColumnGuess, ...]:
    """Return the part of each column and why; ``roles`` are those of the two sides."""
    parts: dict[str, Role] = {columns.left: roles[0], columns.right: roles[1]}
    if columns.weight is not None:
        parts[columns.weight] = "weight"
    if columns.time is not None:
        parts[columns.time] = "time"
    guesses = []
    for name, data in zip(table.names, table.columns, strict=True):
        values = understand(data)
        other: Role = "numeric" if values.kind == "number" else "categorical"
        if values.kind in {"time", "none", "other"}:
            other = "time" if values.kind == "time" else "ignored"
        if name not in parts and name not in columns.others:
            other = "ignored"
        distinct = list(dict.fromkeys(map(str, values.sample)))[:3]
        guesses.append(
            ColumnGuess(
                name,
                parts.get(name, other),
                columns.reasons.get(name, "kept where it tells of one side"),
                values.n_missing,
                values.n_distinct,
                tuple(value if len(value) <= 120 else value[:119] + "…" for value in distinct),
            )
        )
    return tuple(guesses)
