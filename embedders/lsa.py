"""LSA: texts and words along the leading directions of a weighted term-document matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix
from core.errors import DatasetError
from core.params import Params, choice, flag, integer
from core.progress import Progress, quiet
from embedders.base import KnownItems
from embedders.corpus import Corpus, Limits, Vocabulary
from embedders.packing import State, pack_json, unpack_json
from embedders.term_embedder import TermEmbedder
from embedders.token_settings import TokenParams
from embedders.trace import Trace, all_terms, trace_terms
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors

POWER_STEPS = 7
"""Halko et al. 2011, section 4.5: enough for the slowly decaying spectra of texts."""


@dataclass(frozen=True, kw_only=True)
class LsaParams(TokenParams):
    """Settings of LSA."""

    dim: int = integer(
        100, low=2, high=1_000, step=10, help="Number of latent dimensions; 100 to 300 are usual."
    )
    weighting: str = choice(
        "tfidf",
        ("tfidf", "log-entropy", "count"),
        labels=("TF-IDF", "log-entropy", "raw counts"),
        help="How much a word counts: rare and uneven words more, or each occurrence alike.",
    )
    min_df: int = integer(
        2,
        low=1,
        high=1_000,
        help="A term must occur in at least this many texts; 2 leaves out one-off misspellings.",
    )
    words: bool = flag(
        False, help="Give the words vectors in the same space too, to see what a region is about."
    )
    ngrams: int = integer(
        1,
        low=1,
        high=3,
        help='Longest phrase that counts as a term: 1 is single words, 2 adds pairs ("new york").',
        advanced=True,
    )
    max_features: int = integer(
        50_000,
        low=10,
        high=500_000,
        step=1_000,
        help="How many terms are used, most frequent first.",
        advanced=True,
    )


class Lsa(TermEmbedder):
    """Text vectors ``X V``: weighted term counts on the leading right singular vectors.

    Notes
    -----
    The weight of a term that occurs ``c`` times is ``(1 + ln c) · idf`` (TF-IDF, as in the TF-IDF
    method), ``ln(1 + c) · (1 + Σ p ln p / ln n)`` with ``p`` its share in each of the ``n`` texts
    (log-entropy), or ``c``. Except for raw counts each text is scaled to length 1 first, so that
    long texts do not rule the directions. A word's vector is that of a text of this one word, up
    to length, so ``embed_query`` of a word points at the word. The sign of a dimension is
    arbitrary; it is fixed so that repeated runs agree. The randomised SVD starts from a fixed
    point: with its power steps another start gives the same vectors, so the seed plays no part.

    References
    ----------
    Deerwester et al. 1990, "Indexing by Latent Semantic Analysis"; Dumais 1991, "Improving the
    retrieval of information from external sources" (log-entropy); Halko et al. 2011 (the SVD).
    """

    id = "lsa"
    title = "LSA"
    summary = "Finds themes as words that occur together; texts on one theme become similar."
    source = "Deerwester et al. 1990, Indexing by Latent Semantic Analysis"
    version = 2
    words_with = (("words", True),)
    params_class = LsaParams
    batch_size = 1_024

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._weights: NDArray[np.float64] = np.empty(0)
        self._directions: FloatMatrix = np.empty((0, 0), np.float32)
        self._ratio: NDArray[np.float64] = np.empty(0)
        self._note = ""

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Count and weigh the terms of all texts and find their leading directions.

        Raises
        ------
        DatasetError
            If fewer than two texts or terms are left.
        """
        from sklearn.decomposition import TruncatedSVD

        self._check_modality(dataset)
        p: LsaParams = self.params
        limits = Limits(p.min_df, max_features=p.max_features)
        corpus = Corpus.read(dataset.items, p.tokenizer, progress, limits)
        vocabulary, counts = corpus.vocabulary, corpus.counts()
        self._weights = self._global_weights(vocabulary, counts)
        weighted = self._weigh(counts)
        most = min(weighted.shape) - 1
        if most < 1:
            raise DatasetError(
                f"LSA needs at least two texts and two terms; {dataset.name} has "
                f"{weighted.shape[0]:,} and {weighted.shape[1]:,}. Give more texts or lower min_df."
            )
        progress(0, 1, "finding dimensions")
        dim = min(p.dim, most)
        solver = TruncatedSVD(
            dim,
            n_iter=POWER_STEPS,
            n_oversamples=min(20, most + 1 - dim),
            random_state=0,
        )
        with np.errstate(invalid="ignore"):  # equal texts have no variance to share out
            solver.fit(weighted)
        self._directions = np.ascontiguousarray(solver.components_.T, np.float32)
        self._ratio = np.nan_to_num(solver.explained_variance_ratio_.astype(np.float64))
        self._index, self._note = vocabulary.index, vocabulary.note()
        progress(1, 1, "finding dimensions", f"{self._ratio.sum():.0%} of the variance")
        return self

    def _global_weights(self, vocabulary: Vocabulary, counts: Any) -> NDArray[np.float64]:
        """Return the ``(n_terms,)`` weight of each term, whatever the text."""
        if self.params.weighting == "count":
            return np.ones(len(vocabulary.terms))
        if self.params.weighting == "tfidf":
            return vocabulary.idf
        share = counts.copy()
        share.data /= vocabulary.frequency[share.indices]
        share.data *= np.log(share.data)
        entropy = np.asarray(share.sum(axis=0)).ravel() / np.log(max(vocabulary.n_texts, 2))
        # A term spread evenly over all texts tells nothing; rounding must not turn it negative.
        weights: NDArray[np.float64] = np.clip(1 + entropy, 0, 1)
        return weights

    def _weigh(self, counts: Any) -> Any:
        """Return the weighted form of ``(n, n_terms)`` sparse counts."""
        if self.params.weighting == "count":
            return counts
        logarithm = np.log(counts.data)
        local = np.log1p(counts.data) if self.params.weighting == "log-entropy" else 1 + logarithm
        weighted = counts.copy()
        weighted.data = local * self._weights[counts.indices]
        length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        weighted.data /= np.repeat(np.where(length > 0, length, 1), np.diff(weighted.indptr))
        return weighted

    def _embed_batch(self, items: Sequence[str]) -> FloatMatrix:
        block: FloatMatrix = (self._weigh(self._counts(items)) @ self._directions).astype(
            np.float32
        )
        return block

    def vectors(
        self, dataset: Dataset, progress: Progress = quiet, *, known: KnownItems | None = None
    ) -> KeyedVectors:
        """Return one vector per text and, if asked for, then one per term (kind "word")."""
        documents = super().vectors(dataset, progress, known=known)
        if not self.params.words:
            return documents
        return KeyedVectors(
            (*documents.keys, *self._index),
            np.concatenate([documents.matrix, self._directions]),
            kinds=["document"] * len(documents) + ["word"] * len(self._index),
            metric=self.metric,
            provenance=documents.provenance,
        )

    def trace(self, text: str) -> Trace:
        """Return the terms of ``text`` with their directions and weights."""
        self._check_fitted()
        weighed = self._weigh(self._counts([text]))
        weights = dict(zip(weighed.indices.tolist(), weighed.data.tolist(), strict=True))
        return trace_terms(
            all_terms(text, self.params.tokenizer),
            self._index,
            weight=lambda term, times: weights[self._index[term]] / times,
            matrix=self._directions,
            vector=self._embed_batch([text])[0],
            rule="The text's vector is the sum of its terms' vectors, each times its weight.",
        )

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:
        k = matrix.shape[1]
        notes = [self._note]
        if k < self.params.dim:
            notes.append(f"{self.params.dim} dimensions were asked for; the texts allow {k}.")
        notes.append(f"{k} dimension{'s' * (k != 1)} hold {self._ratio.sum():.1%} of the variance.")
        about = self._about_terms(dataset, matrix, notes)
        return {**about, "explained_variance_ratio": self._ratio.round(6).tolist()}

    def state(self) -> State:
        """Return terms, weights and directions."""
        self._check_fitted()
        return {
            "about": pack_json({"terms": list(self._index), "note": self._note}),
            "weights": self._weights,
            "directions": self._directions,
            "ratio": self._ratio,
        }

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored terms, weights and directions."""
        about = unpack_json(state["about"])
        self._index = {term: i for i, term in enumerate(about["terms"])}
        self._note = about["note"]
        self._weights = np.asarray(state["weights"], np.float64)
        self._directions = np.asarray(state["directions"], np.float32)
        self._ratio = np.asarray(state["ratio"], np.float64)
        return self
