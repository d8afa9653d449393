"""What the graph itself says of a node: its links, beside its neighbours by vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.items import RunItems
from components.neighbour_list import shorten
from ingest import Sides
from ingest.wording import many
from vectors.neighbors import Neighbors

_NAMED = 8


@dataclass(frozen=True, eq=False)
class NodeLinks:
    """The other nodes that one node has an edge with.

    Attributes
    ----------
    positions : (d,) int64 ndarray
        Rows of the items, strongest link first; the node itself is not among them.
    weights : (d,) float64 ndarray
        Sum of the weights of the edges in both directions.
    n_out, n_in : int
        Edges that leave and that reach the node; equal counts mean nothing where edges have no
        direction.
    directed : bool
    """

    positions: NDArray[np.int64]
    weights: NDArray[np.float64]
    n_out: int
    n_in: int
    directed: bool

    def __len__(self) -> int:
        """Return the number of linked nodes: the degree."""
        return len(self.positions)


def links_of(items: RunItems, position: int) -> NodeLinks:
    """Return the links of the node at ``position`` (none where the items have no edges)."""
    edges = items.edges
    if edges is None:
        return NodeLinks(np.empty(0, np.int64), np.empty(0), 0, 0, False)
    loop = edges.source == edges.target
    out = (edges.source == position) & ~loop
    into = (edges.target == position) & ~loop
    others = np.concatenate([edges.target[out], edges.source[into]]).astype(np.int64)
    found, place = np.unique(others, return_inverse=True)
    weights = np.bincount(
        place, np.concatenate([edges.weight[out], edges.weight[into]]), minlength=len(found)
    )
    order = np.argsort(-weights, kind="stable")
    return NodeLinks(found[order], weights[order], int(out.sum()), int(into.sum()), edges.directed)


def link_agreement(links: NodeLinks, found: Neighbors, n: int, word: str = "linked") -> str | None:
    """Return "7 of 10 nearest are linked (chance .01)", or None without neighbours.

    Chance is the share of the other nodes that the node is linked to.
    """
    if not len(found.positions) or n < 2:
        return None
    both = int(np.isin(found.positions, links.positions).sum())
    chance = len(links) / (n - 1)
    shown = "<.01" if 0 < chance < 0.005 else f"{chance:.2f}".removeprefix("0")
    return f"{both} of {len(found.positions)} nearest are {word} (chance {shown})"


def link_words(links: NodeLinks, items: RunItems) -> str:
    """Return the degree and the strongest links by name, in one sentence."""
    if items.sides is not None:
        return _pair_words(links, items, items.sides)
    if not len(links):
        return "Linked to no other node."
    n = len(links)
    told = f"Linked to {n:,} {'node' if n == 1 else 'nodes'}"
    if links.directed:
        told += f" ({links.n_out:,} out, {links.n_in:,} in)"
    return f"{told}: {_names(links, items, items.keys)}"


def _pair_words(links: NodeLinks, items: RunItems, sides: Sides) -> str:
    """Return how many of the other side an item belongs with, and the strongest by name."""
    n, is_left = len(links), links.n_out > 0
    if not n:
        return "In no pair."
    other = many(n, sides.names[1] if is_left else sides.names[0])
    return f"Paired with {other}: {_names(links, items, items.texts)}"


def _names(links: NodeLinks, items: RunItems, called: Sequence[str]) -> str:
    weighted = items.edges is not None and bool(np.ptp(items.edges.weight) > 0)
    names = [
        shorten(called[position], 80).rstrip(".") + (f" ({weight:.4g})" if weighted else "")
        for position, weight in zip(links.positions[:_NAMED], links.weights, strict=False)
    ]
    rest = len(links) - len(names)
    return ", ".join(names) + (f" and {rest:,} more." if rest else ".")
