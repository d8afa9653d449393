"""A table beside the items: node labels, vector metadata, image captions. It is joined by id."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.modality import Modality
from ingest.archive import gunzipped
from ingest.dataset import Role
from ingest.delimited import read_delimited
from ingest.preview import ColumnGuess
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions, require_column
from ingest.roles import Column, plan, reads_like_texts
from ingest.source import Source
from ingest.spreadsheet import is_workbook, read_spreadsheet
from ingest.structured import is_columnar, read_columnar, read_json
from ingest.values import verbatim

SIDE_SUFFIXES = frozenset(
    {".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xls", ".parquet", ".feather", ".jsonl", ".json"}
)
_LABEL_NAME = re.compile(r"(?i)(group|community|department|cluster|type|club|value)s?")


def read_side_table(
    source: Source, options: ReadOptions, *, header: int | str | None = None
) -> RawTable:
    """Read the table beside the items.

    Of ``options`` only the limits count: delimiter, header and so on are said about the main file.

    Raises
    ------
    UnreadableSource, TooLarge
    """
    own = ReadOptions(header=header, limits=options.limits)
    source = gunzipped(source, options.limits)
    if is_columnar(source.head(16)):
        return read_columnar(source, own)
    if is_workbook(source):
        return read_spreadsheet(source, own)
    if source.suffix in {".json", ".jsonl", ".ndjson"}:
        return read_json(source, own)
    if source.suffix in {".tsv", ".tab"}:  # the Embedding Projector's: a quote is a character
        own = dataclasses.replace(own, quotechar="")
    return read_delimited(source, own)


def key_column(
    table: RawTable, name: str, ids: Sequence[str], *, said: str | None = None
) -> str | None:
    """Return the column that names the items, or None if none names half of its rows.

    A column counts by the share of its cells that are ids; the first of equals wins.

    Raises
    ------
    ParameterError
        If there is no column ``said``.
    """
    if said is not None:
        require_column(said, table.names, where=name, option="id")
        return said
    known = pa.array(list(ids), pa.large_string())
    best, best_share = None, 0.0
    for column in table.names:
        cells = _keys(table, column)
        if pc.count_distinct(cells).as_py() < 0.9 * len(cells):  # a label, not a name
            continue
        share = float(pc.mean(pc.cast(pc.is_in(cells, value_set=known), pa.float64())).as_py())
        if share >= 0.5 and share > best_share:
            best, best_share = column, share
    return best


def _keys(table: RawTable, column: str) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(pc.fill_null(verbatim(table.column(column)).data, ""))


def keys_of(table: RawTable, column: str) -> list[str]:
    """Return the cells of a key column as texts without blanks around them."""
    keys: list[str] = _keys(table, column).to_pylist()
    return keys


def aligned(table: RawTable, key: str, ids: Sequence[str]) -> tuple[RawTable, int, int]:
    """Return the other columns in the order of ``ids``, and how many ids and rows had no partner.

    Of rows with the same id the first counts.
    """
    keys = pd.Index(keys_of(table, key))
    first = np.flatnonzero(~keys.duplicated())
    place = keys[first].get_indexer(pd.Index(list(ids)))
    rows = pa.array(np.where(place >= 0, first[place], 0), mask=place < 0)
    names = tuple(name for name in table.names if name != key)
    columns = tuple(table.column(name).take(rows) for name in names)
    n_missing = int((place < 0).sum())
    rest = dataclasses.replace(table, names=names, columns=columns)
    return rest, n_missing, len(first) - (len(ids) - n_missing)


def described(
    table: RawTable, options: ReadOptions, *, where: str, only_column_is_label: bool = True
) -> tuple[pd.DataFrame, dict[str, Role], tuple[ColumnGuess, ...]]:
    """Return the columns of a row-aligned table in their types, with roles and reasons.

    Unlike in a table read for its own sake, texts that differ everywhere (titles, names) are kept:
    they are what a map shows on hover. Roles said in ``options`` win.
    """
    said = {k: v for k, v in options.columns.items() if k in table.names}
    label = options.label
    if label is not None:
        require_column(label, table.names, where=where, option="label")
    own = ReadOptions(kind=Modality.TABLE, columns=said, label=label)
    columns = list(plan(table, own, where=where).columns) if table.names else []
    columns = [_shown(column) for column in columns]
    if label is None and not any(column.role == "label" for column in columns):
        columns = _with_label(columns, only_column_is_label=only_column_is_label)
    kept = [column for column in columns if column.role != "ignored"]
    series = {c.name: c.values.as_series().reset_index(drop=True) for c in kept}
    frame = pd.DataFrame(series, index=pd.RangeIndex(len(table)))
    return frame, {c.name: c.role for c in kept}, tuple(_guess(c) for c in kept)


def _shown(column: Column) -> Column:
    """Return a column as text that only a map's hover needs, and one of repeated captions."""
    if column.is_said or column.values.kind != "string":
        return column
    if column.role in {"label", "categorical"} and reads_like_texts(column):
        n = column.values.n_distinct
        reason = f"{n:,} {'text' if n == 1 else 'texts'}, some of several rows"
        return dataclasses.replace(column, role="text", reason=reason)
    if column.role not in {"ignored", "id"} or column.values.n_distinct < 2:
        return column
    return dataclasses.replace(column, role="text", reason="differs in nearly every row")


def _with_label(columns: list[Column], *, only_column_is_label: bool) -> list[Column]:
    captions = [c for c in columns if c.role == "text" and not c.is_said and reads_like_texts(c)]
    for column in columns:
        alone = only_column_is_label and len(columns) - len(captions) == 1
        n, distinct = len(column.values), column.values.n_distinct
        if column.is_said or column.values.kind not in {"number", "string"}:
            continue
        if column in captions:
            continue
        is_text = column.values.kind == "string"
        groups = 2 <= distinct < n and distinct <= (n / 2 + 1 if is_text else n / 3)
        whole = is_text or column.values.is_integer
        if groups and whole and (alone or _LABEL_NAME.fullmatch(column.name)):
            made = dataclasses.replace(
                column,
                role="label",
                reason=f"{distinct:,} groups",
                values=column.values.as_strings(),
            )
            return [made if other is column else other for other in columns]
    return columns


def _guess(column: Column) -> ColumnGuess:
    return ColumnGuess(
        column.name,
        column.role,
        column.reason,
        n_missing=column.values.n_missing,
        n_distinct=column.values.n_distinct,
        examples=tuple(dict.fromkeys(str(value) for value in column.values.sample))[:3],
    )


def path_keys(ids: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the names under which a table may know files: path, name, name without suffix."""
    paths = [PurePosixPath(path) for path in ids]
    return [tuple(ids), tuple(path.name for path in paths), tuple(path.stem for path in paths)]
