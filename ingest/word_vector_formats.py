"""Word vectors as text (word2vec, GloVe, fastText .vec) and as word2vec's binary format.

Text is parsed in blocks of whole lines by Arrow's CSV parser, so that memory holds the matrix and
one block; a block with irregular lines (words with blanks, cut lines) is parsed line by line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from core.arrays import FloatMatrix
from core.errors import UnreadableSource
from ingest.archive import gunzipped, unpacked_head
from ingest.dataset import Dataset, Dropped
from ingest.limits import Limits
from ingest.raw_vectors import RawVectors, check_size
from ingest.source import Source
from ingest.wording import count

_HEADER = re.compile(rb"\s*(\d{1,12})[ \t]+(\d{1,6})[ \t]*\r?\n")
_BLOCK = 8 << 20
_HEAD = 65_536


@dataclass(frozen=True)
class TextLayout:
    """How a file of word vectors is written.

    Attributes
    ----------
    dim : int
        Numbers per line.
    has_words : bool
        Whether a word stands before them.
    separator : str
        A blank, a tab or a comma.
    said : (n, d) or None
        The counts of a header line.
    skip : int
        Bytes before the first vector.
    is_regular : bool
        Whether the first line is like the others (it is no header of a table).
    n_fractions : float
        Share of the first lines' numbers that are no whole numbers.
    """

    dim: int
    has_words: bool
    separator: str
    said: tuple[int, int] | None
    skip: int
    is_regular: bool
    n_fractions: float


def text_layout(source: Source) -> TextLayout | None:
    """Return how the lines of a head hold vectors, or None if they do not."""
    head = unpacked_head(source, _HEAD)
    skip = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    header = _HEADER.match(head, skip)
    said = (int(header[1]), int(header[2])) if header else None
    skip = header.end() if header else skip
    lines = [line.rstrip(b" \r\t") for line in head[skip:].split(b"\n")]
    if len(head) >= _HEAD and len(lines) > 1:
        lines.pop()  # cut off by the head
    lines = [line for line in lines if line.strip()][:200]
    for separator in (b"\t", b" ", b","):
        found = _fields(lines, separator, said)
        if found is not None:
            cells = [cell for line in lines[:20] for cell in line.split(separator)[-found[0] :]]
            fractions = sum(b"." in cell or b"e-" in cell for cell in cells) / len(cells)
            first = _count_numbers(lines[0].split(separator))
            regular = first[0] >= found[0]
            return TextLayout(*found, separator.decode(), said, skip, regular, fractions)
    return None


def _fields(
    lines: Sequence[bytes], separator: bytes, said: tuple[int, int] | None
) -> tuple[int, bool] | None:
    """Return (dim, has_words) if nearly all lines agree on them."""
    counts = Counter(_count_numbers(line.split(separator)) for line in lines)
    if not counts:
        return None
    (dim, has_words), n = counts.most_common(1)[0]
    if said is not None and any(d == said[1] and w for d, w in counts):
        dim, has_words = said[1], True  # words that are numbers look like one more number
    elif said is not None and (said[1] + 1, False) in counts:
        dim, has_words = said[1], True
    elif n < 0.8 * len(lines):
        return None
    return (dim, has_words) if dim >= 1 and (dim >= 2 or has_words) else None


def _count_numbers(cells: list[bytes]) -> tuple[int, bool]:
    """Return how many numbers end a line, and whether anything stands before them."""
    n = 0
    for cell in reversed(cells):
        if not _is_number(cell):
            break
        n += 1
    return n, n < len(cells)


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return b"_" not in cell and cell == cell.strip()


def read_text(source: Source, layout: TextLayout, limits: Limits) -> RawVectors:
    """Read all lines of a file of vectors.

    Raises
    ------
    UnreadableSource
        If no line is a vector.
    TooLarge
    """
    plain = gunzipped(source, limits)
    parts: list[FloatMatrix] = []
    words: list[bytes] = []
    bad: list[Dropped] = []
    n_rows = 0
    with plain.open() as stream:
        stream.read(layout.skip)
        for block in _blocks(stream):
            some, matrix = _parse(block, layout, bad)
            words += some
            parts.append(matrix)
            n_rows += len(matrix)
            check_size(n_rows, layout.dim, source.name, limits)
    if not n_rows:
        raise UnreadableSource(
            f"{source.name} holds no vector: no line ends with {layout.dim} numbers."
        )
    notes = _count_notes(layout, n_rows + len(bad))
    ids, wrong = _decoded(words)
    if wrong:
        notes.append(f"{count(wrong, 'word')} with bytes that are not UTF-8; they read as \ufffd.")
    return RawVectors(
        np.concatenate(parts) if len(parts) > 1 else parts[0],
        _title(layout),
        ids if layout.has_words else None,
        dropped=bad[: Dataset.MAX_LISTED],
        n_dropped=len(bad),
        notes=notes,
    )


def _title(layout: TextLayout) -> str:
    if not layout.has_words:
        return "numbers as text"
    return "word2vec text" if layout.said else "GloVe text"


def _count_notes(layout: TextLayout, n_lines: int) -> list[str]:
    if layout.said is None or layout.said == (n_lines, layout.dim):
        return []
    return [
        f"The header promises {layout.said[0]:,} vectors of {layout.said[1]:,} numbers, the file "
        f"holds {n_lines:,} of {layout.dim:,}."
    ]


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield blocks of whole lines with plain line ends and single separators."""
    rest = b""
    while data := stream.read(_BLOCK):
        data = rest + data
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        if end:
            yield data[:end]
    if rest.strip():
        yield rest


