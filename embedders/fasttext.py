"""fastText: words by their company and by the letters they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix, FloatVector
from core.errors import ParameterError
from core.params import Params, choice, integer, real
from core.progress import Progress
from embedders.corpus import Corpus
from embedders.gensim_training import (
    WORDS_PER_BATCH,
    WORDS_PER_JOB,
    Memory,
    Schedule,
    new_model,
    train_in_jobs,
)
from embedders.packing import State
from embedders.sampled_loss import LossSample
from embedders.sampling_settings import SamplingParams
from embedders.word2vec import automatic_epochs, training_notes
from embedders.word_embedder import Learnt, WordEmbedder, WordParams
from ingest.dataset import Dataset

WORDS_PER_CALL = 5_000
"""Words cut into n-grams between two progress calls."""


@dataclass(frozen=True, kw_only=True)
class FastTextParams(SamplingParams, WordParams):
    """Settings of fastText."""

    dim: int = integer(100, low=2, high=1_000, step=10, help="Length of each vector.")
    objective: str = choice(
        "skip-gram",
        ("skip-gram", "cbow"),
        labels=("skip-gram: word predicts context", "CBOW: context predicts word"),
        help="What predicts what in training: skip-gram is better on little text, CBOW is faster.",
    )
    window: int = integer(
        5, low=1, high=20, help="Words up to this far to the left and right count as context."
    )
    min_n: int = integer(
        3, low=1, high=10, help="Shortest run of letters that has a vector of its own."
    )
    max_n: int = integer(
        6, low=1, high=10, help="Longest run of letters that has a vector of its own."
    )
    epochs: int = integer(
        0,
        low=0,
        high=200,
        automatic="5 to 100",
        help="How often all texts are read; 0 chooses 5 to 100 by the amount of text.",
        advanced=True,
    )
    alpha: float = real(
        0.05,
        low=0.001,
        high=0.5,
        step=0.005,
        help="Learning rate at the start; it falls to nearly zero at the end.",
        advanced=True,
    )
    buckets: int = integer(
        2_000_000,
        low=1_000,
        high=20_000_000,
        step=100_000,
        help="Runs of letters share this many numbers; only those in use take memory.",
        advanced=True,
    )

    def __post_init__(self) -> None:
        """Check each value, and that the shortest run is not longer than the longest."""
        super().__post_init__()
        if self.min_n > self.max_n:
            raise ParameterError(
                f"FastText.min_n must be at most max_n, got {self.min_n} and {self.max_n}."
            )


class FastText(WordEmbedder):
    """Word vectors that are the mean of a word's own vector and those of its character n-grams.

    Notes
    -----
    A word ``w`` stands between brackets, ``<w>``; its n-grams of ``min_n`` to ``max_n`` characters
    are hashed (FNV-1a, as in the paper's own program) into ``buckets``. Rows exist only for buckets
    that some word of the vocabulary uses: n-grams never seen in training have no vector, while the
    usual implementations let them add their random start values.

    An unseen word is the sum of the vectors of its known n-grams over the number of all its
    n-grams; one without any known n-gram has no vector.

    gensim adds up no loss for fastText; here it is measured after each epoch (``LossSample``), on
    what gensim trains: in skip-gram the sum of a word's own vector and those of its n n-grams over
    n, in CBOW that of all words around over the number of all vectors. The word vectors are those
    that gensim returns, the sum over n + 1, whatever the objective.

    References
    ----------
    Bojanowski, Grave, Joulin & Mikolov 2017, "Enriching Word Vectors with Subword Information",
    section 3.2.
    """

    id = "fasttext"
    title = "fastText"
    summary = "Learns words from their company and their letters; misspelt and new words work too."
    source = "Bojanowski et al. 2017, Enriching Word Vectors with Subword Information"
    version = 2
    params_class = FastTextParams
    stochastic = True
    fit_stages: ClassVar[Mapping[str, float]] = {"training": 1.0}
    races = True

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._buckets: NDArray[np.int64] = np.empty(0, np.int64)
        self._ngrams: FloatMatrix = np.empty((0, self.params.dim), np.float32)

    def _hashes(self, word: str) -> list[int]:
        from gensim.models.fasttext import ft_ngram_hashes

        p: FastTextParams = self.params
        hashes: list[int] = ft_ngram_hashes(word, p.min_n, p.max_n, p.buckets)
        return hashes

    def _learn(self, corpus: Corpus, dataset: Dataset, progress: Progress) -> Learnt:  # noqa: ARG002
        p: FastTextParams = self.params
        terms, n_words = corpus.vocabulary.terms, len(corpus.tokens)
        hashed = self._hash_all(terms, progress)
        flat = np.concatenate([np.asarray(h, np.int64) for h in hashed])
        self._buckets, columns = np.unique(flat, return_inverse=True)
        n_rows = len(self._buckets) + 2 * len(terms)
        self._check_size(n_rows, p.dim, "Raise min_count or min_n, or lower dim or max_n.")
        ends = np.cumsum([0, *map(len, hashed)])
        model = self._new_model(corpus, columns.astype(np.uint32), ends)
        sample = LossSample.draw(
            corpus,
            model.wv.expandos["sample_int"] / 2**32,
            window=p.window,
            negative=p.negative,
            single=p.objective == "skip-gram",
            seed=self.seed,
        )
        parts = _parts(columns, ends, len(self._buckets))

        # gensim's skip-gram divides the sum by the number of n-grams, without the word itself.
        n_parts = np.diff(ends).reshape(-1, 1)
        shares = np.maximum(n_parts, 1) if p.objective == "skip-gram" else n_parts + 1

        def measure() -> float:
            around = sample.context
            sizes = np.maximum(around @ shares, 1.0)
            return sample.negative_loss((around @ _sums(model, parts)) / sizes, model.syn1neg)

        epochs = p.epochs or automatic_epochs(n_words)
        losses = train_in_jobs(
            model,
            _step,
            lambda: corpus.batches(WORDS_PER_BATCH, WORDS_PER_JOB),
            Schedule(epochs, p.alpha, n_words, self.seed, p.threads),
            progress,
            measure=measure,
        )
        self._ngrams = model.wv.vectors_ngrams
        notes = (
            *training_notes(n_words, epochs, p.threads),
            f"{len(self._buckets):,} runs of {p.min_n} to {p.max_n} letters have a vector; words "
            "that were not learnt are made of them.",
            f"Loss was measured after each epoch on {len(sample.target):,} words of the texts.",
        )
        return Learnt(_words(model, parts), losses, notes, about={"epochs": epochs})

    def _hash_all(self, terms: Sequence[str], progress: Progress) -> list[list[int]]:
        stage = "cutting words into letters"
        hashed: list[list[int]] = []
        for start in range(0, len(terms), WORDS_PER_CALL):
            progress(start, len(terms), stage)
            hashed.extend(self._hashes(word) for word in terms[start : start + WORDS_PER_CALL])
        progress(len(terms), len(terms), stage)
        return hashed

    def _new_model(
        self, corpus: Corpus, columns: NDArray[np.uint32], ends: NDArray[np.int64]
    ) -> Any:
        from gensim.models.fasttext import FastText as Trainer

        p: FastTextParams = self.params
        terms, frequency = corpus.vocabulary.terms, corpus.vocabulary.frequency
        model = new_model(
            Trainer,
            dict(zip(terms, frequency.tolist(), strict=True)),
            vector_size=p.dim,
            window=p.window,
            negative=p.negative,
            sample=p.sample,
            sg=int(p.objective == "skip-gram"),
            seed=self.seed,
            min_n=1,  # no n-grams of its own: it would make a row for each bucket, used or not
            max_n=0,
        )
        wv, n = model.wv, len(self._buckets)
        wv.bucket = n
        wv.buckets_word = [columns[a:b] for a, b in pairwise(ends.tolist())]
        draw = np.random.default_rng(self.seed + 1).random((n, p.dim), dtype=np.float32)
        wv.vectors_ngrams = (2 * draw - 1) / np.float32(p.dim)
        return model

    def _unseen(self, words: Sequence[str]) -> dict[str, FloatVector]:
        made: dict[str, FloatVector] = {}
        for word in words:
            hashes = np.array(self._hashes(word), np.int64)
            rows = np.searchsorted(self._buckets, hashes)
            rows[rows == len(self._buckets)] = 0
            rows = rows[self._buckets[rows] == hashes] if len(self._buckets) else rows[:0]
            if len(rows):
                made[word] = self._ngrams[rows].sum(axis=0) / np.float32(len(hashes))
        return made

    def _why_unknown(self, words: Sequence[str]) -> str:
        return super()._why_unknown(words) + ", and no part of it occurs in one"

    def state(self) -> State:
        """Return words, vectors, weights and the n-grams in use."""
        return {**super().state(), "buckets": self._buckets, "ngrams": self._ngrams}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored words, vectors, weights and n-grams."""
        self._buckets = np.asarray(state["buckets"], np.int64)
        self._ngrams = np.asarray(state["ngrams"], np.float32)
        return super().restore(state)


def _step(model: Any, job: Sequence[list[str]], rate: float, memory: Memory) -> int:
    from gensim.models.fasttext_inner import train_batch_any

    trained: int = train_batch_any(model, job, rate, *memory)
    return trained


def _parts(columns: NDArray[np.int64], ends: NDArray[np.int64], n_rows: int) -> Any:
    """Return the ``(n_words, n_rows)`` CSR counts of n-grams in words."""
    from scipy.sparse import csr_matrix

    ones = np.ones(len(columns), np.float32)
    return csr_matrix((ones, columns, ends), shape=(len(ends) - 1, n_rows))


def _sums(model: Any, parts: Any) -> FloatMatrix:
    """Return ``(n_words, dim)`` sums of each word's own vector and those of its n-grams."""
    sums: FloatMatrix = model.wv.vectors_vocab + parts @ model.wv.vectors_ngrams
    return sums


def _words(model: Any, parts: Any) -> FloatMatrix:
    """Return ``(n_words, dim)`` means of each word's own vector and those of its n-grams."""
    counts = np.diff(parts.indptr).reshape(-1, 1).astype(np.float32)
    words: FloatMatrix = _sums(model, parts) / (counts + 1)
    return words
