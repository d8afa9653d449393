"""Parquet, Feather, JSON and JSON lines become a RawTable."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from core.errors import TooLarge, UnreadableSource
from ingest.dataset import Dataset, Dropped
from ingest.encoding import detect_encoding, open_text, undecodable
from ingest.header import unique_names
from ingest.limits import MB
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions
from ingest.source import Source

_SCALARS = (str, int, float, bool, type(None))


def is_columnar(head: bytes) -> bool:
    """Tell whether the magic bytes are those of Parquet or Arrow (Feather)."""
    return head[:4] == b"PAR1" or head[:6] == b"ARROW1" or head[:4] == b"FEA1"


def read_columnar(source: Source, options: ReadOptions, *, max_rows: int | None = None) -> RawTable:
    """Return a Parquet or Feather file with its own column types.

    Raises
    ------
    UnreadableSource
        If the file is damaged or has no row.
    TooLarge
        Beyond ``limits.max_rows``.
    """
    is_parquet = source.head(4) == b"PAR1"
    try:
        table, n = _parquet(source, max_rows) if is_parquet else _feather(source, max_rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableSource(
            f"{source.name} is damaged: it begins like {'Parquet' if is_parquet else 'Feather'} "
            "but cannot be read. Write it again."
        ) from error
    if n > options.limits.max_rows:
        raise too_many_rows(source, options.limits.max_rows)
    if not n or not table.num_columns:
        raise UnreadableSource(f"{source.name} has no row. Give at least one.")
    names, notes = unique_names(table.column_names, table.num_columns)
    return RawTable(
        names,
        tuple(table.columns),
        format="Parquet" if is_parquet else "Feather",
        written=tuple(table.column_names),
        notes=tuple(notes),
        is_complete=table.num_rows == n,
    )


def _parquet(source: Source, max_rows: int | None) -> tuple[pa.Table, int]:
    with source.open() as stream:
        file = pq.ParquetFile(stream)
        n = file.metadata.num_rows
        if max_rows is None or max_rows >= n:
            return file.read(), n
        batches = list(itertools.islice(file.iter_batches(batch_size=max_rows), 1))
        return pa.Table.from_batches(batches, schema=file.schema_arrow), n


def _feather(source: Source, max_rows: int | None) -> tuple[pa.Table, int]:
    with source.open() as stream:
        table = pyarrow.feather.read_table(stream)
    return (table if max_rows is None else table.slice(0, max_rows)), table.num_rows


def json_shape(head: str) -> str:
    """Return "lines", "array" or "" for a text that is no JSON records.

    Judged from the first characters: an object per line, or an array of objects or texts.
    """
    text = head.lstrip("\ufeff \t\r\n")
    if text.startswith("["):
        inner = text[1:].lstrip()
        return "array" if inner[:1] in {"{", '"'} else ""
    if not text.startswith("{"):
        return ""
    first = text.split("\n", 1)[0].strip()
    try:
        value = json.loads(first)
    except ValueError:
        return "wrapped" if text[1:].lstrip()[:1] == '"' else ""
    lines = [line for line in text.split("\n")[1:3] if line.strip()]
    return (
        "lines" if isinstance(value, dict) and (lines or not _inner_records(value)) else "wrapped"
    )


def read_json(source: Source, options: ReadOptions, *, max_rows: int | None = None) -> RawTable:
    """Return JSON lines, an array of objects, or an array of texts as columns.

    Raises
    ------
    UnreadableSource
        If a record is no valid JSON, or there is none.
    TooLarge
        Beyond ``limits.max_rows``, or an array beyond ``limits.max_json_mb``.
    """
    encoding = detect_encoding(source, given=options.encoding, whole=max_rows is None)
    dropped: list[Dropped] = []
    try:
        with open_text(source, encoding) as stream:
            shape = json_shape(stream.read(65_536))
            stream.seek(0)
            if shape == "lines":
                records = _lines(stream, source, dropped)
            else:
                records = iter(_whole(stream.read(), source, options))
            limit = options.limits.max_rows
            kept = list(itertools.islice(records, limit + 1 if max_rows is None else max_rows))
            complete = next(records, None) is None
    except UnicodeError as error:
        raise undecodable(source, encoding) from error
    if len(kept) > limit:
        raise too_many_rows(source, limit)
    if not kept:
        raise UnreadableSource(f"{source.name} holds no record. Give at least one.")
    names, columns = _transpose(kept)
    unique, notes = unique_names(names, len(names))
    return RawTable(
        unique,
        columns,
        format="JSON lines" if shape == "lines" else "JSON",
        written=tuple(names),
        options={"encoding": encoding.codec},
        notes=(*filter(None, [encoding.note]), *notes),
        dropped=tuple(dropped[: Dataset.MAX_LISTED]),
        n_dropped=len(dropped),
        is_complete=complete,
    )


def _lines(stream: Iterable[str], source: Source, dropped: list[Dropped]) -> Iterator[Any]:
    good = False
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.lstrip("\ufeff"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            if not good:
                raise UnreadableSource(
                    f"{source.name} is not valid JSON in line {number}. Give one object per line."
                ) from error
            dropped.append(Dropped(f"line {number}", "not valid JSON"))
            continue
        good = True
        yield record


def _whole(text: str, source: Source, options: ReadOptions) -> Sequence[Any]:
    if len(text) > options.limits.max_json_mb * MB:
        raise TooLarge(
            f"{source.name} is one JSON value of more than {options.limits.max_json_mb} MB "
            "(max_json_mb). Write it as JSON lines, one object per line, or as Parquet."
        )
    try:
        value = json.loads(text.lstrip("\ufeff"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(
            f"{source.name} is not valid JSON. Give an array of objects, or one object per line."
        ) from error
    if isinstance(value, dict):
        value = _inner_records(value) or [value]
    if not isinstance(value, list):
        raise UnreadableSource(
            f"{source.name} is a single JSON value. Give an array of objects, or one object per "
            "line."
        )
    return value


def _inner_records(value: Mapping[str, Any]) -> list[Any] | None:
    """Return the one list of objects that an object wraps: {"data": [{…}, {…}]}."""
    lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
    return lists[0] if len(lists) == 1 else None


def _no_constant(_name: str) -> None:
    return None  # NaN and Infinity are no JSON; they say that there is no value


def _transpose(records: Sequence[Any]) -> tuple[list[str], tuple[pa.ChunkedArray, ...]]:
    rows = [
        record
        if isinstance(record, dict)
        else {"text" if isinstance(record, str) else "value": record}
        for record in records
    ]
    names = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
    return names, tuple(_column([row.get(name) for row in rows]) for name in names)


def _column(values: list[Any]) -> pa.ChunkedArray:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {int, float} or kinds <= {bool}:
        try:
            whole = kinds <= {int}
            kind = pa.bool_() if kinds == {bool} else pa.int64() if whole else pa.float64()
            return pa.chunked_array([pa.array(values, kind if kinds else pa.null())])
        except (OverflowError, pa.ArrowInvalid):
            pass  # a whole number beyond 64 bits is kept as the text that it is
    texts = [v if v is None or isinstance(v, str) else _as_text(v) for v in values]
    return pa.chunked_array([pa.array(texts, pa.large_string())])


def _as_text(value: Any) -> str:
    if isinstance(value, _SCALARS):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return json.dumps(value, ensure_ascii=False)


def table_of_strings(rows: Sequence[Sequence[str]], width: int) -> tuple[pa.ChunkedArray, ...]:
    """Return a grid of texts as columns; short rows are padded, long ones cut."""
    kind = pa.large_string()
    regular = [[*row[:width], *[""] * (width - len(row))] for row in rows]
    return tuple(pa.chunked_array([pa.array(c, kind)]) for c in zip(*regular, strict=True))


def too_many_rows(source: Source, limit: int) -> TooLarge:
    """Return the refusal of a source with more rows than allowed."""
    return TooLarge(
        f"{source.name} has more than {limit:,} rows, the most that are allowed (max_rows). "
        "Split it, or sample rows before loading."
    )
