"""node2vec: nodes by the walks that pass them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError, TooLarge
from core.modality import Modality
from core.params import Params, flag, integer, real
from core.progress import Progress
from embedders.base import MAX_MATRIX_BYTES, VocabularyEmbedder
from embedders.skipgram import WORDS_PER_BATCH, Batch, SkipgramSettings, train_skipgram
from ingest.dataset import Dataset, Edges
from vectors.keyed import KeyedVectors

STEPS_PER_REPORT = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Node2VecParams(Params):
    """Settings of node2vec."""

    dim: int = integer(128, low=2, high=1_000, step=8, help="Length of each vector.")
    p: float = real(
        1.0,
        low=0.05,
        high=20.0,
        step=0.25,
        help="Above 1, walks seldom step straight back; below 1, they stay around their start.",
    )
    q: float = real(
        1.0,
        low=0.05,
        high=20.0,
        step=0.25,
        help="Below 1, walks move outwards and find communities; above 1, they find local roles.",
    )
    walks: int = integer(10, low=1, high=200, help="How many walks start at each node.")
    walk_length: int = integer(40, low=2, high=500, step=10, help="How many nodes a walk visits.")
    window: int = integer(
        5,
        low=1,
        high=20,
        help="Nodes up to this many steps apart in a walk count as near each other.",
    )
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


class Adjacency(NamedTuple):
    """A graph in CSR form.

    Attributes
    ----------
    indptr : (n + 1,) int64
    indices : (m,) int32
        Ascending within each row.
    weights, cumulative : (m,) float64
        Edge weights, and their running sum within each row.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.float64]
    cumulative: NDArray[np.float64]


