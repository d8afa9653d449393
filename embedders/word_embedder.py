"""The base of methods that have a vector per word: texts and queries are made from their words."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix, FloatVector
from core.modality import Modality
from core.params import Params, choice, flag, integer
from core.progress import Progress, quiet
from embedders.base import VocabularyEmbedder
from embedders.cleaning import Cleaning
from embedders.corpus import Corpus, Limits
from embedders.packing import State, pack_json, unpack_json
from embedders.terms import count_matrix, text_query, unknown_words
from embedders.token_settings import TokenParams
from embedders.trace import Token, Trace, all_terms, trace_terms
from ingest.dataset import Dataset
from ingest.tokenize import Tokenizer
from vectors.keyed import KeyedVectors

TEXTS_PER_BLOCK = 1_000
_RULES = {
    "mean": "The text's vector is the mean of its words' vectors.",
    "tfidf": "The text's vector is the mean of its words' vectors, rare words counting more.",
    "sif": "The text's vector is the mean of its words' vectors, rare words counting more, less "
    "what is common to all texts.",
}
SIF_A = 1e-3
"""Arora et al. 2017, section 4.1.1: results are flat between 1e-4 and 1e-3."""
ROUNDING = 1e-6
"""What is left of a vector below this share of its length is rounding, not meaning."""


@dataclass(frozen=True, kw_only=True)
class WordParams(TokenParams):
    """Settings of every method with word vectors."""

    min_count: int = integer(
        2, low=1, high=1_000, help="A word must occur at least this often to get a vector."
    )
    documents: str = choice(
        "tfidf",
        ("mean", "tfidf", "sif"),
        labels=("plain mean", "mean weighted by TF-IDF", "SIF (smooth inverse frequency)"),
        help="How the vectors of a text's words become the vector of the text.",
    )
    centre: bool = flag(
        False,
        help="Subtract the mean of all words; spreads out spaces in which everything looks alike.",
        advanced=True,
    )
    remove_top: int = integer(
        0,
        low=0,
        high=20,
        help="Remove this many leading directions, which often carry word frequency, not meaning.",
        advanced=True,
    )


@dataclass(frozen=True, eq=False)
class Learnt:
    """What a method has learnt of the words of a corpus.

    Attributes
    ----------
    matrix : (n_words, dim) float32
        In the order of ``corpus.vocabulary.terms``, or of those that ``known`` marks.
    losses : tuple of float
        One per epoch; empty where nothing was trained.
    notes : tuple of str
        Sentences for the provenance.
    known : (n_terms,) bool or None
        Which terms of the vocabulary have a vector; None for all.
    about : mapping
        Further plain values for the provenance.
    """

    matrix: FloatMatrix
    losses: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    known: NDArray[np.bool_] | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


class WordEmbedder(VocabularyEmbedder):
    """Base of methods with a vector per word; authors write ``_learn``.

    Notes
    -----
    A text with known words ``w`` (repeats count) is ``Σ a(w) v(w) / Σ a(w)`` with ``a = 1`` (mean)
    or ``a = idf``; SIF is ``1/|s| Σ a/(a + p(w)) v(w)`` minus its projection on the leading right
    singular vector of all texts, unless all texts point the same way. A text without any known
    word, or with nothing but what SIF removes, is the zero vector (similar to nothing); such texts
    are counted in the provenance. Queries go the same way.

    Word vectors may be cleaned of their mean and leading directions first (``Cleaning``).

    References
    ----------
    Arora, Liang & Ma 2017, "A Simple but Tough-to-Beat Baseline", Algorithm 1 (SIF).
    """

    accepts = frozenset({Modality.TEXT})
    queries = frozenset({Modality.TEXT})
    transfers = True
    words_with = ()

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._index: dict[str, int] = {}
        self._rare: dict[str, int] = {}
        self._weights: NDArray[np.float64] = np.empty(0)
        self._unseen_weight = 1.0
        self._n_pointing = 0
        self._common: NDArray[np.float64] = np.empty(0)
        self._cleaning = Cleaning(np.empty(0), np.empty((0, 0)))
        self._tokenizer: Tokenizer = self.params.tokenizer

    @abstractmethod
    def _learn(self, corpus: Corpus, dataset: Dataset, progress: Progress) -> Learnt:
        """Return the vectors of the words of ``corpus``."""

    def _read(self, dataset: Dataset, progress: Progress) -> Corpus:
        """Return the texts as words; a hook for methods that join words into phrases."""
        limits = Limits(min_count=self.params.min_count)
        return Corpus.read(dataset.items, self._tokenizer, progress, limits)

    def _words(self, text: str) -> list[str]:
        """Return the words of a text as ``_read`` cuts them."""
        return self._tokenizer(text)

    def _unseen(self, words: Sequence[str]) -> dict[str, FloatVector]:  # noqa: ARG002
        """Return raw vectors for those of ``words``, not in the vocabulary, that can have one."""
        return {}

    def _train(self, dataset: Dataset, progress: Progress) -> KeyedVectors:
        corpus = self._read(dataset, progress)
        vocabulary = corpus.vocabulary
        learnt = self._learn(corpus, dataset, progress)
        known = (
            np.arange(len(vocabulary.terms)) if learnt.known is None else learnt.known.nonzero()[0]
        )
        words = tuple(vocabulary.terms[i] for i in known)
        self._index = {word: i for i, word in enumerate(words)}
        self._rare = dict(vocabulary.rare)
        self._n_pointing = int(learnt.matrix.any(axis=1).sum())
        p: WordParams = self.params
        self._cleaning = Cleaning.learn(
            learnt.matrix, centre=p.centre, remove_top=p.remove_top, name=dataset.name
        )
        matrix = self._cleaning.apply(learnt.matrix)
        provenance = self._base_provenance(dataset)
        provenance.update(
            n_words=len(words),
            n_tokens=len(corpus.tokens),
            losses=[round(float(loss), 4) for loss in learnt.losses],
            **learnt.about,
        )
        provenance["notes"] = [*self._vocabulary_notes(corpus), *learnt.notes]
        if self._cleaning.note:
            provenance["notes"].append(self._cleaning.note)
        provenance["notes"] += self._learn_weights(corpus, known, matrix, progress)
        return KeyedVectors(words, matrix, kinds="word", metric=self.metric, provenance=provenance)

    def _vocabulary_notes(self, corpus: Corpus) -> list[str]:
        v, least = corpus.vocabulary, self.params.min_count
        times = "time" if least == 1 else "times"
        n = self._n_pointing
        some = f"; {n:,} of them {'has' if n == 1 else 'have'} a vector."
        return [
            f"{len(v.terms):,} of {v.n_seen:,} distinct words occur at least {least:,} {times}"
            + (" and have a vector." if n == len(v.terms) else some),
            *v.too_long_notes(),
        ]

    def _learn_weights(
        self, corpus: Corpus, known: NDArray[np.int64], matrix: FloatMatrix, progress: Progress
    ) -> list[str]:
        """Set the weight of each word and the direction that SIF removes; return notes."""
        vocabulary = corpus.vocabulary
        self._weights = np.ones(len(matrix))
        self._unseen_weight = 1.0
        self._common = np.zeros(matrix.shape[1])
        if self.params.documents == "tfidf":
            self._weights = vocabulary.idf[known]
            self._unseen_weight = float(np.log(1 + vocabulary.n_texts) + 1)
        elif self.params.documents == "sif":
            share = vocabulary.frequency / vocabulary.frequency.sum()
            self._weights = (SIF_A / (SIF_A + share))[known]
            # The leading eigenvector of D'D is the leading right singular vector of D.
            sizes, directions = np.linalg.eigh(self._gram(corpus, known, matrix, progress))
            if len(sizes) > 1 and sizes[-2] > ROUNDING**2 * sizes[-1]:
                self._common = directions[:, -1]
            elif len(corpus) > 1:
                return ["All texts point the same way, so SIF removed nothing from them."]
        return []

    def _gram(
        self, corpus: Corpus, known: NDArray[np.int64], matrix: FloatMatrix, progress: Progress
    ) -> NDArray[np.float64]:
        """Return ``D'D``, ``(d, d)``, of the weighted texts ``D``, which are never all there."""
        row_of = np.full(len(corpus.vocabulary.terms), -1, np.int64)
        row_of[known] = np.arange(len(known))
        gram = np.zeros((matrix.shape[1], matrix.shape[1]))
        total, stage = len(corpus), "finding what texts share"
        progress(0, total, stage)
        for start in range(0, total, TEXTS_PER_BLOCK):
            end = min(start + TEXTS_PER_BLOCK, total)
            counts = corpus.counts(start, end)
            columns = np.unique(counts.indices)
            columns = columns[row_of[columns] >= 0]
            rows = row_of[columns]
            texts = self._combine(counts[:, columns], self._weights[rows], matrix[rows])
            gram += texts.T @ texts
            progress(end, total, stage)
        return gram

    def _combine(
        self, counts: Any, weights: NDArray[np.float64], matrix: AnyArray
    ) -> NDArray[np.float64]:
        """Return ``(n, d)`` vectors of texts given as sparse word counts; zero where all are 0."""
        weighted = counts.multiply(weights).tocsr()
        total = counts if self.params.documents == "sif" else weighted
        norm = np.asarray(total.sum(axis=1)).reshape(-1, 1)
        vectors: NDArray[np.float64] = (weighted @ np.asarray(matrix, np.float64)) / np.maximum(
            norm, 1e-12
        )
        return vectors

    def _gather(
        self, texts: Sequence[Sequence[str]]
    ) -> tuple[dict[str, int], FloatMatrix, NDArray[np.float64]]:
        """Return those words of ``texts`` that have a vector, numbered, with vectors and weights.

        Only these are touched: a query must not cost what the whole vocabulary does.
        """
        index = self._index
        words = dict.fromkeys(word for text in texts for word in text)
        # In an order that does not depend on the other texts, so that sums have equal bytes.
        known = sorted((word for word in words if word in index), key=index.__getitem__)
        rows = np.array([index[word] for word in known], np.int64)
        matrix, weights = self.vocabulary.matrix[rows], self._weights[rows]
        strange = [word for word in words if word not in index]
        unseen = self._unseen(strange) if strange else {}
        added = sorted(unseen)
        if added:
            extra = self._cleaning.apply(np.stack([unseen[word] for word in added]))
            matrix = np.concatenate([matrix, extra])
            weights = np.append(weights, np.full(len(added), self._unseen_weight))
        return {word: i for i, word in enumerate([*known, *added])}, matrix, weights

    def _mix(self, texts: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Return ``(n, d)`` weighted means of the words of texts; zero where none is known."""
        index, matrix, weights = self._gather(texts)
        return self._combine(count_matrix(texts, index), weights, matrix)

    def _less_common(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``(n, d)`` vectors of texts without the direction that SIF removes."""
        if not self._common.any():
            return vectors
        # A product of plain sums, so that a text alone and among others gives equal bytes.
        along = (vectors * self._common).sum(axis=1, keepdims=True)
        left: NDArray[np.float64] = vectors - along * self._common
        left[np.linalg.norm(left, axis=1) < ROUNDING * np.linalg.norm(vectors, axis=1)] = 0.0
        return left

    def _compose(self, texts: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Return ``(n, d)`` vectors of texts given as words; zero where nothing is known."""
        return self._less_common(self._mix(texts))

    def vectors(self, dataset: Dataset, progress: Progress = quiet) -> KeyedVectors:
        """Return one vector per text (kind "document"), then one per word (kind "word")."""
        self._check_modality(dataset)
        words, total = self.vocabulary, len(dataset)
        self._check_size(total + len(words), words.dim, "Lower dim or use fewer texts.")
        matrix = np.empty((total + len(words), words.dim), np.float32)
        matrix[total:] = words.matrix
        n_common = 0
        progress(0, total, "embedding")
        for start in range(0, total, TEXTS_PER_BLOCK):
            texts = [self._words(t) for t in dataset.items[start : start + TEXTS_PER_BLOCK]]
            mixed = self._mix(texts)
            block = self._less_common(mixed)
            matrix[start : start + len(texts)] = block
            n_common += int((mixed.any(axis=1) & ~block.any(axis=1)).sum())
            progress(start + len(texts), total, "embedding")
        matrix.setflags(write=False)  # saves KeyedVectors a defensive copy
        empty = int((~matrix[:total].any(axis=1)).sum())
        self.notes_on_data = tuple(_zero_notes(total, empty - n_common, n_common))
        notes = [*words.provenance["notes"], *self.notes_on_data]
        provenance = {**words.provenance, "n_items": total, "n_zero": empty, "notes": notes}
        return KeyedVectors(
            (*dataset.ids, *words.keys),
            matrix,
            kinds=["document"] * total + ["word"] * len(words),
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
        self._check_fitted()
        words = self._words(text)
        if not any(word in self._index for word in words) and not self._unseen(words):
            raise unknown_words(text, self._index, self._why_unknown(words))
        vector: FloatVector = self._compose([words])[0].astype(np.float32)
        return vector

    def trace(self, text: str) -> Trace:
        """Return the words of ``text`` with their numbers, vectors and weights.

        A word outside the vocabulary that has a vector all the same comes without a number.
        """
        words = self._words(text)
        index, matrix, weights = self._gather([words])
        known = [index[word] for word in words if word in index]
        is_sif = self.params.documents == "sif"
        total = len(known) if is_sif else float(weights[known].sum())
        plain = words == self._tokenizer(text)
        mixed = self._combine(count_matrix([words], index), weights, matrix)
        trace = trace_terms(
            all_terms(text, self._tokenizer) if plain else [(word, "") for word in words],
            index,
            weight=lambda word, _: float(weights[index[word]] / total),
            matrix=matrix,
            vector=self._less_common(mixed)[0].astype(np.float32),
            rule=_RULES[self.params.documents],
            why_unknown=lambda word: self._why_unknown([word]),
        )
        return replace(trace, tokens=tuple(map(self._renumbered, trace.tokens)))

    def _renumbered(self, token: Token) -> Token:
        """Return a token with its number in the vocabulary instead of the one in its text."""
        if token.id is None:
            return token
        number = self._index.get(token.text)
        if number is None:
            return replace(token, id=None, note="not in the vocabulary; made from its parts")
        return replace(token, id=number)

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
            "unseen_weight": np.array([self._unseen_weight]),
            "common": self._common,
            "mean": self._cleaning.mean,
            "top": self._cleaning.top,
            "rare": pack_json(self._rare),
        }

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored words, vectors and weights."""
        super().restore(state)
        self._index = {word: i for i, word in enumerate(self.vocabulary.keys)}
        self._weights = np.asarray(state["weights"], np.float64)
        self._unseen_weight = float(state["unseen_weight"][0])
        self._common = np.asarray(state["common"], np.float64)
        self._cleaning = Cleaning(
            np.asarray(state["mean"], np.float64), np.asarray(state["top"], np.float64)
        )
        self._rare = unpack_json(state["rare"])
        return self


def _zero_notes(n: int, n_empty: int, n_common: int) -> list[str]:
    """Return sentences on those of ``n`` texts whose vectors are zero."""
    notes = []
    if n_empty:
        notes.append(
            f"{n_empty:,} of {n:,} texts hold no word with a vector; their vectors "
            "are zero (similar to nothing)."
        )
    if n_common:
        notes.append(
            f"{n_common:,} of {n:,} texts hold only what SIF removes from all; their vectors "
            "are zero (similar to nothing)."
        )
    return notes
