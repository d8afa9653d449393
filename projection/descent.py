"""UMAP's stochastic descent, epoch by epoch, so that it can report and be stopped.

umap-learn runs all epochs in one call and shows them with tqdm only, whose lock stays taken when
an exception passes through it. The compiled epoch is umap-learn's; the loop around it is ours.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from core.arrays import AnyArray, FloatMatrix
from core.progress import Progress

_INITIAL_ALPHA = 1.0
_REPULSION = 1.0  # gamma
_NEGATIVE_SAMPLES = 5.0  # per edge
_EXTENT = 10.0  # of the start along each axis


def descend(
    start: AnyArray,
    graph: Any,
    epochs: int,
    curve: tuple[float, float],
    random: np.random.RandomState,
    *,
    parallel: bool,
    progress: Progress,
) -> FloatMatrix:
    """Return ``start`` moved by ``epochs`` rounds of attraction and repulsion.

    Parameters
    ----------
    start : (n, 2 or 3) float32
        No two rows equal.
    graph : scipy COO matrix, (n, n)
        Symmetric memberships.
    epochs : int
    curve : (a, b)
        Of the membership in the picture, 1 / (1 + a d^(2b)).
    random : numpy.random.RandomState
    parallel : bool
        Let all cores help; the result then differs from run to run.
    progress : Progress
        Called after each epoch.

    References
    ----------
    McInnes, Healy & Melville (2018), UMAP, algorithm 5 (OptimizeEmbedding).
    """
    layouts = importlib.import_module("umap.layouts")
    one_epoch = layouts._get_optimize_layout_euclidean_single_epoch_fn(parallel)
    low, high = start.min(axis=0), start.max(axis=0)
    placed = np.ascontiguousarray(_EXTENT * (start - low) / (high - low), dtype=np.float32)
    n, dims = placed.shape
    period = graph.data.max() / graph.data.astype(np.float64)  # an edge of weight w: every 1/w
    negative_period = period / _NEGATIVE_SAMPLES
    due, negative_due = period.copy(), negative_period.copy()
    info = np.iinfo(np.int32)
    state = random.randint(info.min + 1, info.max - 1, 3).astype(np.int64)
    # Every point draws its own negative samples, from a state of its own.
    states = state + placed[:, :1].astype(np.float64).view(np.int64)
    unused = np.zeros(1, dtype=np.float32)  # of densMAP
    alpha = _INITIAL_ALPHA
    for epoch in range(epochs):
        one_epoch(
            placed,
            placed,
            graph.row,
            graph.col,
            n,
            period,
            *curve,
            states,
            _REPULSION,
            dims,
            True,  # both ends of an edge move
            alpha,
            negative_period,
            negative_due,
            due,
            epoch,
            False,
            *(unused, unused, 0, 0, 0, 0, unused, unused, 0),
        )
        alpha = _INITIAL_ALPHA * (1.0 - epoch / epochs)
        progress(epoch + 1, epochs, "epochs")
    return placed
