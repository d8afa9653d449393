"""Turning one picture of some items onto another, so that both can be read in one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import AnyArray, FloatMatrix
from core.errors import ParameterError


@dataclass(frozen=True, eq=False)
class AlignedLayout:
    """A layout in the frame of another.

    Attributes
    ----------
    coordinates : (n, d) float32
        All of its points, turned or mirrored, shifted and scaled. Their mutual distances keep
        their proportions: nothing is bent.
    similarity : float
        0 … 1: how well the shared points now lie on each other (Procrustes correlation). 1 = the
        same picture; pictures that have nothing in common are near 0.
    n_shared : int
        Points that decided.
    """

    coordinates: FloatMatrix
    similarity: float
    n_shared: int


def align_layout(
    layout: AnyArray, onto: AnyArray, rows: tuple[AnyArray, AnyArray] | None = None
) -> AlignedLayout:
    """Turn a layout onto another as closely as turning, mirroring and one scale allow.

    The orthogonal map that fits best (Schönemann 1966, "A generalized solution of the orthogonal
    Procrustes problem"); Gower 1975 calls it superimposition. The scale makes the shared points
    of both layouts equally large instead of fitting best: the best scale shrinks a picture that
    fits badly into a dot.

    Parameters
    ----------
    layout : (n, d) float
    onto : (m, d) float
    rows : pair of (s,) integer, optional
        Where the shared items lie in ``layout`` and in ``onto``; by default row ``i`` of both is
        the same item.

    Raises
    ------
    ParameterError
        If dimensions or rows do not fit, or no item is shared.
    """
    moved, fixed = np.asarray(layout, np.float64), np.asarray(onto, np.float64)
    if moved.ndim != 2 or fixed.ndim != 2 or moved.shape[1] != fixed.shape[1]:
        raise ParameterError(
            f"Layouts of shape {moved.shape} and {fixed.shape} have no common frame. Draw both in "
            "two dimensions, or both in three."
        )
    if rows is None and len(moved) != len(fixed):
        raise ParameterError(
            f"The layouts have {len(moved):,} and {len(fixed):,} points: say which are the same "
            "items."
        )
    a, b = (moved, fixed) if rows is None else (moved[rows[0]], fixed[rows[1]])
    if len(a) != len(b) or not len(a):
        raise ParameterError(
            f"{len(a):,} points cannot be laid onto {len(b):,}; give at least one shared item."
        )
    centres = a.mean(axis=0), b.mean(axis=0)
    a, b = a - centres[0], b - centres[1]
    sizes = float(np.sqrt((a**2).sum())), float(np.sqrt((b**2).sum()))
    if min(sizes) == 0:  # all in one point: there is nothing to turn
        turn, scale, similarity = np.eye(moved.shape[1]), 1.0, 0.0
    else:
        u, s, vt = np.linalg.svd(a.T @ b)
        turn, scale = u @ vt, sizes[1] / sizes[0]
        similarity = float(min(1.0, s.sum() / (sizes[0] * sizes[1])))
    turned = (moved - centres[0]) @ turn * scale + centres[1]
    return AlignedLayout(turned.astype(np.float32), similarity, len(a))
