"""Interactions: who liked, bought or rated what, with tables about users and items beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.errors import EmbedscopeError, ParameterError, UnreadableSource
from core.modality import Modality
from ingest.dataset import Dataset, Dropped, Edges
from ingest.limits import MB
from ingest.linking import Coded, Links, coded, linked
from ingest.listed_cells import spread
from ingest.pair_columns import (
    PairColumns,
    interaction_columns,
    may_be_interactions,
    weights_of,
)
from ingest.pair_guesses import side_called
from ingest.pair_preview import column_guesses, first_rows
from ingest.preview import Preview
from ingest.raw_table import RawTable
from ingest.reader import Certainty, ReadOptions, Recognition, Sources
from ingest.side_columns import (
    SideColumns,
    described_side,
    own_columns,
    side_by_side,
    unique_across,
)
from ingest.side_table import SIDE_SUFFIXES, aligned, key_column, keys_of, read_side_table
from ingest.sides import Sides
from ingest.source import Source, as_source
from ingest.tabular import load_table, table_certainty, table_head
from ingest.values import as_times, understand
from ingest.wording import count

NAMES: Final = ("user", "item")
_PREVIEW_ROWS = 20_000
_MAX_SOURCES = 8
_BESIDE_SHOWN = 4 * MB
_CLEARLY_BETTER = 0.1


@dataclass(frozen=True, eq=False)
class _Beside:
    """A table about the users or the items: which side, and its columns in their order."""

    side: int
    columns: SideColumns
    note: str
    key: str = ""


class InteractionsReader:
    """Reads a table of users, items and, where there are, ratings and times."""

    kinds = frozenset({Modality.INTERACTIONS})

    def recognise(self, sources: Sources) -> Recognition | None:
        """Return a claim to a table with columns called, or else looking, like users and items."""
        if not 1 <= len(sources) <= _MAX_SOURCES:
            return None
        try:
            found = _main(sources, ReadOptions())
        except EmbedscopeError:
            return None
        if found is None:
            return _offered(sources)
        main, columns, others = found
        said = f"interactions, {table_head(main).format}"
        if not others:
            surety = Certainty.POSSIBLE
            if columns.is_clear:  # as sure as that there is a table
                surety = max(Certainty.LIKELY, table_certainty(main) or surety)
            return Recognition(Modality.INTERACTIONS, surety, said)
        fits = columns.is_clear and all(_shares_a_name(other, columns) for other in others)
        surety = Certainty.CERTAIN if fits else Certainty.POSSIBLE
        return Recognition(Modality.INTERACTIONS, surety, f"{said}, with a table beside")

    def inspect(self, sources: Sources, options: ReadOptions) -> Preview:
        """Return the columns and their parts, from the first 20,000 rows."""
        main, columns, others = _needed(sources, options)
        table = load_table(main, options, max_rows=_PREVIEW_ROWS)
        columns = interaction_columns(table, options, where=main.name) or columns
        head, guesses = first_rows(table), column_guesses(table, columns, roles=NAMES)
        n_inspected = len(table)
        table, origin = spread(table, (columns.left, columns.right))
        users, items, links = _links(table, columns, origin, where=main.name)
        beside = [_told(other, columns, links, (users, items), options) for other in others]
        seen = "" if table.is_complete else " in the rows looked at"
        sizes = f"{_sizes(links)}{seen}."
        return Preview(
            Modality.INTERACTIONS,
            ", ".join([main.name, *(s.name for s in others)]) if others else table.format,
            n_items=len(links.left) + len(links.right) if table.is_complete else None,
            n_inspected=n_inspected,
            rows=head,
            columns=guesses,
            options={
                **table.options,
                "user": columns.left,
                "item": columns.right,
                "weight": columns.weight,
            },
            notes=(
                sizes,
                *_why(columns, options),
                *_parts(columns),
                *_low_ratings(links),
                *table.notes,
                *beside,
            ),
            warnings=(*table.warnings, *links.notes),
        )

    def read(self, sources: Sources, options: ReadOptions) -> Dataset:
        """Return users, then items, and one edge for each distinct pair of them.

        Raises
        ------
        UnreadableSource, TooLarge, ParameterError
        """
        main, columns, others = _needed(sources, options)
        table = load_table(main, options)
        columns = interaction_columns(table, options, where=main.name) or columns
        table, origin = spread(table, (columns.left, columns.right))
        users, items, links = _links(table, columns, origin, where=main.name)
        own = own_columns(
            table, columns.others, links, (users.code, items.code), options, where=main.name
        )
        raw = _values(users, links.left), _values(items, links.right)
        tables = [_beside(other, raw, columns, options) for other in others]
        ids, id_notes = unique_across(*raw, NAMES)
        sides = Sides(NAMES, (None, None), len(raw[0]))
        frame, roles = side_by_side(
            sides,
            len(ids),
            [own[0], *(t.columns for t in tables if t.side == 0)],
            [own[1], *(t.columns for t in tables if t.side == 1)],
        )
        dropped: tuple[Dropped, ...] = (*table.dropped, *links.dropped)
        return Dataset(
            main.name,
            Modality.INTERACTIONS,
            ids,
            None,
            frame,
            roles,
            edges=edges_of(links),
            sides=sides,
            weight_kind="rating" if _are_ratings(columns, links.weight) else columns.weight_kind,
            dropped=dropped[: Dataset.MAX_LISTED],
            n_dropped=max(table.n_dropped, len(table.dropped)) + links.n_dropped,
            notes=(
                f"Read as {table.format}.",
                *table.notes,
                *table.warnings,
                f"{_sizes(links)}.",
                *_why(columns, options),
                *_parts(columns),
                *links.notes,
                *_low_ratings(links),
                *id_notes,
                *(t.note for t in tables),
                *left_out_note(own[2], "one user or one item"),
            ),
        )


def edges_of(links: Links) -> Edges:
    """Return links as edges between positions of a dataset, left things first."""
    n_left = np.int32(len(links.left))
    return Edges(links.source, links.target + n_left, links.weight, directed=True)


def left_out_note(names: Sequence[str], of: str) -> list[str]:
    """Return a sentence on columns that belong to no thing, if any."""
    shown = ", ".join(map(repr, names[:8]))
    return [f"Left out, as they do not belong to {of} alone: {shown}."] if names else []


def _sizes(links: Links) -> str:
    users, items = count(len(links.left), "user"), count(len(links.right), "item")
    return f"{users} × {items}, {count(len(links.source), 'interaction')}"


def _why(columns: PairColumns, options: ReadOptions) -> list[str]:
    if options.kind is not None:
        return []
    called = f"{columns.left!r} and {columns.right!r}"
    return [f"Taken as interactions, because two columns are called {called}."]


def _parts(columns: PairColumns) -> list[str]:
    weight = f"weights from {columns.weight!r}" if columns.weight else "no weights: each counts 1"
    time = f", in the order of {columns.time!r}" if columns.time else ""
    return [f"Users from {columns.left!r}, items from {columns.right!r}, {weight}{time}."]


def _offered(sources: Sources) -> Recognition | None:
    """Return the weakest claim: to one table, for those who know better what its columns are."""
    if len(sources) > 1 or (table_certainty(sources[0]) or 0) <= Certainty.POSSIBLE:
        return None
    try:
        table = table_head(sources[0])
        if not may_be_interactions(table):
            return None
    except EmbedscopeError:
        return None
    said = f"interactions, {table.format}"
    return Recognition(Modality.INTERACTIONS, Certainty.POSSIBLE, said)


def _are_ratings(columns: PairColumns, weight: NDArray[Any] | None) -> bool:
    """Tell whether weights are ratings: by the name of their column, or as some are negative.

    A rating of 0 or less makes no liking, but says that the user knows the item.
    """
    if weight is None or columns.weight_kind:
        return columns.weight_kind == "rating"
    return bool((weight < 0).any())


def _low_ratings(links: Links) -> list[str]:
    n = int((links.weight <= 0).sum())
    return [f"{count(n, 'rating')} of 0 or less kept: users know those items."] if n else []


def _main(
    sources: Sources, options: ReadOptions
) -> tuple[Source, PairColumns, list[Source]] | None:
    """Return the table of interactions, its columns and the sources beside it."""
    found: list[tuple[bool, bool, int, Source, PairColumns]] = []
    for source in sources:
        if table_certainty(source) is None or (len(sources) > 1 and not _is_table(source)):
            continue
        table = table_head(source) if _plain(options) else load_table(source, options, max_rows=200)
        try:
            columns = interaction_columns(table, options, where=source.name)
        except ParameterError:
            if len(sources) == 1:
                raise
            continue  # the columns that were named are those of another table
        if columns is not None:
            rated = columns.weight is not None
            found.append((columns.is_clear, rated, source.size, source, columns))
    if not found:
        return None
    _, _, _, main, columns = max(found, key=lambda each: each[:3])
    return main, columns, [source for source in sources if source is not main]


def _plain(options: ReadOptions) -> bool:
    """Tell whether nothing is said about how the file is written."""
    said = (options.delimiter, options.encoding, options.quotechar, options.header, options.sheet)
    return said == (None,) * 5


def _is_table(source: Source) -> bool:
    return source.suffix in SIDE_SUFFIXES or source.suffix in {".dat", ".data", ".gz"}


def _needed(sources: Sources, options: ReadOptions) -> tuple[Source, PairColumns, list[Source]]:
    found = _main(sources, options)
    if found is None or len(sources) > _MAX_SOURCES:
        names = ", ".join(source.name for source in list(sources)[:5])
        raise UnreadableSource(
            f"{names}: no two columns of users and items were found. Give one table with a row "
            "per interaction, and tables about items and users beside it."
        )
    if options.metadata is not None:
        return found[0], found[1], [*found[2], as_source(options.metadata)]
    return found


def _shares_a_name(source: Source, columns: PairColumns) -> bool:
    try:
        names = [name.lower() for name in table_head(source).names]
    except EmbedscopeError:
        return False
    return columns.left.lower() in names or columns.right.lower() in names


def _links(
    table: RawTable, columns: PairColumns, origin: NDArray[np.int64], *, where: str
) -> tuple[Coded, Coded, Links]:
    users = coded(table.column(columns.left), missing="no user", trim=True)
    items = coded(table.column(columns.right), missing="no item", trim=True)
    weight = None
    if columns.weight is not None:
        weight = _floats(weights_of(table, columns.weight)[0])
    # Beside negative ratings a 0 is one too; where none is negative it mostly means "not rated".
    are_ratings = _are_ratings(columns, weight)
    are_signed = are_ratings and weight is not None and bool((weight < 0).any())
    links = linked(
        users,
        items,
        weight,
        None if columns.time is None else _times(table, columns.time),
        repeats="sum" if columns.weight_kind == "count" else "last",
        keeps_things=False,
        any_weight=are_signed,
        origin=origin,
    )
    if not len(links.source):
        why = links.dropped[0].reason if links.dropped else "no row"
        raise UnreadableSource(
            f"{where}: no row has a user, an item and a "
            f"{'rating' if are_ratings else 'positive weight'} (row 1: {why}). "
            "Choose other columns."
        )
    return users, items, links


def _floats(data: pa.ChunkedArray) -> NDArray[np.float64]:
    values: NDArray[np.float64] = pc.fill_null(data, float("nan")).to_numpy()
    return values


def _times(table: RawTable, column: str) -> NDArray[np.float64]:
    """Return moments as numbers: seconds as they stand, or microseconds of a date."""
    values = understand(table.column(column))
    if values.kind != "number":
        values = as_times(table.column(column))
        return _floats(pc.cast(pc.cast(values.data, pa.int64()), pa.float64(), safe=False))
    return _floats(pc.cast(values.data, pa.float64(), safe=False))


def _values(side: Coded, things: NDArray[np.int32]) -> list[str]:
    return [side.values[code] for code in things.tolist()]


def _beside(
    source: Source,
    ids: tuple[Sequence[str], Sequence[str]],
    columns: PairColumns,
    options: ReadOptions,
) -> _Beside:
    """Return a table about users or items in their order.

    The column that is called as in the table of interactions says whose it is; else the words in
    the name of the file and of its key; else how well its ids fit those of either side.
    """
    table = read_side_table(source, options)
    side, key, why_not = _whose(table, source, ids, columns)
    if not why_not and _n_repeats(keys := keys_of(table, key)) > 0.5 * len(keys):
        why_not = f"it has several rows for one {NAMES[side]} ({key!r}); give it one row each"
    if why_not:
        empty = SideColumns(pd.DataFrame(), {})
        return _Beside(1, empty, f"{source.name} was left out: {why_not}.")
    return _joined(source.name, table, key, side, ids[side], options)


def _whose(
    table: RawTable,
    source: Source,
    ids: tuple[Sequence[str], Sequence[str]],
    columns: PairColumns,
) -> tuple[int, str, str]:
    """Return the side a table tells of and the column of its ids, or why that is not known."""
    names = {name.lower(): name for name in table.names}
    called = [names.get(name.lower()) for name in (columns.left, columns.right)]
    named = [(side, key) for side, key in enumerate(called) if key is not None]
    if named:  # of two, the one with a row each; a table of users may name their best item
        side, key = min(named[::-1], key=lambda each: _n_repeats(keys_of(table, each[1])))
        return side, key, ""
    fits = []
    for side in (0, 1):
        best = key_column(table, source.name, ids[side])
        if best is not None:
            fits.append((_fit(keys_of(table, best), ids[side]), side, best))
    if not fits:
        return 1, "", "no column of it names the users or the items"
    for _, side, key in fits:
        if side_called(source.stem, key) == side:
            return side, key, ""
    fits.sort(reverse=True)
    if len(fits) == 2 and fits[0][0] - fits[1][0] < _CLEARLY_BETTER:
        why_not = (
            f"its ids ({fits[0][2]!r}) fit users and items alike; call that column "
            f"{columns.left!r} or {columns.right!r}"
        )
        return 1, "", why_not
    return fits[0][1], fits[0][2], ""


def _fit(keys: Sequence[str], ids: Sequence[str]) -> float:
    """Return how many of the rows are known ids, times how many of the ids have a row."""
    both = len(set(keys) & set(ids))
    return both / max(len(set(keys)), 1) * both / max(len(ids), 1)


def _n_repeats(keys: Sequence[str]) -> int:
    present = [key for key in keys if key]
    return len(present) - len(set(present))


def _told(
    source: Source,
    columns: PairColumns,
    links: Links,
    sides: tuple[Coded, Coded],
    options: ReadOptions,
) -> str:
    """Return a sentence on how a table beside would be joined."""
    if source.size > _BESIDE_SHOWN:
        return f"{source.name} is joined by id when it is read."
    ids = _values(sides[0], links.left), _values(sides[1], links.right)
    found = _beside(source, ids, columns, options)
    if not found.key:
        return found.note
    names = ", ".join(found.columns.roles)
    return f"{source.name} is joined to the {NAMES[found.side]}s by {found.key!r}: {names}."


def _joined(
    name: str, table: RawTable, key: str, side: int, ids: Sequence[str], options: ReadOptions
) -> _Beside:
    rest, n_missing, n_over = aligned(table, key, ids)
    noun = NAMES[side]
    known = f"{len(ids) - n_missing:,} of {count(len(ids), noun)} have a row"
    over = f"; {count(n_over, 'row')} left out, as no interaction has that {noun}" if n_over else ""
    n_repeats = _n_repeats(keys_of(table, key))
    again = f"; {count(n_repeats, 'row')} with an id met before left out" if n_repeats else ""
    note = f"Columns of {name} were joined by {key!r}: {known}{over}{again}."
    return _Beside(side, described_side(rest, options, name), note, key)


READER = InteractionsReader()
