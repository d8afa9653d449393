"""What a file says about the nodes of a graph: its own attributes, and a table joined by id."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from core.errors import UnreadableSource
from ingest.dataset import Role
from ingest.preview import ColumnGuess
from ingest.raw_graph import RawGraph, check_nodes
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions
from ingest.side_table import aligned, described, key_column, keys_of, read_side_table
from ingest.source import Source
from ingest.wording import count


@dataclass(frozen=True, eq=False)
class JoinableTable:
    """A node table and the column that names the nodes.

    ``keys`` are its cells in the names the graph uses.
    """

    name: str
    table: RawTable
    key: str
    keys: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class NodeTable:
    """All nodes of a graph with their columns.

    Attributes
    ----------
    ids : sequence of str
    place : (n_in_edges,) int32
        Where each node of the raw graph is among ``ids``.
    columns : pandas.DataFrame
    roles : dict of str to Role
    guesses : tuple of ColumnGuess
    notes : tuple of str
    """

    ids: Sequence[str]
    place: NDArray[np.int32]
    columns: pd.DataFrame
    roles: dict[str, Role]
    guesses: tuple[ColumnGuess, ...] = ()
    notes: tuple[str, ...] = ()


def read_node_table(source: Source, graph: RawGraph, options: ReadOptions) -> JoinableTable:
    """Return the table of ``source`` with the column that names the nodes of ``graph``.

    Raises
    ------
    UnreadableSource
        If no column does.
    """
    for header in (None, "none"):  # a header of words above words is guessed wrong at times
        table = read_side_table(source, options, header=header)
        for names in (graph.ids, graph.other_ids):
            if names is None:
                continue
            key = key_column(table, source.name, names, said=options.id)
            if key is not None:
                same = dict(zip(names, graph.ids, strict=True))
                keys = tuple(same.get(cell, cell) for cell in keys_of(table, key))
                return JoinableTable(source.name, table, key, keys)
    raise UnreadableSource(
        f"{source.name}: no column of it names the nodes (the first node is {graph.ids[0]!r}). "
        "Give a table with one row per node, and say which column is the id."
    )


def join_nodes(graph: RawGraph, table: JoinableTable | None, options: ReadOptions) -> NodeTable:
    """Return the nodes of the table first, in its order, then those that only edges have."""
    ids: list[str] = list(graph.ids)
    notes: tuple[str, ...] = ()
    if table is not None:
        first = dict.fromkeys(key for key in table.keys if key)
        only_edges = [id for id in ids if id not in first]
        notes = _notes(table, len(first), len(ids) - len(only_edges), only_edges)
        ids = [*first, *only_edges]
        check_nodes(len(ids), table.name, options.limits)
    position = {id: place for place, id in enumerate(ids)}
    place = np.fromiter((position[id] for id in graph.ids), np.int32, len(graph.ids))
    columns = pd.DataFrame(index=pd.RangeIndex(len(ids)))
    roles: dict[str, Role] = {}
    guesses: tuple[ColumnGuess, ...] = ()
    if table is not None:
        rest, _, _ = aligned(_with_keys(table), table.key, ids)
        said = _options_for(rest.names, options)
        columns, roles, guesses = described(rest, said, where=table.name)
    if graph.attributes is not None:
        said = _options_for(graph.attributes.names, options)
        own, own_roles, own_guesses = described(graph.attributes, said, where="the graph")
        rows = pd.Index(list(graph.ids)).get_indexer(pd.Index(ids))
        own = own.reindex(np.where(rows >= 0, rows, len(own))).reset_index(drop=True)
        new = [name for name in own_roles if name not in columns]
        columns = pd.concat([columns, own[new]], axis=1)
        roles |= {name: own_roles[name] for name in new}
        guesses = (*guesses, *(guess for guess in own_guesses if guess.name in new))
    return NodeTable(ids, place, columns, roles, guesses, notes)


def _with_keys(table: JoinableTable) -> RawTable:
    """Return the table with its key column in the names the graph uses."""
    keys = pa.chunked_array([pa.array(table.keys, pa.large_string())])
    raw = table.table
    columns = tuple(
        keys if name == table.key else column
        for name, column in zip(raw.names, raw.columns, strict=True)
    )
    return dataclasses.replace(raw, columns=columns)


def _options_for(names: Sequence[str], options: ReadOptions) -> ReadOptions:
    """Return options without a label that belongs to the other table."""
    known = options.label is None or options.label in names
    return options if known else dataclasses.replace(options, label=None)


def _notes(
    table: JoinableTable, n_rows: int, n_matched: int, only_edges: Sequence[str]
) -> tuple[str, ...]:
    notes = [
        f"{table.name}: {count(n_rows, 'node')} by column {table.key!r}, {n_matched:,} in edges."
    ]
    n_repeated = len(table.keys) - n_rows
    if n_repeated:
        notes.append(f"{count(n_repeated, 'row')} of it left out: no id, or a repeated one.")
    if only_edges:
        notes.append(f"{count(len(only_edges), 'node')} in edges only ({only_edges[0]!r} …).")
    return tuple(notes)
