"""Which graph format a file is in, and its graph."""

from __future__ import annotations

import re

from ingest.archive import gunzipped, unpacked_head
from ingest.collected_graph import CollectedGraph
from ingest.gml import read_gml
from ingest.graph_xml import read_xml
from ingest.limits import Limits
from ingest.raw_graph import RawGraph
from ingest.source import Source

_GML = re.compile(r"(?:\A|\s)graph\s*\[", re.IGNORECASE)


def graph_format(source: Source) -> str | None:
    """Return "GraphML", "GEXF" or "GML" by the beginning of a file, None for anything else."""
    head = unpacked_head(source, 16_384)
    if b"<graphml" in head:
        return "GraphML"
    if b"<gexf" in head:
        return "GEXF"
    text = head.decode("utf-8", "replace")
    is_gml = _GML.search(text) and (source.suffix == ".gml" or re.search(r"\bnode\s*\[", text))
    return "GML" if is_gml else None


def read_graph_file(source: Source, format: str, limits: Limits) -> RawGraph:
    """Read a whole graph file.

    Nodes are called by their labels where these differ from each other, else by their ids.

    Raises
    ------
    UnsafeSource
        If the XML declares entities or refers to other files.
    UnreadableSource, TooLarge
    """
    found = CollectedGraph(source.name, limits)
    if format == "GML":
        read_gml(source, found, limits)
    else:
        read_xml(gunzipped(source, limits), found, format)
    return found.graph()
