"""Factorising a co-occurrence matrix submatrix by submatrix (SWIVEL)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix, FloatVector
from core.errors import ParameterError
from core.progress import Progress, tell_epoch
from embedders.cooccurrence import Cooccurrence

BLOCK_ROWS = 256
"""Rows of a submatrix at a time: their products with the columns stay in the processor's cache."""
FIRST_SQUARE = 1e-6
"""What AdaGrad's sums of squares begin with: about the square of a usual gradient."""


@dataclass(frozen=True)
class SwivelSettings:
    """How vectors are fitted.

    Attributes
    ----------
    dim, epochs, seed : int
    learning_rate : float
        Of AdaGrad.
    base, scale, exponent : float
        The weight of a seen cell is ``base + scale * count ** exponent``.
    threads : int
        How many threads work on a submatrix; changes no byte of the result.
    """

    dim: int
    epochs: int
    learning_rate: float
    base: float
    scale: float
    exponent: float
    seed: int
    threads: int = 1


@dataclass(frozen=True, eq=False)
class Submatrices:
    """A co-occurrence matrix cut into ``n_shards²`` submatrices.

    Words are dealt to the shards like cards: shard ``s`` holds the words ``s``, ``s + n_shards``,
    …, so that with words in order of frequency each shard has its part of frequent and rare ones.

    Attributes
    ----------
    n_shards : int
    order : (n_words,) int64
        The words, shard after shard.
    edges : (n_shards + 1,) int64
        Shard ``s`` is ``order[edges[s]:edges[s + 1]]``.
    logs : (n_words,) float32
        Logarithms of the sums of the rows (and, the matrix being symmetric, columns), in ``order``.
    log_total : float
        Logarithm of the sum of all cells.
    starts : (n_shards² + 1,) int64
        Where the seen cells of each submatrix begin.
    rows, columns, counts : (n_cells,) uint16, uint16, float32
        The seen cells, numbered within their shards; rows ascend within each submatrix.
    """

    n_shards: int
    order: NDArray[np.int64]
    edges: NDArray[np.int64]
    logs: FloatVector
    log_total: float
    starts: NDArray[np.int64]
    rows: NDArray[np.uint16]
    columns: NDArray[np.uint16]
    counts: FloatVector

    @classmethod
    def deal(cls, counts: Cooccurrence, shard_size: int) -> Self:
        """Cut ``counts``, in which each word has at least one cell, into submatrices.

        Shards differ by one word at most, and hold at most ``shard_size`` (up to 65,536).
        """
        from embedders.submatrix_training import count_per_submatrix, fill_submatrices

        n_words = counts.n_words
        n_shards = -(-n_words // shard_size)
        word = np.arange(n_words)
        shard, local = (word % n_shards).astype(np.int32), (word // n_shards).astype(np.uint16)
        order = np.argsort(shard, kind="stable")
        sums = np.add.reduceat(counts.values, counts.indptr[:-1], dtype=np.float64)
        starts = count_per_submatrix(counts.indptr, counts.indices, shard, n_shards)
        cells = fill_submatrices(*counts, shard, local, starts, n_shards)
        return cls(
            n_shards=n_shards,
            order=order,
            edges=np.searchsorted(shard[order], np.arange(n_shards + 1)),
            logs=np.log(sums[order]).astype(np.float32),
            log_total=float(np.log(sums.sum())),
            starts=starts,
            rows=cells[0],
            columns=cells[1],
            counts=cells[2],
        )

    def __len__(self) -> int:
        """Return the number of submatrices."""
        return self.n_shards**2

    def shards(self, tile: int) -> tuple[slice, slice]:
        """Return where the rows and the columns of a submatrix stand in ``order``."""
        row, column = divmod(tile, self.n_shards)
        return (
            slice(int(self.edges[row]), int(self.edges[row + 1])),
            slice(int(self.edges[column]), int(self.edges[column + 1])),
        )

    def blocks(self, tile: int) -> list[tuple[slice, slice]]:
        """Return the blocks of rows of a submatrix: their rows in it, and their seen cells."""
        rows, _ = self.shards(tile)
        first, last = int(self.starts[tile]), int(self.starts[tile + 1])
        cuts = [*range(0, rows.stop - rows.start, BLOCK_ROWS), rows.stop - rows.start]
        cells = first + np.searchsorted(self.rows[first:last], cuts)
        return [
            (slice(cuts[i], cuts[i + 1]), slice(int(cells[i]), int(cells[i + 1])))
            for i in range(len(cuts) - 1)
        ]


class SubmatrixTrainer:
    """Row and column vectors, fitted one submatrix at a time.

    Notes
    -----
    With ``x`` the counts, ``pmi = log x_ij - log x_i* - log x_*j + log |D|`` and ``f(x) = base +
    scale x^exponent``, the loss is the sum over seen cells of ``1/2 f(x_ij) (w_i·c_j - pmi_ij)²``
    and over unseen ones of ``log(1 + exp(w_i·c_j - pmi*_ij))``, where pmi* takes 1 for the count.
    A step moves the rows and the columns of one submatrix by AdaGrad; the gradient is divided by
    the square root of the number of its cells.

    Each block of rows is one product of matrices in one thread, and the parts of the columns'
    gradient are added in the order of the blocks: the number of threads changes no byte.

    References
    ----------
    Shazeer, Doherty, Evans & Waterson 2016, "Swivel: Improving Embeddings by Noticing What's
    Missing", sections 3.1 and 3.2, equations 1 and 2.
    """

    def __init__(self, cells: Submatrices, settings: SwivelSettings) -> None:
        self.cells, self.settings = cells, settings
        self.random = np.random.default_rng(settings.seed)
        shape = (len(cells.order), settings.dim)
        self.rows, self.columns = (
            self.random.standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(settings.dim))
            for _ in range(2)
        )
        self.row_squares = np.full(shape, FIRST_SQUARE, np.float32)
        self.column_squares = np.full(shape, FIRST_SQUARE, np.float32)

    @property
    def matrix(self) -> FloatMatrix:
        """Return ``(n_words, dim) float32`` sums of row and column vector, in the words' order."""
        matrix = np.empty_like(self.rows)
        matrix[self.cells.order] = self.rows + self.columns
        return matrix

    def gradient(
        self, tile: int, pool: ThreadPoolExecutor | None = None
    ) -> tuple[float, FloatMatrix, FloatMatrix]:
        """Return the loss of a submatrix and its gradient by its rows and by its columns."""
        across, down = self.cells.shards(tile)
        w, c = self.rows[across], self.columns[down]
        blocks = self.cells.blocks(tile)
        by_row = np.empty_like(w)

        def work(block: tuple[slice, slice]) -> tuple[float, FloatMatrix]:
            return self._block(tile, block, w, c, by_row)

        done = map(work, blocks) if pool is None else pool.map(work, blocks)
        loss, by_column = 0.0, np.zeros_like(c)
        for part, columns in done:
            loss += part
            by_column += columns
        return loss, by_row, by_column

    def _block(
        self,
        tile: int,
        block: tuple[slice, slice],
        w: FloatMatrix,
        c: FloatMatrix,
        by_row: FloatMatrix,
    ) -> tuple[float, FloatMatrix]:
        """Return the loss of a block of rows and its part of the columns' gradient."""
        from embedders.submatrix_training import block_gradient

        cells, s = self.cells, self.settings
        part, seen = block
        across, down = cells.shards(tile)
        with np.errstate(all="ignore"):  # divergence is told by the loss
            product: FloatMatrix = w[part] @ c.T
        loss: float = block_gradient(
            product,
            cells.rows[seen],
            cells.columns[seen],
            cells.counts[seen],
            part.start,
            cells.logs[across][part] - np.float32(cells.log_total),
            cells.logs[down],
            s.base,
            s.scale,
            s.exponent,
            np.empty(seen.stop - seen.start, np.float32),
            np.empty(len(c), np.float32),
        )
        with np.errstate(all="ignore"):
            np.matmul(product, c, out=by_row[part])
            by_column: FloatMatrix = product.T @ w[part]
        return loss, by_column

    def step(self, tile: int, pool: ThreadPoolExecutor | None = None) -> float:
        """Fit the vectors of one submatrix a little better; return its loss before.

        Raises
        ------
        ParameterError
            If the vectors grow without bounds.
        """
        from embedders.submatrix_training import adagrad

        loss, by_row, by_column = self.gradient(tile, pool)
        if not np.isfinite(loss):
            raise ParameterError(
                f"Training diverged at learning_rate {self.settings.learning_rate:g}. Lower it."
            )
        across, down = self.cells.shards(tile)
        scale = 1 / np.sqrt(len(by_row) * len(by_column))
        rate = self.settings.learning_rate
        adagrad(self.rows[across], self.row_squares[across], by_row, scale, rate)
        adagrad(self.columns[down], self.column_squares[down], by_column, scale, rate)
        return loss

    def train(self, progress: Progress) -> tuple[float, ...]:
        """Run all epochs; return the loss of each, per seen cell.

        Submatrices come in a new random order in each epoch, each of them once.
        """
        s, n = self.settings, len(self.cells)
        progress(0, s.epochs * n, "training")
        losses: list[float] = []
        with _single_threaded_products(s.threads) as pool:
            for epoch in range(s.epochs):
                loss, seen = 0.0, 0
                for i, tile in enumerate(self.random.permutation(n).tolist(), start=1):
                    loss += self.step(tile, pool)
                    seen += int(self.cells.starts[tile + 1] - self.cells.starts[tile])
                    note = f"epoch {epoch + 1} of {s.epochs}, loss {loss / max(seen, 1):.4f}"
                    progress(epoch * n + i, s.epochs * n, "training", note)
                losses.append(loss / seen)
                tell_epoch(progress, "training", s.epochs, losses)
        return tuple(losses)


@contextmanager
def _single_threaded_products(threads: int) -> Iterator[ThreadPoolExecutor | None]:
    """Give each product of matrices one thread, and yield threads for several products at once."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        if threads == 1:
            yield None
            return
        with ThreadPoolExecutor(threads, thread_name_prefix="swivel") as pool:
            yield pool
