"""Word2Vec: words by the company they keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.errors import DatasetError
from core.params import choice, integer
from core.progress import Progress
from embedders.corpus import Corpus
from embedders.phrases import PhraseEmbedder, PhraseParams
from embedders.sampling_settings import SamplingParams
from embedders.skipgram import (
    MAX_SENTENCE_WORDS,
    WORDS_PER_BATCH,
    SkipgramSettings,
    train_skipgram,
)
from embedders.word_embedder import Learnt, WordParams
from ingest.dataset import Dataset

WORDS_WANTED = 2_000_000
"""With epochs on automatic, the texts are read until this many words have passed."""


@dataclass(frozen=True, kw_only=True)
class Word2VecParams(SamplingParams, PhraseParams, WordParams):
    """Settings of Word2Vec."""

    dim: int = integer(100, low=2, high=1_000, step=10, help="Length of each vector.")
    objective: str = choice(
        "skip-gram",
        ("skip-gram", "cbow"),
        labels=("skip-gram: word predicts context", "CBOW: context predicts word"),
        help="What predicts what in training: skip-gram is better on little text, CBOW is faster.",
    )
    training: str = choice(
        "negative sampling",
        ("negative sampling", "hierarchical softmax"),
        help="How a guess is scored: against a few random words, or down a tree of all words, "
        "which serves rare words better.",
    )
    window: int = integer(
        5,
        low=1,
        high=20,
        help="Words up to this far to the left and right count as context.",
    )
    epochs: int = integer(
        0,
        low=0,
        high=200,
        automatic="5 to 100",
        help="How often all texts are read; 0 chooses 5 to 100 by the amount of text.",
        advanced=True,
    )


class Word2Vec(PhraseEmbedder):
    """Word vectors from the words around, and vectors of texts made from them.

    References
    ----------
    Mikolov et al. 2013, "Efficient Estimation of Word Representations in Vector Space" (CBOW,
    skip-gram); "Distributed Representations of Words and Phrases and their Compositionality"
    (equations 3: hierarchical softmax, 4: negative sampling, 5: subsampling, 6: phrases).
    """

    id = "word2vec"
    title = "Word2Vec"
    summary = "Learns words from the words around them in your texts; a text is their mean."
    source = "Mikolov et al. 2013; SIF: Arora, Liang & Ma 2017"
    version = 4
    params_class = Word2VecParams
    stochastic = True
    fit_stages: ClassVar[Mapping[str, float]] = {"training": 1.0}
    races = True

    def _learn(self, corpus: Corpus, dataset: Dataset, progress: Progress) -> Learnt:
        p: Word2VecParams = self.params
        terms, frequency = corpus.vocabulary.terms, corpus.vocabulary.frequency
        self._check_size(len(terms), 2 * p.dim, "Raise min_count or lower dim.")
        is_tree = p.training == "hierarchical softmax"
        if is_tree and len(terms) == 1:
            raise DatasetError(
                f"{dataset.name} has one word with a vector, {terms[0]!r}, and hierarchical "
                "softmax needs two to choose between. Lower min_count or use negative sampling."
            )
        n_words = len(corpus.tokens)
        epochs = p.epochs or automatic_epochs(n_words)
        trained = train_skipgram(
            dict(zip(terms, frequency.tolist(), strict=True)),
            lambda: corpus.batches(WORDS_PER_BATCH, MAX_SENTENCE_WORDS),
            SkipgramSettings(
                dim=p.dim,
                window=p.window,
                epochs=epochs,
                negative=0 if is_tree else p.negative,
                sample=p.sample,
                alpha=p.alpha,
                is_cbow=p.objective == "cbow",
                seed=self.seed,
                threads=p.threads,
            ),
            progress,
        )
        notes = training_notes(n_words, epochs, p.threads)
        return Learnt(trained.matrix, trained.losses, notes, about={"epochs": epochs})


def automatic_epochs(n_words: int) -> int:
    """Return how often a corpus of ``n_words`` is read where the user leaves it open."""
    return int(np.clip(round(WORDS_WANTED / n_words), 5, 100))


def training_notes(n_words: int, epochs: int, threads: int) -> tuple[str, ...]:
    """Return how often the words were read, and whether the run can be repeated."""
    times = "once" if epochs == 1 else f"{epochs:,} times"
    read = f"{n_words:,} words were read {times}."
    if threads == 1:
        return (read,)
    return (read, f"Trained with {threads} threads: not reproducible bit by bit.")
