"""Plain columns of text, read fast: edge lists, node tables and metadata beside vectors.

Spreadsheets as they occur in the wild are the business of the table reader; what comes here is
written by programs: one record per line, one delimiter, perhaps a header and comment lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from core.errors import UnreadableSource
from ingest.archive import gunzipped, unpacked_head
from ingest.dataset import Dropped
from ingest.encoding import detect_encoding, undecodable
from ingest.limits import Limits, check_limit
from ingest.source import Source
from ingest.wording import count

_DELIMITERS = ("\t", ",", ";", "|")
_COMMENT = re.compile(rb"(?m)^[ \t]*[#%][^\n]*(?:\n|\Z)")
_HEAD_LINES = 200
_HEADER_WORDS = frozenset({
    "source", "target", "src", "dst", "from", "to", "weight", "node", "node1", "node2", "node_1",
    "node_2", "id", "id1", "id2", "u", "v", "label", "name", "class", "category", "group", "word",
    "key", "fromnodeid", "tonodeid", "sender", "receiver", "follower", "followee", "citing",
    "cited", "file", "filename", "file_name", "path", "image", "caption", "title", "text",
    "identifier", "cluster", "community",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class PlainTable:
    """A table whose cells are all text.

    Attributes
    ----------
    frame : pandas.DataFrame
        Text columns; missing trailing fields are missing values.
    delimiter : str
        One character; "whitespace" for runs of blanks.
    has_header : bool
    first_comment : str
        The text of the comment lines before the first record, joined.
    dropped : tuple of Dropped
        Records with more fields than the first ones.
    notes : tuple of str
    """

    frame: pd.DataFrame
    delimiter: str
    has_header: bool
    first_comment: str = ""
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def described(self) -> str:
        """Return delimiter and header in words."""
        name = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}.get(self.delimiter)
        return f"{name or self.delimiter}, {'header' if self.has_header else 'no header'}"


def read_plain_table(
    source: Source,
    limits: Limits,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: int | str | None = None,
    comments: bool = True,
    max_bytes: int | None = None,
) -> PlainTable:
    """Read a source (gzip or not) whose lines are records.

    Parameters
    ----------
    delimiter, encoding, header
        As in ``ReadOptions``; guessed when None.
    comments : bool
        Skip lines that start with # or %, unless most lines do.
    max_bytes : int, optional
        Read only this many bytes (up to the last whole line), to look at a head.

    Raises
    ------
    UnreadableSource
        If there is no record, or no delimiter fits.
    """
    data, notes = text_bytes(source, limits, encoding=encoding, max_bytes=max_bytes)
    first_comment, n_comments = "", 0
    if comments:
        data, first_comment, n_comments = _without_comments(data)
    if n_comments:
        notes = (*notes, f"{count(n_comments, 'comment line')} skipped.")
    head = [line for line in data[:262_144].decode("utf-8", "replace").split("\n") if line.strip()]
    if len(data) > 262_144 and len(head) > 1:
        head.pop()
    if not head:
        raise UnreadableSource(f"{source.name} holds no record. Give at least one line.")
    found = delimiter or _delimiter(head[:_HEAD_LINES])
    if found in {"whitespace", " "}:
        data = _single_tabs(data)
        head = [re.sub(r"[ \t]+", "\t", line.strip(" \t")) for line in head]
        found = "whitespace"
    character = "\t" if found == "whitespace" else found
    rows = [line.split(character) for line in head[:_HEAD_LINES]]
    width = _width(rows)
    skip, has_header = _header(rows, header)
    names = _names(rows[skip - 1] if has_header else [], width)
    table, dropped = _parse(source, data, names, character, skip)
    check_limit(
        table.num_rows,
        limits.max_edges,
        what=f"{source.name} has {{}} records",
        name="max_edges",
        advice="Give a part of it.",
    )
    frame = table.to_pandas(types_mapper={pa.string(): pd.StringDtype("pyarrow")}.get)
    return PlainTable(frame, found, has_header, first_comment, dropped, notes)


def text_bytes(
    source: Source, limits: Limits, *, encoding: str | None = None, max_bytes: int | None = None
) -> tuple[bytes, tuple[str, ...]]:
    r"""Return the content as UTF-8 with ``\n`` line ends, and what had to be done for it.

    Raises
    ------
    UnreadableSource, ParameterError
        If ``encoding`` does not fit or is unknown.
    """
    cut = max_bytes is not None
    data = _whole_lines(source, max_bytes or 0) if cut else gunzipped(source, limits).read()
    notes: tuple[str, ...] = ()
    if encoding is not None or not _is_utf8(data, cut=cut):
        found = detect_encoding(Source(source.name, data=data), given=encoding)
        try:
            data = data.decode(found.codec, found.errors).encode()
        except UnicodeDecodeError as error:
            raise undecodable(source, found) from error
        notes = (found.note,) if found.note else ()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in data:
        data = re.sub(rb"\r+\n|\r", b"\n", data)
    return data, notes


def _is_utf8(data: bytes, *, cut: bool) -> bool:
    """Tell whether ``data`` is UTF-8; a head may be ``cut`` within a character."""
    if data.isascii():
        return b"\0" not in data[:4096]  # else UTF-16 or UTF-32 of plain letters
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return cut and error.start >= len(data) - 4
    return True


def _whole_lines(source: Source, max_bytes: int) -> bytes:
    data = unpacked_head(source, max_bytes)
    whole = data.rfind(b"\n") + 1
    return data[:whole] if whole and len(data) >= max_bytes else data


def _without_comments(data: bytes) -> tuple[bytes, str, int]:
    if b"#" not in data and b"%" not in data:
        return data, "", 0
    head = [line.strip() for line in data[:65_536].split(b"\n") if line.strip()]
    marked = [line.startswith((b"#", b"%")) for line in head]
    if sum(marked) > 0.9 * len(head):  # hashtags as ids
        return data, "", 0
    first = [
        line.strip(b" \t#%").decode("utf-8", "replace") for line in head[: marked.index(False)]
    ]
    rest, count = _COMMENT.subn(b"", data)
    return rest, " ".join(first).strip(), count


def _delimiter(lines: list[str]) -> str:
    """Return the delimiter that occurs in most lines, runs of blanks where there is none."""
    for candidate in _DELIMITERS:
        if sum(candidate in line for line in lines) >= 0.9 * len(lines):
            return candidate
    return "whitespace"


def _single_tabs(data: bytes) -> bytes:
    if not any(odd in data for odd in (b"\t", b"  ", b" \n", b"\n ")) and data[:1] != b" ":
        return data.replace(b" ", b"\t")  # four times faster than the general way below
    data = re.sub(rb"[ \t]+\n", b"\n", data)
    return re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+", b"", data))


def _width(rows: list[list[str]]) -> int:
    """Return the number of columns: of nearly all records of the head."""
    widths = Counter(len(row) for row in rows)
    usual = [width for width, count in widths.items() if count >= 0.1 * len(rows)]
    return max(usual or [widths.most_common(1)[0][0]])


def _header(rows: list[list[str]], header: int | str | None) -> tuple[int, bool]:
    """Return how many lines to skip, and whether the last of them names the columns."""
    if isinstance(header, int):
        return min(header, len(rows) - 1) + 1, True
    if header == "none" or len(rows) < 2:
        return 0, False
    first, rest = rows[0], rows[1:]
    cleaned = [cell.strip().strip('"').casefold() for cell in first]
    if len(set(cleaned)) < len(cleaned) or not all(cleaned):
        return 0, False
    for column, cell in enumerate(cleaned):
        values = [row[column] for row in rest if column < len(row)]
        if values and all(map(_is_number, values)) and not _is_number(cell):
            return 1, True
    others = {cell.casefold() for row in rest for cell in row}
    known = sum(cell.replace(" ", "") in _HEADER_WORDS for cell in cleaned)
    named = known >= 1 and not others & {c for c in cleaned if c in _HEADER_WORDS}
    return (1, True) if named else (0, False)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names(given: list[str], width: int) -> list[str]:
    names = [cell.strip().strip('"') or f"column {i + 1}" for i, cell in enumerate(given)]
    names += [f"column {i + 1}" for i in range(len(names), width)]
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def _parse(
    source: Source, data: bytes, names: list[str], character: str, skip: int
) -> tuple[pa.Table, tuple[Dropped, ...]]:
    dropped: list[Dropped] = []
    n_short = 0

    def on_bad_row(row: pacsv.InvalidRow) -> str:
        nonlocal n_short
        if row.actual_columns < row.expected_columns:
            n_short += 1
        else:
            reason = f"{row.actual_columns} fields instead of {row.expected_columns}"
            dropped.append(Dropped(_shown(row.text), reason))
        return "skip"

    quote = '"' if character != "\t" and b'"' in data else False
    table = _arrow_table(source, data, names, character, quote, skip, on_bad_row)
    if n_short:  # missing last fields (a label that is not known): fill them, keep the order
        dropped.clear()
        full = [line + character * _missing(line, character, len(names)) for line in _lines(data)]
        data = "\n".join(full).encode()
        table = _arrow_table(source, data, names, character, quote, skip, on_bad_row)
    return table, tuple(dropped)


def _lines(data: bytes) -> list[str]:
    return [line for line in data.decode("utf-8", "replace").split("\n") if line]


def _missing(line: str, character: str, width: int) -> int:
    return 0 if '"' in line else max(width - 1 - line.count(character), 0)


def _arrow_table(
    source: Source,
    data: bytes,
    names: list[str],
    character: str,
    quote: str | bool,
    skip: int,
    on_bad_row: Callable[[pacsv.InvalidRow], str],
) -> pa.Table:
    try:
        return pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(
                column_names=names, skip_rows=skip, use_threads=False, block_size=8 << 20
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=character, quote_char=quote, invalid_row_handler=on_bad_row
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise UnreadableSource(
            f"{source.name} is not a table of lines with one delimiter "
            f"({str(error).splitlines()[0][:120]}). Choose the delimiter, or another kind."
        ) from error


def _shown(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def numbers(column: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a text column as ``(n,) float64``, NaN where a cell is no number."""
    return pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
