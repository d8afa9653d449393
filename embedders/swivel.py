"""SWIVEL: word vectors from the pairs of words that meet, and from those that never do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from core.arrays import BoolVector
from core.errors import DatasetError
from core.params import choice, integer, real
from core.progress import Progress
from embedders.cooccurrence import Cooccurrence, Weighting, count_cooccurrences
from embedders.corpus import Corpus
from embedders.submatrices import Submatrices, SubmatrixTrainer, SwivelSettings
from embedders.word_embedder import Learnt, WordEmbedder, WordParams
from ingest.dataset import Dataset

STEPS_WANTED = 200
"""With epochs on automatic, the vectors of each word are moved about so often.

On 7 M words of books SimLex-999 is best around here and falls with further training.
"""


@dataclass(frozen=True, kw_only=True)
class SwivelParams(WordParams):
    """Settings of SWIVEL."""

    dim: int = integer(100, low=2, high=1_000, step=10, help="Length of each vector.")
    window: int = integer(
        10,
        low=1,
        high=50,
        help="Two words meet where they stand at most this many places apart.",
    )
    weighting: str = choice(
        "harmonic",
        ("harmonic", "flat"),
        labels=("near words count more (1/distance)", "all words in the window count alike"),
        help="How much a meeting counts: near words tell more about grammar, far ones of subjects.",
        advanced=True,
    )
    epochs: int = integer(
        0,
        low=0,
        high=1_000,
        automatic="4 to 200",
        help="How often all pairs are fitted; 0 chooses 4 to 200 by the number of words.",
        advanced=True,
    )
    learning_rate: float = real(
        0.1,
        low=0.001,
        high=1.0,
        step=0.01,
        help="Size of the first steps; later ones shrink by themselves (AdaGrad).",
        advanced=True,
    )
    confidence_base: float = real(
        0.1,
        low=0.0,
        high=10.0,
        step=0.05,
        help="Weight that every pair of words that meet has, however rarely they do.",
        advanced=True,
    )
    confidence_scale: float = real(
        0.25,
        low=0.0,
        high=10.0,
        step=0.05,
        help="How much the weight of a pair grows with the number of times it meets.",
        advanced=True,
    )
    confidence_exponent: float = real(
        0.5,
        low=0.0,
        high=1.0,
        step=0.05,
        help="Power of that number in the weight: lower gives rare pairs more say.",
        advanced=True,
    )
    shard_size: int = integer(
        512,
        low=16,
        high=8_192,
        step=128,
        help="Words per shard; a submatrix of the square of this many pairs is fitted at a time.",
        advanced=True,
    )
    threads: int = integer(
        1,
        low=1,
        high=64,
        help="Trains with this many threads; the vectors are the same, whatever their number.",
        advanced=True,
    )


class Swivel(WordEmbedder):
    """Word vectors whose products are the pointwise mutual information of words.

    Notes
    -----
    Unlike GloVe, SWIVEL looks at every cell of the co-occurrence matrix: pairs that never meet are
    pushed below the PMI that they would have if they met once. A word's vector is the sum of its
    row and its column vector.

    References
    ----------
    Shazeer, Doherty, Evans & Waterson 2016, "Swivel: Improving Embeddings by Noticing What's
    Missing", equations 1 and 2; confidence 0.1 + 0.25 sqrt(x) as in section 3.1.
    """

    id = "swivel"
    title = "SWIVEL"
    summary = (
        "Learns words from the words they meet and those they never meet; a text is their mean."
    )
    source = "Shazeer, Doherty, Evans & Waterson 2016"
    version = 2
    params_class = SwivelParams
    stochastic = True
    fit_stages: ClassVar[Mapping[str, float]] = {"counting word pairs": 0.2, "training": 0.8}

    def _learn(self, corpus: Corpus, dataset: Dataset, progress: Progress) -> Learnt:
        p: SwivelParams = self.params
        # Rows, columns, and the sums of squares of both.
        self._check_size(len(corpus.vocabulary.terms), 4 * p.dim, "Raise min_count or lower dim.")
        cells, known = self._cells(corpus, dataset.name, progress)
        epochs = p.epochs or int(np.clip(round(STEPS_WANTED / cells.n_shards), 4, 200))
        trainer = SubmatrixTrainer(
            cells,
            SwivelSettings(
                dim=p.dim,
                epochs=epochs,
                learning_rate=p.learning_rate,
                base=p.confidence_base,
                scale=p.confidence_scale,
                exponent=p.confidence_exponent,
                seed=self.seed,
                threads=p.threads,
            ),
        )
        losses = trainer.train(progress)
        return Learnt(
            trainer.matrix,
            losses,
            tuple(_notes(cells, known, p.window, epochs)),
            known=known,
            about={"epochs": epochs, "n_cells": len(cells.counts)},
        )

    def _cells(
        self, corpus: Corpus, name: str, progress: Progress
    ) -> tuple[Submatrices, BoolVector]:
        """Return the co-occurrence matrix in pieces, and which words are in it."""
        p: SwivelParams = self.params
        weighting = cast("Weighting", p.weighting)
        counts = count_cooccurrences(
            corpus, window=p.window, weighting=weighting, progress=progress, threads=p.threads
        )
        if not counts.n_cells:
            raise DatasetError(
                f"Every text of {name} has only one word that occurs at least {p.min_count:,} "
                f"{'time' if p.min_count == 1 else 'times'} (min_count), so no two words meet. "
                "Lower min_count or give longer texts."
            )
        met, known = without_loners(counts)
        return Submatrices.deal(met, p.shard_size), known


def without_loners(counts: Cooccurrence) -> tuple[Cooccurrence, BoolVector]:
    """Return ``counts`` without the words that meet none, and ``(n_words,)`` which ones are left.

    The PMI of a word that meets none is not defined.
    """
    known = np.diff(counts.indptr) > 0
    if known.all():
        return counts, known
    number = np.cumsum(known, dtype=np.int32) - 1
    indptr = np.concatenate([counts.indptr[:1], counts.indptr[1:][known]])
    return Cooccurrence(indptr, number[counts.indices].astype(np.int32), counts.values), known


def _notes(cells: Submatrices, known: BoolVector, window: int, epochs: int) -> list[str]:
    n = len(cells.order)
    places = "1 place" if window == 1 else f"{window:,} places"
    times = "once" if epochs == 1 else f"{epochs:,} times"
    pieces = "1 submatrix" if len(cells) == 1 else f"{len(cells):,} submatrices"
    notes = [
        f"{len(cells.counts):,} of {n * n:,} pairs of words (each in both orders) meet within "
        f"{places}; all were fitted {times}, in {pieces}."
    ]
    alone = int((~known).sum())
    if alone:
        verb = "word meets no other and has" if alone == 1 else "words meet no other and have"
        notes.append(f"{alone:,} {verb} no vector.")
    return notes
