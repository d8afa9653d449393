"""PCA: rows, images or vectors along the directions in which they differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix
from core.errors import DatasetError, QueryError
from core.modality import Modality
from core.params import Params, choice, flag, integer, real
from core.progress import Progress, quiet
from embedders.base import ItemEmbedder
from embedders.image_items import ImageReference, image_references
from embedders.packing import State, pack_json, unpack_json
from embedders.table_features import FeatureOptions, TableFeatures
from ingest.dataset import Dataset

IMAGES_PER_REPORT = 50
BLOCK = 250
"""Images whose products are added up at a time: adding costs as much as some fifty products."""
STREAM_ABOVE = 64_000_000
"""Images of more numbers than this in all are decoded block by block and let go again."""
MIN_RATIO = 1e-9
_KINDS = {Modality.TABLE: "row", Modality.IMAGE: "image", Modality.VECTORS: "item"}


@dataclass(frozen=True, kw_only=True)
class PcaParams(Params):
    """Settings of PCA."""

    dim: int = integer(
        50,
        low=1,
        high=1_000,
        help="How many components to keep at most; fewer where the data has fewer directions.",
    )
    standardise: bool = flag(
        True,
        help="Give every numeric column the same weight, whatever its unit.",
        only_for=(Modality.TABLE,),
    )
    image_size: int = integer(
        32,
        low=4,
        high=128,
        step=4,
        help="Every image is resized to a square of at most this many pixels per side.",
        only_for=(Modality.IMAGE,),
    )
    colour: bool = flag(
        True,
        help="Compare colours too; otherwise only brightness counts.",
        only_for=(Modality.IMAGE,),
    )
    fill: str = choice(
        "median",
        ("median", "mean"),
        help="What stands in for a missing number; categories take the most frequent one.",
        advanced=True,
        only_for=(Modality.TABLE,),
    )
    missing_flags: bool = flag(
        False,
        help="Add a column of 0 and 1 that says where a value was missing.",
        advanced=True,
        only_for=(Modality.TABLE,),
    )
    max_levels: int = integer(
        20,
        low=2,
        high=200,
        help='How many values of a category count by themselves; others become "other".',
        advanced=True,
        only_for=(Modality.TABLE,),
    )
    min_share: float = real(
        0.01,
        low=0.0,
        high=0.5,
        step=0.01,
        help='Values in fewer than this share of the rows are counted as "other".',
        advanced=True,
        only_for=(Modality.TABLE,),
    )


class Pca(ItemEmbedder):
    """Vectors of principal components: ``Z = (X − mean) W``, W the leading right singular vectors.

    Notes
    -----
    The sign of a component is arbitrary; it is fixed so that repeated runs agree. Above a few
    hundred dimensions the components come from a randomised SVD with a fixed start (Halko et al.
    2011), exact to several digits.

    References
    ----------
    Pearson 1901; Jolliffe, "Principal Component Analysis", 2002, chapters 2 and 3.
    """

    id = "pca"
    title = "PCA"
    summary = "Finds the directions in which rows, pixels or vectors differ most."
    source = "Pearson 1901; Jolliffe 2002, Principal Component Analysis"
    accepts = frozenset({Modality.TABLE, Modality.IMAGE, Modality.VECTORS})
    queries = accepts
    metric = "euclidean"
    params_class = PcaParams
    batch_size = 4_096
    batch_cost = batch_size  # rows are short; of images that are still to be decoded, 64 at a time

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._modality: Modality | None = None
        self._features: TableFeatures | None = None
        self._side = 0
        self._mean: NDArray[np.float64] = np.empty(0)
        self._components: NDArray[np.float64] = np.empty((0, 0))
        self._ratio: NDArray[np.float64] = np.empty(0)
        # Images are decoded once when the fitted dataset itself is embedded next.
        self._decoded: tuple[Dataset, NDArray[Any]] | None = None

    @property
    def is_fitted(self) -> bool:
        """Tell whether there are components."""
        return self._modality is not None

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Find the components of ``dataset``.

        Raises
        ------
        DatasetError
            If there are fewer than two items, or all are equal.
        TooLarge
            If the numbers would not fit into memory.
        """
        self._check_modality(dataset)
        if len(dataset) < 2:
            raise DatasetError(
                f"PCA looks for differences between items, and {dataset.name} has only one. "
                "Give at least two."
            )
        if dataset.modality is Modality.TABLE:
            p: PcaParams = self.params
            options = FeatureOptions(
                p.standardise,
                "mean" if p.fill == "mean" else "median",
                p.missing_flags,
                p.max_levels,
                p.min_share,
            )
            self._features = TableFeatures.learn(dataset.items, dataset.roles, options)
        if dataset.modality is Modality.IMAGE:
            self._side = self._common_side(dataset.items)
            if self._is_streamed(len(dataset)):
                self._solve_streamed(dataset, progress)
                return self
        numbers = self._numbers(dataset, progress)
        progress(0, 1, "finding components")
        self._solve(numbers, dataset)
        self._modality = dataset.modality
        if dataset.modality is Modality.IMAGE:
            self._decoded = (dataset, numbers)
        progress(1, 1, "finding components", f"{self._ratio.sum():.0%} of the variance")
        return self

    def _solve(self, numbers: NDArray[Any], dataset: Dataset) -> None:
        from sklearn.decomposition import PCA

        n, width = numbers.shape
        exact = np.float64 if numbers.size < 10_000_000 else np.float32
        if not np.ptp(numbers, axis=0).any():
            raise self._all_equal(dataset)
        solver = PCA(min(self.params.dim, width, n - 1), random_state=0)
        solver.fit(np.asarray(numbers, exact))
        ratio = solver.explained_variance_ratio_.astype(np.float64)
        # One-hot columns sum to 1: directions in which nothing varies are rounding errors.
        real = max(1, int((ratio > MIN_RATIO).sum()))
        self._mean = solver.mean_.astype(np.float64)
        self._components = solver.components_[:real].astype(np.float64)
        self._ratio = ratio[:real]

    def _is_streamed(self, n: int) -> bool:
        """Tell whether ``n`` images are too many to be held, and a covariance is the smaller."""
        width = self._width()
        return n * width > STREAM_ABOVE and 4 * width < n

    def _width(self) -> int:
        """Return how many numbers an image becomes."""
        return self._side**2 * (3 if self.params.colour else 1)

    def _solve_streamed(self, dataset: Dataset, progress: Progress) -> None:
        """Find the components of images from their covariance, added up block by block."""
        from scipy.linalg import eigh

        n, width, images = len(dataset), self._width(), dataset.items
        shift = self._decode(images[:1])[0]  # near the mean: little is lost in the difference
        total, products = np.zeros(width), np.zeros((width, width))
        progress(0, n, "reading images")
        for start in range(0, n, BLOCK):
            block = self._decode(images[start : start + BLOCK]).astype(np.float64) - shift
            total += block.sum(axis=0)
            products += block.T @ block
            progress(start + len(block), n, "reading images")
        progress(0, 1, "finding components")
        off = total / n
        products -= n * np.outer(off, off)
        variance = float(np.trace(products))
        if variance <= n * width * MIN_RATIO:
            raise self._all_equal(dataset)
        k = min(self.params.dim, width, n - 1)
        values, vectors = eigh(
            products, subset_by_index=(width - k, width - 1), overwrite_a=True, check_finite=False
        )
        ratio, components = values[::-1] / variance, vectors[:, ::-1].T
        # As sklearn does: the largest weight of a component is positive.
        largest = np.abs(components).argmax(axis=1)
        components = components * np.sign(components[np.arange(k), largest])[:, None]
        real = max(1, int((ratio > MIN_RATIO).sum()))
        self._mean, self._components = shift + off, components[:real]
        self._ratio, self._modality = ratio[:real], dataset.modality
        progress(1, 1, "finding components", f"{self._ratio.sum():.0%} of the variance")

    def _all_equal(self, dataset: Dataset) -> DatasetError:
        return DatasetError(
            f"All {len(dataset):,} items of {dataset.name} are equal; there is no difference to "
            "show. Give items that differ."
        )

    def _numbers(self, dataset: Dataset, progress: Progress) -> NDArray[Any]:
        """Return the items as ``(n, d)`` numbers."""
        if dataset.modality is Modality.TABLE:
            assert self._features is not None  # noqa: S101 -- told to the type checker
            self._check_size(len(dataset), 2 * len(self._features.names), "Lower max_levels.")
            return self._features.encode(dataset.items)
        if dataset.modality is Modality.VECTORS:
            return np.asarray(dataset.items, np.float32)
        return self._pixels(dataset.items, progress)

    def _common_side(self, images: Sequence[bytes]) -> int:
        """Return the side to resize to; small images (as the first ones show) are not enlarged."""
        from ingest.images import decode

        first = range(min(len(images), IMAGES_PER_REPORT))
        shown = [max(decode(images[i]).shape[:2]) for i in first]
        return int(min(self.params.image_size, max(shown)))

    def _pixels(self, images: Sequence[bytes], progress: Progress) -> FloatMatrix:
        """Return ``(n, side · side · channels) float32`` in [0, 1]."""
        self._check_size(len(images), self._width(), "Lower image_size or use fewer images.")
        pixels = np.empty((len(images), self._width()), np.float32)
        progress(0, len(images), "reading images")
        for start in range(0, len(images), IMAGES_PER_REPORT):
            rows = slice(start, min(start + IMAGES_PER_REPORT, len(images)))
            pixels[rows] = self._decode(images[rows])
            progress(rows.stop, len(images), "reading images")
        return pixels

    def _decode(self, images: Sequence[bytes]) -> FloatMatrix:
        """Return a few images as ``(n, side · side · channels) float32`` in [0, 1]."""
        from ingest.images import decode

        mode: Literal["RGB", "L"] = "RGB" if self.params.colour else "L"
        size = (self._side, self._side)
        rows = [decode(image, mode=mode, size=size).ravel() for image in images]
        return np.divide(rows, 255, dtype=np.float32)

    def _prepare(self, dataset: Dataset, progress: Progress) -> Sequence[Any]:
        if dataset.modality is not self._modality:
            raise QueryError(
                f"This PCA was fitted on {self._modality} data and takes no {dataset.modality} "
                "data. Fit it again."
            )
        if dataset.modality is Modality.IMAGE and self._is_streamed(len(dataset)):
            self._check_size(len(dataset), len(self._components), "Lower dim.")
            return image_references(dataset, progress)
        kept, self._decoded = self._decoded, None
        if kept is not None and kept[0] is dataset:
            numbers = kept[1]
        else:
            numbers = self._numbers(dataset, progress)
        if numbers.shape[1] != len(self._mean):
            raise QueryError(
                f"This PCA takes vectors of {len(self._mean):,} numbers, {dataset.name} has "
                f"{numbers.shape[1]:,}. Fit it again."
            )
        rows: Sequence[Any] = numbers  # type: ignore[assignment]  # an array is indexed like one
        return rows

    def _length(self, item: NDArray[Any] | ImageReference) -> int:
        return self.batch_size // 64 if isinstance(item, ImageReference) else 1

    def _embed_batch(self, items: Sequence[NDArray[Any] | ImageReference]) -> FloatMatrix:
        if isinstance(items[0], ImageReference):
            found = [item.data for item in items if isinstance(item, ImageReference)]
            items = list(self._decode(found))
        block: FloatMatrix = ((np.asarray(items) - self._mean) @ self._components.T).astype(
            np.float32
        )
        return block

    def _kind_of(self, dataset: Dataset) -> str:
        return _KINDS[dataset.modality]

    def _prepare_query(self, query: object) -> NDArray[Any]:
        if self._modality is Modality.TABLE:
            row: NDArray[Any] = self._row_query(query)[0]
            return row
        if self._modality is Modality.IMAGE:
            if not isinstance(query, bytes):
                raise QueryError(
                    f"PCA of images takes an image file as query, got {type(query).__name__}."
                )
            image: NDArray[Any] = self._pixels([query], quiet)[0]
            return image
        return vector_query(query, len(self._mean), self.title)

    def _row_query(self, query: object) -> NDArray[np.float64]:
        assert self._features is not None  # noqa: S101 -- told to the type checker
        if isinstance(query, pd.Series):
            query = query.to_dict()
        names = [c.name for c in self._features.columns]
        if not isinstance(query, Mapping) or not set(names) & set(query):
            shown = ", ".join(names[:8])
            raise QueryError(
                f"PCA of a table takes a row as query, with a value for at least one of: {shown}."
            )
        return self._features.encode(pd.DataFrame([dict(query)]))

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:
        notes = list(self._features.notes) if self._features else []
        if dataset.modality is Modality.IMAGE:
            what = "colour" if self.params.colour else "grey"
            notes.append(f"Images were resized to {self._side} x {self._side} pixels, {what}.")
        k = matrix.shape[1]
        if k < self.params.dim:
            notes.append(f"{self.params.dim} components were asked for; the data has {k}.")
        total = f"{self._ratio.sum():.1%}"
        notes.append(f"{k} component{'s' * (k != 1)} hold {total} of the variance.")
        notes += self._loading_notes()
        return {"explained_variance_ratio": self._ratio.round(6).tolist(), "notes": notes}

    def _loading_notes(self) -> list[str]:
        """Return which columns the first two components consist of."""
        if self._features is None:
            return []
        names, notes = self._features.names, []
        for i, (weights, ratio) in enumerate(zip(self._components[:2], self._ratio, strict=False)):
            top = np.argsort(-np.abs(weights), kind="stable")[:3]
            parts = ", ".join(f"{names[j]} ({weights[j]:+.2f})" for j in top)
            notes.append(f"Component {i + 1} ({ratio:.1%}) is led by {parts}.")
        return notes

    def state(self) -> State:
        """Return the components and how items become numbers."""
        self._check_fitted()
        about = {
            "modality": self._modality,
            "features": self._features.to_dict() if self._features else None,
            "side": self._side,
        }
        return {
            "about": pack_json(about),
            "mean": self._mean,
            "components": self._components,
            "ratio": self._ratio,
        }

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored components."""
        about = unpack_json(state["about"])
        self._modality = Modality(about["modality"])
        self._features = TableFeatures.from_dict(about["features"]) if about["features"] else None
        self._side = about["side"]
        self._mean = np.asarray(state["mean"], np.float64)
        self._components = np.asarray(state["components"], np.float64)
        self._ratio = np.asarray(state["ratio"], np.float64)
        return self


def vector_query(query: object, dim: int, title: str) -> NDArray[np.float32]:
    """Return ``query`` as a ``(dim,) float32`` vector.

    Raises
    ------
    QueryError
        If it is not a run of ``dim`` finite numbers.
    """
    if isinstance(query, np.ndarray | list | tuple):
        try:
            vector = np.asarray(query, np.float32)
        except (TypeError, ValueError):
            vector = np.empty(0, np.float32)
        if vector.shape == (dim,) and np.isfinite(vector).all():
            return vector
    raise QueryError(f"{title} takes a vector of {dim:,} finite numbers as query.")
