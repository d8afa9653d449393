"""The reader of tables: delimited text, workbooks, Parquet, Feather, JSON.

A table with a column of long, distinct texts becomes a TEXT dataset, any other a TABLE dataset.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from core.errors import EmbedscopeError, ParameterError, TooLarge, UnreadableSource
from core.modality import Modality
from ingest.dataset import Dataset, Dropped
from ingest.delimited import read_delimited
from ingest.dialect import NO_DELIMITER, detect_dialect
from ingest.encoding import detect_encoding, head_text, looks_binary
from ingest.header import is_value
from ingest.ids import row_ids, unique_ids
from ingest.preview import ColumnGuess, Preview
from ingest.raw_table import RawTable
from ingest.reader import Certainty, ReadOptions, Recognition, Sources
from ingest.roles import Column, Plan, plan, roles_of
from ingest.source import Source
from ingest.spreadsheet import is_workbook, read_spreadsheet
from ingest.structured import is_columnar, json_shape, read_columnar, read_json
from ingest.values import verbatim
from ingest.wording import count

_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".psv", ".ssv"})
_JSON = frozenset({".json", ".jsonl", ".ndjson"})
_PREVIEW_ROWS = 20_000
_SHOWN_ROWS = 20
_FEATURES = frozenset({"numeric", "categorical", "time"})


class TabularReader:
    """Reads CSV, TSV, XLSX, XLS, ODS, Parquet, Feather, JSON and JSON lines."""

    kinds = frozenset({Modality.TABLE, Modality.TEXT})

    def recognise(self, sources: Sources) -> Recognition | None:
        """Return a claim to a single source with rows and columns."""
        if len(sources) != 1:
            return None
        source = sources[0]
        try:
            certainty = table_certainty(source)
            if certainty is None:
                return None
            table = table_head(source)
            found = plan(table, ReadOptions(), where=source.name)
        except EmbedscopeError:
            # It looks like a table, and reading it will say what is wrong with it.
            return Recognition(Modality.TABLE, Certainty.POSSIBLE, "table")
        return Recognition(found.kind, certainty, table.format)

    def inspect(self, sources: Sources, options: ReadOptions) -> Preview:
        """Return roles guessed from the first rows, 20,000 of a narrow table."""
        source = _only(sources)
        table = load_table(source, options, max_rows=_PREVIEW_ROWS)
        found = plan(table, options, where=source.name)
        n = len(table)
        return Preview(
            found.kind,
            table.format,
            n_items=n if table.is_complete else None,
            n_inspected=n,
            rows=_shown(table),
            columns=tuple(_column_guess(column) for column in found.columns),
            options={**table.options, **_chosen(found)},
            notes=(*table.notes, *_column_notes(found, n)),
            warnings=(*table.warnings, *_missing_note(found.columns, n), *_preview_warnings(found)),
            other_kinds=_other_kinds(found),
        )

    def read(self, sources: Sources, options: ReadOptions) -> Dataset:
        """Return all rows.

        Raises
        ------
        UnreadableSource, TooLarge, ParameterError
        """
        source = _only(sources)
        table = load_table(source, options)
        found = plan(table, options, where=source.name)
        if found.kind is Modality.TEXT:
            return _text_dataset(source, table, found, options)
        return _table_dataset(source, table, found)


def load_table(source: Source, options: ReadOptions, *, max_rows: int | None = None) -> RawTable:
    """Return the columns of a source of any tabular format, chosen by its content."""
    head = source.head(8192)
    if is_columnar(head):
        return read_columnar(source, options, max_rows=max_rows)
    if is_workbook(source):
        return read_spreadsheet(source, options, max_rows=max_rows)
    if looks_binary(head):
        raise UnreadableSource(
            f"{source.name} is no text and of no kind that is known here. Give CSV, TSV, XLSX, "
            "Parquet or JSON."
        )
    if _looks_like_html(head):
        raise UnreadableSource(
            f"{source.name} is a web page (HTML), whatever its name says. Open it in a "
            "spreadsheet program and save the table as .csv or .xlsx."
        )
    shape = json_shape(_text_head(source, options))
    is_json = source.suffix in _JSON or shape == "lines"
    if is_json or (shape and source.suffix not in _SUFFIXES):
        return read_json(source, options, max_rows=max_rows)
    return read_delimited(source, options, max_rows=max_rows)


def table_head(source: Source) -> RawTable:
    """Return the first 200 rows, read once for all readers that look at them.

    Raises
    ------
    UnreadableSource, TooLarge
    """
    known: RawTable | None = source.memo.get("head")
    if known is None:
        known = source.memo["head"] = load_table(source, ReadOptions(), max_rows=200)
    return known


def table_certainty(source: Source) -> Certainty | None:
    """Tell how surely a source has rows and columns; None if it has none."""
    head = source.head(65_536)
    if is_workbook(source):
        return Certainty.CERTAIN
    if is_columnar(head):
        return Certainty.LIKELY
    if looks_binary(head):
        return None
    if _looks_like_html(head):
        return Certainty.POSSIBLE
    if source.suffix in _SUFFIXES | _JSON:
        return Certainty.LIKELY
    text = _text_head(source, ReadOptions())
    if json_shape(text):
        return Certainty.LIKELY
    return Certainty.LIKELY if _is_delimited(text) else None


def _text_head(source: Source, options: ReadOptions) -> str:
    encoding = detect_encoding(source, given=options.encoding, whole=False)
    return head_text(source, encoding, 65_536)[0]


def _is_delimited(text: str) -> bool:
    """Tell whether a text without a telling suffix is a table and not prose with commas."""
    dialect, fit = detect_dialect(text)
    if dialect.delimiter in {NO_DELIMITER, " "} or fit < 0.3:
        return False
    lines = itertools.islice(io.StringIO(text, newline=""), 200)
    try:
        rows = [row for row in dialect.reader(lines) if any(row)]
    except csv.Error:
        return False
    widths = Counter(map(len, rows))
    width, n = widths.most_common(1)[0] if widths else (0, 0)
    if len(rows) < 2 or width < 2 or n < 0.95 * len(rows):
        return False
    if dialect.delimiter in "\t|":
        return True
    body = [row for row in rows[1:] if len(row) == width]
    values = [sum(is_value(row[i]) for row in body) >= 0.8 * len(body) for i in range(width)]
    short = sum(len(cell.split()) <= 3 for row in body for cell in row)
    return any(values) or (len(body) > 2 and short >= 0.95 * width * len(body))


def _looks_like_html(head: bytes) -> bool:
    start = head[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<body"))


def _only(sources: Sources) -> Source:
    if len(sources) == 1:
        return sources[0]
    names = ", ".join(source.name for source in sources[:5])
    raise ParameterError(
        f"A table is read from one file, got {len(sources)} ({names}). Join them, or give one."
    )


def _text_dataset(source: Source, table: RawTable, found: Plan, options: ReadOptions) -> Dataset:
    texts = _joined(table, found, source)
    longest = max(map(len, texts), default=0)
    if longest > options.limits.max_text_chars:
        row = next(i for i, text in enumerate(texts, start=1) if len(text) == longest)
        raise TooLarge(
            f"{source.name} has a text of {longest:,} characters in row {row:,}; at most "
            f"{options.limits.max_text_chars:,} are allowed (max_text_chars). Split it."
        )
    keep = np.array([bool(text.strip()) for text in texts])
    if not keep.any():
        raise UnreadableSource(
            f"{source.name}: every text of {_names(found.texts)} is empty. Choose another column."
        )
    empty = np.flatnonzero(~keep)
    kept = [text for text in texts if text.strip()]
    ids, id_notes = _ids(found, table, keep)
    columns = [c for c in found.columns if c.role not in {"id", "ignored"}]
    columns = [c for c in columns if c.name not in found.texts]
    frame = _frame(columns, keep)
    return Dataset(
        source.name,
        Modality.TEXT,
        ids,
        kept,
        frame,
        roles_of(columns),
        dropped=_dropped(table, [Dropped(f"row {i + 1}", "empty text") for i in empty]),
        n_dropped=max(table.n_dropped, len(table.dropped)) + len(empty),
        notes=(
            *_source_notes(table),
            *_text_notes(found, kept, len(empty)),
            *id_notes,
            *_column_notes(found, len(table)),
            *_missing_note(columns, len(table)),
            *_few_items_note(len(kept)),
        ),
    )


def _table_dataset(source: Source, table: RawTable, found: Plan) -> Dataset:
    features = [c for c in found.columns if c.role in _FEATURES]
    if not features:
        raise UnreadableSource(
            f"{source.name} has no column that can serve as a feature (numbers, categories or "
            "times). Give a column one of those roles, or read it as kind='text'."
        )
    shown = [c for c in found.columns if c.role not in {"id", "ignored"}]
    keep = np.ones(len(table), dtype=bool)
    ids, id_notes = _ids(found, table, keep)
    frame = _frame(shown, keep)
    return Dataset(
        source.name,
        Modality.TABLE,
        ids,
        frame[[c.name for c in features]].copy(),
        frame,
        roles_of(shown),
        dropped=table.dropped,
        n_dropped=max(table.n_dropped, len(table.dropped)),
        notes=(
            *_source_notes(table),
            *id_notes,
            *_column_notes(found, len(table)),
            *_missing_note(shown, len(table)),
            *_few_items_note(len(table)),
        ),
    )


def _joined(table: RawTable, found: Plan, source: Source) -> list[str]:
    """Return one text per row; parts of several columns stand on lines of their own."""
    if not found.texts:
        raise UnreadableSource(
            f"{source.name} has no column of texts. Name one with text=, or read it as "
            "kind='table'."
        )
    parts: list[list[str | None]] = [
        verbatim(table.column(name)).data.to_pylist() for name in found.texts
    ]
    if len(parts) == 1:
        return [text or "" for text in parts[0]]
    return ["\n".join(filter(None, row)) for row in zip(*parts, strict=True)]


def _ids(
    found: Plan, table: RawTable, keep: np.ndarray[Any, Any]
) -> tuple[tuple[str, ...], list[str]]:
    column = next(iter(found.named("id")), None)
    if column is None:
        numbers = row_ids(len(table))
        return tuple(numbers[i] for i in np.flatnonzero(keep)), [
            "No column of ids; items are called by the number of their row."
        ]
    values = column.values.as_strings().data.to_pylist()
    ids, notes = unique_ids(values, column=column.name)
    return tuple(ids[i] for i in np.flatnonzero(keep)), [f"Ids from {column.name!r}.", *notes]


def _frame(columns: Sequence[Column], keep: np.ndarray[Any, Any]) -> pd.DataFrame:
    index = pd.RangeIndex(int(keep.sum()))
    series = {c.name: c.values.as_series() for c in columns}
    if not series:
        return pd.DataFrame(index=index)
    frame = pd.concat(series, axis=1)
    return (frame if keep.all() else frame[keep]).reset_index(drop=True)


def _dropped(table: RawTable, more: Sequence[Dropped]) -> tuple[Dropped, ...]:
    return (*table.dropped, *more)[: Dataset.MAX_LISTED]


def _source_notes(table: RawTable) -> list[str]:
    return [f"Read as {table.format}.", *table.notes, *table.warnings]


def _text_notes(found: Plan, texts: Sequence[str], n_empty: int) -> list[str]:
    notes = [f"Texts from {_names(found.texts)}."]
    if len(found.texts) > 1:
        notes[0] = f"Texts from {_names(found.texts)}, joined by a line break."
    if n_empty:
        notes.append(f"{count(n_empty, 'row')} without a text dropped.")
    return notes + duplicate_note(texts)


def duplicate_note(texts: Sequence[str]) -> list[str]:
    """Return a sentence on texts that occur again, if any."""
    again = len(texts) - len(set(texts))
    return [f"{count(again, 'text')} repeating an earlier one kept."] if again else []


def _column_notes(found: Plan, n: int) -> list[str]:
    notes = [f"{c.name!r}: {c.values.note}." for c in found.columns if c.values.note]
    ignored = [c for c in found.columns if c.role == "ignored"]
    shown = "; ".join(f"{c.name!r} ({c.reason})" for c in ignored[:8])
    more = f" and {len(ignored) - 8:,} more" if len(ignored) > 8 else ""
    return notes + ([f"Ignored columns: {shown}{more}."] if ignored and n else [])


def _missing_note(columns: Sequence[Column], n: int) -> list[str]:
    counts = [(c.name, c.values.n_missing) for c in columns if c.role not in {"ignored", "id"}]
    gaps = [(name, gap) for name, gap in counts if gap]
    if not gaps:
        return []
    shown = ", ".join(f"{name} {gap:,}" for name, gap in gaps[:20])
    more = f" and {len(gaps) - 20:,} more columns" if len(gaps) > 20 else ""
    return [f"Missing values, of {count(n, 'row')}: {shown}{more}."]


def _few_items_note(n: int) -> list[str]:
    return ["Only one item: it has no neighbours, so no map can be drawn."] if n == 1 else []


def _names(names: Sequence[str]) -> str:
    return " and ".join(repr(name) for name in names)


def _shown(table: RawTable) -> pd.DataFrame:
    head = [column.slice(0, _SHOWN_ROWS) for column in table.columns]
    shown: pd.DataFrame = pa.table(head, names=list(table.names)).to_pandas()
    return shown


def _column_guess(column: Column) -> ColumnGuess:
    distinct = list(dict.fromkeys(map(str, column.values.sample)))[:3]
    return ColumnGuess(
        column.name,
        column.role,
        column.reason,
        column.values.n_missing,
        column.values.n_distinct,
        tuple(value if len(value) <= 120 else value[:119] + "…" for value in distinct),
    )


def _chosen(found: Plan) -> dict[str, Any]:
    chosen: dict[str, Any] = {"text": list(found.texts)} if found.texts else {}
    for role in ("label", "id"):
        column = next(iter(found.named(role)), None)
        if column is not None:
            chosen[role] = column.name
    return chosen


def _preview_warnings(found: Plan) -> list[str]:
    warnings = []
    column = next(iter(found.named("id")), None)
    if column is not None:
        again = len(column.values) - column.values.n_missing - column.values.n_distinct
        if again > 0:
            warnings.append(
                f"{count(again, 'id')} of {column.name!r} taken already; renamed when read."
            )
    for name in found.texts:
        values = next(c.values for c in found.columns if c.name == name)
        repeats = len(values) - values.n_missing - values.n_distinct
        if repeats > 0:
            warnings.append(f"{count(repeats, 'value')} of {name!r} repeating an earlier one.")
    return warnings


def _other_kinds(found: Plan) -> tuple[Modality, ...]:
    if found.kind is Modality.TEXT:
        return (Modality.TABLE,) if any(c.role in _FEATURES for c in found.columns) else ()
    strings = any(c.values.kind == "string" for c in found.columns)
    return (Modality.TEXT,) if strings else ()


READER = TabularReader()
