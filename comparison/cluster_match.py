"""Clusters of one space against clusters of another: what stays together, what regroups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparison.shared_items import SharedItems
from core.errors import ParameterError
from core.modality import Metric
from vectors.clusters import cluster
from vectors.keyed import KeyedVectors

Clusters = NDArray[np.integer]
Rows = NDArray[np.int64]
_SHUFFLES = 20


class Flow(NamedTuple):
    """Items of one cluster of the first space that are in one cluster of the second.

    Attributes
    ----------
    first, second : int
        Clusters. The second carry the numbers of their partners.
    n : int
    share_of_first, share_of_second : float
        Of the items of either cluster.
    lift : float
        Items over the number that independent clusterings of these sizes would share.
    stays : bool
        Whether the two clusters are partners.
    """

    first: int
    second: int
    n: int
    share_of_first: float
    share_of_second: float
    lift: float
    stays: bool


@dataclass(frozen=True, eq=False)
class ClusterMatch:
    """Two clusterings of the same items.

    Attributes
    ----------
    first, second : (n,) int64
        Cluster of each item; -1 = in none. Partners in the two spaces have the same number, and
        clusters of the second without a partner come after all of the first.
    table : (a, b) int64
        Items per pair of clusters, of the items in a cluster of both.
    adjusted_rand, adjusted_mutual_information : float
        1 = the same, about 0 = as clusters drawn at random (Hubert & Arabie 1985; Vinh, Epps &
        Bailey 2010).
    staying : float
        Share of items whose clusters are partners.
    staying_by_chance : float
        The same for independent clusterings of these sizes, whose partners are chosen as well as
        may be: mean of 20 shuffles of the items.
    flows : tuple of Flow
        All that are not empty, the largest first.
    n, n_left_out : int
        Items in a cluster of both, and the others.
    seed : int
        Of the shuffles.
    """

    first: Rows
    second: Rows
    table: NDArray[np.int64]
    adjusted_rand: float
    adjusted_mutual_information: float
    staying: float
    staying_by_chance: float
    flows: tuple[Flow, ...]
    n: int
    n_left_out: int
    seed: int

    @property
    def regroupings(self) -> tuple[Flow, ...]:
        """Return the flows between clusters that are not partners, the largest first."""
        return tuple(flow for flow in self.flows if not flow.stays)

    def rows(self, flow: Flow) -> Rows:
        """Return the items of one flow, for its caption and its list."""
        return np.flatnonzero((self.first == flow.first) & (self.second == flow.second))


def match_spaces(
    items: SharedItems, first: str, second: str, *, n_clusters: int | None = None, seed: int = 0
) -> ClusterMatch:
    """Cluster two of the spaces by k-means with one k and seed, and match the clusters.

    Raises
    ------
    ParameterError
        For an unknown space or a number of clusters out of range.
    """
    found = []
    for name in (first, second):
        if name not in items.names:
            known = ", ".join(items.names)
            raise ParameterError(f"There is no space {name!r}; there are: {known}.")
        place = items.names.index(name)
        metric: Metric = items.metrics[place]
        space = KeyedVectors(items.ids, items.matrices[place], metric=metric)
        found.append(cluster(space, n_clusters, seed))
    return match_clusters(found[0], found[1], seed=seed)


def match_clusters(
    first: Clusters | Sequence[int], second: Clusters | Sequence[int], *, seed: int = 0
) -> ClusterMatch:
    """Match the clusters of two clusterings of the same items.

    Partners are the pairs that share the most items altogether (Kuhn 1955, "The Hungarian method
    for the assignment problem").

    Parameters
    ----------
    first, second : (n,) integer
        -1 = in no cluster. Numbers of the second need not mean those of the first.
    seed : int
        Of the shuffles behind ``staying_by_chance``.

    Raises
    ------
    ParameterError
        If the lengths differ, or no item is in a cluster of both.
    """
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    a, b = np.asarray(first, np.int64), np.asarray(second, np.int64)
    if a.shape != b.shape or a.ndim != 1:
        raise ParameterError(
            f"Two clusterings of the same items are needed, got {a.shape} and {b.shape}."
        )
    both = (a >= 0) & (b >= 0)
    if not both.any():
        raise ParameterError("No item is in a cluster of both spaces.")
    counts = _counts(a[both], b[both])
    mine, partner = _partners(counts)
    # A pairing without a shared item is none.
    paired = {int(q): int(p) for p, q in zip(mine, partner, strict=True) if counts[p, q]}
    number = np.empty(counts.shape[1], np.int64)
    alone = len(counts)
    for q in range(counts.shape[1]):
        if q in paired:
            number[q] = paired[q]
        else:
            number[q], alone = alone, alone + 1
    renamed = np.where(b >= 0, number[b], -1)
    table = np.zeros((len(counts), alone), np.int64)
    table[:, number] = counts
    n = int(both.sum())
    partners = sorted(paired.values())
    return ClusterMatch(
        a,
        renamed,
        table,
        float(adjusted_rand_score(a[both], b[both])),
        float(adjusted_mutual_info_score(a[both], b[both])),
        float(table[partners, partners].sum() / n),
        _staying_by_chance(a[both], b[both], seed),
        _flows(table, set(partners)),
        n,
        len(a) - n,
        seed,
    )


def _counts(a: Rows, b: Rows) -> NDArray[np.int64]:
    """Return how many items are in cluster p of the first and q of the second, for each pair."""
    shape = int(a.max()) + 1, int(b.max()) + 1
    return np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape)


def _partners(counts: NDArray[np.int64]) -> tuple[Rows, Rows]:
    from scipy.optimize import linear_sum_assignment

    mine, partner = linear_sum_assignment(-counts)
    return mine, partner


def _staying_by_chance(a: Rows, b: Rows, seed: int) -> float:
    """Return the share that stays when the clusters have nothing to do with each other.

    Partners are chosen anew each time: the best of many pairings finds shared items even there.
    """
    rng = np.random.default_rng(seed)
    total = 0
    for _ in range(_SHUFFLES):
        counts = _counts(a, rng.permutation(b))
        total += int(counts[_partners(counts)].sum())
    return total / (_SHUFFLES * len(a))


def _flows(table: NDArray[np.int64], partners: set[int]) -> tuple[Flow, ...]:
    n, of_first, of_second = table.sum(), table.sum(axis=1), table.sum(axis=0)
    flows = [
        Flow(
            int(p),
            int(q),
            int(table[p, q]),
            float(table[p, q] / of_first[p]),
            float(table[p, q] / of_second[q]),
            float(table[p, q] * n / (of_first[p] * of_second[q])),
            bool(p == q and int(p) in partners),
        )
        for p, q in np.argwhere(table)
    ]
    return tuple(sorted(flows, key=lambda flow: (-flow.n, flow.first, flow.second)))
