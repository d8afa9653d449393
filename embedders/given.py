"""Vectors as given: a finished embedding from a file, as it is or lightly cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix, FloatVector
from core.errors import DatasetError
from core.modality import METRICS, Metric, Modality
from core.params import Params, choice, flag, integer
from core.progress import Progress
from embedders.base import VocabularyEmbedder
from embedders.packing import State
from embedders.pca import vector_query
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors


@dataclass(frozen=True, kw_only=True)
class GivenParams(Params):
    """Settings of vectors as given."""

    metric: str = choice(
        "cosine",
        METRICS,
        labels=("cosine (direction)", "dot product", "Euclidean distance"),
        help="How similarity was meant by whoever made the vectors; cosine suits most models.",
    )
    centre: bool = flag(
        False,
        help="Subtract the mean vector; spreads out spaces in which everything looks alike.",
    )
    remove_top: int = integer(
        0,
        low=0,
        high=20,
        help="Remove this many leading directions, which often carry word frequency, not meaning.",
        advanced=True,
    )
    normalise: bool = flag(
        False,
        help="Scale every vector to length 1; makes Euclidean distance agree with cosine.",
        advanced=True,
    )


class Given(VocabularyEmbedder):
    """Vectors from a file, optionally centred, cleared of leading directions, scaled to length 1.

    Notes
    -----
    With ``m`` the mean and ``U`` the leading ``remove_top`` right singular vectors of the centred
    matrix, a vector becomes ``(v − m) − U Uᵀ (v − m)``. Removing directions centres as well.
    Queries given as vectors pass through the same steps.

    References
    ----------
    Mu & Viswanath 2018, "All-but-the-Top", Algorithm 1.
    """

    id = "vectors"
    title = "Vectors as given"
    summary = "Takes finished vectors from a file as they are; nothing is trained."
    source = "Your file; cleaning after Mu & Viswanath 2018, All-but-the-Top"
    accepts = frozenset({Modality.VECTORS})
    queries = frozenset({Modality.VECTORS})
    params_class = GivenParams

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._mean: NDArray[np.float64] = np.empty(0)
        self._top: NDArray[np.float64] = np.empty((0, 0))

    def _train(self, dataset: Dataset, progress: Progress) -> KeyedVectors:
        matrix = np.asarray(dataset.items)
        progress(0, 1, "taking vectors")
        self._learn(matrix, dataset)
        provenance = self._base_provenance(dataset)
        provenance["notes"] = self._notes(matrix)
        keyed = KeyedVectors(
            dataset.ids,
            self._clean(matrix),
            kinds="item",
            metric=cast("Metric", self.params.metric),
            provenance=provenance,
        )
        progress(1, 1, "taking vectors")
        return keyed

    def _learn(self, matrix: AnyArray, dataset: Dataset) -> None:
        p: GivenParams = self.params
        n, dim = matrix.shape
        self._mean, self._top = np.zeros(dim), np.empty((0, dim))
        if p.centre or p.remove_top:
            self._mean = matrix.mean(axis=0, dtype=np.float64)
        if p.remove_top:
            if p.remove_top >= min(n - 1, dim):
                raise DatasetError(
                    f"{p.remove_top} directions cannot be removed from {n:,} vectors of {dim:,} "
                    f"numbers in {dataset.name}: nothing would be left. Lower remove_top."
                )
            # The d x d covariance instead of the (n, d) SVD: n may be millions.
            centred = matrix - self._mean.astype(matrix.dtype)
            _, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))
            self._top = directions[:, ::-1][:, : p.remove_top].T.copy()

    def _clean(self, matrix: AnyArray) -> FloatMatrix:
        p: GivenParams = self.params
        if not (p.centre or p.remove_top or p.normalise):
            untouched: FloatMatrix = np.asarray(matrix, np.float32)
            return untouched
        moved = matrix - self._mean
        if len(self._top):
            moved -= (moved @ self._top.T) @ self._top
        if p.normalise:
            length = np.linalg.norm(moved, axis=1, keepdims=True)
            moved /= np.where(length > 0, length, 1)
        cleaned: FloatMatrix = moved.astype(np.float32)
        return cleaned

    def _notes(self, matrix: AnyArray) -> list[str]:
        p: GivenParams = self.params
        done = []
        if p.centre or p.remove_top:
            done.append("the mean was subtracted")
        if p.remove_top:
            done.append(f"{p.remove_top} leading directions were removed")
        if p.normalise:
            done.append("every vector was scaled to length 1")
        notes = [
            f"Vectors as in the file, except: {', '.join(done)}."
            if done
            else "Vectors exactly as in the file."
        ]
        zero = int((~matrix.any(axis=1)).sum())
        if zero:
            notes.append(f"{zero:,} of {len(matrix):,} vectors are zero (similar to nothing).")
        return notes

    def embed_query(self, query: object) -> FloatVector:
        """Return the vector of a key, or a ``(d,)`` vector brought into this space.

        Raises
        ------
        UnknownKey
            For a text that is no key, with keys that look similar.
        QueryError
            For anything that is neither a key nor ``d`` finite numbers.
        """
        if isinstance(query, str):
            return super().embed_query(query)
        vector = vector_query(query, self.vocabulary.dim, "A space of given vectors")
        cleaned: FloatVector = self._clean(vector[np.newaxis])[0]
        return cleaned

    def state(self) -> State:
        """Return keys, vectors and the cleaning."""
        return {**super().state(), "mean": self._mean, "top": self._top}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored keys, vectors and cleaning."""
        super().restore(state)
        self._mean = np.asarray(state["mean"], np.float64)
        self._top = np.asarray(state["top"], np.float64)
        return self
