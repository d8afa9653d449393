"""Arithmetic on keys: ``king - man + woman`` and its nearest rows (3CosAdd)."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import BoolVector, FloatVector
from core.errors import QueryError
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors
from vectors.neighbors import Neighbors

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”")
_SPACED = re.compile(r"(?:^|\s)[+\-−–](?:\s|$)")
_TOKEN = re.compile(r"\s*(?:\"([^\"]*)\"|“([^”]*)”|([()*])|([^\s()*\"“]+))")
_NUMBER = re.compile(r"\d+(?:\.\d+)?$")
_MINUS = {"-", "−", "–"}


@dataclass(frozen=True, eq=False)
class Formula:
    """A vector made of keys.

    Attributes
    ----------
    vector : (d,) float32
    used_keys : tuple of str
        Keys that occur in it, in order; they are no answers to it.
    text : str
        How it was understood: "king − man + woman".
    """

    vector: FloatVector
    used_keys: tuple[str, ...]
    text: str


def is_formula(text: str) -> bool:
    """Tell whether ``text`` reads as arithmetic: an operator between spaces, or ``a+b``, ``2*a``.

    A hyphen within a word ("state-of-the-art") does not make a formula.
    """
    bare = _QUOTED.sub("q", text)
    return bool(_SPACED.search(bare) or re.search(r"\w\s*[+*]\s*\w", bare))


def parse_formula(text: str, vectors: KeyedVectors) -> Formula:
    """Return the vector of an expression over the keys of ``vectors``.

    Terms are joined by ``+`` and ``-``; ``0.5*king`` weighs one, parentheses group, quotes hold a
    key with spaces. A key that itself contains an operator ("state-of-the-art") is taken whole
    when it exists. Under cosine each key counts with unit length, as in 3CosAdd (Levy and
    Goldberg 2014, equation 1).

    Raises
    ------
    UnknownKey
        With keys that look similar.
    QueryError
        If the expression is not well formed, or its terms cancel out.
    """
    reader = _Reader(text, vectors)
    vector, words = reader.expression()
    if reader.peek() is not None:
        raise QueryError(_malformed(text, f"{reader.peek()!r} was not expected there"))
    if not np.any(np.abs(vector) > 1e-12):
        raise QueryError(f"The terms of “{text}” cancel out. Use different keys.")
    used = tuple(dict.fromkeys(reader.used))
    return Formula(vector.astype(np.float32), used, words)


def search_formula(
    index: VectorIndex, formula: Formula, k: int = 10, *, where: BoolVector | None = None
) -> Neighbors:
    """Return the ``k`` rows nearest to ``formula``, its own keys left out.

    Raises
    ------
    QueryError, ParameterError
        As ``VectorIndex.search``.
    """
    own = [index.vectors.position(key) for key in formula.used_keys if index.vectors.has(key)]
    room = len(index)
    found = index.search(formula.vector, min(k + len(own), room), where=where)
    keep = np.flatnonzero(~np.isin(found.positions, own))[:k]
    return dataclasses.replace(
        found,
        keys=tuple(found.keys[i] for i in keep),
        kinds=tuple(found.kinds[i] for i in keep),
        positions=found.positions[keep],
        scores=found.scores[keep],
    )


class _Reader:
    """Recursive descent over ``expression := ['-'] term (('+'|'-') term)*``."""

    def __init__(self, text: str, vectors: KeyedVectors) -> None:
        self.text = text
        self.vectors = vectors
        self.tokens = list(_tokens(text, vectors))
        self.used: list[str] = []

    def peek(self) -> str | None:
        return self.tokens[0][1] if self.tokens else None

    def _next_is(self, *symbols: str) -> bool:
        return bool(self.tokens) and self.tokens[0][0] == "op" and self.tokens[0][1] in symbols

    def expression(self) -> tuple[NDArray[np.float64], str]:
        total = np.zeros(self.vectors.dim)
        words = ""
        sign = 1.0
        if self._next_is("+", "-"):
            sign = -1.0 if self.tokens.pop(0)[1] == "-" else 1.0
        words = "− " if sign < 0 else ""
        while True:
            vector, part = self._term()
            total += sign * vector
            words += part
            if not self._next_is("+", "-"):
                return total, words
            sign = -1.0 if self.tokens.pop(0)[1] == "-" else 1.0
            words += " − " if sign < 0 else " + "

    def _term(self) -> tuple[NDArray[np.float64], str]:
        if not self.tokens:
            raise QueryError(_malformed(self.text, "it ends where a key should stand"))
        kind, value = self.tokens.pop(0)
        starred = self._next_is("*")
        if starred and _NUMBER.match(value):
            self.tokens.pop(0)
            vector, part = self._term()
            return float(value) * vector, f"{value}·{part}"
        if kind == "op" and value == "(":
            vector, part = self.expression()
            if not self._next_is(")"):
                raise QueryError(_malformed(self.text, "a closing parenthesis is missing"))
            self.tokens.pop(0)
            return vector, f"({part})"
        if kind == "op":
            raise QueryError(_malformed(self.text, f"a key should stand before {value!r}"))
        return self._key(value), value

    def _key(self, key: str) -> NDArray[np.float64]:
        position = self.vectors.position(key)
        self.used.append(key)
        vector = np.asarray(self.vectors.matrix[position], dtype=np.float64)
        norm = float(np.linalg.norm(vector))
        return vector / norm if self.vectors.metric == "cosine" and norm > 0 else vector


def _tokens(text: str, vectors: KeyedVectors) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    end = 0
    for match in _TOKEN.finditer(text):
        end = match.end()
        quoted = match.group(1) if match.group(1) is not None else match.group(2)
        if quoted is not None:
            found.append(("key", quoted))
        elif match.group(3):
            found.append(("op", match.group(3)))
        else:
            found += _split_chunk(match.group(4), vectors)
    if text[end:].strip():
        raise QueryError(_malformed(text, f"{text[end:].strip()!r} was not understood"))
    return found


def _split_chunk(chunk: str, vectors: KeyedVectors) -> list[tuple[str, str]]:
    """Split a run without spaces: the longest existing key first, else at its operators."""
    if chunk == "+" or chunk in _MINUS:
        return [("op", "+" if chunk == "+" else "-")]
    if vectors.has(chunk):
        return [("key", chunk)]
    if chunk[0] == "+" or chunk[0] in _MINUS:
        return [("op", "+" if chunk[0] == "+" else "-"), *_split_chunk(chunk[1:], vectors)]
    cuts = [i for i, c in enumerate(chunk) if i and (c == "+" or c in _MINUS)]
    for cut in reversed(cuts):
        if vectors.has(chunk[:cut]):
            return [("key", chunk[:cut]), *_split_chunk(chunk[cut:], vectors)]
    plus = chunk.find("+", 1)
    if plus > 0 and plus < len(chunk) - 1:
        return [("key", chunk[:plus]), *_split_chunk(chunk[plus:], vectors)]
    return [("key", chunk)]


def _malformed(text: str, why: str) -> str:
    return f"“{text}” is not a formula: {why}. Write it like king - man + woman."
