"""Which of the given sources holds the edges of a graph, and how sure that is."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from core.errors import DatasetError, ParameterError
from core.modality import Modality
from ingest.archive import unpacked_head
from ingest.edge_lists import EdgeColumns, edge_columns, is_adjacency_list
from ingest.encoding import looks_binary
from ingest.graph_files import graph_format
from ingest.plain_table import PlainTable, read_plain_table
from ingest.reader import Certainty, ReadOptions, Sources
from ingest.source import Source

HEAD = 262_144
_EDGE_SUFFIXES = frozenset({".edgelist", ".edges", ".edge", ".el"})
_ADJACENCY_SUFFIXES = frozenset({".adjlist", ".adj", ".adjacency"})
_EDGE_NAME = re.compile(r"(?i)(^|[^a-z])(edges?|links?|edgelist|ties)([^a-z]|$)")
_NOT_ENDS = re.compile(r"(?i).*(item|movie|product|book|song|track|rating|lat|lon).*")


@dataclass(frozen=True)
class GraphClaim:
    """How sure it is that a source holds edges, in which form, and some of its nodes."""

    certainty: Certainty
    format: str
    ids: frozenset[str] = frozenset()  # of a head, to find the node table by


def main_source(
    sources: Sources, options: ReadOptions
) -> tuple[Source, GraphClaim, Source | None] | None:
    """Return the source of the edges, the claim to it, and the source of the nodes."""
    if not 1 <= len(sources) <= 2:
        return None
    claims = [(source, _claim(source, options)) for source in sources]
    known = [(source, claim) for source, claim in claims if claim is not None]
    if not known:
        return None
    main, claim = max(
        known, key=lambda c: (c[1].certainty, bool(_EDGE_NAME.search(c[0].stem)), c[0].size)
    )
    if len(sources) == 1:
        return main, claim, None
    side = next(source for source in sources if source is not main)
    if _is_known_node_table(side, claim, options) and claim.certainty >= Certainty.LIKELY:
        return main, GraphClaim(Certainty.CERTAIN, f"{claim.format} with a node table"), side
    if options.kind is Modality.GRAPH:
        return main, claim, side
    return None


def _claim(source: Source, options: ReadOptions) -> GraphClaim | None:
    form = graph_format(source)
    if form is not None:
        return GraphClaim(Certainty.CERTAIN, form)
    head = unpacked_head(source, HEAD)
    if not head.strip() or looks_binary(head) or head.lstrip()[:1] in b"{[<":
        return None
    lines = head[:65_536].decode("utf-8", "replace").splitlines()
    if source.suffix in _ADJACENCY_SUFFIXES or is_adjacency_list(lines[:-1] or lines):
        return GraphClaim(Certainty.LIKELY, "adjacency list")
    try:
        return _edge_claim(source, options)
    except (DatasetError, ParameterError):
        return None


def said_claim(source: Source, options: ReadOptions) -> GraphClaim | None:
    """Return a claim to a source that is a graph because the user says so.

    Raises
    ------
    UnreadableSource, ParameterError
        If it is no table, or an option names a column that it does not have.
    """
    claim = _edge_claim(source, options, at_least=Certainty.POSSIBLE)
    return None if looks_binary(unpacked_head(source, HEAD)) else claim


def _edge_claim(
    source: Source, options: ReadOptions, at_least: Certainty | None = None
) -> GraphClaim | None:
    table = edge_table(source, options, HEAD)
    ends = edge_columns(table, options, where=source.name)
    if ends is None:
        return None
    certainty = _certainty(source, table, ends) or at_least
    ids = frozenset(table.frame[ends.source].dropna()) | frozenset(
        table.frame[ends.target].dropna()
    )
    return GraphClaim(certainty, f"edge list, {table.described}", ids) if certainty else None


def _certainty(source: Source, table: PlainTable, ends: EdgeColumns) -> Certainty | None:
    names = [str(name) for name in table.frame.columns]
    if source.suffix in _EDGE_SUFFIXES or (ends.named and (len(names) <= 4 or ends.shared > 0.05)):
        return Certainty.LIKELY
    left = table.frame[ends.source]
    if len(names) > 4 or not (ends.shared >= 0.05 or _are_node_numbers(table, ends)):
        return None
    third_is_text = len(names) >= 3 and ends.weight is None
    is_key = left.is_unique and len(left) > 3  # ids with labels beside them, not ends
    if third_is_text or is_key or (table.has_header and any(map(_NOT_ENDS.match, names))):
        return Certainty.POSSIBLE
    enough = 0.5 if table.has_header else 0.2
    if _are_fractions(table, ends):
        return None
    return Certainty.LIKELY if ends.shared >= enough else Certainty.POSSIBLE


def _are_node_numbers(table: PlainTable, ends: EdgeColumns) -> bool:
    ends_of = [table.frame[c].dropna().head(1000) for c in (ends.source, ends.target)]
    return all(column.str.fullmatch(r"\s*\d+\s*").all() for column in ends_of)


def _are_fractions(table: PlainTable, ends: EdgeColumns) -> bool:
    """Tell whether an end holds decimal numbers, as points do and node ids do not."""
    cells = pd.concat([table.frame[ends.source].head(200), table.frame[ends.target].head(200)])
    known = cells.dropna()
    if known.empty:
        return False
    return bool(known.str.fullmatch(r"\s*-?\d*\.\d+(?:[eE]-?\d+)?\s*").mean() > 0.5)


def _is_known_node_table(side: Source, claim: GraphClaim, options: ReadOptions) -> bool:
    if side.suffix in {".xlsx", ".parquet", ".feather", ".jsonl"}:
        return True
    head = unpacked_head(side, HEAD)
    if looks_binary(head) or graph_format(side):
        return False
    try:
        table = read_plain_table(side, options.limits, comments=False, max_bytes=HEAD)
    except DatasetError:
        return False
    if not claim.ids:
        return True
    columns = (set(table.frame[name].dropna()) for name in table.frame)
    return any(len(cells & claim.ids) >= 0.5 * min(len(cells), len(claim.ids)) for cells in columns)


def edge_table(source: Source, options: ReadOptions, max_bytes: int | None) -> PlainTable:
    """Return the lines of an edge list as ``options`` say they are written."""
    return read_plain_table(
        source,
        options.limits,
        delimiter=options.delimiter,
        encoding=options.encoding,
        header=options.header,
        max_bytes=max_bytes,
    )
