"""Training GloVe tile by tile: fast because a tile fits the cache, repeatable with any threads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix
from core.errors import ParameterError
from core.progress import Progress, tell_epoch
from embedders.cooccurrence import Cooccurrence

TILE_BYTES = 1024**2
"""Memory of the rows and columns of one tile: less than the cache of one core."""
MAX_BLOCKS = 128
"""More tiles than this squared would hold too few cells each to be worth their administration."""
MAX_TILE_SIDE = 2**16
LANES = 8
"""Rows are padded to whole SIMD registers of float32: a remainder would be as slow as they are."""


@dataclass(frozen=True)
class GloveSettings:
    """What the trainer is told; names as in the paper."""

    dim: int
    x_max: float
    alpha: float
    epochs: int
    learning_rate: float
    seed: int
    threads: int = 1


@dataclass(frozen=True, eq=False)
class Cells:
    """Co-occurrences sorted into square tiles of a randomly reordered matrix.

    Attributes
    ----------
    begins : (n_blocks ** 2 + 1,) int64
    rows, columns : (n_cells,) uint16
        Within the tile, in random order.
    logs : (n_cells,) float32
    row_place, column_place : (n_words,) int64
        Place of each word among the rows and among the columns.
    size : int
        Rows and columns of a tile.
    """

    begins: NDArray[np.int64]
    rows: NDArray[np.uint16]
    columns: NDArray[np.uint16]
    logs: NDArray[np.float32]
    row_place: NDArray[np.int64]
    column_place: NDArray[np.int64]
    size: int

    @classmethod
    def of(cls, counted: Cooccurrence, dim: int, seed: int) -> Cells:
        """Sort the cells of ``counted`` into tiles that suit vectors of length ``dim``."""
        from embedders.weighted_least_squares import shuffle_tiles, tiled

        n_words = counted.n_words
        fitting = max(1, TILE_BYTES // (2 * 8 * row_width(dim)))
        n_blocks = min(MAX_BLOCKS, math.ceil(n_words / fitting))
        n_blocks = max(n_blocks, math.ceil(n_words / MAX_TILE_SIDE))
        size = math.ceil(n_words / n_blocks)
        # In random order tiles hold about equally many cells. In order of frequency a few would
        # hold nearly all, and the others too few to make use of the cache.
        rng = np.random.default_rng([seed, 0])
        row_place, column_place = rng.permutation(n_words), rng.permutation(n_words)
        begins, rows, columns, logs = tiled(*counted, row_place, column_place, size, n_blocks)
        shuffle_tiles(begins, rows, columns, logs, np.uint64(seed))
        return cls(begins, rows, columns, logs, row_place, column_place, size)

    @property
    def n_blocks(self) -> int:
        """Return how many tiles lie side by side."""
        return math.isqrt(len(self.begins) - 1)

    def rounds(self, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """Yield all tiles in rounds of which no two tiles share a row or a column.

        Each round is ``(n_blocks, 4)``: first row, first column, first cell, end of the cells.
        """
        blocks = np.arange(self.n_blocks)
        for shift in rng.permutation(self.n_blocks):
            other = (blocks + shift) % self.n_blocks
            tile = blocks * self.n_blocks + other
            yield np.stack(
                [blocks * self.size, other * self.size, self.begins[tile], self.begins[tile + 1]],
                axis=1,
            )


@dataclass(frozen=True, eq=False)
class GloveVectors:
    """What was learnt.

    Attributes
    ----------
    words, contexts : (n_words, dim) float32
    word_biases, context_biases : (n_words,) float32
    losses : tuple of float
        Mean cost per cell, one per epoch, each cell's before its own step.
    """

    words: FloatMatrix
    contexts: FloatMatrix
    word_biases: NDArray[np.float32]
    context_biases: NDArray[np.float32]
    losses: tuple[float, ...]


def train_glove(cells: Cells, settings: GloveSettings, progress: Progress) -> GloveVectors:
    """Fit vectors and biases to the logarithms of the co-occurrences.

    Parameters
    ----------
    cells : Cells
        At least one cell.
    settings : GloveSettings
    progress : Progress
        Called after each round of tiles from the calling thread; it may raise ``Cancelled``.

    Raises
    ------
    ParameterError
        If training diverges.

    Notes
    -----
    Minimises ``J = Σ f(X_ij) (w_i·c_j + b_i + b'_j − log X_ij)² / 2`` with
    ``f(x) = min(1, (x / x_max)^alpha)`` by AdaGrad, one cell at a time. Cells are visited in tiles
    whose rows and columns stay in the cache of a core. Tiles trained at the same time share neither
    rows nor columns, so that threads need no locks and change no byte of the result.

    References
    ----------
    Pennington, Socher & Manning 2014, "GloVe", equations 8, 9 and section 4.2; rounds of disjoint
    tiles: Gemulla et al. 2011, "Large-Scale Matrix Factorization with Distributed Stochastic
    Gradient Descent", section 4.
    """
    from embedders.weighted_least_squares import train_tiles

    s = settings
    words, contexts = start(len(cells.row_place), s.dim, s.seed)
    rng = np.random.default_rng([s.seed, 2])
    n_cells = len(cells.logs)
    fixed = s.dim, np.float32(s.learning_rate), np.float32(s.alpha), np.float32(math.log(s.x_max))
    total, done, losses = n_cells * s.epochs, 0, list[float]()
    progress(0, total, "training")
    with ThreadPoolExecutor(s.threads, thread_name_prefix="glove") as pool:

        def train(tiles: NDArray[np.int64]) -> NDArray[np.float64]:
            return train_tiles(
                words, contexts, cells.rows, cells.columns, cells.logs, tiles, *fixed
            )

        for epoch in range(1, s.epochs + 1):
            cost, seen = 0.0, 0
            for tiles in cells.rounds(rng):
                shares = _shares(tiles[:, 3] - tiles[:, 2], s.threads)
                costs = np.empty(len(tiles))
                for share, part in zip(
                    shares, pool.map(train, [tiles[share] for share in shares]), strict=True
                ):
                    costs[share] = part
                cost += float(costs.sum())  # in the same order with any number of threads
                seen += int((tiles[:, 3] - tiles[:, 2]).sum())
                if not math.isfinite(cost):
                    raise ParameterError(
                        f"Training diverged in epoch {epoch} at a learning rate of "
                        f"{s.learning_rate:g}. Lower learning_rate."
                    )
                note = f"epoch {epoch} of {s.epochs}, loss {cost / max(seen, 1):.4f}"
                progress(done + seen, total, "training", note)
            done += seen
            losses.append(cost / n_cells)
            tell_epoch(progress, "training", s.epochs, losses)
    return GloveVectors(
        words[cells.row_place, : s.dim],
        contexts[cells.column_place, : s.dim],
        words[cells.row_place, s.dim],
        contexts[cells.column_place, s.dim + 1],
        tuple(losses),
    )


def row_width(dim: int) -> int:
    """Return the length of a vector with two biases, padded."""
    return -(-(dim + 2) // LANES) * LANES


def start(n_words: int, dim: int, seed: int) -> tuple[FloatMatrix, FloatMatrix]:
    """Return the rows that ``train_tiles`` takes: small random numbers, squares of 1."""
    rng = np.random.default_rng([seed, 1])
    width = row_width(dim)
    both = []
    for bias, constant in ((dim, dim + 1), (dim + 1, dim)):
        rows = np.zeros((n_words, 2 * width), np.float32)
        rows[:, :dim] = (rng.random((n_words, dim), np.float32) - 0.5) / dim
        rows[:, bias] = (rng.random(n_words, np.float32) - 0.5) / dim
        rows[:, constant] = 1
        rows[:, width:] = 1
        both.append(rows)
    return both[0], both[1]


def _shares(cells: NDArray[np.int64], threads: int) -> list[list[int]]:
    """Divide tiles of so many cells among threads so that each gets about equally many cells."""
    shares: list[list[int]] = [[] for _ in range(min(threads, len(cells)))]
    loads = [0] * len(shares)
    for tile in np.argsort(-cells, kind="stable").tolist():
        lightest = loads.index(min(loads))
        shares[lightest].append(tile)
        loads[lightest] += int(cells[tile])
    return shares
