"""Base of the methods that know a text by counts of its terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.arrays import FloatMatrix, FloatVector
from core.modality import Modality
from core.params import Params
from embedders.base import ItemEmbedder
from embedders.terms import count_matrix, text_query, unknown_words
from ingest.dataset import Dataset


class TermEmbedder(ItemEmbedder):
    """Vectors of texts from counts of the terms of a vocabulary; authors write ``_embed_batch``.

    A text without any known term is the zero vector (similar to nothing); as a query it is refused.
    """

    accepts = frozenset({Modality.TEXT})
    queries = frozenset({Modality.TEXT})

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._index: dict[str, int] = {}

    @property
    def is_fitted(self) -> bool:
        """Tell whether there is a vocabulary."""
        return bool(self._index)

    def _counts(self, texts: Sequence[str]) -> Any:
        """Return the ``(len(texts), n_terms)`` sparse counts of known terms."""
        return count_matrix(map(self.params.tokenizer, texts), self._index)

    def _dedup_key(self, item: str) -> object:
        return item

    def _prepare_query(self, query: object) -> str:
        return text_query(query, self.title)

    def embed_query(self, query: object) -> FloatVector:
        """Return the ``(d,) float32`` vector of a text.

        Raises
        ------
        UnknownKey
            If no term of the query is in the vocabulary, with terms that look similar.
        """
        vector = super().embed_query(query)
        if not vector.any():
            raise unknown_words(str(query), self._index, "not among the kept terms")
        return vector

    def _about_terms(
        self, dataset: Dataset, matrix: FloatMatrix, notes: Sequence[str]
    ) -> dict[str, Any]:
        """Return the size of the vocabulary, the texts without a vector, and ``notes``."""
        empty = int((~matrix.any(axis=1)).sum())
        zero = (
            f"{empty:,} of {len(dataset):,} texts hold no kept term; their vectors are zero "
            "(similar to nothing)."
        )
        self.notes_on_data = (zero,) if empty else ()
        said = [*notes, *self.notes_on_data]
        return {"n_terms": len(self._index), "n_zero": empty, "notes": said}
