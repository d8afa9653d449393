"""TF-IDF: a text as the weighted counts of its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from core.arrays import AnyArray, FloatMatrix, FloatVector
from core.params import Params, flag, integer, real
from core.progress import Progress, quiet
from embedders.corpus import Corpus, Limits
from embedders.packing import State, pack_json, unpack_json
from embedders.term_embedder import TermEmbedder
from embedders.token_settings import TokenParams
from embedders.trace import Trace, all_terms, trace_terms
from ingest.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class TfidfParams(TokenParams):
    """Settings of TF-IDF."""

    max_features: int = integer(
        5_000,
        low=10,
        high=100_000,
        step=1_000,
        help="How many terms are kept, most frequent first; also the length of each vector.",
    )
    min_df: int = integer(
        2,
        low=1,
        high=1_000,
        help="A term must occur in at least this many texts; 2 leaves out one-off misspellings.",
    )
    ngrams: int = integer(
        1,
        low=1,
        high=3,
        help='Longest phrase that counts as a term: 1 is single words, 2 adds pairs ("new york").',
    )
    sublinear: bool = flag(
        True,
        help="Count a repeated word as 1 + ln(count), so that ten mentions do not weigh ten times.",
        advanced=True,
    )
    max_df: float = real(
        1.0,
        low=0.01,
        high=1.0,
        step=0.05,
        help="Leave out terms that occur in more than this share of the texts (1 keeps all).",
        advanced=True,
    )


class Tfidf(TermEmbedder):
    """Text vectors with one dimension per term: term frequency × inverse document frequency.

    Notes
    -----
    The weight of a term that occurs ``c`` times in a text is ``tf · idf`` with ``tf = 1 + ln c``
    (or ``c``) and ``idf = ln((1 + n) / (1 + df)) + 1``, where ``df`` of the ``n`` texts of the
    fitted dataset hold it (the smoothed form of scikit-learn). Rows are not normalised. A text
    without any kept term is the zero vector: similar to nothing.

    References
    ----------
    Salton & Buckley 1988, "Term-weighting approaches in automatic text retrieval", Table 1.
    """

    id = "tfidf"
    title = "TF-IDF"
    summary = "Counts words and gives rare ones more weight; finds texts that share words."
    source = "Salton & Buckley 1988, Term-weighting approaches in automatic text retrieval"
    version = 2
    params_class = TfidfParams
    batch_size = 256

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._idf: FloatVector = np.empty(0, np.float32)
        self._note = ""

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Count the terms of all texts and weigh each by how rare it is.

        Raises
        ------
        DatasetError
            If no term is left.
        TooLarge
            If the dense vectors would not fit into memory.
        """
        self._check_modality(dataset)
        p: TfidfParams = self.params
        limits = Limits(p.min_df, p.max_df, max_features=p.max_features)
        vocabulary = Corpus.read(dataset.items, p.tokenizer, progress, limits).vocabulary
        self._check_size(
            len(dataset), len(vocabulary.terms), "Lower max_features, raise min_df or choose LSA."
        )
        self._idf = vocabulary.idf.astype(np.float32)
        self._index = vocabulary.index
        self._note = vocabulary.note()
        return self

    def _embed_batch(self, items: Sequence[str]) -> FloatMatrix:
        counts = self._counts(items)
        if self.params.sublinear:
            counts.data = 1 + np.log(counts.data)
        dense: FloatMatrix = counts.astype(np.float32).toarray() * self._idf
        return dense

    def trace(self, text: str) -> Trace:
        """Return the terms of ``text``, each with its dimension and the number that stands there.

        A term that occurs ``c`` times has an equal part of its ``tf · idf`` at each place.
        """
        self._check_fitted()

        def weight(term: str, times: int) -> float:
            tf = 1 + np.log(times) if self.params.sublinear else times
            return float(tf * self._idf[self._index[term]] / times)

        return trace_terms(
            all_terms(text, self.params.tokenizer),
            self._index,
            weight=weight,
            matrix=None,
            vector=self._embed_batch([text])[0],
            rule="Each term is a dimension; the number there is tf · idf, its weights added up.",
        )

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:
        return self._about_terms(dataset, matrix, [self._note])

    def state(self) -> State:
        """Return terms and their weights."""
        self._check_fitted()
        about = {"terms": list(self._index), "note": self._note}
        return {"about": pack_json(about), "idf": self._idf}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored terms and weights."""
        about = unpack_json(state["about"])
        self._index = {term: i for i, term in enumerate(about["terms"])}
        self._note = about["note"]
        self._idf = np.asarray(state["idf"], np.float32)
        return self
