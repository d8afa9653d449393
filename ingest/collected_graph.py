"""Nodes and edges of a graph file, gathered while it is parsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from core.errors import UnreadableSource
from ingest.limits import Limits, check_limit
from ingest.raw_graph import RawGraph, check_nodes
from ingest.raw_table import RawTable
from ingest.wording import count

_DRAWING = frozenset({"graphics", "viz", "x", "y", "z"})


class CollectedGraph:
    """Nodes and edges as a parser meets them."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.directed: bool | None = None
        self.places: dict[str, int] = {}
        self.attributes: list[Mapping[str, Any]] = []
        self.ends: list[tuple[str, str, float]] = []
        self.n_repeated = 0

    def node(self, id: str, attributes: Mapping[str, Any]) -> None:
        """Add a node; one with a known id is only counted."""
        if id in self.places:
            self.n_repeated += 1
            return
        self.places[id] = len(self.places)
        self.attributes.append(attributes)
        if len(self.places) > self.limits.max_rows:
            check_nodes(len(self.places), self.name, self.limits)

    def edge(self, source: str, target: str, weight: Any) -> None:
        """Add an edge; its ends may be declared later, or never."""
        self.ends.append((source, target, _number(weight)))
        if len(self.ends) > self.limits.max_edges:
            check_limit(
                len(self.ends),
                self.limits.max_edges,
                what=f"{self.name} has {{}} edges or more",
                name="max_edges",
                advice="Give a part of the graph.",
            )

    def graph(self) -> RawGraph:
        """Return what was gathered, nodes in order of declaration."""
        declared = len(self.places)
        for source, target, _ in self.ends:
            self.places.setdefault(source, len(self.places))
            self.places.setdefault(target, len(self.places))
        if not self.places:
            raise UnreadableSource(f"{self.name} holds no node. Give a graph with at least one.")
        ids = list(self.places)
        notes = []
        if len(ids) > declared and declared:
            notes.append(f"{count(len(ids) - declared, 'node')} in edges only.")
        if self.n_repeated:
            notes.append(f"{count(self.n_repeated, 'node')} declared again; the first counts.")
        self.attributes += [{}] * (len(ids) - declared)
        labels = [str(a.get("label", "")) for a in self.attributes]
        use_labels = all(labels) and len(set(labels)) == len(labels) and labels != ids
        if use_labels:
            notes.append("Nodes are called by their labels.")
            self.attributes = [
                {k: v for k, v in a.items() if k != "label"} for a in self.attributes
            ]
        return RawGraph(
            labels if use_labels else ids,
            np.array([self.places[s] for s, _, _ in self.ends], np.int64),
            np.array([self.places[t] for _, t, _ in self.ends], np.int64),
            np.array([w for _, _, w in self.ends], np.float64),
            directed=self.directed,
            attributes=_table(self.attributes),
            other_ids=ids if use_labels else None,
            notes=tuple(notes),
        )


def _number(value: Any) -> float:
    try:
        return 1.0 if value is None else float(value)
    except (TypeError, ValueError):
        return float("nan")


def _table(rows: list[Mapping[str, Any]]) -> RawTable | None:
    names = tuple(dict.fromkeys(name for row in rows for name in row if name not in _DRAWING))
    columns = []
    for name in names:
        cells = [row.get(name) for row in rows]
        texts = [None if cell is None else str(cell) for cell in cells]
        columns.append(pa.chunked_array([pa.array(texts, pa.large_string())]))
    return RawTable(names, tuple(columns), format="node attributes") if names else None
