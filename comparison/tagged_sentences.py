"""Sentences whose words carry tags of named entities, and the score of tags guessed for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError, ParameterError

OUTSIDE = "O"
_TAG = re.compile(r"O|[BI]-\S+")
_EXAMPLE = "Give a word and its tag per line (O, B-person, I-person) and a blank line between."


class Span(NamedTuple):
    """An entity: words ``start`` to ``end`` (not included) of a sentence, and its type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, eq=False)
class TaggedSentences:
    """Sentences of words with BIO tags.

    Attributes
    ----------
    name : str
    words, tags : tuple of tuple of str
        Per sentence, equally long.
    """

    name: str
    words: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.words)

    @property
    def n_words(self) -> int:
        """Return the number of words."""
        return sum(map(len, self.words))

    @cached_property
    def spans(self) -> tuple[frozenset[Span], ...]:
        """Return the entities of each sentence."""
        return tuple(frozenset(spans(tags)) for tags in self.tags)

    @property
    def n_entities(self) -> int:
        """Return the number of entities."""
        return sum(map(len, self.spans))

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Return the types of entities, sorted."""
        return tuple(sorted({span.type for found in self.spans for span in found}))

    @classmethod
    def from_lines(cls, lines: Iterable[str], name: str = "sentences") -> Self:
        """Read CoNLL-like lines: word first, tag last, blank line between sentences.

        Columns are separated by tabs, else by spaces; columns between word and tag and lines that
        begin with ``-DOCSTART-`` are passed over.

        Raises
        ------
        DatasetError
            Naming the line without a word and a BIO tag, or if there is no sentence.
        """
        sentences: list[tuple[list[str], list[str]]] = [([], [])]
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                if sentences[-1][0]:
                    sentences.append(([], []))
                continue
            bare = line.lstrip("\ufeff").rstrip("\r\n")
            if bare.startswith("-DOCSTART-"):
                continue
            fields = bare.split("\t") if "\t" in bare else bare.split()
            tag = fields[-1].strip()
            if len(fields) < 2 or not _TAG.fullmatch(tag):
                raise DatasetError(
                    f"Line {number} of {name} is no word with a BIO tag: {bare.strip()[:80]!r}. "
                    f"{_EXAMPLE}"
                )
            sentences[-1][0].append(fields[0])
            sentences[-1][1].append(tag)
        kept = [(tuple(words), tuple(tags)) for words, tags in sentences if words]
        if not kept:
            raise DatasetError(f"{name} holds no tagged sentence. {_EXAMPLE}")
        return cls(name, tuple(words for words, _ in kept), tuple(tags for _, tags in kept))

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Self:
        """Return some of the sentences."""
        return type(self)(
            self.name,
            tuple(self.words[i] for i in rows),
            tuple(self.tags[i] for i in rows),
        )

    def split(self, share: float = 0.2, *, seed: int = 0) -> tuple[Self, Self]:
        """Return sentences to learn from and, drawn at random, ``share`` of them to test.

        Raises
        ------
        ParameterError
            If ``share`` is not between 0 and 1.
        """
        if not 0 < share < 1:
            raise ParameterError(f"share must lie between 0 and 1, got {share!r}.")
        order = np.random.default_rng(seed).permutation(len(self))
        n_test = min(len(self) - 1, max(1, round(len(self) * share)))
        return self.take(np.sort(order[n_test:])), self.take(np.sort(order[:n_test]))


def spans(tags: Sequence[str]) -> list[Span]:
    """Return the entities of one sentence, as the conlleval script of CoNLL-2003 reads tags.

    ``B-`` begins an entity, and so does an ``I-`` that follows ``O`` or another type.
    """
    found: list[Span] = []
    start, kind = 0, ""
    for i, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, type = tag.partition("-")
        if kind and (prefix != "I" or type != kind):
            found.append(Span(start, i, kind))
            kind = ""
        if not kind and tag != OUTSIDE:
            start, kind = i, type
    return found


def span_counts(
    truth: Sequence[frozenset[Span]], guess: Sequence[Iterable[Span]], type: str | None = None
) -> NDArray[np.int64]:
    """Return, per sentence, how many entities were found, invented and missed, ``(n, 3)``.

    An entity is found if start, end and type agree (Tjong Kim Sang & De Meulder 2003, section
    2.4). With ``type`` only entities of that type count.
    """
    rows = []
    for true, guessed in zip(truth, guess, strict=True):
        a = {span for span in true if type in (None, span.type)}
        b = {span for span in guessed if type in (None, span.type)}
        rows.append((len(a & b), len(b - a), len(a - b)))
    return np.array(rows, np.int64).reshape(-1, 3)


def f1_of(counts: NDArray[np.number]) -> NDArray[np.float64]:
    """Return F1 of ``(…, 3)`` counts found, invented and missed; 0 where nothing was found."""
    found, invented, missed = np.moveaxis(np.asarray(counts, np.float64), -1, 0)
    return np.asarray(2 * found / np.maximum(2 * found + invented + missed, 1))
