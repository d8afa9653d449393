"""What is known about vectors besides their numbers: metadata by word or row by row, and ids."""

from __future__ import annotations

import dataclasses
import re

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import UnreadableSource
from ingest.ids import unique_ids
from ingest.plain_table import text_bytes
from ingest.raw_table import RawTable
from ingest.raw_vectors import RawVectors
from ingest.reader import ReadOptions, require_column
from ingest.side_table import aligned, key_column, read_side_table
from ingest.source import Source
from ingest.values import understand, verbatim
from ingest.wording import count

_ID_NAME = re.compile(
    r"(?i)(.*[ _-])?(ids?|uuid|guid|key|index|identifier|word|token|name|file|filename|path|sku)"
)


def with_metadata(raw: RawVectors, source: Source, options: ReadOptions) -> RawVectors:
    """Return the vectors with the columns of a metadata file, joined by id or row by row.

    Raises
    ------
    UnreadableSource
        If it neither names the vectors nor has a row for each.
    """
    table = read_side_table(source, options)
    if raw.ids is not None:
        key = key_column(table, source.name, raw.ids)
        if key is not None:
            joined, n_missing, _ = aligned(table, key, raw.ids)
            n = len(raw.ids)
            note = f"{source.name} was joined by {key!r}: {n - n_missing:,} of {n:,} have a row."
            return _with_columns(raw, joined, note)
    table = _row_by_row(table, source, len(raw.matrix), options)
    return _with_columns(raw, table, f"{source.name} was joined row by row.")


def _row_by_row(table: RawTable, source: Source, n: int, options: ReadOptions) -> RawTable:
    """Return the table read so that it has ``n`` rows: a header may have been guessed wrong."""
    found = len(table)
    for header in ("none", 0):
        if len(table) == n:
            return table
        try:
            table = read_side_table(source, options, header=header)
        except UnreadableSource:
            continue
    if len(table) == n:
        return table
    data, _ = text_bytes(source, options.limits)
    lines = data.decode("utf-8", "replace").split("\n")  # labels, one per line, some empty
    for cells in (lines, lines[:-1]):
        if len(cells) == n:
            column = pa.chunked_array([pa.array(cells, pa.large_string())])
            return RawTable(("label",), (column,), "lines")
    raise UnreadableSource(
        f"{source.name} has {count(found, 'row')} for {count(n, 'vector')}, and no column of it "
        "names them. Give one row per vector, in their order, or a column of their ids."
    )


def _with_columns(raw: RawVectors, table: RawTable, note: str) -> RawVectors:
    if raw.columns is not None:
        own = [
            (name, data)
            for name, data in zip(raw.columns.names, raw.columns.columns, strict=True)
            if name not in table.names
        ]
        names = (*table.names, *(name for name, _ in own))
        columns = (*table.columns, *(data for _, data in own))
        table = dataclasses.replace(table, names=names, columns=columns)
    return dataclasses.replace(raw, columns=table, notes=[*raw.notes, note])


def with_ids(raw: RawVectors, name: str, options: ReadOptions) -> RawVectors:
    """Return the vectors called by a column: the one said, or the first of distinct short texts.

    Vectors that have ids of their own keep them unless a column is said.
    """
    if options.id is not None:
        known = raw.columns.names if raw.columns is not None else ()
        require_column(options.id, known, where=name, option="id")
    if raw.columns is None or (raw.ids is not None and options.id is None):
        return raw
    column = options.id or _id_column(raw.columns)
    if column is None:
        return raw
    cells = verbatim(raw.columns.column(column)).data.to_pylist()
    ids, notes = unique_ids(cells, column=column)
    names = tuple(other for other in raw.columns.names if other != column)
    columns = tuple(raw.columns.column(other) for other in names)
    rest = dataclasses.replace(raw.columns, names=names, columns=columns) if names else None
    return dataclasses.replace(raw, ids=ids, columns=rest, notes=[*raw.notes, *notes])


def _id_column(table: RawTable) -> str | None:
    for place, name in enumerate(table.names):
        values = understand(table.column(name))
        is_named = _ID_NAME.fullmatch(name) is not None
        is_whole = values.kind == "string" or values.is_integer
        if not is_whole or not (is_named or (place == 0 and values.kind == "string")):
            continue
        texts = verbatim(table.column(name)).data
        if texts.null_count or pc.count_distinct(texts).as_py() < len(texts):
            continue
        if pc.mean(pc.utf8_length(texts)).as_py() <= 60:
            return name
    return None
