"""GraphML and GEXF, parsed by a parser that refuses entities and external files."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from core.errors import UnreadableSource, UnsafeSource
from ingest.collected_graph import CollectedGraph
from ingest.source import Source


def read_xml(source: Source, found: CollectedGraph, format: str) -> None:
    """Read GraphML or GEXF into ``found``."""
    from defusedxml.common import DefusedXmlException

    try:
        if format == "GraphML":
            _graphml(_elements(source), found)
        else:
            _gexf(_elements(source), found)
    except DefusedXmlException as error:
        raise UnsafeSource(
            f"{source.name} declares XML entities or refers to other files, which can exhaust "
            "memory or read files, so it is not read. Save the graph without a DOCTYPE."
        ) from error
    except ParseError as error:
        raise UnreadableSource(
            f"{source.name} is not valid XML ({error}). Save the graph again."
        ) from error


def _elements(source: Source) -> Iterator[tuple[str, str, Element]]:
    """Yield (event, tag without namespace, element)."""
    from defusedxml.ElementTree import iterparse

    with source.open() as stream:
        for event, element in iterparse(stream, events=("start", "end")):
            yield event, element.tag.rpartition("}")[2], element


def _graphml(elements: Iterator[tuple[str, str, Element]], found: CollectedGraph) -> None:
    names: dict[str, str] = {}
    defaults: dict[str, dict[str, str]] = {"node": {}, "edge": {}}
    for event, tag, element in elements:
        if event == "start":
            if tag == "graph" and found.directed is None:
                found.directed = element.get("edgedefault") != "undirected"
            continue
        if tag == "key":
            id = element.get("id", "")
            names[id] = element.get("attr.name", id)
            default = _child_text(element, "default")
            if default is not None and element.get("for") in defaults:
                defaults[str(element.get("for"))][names[id]] = default
        elif tag in {"node", "edge"}:
            values = dict(defaults[tag])
            for child in element:
                text = "".join(child.itertext()).strip()
                if child.tag.rpartition("}")[2] == "data" and text:
                    key = child.get("key", "")
                    # yEd keeps a label inside a drawing; its name says "nodegraphics".
                    name = "label" if len(child) else names.get(key, key)
                    values[name] = text
            if tag == "node":
                found.node(element.get("id", ""), values)
            else:
                ends = element.get("source", ""), element.get("target", "")
                found.edge(*ends, values.get("weight"))
            element.clear()


def _child_text(element: Element, tag: str) -> str | None:
    for child in element:
        if child.tag.rpartition("}")[2] == tag:
            return child.text
    return None


def _gexf(elements: Iterator[tuple[str, str, Element]], found: CollectedGraph) -> None:
    names: dict[str, str] = {}
    of_nodes = False
    for event, tag, element in elements:
        if event == "start":
            if tag == "graph":
                found.directed = element.get("defaultedgetype", "undirected") == "directed"
            elif tag == "attributes":
                of_nodes = element.get("class") == "node"
            continue
        if tag == "attribute" and of_nodes:
            names[element.get("id", "")] = str(element.get("title") or element.get("id"))
        elif tag == "node":
            values: dict[str, str] = {}
            if element.get("label"):
                values["label"] = element.get("label", "")
            for child in element.iter():
                if child.tag.rpartition("}")[2] == "attvalue":
                    key = child.get("for") or child.get("id") or ""
                    values[names.get(key, key)] = child.get("value", "")
            found.node(element.get("id", ""), values)
            element.clear()
        elif tag == "edge":
            found.edge(element.get("source", ""), element.get("target", ""), element.get("weight"))
            element.clear()
