"""Ways to keep a vector in fewer bytes, and what is left of a set of vectors in each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix
from core.errors import ParameterError
from core.modality import Metric

Family = Literal[
    "full", "fp16", "int8", "binary", "rescored", "pca", "prefix", "random", "pca_int8", "product"
]
FEWEST_TO_TRAIN = 256
"""Centres of one part of a product code: each needs an item of its own."""
ENOUGH_TO_TRAIN = 39 * FEWEST_TO_TRAIN
"""What faiss asks for; also how many are used, drawn with the seed."""
_STEPS = 255
_LARGEST_HALF = 65_504.0
_FIT_ROWS = 20_000  # a covariance of more rows costs time and changes little
_EIGH_UP_TO = 2_048  # dimensions; beyond, the first directions come from a randomised SVD
_MOST_DIRECTIONS = 1_024
_BLOCK = 8_192
_TITLES = {
    "full": "as they are",
    "fp16": "fp16",
    "int8": "int8",
    "binary": "binary",
    "rescored": "binary, rescored",
}


@dataclass(frozen=True)
class Code:
    """One way to keep vectors.

    Attributes
    ----------
    family : str
        ``full``; ``fp16``; ``int8`` (256 steps between the lowest and highest value of each
        dimension); ``binary`` (signs, Hamming distance); ``rescored`` (the first 4 k of binary,
        ordered by the full vectors, which are kept beside); ``pca``; ``prefix`` (the first
        dimensions, which is what Matryoshka training makes possible, Kusupati et al. 2022);
        ``random`` (orthogonal projection onto random directions); ``pca_int8``; ``product``
        (Jégou, Douze & Schmid 2011, "Product Quantization for Nearest Neighbor Search": ``size``
        parts of 8 bits).
    size : int
        Dimensions that are kept, or parts of a product code; 0 where neither applies.
    """

    family: Family
    size: int = 0

    def __post_init__(self) -> None:
        """Check the name and the size."""
        if self.family not in get_args(Family):
            known = ", ".join(get_args(Family))
            raise ParameterError(f"family must be one of {known}, got {self.family!r}.")
        if (self.size < 1) != (self.family in _TITLES):
            raise ParameterError(
                f"size must be {'0' if self.family in _TITLES else '1 or more'} for "
                f"{self.family!r}, got {self.size!r}."
            )

    @property
    def label(self) -> str:
        """Return a short name."""
        titles = {
            "pca": f"PCA {self.size}",
            "prefix": f"first {self.size}",
            "random": f"random {self.size}",
            "pca_int8": f"PCA {self.size}, int8",
            "product": f"product {self.size} B",
        }
        return _TITLES.get(self.family) or titles[self.family]


class Kept(NamedTuple):
    """What a code leaves of the items, in coordinates where the metric still holds.

    Attributes
    ----------
    items : (n, c) float32
        Decoded.
    queries : (q, c) float32
        At full precision in the same coordinates: a query is never stored.
    is_hamming : bool
        Both hold ±1 and are compared by Hamming distance, whatever the metric.
    vector_bytes, codebook_bytes : int
        Per vector, and once for all (means, directions, ranges, centres).
    note : str
    """

    items: FloatMatrix
    queries: FloatMatrix
    is_hamming: bool
    vector_bytes: int
    codebook_bytes: int
    note: str = ""


def usual_codes(d: int) -> tuple[Code, ...]:
    """Return a grid of codes for ``d`` dimensions: halves, quarters, eighths and sixteenths."""
    codes = [Code(name) for name in ("full", "fp16", "int8", "binary", "rescored")]
    sizes = sorted(
        {s for s in (min(d // 2**i, _MOST_DIRECTIONS // 2 ** (i - 1)) for i in range(1, 5)) if s}
    )
    for size in sizes[::-1]:
        codes += [Code("pca", size), Code("prefix", size), Code("random", size)]
        codes.append(Code("pca_int8", size))
    shares = [share for share in (8, 16, 32) if d >= share]
    parts = {max(m for m in range(1, d // share + 1) if d % m == 0) for share in shares}
    return tuple(codes) + tuple(Code("product", m) for m in sorted(parts, reverse=True))


class Codec:
    """Encode one set of vectors in many ways; what several codes share is computed once.

    Parameters
    ----------
    matrix : (n, d) float32
        Finite. Under cosine only directions count, so rows are first brought to unit length.
    metric : {"cosine", "dot", "euclidean"}
    queries : (q,) int64
        Rows that will be looked up.
    seed : int
        Of random directions and of what is trained.
    """

    def __init__(
        self, matrix: FloatMatrix, metric: Metric, queries: NDArray[np.int64], seed: int
    ) -> None:
        self.metric, self.seed, self._rows = metric, seed, queries
        self.x: FloatMatrix = unit_rows(matrix) if metric == "cosine" else matrix
        self.n, self.d = self.x.shape
        self._zero = ~self.x.any(axis=1)

    def refusal(self, code: Code) -> str | None:
        """Return why a code cannot be judged on these vectors, or None."""
        n, d, size = self.n, self.d, code.size
        if code.family in ("pca", "pca_int8", "prefix", "random") and size > d:
            return f"{size:,} dimensions cannot be kept of {d:,}."
        if code.family in ("pca", "pca_int8") and size >= n:
            return (
                f"{n:,} items span fewer than {size:,} directions, so PCA would keep everything "
                f"here and tell nothing about other items. More than {size:,} items are needed."
            )
        if code.family in ("pca", "pca_int8") and d > _EIGH_UP_TO and size > _MOST_DIRECTIONS:
            return f"Of {d:,} dimensions PCA keeps at most {_MOST_DIRECTIONS:,} here."
        if code.family == "product" and (size > d or d % size):
            return f"A product code of {size:,} parts needs dimensions divisible by it, not {d:,}."
        if code.family == "product" and n < FEWEST_TO_TRAIN:
            return (
                f"{n:,} items are too few to train a product code: at least {FEWEST_TO_TRAIN} "
                f"are needed, {ENOUGH_TO_TRAIN:,} are enough."
            )
        largest = float(np.abs(self.x).max(initial=0.0))
        if code.family == "fp16" and largest > _LARGEST_HALF:
            return f"The largest number is {largest:.3g}; fp16 ends at {_LARGEST_HALF:,.0f}."
        return None

    def keep(self, code: Code) -> Kept:
        """Return what is left of the vectors in ``code``, which must not be refused."""
        x, d = self.x, self.d
        queries: FloatMatrix = x[self._rows]
        match code.family:
            case "full":
                return Kept(x, queries, False, 4 * d, 0)
            case "fp16":
                return Kept(x.astype(np.float16).astype(np.float32), queries, False, 2 * d, 0)
            case "int8":
                return Kept(through_int8(x), queries, False, d, 8 * d)
            case "binary" | "rescored":
                signs = np.where(x > 0, np.float32(1), np.float32(-1))
                return Kept(signs, signs[self._rows], True, math.ceil(d / 8), 0)
            case "product":
                return self._product(code.size, queries)
            case "prefix":
                head = np.ascontiguousarray(x[:, : code.size])
                note = "for models trained with Matryoshka losses; others lose more"
                return Kept(head, head[self._rows], False, 4 * code.size, 0, note)
            case "random":
                return self._projected(self._random(code.size), 0, "the seed gives the directions")
            case _:
                return self._principal(code)

    def _projected(self, basis: AnyArray, codebook: int, note: str = "") -> Kept:
        z = self._times(basis)
        return Kept(z, z[self._rows], False, 4 * basis.shape[0], codebook, note)

    def _principal(self, code: Code) -> Kept:
        """Return PCA coordinates, in which the metric with the decoded vectors is exact.

        A decoded vector is ``W'Wx + r`` with ``r`` the part of the mean outside the kept
        directions W. It is the same for all: distances do not see it and dot products only as a
        constant of the query; under cosine it adds one coordinate, kept once for all.
        """
        mean, directions = self._components
        basis = directions[: code.size]
        z = self._times(basis)
        queries = z[self._rows]
        codebook = 4 * (basis.size + self.d)
        if code.family == "pca_int8":
            z, codebook = through_int8(z), codebook + 8 * code.size
        if self.metric == "cosine":
            rest = mean - (mean @ basis.T) @ basis
            length = float(np.linalg.norm(rest)) if code.size < self.d else 0.0
            if length > 1e-6:
                along = self.x[self._rows] @ (rest / length).astype(np.float32)
                z = np.column_stack([z, np.full(self.n, length, np.float32)])
                queries = np.column_stack([queries, along]).astype(np.float32)
            z[self._zero] = 0  # what has no direction is known to have none
        width = code.size * (1 if code.family == "pca_int8" else 4)
        return Kept(z, queries, False, width, codebook)

    def _product(self, parts: int, queries: FloatMatrix) -> Kept:
        import faiss

        quantiser: Any = faiss.ProductQuantizer(self.d, parts, 8)
        quantiser.cp.seed = self.seed + 1  # 0 is no seed of faiss'
        quantiser.cp.min_points_per_centroid = 1  # the note says it, on the page
        quantiser.cp.niter = 10  # faiss does 25: twice the time, 0.5 % less error
        rows = self._sample(ENOUGH_TO_TRAIN)
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)  # such small problems: twice as fast as with two
        try:
            quantiser.train(np.ascontiguousarray(self.x[rows]))
        finally:
            faiss.omp_set_num_threads(threads)
        decoded = quantiser.decode(quantiser.compute_codes(np.ascontiguousarray(self.x)))
        decoded[self._zero] = 0
        few = (
            f"trained on {self.n:,} items, {ENOUGH_TO_TRAIN:,} would be better: it remembers "
            "these items and would keep less of others"
            if self.n < ENOUGH_TO_TRAIN
            else ""
        )
        return Kept(decoded, queries, False, parts, 4 * FEWEST_TO_TRAIN * self.d, few)

    @cached_property
    def _components(self) -> tuple[AnyArray, AnyArray]:
        """Return mean ``(d,)`` and principal directions ``(c, d)``, the widest first."""
        some = self.x[self._sample(_FIT_ROWS)].astype(np.float64)
        mean = some.mean(axis=0)
        some -= mean
        if self.d <= _EIGH_UP_TO:
            _, vectors = np.linalg.eigh(some.T @ some)
            return mean, np.ascontiguousarray(vectors.T[::-1])
        from sklearn.utils.extmath import randomized_svd

        width = min(_MOST_DIRECTIONS, *some.shape)
        return mean, randomized_svd(some, width, n_iter=4, random_state=self.seed)[2]

    def _random(self, size: int) -> AnyArray:
        drawn = np.random.default_rng(self.seed).standard_normal((self.d, size))
        return np.linalg.qr(drawn)[0].T

    def _times(self, basis: AnyArray) -> FloatMatrix:
        """Return ``x @ basis.T``; equal rows stay equal, which BLAS alone does not promise."""
        first, where = self._distinct
        turned = basis.T.astype(np.float32)
        z = np.empty((len(first), basis.shape[0]), np.float32)
        for start in range(0, len(first), _BLOCK):
            z[start : start + _BLOCK] = self.x[first[start : start + _BLOCK]] @ turned
        return np.ascontiguousarray(z[where])

    @cached_property
    def _distinct(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        raw = np.ascontiguousarray(self.x).view(np.dtype((np.void, self.d * 4))).ravel()
        _, first, where = np.unique(raw, return_index=True, return_inverse=True)
        return first, where

    def _sample(self, most: int) -> NDArray[np.int64]:
        if self.n <= most:
            return np.arange(self.n)
        return np.sort(np.random.default_rng(self.seed).choice(self.n, most, replace=False))


def unit_rows(matrix: FloatMatrix) -> FloatMatrix:
    """Return ``(n, d) float32`` rows of length 1; zero rows stay zero."""
    largest = np.abs(matrix).max(axis=1, keepdims=True, initial=0.0)
    unit: FloatMatrix = (matrix / np.where(largest > 0, largest, 1)).astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", unit, unit, dtype=np.float64))[:, None]
    unit /= np.where(lengths > 0, lengths, 1).astype(np.float32)
    return unit


def through_int8(x: FloatMatrix) -> FloatMatrix:
    """Return vectors after their way through 256 steps per dimension, ``(n, d) float32``.

    The codes are those of the packed vectors: ``floor((x - low) / step)`` with
    ``step = (high - low) / 255``. A code is decoded to the middle of its step.
    """
    low, high = x.min(axis=0), x.max(axis=0)
    step = (high - low) / np.float32(_STEPS)
    safe = np.where(step > 0, step, np.float32(1))
    decoded = np.empty_like(x)
    for start in range(0, len(x), _BLOCK):
        codes = np.clip(np.floor((x[start : start + _BLOCK] - low) / safe), 0, _STEPS)
        decoded[start : start + _BLOCK] = low + (codes + np.float32(0.5)) * step
    return decoded
