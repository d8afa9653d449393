"""GML: nested lists of keys and values."""

from __future__ import annotations

import re
from typing import Any

from core.errors import UnreadableSource
from ingest.collected_graph import CollectedGraph
from ingest.limits import Limits
from ingest.plain_table import text_bytes
from ingest.source import Source

_TOKEN = re.compile(r'"(?:[^"]*)"|\[|\]|[^\s\[\]"]+')
_ENTITY = re.compile(r"&(?:#(\d+)|#x([0-9a-fA-F]+)|(quot|amp|lt|gt|apos));")
_NAMED = {"quot": '"', "amp": "&", "lt": "<", "gt": ">", "apos": "'"}
_RECORDS = (["graph", "node"], ["graph", "edge"])


def read_gml(source: Source, found: CollectedGraph, limits: Limits) -> None:
    """Read GML into ``found``."""
    data, _ = text_bytes(source, limits)
    text = re.sub(r"(?m)^\s*#.*$", "", data.decode("utf-8", "replace"))
    depth_key: list[str] = []
    values: dict[str, Any] = {}
    key: str | None = None
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "[":
            depth_key.append((key or "").casefold())
            if depth_key in _RECORDS:
                values = {}
            key = None
        elif token == "]":
            if not depth_key:
                raise UnreadableSource(f"{source.name} has a ']' without its '['. Save it again.")
            if depth_key in _RECORDS:
                _gml_record(depth_key[-1], values, found)
            depth_key.pop()
            key = None
        elif key is None:
            key = token
        else:
            if depth_key in _RECORDS:
                values[key] = _gml_value(token)
            elif depth_key == ["graph"] and key.casefold() == "directed":
                found.directed = token == "1"
            key = None
    if depth_key:
        raise UnreadableSource(
            f"{source.name} ends inside {' > '.join(depth_key)}: the file is cut off. "
            "Save it again."
        )
    if found.directed is None:
        found.directed = False  # the GML specification's default


def _gml_record(kind: str, values: dict[str, Any], found: CollectedGraph) -> None:
    if kind == "node":
        if "id" in values:
            found.node(values["id"], {k: v for k, v in values.items() if k != "id"})
    elif "source" in values and "target" in values:
        weight = values.get("weight", values.get("value"))
        found.edge(values["source"], values["target"], weight)


def _gml_value(token: str) -> str:
    if not token.startswith('"'):
        return token
    return _ENTITY.sub(_entity, token[1:-1])


def _entity(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"
