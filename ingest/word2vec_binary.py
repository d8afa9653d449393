"""word2vec's binary format, and the refusal of fastText's, which holds a model instead."""

from __future__ import annotations

import math
import re
import struct

import numpy as np

from core.arrays import FloatMatrix
from core.errors import UnreadableSource
from ingest.archive import gunzipped, unpacked_head
from ingest.limits import Limits
from ingest.raw_vectors import RawVectors, check_size
from ingest.source import Source
from ingest.wording import count

_HEADER = re.compile(rb"(\d{1,12})[ \t]+(\d{1,6})[ \t]*\r?\n")
_LONGEST_WORD = 2_000  # bytes; word2vec.c keeps 100, phrases are longer
_FASTTEXT_MAGIC = b"\xba\x16\x4f\x2f"  # 793712314, FASTTEXT_FILEFORMAT_MAGIC_INT32 of fasttext.cc


def is_word2vec_binary(source: Source) -> bool:
    """Tell whether a head is "n d", a word, and bytes that are no text numbers."""
    head = unpacked_head(source, 65_536)
    header = _HEADER.match(head)
    if header is None:
        return False
    blank = head.find(b" ", header.end(), header.end() + _LONGEST_WORD)
    if blank < 0:
        return False
    after = head[blank + 1 : blank + 40].split(b"\n")[0].split()
    return not (after and all(_is_finite_text(cell) for cell in after[:-1] or after))


def _is_finite_text(cell: bytes) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def is_fasttext_model(source: Source) -> bool:
    """Tell whether a head is that of a fastText model, of the present or the first format."""
    head = source.head(48)
    if head[:4] == _FASTTEXT_MAGIC:
        return True
    if len(head) < 48:
        return False
    # The first format has no magic number: dim, ws, epoch, minCount, neg, wordNgrams, loss, model.
    dim, window, epoch, _, negative, ngrams, loss, model = struct.unpack_from("<8i", head)
    return bool(
        0 < dim <= 10_000
        and 0 < window <= 100
        and 0 < epoch <= 10_000
        and 0 <= negative <= 1_000
        and 0 < ngrams <= 20
        and 1 <= loss <= 4
        and 1 <= model <= 3
    )


def refuse_fasttext_model(source: Source) -> None:
    """Refuse a fastText model.

    Raises
    ------
    UnreadableSource
        With what to give instead.
    """
    if is_fasttext_model(source):
        raise UnreadableSource(
            f"{source.name} is a fastText model (.bin), which keeps vectors of word parts and is "
            "not read. Give the word vectors that fastText saves beside it, the .vec file."
        )


def read_word2vec_binary(source: Source, limits: Limits) -> RawVectors:
    """Read a whole file of word2vec's binary format.

    Raises
    ------
    UnreadableSource
        If it is cut off, with the word at which it ends.
    TooLarge
    """
    data = gunzipped(source, limits).read()
    header = _HEADER.match(data)
    if header is None:
        raise UnreadableSource(f"{source.name} does not begin with two counts. Save it again.")
    n, dim = int(header[1]), int(header[2])
    if n == 0 or dim == 0:
        raise UnreadableSource(f"{source.name} says that it holds {n} vectors of {dim} numbers.")
    check_size(n, dim, source.name, limits)
    words, matrix, end = _parse(data, header.end(), n, dim, source.name)
    notes = []
    if data[end:].strip():
        notes.append(f"{len(data) - end:,} bytes after the last of the {n:,} vectors are not used.")
    ids = [word.decode("utf-8", "replace") for word in words]
    wrong = sum("\ufffd" in word for word in ids)
    if wrong:
        notes.append(f"{count(wrong, 'word')} with bytes that are not UTF-8; they read as \ufffd.")
    return RawVectors(matrix, "word2vec binary", ids, notes=notes)


def _parse(
    data: bytes, at: int, n: int, dim: int, name: str
) -> tuple[list[bytes], FloatMatrix, int]:
    width = 4 * dim
    possible = (len(data) - at) // (width + 1)
    if possible < n:
        raise _cut_off(name, possible, n, len(data))
    matrix = np.empty((n, dim), np.float32)
    words: list[bytes] = []
    for row in range(n):
        blank = data.find(b" ", at, at + _LONGEST_WORD)
        if blank < 0 or blank + 1 + width > len(data):
            raise _cut_off(name, row, n, at)
        words.append(data[at:blank].lstrip(b"\n"))  # some programs end a vector with a line end
        at = blank + 1 + width
        matrix[row] = np.frombuffer(data, "<f4", dim, blank + 1)
    return words, matrix, at


def _cut_off(name: str, row: int, n: int, at: int) -> UnreadableSource:
    return UnreadableSource(
        f"{name} is cut off or damaged after {row:,} of {n:,} vectors (byte {at:,}). "
        "Copy or download it again."
    )
