"""Which edges of a graph a map draws, in which order and how strong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError

__all__ = ["EDGE_LIMIT", "EdgeLines", "MapEdges", "edge_lines"]

EDGE_LIMIT = 60_000
"""Edges sent and drawn at most: more of them are a grey disc, and slow without a graphics card."""

STRENGTHS = 4  # as many as the classes of width in 45_edges.js


@dataclass(frozen=True, eq=False)
class MapEdges:
    """The edges of a graph among the points of a map.

    Parameters
    ----------
    source, target : (m,) int32 ndarray
        Positions among all points of the scene.
    weight : (m,) float32 ndarray, optional
        Positive; heavier edges are drawn thicker.
    directed : bool
        Whether the order of the ends has a meaning. Lines are drawn without arrow heads.
    noun : str
        What a point is called under the pointer.

    Raises
    ------
    ParameterError
        If the arrays have different lengths.
    """

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    weight: NDArray[np.float32] | None = None
    directed: bool = False
    noun: str = "node"

    def __post_init__(self) -> None:
        lengths = {len(self.source), len(self.target)}
        if self.weight is not None:
            lengths.add(len(self.weight))
        if len(lengths) > 1:
            raise ParameterError(
                f"Edges have {len(self.source):,} sources and {len(self.target):,} targets"
                + ("." if self.weight is None else f" and {len(self.weight):,} weights.")
                + " Give one of each per edge."
            )

    def __len__(self) -> int:
        """Return the number of edges."""
        return len(self.source)

    def within(self, n: int) -> bool:
        """Tell whether all ends are positions among ``n`` points."""
        ends = (self.source, self.target)
        return not len(self) or all(end.min() >= 0 and end.max() < n for end in ends)


@dataclass(frozen=True, eq=False)
class EdgeLines:
    """What the browser draws of the edges.

    Attributes
    ----------
    pairs : (l, 2) int64 ndarray
        Rows among the drawn points. Any beginning of the list is a fair picture of the whole:
        heaviest first where weights differ, else in random order (seed 0).
    strengths : (l,) uint8 ndarray or None
        Class of weight, 0 to 3 on a logarithmic scale; None where all weights are equal.
    degrees : (n,) uint32 ndarray or None
        Number of points each drawn point is linked to in the data; None where no edge is left
        out, since the browser can count them then.
    header : dict
        Counts and words for the caption.
    """

    pairs: NDArray[np.int64]
    strengths: NDArray[np.uint8] | None
    degrees: NDArray[np.uint32] | None
    header: dict[str, Any]


def edge_lines(
    edges: MapEdges,
    n: int,
    drawn: NDArray[np.int64],
    to_drawn: Callable[[Any], NDArray[np.int64]],
    *,
    limit: int = EDGE_LIMIT,
) -> EdgeLines:
    """Choose and order the edges to draw.

    Parameters
    ----------
    edges : MapEdges
    n : int
        Number of all points.
    drawn : (d,) int64 ndarray
        Positions of the drawn points.
    to_drawn : callable
        Translates positions among all points to rows among the drawn (-1: not drawn).
    limit : int
        Edges to draw at most.

    Returns
    -------
    EdgeLines
        Edges from a point to itself, and those with an end that is not drawn, are left out and
        counted.
    """
    ends = np.column_stack([to_drawn(edges.source), to_drawn(edges.target)])
    loop = np.asarray(edges.source) == np.asarray(edges.target)
    able = np.flatnonzero((ends >= 0).all(axis=1) & ~loop)
    order = np.random.default_rng(0).permutation(able)
    weight = _differing(edges.weight, able)
    if weight is not None:
        order = order[np.argsort(-weight[order], kind="stable")]
    kept = order[:limit]
    complete = len(kept) + int(loop.sum()) == len(edges)
    header = {
        "total": len(edges),
        "loops": int(loop.sum()),
        "chosen": "" if len(kept) == len(able) else _chosen(weight),
        "weights": None
        if weight is None
        else [_short(weight[able].min()), _short(weight[able].max())],
        "directed": edges.directed,
        "noun": edges.noun,
    }
    return EdgeLines(
        ends[kept],
        None if weight is None else _strengths(weight[able], weight[kept]),
        None if complete else _degrees(edges, n)[drawn],
        header,
    )


def _differing(
    weight: NDArray[np.float32] | None, able: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Return the weights if they differ among the edges that can be drawn, else None."""
    if weight is None or not len(able):
        return None
    values = np.asarray(weight, np.float64)
    return values if np.ptp(values[able]) > 0 else None


def _chosen(weight: NDArray[np.float64] | None) -> str:
    return "a random sample, seed 0" if weight is None else "the heaviest"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"


def _strengths(all_: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return classes on a logarithmic scale that a few extreme weights do not stretch.

    Ratings of 0 and less have no logarithm: with such the scale is linear.
    """
    low, high = np.quantile(all_, [0.01, 0.99])
    if not high > low:
        low, high = float(all_.min()), float(all_.max())
    if all_.min() > 0:
        own, low, high = np.log(own), np.log(low), np.log(high)
    share = (own - low) / (high - low)
    return np.clip(share * STRENGTHS, 0, STRENGTHS - 1).astype(np.uint8)


def _degrees(edges: MapEdges, n: int) -> NDArray[np.uint32]:
    """Return to how many other points each point is linked, in either direction."""
    low = np.minimum(edges.source, edges.target).astype(np.int64)
    high = np.maximum(edges.source, edges.target).astype(np.int64)
    pair = np.unique(low[low != high] * n + high[low != high])
    counts = np.bincount(pair // n, minlength=n) + np.bincount(pair % n, minlength=n)
    return counts.astype(np.uint32)
