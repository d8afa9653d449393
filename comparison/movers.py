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
_PAIRS = 20_000
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
    halves = np.array_split(rng.permutation(n), 2)
    pairs = random_pairs(n, _PAIRS, rng)
    progress(0, 2, "aligning spaces")
    found, apart = _held_out(spaces[0], spaces[1], halves, pairs)
    progress(1, 2, "aligning shuffled spaces")
    shuffled, _ = _held_out(spaces[0], spaces[1][rng.permutation(n)], halves, None)
    progress(2, 2, "aligning spaces")
    unit = float(np.median(apart))
    displacement = found / unit
    around = np.concatenate([graph[:, :k] for graph in graphs], axis=1)
    return Movers(
        displacement,
        displacement - np.median(displacement[around], axis=1),
        np.quantile(apart, [0.05, 0.5, 0.95]) / unit,
        float(np.median(shuffled)) / unit,
        (spaces[0].shape[1], spaces[1].shape[1]),
        variance,
        note,
        k,
        n,
        seed,
    )


@dataclass(frozen=True, eq=False)
class _Alignment:
    """Centres, sizes and the turning map ``(d1, d2)`` of two spaces, from some of their rows."""

    centres: tuple[Float64, Float64]
    sizes: tuple[float, float]
    left: Float64
    right: Float64

    @classmethod
    def of(cls, x: Float64, y: Float64) -> _Alignment:
        centres = (x.mean(axis=0), y.mean(axis=0))
        a, b = x - centres[0], y - centres[1]
        sizes = (_size(a), _size(b))
        if min(sizes) == 0:
            raise ParameterError(
                "All items of one space lie in one point: nothing in it can have moved."
            )
        u, _, vt = np.linalg.svd(a.T @ b, full_matrices=False)
        return cls(centres, sizes, u, vt)

    def apart(self, x: Float64, y: Float64) -> Float64:
        """Return the distances ``(m,)`` of rows of x, turned, to rows of y."""
        result = np.empty(len(x))
        for start in range(0, len(x), _BLOCK):
            part = slice(start, start + _BLOCK)
            a = (x[part] - self.centres[0]) / self.sizes[0]
            b = (y[part] - self.centres[1]) / self.sizes[1]
            # Both in the coordinates the map pairs up; what lies outside of them is added: of the
            # wider space only (zeros in the other).
            inside_a, inside_b = a @ self.left, b @ self.right.T
            squared = ((inside_a - inside_b) ** 2).sum(axis=1)
            for whole, inside in ((a, inside_a), (b, inside_b)):
                if whole.shape[1] > inside.shape[1]:
                    rest = (whole * whole).sum(axis=1) - (inside * inside).sum(axis=1)
                    squared += np.maximum(rest, 0)
            result[part] = np.sqrt(squared)
        return result


def _held_out(
    x: Float64,
    y: Float64,
    halves: list[NDArray[np.int64]],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
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


def _scaled(space: FloatMatrix, metric: Metric) -> Float64:
    """Return the rows as the metric sees them: of length 1 under cosine, zero rows as they are."""
    wide = np.asarray(space, np.float64)
    if metric != "cosine":
        return wide
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: Float64 = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return unit


def _reduced(space: Float64, dims: int) -> tuple[Float64, float]:
    """Return the first principal components and their share of the variance."""
    if space.shape[1] <= dims:
        return space, 1.0
    centred = space - space.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    total = (s**2).sum()
    return u[:, :dims] * s[:dims], float((s[:dims] ** 2).sum() / total) if total > 0 else 1.0


def _size(centred: AnyArray) -> float:
    return float(np.sqrt((centred * centred).sum() / len(centred)))
