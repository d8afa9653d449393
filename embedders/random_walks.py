"""What node2vec and DeepWalk share: walks through a graph, read as sentences by skip-gram."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.errors import TooLarge
from core.modality import Modality
from core.params import Params, flag, integer
from core.progress import Progress
from embedders.adjacency import Adjacency, graph_of, isolated_note
from embedders.base import MAX_MATRIX_BYTES, VocabularyEmbedder
from embedders.skipgram import (
    WORDS_PER_BATCH,
    Batch,
    Skipgram,
    SkipgramSettings,
    train_skipgram,
)
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors

Block = NDArray[np.int32]
"""Walks, ``(n_walks, length)``, -1 after a dead end."""

STEPS_PER_BLOCK = 2_000_000
MAX_WALK_THREADS = 8
MAX_KEPT_BYTES = 512 * 1024**2
"""Walks that take more are not kept but drawn again in each epoch: drawing is quick."""


@dataclass(frozen=True, kw_only=True)
class WalkParams(Params):
    """Settings of the walks that everybody meets."""

    dim: int = integer(128, low=2, high=1_000, step=8, help="Length of each vector.")
    walks: int = integer(10, low=1, high=200, help="How many walks start at each node.")
    walk_length: int = integer(40, low=2, high=500, step=10, help="How many nodes a walk visits.")
    window: int = integer(
        10,
        low=1,
        high=20,
        help="Nodes up to this many steps apart in a walk count as near each other.",
    )


@dataclass(frozen=True, kw_only=True)
class TrainingParams(Params):
    """Settings of the walks and of their training that few need."""

    epochs: int = integer(
        2, low=1, high=50, help="How often all walks are read in training.", advanced=True
    )
    negative: int = integer(
        5,
        low=1,
        high=20,
        help="Random nodes that each true neighbour is told apart from.",
        advanced=True,
    )
    weighted: bool = flag(
        True, help="Heavier edges are taken more often; otherwise all count alike.", advanced=True
    )
    directed: bool = flag(
        True,
        help="Follow directed edges only forwards; no effect where edges have no direction.",
        advanced=True,
    )
    threads: int = integer(
        1,
        low=1,
        high=64,
        help="Processor cores used in training; above 1 the result differs from run to run.",
        advanced=True,
    )


class WalkEmbedder(VocabularyEmbedder):
    """Base of methods that train skip-gram with negative sampling on random walks.

    Notes
    -----
    Each walk has its own random stream, so the walks are the same however many cores draw them.
    Self-loops are ignored and parallel edges added up. A node without any edge is in no walk; its
    vector is zero (similar to nothing), and the provenance counts such nodes.
    """

    accepts = frozenset({Modality.GRAPH})
    version = 3
    stochastic = True
    races = True
    fit_stages: ClassVar[Mapping[str, float]] = {"walking": 0.1, "training": 0.9}
    no_way: ClassVar[str] = "there is nowhere to walk"

    @property
    @abstractmethod
    def bias(self) -> tuple[float, float]:
        """Return the return parameter p and the in-out parameter q."""

    def _train(self, dataset: Dataset, progress: Progress) -> KeyedVectors:
        p: Any = self.params
        n = len(dataset)
        self._check_size(n, 2 * p.dim, "Lower dim.")
        graph = graph_of(dataset, weighted=p.weighted, directed=p.directed, why=self.no_way)
        walks = RandomWalks(graph, p.walks, p.walk_length, *self.bias, self.seed)
        visits = walks.count_visits(progress)
        visited = np.flatnonzero(visits)
        counts = {int(i): int(visits[i]) for i in visited}
        trained = self._train_on(walks, counts, progress)
        matrix = np.zeros((n, p.dim), np.float32)
        matrix[visited] = trained.matrix
        matrix.setflags(write=False)
        return KeyedVectors(
            dataset.ids,
            matrix,
            kinds="node",
            metric=self.metric,
            provenance=self._about(dataset, walks, visits, trained.losses),
        )

    def _train_on(self, walks: RandomWalks, visits: dict[int, int], progress: Progress) -> Skipgram:
        p: Any = self.params
        words = np.array([*map(str, range(walks.n_nodes)), ""], dtype=object)  # the last is -1's
        return train_skipgram(
            {words[i]: count for i, count in visits.items()},
            lambda: _batches(walks, words),
            SkipgramSettings(
                dim=p.dim,
                window=p.window,
                epochs=p.epochs,
                negative=p.negative,
                sample=0.0,  # frequent nodes are not function words
                alpha=0.025,
                is_cbow=False,
                seed=self.seed,
                threads=p.threads,
            ),
            progress,
        )

    def _about(
        self,
        dataset: Dataset,
        walks: RandomWalks,
        visits: NDArray[np.int64],
        losses: tuple[float, ...],
    ) -> dict[str, Any]:
        p: Any = self.params
        n, unvisited = len(dataset), int((visits == 0).sum())
        missed = unvisited - (isolated := n - walks.graph.n_joined)
        times = "once" if p.epochs == 1 else f"{p.epochs} times"
        notes = [f"{walks.n_walks:,} walks of up to {p.walk_length} nodes were read {times}."]
        if p.threads > 1:
            notes.append(f"Trained with {p.threads} threads: not reproducible bit by bit.")
        if dataset.edges is not None and dataset.edges.directed:
            followed = "only forwards" if p.directed else "in both directions"
            notes.append(f"Directed edges were followed {followed}.")
        notes += [*walks.graph.notes(), *isolated_note(isolated, n)]
        if missed:
            notes.append(
                f"{missed:,} of {n:,} nodes have edges but no walk came by; their vectors are "
                "zero too. More walks would find them."
            )
        return {
            **self._base_provenance(dataset),
            "n_walks": walks.n_walks,
            "n_zero": unvisited,
            "losses": [round(loss, 4) for loss in losses],
            "notes": notes,
        }


class RandomWalks:
    """The walks of one run: kept where memory allows, else drawn again whenever they are read.

    Parameters
    ----------
    graph : Adjacency
    per_node, length : int
    p, q : float
    seed : int

    Raises
    ------
    TooLarge
        If not even the list of where the walks start fits into memory.
    """

    def __init__(
        self, graph: Adjacency, per_node: int, length: int, p: float, q: float, seed: int
    ) -> None:
        self.graph, self.length, self.seed = graph, length, seed
        self._p, self._q = p, q
        self.n_nodes = len(graph.indptr) - 1
        able = np.flatnonzero(np.diff(graph.indptr)).astype(np.int32)
        self.n_walks = len(able) * per_node
        if 4 * self.n_walks > MAX_MATRIX_BYTES:
            raise TooLarge(
                f"{self.n_walks:,} walks ({per_node} from each of {len(able):,} nodes) are more "
                f"than the {MAX_MATRIX_BYTES // 4:,} allowed. Lower walks."
            )
        rng = np.random.default_rng(seed)
        self._starts = np.concatenate([rng.permutation(able) for _ in range(per_node)])
        self._kept: list[Block] = []
        self.is_kept = 4 * self.n_walks * length <= MAX_KEPT_BYTES

    def count_visits(self, progress: Progress) -> NDArray[np.int64]:
        """Return ``(n_nodes,)`` how often each node is visited; one progress call per block."""
        visits = np.zeros(self.n_nodes, np.int64)
        done = 0
        progress(0, self.n_walks, "walking")
        for block in self._drawn():
            visits += np.bincount(block[block >= 0], minlength=self.n_nodes)
            done += len(block)
            if self.is_kept:
                self._kept.append(block)
            progress(done, self.n_walks, "walking")
        return visits

    def blocks(self) -> Iterator[Block]:
        """Yield all walks in blocks, in the same order every time."""
        yield from self._kept or self._drawn()

    def _drawn(self) -> Iterator[Block]:
        step = max(1, STEPS_PER_BLOCK // self.length)
        with ThreadPoolExecutor(_cores()) as pool:
            for first in range(0, self.n_walks, step):
                yield self._draw(first, min(first + step, self.n_walks), pool)

    def _draw(self, first: int, last: int, pool: ThreadPoolExecutor) -> Block:
        """Return walks ``first`` to ``last``, their parts drawn at the same time."""
        cuts = np.linspace(first, last, 4 * _cores() + 1).astype(np.int64)
        return np.concatenate(list(pool.map(self._draw_part, cuts[:-1], cuts[1:])))

    def _draw_part(self, first: np.int64, last: np.int64) -> Block:
        from embedders.biased_walks import biased_walks

        return biased_walks(
            self.graph.indptr,
            self.graph.indices,
            self._cumulative,
            self._weighted,
            self._starts[first:last],
            self.length,
            self._p,
            self._q,
            np.uint64(self.seed),
            np.uint64(first),
        )

    @cached_property
    def _cumulative(self) -> NDArray[np.float64]:
        from embedders.biased_walks import running_sums

        return running_sums(self.graph.indptr, self.graph.weights)

    @cached_property
    def _weighted(self) -> bool:
        return self.graph.is_weighted


def _cores() -> int:
    return min(MAX_WALK_THREADS, os.cpu_count() or 1)


def _batches(walks: RandomWalks, words: NDArray[np.object_]) -> Iterator[Batch]:
    """Yield the walks as lists of words, in runs of about ``WORDS_PER_BATCH`` words."""
    rows = max(1, WORDS_PER_BATCH // walks.length)
    for block in walks.blocks():
        lengths = (block >= 0).sum(axis=1)
        for start in range(0, len(block), rows):
            part = words[block[start : start + rows]].tolist()
            cut = lengths[start : start + rows].tolist()
            yield [
                walk if k == walks.length else walk[:k] for walk, k in zip(part, cut, strict=True)
            ]
