"""Word2Vec: words by the company they keep, texts as weighted means of their words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix, FloatVector
from core.modality import Modality
from core.params import Params, choice, integer, real
from core.progress import Progress, quiet
from embedders.base import VocabularyEmbedder
from embedders.packing import State, pack_json, unpack_json
from embedders.skipgram import (
    MAX_SENTENCE_WORDS,
    WORDS_PER_BATCH,
    Batch,
    SkipgramSettings,
    train_skipgram,
)
from embedders.terms import Vocabulary, count_matrix, text_query, unknown_words
from ingest.dataset import Dataset
from ingest.tokenize import tokenize
from vectors.keyed import KeyedVectors

TEXTS_PER_REPORT = 1_000
SIF_A = 1e-3
"""Arora et al. 2017, section 4.1.1: results are flat between 1e-4 and 1e-3."""
WORDS_WANTED = 2_000_000
"""With epochs on automatic, the texts are read until this many words have passed."""


@dataclass(frozen=True, kw_only=True)
class Word2VecParams(Params):
    """Settings of Word2Vec."""

    dim: int = integer(100, low=2, high=1_000, step=10, help="Length of each vector.")
    objective: str = choice(
        "skip-gram",
        ("skip-gram", "cbow"),
        labels=("skip-gram: word predicts context", "CBOW: context predicts word"),
        help="What predicts what in training: skip-gram is better on little text, CBOW is faster.",
    )
    window: int = integer(
        5,
        low=1,
        high=20,
        help="Words up to this far to the left and right count as context.",
    )
    min_count: int = integer(
        2, low=1, high=1_000, help="A word must occur at least this often to get a vector."
    )
    documents: str = choice(
        "tfidf",
        ("mean", "tfidf", "sif"),
        labels=("plain mean", "mean weighted by TF-IDF", "SIF (smooth inverse frequency)"),
        help="How the vectors of a text's words become the vector of the text.",
    )
    epochs: int = integer(
        0,
        low=0,
        high=200,
        help="How often all texts are read; 0 chooses 5 to 100 by the amount of text.",
        advanced=True,
    )
    negative: int = integer(
        5,
        low=1,
        high=20,
        help="Random words that each true context is told apart from; more for little text.",
        advanced=True,
    )
    sample: float = real(
        1e-3,
        low=0.0,
        high=0.1,
        step=1e-4,
        help="Words above this share of the text are read less often; 0 reads every word.",
        advanced=True,
    )
    alpha: float = real(
        0.025,
        low=0.001,
        high=0.5,
        step=0.005,
        help="Learning rate at the start; it falls to nearly zero at the end.",
        advanced=True,
    )


class Word2Vec(VocabularyEmbedder):
    """Word vectors by negative sampling, and vectors of texts made from them.

    Notes
    -----
    A text with known words ``w`` (repeats count) is ``Σ a(w) v(w) / Σ a(w)`` with ``a = 1`` (mean)
    or ``a = idf``; SIF is ``1/|s| Σ a/(a + p(w)) v(w)`` minus its projection on the leading right
    singular vector of all texts. A text without any known word is the zero vector (similar to
    nothing); such texts are counted in the provenance. Queries go the same way.

    References
    ----------
    Mikolov et al. 2013, "Distributed Representations of Words and Phrases", equation 4;
    Arora, Liang & Ma 2017, "A Simple but Tough-to-Beat Baseline", Algorithm 1.
    """

    id = "word2vec"
    title = "Word2Vec"
    summary = "Learns words from the words around them in your texts; a text is their mean."
    source = "Mikolov et al. 2013; SIF: Arora, Liang & Ma 2017"
    accepts = frozenset({Modality.TEXT})
    queries = frozenset({Modality.TEXT})
    params_class = Word2VecParams
    stochastic = True

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._index: dict[str, int] = {}
        self._rare: dict[str, int] = {}
        self._weights: NDArray[np.float64] = np.empty(0)
        self._common: NDArray[np.float64] = np.empty(0)

    def _train(self, dataset: Dataset, progress: Progress) -> KeyedVectors:
        p: Word2VecParams = self.params
        texts = _read_words(dataset.items, progress, "reading words")
        vocabulary = Vocabulary.build(texts, progress, terms_of=list, min_count=p.min_count)
        counts = dict(zip(vocabulary.terms, vocabulary.frequency.tolist(), strict=True))
        self._index = {word: i for i, word in enumerate(counts)}
        self._rare = dict(vocabulary.rare)
        self._check_size(len(counts), 2 * p.dim, "Raise min_count or lower dim.")
        n_words = sum(counts.values())
        epochs = p.epochs or int(np.clip(round(WORDS_WANTED / n_words), 5, 100))
        known = [[word for word in text if word in self._index] for text in texts]
        trained = train_skipgram(
            counts,
            lambda: _batches(known),
            SkipgramSettings(
                dim=p.dim,
                window=p.window,
                epochs=epochs,
                negative=p.negative,
                sample=p.sample,
                alpha=p.alpha,
                is_cbow=p.objective == "cbow",
                seed=self.seed,
            ),
            progress,
        )
        self._learn_weights(vocabulary, known, trained.matrix)
        provenance = self._base_provenance(dataset)
        provenance.update(
            n_words=len(counts),
            n_tokens=n_words,
            epochs=epochs,
            losses=[round(loss, 4) for loss in trained.losses],
            notes=[
                f"{len(counts):,} of {vocabulary.n_seen:,} distinct words occur at least "
                f"{p.min_count:,} times and have a vector.",
                f"{n_words:,} words were read {epochs} times.",
            ],
        )
        return KeyedVectors(
            tuple(counts), trained.matrix, kinds="word", metric=self.metric, provenance=provenance
        )

    def _learn_weights(
        self, vocabulary: Vocabulary, texts: Sequence[Sequence[str]], matrix: FloatMatrix
    ) -> None:
        """Set the weight of each word, and the direction that SIF removes."""
        self._weights = np.ones(len(matrix))
        self._common = np.zeros(matrix.shape[1])
        if self.params.documents == "tfidf":
            self._weights = vocabulary.idf
        elif self.params.documents == "sif":
            share = vocabulary.frequency / vocabulary.frequency.sum()
            self._weights = SIF_A / (SIF_A + share)
            documents = self._compose(texts, matrix)
            if len(documents) > 1:  # of one text nothing would be left
                # The leading eigenvector of D'D is the leading right singular vector of D.
                self._common = np.linalg.eigh(documents.T @ documents)[1][:, -1]

    def _compose(self, texts: Sequence[Sequence[str]], matrix: FloatMatrix) -> NDArray[np.float64]:
        """Return ``(n, d)`` vectors of texts given as words; zero where no word is known."""
        counts = count_matrix(texts, self._index)
        weighted = counts.multiply(self._weights).tocsr()
        total = counts if self.params.documents == "sif" else weighted
        norm = np.asarray(total.sum(axis=1)).reshape(-1, 1)
        vectors: NDArray[np.float64] = (weighted @ matrix.astype(np.float64)) / np.maximum(
            norm, 1e-12
        )
        if self._common.any():
            # A product of plain sums, so that a text alone and among others gives equal bytes.
            along = (vectors * self._common).sum(axis=1, keepdims=True)
            vectors = vectors - along * self._common
        return vectors

    def vectors(self, dataset: Dataset, progress: Progress = quiet) -> KeyedVectors:
        """Return one vector per text (kind "document"), then one per word (kind "word")."""
        self._check_modality(dataset)
        words = self.vocabulary
        texts = _read_words(dataset.items, progress, "embedding")
        documents = self._compose(texts, words.matrix).astype(np.float32)
        empty = int((~documents.any(axis=1)).sum())
        provenance = {**words.provenance, "n_items": len(dataset), "n_zero": empty}
        if empty:
            provenance["notes"] = [
                *provenance["notes"],
                f"{empty:,} of {len(dataset):,} texts hold no word with a vector; their vectors "
                "are zero (similar to nothing).",
            ]
        return KeyedVectors(
            (*dataset.ids, *words.keys),
            np.concatenate([documents, words.matrix]),
            kinds=["document"] * len(dataset) + ["word"] * len(words),
            metric=self.metric,
            provenance=provenance,
        )

    def embed_query(self, query: object) -> FloatVector:
        """Return the vector of a text, made from its known words as the texts' vectors are.

        Raises
        ------
        UnknownKey
            If no word of it has a vector, with words that look similar.
        """
        text = text_query(query, self.title)
        matrix = self.vocabulary.matrix
        words = tokenize(text)
        if not any(word in self._index for word in words):
            raise unknown_words(text, self._index, self._why_unknown(words))
        vector: FloatVector = self._compose([words], matrix)[0].astype(np.float32)
        return vector

    def _why_unknown(self, words: Sequence[str]) -> str:
        often = self._rare.get(words[0], 0) if len(words) == 1 else 0
        if often:
            times = "once" if often == 1 else f"{often:,} times"
            return f"it occurs {times}, min_count is {self.params.min_count:,}"
        return "not among the learnt words"

    def state(self) -> State:
        """Return words, vectors and weights."""
        return {
            **super().state(),
            "weights": self._weights,
            "common": self._common,
            "rare": pack_json(self._rare),
        }

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored words, vectors and weights."""
        super().restore(state)
        self._index = {word: i for i, word in enumerate(self.vocabulary.keys)}
        self._weights = np.asarray(state["weights"], np.float64)
        self._common = np.asarray(state["common"], np.float64)
        self._rare = unpack_json(state["rare"])
        return self


def _read_words(texts: Sequence[str], progress: Progress, stage: str) -> list[list[str]]:
    read: list[list[str]] = []
    progress(0, len(texts), stage)
    for start in range(0, len(texts), TEXTS_PER_REPORT):
        read += [tokenize(text) for text in texts[start : start + TEXTS_PER_REPORT]]
        progress(len(read), len(texts), stage)
    return read


def _batches(texts: Sequence[list[str]]) -> Iterator[Batch]:
    """Yield the texts in runs of about ``WORDS_PER_BATCH`` words, very long ones cut."""
    batch: list[list[str]] = []
    size = 0
    for text in texts:
        for start in range(0, len(text), MAX_SENTENCE_WORDS):
            batch.append(text[start : start + MAX_SENTENCE_WORDS])
            size += len(batch[-1])
            if size >= WORDS_PER_BATCH:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
