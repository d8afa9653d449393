"""Reading what an embedding service answers: vectors in order, or why there are none."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from core.arrays import AnyArray, FloatMatrix
from core.errors import EmbedderUnavailable

_QUOTED = 160
_SHORTEST_SECRET = 5
_NONSENSE = "Check that the address is that of an OpenAI-compatible embeddings service."


class Embedded(NamedTuple):
    """One good answer: ``(n, d) float32`` in the order asked, the model, the tokens counted."""

    matrix: FloatMatrix
    model: str
    n_tokens: int


def read_json(body: bytes, who: str) -> object:
    """Return the JSON value of an answer.

    Raises
    ------
    EmbedderUnavailable
        If it is something else (a web page, half an answer).
    """
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        kind = "nothing" if not body.strip() else "something else"
        raise EmbedderUnavailable(
            f"{who} answered with {kind} instead of JSON. {_NONSENSE}"
        ) from None
    return value


def read_vectors(answer: object, n: int, who: str) -> Embedded:
    """Return the vectors of ``n`` texts from an answer, by their index.

    Numbers may come as JSON lists or as base64 of little-endian float32. Where no vector has an
    index, the order of the answer is taken; where just the first lacks it (some services leave out
    zeros), it is 0.

    Raises
    ------
    EmbedderUnavailable
        If vectors are missing, too many, doubled, of different lengths or not finite.
    """
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, list) or not all(isinstance(each, Mapping) for each in data):
        raise EmbedderUnavailable(f"{who} answered without vectors (data). {_NONSENSE}")
    if len(data) != n:
        raise EmbedderUnavailable(
            f"{who} answered with {len(data):,} vectors for {n:,} texts. Try a smaller batch size."
        )
    rows = [_numbers(data[i].get("embedding"), who) for i in _order(data, who)]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise EmbedderUnavailable(
            f"{who} answered with vectors of different lengths ({lengths[0]:,} and "
            f"{lengths[-1]:,} numbers), which cannot be compared. Choose another model."
        )
    with np.errstate(over="ignore"):
        matrix = np.array(rows).astype(np.float32)
    bad = int((~np.isfinite(matrix)).any(axis=1).sum())
    if bad:
        raise EmbedderUnavailable(
            f"{who} answered with NaN or infinity in {bad:,} of {n:,} vectors. Choose another "
            "model or another precision on its side."
        )
    assert isinstance(answer, Mapping)  # noqa: S101 -- told to the type checker
    return Embedded(matrix, plain(answer.get("model"), 80), _tokens(answer.get("usage")))


def _order(data: Sequence[Mapping[str, Any]], who: str) -> list[int]:
    """Return the positions in ``data`` in the order of their index."""
    given = [each.get("index") for each in data]
    if all(index is None for index in given):
        return list(range(len(data)))
    if given.count(None) == 1 and 0 not in given:
        given[given.index(None)] = 0
    place = {index: i for i, index in enumerate(given) if type(index) is int}
    if set(place) != set(range(len(data))):
        raise EmbedderUnavailable(
            f"{who} answered with vectors whose index is missing, doubled or too large: which text "
            "they belong to cannot be told. Try a batch size of 1."
        )
    return [place[i] for i in range(len(data))]


def _numbers(value: object, who: str) -> AnyArray:
    """Return the ``(d,)`` numbers of one vector."""
    try:
        if isinstance(value, str):
            row: AnyArray = np.frombuffer(base64.b64decode(value, validate=True), "<f4")
        else:
            row = np.asarray(value if isinstance(value, list) else None)
            if row.dtype.kind not in "if":
                raise ValueError
            row = row.astype(np.float64)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        row = np.empty(0)
    if row.ndim != 1 or len(row) == 0:
        raise EmbedderUnavailable(
            f"{who} answered with an embedding that is no list of numbers. {_NONSENSE}"
        )
    return row


def _tokens(usage: object) -> int:
    if not isinstance(usage, Mapping):
        return 0
    found = usage.get("total_tokens") or usage.get("prompt_tokens")
    return found if type(found) is int and found > 0 else 0


def told(body: bytes, key: str) -> tuple[str, str]:
    """Return what a refusal says: its sentence, fit to be quoted, and its code.

    Services name errors in a few ways: ``error.message``, ``error``, ``message``, ``detail``, and
    the same in a list. Pages in HTML are not quoted, and nothing that shares five letters in a row
    with the key is: some services repeat parts of it.
    """
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, Mapping):
        return "", ""
    inner = value.get("error")
    source = inner if isinstance(inner, Mapping) else value
    text = next(
        (t for n in ("message", "error", "detail") if isinstance(t := source.get(n), str)), ""
    )
    code = source.get("code") or source.get("type")
    return without_key(plain(text, 4 * _QUOTED), key)[:_QUOTED].strip(" ."), plain(code, 40)


def without_key(text: str, key: str) -> str:
    """Return ``text`` with every word left out that shares a piece with ``key``."""
    n = min(_SHORTEST_SECRET, len(key))
    pieces = {key[i : i + n] for i in range(len(key) - n + 1)} if n else set()
    return " ".join("…" if any(p in word for p in pieces) else word for word in text.split(" "))


def plain(value: object, most: int) -> str:
    """Return a text of somebody else as one short line; anything but a text as ""."""
    if not isinstance(value, str):
        return ""
    line = " ".join(value[: 4 * most].split())
    return "".join(c for c in line if c.isprintable())[:most]
