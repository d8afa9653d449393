"""How a delimited file is written: delimiter, quote, escape.

Every candidate dialect parses the head of the file. A good one gives rows of equal width (the
pattern) whose cells are numbers, dates, words (the types); the product of the two picks the
dialect. The idea of scoring pattern times type is that of van den Burg, Nazábal and Sutton,
"Wrangling messy CSV files by detecting row and type patterns", DMKD 33 (2019), eq. 2.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import ParameterError

DELIMITERS = (",", ";", "\t", "|", " ")
NO_DELIMITER = "\x1f"
"""Stands for "one column": the unit separator, which no text file holds."""

_TITLES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
_MAX_CELLS = 3_000
_HEAD_CHARS = 65_536

_TYPED = re.compile(
    r"""\s*(?:
        [-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?\s?%?     # number
      | [-+]?\d{1,3}(?:[,. ]\d{3})+(?:[.,]\d+)?                    # thousands
      | [$€£¥]\s?-?[\d.,]+
      | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}                          # date, with or without a time
        (?:[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[-+]\d\d:?\d\d)?)?
      | \d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[AaPp][Mm])?
      | [\w.+-]+@[\w-]+\.[\w.]+
      | https?://[^\s"]+
      | [Nn]/?[Aa][Nn]?|null|NULL|None|\#N/A|-|\?
    )\s*""",
    re.VERBOSE,
)
_WORDS = re.compile(r"[^\W\d_][\w'’./()&+#:-]*(?:[ ][\w'’./()&+#:-]+)*")


@dataclass(frozen=True)
class Dialect:
    r"""How cells are told apart.

    Attributes
    ----------
    delimiter : str
        One character; ``NO_DELIMITER`` for a file of one column.
    quotechar : str
        One character, or "" where quotes mean nothing.
    escapechar : str
        ``\\`` where a backslash escapes a quote, else "".
    skip_space : bool
        Blanks after a delimiter do not count.
    """

    delimiter: str = ","
    quotechar: str = '"'
    escapechar: str = ""
    skip_space: bool = False

    @property
    def title(self) -> str:
        """Return the delimiter in a word."""
        if self.delimiter == NO_DELIMITER:
            return "one column"
        return _TITLES.get(self.delimiter, repr(self.delimiter))

    def reader(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        """Return the rows of ``lines``, each with its line end still on."""
        settings: dict[str, Any] = {
            "strict": strict,
            "delimiter": self.delimiter,
            "skipinitialspace": self.skip_space,
            "doublequote": not self.escapechar,
            "escapechar": self.escapechar or None,
        }
        if self.quotechar:
            settings["quotechar"] = self.quotechar
        else:
            settings |= {"quoting": csv.QUOTE_NONE, "quotechar": None, "escapechar": None}
        if self.delimiter == " ":  # columns set with blanks may begin with some
            lines = (line.strip(" \r\n") + "\n" for line in lines)
        return csv.reader(lines, **settings)


def detect_dialect(
    text: str, *, delimiter: str | None = None, quotechar: str | None = None
) -> tuple[Dialect, float]:
    """Return the likeliest dialect of ``text`` and how well it fits, in [0, 1].

    What the user gives is kept; only the rest is guessed.

    Raises
    ------
    ParameterError
        If ``delimiter`` or ``quotechar`` is longer than one character.
    """
    _check_one_character("delimiter", delimiter)
    _check_one_character("quotechar", quotechar)
    lines = list(io.StringIO(text[:_HEAD_CHARS], newline=""))
    if len(lines) > 3 and len(text) > _HEAD_CHARS:
        lines = lines[:-1]
    delimiters = (delimiter,) if delimiter else tuple(d for d in DELIMITERS if d in text)
    quotes = (quotechar,) if quotechar is not None else _quotes(text)
    best, best_score = None, 0.0
    for delim, quote in itertools.product(delimiters, quotes):
        blanks = bool(quote) and re.search(re.escape(delim) + " +" + quote, text) is not None
        for escape in ("", "\\") if quote and "\\" + quote in text else ("",):
            dialect = Dialect(delim, quote, escape, skip_space=delim == " " or blanks)
            if escape and len(text) <= _HEAD_CHARS and _is_left_open(dialect, lines):
                continue  # the backslash before the last quote is the last character of a cell
            score = _score(dialect, lines)
            if score > best_score:
                best, best_score = dialect, score
    if best is None or (best_score < _least(best) and not delimiter):
        quote = '"' if quotechar is None else quotechar
        return Dialect(delimiter or NO_DELIMITER, quote), 0.0
    if best.delimiter != " " and _blanks_follow(best, lines):
        best = Dialect(best.delimiter, best.quotechar, best.escapechar, skip_space=True)
    return best, best_score


def _is_left_open(dialect: Dialect, lines: list[str]) -> bool:
    """Tell whether the last cell begins with a quote that nothing closes."""
    try:
        for _ in dialect.reader(lines, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _check_one_character(name: str, value: str | None) -> None:
    if value is None or len(value) == 1 or (name == "quotechar" and not value):
        return
    raise ParameterError(
        f"{name}={value!r} must be one character"
        + (" (or empty for none)." if name == "quotechar" else ", for example ',' or '\\t'.")
    )


def _quotes(text: str) -> tuple[str, ...]:
    """Return the quotes worth trying: those that stand where a cell begins."""
    found = [q for q in ('"', "'") if re.search(rf"(?:^|[,;\t| ]){q}", text, re.MULTILINE)]
    if '"' not in found:
        return ('"', *found)  # harmless, and right for the rows beyond the head
    return (*found, "")


def _least(dialect: Dialect) -> float:
    # Blanks and commas occur in every sentence: they must fit better to count as delimiters.
    return 0.35 if dialect.delimiter == " " else 0.2


def _score(dialect: Dialect, lines: list[str]) -> float:
    try:
        rows = [row for row in dialect.reader(lines) if any(row)]
    except csv.Error:
        return 0.0
    if not rows:
        return 0.0
    widths = Counter(map(len, rows))
    # The pattern score of the paper: many rows of few distinct widths, wider is a little better.
    pattern = sum(n * (w - 1) / w for w, n in widths.items()) / len(widths) / len(rows)
    modal, count = widths.most_common(1)[0]
    pattern = max(pattern, count / len(rows) * (modal - 1) / modal)
    cells = list(itertools.islice(itertools.chain.from_iterable(rows), _MAX_CELLS))
    types = _type_share(cells, dialect)
    if dialect.delimiter == " " and (len(rows) < 2 or count < 0.9 * len(rows) or types < 0.7):
        return 0.0  # words between blanks are a sentence; numbers between them are a table
    return pattern * types


def _type_share(cells: list[str], dialect: Dialect) -> float:
    total = 0.0
    for cell in cells:
        if not cell or _TYPED.fullmatch(cell):
            total += 1.0
        elif dialect.quotechar and cell[-1] == dialect.quotechar:
            total += 0.0  # a quote that did not close where it should
        elif not dialect.quotechar and cell[0] in "\"'":
            total += 0.05
        elif len(cell) < 100 and _WORDS.fullmatch(cell.strip()):
            total += 0.9 if dialect.delimiter != " " else 0.6
        else:
            total += 0.4
    return total / max(len(cells), 1)


def _blanks_follow(dialect: Dialect, lines: list[str]) -> bool:
    try:
        cells = [cell for row in dialect.reader(lines) for cell in row[1:] if cell]
    except csv.Error:
        return False
    return len(cells) > 1 and all(cell[0] == " " for cell in cells[:_MAX_CELLS])


def resplit(line: str, dialect: Dialect, width: int) -> list[str] | None:
    """Return the ``width`` cells of a line that ``dialect`` splits otherwise, or None.

    Two accidents are mended: a row written with another delimiter, and a quote that opens a cell
    but is never closed before a delimiter (then it is a character like any other).
    """
    line = line.rstrip("\r\n")
    if "\n" in line or "\r" in line:
        return None
    for delimiter in DELIMITERS:
        if delimiter != dialect.delimiter and delimiter in line:
            row = next(Dialect(delimiter, dialect.quotechar, dialect.escapechar).reader([line]), [])
            if len(row) == width and dialect.delimiter not in line:
                return row
    row = _split_leniently(line, dialect)
    return row if len(row) == width else None


def _split_leniently(line: str, dialect: Dialect) -> list[str]:
    quote, delimiter = dialect.quotechar, dialect.delimiter
    if not quote or delimiter == NO_DELIMITER:
        return [line]
    q, d = re.escape(quote), re.escape(delimiter)
    blank = " *" if dialect.skip_space else ""
    cell = re.compile(
        rf"{blank}(?:{q}((?:[^{q}]|{q}{q})*){q}(?={d}|\Z)|([^{d}]*))(?:{d}|(\Z))", re.DOTALL
    )
    cells, at = [], 0
    while True:
        match = cell.match(line, at)
        if match is None:
            return [line]
        quoted, plain, end = match.groups()
        cells.append(plain if quoted is None else quoted.replace(quote * 2, quote))
        if end is not None:
            return cells
        at = match.end()
