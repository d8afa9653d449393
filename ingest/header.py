"""Where a table starts in a grid of cells: lines above it, its header, its width.

The same rules serve delimited files and spreadsheets. They look at the first rows only.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import ParameterError
from ingest.wording import count

Row = Sequence[str]

_NUMBER = re.compile(r"\s*[$€£¥]?\s?[-+]?(?:\d[\d., ]*|[.,]\d+)(?:[eE][-+]?\d+)?\s?%?\s*")
_DATE = re.compile(
    r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d{1,2}:\d\d\S*)?\s*|\s*\d{1,2}:\d\d\S*"
)
_YEAR = re.compile(r"(?:1[89]|20|21)\d\d")
_NAMES = re.compile(
    r"(?:.*[ _-])?(?:ids?|index|idx|key|name|title|text|body|content|review|sentence\d?|comment|"
    r"description|message|tweet|headline|abstract|document|doc|question\d?|answer|query|utterance|"
    r"word|words|token|term|label|labels|class|category|target|topic|intent|sentiment|species|"
    r"genre|type|group|score|rating|stars|date|time|timestamp|year|month|day|url|link|source|"
    r"author|user|lang|language|country|city|place|address|value|val|count|number|age|sex|gender|"
    r"price|status|split|file|filename|path|first|last|x|y|z)(?:[ _-]?\d+)?",
    re.IGNORECASE,
)
_MAX_PREAMBLE = 40
_MAX_HEADER_ROWS = 4


@dataclass(frozen=True)
class TableLayout:
    """Where the table lies in the grid.

    Attributes
    ----------
    width : int
        Cells per row.
    header : tuple of str or None
        Names as written, several header rows joined by a blank; None if there is no header.
    first_row : int
        Position of the first data row among all rows of the grid.
    header_row : int or None
        Position of the (last) header row.
    notes : tuple of str
    """

    width: int
    header: tuple[str, ...] | None
    first_row: int
    header_row: int | None
    notes: tuple[str, ...] = ()


def find_layout(rows: Sequence[Row], *, header: int | str | None = None) -> TableLayout:
    """Return where the table lies among ``rows``, the first rows of a grid.

    Parameters
    ----------
    rows : sequence of rows
        Blank rows included.
    header : int, "none" or None
        As the user says; None means "guess".

    Raises
    ------
    ParameterError
        If ``header`` is no row of the grid.
    """
    width = _width(rows)
    if header == "none":
        return TableLayout(width, None, _first_filled(rows), None)
    if header is not None:
        return _given(rows, header, width)
    start = _table_start(rows, width)
    body = [row for row in rows[start + 1 :] if any(row) and list(row) != list(rows[start])]
    notes = _preamble_notes(rows, start)
    if start >= len(rows) or not looks_like_header(rows[start], body):
        return TableLayout(width, None, start if start < len(rows) else 0, None, notes)
    names, last, more = _join_header_rows(rows, start, width)
    return TableLayout(max(width, len(names)), tuple(names), last + 1, last, notes + more)


def unique_names(header: Sequence[str] | None, width: int) -> tuple[tuple[str, ...], list[str]]:
    """Return one distinct, non-empty name per column, and what had to be changed.

    A column without a name is called by its position, ``column_3``; a repeated name gets a number,
    ``x (2)``; line breaks in a name become blanks.
    """
    written = list(header or ())[:width] + [""] * (width - len(header or ()))
    taken, names, unnamed, repeated = set[str](), [], 0, Counter[str]()
    reserved = {" ".join(name.split()) for name in written}
    for position, raw in enumerate(written, start=1):
        name = " ".join(raw.replace("\ufeff", "").split())
        unnamed += not name
        base = name or f"column_{position}"
        final, number = base, 1
        while final in taken or (number > 1 and final in reserved):
            number += 1
            final = f"{base} ({number})"
        repeated[base] += number > 1
        taken.add(final)
        names.append(final)
    notes = []
    if header is not None and unnamed:
        notes.append(f"{count(unnamed, 'column')} without a name, called column_N by position.")
    twice = [name for name, again in repeated.items() if again]
    if twice:
        some = ", ".join(repr(name) for name in twice[:5])
        notes.append(f"Column names that occur twice were numbered: {some}.")
    return tuple(names), notes


def is_value(cell: str) -> bool:
    """Tell whether ``cell`` is a number, an amount, a date or a time."""
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def looks_like_header(first: Row, body: Sequence[Row]) -> bool:
    """Tell whether ``first`` names the columns of ``body``."""
    filled = [cell for cell in first if cell.strip()]
    if not filled:
        return False
    if not body:
        return len(first) > 1 and all(_is_short(c) and not re.search(r"\d", c) for c in filled)
    values = [cell for cell in filled if is_value(cell)]
    if values and not _are_years(values, filled):
        return False
    if len(first) == 1:
        column = [row[0] for row in body[:500] if row and row[0]]
        return _evidence(first[0], column, alone=True) > 0.5
    score = 0.0
    for position, cell in enumerate(first):
        column = [row[position] for row in body[:500] if len(row) > position and row[position]]
        score += _evidence(cell, column)
    if any(not _is_short(cell) for cell in filled) and score < 2:
        return False
    return score > 0


def _evidence(cell: str, column: list[str], *, alone: bool = False) -> float:
    """Return how much ``cell`` looks like the name of ``column`` (negative: like a value)."""
    if not cell.strip():
        return -0.2 if column else 0.0
    recurs = cell in column[:20] or column.count(cell) > 0.02 * len(column)
    if _NAMES.fullmatch(cell.strip()):
        return -0.5 if recurs else 1.5
    if not column:
        return 0.1
    typed = sum(map(is_value, column)) / len(column)
    if typed >= 0.8:
        return 2.0
    if recurs:
        return -1.5
    mean = statistics.fmean(map(len, column))
    if _is_short(cell) and mean > 40 and mean > 3 * len(cell):
        return 1.0
    if alone:
        return 0.0
    return 0.2 if _is_short(cell) else -1.0


def _is_short(cell: str) -> bool:
    return len(cell) <= 60 and len(cell.split()) <= 8


def _are_years(values: Sequence[str], filled: Sequence[str]) -> bool:
    return (
        len(values) < len(filled)
        and len(set(values)) == len(values)
        and all(_YEAR.fullmatch(value.strip()) for value in values)
    )


def _width(rows: Sequence[Row]) -> int:
    widths = Counter(len(row) for row in rows if any(row))
    if not widths:
        return 0
    total = sum(widths.values())
    # The widest width that a tenth of the rows has: the rest is padded, nothing common is cut.
    common = [w for w, n in widths.items() if n >= 0.1 * total]
    modal, n = max(widths.items(), key=lambda item: (item[1], item[0]))
    return max(common) if n < 0.9 * total else modal


def _first_filled(rows: Sequence[Row]) -> int:
    return next((i for i, row in enumerate(rows) if any(row)), 0)


def _filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _table_start(rows: Sequence[Row], width: int) -> int:
    """Return the first row that is as full as the rows of the table are."""
    counts = [_filled(row) for row in rows if any(row)]
    typical = statistics.median(counts[len(counts) // 3 :]) if counts else 0
    need = 1 if width < 2 or typical < 2 else max(2, 0.34 * typical)
    for i, row in enumerate(rows[:_MAX_PREAMBLE]):
        if _filled(row) >= need and len(row) >= min(width - 1, 2):
            return i
    return _first_filled(rows)


def _preamble_notes(rows: Sequence[Row], start: int) -> tuple[str, ...]:
    above = [" ".join(cell for cell in row if cell) for row in rows[:start] if any(row)]
    if not above:
        return ()
    first = above[0] if len(above[0]) <= 60 else above[0][:57] + "…"
    return (f"{count(len(above), 'line')} above the table skipped (“{first}”).",)


def _join_header_rows(
    rows: Sequence[Row], start: int, width: int
) -> tuple[list[str], int, tuple[str, ...]]:
    """Return the names, the position of the last header row, and notes."""
    names, last = list(rows[start]), start
    notes: tuple[str, ...] = ()
    for i in range(start + 1, min(start + _MAX_HEADER_ROWS, len(rows))):
        row = rows[i]
        body = [r for r in rows[i + 1 :] if any(r)]
        if list(row) == list(rows[start]) and body:
            last, notes = i, ("The header is written more than once; the repeats were skipped.",)
        elif not body or not _names_values_below(row, body):
            break
        elif _completes(names, row):
            names, last = _merge(names, row), i
            notes = ("The header is spread over several rows; they were joined.",)
        elif _filled(row) == len(set(row)) == len(row) == width:
            text = " ".join(cell for cell in names if cell)[:60]
            names, last, notes = list(row), i, (f"1 line above the table skipped (“{text}”).",)
        else:
            break
    return names, last, notes


def _names_values_below(row: Row, body: Sequence[Row]) -> bool:
    """Tell whether the cells of ``row`` are words above columns of values."""
    votes = []
    for position, cell in enumerate(row):
        column = [r[position] for r in body[:200] if len(r) > position and r[position]]
        if is_value(cell):
            return False
        if cell.strip() and column:
            typed = sum(map(is_value, column)) >= 0.8 * len(column)
            votes.append(typed)
    return bool(votes) and sum(votes) >= 0.5 * len(votes)


def _completes(upper: Row, lower: Row) -> bool:
    gaps = any(not u.strip() and lower[i].strip() for i, u in enumerate(upper) if i < len(lower))
    words = [cell for cell in lower if cell.strip()]
    repeats = len(set(words)) < len(words)
    return gaps and (repeats or len(words) < len(lower))


def _merge(upper: Row, lower: Row) -> list[str]:
    """Join two header rows; a name above a gap reaches over the cells to its right."""
    names, carried = [], ""
    for position in range(max(len(upper), len(lower))):
        above = upper[position] if position < len(upper) else ""
        below = lower[position] if position < len(lower) else ""
        carried = above or (carried if below.strip() else "")
        names.append(f"{carried} {below}".strip() if below.strip() else above)
    return names


def _given(rows: Sequence[Row], header: int | str, width: int) -> TableLayout:
    if not isinstance(header, int) or isinstance(header, bool) or not 0 <= header < len(rows):
        raise ParameterError(
            f"header={header!r} must be 'none' or a row from 0 to {max(len(rows) - 1, 0)}."
        )
    names = tuple(rows[header])
    return TableLayout(max(width, len(names)), names, header + 1, header)
