"""Do vectors of nodes hold the graph? Edges among the nearest, and edges told from non-edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comparison.dyadic_error import covariance_over_nodes
from comparison.pair_quality import cosines_of_pairs
from comparison.resampling import Floats, normal_draws
from comparison.shared_items import SharedItems
from comparison.task_result import TaskResult, TaskScore
from core.arrays import IntMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

LEAST_EDGES = 20
MOST_EDGES = 50_000
NON_EDGES = 5
"""Pairs without an edge per edge: the draw of them then adds little to the error."""
DEEPEST = 1_000
RECONSTRUCTION_WARNING = (
    "These edges may have been seen when the vectors were made: the figure tells how well they "
    "keep the graph, not how well they foresee links."
)
_LARGEST = 0.9  # of the edges: what the part that hangs together must have
Edges = NDArray[np.int64]


def edge_recall(
    items: SharedItems,
    graphs: tuple[IntMatrix, ...],
    edges: ArrayLike,
    *,
    seed: int = 0,
    progress: Progress = quiet,
) -> TaskResult:
    """Return the mean share of a node's neighbours in the graph that are its nearest vectors.

    As many nearest are looked at as the node has neighbours (its degree, at most 1,000), so that
    recall and precision are one. Cao, Lu & Xu 2015, "GraRep", and Wang, Cui & Zhu 2016, "SDNE",
    section 4.3 (network reconstruction), with precision at each node's own degree. Direction,
    weight, loops and repeats of edges do not count; nodes without an edge are left out.

    Parameters
    ----------
    items : SharedItems
        Nodes.
    graphs : tuple of (n, K) int32
        The nearest of every node in each space, nearest first.
    edges : (m, 2) int
        Places of the two ends; -1 for a node that is not shared.
    seed : int
        Of the bootstrap over nodes.
    progress : Progress
        Called once per space.

    Raises
    ------
    ParameterError
        If an edge names no node.
    """
    n = len(items)
    found, left_out = _plain(edges, n)
    both = np.vstack([found, found[:, ::-1]])
    keys = np.sort(both[:, 0] * n + both[:, 1])
    degrees = np.bincount(both[:, 0], minlength=n)
    nodes = np.flatnonzero(degrees)
    if n > len(nodes):
        left_out["nodes without an edge"] = n - len(nodes)
    blank = TaskResult(
        "graph-edge-recall",
        "Edges among the nearest",
        "edge recall at the node's degree",
        "nodes",
        len(nodes),
        settings={"edges": len(found), "deepest": DEEPEST, "seed": seed},
        left_out=left_out,
        warning=RECONSTRUCTION_WARNING,
        refused=_too_few(len(found)),
    )
    if blank.refused:
        return blank
    depth = np.minimum(degrees, min(DEEPEST, n - 1))[nodes]
    scores = {}
    for i, name in enumerate(items.names):
        progress(i, len(items.names), "edges among the nearest", name)
        hits = np.empty(len(nodes))
        for rows, near in _nearest(items, i, graphs[i], nodes, depth):
            is_edge = _holds(keys, nodes[rows][:, None] * n + near)
            counts = np.arange(near.shape[1]) < depth[rows][:, None]
            hits[rows] = (is_edge & counts).sum(axis=1)
        scores[name] = TaskScore.of_units(hits / depth, seed=seed)
    progress(len(items.names), len(items.names), "edges among the nearest")
    chance = float((degrees[nodes] / (n - 1)).mean())
    how = "mean share of all nodes that are neighbours"
    return replace(blank, chance=chance, chance_how=how, scores=scores)


def link_prediction(
    items: SharedItems,
    edges: ArrayLike,
    *,
    held_out: ArrayLike | None = None,
    seed: int = 0,
    progress: Progress = quiet,
) -> TaskResult:
    """Return how often an edge has a higher cosine than a pair without an edge (ROC AUC).

    Grover & Leskovec 2016, "node2vec", section 4.4, with the cosine as the score. Pairs without an
    edge are drawn at random, five times as many as edges are tested (at most 50,000, drawn); in a
    graph of two sides they go from side to side as its edges do. The figure is the share of edges
    and non-edges in which the edge is nearer, equal ones by half (Mann & Whitney 1947). Its
    interval counts both draws (DeLong, DeLong & Clarke-Pearson 1988) and that pairs which share a
    node move together (:func:`comparison.dyadic_error.covariance_over_nodes`).

    Parameters
    ----------
    items : SharedItems
        Nodes.
    edges : (m, 2) int
        Places of the two ends of known edges; -1 for a node that is not shared.
    held_out : (h, 2) int, optional
        Edges that were not known when the vectors were made: they are tested. Without them the
        known edges are, which is easier and is called reconstruction.
    seed : int
        Of the draws and the bootstrap.
    progress : Progress
        Called once per space.

    Raises
    ------
    ParameterError
        If an edge names no node.
    """
    n = len(items)
    known, left_out = _plain(edges, n)
    tested, title, measure, warning = (
        known, "Links kept", "reconstruction AUC", RECONSTRUCTION_WARNING,
    )  # fmt: skip
    if held_out is not None:
        tested, left_out = _plain(held_out, n)
        is_new = ~_holds(np.sort(known[:, 0] * n + known[:, 1]), tested[:, 0] * n + tested[:, 1])
        if not is_new.all():
            left_out["held-out edges that are known edges too"] = int((~is_new).sum())
        tested, title, measure, warning = tested[is_new], "Links foreseen", "link AUC", ""
    rng = np.random.default_rng(seed)
    if len(tested) > MOST_EDGES:
        left_out["edges beyond a random sample"] = len(tested) - MOST_EDGES
        tested = tested[np.sort(rng.choice(len(tested), MOST_EDGES, replace=False))]
    every = np.sort(np.concatenate([e[:, 0] * n + e[:, 1] for e in (known, tested)]))
    refused = _too_few(len(tested))
    others, sides = np.empty((0, 2), np.int64), None
    if not refused:
        sides = two_sides(n, known, tested)
        others = _without_edge(n, every, NON_EDGES * len(tested), rng, sides)
        if len(others) < LEAST_EDGES:
            refused = "Nearly every two nodes have an edge, so there are no non-edges to compare."
    blank = TaskResult(
        "graph-links",
        title,
        measure,
        "edges",
        len(tested),
        settings={
            "metric": "cosine",
            "non-edges": len(others),
            "between": "all nodes" if sides is None else "the two sides",
            "resampled": "nodes",
            "seed": seed,
        },
        left_out=left_out,
        warning=warning,
        refused=refused,
    )
    if refused:
        return blank
    values, influence = [], []
    for i, name in enumerate(items.names):
        progress(i, len(items.names), "links", name)
        with_edge, without = (
            cosines_of_pairs(items.matrices[i], ends[:, 0], ends[:, 1]) for ends in (tested, others)
        )
        auc, moved = _auc(with_edge, without)
        values.append(auc)
        influence.append(moved)
    progress(len(items.names), len(items.names), "links")
    ends = np.vstack([tested, others])
    covariance = covariance_over_nodes(np.stack(influence, axis=1), ends[:, 0], ends[:, 1])
    draws = np.clip(normal_draws(np.array(values), covariance, seed=seed), 0, 1)
    scores = {
        name: TaskScore.of_draws(values[i], draws[:, i]) for i, name in enumerate(items.names)
    }
    return replace(blank, chance=0.5, chance_how="a coin", scores=scores)


def two_sides(n: int, *edges: Edges) -> NDArray[np.int8] | None:
    """Return the side (0 or 1) of each node, -1 where unknown; None where there are no two sides.

    A graph of two sides (users and items) has no cycle of odd length. Trees and grids have none
    by accident: a graph counts only with twice as many edges as nodes. Sides are known in the
    part that hangs together and has nearly all edges.

    Parameters
    ----------
    n : int
        Nodes.
    edges : (m, 2) int64, each
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    left, right = np.vstack(edges).T
    has_edge = np.zeros(n, bool)
    has_edge[left] = has_edge[right] = True
    if len(left) < 2 * has_edge.sum():
        return None
    table = coo_array((np.ones(len(left)), (left, right)), shape=(n, n)).tocsr()
    _, part = connected_components(table, directed=False)
    edges_of_part = np.bincount(part[left])
    in_largest = part[left] == edges_of_part.argmax()
    if in_largest.mean() < _LARGEST:  # which side of one part is which of another?
        return None
    start = int(left[in_largest][0])
    order, before = breadth_first_order(table, start, directed=False)
    sides = np.full(n, -1, np.int8)
    sides[start] = 0
    for node in order[1:].tolist():
        sides[node] = 1 - sides[before[node]]
    is_across = sides[left] != sides[right]
    return sides if is_across[in_largest].all() else None


