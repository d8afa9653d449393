"""The contract of every embedding method, and the two bases that carry the shared work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np

from core.arrays import AnyArray, FloatMatrix, FloatVector, frozen_float32
from core.errors import ModalityMismatch, NotFittedError, ParameterError, QueryError
from core.fingerprint import fingerprint
from core.modality import Metric, Modality
from core.params import Params
from core.progress import Progress, quiet
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors

State = dict[str, AnyArray]
"""What a fitted method needs to answer queries later: plain arrays (never object dtype)."""


class Availability(NamedTuple):
    """Whether a method can run here and now, asked before it runs."""

    state: Literal["ready", "needs_download", "needs_extra"]
    hint: str = ""
    download_mb: int | None = None


class Embedder(ABC):
    """One embedding method: turns a Dataset into KeyedVectors and a query into one vector.

    Parameters
    ----------
    params : Params, optional
        Settings of ``params_class``; its defaults when omitted.
    seed : int
        Makes stochastic methods repeatable.

    Notes
    -----
    The constructor only stores: no file, no network, no heavy import. Heavy libraries are imported
    inside methods.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Modality]]
    queries: ClassVar[frozenset[Modality]] = frozenset()
    metric: ClassVar[Metric] = "cosine"
    params_class: ClassVar[type[Params]] = Params
    stochastic: ClassVar[bool] = False

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        if params is not None and not isinstance(params, self.params_class):
            raise ParameterError(
                f"{self.title} takes {self.params_class.__name__}, got {type(params).__name__}."
            )
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
            raise ParameterError(f"seed must be an integer in [0, 2^32), got {seed!r}.")
        self.params: Any = params if params is not None else self.params_class()
        self.seed = seed

    @classmethod
    def availability(cls, params: Params) -> Availability:  # noqa: ARG003
        """Tell whether the method can run with ``params`` on this machine."""
        return Availability("ready")

    @abstractmethod
    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Train on ``dataset``, or load pretrained weights."""

    @abstractmethod
    def vectors(self, dataset: Dataset, progress: Progress = quiet) -> KeyedVectors:
        """Return one vector per item (and per word, where the method has words)."""

    @abstractmethod
    def embed_query(self, query: object) -> FloatVector:
        """Return the ``(d,) float32`` vector of a query in the space of ``vectors``.

        Raises
        ------
        NotFittedError, QueryError, UnknownKey
        """

    @property
    @abstractmethod
    def is_fitted(self) -> bool:
        """Tell whether ``fit`` or ``restore`` has run."""

    def state(self) -> State:
        """Return what ``restore`` needs to answer queries without training again."""
        return {}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up a stored ``state``; pretrained methods load their weights here."""
        raise NotImplementedError

    def fingerprint(self, dataset: Dataset) -> str:
        """Return the identity of the vectors this makes of ``dataset``."""
        seed = self.seed if self.stochastic else 0
        return fingerprint(
            "run-1", self.id, self.version, self.params.to_dict(), seed, dataset.fingerprint
        )

    def _check_modality(self, dataset: Dataset) -> None:
        if dataset.modality not in self.accepts:
            takes = " or ".join(sorted(self.accepts))
            raise ModalityMismatch(
                f"{self.title} takes {takes} data, but {dataset.name} is {dataset.modality} data. "
                "Choose another method or read the file as another kind."
            )

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise NotFittedError(f"{self.title} has not been fitted yet. Call fit(dataset) first.")


