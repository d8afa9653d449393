"""Graphs: edge lists, adjacency lists, GraphML, GEXF and GML, with a node table where given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.errors import UnreadableSource
from core.modality import Modality
from ingest.dataset import Dataset, Dropped, Edges, Role
from ingest.edge_lists import (
    edge_columns,
    graph_of_adjacency,
    graph_of_table,
)
from ingest.graph_files import graph_format, read_graph_file
from ingest.graph_recognition import HEAD, GraphClaim, edge_table, main_source, said_claim
from ingest.limits import MB
from ingest.node_table import NodeTable, join_nodes, read_node_table
from ingest.plain_table import text_bytes
from ingest.preview import Preview
from ingest.raw_graph import RawGraph, build_edges
from ingest.reader import ReadOptions, Recognition, Sources
from ingest.source import Source, as_source
from ingest.wording import count

_WHOLE_PREVIEW = 8 * MB


class GraphReader:
    """Reads graphs; of two sources one holds the edges and the other describes the nodes."""

    kinds = frozenset({Modality.GRAPH})

    def recognise(self, sources: Sources) -> Recognition | None:
        """Return a claim to a graph file, to lines of edges, or to edges with a node table."""
        found = main_source(sources, ReadOptions())
        if found is None:
            return None
        _, claim, _ = found
        return Recognition(Modality.GRAPH, claim.certainty, claim.format)

    def inspect(self, sources: Sources, options: ReadOptions) -> Preview:
        """Return the first edges and the columns of the nodes; counts where the file is small."""
        main, claim, table = self._sources(sources, options)
        is_whole = main.size <= _WHOLE_PREVIEW
        graph, told = _read(main, claim, options, None if is_whole else HEAD)
        edges, _, _, notes = build_edges(graph, options.directed)
        nodes = _nodes(graph, table, options)
        shown = {"source": edges.source[:20], "target": edges.target[:20]}
        rows = pd.DataFrame({end: [graph.ids[i] for i in at] for end, at in shown.items()})
        if (edges.weight != 1).any():
            rows["weight"] = edges.weight[:20]
        return Preview(
            Modality.GRAPH,
            f"{claim.format}, {len(nodes.ids):,} nodes, {len(edges):,} edges"
            if is_whole
            else claim.format,
            n_items=len(nodes.ids) if is_whole else None,
            n_inspected=len(edges),
            rows=rows,
            columns=nodes.guesses,
            options={**told, "directed": edges.directed},
            notes=(*graph.notes, *notes, *nodes.notes),
            warnings=_warnings(graph),
        )

    def read(self, sources: Sources, options: ReadOptions) -> Dataset:
        """Return the graph; its items are None, its ids the nodes.

        Nodes of the node table come first, in its order, isolated ones included.

        Raises
        ------
        UnreadableSource, UnsafeSource, TooLarge, ParameterError
        """
        main, claim, table = self._sources(sources, options)
        graph, _ = _read(main, claim, options, None)
        edges, dropped, n_dropped, notes = build_edges(graph, options.directed)
        nodes = _nodes(graph, table, options)
        place = nodes.place
        moved = Edges(
            place[edges.source], place[edges.target], edges.weight, directed=edges.directed
        )
        all_dropped: list[Dropped] = [*graph.dropped, *dropped]
        roles: dict[str, Role] = dict(nodes.roles)
        return Dataset(
            main.name,
            Modality.GRAPH,
            tuple(nodes.ids),
            None,
            nodes.columns,
            roles,
            edges=moved,
            dropped=tuple(all_dropped[: Dataset.MAX_LISTED]),
            n_dropped=graph.n_dropped + n_dropped,
            notes=(*graph.notes, *notes, *nodes.notes, *_isolated(moved, len(nodes.ids))),
        )

    def _sources(
        self, sources: Sources, options: ReadOptions
    ) -> tuple[Source, GraphClaim, Source | None]:
        found = main_source(sources, options)
        if found is None and len(sources) == 1:
            claim = said_claim(sources[0], options)
            found = (sources[0], claim, None) if claim else None
        if found is None:
            names = ", ".join(source.name for source in sources)
            raise UnreadableSource(
                f"{names}: no edges were found. A graph is an edge list (two columns of nodes), an "
                "adjacency list, GraphML, GEXF or GML, and at most one node table beside it."
            )
        if options.nodes is not None:
            return found[0], found[1], as_source(options.nodes)
        return found


def _read(
    source: Source, claim: GraphClaim, options: ReadOptions, max_bytes: int | None
) -> tuple[RawGraph, dict[str, str | None]]:
    """Return the graph, and the options by which it was read."""
    form = graph_format(source)
    if form is not None:
        return read_graph_file(source, form, options.limits), {}
    if claim.format.startswith("adjacency"):
        data, _ = text_bytes(source, options.limits, encoding=options.encoding, max_bytes=max_bytes)
        return graph_of_adjacency(data.decode(), source.name, options.limits), {}
    table = edge_table(source, options, max_bytes)
    ends = edge_columns(table, options, where=source.name)
    if ends is None:
        raise UnreadableSource(
            f"{source.name} has one column only. An edge list has two, one per end of an edge; "
            "choose the delimiter."
        )
    told = {
        "source": ends.source,
        "target": ends.target,
        "weight": ends.weight,
        "delimiter": table.delimiter,
    }
    return graph_of_table(table, ends, source.name, options.limits), told


def _nodes(graph: RawGraph, table: Source | None, options: ReadOptions) -> NodeTable:
    read = read_node_table(table, graph, options) if table is not None else None
    return join_nodes(graph, read, options)


def _isolated(edges: Edges, n: int) -> Sequence[str]:
    touched = np.zeros(n, bool)
    touched[edges.source] = touched[edges.target] = True
    alone = n - int(touched.sum())
    return (f"{count(alone, 'node')} without an edge kept.",) if alone else ()


def _warnings(graph: RawGraph) -> tuple[str, ...]:
    bad = int((~(np.isfinite(graph.weight) & (graph.weight > 0))).sum())
    warnings = []
    if bad:
        warnings.append(f"{count(bad, 'edge')} without a positive weight will be dropped.")
    if graph.n_dropped:
        warnings.append(f"{count(graph.n_dropped, 'record')} without two ends will be dropped.")
    return tuple(warnings)


READER = GraphReader()
