"""Which items changed their place between two spaces, measured in the full, aligned spaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comparison.guards import guard_of_movers, guard_of_procrustes
from core.arrays import AnyArray, FloatMatrix
from core.errors import ParameterError
from core.modality import Metric
from core.progress import Progress, quiet
from vectors.item_pairs import random_pairs

Float64 = NDArray[np.float64]
Rows = NDArray[np.int64]
_PAIRS = 10_000
_SHUFFLED = 4_000  # rows of the shuffled fit
_BLOCK = 8_192


@dataclass(frozen=True, eq=False)
class Movers:
    """How far each item lies from where the other space has it.

    Attributes
    ----------
    displacement : (n,) float64
        Distance between the two places of an item, each measured under an alignment that was
        fitted without this item. 1 = as far as a random other item (the median over pairs).
    relative : (n,) float64
        ``displacement`` minus its median over the item's neighbours in both spaces: 0 where an
        item went along with its surroundings.
    random : (3,) float64
        5 %, 50 % and 95 % of the displacement to a random other item; the middle one is 1.
    shuffled : float
        Median displacement when the fit is made to rows paired at random: spaces that have
        nothing in common.
    dims : (int, int)
        Dimensions that were aligned, of each space; missing ones count as zeros.
    variance : (float, float)
        Share of each space's variance in these dimensions; 1 unless reduced.
    note : str
        What was done to the spaces first, in words.
    k, n, seed : int
    """

    displacement: Float64
    relative: Float64
    random: Float64
    shuffled: float
    dims: tuple[int, int]
    variance: tuple[float, float]
    note: str
    k: int
    n: int
    seed: int

    def most(self, m: int, *, relative: bool = True) -> NDArray[np.int64]:
        """Return the rows of the ``m`` items that moved most, first the farthest."""
        return self._ordered(-1, m, relative)

    def least(self, m: int, *, relative: bool = True) -> NDArray[np.int64]:
        """Return the rows of the ``m`` items that moved least."""
        return self._ordered(1, m, relative)

    def _ordered(self, sign: int, m: int, relative: bool) -> NDArray[np.int64]:
        by = self.relative if relative else self.displacement
        return np.argsort(sign * by, kind="stable")[:m]


def movers(
    x: FloatMatrix,
    y: FloatMatrix,
    metrics: tuple[Metric, Metric],
    graphs: tuple[NDArray[np.integer], NDArray[np.integer]],
    *,
    k: int = 10,
    seed: int = 0,
    progress: Progress = quiet,
) -> Movers:
    """Measure how far each item moved between two spaces.

    Rows under ``cosine`` are scaled to length 1. Both spaces are centred, brought to the same
    mean square, and one is turned onto the other by the orthogonal map that fits best (Schönemann
    1966, "A generalized solution of the orthogonal Procrustes problem"). The map of one half of
    the items is applied to the other half and the other way round, because a map fits the items it
    was made from too well. With a scale that makes both spaces equally large, instead of the one
    that fits best, the result is the same in both directions, and items of unrelated spaces lie
    as far apart as random items do.

    Parameters
    ----------
    x : (n, d1) float32
    y : (n, d2) float32
        Row ``i`` of both is the same item.
    metrics : tuple of {"cosine", "dot", "euclidean"}
    graphs : tuple of (n, K) integer
        Neighbours of every item in ``x`` and in ``y``.
    k : int
        Neighbours in each space that ``relative`` looks at.
    seed : int
        Of the halves and of the random pairs.

    Raises
    ------
    ParameterError
        For fewer than 20 items, a space without extent, or a k the graphs do not hold.

    Notes
    -----
    ``n <= 2 max(d1, d2)`` items cannot fix a rotation: both spaces are then reduced to their first
    ``n // 4`` principal components, and the share of the variance that these hold is stated.
    """
    reason = guard_of_movers(len(x))
    if reason:
        raise ParameterError(reason)
    if not 1 <= k <= min(graph.shape[1] for graph in graphs):
        most = min(graph.shape[1] for graph in graphs)
        raise ParameterError(f"k must be an integer in [1, {most}], got {k!r}.")
    n, rng = len(x), np.random.default_rng(seed)
    spaces = [_scaled(space, metric) for space, metric in zip((x, y), metrics, strict=True)]
    variance, note = (1.0, 1.0), ""
    if guard_of_procrustes(n, x.shape[1], y.shape[1]):
        reduced = [_reduced(space, n // 4) for space in spaces]
        spaces = [space for space, _ in reduced]
        variance = (reduced[0][1], reduced[1][1])
        note = (
            f"{n:,} items cannot fix a rotation of {max(x.shape[1], y.shape[1]):,} dimensions: "
            f"reduced to {n // 4} principal components ({variance[0]:.0%} and {variance[1]:.0%} of "
            "the variance)."
        )
    # The map goes from the narrower space into the wider: its missing dimensions are zeros.
    narrow, wide = sorted(spaces, key=lambda space: space.shape[1])
    halves = np.array_split(rng.permutation(n), 2)
    progress(0, 2, "aligning spaces")
    found, apart = _held_out(narrow, wide, halves, random_pairs(n, _PAIRS, rng))
    progress(1, 2, "aligning shuffled spaces")
    shuffled = _shuffled(narrow, wide, rng)
    progress(2, 2, "aligning spaces")
    unit = float(np.median(apart))
    displacement = found / unit
    around = np.concatenate([graph[:, :k] for graph in graphs], axis=1)
    return Movers(
        displacement,
        displacement - np.median(displacement[around], axis=1),
        np.quantile(apart, [0.05, 0.5, 0.95]) / unit,
        shuffled / unit,
        (spaces[0].shape[1], spaces[1].shape[1]),
        variance,
        note,
        k,
        n,
        seed,
    )


@dataclass(frozen=True, eq=False)
class _Alignment:
    """Centres, sizes and the map ``(d1, d2)``, d1 <= d2, of two spaces, from some of their rows."""

    centres: tuple[FloatMatrix, FloatMatrix]
    sizes: tuple[float, float]
    turn: FloatMatrix

    @classmethod
    def of(cls, x: FloatMatrix, y: FloatMatrix) -> _Alignment:
        centres = (x.mean(axis=0), y.mean(axis=0))
        a, b = x - centres[0], y - centres[1]
        sizes = (_size(a), _size(b))
        if min(sizes) == 0:
            raise ParameterError(
                "All items of one space lie in one point: nothing in it can have moved."
            )
        u, _, vt = np.linalg.svd((a.T @ b).astype(np.float64), full_matrices=False)
        return cls(centres, sizes, (u @ vt).astype(np.float32))

    def apart(self, x: FloatMatrix, y: FloatMatrix) -> Float64:
        """Return the distances ``(m,)`` of rows of x, turned, to rows of y."""
        result = np.empty(len(x))
        for start in range(0, len(x), _BLOCK):
            part = slice(start, start + _BLOCK)
            a = (x[part] - self.centres[0]) @ self.turn / np.float32(self.sizes[0])
            a -= (y[part] - self.centres[1]) / np.float32(self.sizes[1])
            result[part] = np.linalg.norm(a, axis=1)
        return result


def _held_out(
    x: FloatMatrix,
    y: FloatMatrix,
    halves: list[Rows],
    pairs: tuple[Rows, Rows] | None = None,
) -> tuple[Float64, Float64]:
    """Return displacement of every row under the map of the other half, and of random pairs."""
    displacement = np.empty(len(x))
    apart: list[Float64] = []
    for fitted, scored in (halves, halves[::-1]):
        alignment = _Alignment.of(x[fitted], y[fitted])
        displacement[scored] = alignment.apart(x[scored], y[scored])
        if pairs is not None:
            some = slice(len(apart), None, 2)  # each half's map for half of the pairs
            apart.append(alignment.apart(x[pairs[0][some]], y[pairs[1][some]]))
    return displacement, np.concatenate(apart) if apart else np.empty(0)


def _shuffled(x: FloatMatrix, y: FloatMatrix, rng: np.random.Generator) -> float:
    """Return the median displacement of rows paired at random, of a sample where there are many."""
    m = min(len(x), max(_SHUFFLED, 4 * max(x.shape[1], y.shape[1])))
    one, other = (rng.permutation(len(x))[:m] for _ in range(2))
    halves = np.array_split(np.arange(m), 2)
    return float(np.median(_held_out(x[one], y[other], halves)[0]))


def _scaled(space: FloatMatrix, metric: Metric) -> FloatMatrix:
    """Return the rows as the metric sees them, about their mean and of mean square 1.

    Under cosine of length 1 first; zero rows stay. Float32 is enough from here on.
    """
    wide = np.array(space, np.float64)
    if metric == "cosine":
        lengths = np.linalg.norm(wide, axis=1, keepdims=True)
        wide /= np.where(lengths > 0, lengths, 1)
    wide -= wide.mean(axis=0)
    wide /= _size(wide) or 1.0
    return wide.astype(np.float32)


def _reduced(space: FloatMatrix, dims: int) -> tuple[FloatMatrix, float]:
    """Return the first principal components and their share of the variance."""
    if space.shape[1] <= dims:
        return space, 1.0
    u, s, _ = np.linalg.svd(space.astype(np.float64), full_matrices=False)
    total = (s**2).sum()
    share = float((s[:dims] ** 2).sum() / total) if total > 0 else 1.0
    return (u[:, :dims] * s[:dims]).astype(np.float32), share


def _size(centred: AnyArray) -> float:
    return float(np.sqrt(np.einsum("ij,ij->", centred, centred, dtype=np.float64) / len(centred)))