class ItemEmbedder(Embedder):
    """Base of methods that can embed any new item; authors write ``_embed_batch``.

    Items are deduplicated, sorted by ``_length`` (equal lengths batch without padding), embedded
    in batches, and put back in order, with one progress call per batch.
    """

    batch_size: ClassVar[int] = 64
    kind: ClassVar[str] = "document"
    pretrained: ClassVar[bool] = False
    """Whether vectors of an item do not depend on the rest of the dataset."""

    @abstractmethod
    def _embed_batch(self, items: Sequence[Any]) -> FloatMatrix:
        """Return the ``(len(items), d)`` vectors of a few items."""

    def _prepare(self, dataset: Dataset) -> Sequence[Any]:
        """Return the items of ``dataset`` in the form ``_embed_batch`` takes (one per id)."""
        items: Sequence[Any] = dataset.items
        return items

    def _dedup_key(self, item: Any) -> object | None:  # noqa: ARG002
        """Return a hashable that is equal for equal items, or None to embed each."""
        return None

    def _length(self, item: Any) -> int:  # noqa: ARG002
        """Return the cost of an item, longest embedded first."""
        return 0

    def _provenance(self, dataset: Dataset) -> dict[str, Any]:  # noqa: ARG002
        """Return plain values worth telling (what was truncated, variance explained)."""
        return {}

    def vectors(self, dataset: Dataset, progress: Progress = quiet) -> KeyedVectors:
        """Return one vector per item, in the order of ``dataset.ids``."""
        self._check_modality(dataset)
        self._check_fitted()
        matrix = self._embed_all(self._prepare(dataset), progress)
        return KeyedVectors(
            dataset.ids,
            matrix,
            kinds=self.kind,
            metric=self.metric,
            provenance={
                "method": self.id,
                "version": self.version,
                "params": self.params.to_dict(),
                "seed": self.seed,
                **self._provenance(dataset),
            },
        )

    def _embed_all(self, items: Sequence[Any], progress: Progress) -> FloatMatrix:
        first, unique = self._unique(items)
        lengths = np.fromiter((self._length(items[i]) for i in unique), np.int64, len(unique))
        order = np.argsort(-lengths, kind="stable")
        total, matrix = len(unique), None
        progress(0, total, "embedding")
        for start in range(0, total, self.batch_size):
            rows = order[start : start + self.batch_size]
            block = np.asarray(self._embed_batch([items[unique[r]] for r in rows]), np.float32)
            if matrix is None:
                matrix = np.empty((total, block.shape[1]), np.float32)
            matrix[rows] = block
            progress(min(start + len(rows), total), total, "embedding")
        if matrix is None:
            raise QueryError("There is nothing to embed.")
        return matrix if total == len(items) else matrix[first]

    def _unique(self, items: Sequence[Any]) -> tuple[np.ndarray[Any, Any], list[int]]:
        """Return, per item, the position of its like among the unique ones, and those."""
        seen: dict[object, int] = {}
        unique: list[int] = []
        first = np.empty(len(items), np.int64)
        for i in range(len(items)):
            key = self._dedup_key(items[i])
            place = seen.setdefault(key, len(unique)) if key is not None else len(unique)
            if place == len(unique):
                unique.append(i)
            first[i] = place
        return first, unique

    def embed_query(self, query: object) -> FloatVector:
        """Return the ``(d,) float32`` vector of one item."""
        self._check_fitted()
        vector: FloatVector = frozen_float32(self._embed_batch([query]), what="The query vector")[0]
        return vector


class VocabularyEmbedder(Embedder):
    """Base of methods where only keys seen in training have vectors; authors write ``_train``."""

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._trained: KeyedVectors | None = None

    @abstractmethod
    def _train(self, dataset: Dataset, progress: Progress) -> KeyedVectors:
        """Return the vectors of every key in the vocabulary of ``dataset``."""

    @property
    def is_fitted(self) -> bool:
        """Tell whether there are trained vectors."""
        return self._trained is not None

    @property
    def vocabulary(self) -> KeyedVectors:
        """Return the trained vectors (words, nodes).

        Raises
        ------
        NotFittedError
        """
        self._check_fitted()
        assert self._trained is not None  # noqa: S101 -- told to the type checker
        return self._trained

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Train on ``dataset``."""
        self._check_modality(dataset)
        self._trained = self._train(dataset, progress)
        return self

    def embed_query(self, query: object) -> FloatVector:
        """Return the trained vector of a key.

        Raises
        ------
        UnknownKey
            With keys that look similar.
        """
        if not isinstance(query, str):
            raise QueryError(f"{self.title} takes a key as text, got {type(query).__name__}.")
        return self.vocabulary[query]

    def state(self) -> State:
        """Return keys and vectors."""
        trained = self.vocabulary
        return {
            "keys": np.asarray(trained.keys, dtype=np.str_),
            "kinds": trained.kinds,
            "matrix": trained.matrix,
        }

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored keys and vectors."""
        self._trained = KeyedVectors(
            state["keys"].tolist(),
            state["matrix"],
            kinds=state["kinds"].tolist(),
            metric=self.metric,
        )
        return self