def _parse(block: bytes, layout: TextLayout, bad: list[Dropped]) -> tuple[list[bytes], FloatMatrix]:
    separator = layout.separator.encode()
    if b"\r\n" in block:
        block = block.replace(b"\r\n", b"\n")
    if separator + b"\n" in block:  # fastText ends every line with a blank
        block = re.sub(rb"[ \t]+\n", b"\n", block)
    found = _parse_fast(block, layout)
    return found if found is not None else _parse_lines(block, layout, bad)


def _parse_fast(block: bytes, layout: TextLayout) -> tuple[list[bytes], FloatMatrix] | None:
    """Return words and numbers of a block in which every line is regular, else None."""
    if b"\r" in block or b"\0" in block:
        return None
    names = [str(i) for i in range(layout.dim + layout.has_words)]
    types: dict[str, pa.DataType] = dict.fromkeys(names, pa.float32())
    if layout.has_words:
        types["0"] = pa.binary()
    try:
        table = pacsv.read_csv(
            pa.BufferReader(block),
            read_options=pacsv.ReadOptions(
                column_names=names, use_threads=False, block_size=2 * len(block) + 1
            ),
            parse_options=pacsv.ParseOptions(delimiter=layout.separator, quote_char=False),
            convert_options=pacsv.ConvertOptions(column_types=types, null_values=["nan", "NaN"]),
        )
    except pa.ArrowInvalid:
        return None
    matrix = np.empty((table.num_rows, layout.dim), np.float32)
    for column in range(layout.dim):
        matrix[:, column] = table.column(column + layout.has_words).to_numpy()
    words: list[bytes] = table.column(0).to_pylist() if layout.has_words else []
    return words, matrix


def _parse_lines(
    block: bytes, layout: TextLayout, bad: list[Dropped]
) -> tuple[list[bytes], FloatMatrix]:
    separator, dim = layout.separator.encode(), layout.dim
    words: list[bytes] = []
    rows: list[list[float]] = []
    for line in block.split(b"\n"):
        if not line.strip():
            continue
        cells = line.rsplit(separator, dim) if layout.has_words else line.split(separator)
        try:
            values = [float(cell) for cell in (cells[1:] if layout.has_words else cells)]
        except ValueError:
            values = []
        if len(values) != dim:
            bad.append(Dropped(_shown(line), f"does not end with {dim} numbers"))
            continue
        words += cells[:1] if layout.has_words else []
        rows.append(values)
    with np.errstate(over="ignore"):
        matrix = np.array(rows, np.float64).reshape(len(rows), dim).astype(np.float32)
    return words, matrix


def _shown(line: bytes) -> str:
    text = line[:200].decode("utf-8", "replace")
    return text if len(text) <= 40 else text[:39] + "…"


def _decoded(words: Sequence[bytes]) -> tuple[list[str], int]:
    try:
        return b"\n".join(words).decode("utf-8").split("\n") if words else [], 0
    except UnicodeDecodeError:
        ids = [word.decode("utf-8", "replace") for word in words]
        return ids, sum("\ufffd" in word for word in ids)
