"""BM25: what counting words finds, beside which vectors have to show that they are worth it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError
from ingest.tokenize import Tokenizer

BM25_NAME = "BM25"
K1, B = 1.2, 0.75


def bm25_scores(
    queries: Sequence[str],
    documents: Sequence[str],
    *,
    tokenizer: Tokenizer | None = None,
    k1: float = K1,
    b: float = B,
) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    """Return the function that scores every document for some of the queries.

    ``Σ_t idf(t) tf / (tf + k1 (1 - b + b |D| / mean |D|))`` over the words of the query, with
    ``idf(t) = ln(1 + (N - n_t + ½) / (n_t + ½))``: Robertson & Zaragoza 2009, "The Probabilistic
    Relevance Framework", equation 3.15 without the constant factor, in the form of Lucene
    (Kamphuis et al. 2020, "Which BM25 Do You Mean?"), by ``bm25s`` (Lù 2024).

    Parameters
    ----------
    queries, documents : sequence of str
    tokenizer : Tokenizer, optional
        By default lower-cased words, nothing left out, no stemming.
    k1, b : float

    Returns
    -------
    callable
        ``(m,) int64`` rows of ``queries`` → ``(m, len(documents)) float64``; 0 for a document
        without a word of the query, -inf for all where no document holds one.

    Raises
    ------
    DatasetError
        If no document holds a word.
    """
    import bm25s  # type: ignore[import-untyped]

    cut = tokenizer or Tokenizer()
    words = [cut(text) for text in documents]
    if not any(words):
        raise DatasetError("No document holds a word, so BM25 has nothing to count.")
    index = bm25s.BM25(k1=k1, b=b, method="lucene", backend="numpy")
    index.index(words, show_progress=False)

    def score(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        found = np.full((len(rows), len(documents)), -np.inf)
        for i, row in enumerate(rows.tolist()):
            asked = [word for word in cut(queries[row]) if word in index.vocab_dict]
            if asked:
                found[i] = index.get_scores(asked)
        return found

    return score