def _auc(with_edge: Floats, without: Floats) -> tuple[float, Floats]:
    """Return the AUC and what each edge and non-edge adds to its error, edges first."""
    below = _share_below(without, with_edge)
    above = 1 - _share_below(with_edge, without)
    auc = float(below.mean())
    parts = [(below - auc) / len(below), (above - auc) / len(above)]
    return auc, np.concatenate(parts)


def _share_below(values: Floats, asked: Floats) -> Floats:
    """Return the share of ``values`` below each of ``asked``, equal ones by half."""
    ordered = np.sort(values)
    counts = np.searchsorted(ordered, asked) + np.searchsorted(ordered, asked, "right")
    share: Floats = counts / 2 / len(values)
    return share


def _plain(edges: ArrayLike, n: int) -> tuple[Edges, dict[str, int]]:
    """Return each edge between two shared nodes once, smaller end first, and what was left out."""
    pairs = np.asarray(edges, np.int64).reshape(-1, 2)
    if len(pairs) and not -1 <= pairs.min() <= pairs.max() < n:
        raise ParameterError(
            f"An edge names node {pairs.max() if pairs.max() >= n else pairs.min()}; nodes are "
            f"numbered 0 to {n - 1}, -1 for one that is not shared."
        )
    is_shared = (pairs >= 0).all(axis=1)
    kept = np.sort(pairs[is_shared], axis=1)
    is_loop = kept[:, 0] == kept[:, 1]
    different = np.unique(kept[~is_loop], axis=0)
    left_out = {
        "edges to nodes that are not in every space": int((~is_shared).sum()),
        "loops": int(is_loop.sum()),
        "repeats of an edge": int((~is_loop).sum()) - len(different),
    }
    return different, {reason: count for reason, count in left_out.items() if count}


