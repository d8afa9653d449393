"""The contract of every embedding method, and the two bases that carry the shared work."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix, FloatVector, frozen_float32
from core.errors import (
    DatasetError,
    ModalityMismatch,
    NotFittedError,
    ParameterError,
    QueryError,
    TooLarge,
)
from core.fingerprint import fingerprint
from core.modality import Metric, Modality
from core.params import Params
from core.progress import Progress, quiet
from embedders.packing import State, pack_json, unpack_json
from embedders.trace import Trace
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors

if TYPE_CHECKING:
    from embedders.hub_model import ModelSource

ItemKeys = NDArray[np.uint8]
"""What tells items apart, ``(m, 16) uint8``: equal rows are equal items to this method."""


class KnownItems(Protocol):
    """Vectors that were made before, so that no item is embedded twice."""

    def find(self, keys: ItemKeys) -> tuple[NDArray[np.int64], FloatMatrix]:
        """Return which of ``keys`` are known, ``(m,) int64``, and their ``(m, d)`` vectors."""

    def keep(self, keys: ItemKeys, vectors: FloatMatrix) -> None:
        """Take up the vectors of a few items that were just made."""

    def complete(self, keys: ItemKeys, rows: NDArray[np.int64]) -> None:
        """Learn at which row of the finished vectors each key has its own."""


MAX_MATRIX_BYTES = 2 * 1024**3
"""Largest matrix a method may make: twice this (a working copy) still fits a laptop."""


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

    The provenance of every result holds ``method``, ``version``, ``params``, ``seed``, ``n_items``
    and ``notes``: plain sentences about what was filled in, cut, grouped or left out, with counts.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Modality]]
    queries: ClassVar[frozenset[Modality]] = frozenset()
    pair_sides: ClassVar[frozenset[Modality] | None] = None
    """What each side of PAIRS may be, of a method that takes PAIRS; None: what it ``accepts``."""
    metric: ClassVar[Metric] = "cosine"
    params_class: ClassVar[type[Params]] = Params
    stochastic: ClassVar[bool] = False
    pretrained: ClassVar[bool] = False
    """Whether the vector of an item does not depend on the rest of the dataset."""
    transfers: ClassVar[bool] = True
    """Whether a fitted model makes vectors of items it was not fitted on."""
    races: ClassVar[bool] = False
    """Whether several ``threads`` share weights without locks: not reproducible bit by bit."""
    fit_stages: ClassVar[Mapping[str, float]] = {}
    """Stages of ``fit`` that take long, in order, with the work of each; ``fit`` may refine it."""
    words_with: ClassVar[tuple[tuple[str, Any], ...] | None] = None
    """Settings, by name, under which there is a vector per word; None where there never is.

    Of methods for texts: an item of another kind of data may be a word itself.
    """

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        if params is not None and not isinstance(params, self.params_class):
            raise ParameterError(
                f"{self.title} takes {self.params_class.__name__}, got {type(params).__name__}."
            )
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
            raise ParameterError(f"seed must be an integer in [0, 2^32), got {seed!r}.")
        self.params: Any = params if params is not None else self.params_class()
        self.seed = seed
        self.run_notes: tuple[str, ...] = ()
        """What the run that this model comes from said of itself, where it comes from one."""
        self.notes_on_data: tuple[str, ...] = ()
        """Which notes of the last ``vectors`` were counted on its dataset, not while fitting."""

    @classmethod
    def availability(cls, params: Params) -> Availability:  # noqa: ARG003
        """Tell whether the method can run with ``params`` on this machine."""
        return Availability("ready")

    @classmethod
    def needs(cls, params: Params) -> ModelSource | None:  # noqa: ARG003
        """Return the pretrained model that ``params`` ask for, where it may have to be downloaded.

        None where nothing is ever downloaded. See ``embedders.hub_model``.
        """
        return None

    def supply(self, name: str, dataset: Dataset) -> None:  # noqa: ARG002
        """Hand over the dataset that the setting ``name`` (of kind "dataset") stands for.

        Called before ``fit`` and ``restore`` by whoever keeps the datasets.
        """
        raise ParameterError(f"{self.title} takes no dataset as {name!r}.")

    def supply_model(self, name: str, model: Embedder, trained_on: str) -> None:  # noqa: ARG002
        """Hand over the fitted model that the setting ``name`` (of kind "run") stands for.

        Called before ``fit`` by whoever keeps the runs; ``trained_on`` is the name of their data.
        """
        raise ParameterError(f"{self.title} takes no earlier run as {name!r}.")

    def estimate(self, dataset: Dataset) -> str:  # noqa: ARG002
        """Return a sentence on what embedding ``dataset`` will cost; empty where it costs time."""
        return ""

    def refusal(self, dataset: Dataset) -> str:  # noqa: ARG002
        """Return why ``dataset`` cannot be embedded, where that is known at once; else ""."""
        return ""

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

    def embed_queries(self, queries: Sequence[object]) -> FloatMatrix:
        """Return the ``(n, d) float32`` vectors of several queries; raises as ``embed_query``."""
        found: FloatMatrix = np.stack([self.embed_query(query) for query in queries])
        return found

    @property
    @abstractmethod
    def is_fitted(self) -> bool:
        """Tell whether ``fit`` or ``restore`` has run."""

    def trace(self, text: str) -> Trace:  # noqa: ARG002
        """Return how ``text`` becomes tokens, numbers and a vector; for methods that read texts.

        Raises
        ------
        NotFittedError, QueryError
        """
        raise QueryError(f"{self.title} does not show tokens. BERT and the methods of words do.")

    def trace_item(self, text: str, side: int | None) -> Trace:  # noqa: ARG002
        """Return how ``text`` becomes the vector that ``vectors`` gives it; raises as ``trace``.

        Parameters
        ----------
        text : str
        side : int or None
            Of the item in its dataset, 0 or 1; None where the dataset has no sides.

        Notes
        -----
        Only a method that reads items otherwise than queries has a way of its own.
        """
        return self.trace(text)

    def state(self) -> State:
        """Return what ``restore`` needs to answer queries without training again."""
        return {}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:  # noqa: ARG002
        """Take up a stored ``state``; pretrained methods load their weights here.

        The embedder must have been made with the same parameters and seed.
        """
        raise NotFittedError(f"{self.title} keeps no state. Call fit(dataset) instead.")

    def is_outdated(self, state: Mapping[str, AnyArray], progress: Progress = quiet) -> bool:  # noqa: ARG002
        """Tell whether a stored ``state`` is of a model that is no more: its run answers no query.

        Asked of a method that is not fitted, before a finished run is taken instead of a new one.
        False where that cannot be found out.
        """
        return False

    def fingerprint(self, dataset: Dataset) -> str:
        """Return the identity of the vectors this makes of ``dataset``."""
        return fingerprint("run-1", *self._identity(), dataset.fingerprint)

    def recipe(self) -> str:
        """Return the identity of what turns items into vectors, whatever the items.

        Equal items have equal vectors under equal recipes if the method is ``pretrained``.
        """
        return fingerprint("recipe-1", *self._identity())

    def _identity(self) -> tuple[Any, ...]:
        """Return what the vectors depend on besides the data.

        A method whose weights may change under one name adds their digest.
        """
        from embedders.hub_model import identity

        seed = self.seed if self.stochastic else 0
        source = self.needs(self.params)
        model = () if source is None else (identity(source),)
        return self.id, self.version, self.params.to_dict(), seed, *model

    @classmethod
    def takes(cls, modality: Modality, sides: Sequence[Modality | None] | None = None) -> bool:
        """Tell whether the method embeds data of this kind.

        Parameters
        ----------
        modality : Modality
        sides : two of Modality or None, optional
            What the two sides of PAIRS are; not looked at for other kinds.
        """
        if modality not in cls.accepts:
            return False
        if modality is not Modality.PAIRS or sides is None:
            return True
        embeds = cls.accepts if cls.pair_sides is None else cls.pair_sides
        return all(side in embeds for side in sides)

    def _check_modality(self, dataset: Dataset) -> None:
        sides = dataset.sides.modalities if dataset.sides else None
        if self.takes(dataset.modality, sides):
            return
        if dataset.modality in self.accepts and sides:
            is_pair = f"pairs of {sides[0]} and {sides[1]}"
            raise ModalityMismatch(
                f"{self.title} does not take both sides of {dataset.name}, {is_pair}. "
                "Choose another method or read the file as another kind."
            )
        takes = " or ".join(sorted(self.accepts))
        raise ModalityMismatch(
            f"{self.title} takes {takes} data, but {dataset.name} is {dataset.modality} data. "
            "Choose another method or read the file as another kind."
        )

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise NotFittedError(f"{self.title} has not been fitted yet. Call fit(dataset) first.")

    def _check_size(self, n: int, dim: int, remedy: str) -> None:
        """Refuse an ``(n, dim) float32`` result that would not fit into memory."""
        size = 4 * n * dim
        if size > MAX_MATRIX_BYTES:
            raise TooLarge(
                f"{self.title} would make {n:,} vectors of {dim:,} numbers, "
                f"{size / 1024**3:.1f} GiB; {MAX_MATRIX_BYTES / 1024**3:g} GiB are allowed. "
                f"{remedy}"
            )

    def _base_provenance(self, dataset: Dataset) -> dict[str, Any]:
        return {
            "method": self.id,
            "version": self.version,
            "params": self.params.to_dict(),
            "seed": self.seed,
            "n_items": len(dataset),
            "notes": [],
        }


class ItemEmbedder(Embedder):
    """Base of methods that can embed any new item; authors write ``_embed_batch``.

    Items are deduplicated, sorted by ``_length`` (equal lengths batch without padding), embedded
    in batches, and put back in order, with one progress call per batch.
    """

    batch_size: ClassVar[int] = 64
    batch_cost: ClassVar[int | None] = None
    """Bound on items in a batch times the longest of them; None leaves ``batch_size`` alone."""
    kind: ClassVar[str] = "document"

    @abstractmethod
    def _embed_batch(self, items: Sequence[Any]) -> FloatMatrix:
        """Return the ``(len(items), d)`` vectors of a few prepared items."""

    def _prepare(self, dataset: Dataset, progress: Progress) -> Sequence[Any]:  # noqa: ARG002
        """Return the items of ``dataset`` in the form ``_embed_batch`` takes (one per id)."""
        items: Sequence[Any] = dataset.items
        return items

    def _prepare_query(self, query: object) -> Any:
        """Return ``query`` in the form ``_embed_batch`` takes, or refuse it with QueryError."""
        return query

    def _dedup_key(self, item: Any) -> object | None:  # noqa: ARG002
        """Return a hashable that is equal for equal items, or None to embed each."""
        return None

    def _length(self, item: Any) -> int:  # noqa: ARG002
        """Return the cost of an item, longest embedded first."""
        return 0

    def _kind_of(self, dataset: Dataset) -> str:  # noqa: ARG002
        """Return what the keys are ("document", "image", "row" …)."""
        return self.kind

    def _kinds(self, dataset: Dataset) -> Sequence[str] | str:
        """Return the kind of each key: the name of its side, where the dataset has two."""
        return dataset.sides.kinds(len(dataset)) if dataset.sides else self._kind_of(dataset)

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:  # noqa: ARG002
        """Return what to add to the provenance; a list under ``notes`` is appended."""
        return {}

    def vectors(
        self, dataset: Dataset, progress: Progress = quiet, *, known: KnownItems | None = None
    ) -> KeyedVectors:
        """Return one vector per item, in the order of ``dataset.ids``.

        ``known`` holds items that were embedded before, by the same model: they and their
        duplicates are taken over instead of being embedded again.
        """
        self._check_modality(dataset)
        self._check_fitted()
        matrix, n_unique = self._embed_all(self._prepare(dataset, progress), progress, known)
        provenance = {**self._base_provenance(dataset), "n_unique": n_unique}
        extra = self._provenance(dataset, matrix)
        provenance.update(extra, notes=[*provenance["notes"], *extra.get("notes", [])])
        return KeyedVectors(
            dataset.ids,
            matrix,
            kinds=self._kinds(dataset),
            metric=self.metric,
            provenance=provenance,
        )

    def _embed_all(
        self, items: Sequence[Any], progress: Progress, known: KnownItems | None = None
    ) -> tuple[FloatMatrix, int]:
        """Return the ``(len(items), d)`` vectors and how many items were distinct."""
        first, unique = self._unique(items)
        lengths = np.fromiter((self._length(items[i]) for i in unique), np.int64, len(unique))
        order = np.argsort(-lengths, kind="stable")
        total, done, matrix = len(unique), 0, None
        keys = np.empty((0, 16), np.uint8)
        if known is not None:
            keys = item_keys([self._dedup_key(items[i]) for i in unique])
            rows, vectors = known.find(keys)
            if len(rows):
                matrix = self._room(len(items), total, vectors.shape[1])
                matrix[rows] = vectors
                order = order[~np.isin(order, rows)]
                done = len(rows)
        progress(done, total, "embedding")
        for rows in self._batches(order, lengths):
            block = np.asarray(self._embed_batch([items[unique[r]] for r in rows]), np.float32)
            if block.ndim != 2 or len(block) != len(rows):
                raise DatasetError(
                    f"{self.title} made an array of shape {block.shape} for {len(rows)} items."
                )
            if matrix is None:
                matrix = self._room(len(items), total, block.shape[1])
            elif known is not None and matrix.shape[1] != block.shape[1]:
                return self._embed_all(items, progress, _NothingKnown(known))
            matrix[rows] = block
            done += len(rows)
            if known is not None:
                known.keep(keys[rows], block)
            progress(done, total, "embedding")
        if matrix is None:
            raise DatasetError("There is nothing to embed. Give at least one item.")
        if known is not None:
            known.complete(keys, np.asarray(unique, np.int64))
        result = matrix if total == len(items) else matrix[first]
        result.setflags(write=False)  # saves KeyedVectors a defensive copy
        return result, total

    def _room(self, n: int, n_unique: int, dim: int) -> FloatMatrix:
        """Return an empty ``(n_unique, dim) float32`` matrix, if ``n`` such rows are allowed."""
        self._check_size(n, dim, "Use fewer items.")
        return np.empty((n_unique, dim), np.float32)

    def _batches(
        self, order: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> Iterator[NDArray[np.int64]]:
        """Yield runs of ``order`` (longest first) within ``batch_size`` and ``batch_cost``."""
        start = 0
        while start < len(order):
            size = self.batch_size
            if self.batch_cost is not None:
                longest = max(1, int(lengths[order[start]]))
                size = max(1, min(size, self.batch_cost // longest))
            yield order[start : start + size]
            start += size

    def _unique(self, items: Sequence[Any]) -> tuple[NDArray[np.int64], list[int]]:
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
        block = self._embed_batch([self._prepare_query(query)])
        vector: FloatVector = frozen_float32(block, what="The query vector")[0]
        return vector


class _NothingKnown:
    """Takes up vectors and gives none: those of before are of another length.

    A service may change the model behind a name.
    """

    def __init__(self, known: KnownItems) -> None:
        self.keep, self.complete = known.keep, known.complete
        self._known = known

    def find(self, keys: ItemKeys) -> tuple[NDArray[np.int64], FloatMatrix]:
        """Return nothing; nothing of before is counted as taken over."""
        return self._known.find(keys[:0])


def item_keys(keys: Sequence[object | None]) -> ItemKeys:
    """Return the ``(n, 16) uint8`` digests of what tells items apart.

    Of an item that cannot be told apart (None) the digest is zero; it is known by nobody.
    """
    digests = np.zeros((len(keys), 16), np.uint8)
    for row, key in enumerate(keys):
        if key is not None:
            digest = hashlib.blake2b(_told_apart(key), digest_size=16).digest()
            digests[row] = np.frombuffer(digest, np.uint8)
    return digests


def _told_apart(key: object) -> bytes:
    if isinstance(key, str):
        return b"text" + key.encode("utf-8", "surrogatepass")
    if isinstance(key, tuple) and all(type(part) is int for part in key):
        return b"numbers" + np.asarray(key, np.int64).tobytes()
    return f"{type(key).__name__}{key!r}".encode("utf-8", "surrogatepass")


class VocabularyEmbedder(Embedder):
    """Base of methods where only keys seen in training have vectors; authors write ``_train``."""

    transfers = False

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

    def vectors(self, dataset: Dataset, progress: Progress = quiet) -> KeyedVectors:
        """Return the trained vectors of the items of ``dataset``, in the order of its ids.

        Raises
        ------
        UnknownKey
            If an item was not there in training.
        """
        self._check_modality(dataset)
        trained = self.vocabulary
        progress(len(dataset), len(dataset), "embedding")
        if trained.keys == dataset.ids:
            return trained
        rows = [trained.position(key) for key in dataset.ids]
        return KeyedVectors(
            dataset.ids,
            trained.matrix[rows],
            kinds=trained.kinds[rows].tolist(),
            metric=trained.metric,
            provenance=trained.provenance,
        )

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
        """Return keys, vectors and provenance."""
        trained = self.vocabulary
        return {
            "keys": pack_json(list(trained.keys)),
            "kinds": trained.kinds,
            "matrix": trained.matrix,
            "about": pack_json({"metric": trained.metric, **trained.provenance}),
        }

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored keys and vectors."""
        about = unpack_json(state["about"])
        self._trained = KeyedVectors(
            unpack_json(state["keys"]),
            state["matrix"],
            kinds=state["kinds"].tolist(),
            metric=about.pop("metric"),
            provenance=about,
        )
        return self
