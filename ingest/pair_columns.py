"""Which columns of a table hold the two sides of pairs, or users and items, and their weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import ParameterError, UnreadableSource
from core.modality import Modality
from ingest.dataset import WeightKind
from ingest.listed_cells import first_of_lists, holds_lists
from ingest.pair_guesses import (
    CLEAR_PAIRS,
    COUNT,
    LIKELY_PAIRS,
    RATING,
    TIME,
    Column,
    Found,
    by_names,
    is_of_answers,
    lone_count,
    longest_two,
    pair_weight,
    text_and_file,
    two_keys,
    users_and_items,
)
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions, require_column
from ingest.values import as_numbers, understand

PAIR_ROLES = ("left", "right", "weight", "ignored")
_SIDES = {"left": "left", "user": "left", "right": "right", "item": "right"}

_FEWEST, _MOST = 3, 8  # columns
_NO_NOUN = re.compile(r"[^\w ()'’,]")  # markup or an address: a side is named in many sentences


@dataclass(frozen=True)
class PairColumns:
    """The columns that make pairs.

    Attributes
    ----------
    left, right : str
    weight, time : str or None
    is_clear : bool
        The names leave no doubt; otherwise it is a guess that the user has to ask for.
    weight_kind : {"", "rating", "count"}
        What the name of the weight says. A count (plays, clicks; also of rows, without a weight)
        adds up where a pair is repeated.
    others : tuple of str
        Columns that are left, in order, those excepted that are to be ignored.
    reasons : dict of str to str
        Why each column plays its part.
    """

    left: str
    right: str
    weight: str | None = None
    time: str | None = None
    is_clear: bool = False
    weight_kind: WeightKind = ""
    others: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)


def pair_columns(
    table: RawTable, options: ReadOptions, *, where: str, with_images: bool = False
) -> PairColumns | None:
    """Return the columns of text pairs, or of a text and the name of its image; None if none.

    Raises
    ------
    ParameterError
        If the options name a column that does not exist, or one side twice.
    """
    said = said_sides(table, options, where)
    free = _free(table, options, said)
    texts = [column for column in free if column.is_string]
    named: Found | None = None
    if with_images:
        named = text_and_file(texts)
    found = named or by_names(texts, CLEAR_PAIRS, is_clear=not is_of_answers(free))
    found = found or by_names(texts, LIKELY_PAIRS, is_clear=False) or longest_two(texts)
    weight = pair_weight([c for c in free if not found or c.name not in found[:2]])
    rest = [c for c in free if not c.is_string and c.values.kind != "other"]
    names = [c.name for c in (*texts, *rest)]
    return _settled(table, options, said, found, names, weight, None)


def interaction_columns(table: RawTable, options: ReadOptions, *, where: str) -> PairColumns | None:
    """Return the columns of users, items, weights and times; None if there are no two for them.

    Raises
    ------
    ParameterError
        As ``pair_columns``.
    """
    said = said_sides(table, options, where)
    free = _free(table, options, said)
    found = users_and_items(free, is_head=not table.is_complete)
    if found is None and options.kind is Modality.INTERACTIONS:
        found = two_keys(free)
    rest = [c for c in free if not found or c.name not in found[:2]]
    numbers = [c for c in rest if c.values.kind == "number"]
    weight = next((c.name for c in numbers if RATING.fullmatch(c.name)), None)
    weight = weight or next((c.name for c in numbers if COUNT.fullmatch(c.name)), None)
    dated = [c.name for c in rest if c.values.kind == "time" or TIME.fullmatch(c.name)]
    if found and weight is None and "column" in found[2] and numbers:
        weight = numbers[0].name  # user, item, rating, time without a header
        dated = dated or [c.name for c in numbers[1:2]]
    if found and weight is None:
        sides = [c for c in free if c.name in found[:2]]
        weight = lone_count([c for c in rest if c.name not in dated], sides)
    times = [name for name in dated if name != weight]
    return _settled(
        table,
        options,
        said,
        found,
        [c.name for c in free if c.values.kind != "other"],
        weight,
        next(iter(times), None),
    )


def may_be_interactions(table: RawTable) -> bool:
    """Tell whether a table of a few columns may be read as interactions if one asks for it."""
    if not _FEWEST <= len(table.names) <= _MOST:
        return False
    return two_keys(_free(table, ReadOptions(), {})) is not None


def said_sides(table: RawTable, options: ReadOptions, where: str) -> dict[str, str]:
    """Return the columns that the user gives a part: left, right, weight, time.

    Raises
    ------
    ParameterError
    """
    said: dict[str, str] = {}
    for option in ("left", "right", "weight"):
        name = getattr(options, option)
        if name is not None:
            require_column(name, table.names, where=where, option=option)
            said[option] = name
    for name, role in options.columns.items():
        part = _SIDES.get(role, role if role in {"weight", "time"} else None)
        if part is None or name not in table.names:
            continue
        if said.get(part, name) != name and part != "time":
            raise ParameterError(
                f"{where}: {said[part]!r} and {name!r} both have the role {role}. "
                "Give it to one column, and another role to the other."
            )
        said.setdefault(part, name)
    if "left" in said and said["left"] == said.get("right"):
        raise ParameterError(
            f"{where}: {said['left']!r} cannot be both sides of a pair. Choose two columns."
        )
    return said


def _free(table: RawTable, options: ReadOptions, said: dict[str, str]) -> list[Column]:
    """Return the columns whose part is still open."""
    taken = {*said.values(), *options.columns}
    return [
        Column(name, understand(first_of_lists(data)))
        for name, data in zip(table.names, table.columns, strict=True)
        if name not in taken
    ]


def _settled(
    table: RawTable,
    options: ReadOptions,
    said: dict[str, str],
    found: Found | None,
    free: Sequence[str],
    weight: str | None,
    time: str | None,
) -> PairColumns | None:
    """Return what was said, and what was found for the rest."""
    left, right = said.get("left"), said.get("right")
    is_asked = options.kind in {Modality.PAIRS, Modality.INTERACTIONS}
    if found is None and left is None and right is None and not is_asked:
        return None
    open_ = [name for name in (found[:2] if found else free) if name not in {left, right}]
    if left is None or right is None:
        # One side said: the other is the guess for its own side, else whatever guess is left.
        guess = dict(zip(("left", "right"), found or (), strict=False))
        for side in ("left", "right"):
            if side in said:
                continue
            name = guess.get(side)
            name = name if name in open_ else next(iter(open_), None)
            name = name or next((n for n in free if n not in {left, right}), None)
            if name is None:
                return None
            open_ = [other for other in open_ if other != name]
            left, right = (name, right) if side == "left" else (left, name)
    if left is None or right is None:
        return None
    for name in (left, right):
        _require_cells(table, name)
    weight = said.get("weight", weight if weight not in {left, right} else None)
    time = said.get("time", time if time not in {left, right, weight} else None)
    why = found[2] if found else "the first columns of the file"
    parts = {"left": left, "right": right, "weight": weight, "time": time}
    reasons = {
        name: "as you said" if name in said.values() else why if part in _SIDES else f"a {part}"
        for part, name in parts.items()
        if name is not None
    }
    used = {name for name in parts.values() if name is not None}
    ignored = {name for name, role in options.columns.items() if role == "ignored"}
    others = tuple(name for name in table.names if name not in used | ignored)
    kind: WeightKind = "count" if weight is None or COUNT.fullmatch(weight) else ""
    kind = "rating" if weight is not None and RATING.fullmatch(weight) else kind
    is_clear = bool(found and found[3]) or {"left", "right"} <= set(said)
    return PairColumns(left, right, weight, time, is_clear, kind, others, reasons)


def _require_cells(table: RawTable, name: str) -> None:
    kind = table.column(name).type
    if holds_lists(table.column(name)):
        return
    if pa.types.is_nested(kind) or understand(table.column(name).slice(0, 1)).kind == "other":
        raise UnreadableSource(
            f"Column {name!r} holds {kind} values, not texts or ids. Choose another one, or write "
            "them as text; images belong into files of their own, named in a column."
        )


def weights_of(table: RawTable, column: str) -> tuple[pa.ChunkedArray, str]:
    """Return a weight column as float64 (missing where no finite number), and what was mended."""
    values = as_numbers(table.column(column))
    return pc.cast(values.data, pa.float64(), safe=False), values.note


def side_names(columns: PairColumns, kinds: tuple[Modality, Modality]) -> tuple[str, str]:
    """Return what the two sides are called: by their kinds, by the column names, or left, right."""
    if kinds[0] is not kinds[1]:
        return str(kinds[0]), str(kinds[1])
    if kinds[0] is Modality.TEXT:
        left, right = (_called(name) for name in (columns.left, columns.right))
        if left and right and left.lower() != right.lower():
            return left, right
    return "left", "right"


def _called(name: str) -> str:
    plain = re.sub(r"[ _-]+", " ", name).strip()
    known = {"qtext": "question", "atext": "answer", "pos": "positive", "doc": "document"}
    plain = known.get(plain.lower(), plain)
    if name.startswith("column_") or len(plain) > 24 or _NO_NOUN.search(plain):
        return ""
    return plain