def _too_few(n: int) -> str:
    return f"{n} edges are too few; {LEAST_EDGES} are needed." if n < LEAST_EDGES else ""


def _holds(keys: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which of ``asked`` are among the sorted ``keys``."""
    if not len(keys):
        return np.zeros(asked.shape, bool)
    found = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.asarray(keys[found] == asked)


def _nearest(
    items: SharedItems, i: int, graph: IntMatrix, nodes: NDArray[np.int64], depth: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return rows of ``nodes`` with their nearest, wide enough for their depth.

    Nodes of more edges than the graph of neighbours is deep are searched again.
    """
    is_wide = depth > graph.shape[1]
    rows = np.flatnonzero(~is_wide)
    parts = [(rows, graph[nodes[rows]].astype(np.int64))]
    wide = np.flatnonzero(is_wide)
    if len(wide):
        keyed = KeyedVectors(items.ids, items.matrices[i], metric=items.metrics[i])
        deep = min(int(depth[wide].max()) + 1, len(items))
        found, _ = VectorIndex(keyed).search_batch(items.matrices[i][nodes[wide]], deep)
        is_self = found == nodes[wide][:, None]
        order = np.argsort(is_self, axis=1, kind="stable")[:, : deep - 1]
        parts.append((wide, np.take_along_axis(found, order, axis=1)))
    return parts


def _without_edge(
    n: int,
    keys: NDArray[np.int64],
    wanted: int,
    rng: np.random.Generator,
    sides: NDArray[np.int8] | None,
) -> Edges:
    """Return up to ``wanted`` different pairs of nodes, smaller first, that have no edge.

    With ``sides`` the two are of different ones.
    """
    one = two = np.arange(n)
    if sides is not None:
        one, two = np.flatnonzero(sides == 0), np.flatnonzero(sides == 1)
    n_pairs = n * (n - 1) // 2 if sides is None else len(one) * len(two)
    if n_pairs <= 4 * (len(keys) + wanted):  # a dense graph: choose among all pairs
        ends = np.stack(np.meshgrid(one, two, indexing="ij"), axis=-1).reshape(-1, 2)
        ends = ends[ends[:, 0] < ends[:, 1]] if sides is None else np.sort(ends, axis=1)
        free = ends[~_holds(keys, ends @ np.array([n, 1]))]
        return free[np.sort(rng.permutation(len(free))[:wanted])]
    found = np.empty(0, np.int64)
    while len(found) < wanted:
        drawn = np.stack([rng.choice(part, 2 * wanted) for part in (one, two)], axis=1)
        ends = np.sort(drawn[drawn[:, 0] != drawn[:, 1]], axis=1)
        asked = ends @ np.array([n, 1])
        found = np.unique(np.concatenate([found, asked[~_holds(keys, asked)]]))
    found = np.sort(rng.permutation(found)[:wanted])
    return np.stack([found // n, found % n], axis=1)
