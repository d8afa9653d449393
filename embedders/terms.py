"""Term counting shared by the methods that rest on a term-document matrix."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError, QueryError, TooLarge, UnknownKey
from core.progress import Progress
from ingest.tokenize import tokenize

CHUNK = 500
MAX_DISTINCT_TERMS = 20_000_000
"""Distinct terms counted at most (about 2 GB of Python objects); phrases reach this first."""
MAX_RARE = 100_000


def terms_of(text: str, ngrams: int = 1) -> list[str]:
    """Return the words of ``text`` and, for ``ngrams`` > 1, its runs of 2 … ``ngrams`` words."""
    words = tokenize(text)
    if ngrams == 1:
        return words
    runs = (
        " ".join(words[i : i + n]) for n in range(2, ngrams + 1) for i in range(len(words) - n + 1)
    )
    return [*words, *runs]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The terms kept from a collection of texts, and what was left out.

    Attributes
    ----------
    terms : tuple of str
        Most frequent first; ties in alphabetical order.
    document_frequency, frequency : (n_terms,) int64
        In how many texts a term occurs, and how often in all.
    n_texts, n_seen : int
        Texts counted; distinct terms before any was left out.
    rare : mapping of str to int
        Terms that occur less often than ``min_count``, with how often (at most ``MAX_RARE``).
    """

    terms: tuple[str, ...]
    document_frequency: NDArray[np.int64]
    frequency: NDArray[np.int64]
    n_texts: int
    n_seen: int
    rare: Mapping[str, int]

    @property
    def idf(self) -> NDArray[np.float64]:
        """Return ``(n_terms,)`` smoothed inverse document frequencies (as scikit-learn's)."""
        idf: NDArray[np.float64] = np.log((1 + self.n_texts) / (1 + self.document_frequency)) + 1
        return idf

    @classmethod
    def build(
        cls,
        texts: Sequence[Any],
        progress: Progress,
        *,
        terms_of: Callable[[Any], list[str]],
        min_df: int = 1,
        max_df: float = 1.0,
        min_count: int = 1,
        max_features: int | None = None,
    ) -> Vocabulary:
        """Count the terms of ``texts`` and keep those that the limits allow.

        Parameters
        ----------
        texts : sequence
            Whatever ``terms_of`` takes.
        progress : Progress
        terms_of : callable
            Returns the terms of one text, repeated ones included.
        min_df, max_df : int, float
            In at least how many texts and in at most which share of them a term must occur.
        min_count : int
            How often it must occur in all.
        max_features : int, optional
            How many terms are kept at most, most frequent first.

        Raises
        ------
        DatasetError
            If no term is left.
        TooLarge
            If there are more distinct terms than can be counted in memory.
        """
        frequency: Counter[str] = Counter()
        in_texts: Counter[str] = Counter()
        progress(0, len(texts), "counting terms")
        for done, chunk in _chunks(texts):
            for text in chunk:
                terms = terms_of(text)
                frequency.update(terms)
                in_texts.update(set(terms))
            if len(frequency) > MAX_DISTINCT_TERMS:
                raise TooLarge(
                    f"There are more than {MAX_DISTINCT_TERMS:,} distinct terms. "
                    "Use shorter phrases (ngrams) or fewer texts."
                )
            progress(done, len(texts), "counting terms")
        most = max_df * len(texts)
        kept = [
            t for t, df in in_texts.items() if min_df <= df <= most and frequency[t] >= min_count
        ]
        kept.sort(key=lambda t: (-frequency[t], t))
        kept = kept[:max_features]
        if not kept:
            raise DatasetError(
                _nothing_kept(len(texts), frequency, in_texts, min_df, max_df, min_count)
            )
        return cls(
            terms=tuple(kept),
            document_frequency=np.array([in_texts[t] for t in kept], np.int64),
            frequency=np.array([frequency[t] for t in kept], np.int64),
            n_texts=len(texts),
            n_seen=len(in_texts),
            rare=dict(
                Counter({t: c for t, c in frequency.items() if c < min_count}).most_common(MAX_RARE)
            ),
        )

    def note(self) -> str:
        """Return in one sentence how many terms were kept."""
        return f"{len(self.terms):,} of {self.n_seen:,} distinct terms were kept."


def _nothing_kept(
    n: int,
    frequency: Counter[str],
    in_texts: Counter[str],
    min_df: int,
    max_df: float,
    min_count: int,
) -> str:
    if not in_texts:
        return f"The {n:,} texts hold no word. Choose another text column."
    if max(frequency.values()) < min_count:
        return (
            f"No word occurs {min_count:,} times (min_count); the most frequent one occurs "
            f"{max(frequency.values()):,} times. Lower min_count or give more texts."
        )
    most = max(in_texts.values())
    return (
        f"None of {len(in_texts):,} distinct terms is left: the most widespread one occurs in "
        f"{most:,} of {n:,} texts, but a term must occur in at least {min_df:,} (min_df) and in at "
        f"most {max_df:.0%} of them (max_df). Lower min_df, raise max_df or give more texts."
    )


def count_matrix(texts: Iterable[Sequence[str]], index: Mapping[str, int]) -> Any:
    """Return the ``(n_texts, n_terms)`` sparse (CSR) float64 counts of the terms in ``index``.

    Each text is given as its terms.
    """
    from scipy.sparse import csr_matrix

    counts: list[int] = []
    columns: list[int] = []
    ends = [0]
    for terms in texts:
        found = Counter(index[t] for t in terms if t in index)
        for column in sorted(found):
            columns.append(column)
            counts.append(found[column])
        ends.append(len(columns))
    return csr_matrix(
        (np.array(counts, np.float64), np.array(columns, np.int32), np.array(ends, np.int64)),
        shape=(len(ends) - 1, len(index)),
    )


def text_query(query: object, title: str) -> str:
    """Return ``query`` if it is a text.

    Raises
    ------
    QueryError
        If it is anything else.
    """
    if not isinstance(query, str):
        raise QueryError(f"{title} takes a text as query, got {type(query).__name__}.")
    return query


def unknown_words(query: str, known: Iterable[str], reason: str) -> UnknownKey:
    """Return the error for a query without any known term, with known terms that look similar."""
    words = list(dict.fromkeys(tokenize(query)))
    near = similar(words, known)
    shown = ", ".join(f'"{w}"' for w in words[:5]) or "The query"
    verb = "has" if len(words) <= 1 else "have"
    hint = f" Similar: {', '.join(near)}." if near else " Use words that occur in the texts."
    return UnknownKey(f"{shown} {verb} no vector: {reason}.{hint}", key=query, suggestions=near)


def similar(words: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    """Return up to five known terms that look like one of ``words``, nearest first."""
    heads = {word[:2] for word in words}
    pool = [term for term in known if term[:2] in heads and " " not in term][:5_000]
    near = (m for word in words[:5] for m in difflib.get_close_matches(word, pool, n=5, cutoff=0.7))
    return tuple(islice(dict.fromkeys(near), 5))


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        yield start + len(chunk), chunk
