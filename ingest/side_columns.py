"""What is known about the things on two sides: columns of their own rows, and of tables beside."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ingest.dataset import Role
from ingest.linking import Links, constant_within
from ingest.preview import ColumnGuess
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions
from ingest.side_table import described
from ingest.sides import SIDE_COLUMN, Sides

_NAME = re.compile(r"(?i)(?:.*[ _-])?(?:title|name)")
_CLASSES = {"categorical", "label"}
_OTHER_ROLES = {"left", "right", "user", "item", "weight"}


@dataclass(frozen=True, eq=False)
class SideColumns:
    """Columns over the things of one side, in their order."""

    frame: pd.DataFrame
    roles: dict[str, Role]
    guesses: tuple[ColumnGuess, ...] = ()


def own_columns(
    table: RawTable,
    names: Sequence[str],
    links: Links,
    codes: tuple[NDArray[np.int32], NDArray[np.int32]],
    options: ReadOptions,
    *,
    where: str,
) -> tuple[SideColumns, SideColumns, tuple[str, ...]]:
    """Return the columns of the pairs' table that tell something about one thing.

    A column belongs to a side if it has one value per thing there; to both, if so on both. The
    names of those that belong to neither come last.
    """
    parts, found = [], set()
    for code, first, things in (
        (codes[0], links.left_row, links.left),
        (codes[1], links.right_row, links.right),
    ):
        place = np.full(int(code.max(initial=-1)) + 2, -1, np.int32)
        place[things] = np.arange(len(things), dtype=np.int32)
        group = place[code[links.rows]]
        own = tuple(
            name for name in names if constant_within(table.column(name), group, links.rows)
        )
        found |= set(own)
        taken = tuple(table.column(name).take(pa.array(first)) for name in own)
        parts.append(
            described_side(dataclasses.replace(table, names=own, columns=taken), options, where)
        )
    return parts[0], parts[1], tuple(name for name in names if name not in found)


def described_side(table: RawTable, options: ReadOptions, where: str) -> SideColumns:
    """Return the columns of a table with one row per thing, in their types and with roles."""
    said = {name: role for name, role in options.columns.items() if role not in _OTHER_ROLES}
    label = options.label if options.label in table.names else None
    own = dataclasses.replace(options, columns=said, label=label)
    frame, roles, guesses = described(table, own, where=where, only_column_is_label=False)
    for name in roles:
        is_name = bool(_NAME.fullmatch(name)) and name not in said and name != label
        if is_name and not frame[name].duplicated().any() and roles[name] in _CLASSES:
            roles[name] = "text"  # a short list of titles looks like classes
    return SideColumns(frame, roles, guesses)


def side_by_side(
    sides: Sides, n: int, left: Sequence[SideColumns], right: Sequence[SideColumns]
) -> tuple[pd.DataFrame, dict[str, Role]]:
    """Return one frame over all things, the column "side" first; empty for the other side."""
    frame = pd.DataFrame({SIDE_COLUMN: sides.kinds(n)})
    roles: dict[str, Role] = {SIDE_COLUMN: "label"}
    halves: dict[str, dict[int, Any]] = {}
    said: dict[str, Role] = {}
    for place, parts in enumerate((left, right)):
        for number, part in enumerate(parts):
            for name, role in part.roles.items():
                # The pairs' own column tells the same of both sides; tables beside may not.
                is_other = name in halves and (
                    number > 0 or said[name] != role or place in halves[name]
                )
                key = f"{sides.names[place]} {name}" if is_other else name
                said.setdefault(key, role)
                halves.setdefault(key, {})[place] = part.frame[name]
    lengths = (sides.n_left, n - sides.n_left)
    for name, half in halves.items():
        free = name
        while free in frame:
            free = f"{free} (column)"
        frame[free] = pd.concat(
            [half.get(side, _empty(half, length)) for side, length in enumerate(lengths)],
            ignore_index=True,
        )
        roles[free] = said[name]
    return frame, roles


def _empty(half: dict[int, Any], n: int) -> Any:
    """Return ``n`` missing values for the side that does not have the column."""
    kind = next(iter(half.values())).dtype
    is_number = pd.api.types.is_numeric_dtype(kind)
    return pd.Series([None] * n, dtype="float64" if is_number else kind)


def unique_across(
    left: Sequence[str], right: Sequence[str], names: tuple[str, str]
) -> tuple[tuple[str, ...], list[str]]:
    """Return ids that differ across the sides, and a sentence if that took a change.

    Where "1" stands on both sides, all ids get the name of their side: "user 1" and "item 1".
    """
    shared = set(left) & set(right)
    if not shared:
        return (*left, *right), []
    ids = [f"{names[0]} {id}" for id in left] + [f"{names[1]} {id}" for id in right]
    first = next(id for id in left if id in shared)
    note = (
        f"{len(shared):,} ids stand on both sides ({first!r} …): all are called by their side, "
        f"“{names[0]} {first}” and “{names[1]} {first}”."
    )
    taken: set[str] = set()
    for i in range(len(ids)):  # side names such as "a" and "a b" may meet again
        while ids[i] in taken:
            ids[i] += " (2)"
        taken.add(ids[i])
    return tuple(ids), [note]
