"""Delimited text (CSV, TSV, …) becomes a RawTable, in blocks, whatever its accidents.

Python's own parser reads it: it is exact on quotes and line breaks, keeps ragged rows and never
guesses types. Blocks of rows become Arrow columns, so that memory holds little more than the text.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from core.errors import TooLarge, UnreadableSource
from ingest.dataset import Dataset, Dropped
from ingest.dialect import NO_DELIMITER, Dialect, detect_dialect, resplit
from ingest.encoding import Encoding, detect_encoding, head_text, open_text, undecodable
from ingest.header import TableLayout, find_layout, unique_names
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions
from ingest.source import Source
from ingest.wording import count

_HEAD_ROWS = 500
# U+0080 to U+009F are invisible controls that no text means; they come from Windows-1252 bytes
# decoded as Latin-1 before they were saved, and are read back as what was meant.
_C1 = re.compile("[\x80-\x84\x86-\x9f]")
_FROM_C1 = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in {0x81, 0x85, 0x8D, 0x8F, 0x90, 0x9D}
}
_BLOCK_CELLS = 500_000
_PREVIEW_CELLS = 200_000


@dataclass
class _Tally:
    """What had to be mended on the way."""

    rows: int = 0
    blank: int = 0
    padded: int = 0
    cut: int = 0
    resplit: int = 0
    nul: int = 0
    c1: int = 0
    where_cut: list[Dropped] = field(default_factory=list)


def read_delimited(
    source: Source, options: ReadOptions, *, max_rows: int | None = None
) -> RawTable:
    """Return ``source`` as columns of texts, cells kept verbatim.

    Parameters
    ----------
    source : Source
    options : ReadOptions
        ``delimiter``, ``quotechar``, ``encoding``, ``header`` and ``limits`` count.
    max_rows : int or None
        Stop after so many rows (a preview), sooner if the table is wide.

    Raises
    ------
    UnreadableSource
        If it holds no row, does not decode, or a quote never closes.
    TooLarge
        Beyond ``limits.max_rows``, ``max_columns`` or ``max_cell_chars``.
    """
    csv.field_size_limit(options.limits.max_cell_chars)
    encoding = detect_encoding(source, given=options.encoding, whole=max_rows is None)
    dialect, layout = sniff(source, options, encoding)
    if max_rows is not None:
        max_rows = min(max_rows, max(_PREVIEW_CELLS // max(layout.width, 1), 50))
    tally = _Tally()
    rows = _rows(source, encoding, dialect, layout, tally, options)
    columns, is_complete = _columns(rows, layout.width, max_rows)
    names, name_notes = unique_names(layout.header, layout.width)
    if not len(columns[0]):
        raise UnreadableSource(
            f"{source.name} has a header but no row below it. Give at least one row, or "
            "header='none' if the first line is data."
        )
    return RawTable(
        names,
        columns,
        format=_format(source, dialect, encoding),
        written=layout.header,
        options=_used(dialect, encoding, layout),
        notes=(*filter(None, [encoding.note]), *layout.notes, *name_notes, *_notes(tally)),
        warnings=_warnings(tally, layout.width),
        dropped=tuple(tally.where_cut),
        is_complete=is_complete,
    )


def sniff(source: Source, options: ReadOptions, encoding: Encoding) -> tuple[Dialect, TableLayout]:
    """Return how the file is written and where its table lies, from its first rows.

    Raises
    ------
    UnreadableSource
        If there is not one cell, or the bytes do not decode.
    TooLarge
        If a row is wider than ``limits.max_columns``.
    """
    text, _ = head_text(source, encoding)
    text = text.replace("\0", "").translate(_FROM_C1)
    dialect, _ = detect_dialect(text, delimiter=options.delimiter, quotechar=options.quotechar)
    lines = list(io.StringIO(text, newline=""))
    rows = _head_rows(dialect, lines, source)
    if not any(any(row) for row in rows):
        raise UnreadableSource(f"{source.name} is empty. Give a file with at least one row.")
    rows = _mend_first_row(rows, lines, dialect)
    layout = find_layout(rows, header=options.header)
    if layout.width > options.limits.max_columns:
        raise TooLarge(
            f"{source.name} has {layout.width:,} columns; at most {options.limits.max_columns:,} "
            "are allowed (max_columns). Leave some out, or read it as kind='vectors'."
        )
    return dialect, layout


def _head_rows(dialect: Dialect, lines: Sequence[str], source: Source) -> list[list[str]]:
    try:
        return list(itertools.islice(dialect.reader(lines), _HEAD_ROWS))
    except csv.Error as error:
        raise _unclosed(source, 1) from error


def _mend_first_row(
    rows: list[list[str]], lines: Sequence[str], dialect: Dialect
) -> list[list[str]]:
    """Split a header anew that has other delimiters or an odd quote than the rows below it."""
    widths = [len(row) for row in rows[1:50] if any(row)]
    if len(widths) < 2 or len(set(widths)) > 1 or len(rows[0]) >= widths[0]:
        return rows
    mended = resplit(lines[0], dialect, widths[0])
    return [mended, *rows[1:]] if mended else rows


def _rows(
    source: Source,
    encoding: Encoding,
    dialect: Dialect,
    layout: TableLayout,
    tally: _Tally,
    options: ReadOptions,
) -> Iterator[list[list[str]]]:
    """Yield blocks of rows, each ``layout.width`` wide."""
    size = max(_BLOCK_CELLS // max(layout.width, 1), 1)
    limit = options.limits.max_rows
    with open_text(source, encoding) as stream:
        reader = dialect.reader(_clean(stream, tally))
        try:
            for _ in itertools.islice(reader, layout.first_row):
                pass
            while block := list(itertools.islice(reader, size)):
                rows = _regular(block, layout.width, dialect, tally)
                tally.rows += len(rows)
                if tally.rows > limit:
                    raise TooLarge(
                        f"{source.name} has more than {limit:,} rows, the most that are allowed "
                        "(max_rows). Split it, or sample rows before loading."
                    )
                yield rows
        except UnicodeError as error:
            raise undecodable(source, encoding) from error
        except csv.Error as error:
            raise _unclosed(source, tally.rows + 1) from error


def _clean(stream: Iterator[str], tally: _Tally) -> Iterator[str]:
    for line in stream:
        if "\0" in line:
            tally.nul += line.count("\0")
            line = line.replace("\0", "")
        if not line.isascii() and (found := len(_C1.findall(line))):
            tally.c1 += found
            line = line.translate(_FROM_C1)
        yield line


def _regular(
    block: list[list[str]], width: int, dialect: Dialect, tally: _Tally
) -> list[list[str]]:
    """Return the rows that hold anything, padded or cut to ``width``."""
    rows = list(filter(any, block))
    tally.blank += len(block) - len(rows)
    if set(map(len, rows)) <= {width}:
        return rows
    return [
        row if len(row) == width else _mend(row, width, dialect, tally, tally.rows + i)
        for i, row in enumerate(rows, start=1)
    ]


def _mend(row: list[str], width: int, dialect: Dialect, tally: _Tally, number: int) -> list[str]:
    if len(row) == 1 and width > 1:
        again = resplit(row[0], dialect, width)
        if again:
            tally.resplit += 1
            return again
    if len(row) < width:
        tally.padded += 1
        return row + [""] * (width - len(row))
    if any(row[width:]):
        tally.cut += 1
        if len(tally.where_cut) < Dataset.MAX_LISTED:
            extra = ", ".join(repr(cell[:40]) for cell in row[width : width + 5] if cell)
            tally.where_cut.append(Dropped(f"row {number}", f"cells beyond the header: {extra}"))
    return row[:width]


def _columns(
    blocks: Iterator[list[list[str]]], width: int, max_rows: int | None
) -> tuple[tuple[pa.ChunkedArray, ...], bool]:
    kind = pa.large_string()
    chunks: list[list[pa.Array]] = [[] for _ in range(width)]
    n = 0
    for block in blocks:
        if not block:
            continue
        take = block if max_rows is None else block[: max_rows - n]
        for parts, cells in zip(chunks, zip(*take, strict=True), strict=True):
            parts.append(pa.array(cells, kind))
        n += len(take)
        if max_rows is not None and n >= max_rows:
            more = len(take) < len(block) or next((b for b in blocks if b), None) is not None
            return tuple(pa.chunked_array(parts, kind) for parts in chunks), not more
    return tuple(pa.chunked_array(parts, kind) for parts in chunks), True


def _format(source: Source, dialect: Dialect, encoding: Encoding) -> str:
    kind = "TSV" if dialect.delimiter == "\t" or source.suffix == ".tsv" else "CSV"
    return f"{kind}, {dialect.title}, {encoding.title}"


def _used(dialect: Dialect, encoding: Encoding, layout: TableLayout) -> dict[str, object]:
    used: dict[str, object] = {
        "encoding": encoding.codec,
        "quotechar": dialect.quotechar,
        "header": "none" if layout.header_row is None else layout.header_row,
    }
    if dialect.delimiter != NO_DELIMITER:
        used["delimiter"] = dialect.delimiter
    return used


def _notes(tally: _Tally) -> list[str]:
    notes = []
    if tally.blank:
        notes.append(f"{count(tally.blank, 'blank row')} skipped.")
    if tally.nul:
        notes.append(f"{count(tally.nul, 'NUL character')} removed.")
    if tally.c1:
        notes.append(f"{count(tally.c1, 'control character')} read as the Windows-1252 sign meant.")
    if tally.resplit:
        notes.append(f"{count(tally.resplit, 'row')} with another delimiter split by that one.")
    return notes


def _warnings(tally: _Tally, width: int) -> tuple[str, ...]:
    found = []
    if tally.padded:
        found.append(
            f"{count(tally.padded, 'row')} with fewer than {width:,} cells; the rest is missing."
        )
    if tally.cut:
        found.append(
            f"{count(tally.cut, 'row')} with more than {width:,} cells; what is beyond was cut."
        )
    return tuple(found)


def _unclosed(source: Source, row: int) -> UnreadableSource:
    return UnreadableSource(
        f"{source.name} has a cell near row {row:,} that is longer than max_cell_chars; a quote is "
        "probably never closed. Mend that row, or read with quotechar='' (quotes mean nothing)."
    )
