"""GloVe: words by how often they stand near each other in all texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.errors import DatasetError
from core.params import choice, integer, real
from core.progress import Progress
from embedders.cooccurrence import count_cooccurrences
from embedders.corpus import Corpus
from embedders.glove_training import Cells, GloveSettings, row_width, train_glove
from embedders.word_embedder import Learnt, WordEmbedder, WordParams
from ingest.dataset import Dataset

CELLS_WANTED = 100_000_000
"""With epochs on automatic, the cells are visited until this many steps have been taken."""
WORDS_PER_SQUARED_X_MAX = 17_500
"""With x_max on automatic: 20 for 7 M words, as measured best there; 2 for 70,000; the paper's 100
for 175 M and more. Small corpora lose with a larger one, as hardly any pair gets full weight."""


@dataclass(frozen=True, kw_only=True)
class GloveParams(WordParams):
    """Settings of GloVe."""

    dim: int = integer(100, low=2, high=1_000, step=10, help="Length of each vector.")
    window: int = integer(
        10,
        low=1,
        high=50,
        help="Words up to this far to the left and right count, the nearer the more.",
    )
    epochs: int = integer(
        0,
        low=0,
        high=500,
        automatic="25 to 100",
        help="How often all word pairs are visited; 0 chooses 25 to 100 by how many there are.",
        advanced=True,
    )
    x_max: float = real(
        0.0,
        low=0.0,
        high=10_000.0,
        step=5.0,
        automatic="1 to 100",
        help="Pairs that meet this often get full weight, rarer ones less; 0 chooses 1 to 100 by "
        "the amount of text.",
        advanced=True,
    )
    alpha: float = real(
        0.75,
        low=0.0,
        high=2.0,
        step=0.05,
        help="How steeply the weight falls for rarer pairs; 0 gives all pairs the same weight.",
        advanced=True,
    )
    learning_rate: float = real(
        0.05,
        low=0.001,
        high=1.0,
        step=0.01,
        help="How far each step goes at first; lower it if the loss does not fall.",
        advanced=True,
    )
    vectors: str = choice(
        "sum",
        ("sum", "word"),
        labels=("word + context vector", "word vector only"),
        help="Each word learns two vectors, as a word and as context; their sum is less noisy.",
        advanced=True,
    )
    threads: int = integer(
        2,
        low=1,
        high=16,
        help="How many threads train at once; more are faster and give the same vectors.",
        advanced=True,
    )


class Glove(WordEmbedder):
    """Word vectors whose products approximate logarithms of co-occurrence counts.

    Notes
    -----
    A word that never stands near another one has no vector.

    References
    ----------
    Pennington, Socher & Manning 2014, "GloVe: Global Vectors for Word Representation".
    """

    id = "glove"
    title = "GloVe"
    summary = (
        "Learns words from how often they meet in all your texts together; a text is their mean."
    )
    source = "Pennington, Socher & Manning 2014, GloVe; SIF: Arora, Liang & Ma 2017"
    version = 3
    params_class = GloveParams
    stochastic = True
    fit_stages: ClassVar[Mapping[str, float]] = {"counting word pairs": 0.2, "training": 0.8}

    def _learn(self, corpus: Corpus, dataset: Dataset, progress: Progress) -> Learnt:
        p: GloveParams = self.params
        n_words = len(corpus.vocabulary.terms)
        self._check_size(n_words, 4 * row_width(p.dim), "Raise min_count or lower dim.")
        counted = count_cooccurrences(corpus, window=p.window, progress=progress)
        if not counted.n_cells:
            raise DatasetError(
                f"No two words of {dataset.name} stand in the same text, so there is nothing to "
                "learn from. Give longer texts or lower min_count."
            )
        known = np.diff(counted.indptr) > 0
        cells = Cells.of(counted, p.dim, self.seed)
        del counted  # as large as the cells
        n_cells = len(cells.logs)
        n_words_read = len(corpus.tokens)
        x_max = p.x_max or float(np.clip(np.sqrt(n_words_read / WORDS_PER_SQUARED_X_MAX), 1, 100))
        epochs = p.epochs or int(np.clip(round(CELLS_WANTED / n_cells), 25, 100))
        learnt = train_glove(
            cells,
            GloveSettings(
                dim=p.dim,
                x_max=x_max,
                alpha=p.alpha,
                epochs=epochs,
                learning_rate=p.learning_rate,
                seed=self.seed,
                threads=p.threads,
            ),
            progress,
        )
        matrix = learnt.words + learnt.contexts if p.vectors == "sum" else learnt.words
        notes = [
            f"{n_cells:,} pairs of words that meet within {p.window} words were visited "
            f"{epochs} times; those that meet {x_max:.3g} times got full weight."
        ]
        if alone := int((~known).sum()):
            words = "word never stands" if alone == 1 else "words never stand"
            notes.append(f"{alone:,} {words} near another one, and so without a vector.")
        about = {"epochs": epochs, "n_cells": n_cells, "x_max": x_max}
        return Learnt(matrix[known], learnt.losses, tuple(notes), known, about)
