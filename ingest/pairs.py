"""Pairs: two columns of texts, or images with a table of their captions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa

from core.errors import EmbedscopeError, UnreadableSource
from core.modality import Modality
from ingest import images
from ingest.archive import is_zip
from ingest.dataset import Dataset, Dropped
from ingest.images import GatheredImages
from ingest.interactions import edges_of, left_out_note
from ingest.linking import Links
from ingest.listed_cells import spread
from ingest.pair_columns import PairColumns, pair_columns, side_names
from ingest.pair_preview import column_guesses, first_rows
from ingest.pair_sides import Side, ids_of, items_of, linked_sides, on_both_sides
from ingest.paired_items import PairedItems
from ingest.preview import Preview
from ingest.raw_table import RawTable
from ingest.reader import Certainty, ReadOptions, Recognition, Sources
from ingest.side_columns import own_columns, side_by_side, unique_across
from ingest.side_table import read_side_table
from ingest.sides import Sides
from ingest.source import Source, as_source
from ingest.tabular import load_table, table_certainty, table_head
from ingest.wording import count, many

_PREVIEW_ROWS = 20_000
_FOLDER = "folder"
_FILE = "file"


@dataclass(frozen=True, eq=False)
class _Given:
    """What lies before the reader: images (None for a table of texts) and the table of pairs."""

    name: str
    images: Sequence[Source] | None
    table: Source | None
    others: Sequence[Source] = ()


class PairsReader:
    """Reads pairs of texts, of a text and an image, and of two images."""

    kinds = frozenset({Modality.PAIRS})

    def recognise(self, sources: Sources) -> Recognition | None:
        """Return a claim to a table with two columns of texts, or to images with captions."""
        given = _given(sources, ReadOptions())
        if given.table is None:
            return None
        try:
            if given.images is None:
                if len(sources) != 1 or table_certainty(given.table) is None:
                    return None
                table = table_head(given.table)
            else:
                table = read_side_table(given.table, ReadOptions())
            found = pair_columns(
                table, ReadOptions(), where=given.name, with_images=given.images is not None
            )
        except EmbedscopeError:
            return None
        if found is None:
            return None
        is_likely = found.is_clear and given.images is None
        surety = Certainty.POSSIBLE
        if is_likely:  # as sure as that there is a table
            surety = max(Certainty.LIKELY, table_certainty(given.table) or surety)
        return Recognition(Modality.PAIRS, surety, f"pairs, {table.format}")

    def inspect(self, sources: Sources, options: ReadOptions) -> Preview:
        """Return the columns and their parts, and some of the images."""
        given = _given(sources, options)
        table = _table(given, options, max_rows=_PREVIEW_ROWS)
        columns = _columns(table, given, options)
        seen = _look(given, options)
        listed = seen.listed if seen else ()
        head = first_rows(table)
        guesses = column_guesses(table, columns, roles=("left", "right"))
        n_inspected = len(table)
        table, origin = spread(table, (columns.left, columns.right))
        sides, links = linked_sides(table, columns, listed, given.name, origin)
        names = side_names(columns, (sides[0].kind, sides[1].kind))
        looked = "" if table.is_complete else " in the rows looked at"
        return Preview(
            Modality.PAIRS,
            " and ".join(filter(None, [seen.format if seen else "", table.format])),
            n_items=_n_items(table, links, seen),
            n_inspected=n_inspected,
            rows=head,
            columns=guesses,
            options={
                **table.options,
                "left": columns.left,
                "right": columns.right,
                "weight": columns.weight,
            },
            notes=(
                f"{_sizes(links, names)}{looked}.",
                *_why(columns, options),
                *_parts(columns, names),
                *table.notes,
            ),
            warnings=(*table.warnings, *links.notes, *(seen.warnings if seen else ())),
            thumbnails=seen.thumbnails if seen else (),
        )

    def read(self, sources: Sources, options: ReadOptions) -> Dataset:
        """Return the distinct left things, then the distinct right ones, and the pairs as edges.

        Raises
        ------
        UnreadableSource, TooLarge, ParameterError
        """
        given = _given(sources, options)
        table = _table(given, options)
        columns = _columns(table, given, options)
        found = images.gather(given.images, options.limits) if given.images is not None else None
        pictures = found.ids if found else ()
        table, origin = spread(table, (columns.left, columns.right))
        sides, links = linked_sides(table, columns, pictures, given.name, origin)
        kinds = (sides[0].kind, sides[1].kind)
        names = side_names(columns, kinds)
        own = own_columns(
            table,
            columns.others,
            links,
            (sides[0].cells.code, sides[1].cells.code),
            options,
            where=given.name,
        )
        ids, id_notes = unique_across(
            ids_of(sides[0], names[0], links.left, links.left_row),
            ids_of(sides[1], names[1], links.right, links.right_row),
            names,
        )
        about = Sides(names, kinds, len(links.left))
        frame, roles = side_by_side(about, len(ids), [own[0]], [own[1]])
        left = items_of(sides[0], links.left, found, options, given.name)
        right = items_of(sides[1], links.right, found, options, given.name)
        dropped, n_dropped = _all_dropped(table, links, found, sides)
        return Dataset(
            given.name,
            Modality.PAIRS,
            ids,
            PairedItems(left, right),
            frame,
            roles,
            edges=edges_of(links),
            sides=about,
            dropped=dropped,
            n_dropped=n_dropped,
            notes=(
                f"Read as {table.format}.",
                *table.notes,
                *table.warnings,
                f"{_sizes(links, names)}.",
                *_why(columns, options),
                *_parts(columns, names),
                *links.notes,
                *on_both_sides(sides, links),
                *id_notes,
                *(f"{other.name} was left out." for other in given.others),
                *left_out_note(own[2], f"one {names[0]} or one {names[1]}"),
            ),
        )


def _given(sources: Sources, options: ReadOptions) -> _Given:
    """Tell images, their table and others apart."""
    pictures, tables = images.split_tables(sources)
    if options.metadata is not None:
        tables = [as_source(options.metadata)]
    claim = images.READER.recognise(pictures)
    if claim is None or claim.certainty < Certainty.CERTAIN:
        main = sources[0]
        return _Given(main.name, None, main, list(sources)[1:])
    name = next((s.name for s in pictures if is_zip(s)), tables[0].name if tables else "images")
    return _Given(name, pictures, tables[0] if tables else None, tables[1:])


def _table(given: _Given, options: ReadOptions, *, max_rows: int | None = None) -> RawTable:
    """Return the table of pairs; of images alone, their names and folders."""
    if given.table is None:
        return _folders(given)
    if given.images is None:
        return load_table(given.table, options, max_rows=max_rows)
    own = dataclasses.replace(options, label=None, text=(), id=None)
    return load_table(given.table, own, max_rows=max_rows)


def _folders(given: _Given) -> RawTable:
    """Return a table of image files and the folders they lie in, as words."""
    assert given.images is not None  # noqa: S101 -- told to the type checker
    files = images.image_names(given.images)
    folders = [PurePosixPath(name).parent.name.replace("_", " ") for name in files]
    if len(set(folders)) < 2:
        raise UnreadableSource(
            f"{given.name} holds images and nothing that belongs to them. Give a table with a "
            "column of file names and one of captions beside it, or folders named by what the "
            "images show."
        )
    columns = tuple(pa.chunked_array([pa.array(c, pa.large_string())]) for c in (folders, files))
    note = f"The pairs are the {count(len(files), 'image')} and the names of their folders."
    return RawTable((_FOLDER, _FILE), columns, "folders of images", notes=(note,))


def _columns(table: RawTable, given: _Given, options: ReadOptions) -> PairColumns:
    with_images = given.images is not None
    found = pair_columns(table, options, where=given.name, with_images=with_images)
    if found is None:
        want = "a text and the file name of its image" if with_images else "texts"
        raise UnreadableSource(
            f"{given.name}: no two columns of {want} were found; it has "
            f"{', '.join(map(repr, table.names[:12]))}. Name them with left= and right=."
        )
    return found


@dataclass(frozen=True, eq=False)
class _Look:
    listed: Sequence[str]
    format: str
    warnings: tuple[str, ...]
    thumbnails: tuple[tuple[str, bytes], ...]


def _look(given: _Given, options: ReadOptions) -> _Look | None:
    """Return the names of the images and some thumbnails, without decoding all."""
    if given.images is None:
        return None
    seen = images.READER.inspect(given.images, ReadOptions(limits=options.limits))
    return _Look(images.image_names(given.images), seen.format, seen.warnings, seen.thumbnails)


def _all_dropped(
    table: RawTable, links: Links, found: GatheredImages | None, sides: tuple[Side, Side]
) -> tuple[tuple[Dropped, ...], int]:
    dropped = [*table.dropped, *links.dropped]
    n = max(table.n_dropped, len(table.dropped)) + links.n_dropped
    if found is not None:
        used: set[int] = set()
        for side, things in zip(sides, (links.left, links.right), strict=True):
            if side.kind is Modality.IMAGE:
                used |= set(things.tolist())
        alone = [Dropped(i, "in no pair") for code, i in enumerate(found.ids) if code not in used]
        dropped += [*found.dropped, *alone]
        n += len(found.dropped) + len(alone)
    return tuple(dropped[: Dataset.MAX_LISTED]), n


def _n_items(table: RawTable, links: Links, seen: _Look | None) -> int | None:
    """Return how many items there will be, where no image is known to be broken."""
    known = table.is_complete and not (seen and seen.warnings)
    return len(links.left) + len(links.right) if known else None


def _sizes(links: Links, names: tuple[str, str]) -> str:
    n_left, n_right = len(links.left), len(links.right)
    left, right = many(n_left, names[0]), many(n_right, names[1])
    if names == ("left", "right"):
        left, right = f"{n_left:,} things on the left", f"{n_right:,} on the right"
    return f"{count(len(links.source), 'pair')} of {left} and {right}"


def _why(columns: PairColumns, options: ReadOptions) -> list[str]:
    if options.kind is not None:
        return []
    called = f"{columns.left!r} and {columns.right!r}"
    return [f"Taken as pairs, because two columns are called {called}."]


def _parts(columns: PairColumns, names: tuple[str, str]) -> list[str]:
    left = f"Left side ({names[0]}): {columns.left!r}."
    right = f"Right side ({names[1]}): {columns.right!r}."
    weight = f" Weights from {columns.weight!r}." if columns.weight else ""
    return [f"{left} {right}{weight}"]


READER = PairsReader()
