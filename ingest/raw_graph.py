"""A graph as it stands in a file, and how its edges become simple ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.dataset import Dataset, Dropped, Edges
from ingest.limits import Limits, check_limit
from ingest.raw_table import RawTable
from ingest.wording import count


@dataclass(frozen=True, eq=False)
class RawGraph:
    """A graph as it stands in a file.

    Attributes
    ----------
    ids : sequence of str
        Nodes in order of appearance; they may repeat for ``other_ids`` only.
    source, target : (m,) int64
    weight : (m,) float64
        May hold NaN and values that are not positive.
    directed : bool or None
        None where the file does not say.
    attributes : RawTable or None
        One row per node.
    other_ids : sequence of str or None
        A second name of each node, by which a node table may know it.
    merges_directions : bool
        The format lists an undirected edge under both its ends.
    dropped : list of Dropped
    n_dropped : int
    notes : tuple of str
    """

    ids: Sequence[str]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    directed: bool | None = None
    attributes: RawTable | None = None
    other_ids: Sequence[str] | None = None
    merges_directions: bool = False
    dropped: list[Dropped] = field(default_factory=list)
    n_dropped: int = 0
    notes: tuple[str, ...] = ()


def check_nodes(n: int, name: str, limits: Limits) -> None:
    """Refuse a graph with more nodes than ``max_rows``."""
    check_limit(
        n,
        limits.max_rows,
        what=f"{name} has {{}} nodes",
        name="max_rows",
        advice="Give a part of the graph.",
    )


def build_edges(
    graph: RawGraph, directed: bool | None
) -> tuple[Edges, list[Dropped], int, list[str]]:
    """Return simple edges: of parallel ones the weights are summed, bad weights are dropped.

    Parameters
    ----------
    graph : RawGraph
    directed : bool or None
        What the user says; else what the file says; else directed if some but not all edges have
        their counterpart.

    Returns
    -------
    edges : Edges
        Sorted by source and target.
    dropped : list of Dropped
    n_dropped : int
    notes : list of str
    """
    source, target, weight = graph.source, graph.target, graph.weight
    good = np.isfinite(weight) & (weight > 0)
    bad = np.flatnonzero(~good)
    dropped = [
        Dropped(
            f"{graph.ids[source[i]]} – {graph.ids[target[i]]}",
            f"weight {weight[i]:g} is not positive",
        )
        for i in bad[: Dataset.MAX_LISTED]
    ]
    source, target, weight = source[good], target[good], weight[good]
    n = len(graph.ids)
    notes = []
    n_loops = int((source == target).sum())
    key, weight, n_parallel = _summed(source * n + target, weight)
    if n_parallel:
        notes.append(f"Parallel edges: {count(n_parallel, 'edge')} added to another's weight.")
    if n_loops:
        notes.append(f"{count(n_loops, 'self-loop')} kept.")
    back = _reverse_places(key, n)
    ordinary = key // n != key % n
    mutual = float((back[ordinary] >= 0).mean()) if ordinary.any() else 0.0
    directed, why = _direction(graph, directed, mutual)
    notes.append(why)
    if not directed:
        both = graph.merges_directions or mutual > 0.98
        key, weight, n_folded = _undirected(key, weight, n, both=both)
        if n_folded and not both:
            notes.append(
                f"{count(n_folded, 'pair')} of nodes joined in both directions; weights added."
            )
    edges = Edges(
        (key // n).astype(np.int32), (key % n).astype(np.int32), weight.astype(np.float32), directed
    )
    return edges, dropped, len(bad), notes


def _summed(
    key: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    order = np.argsort(key, kind="stable")
    key, weight = key[order], weight[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, np.int64)
    if len(starts) == len(key):
        return key, weight, 0
    return key[starts], np.add.reduceat(weight, starts), len(key) - len(starts)


def _reverse_places(key: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return, per sorted directed edge, the place of its counterpart, or -1."""
    reverse = (key % n) * n + key // n
    place = np.minimum(np.searchsorted(key, reverse), max(len(key) - 1, 0))
    return np.where(key[place] == reverse, place, -1) if len(key) else place


def _direction(graph: RawGraph, said: bool | None, mutual: float) -> tuple[bool, str]:
    if said is not None:
        return said, f"Read as {'directed' if said else 'undirected'}, as you said."
    if graph.directed is not None:
        return graph.directed, (
            f"The file says that the graph is {'directed' if graph.directed else 'undirected'}."
        )
    if graph.merges_directions or mutual > 0.98:
        return False, "Edges are listed under both ends; the graph is read as undirected."
    if mutual > 0.02:
        return True, (
            f"Read as directed, because {mutual:.0%} of the edges have their counterpart, neither "
            "none nor all. Set directed to change that."
        )
    return False, "Read as undirected. Set directed if the order of the ends has a meaning."


def _undirected(
    key: NDArray[np.int64], weight: NDArray[np.float64], n: int, *, both: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Return one edge per pair, and how many fell together; with ``both``, weights are averaged."""
    low, high = np.minimum(key // n, key % n), np.maximum(key // n, key % n)
    pair = low * n + high
    merged, total, n_folded = _summed(pair, weight)
    if both:
        _, times, _ = _summed(pair, np.ones(len(pair)))
        total = total / times
    return merged, total, n_folded