class Node2Vec(VocabularyEmbedder):
    """Vectors of nodes: random walks read as sentences by skip-gram with negative sampling.

    Notes
    -----
    With ``p = q = 1`` this is DeepWalk with negative sampling. Self-loops are ignored and parallel
    edges added up. A node without any edge is in no walk; its vector is zero (similar to nothing),
    and the provenance counts such nodes.

    References
    ----------
    Grover & Leskovec 2016, "node2vec: Scalable Feature Learning for Networks", Algorithm 1;
    Perozzi et al. 2014, "DeepWalk".
    """

    id = "node2vec"
    title = "node2vec"
    summary = "Walks at random through the graph; nodes met on the same walks become similar."
    source = "Grover & Leskovec 2016, node2vec: Scalable Feature Learning for Networks"
    accepts = frozenset({Modality.GRAPH})
    params_class = Node2VecParams
    stochastic = True

    def _train(self, dataset: Dataset, progress: Progress) -> KeyedVectors:
        p: Node2VecParams = self.params
        n = len(dataset)
        self._check_size(n, 2 * p.dim, "Lower dim.")
        graph = adjacency(dataset.edges, n, weighted=p.weighted, directed=p.directed)
        if not len(graph.indices):
            raise DatasetError(
                f"{dataset.name} has no edge between two different nodes, so there is nowhere to "
                "walk. Give a graph with edges."
            )
        walks = self._walk(graph, progress)
        visits = np.bincount(walks[walks >= 0], minlength=n)
        visited = np.flatnonzero(visits)
        trained = train_skipgram(
            {str(i): int(visits[i]) for i in visited},
            lambda: _batches(walks, n),
            SkipgramSettings(
                dim=p.dim,
                window=p.window,
                epochs=p.epochs,
                negative=p.negative,
                sample=0.0,  # frequent nodes are not function words
                alpha=0.025,
                is_cbow=False,
                seed=self.seed,
            ),
            progress,
        )
        matrix = np.zeros((n, p.dim), np.float32)
        matrix[visited] = trained.matrix
        matrix.setflags(write=False)
        return KeyedVectors(
            dataset.ids,
            matrix,
            kinds="node",
            metric=self.metric,
            provenance=self._about(dataset, walks, n - len(visited), trained.losses),
        )

    def _walk(self, graph: Adjacency, progress: Progress) -> NDArray[np.int32]:
        """Return all walks, ``(n_walks, walk_length) int32``, in a shuffled order of starts."""
        from embedders.biased_walks import biased_walks

        p: Node2VecParams = self.params
        able = np.flatnonzero(np.diff(graph.indptr)).astype(np.int32)
        rng = np.random.default_rng(self.seed)
        starts = np.concatenate([rng.permutation(able) for _ in range(p.walks)])
        if 4 * len(starts) * p.walk_length > MAX_MATRIX_BYTES:
            raise TooLarge(
                f"{len(starts):,} walks of {p.walk_length} nodes do not fit into memory. "
                "Lower walks or walk_length."
            )
        weighted = bool((graph.weights != graph.weights[0]).any())
        walks = np.empty((len(starts), p.walk_length), np.int32)
        step = max(1, STEPS_PER_REPORT // p.walk_length)
        progress(0, len(starts), "walking")
        for first in range(0, len(starts), step):
            part = starts[first : first + step]
            walks[first : first + step] = biased_walks(
                graph.indptr,
                graph.indices,
                graph.cumulative,
                weighted,
                part,
                p.walk_length,
                p.p,
                p.q,
                np.uint64(self.seed),
                np.uint64(first),
            )
            progress(first + len(part), len(starts), "walking")
        return walks

    def _about(
        self,
        dataset: Dataset,
        walks: NDArray[np.int32],
        isolated: int,
        losses: tuple[float, ...],
    ) -> dict[str, Any]:
        edges = dataset.edges
        loops = int((edges.source == edges.target).sum()) if edges else 0
        notes = [
            f"{len(walks):,} walks of up to {self.params.walk_length} nodes were read "
            f"{self.params.epochs} times."
        ]
        if edges is not None and edges.directed:
            followed = "only forwards" if self.params.directed else "in both directions"
            notes.append(f"Directed edges were followed {followed}.")
        if loops:
            notes.append(f"{loops:,} edges from a node to itself were ignored.")
        if isolated:
            notes.append(
                f"{isolated:,} of {len(dataset):,} nodes have no edge and are in no walk; their "
                "vectors are zero (similar to nothing)."
            )
        return {
            **self._base_provenance(dataset),
            "n_walks": len(walks),
            "n_zero": isolated,
            "losses": [round(loss, 4) for loss in losses],
            "notes": notes,
        }


def adjacency(edges: Edges | None, n: int, *, weighted: bool, directed: bool) -> Adjacency:
    """Return the CSR form of ``edges`` over ``n`` nodes, loops removed, parallel edges added up."""
    from scipy.sparse import coo_matrix

    if edges is None or not len(edges):
        empty = np.empty(0)
        return Adjacency(np.zeros(n + 1, np.int64), empty.astype(np.int32), empty, empty)
    source, target = edges.source, edges.target
    weight = edges.weight.astype(np.float64) if weighted else np.ones(len(edges))
    if not (edges.directed and directed):
        source, target = np.concatenate([source, target]), np.concatenate([target, source])
        weight = np.concatenate([weight, weight])
    keep = (source != target) & (weight > 0)
    matrix = coo_matrix((weight[keep], (source[keep], target[keep])), shape=(n, n)).tocsr()
    matrix.sum_duplicates()
    if not weighted:
        matrix.data[:] = 1.0
    running = np.cumsum(matrix.data)
    before = np.concatenate([[0.0], running])[matrix.indptr[:-1]]
    return Adjacency(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data,
        running - np.repeat(before, np.diff(matrix.indptr)),
    )


def _batches(walks: NDArray[np.int32], n: int) -> Iterator[Batch]:
    """Yield the walks as lists of words, in runs of about ``WORDS_PER_BATCH`` words."""
    words = np.array([*map(str, range(n)), ""], dtype=object)  # the last stands for -1
    lengths = (walks >= 0).sum(axis=1)
    rows = max(1, WORDS_PER_BATCH // walks.shape[1])
    for start in range(0, len(walks), rows):
        part = words[walks[start : start + rows]].tolist()
        yield [walk[:k] for walk, k in zip(part, lengths[start : start + rows], strict=True)]
