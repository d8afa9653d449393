"""The two columns of a table of pairs as things: which are images, what each is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.errors import TooLarge, UnreadableSource
from core.modality import Modality
from ingest.image_items import ImageItems
from ingest.images import GatheredImages
from ingest.linking import Coded, Links, coded, linked
from ingest.pair_columns import PairColumns, weights_of
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions
from ingest.side_table import path_keys
from ingest.values import verbatim
from ingest.wording import count


@dataclass(frozen=True, eq=False)
class Side:
    """One column as things: their codes, and how to make items and ids of them."""

    kind: Modality
    cells: Coded
    names: Sequence[str] = field(default_factory=tuple)  # of images, by code


def linked_sides(
    table: RawTable,
    columns: PairColumns,
    pictures: Sequence[str],
    where: str,
    origin: NDArray[np.int64],
) -> tuple[tuple[Side, Side], Links]:
    """Return both columns as things, and the pairs of them.

    Raises
    ------
    UnreadableSource
        If no column names the images, or no row has both sides.
    """
    left, right = _sides(table, columns, pictures)
    if pictures and Modality.IMAGE not in {left.kind, right.kind}:
        raise UnreadableSource(
            f"{where}: neither {columns.left!r} nor {columns.right!r} names the images "
            f"(the first image is {pictures[0]!r}). Choose the column of file names."
        )
    weight = None
    if columns.weight is not None:
        data, _ = weights_of(table, columns.weight)
        weight = pc.fill_null(data, float("nan")).to_numpy()
    links = linked(
        left.cells,
        right.cells,
        weight,
        None,
        repeats="largest",
        keeps_things=True,
        origin=origin,
    )
    if not len(links.source):
        why = f" ({links.dropped[0].where}: {links.dropped[0].reason})" if links.dropped else ""
        raise UnreadableSource(
            f"{where}: no row has both sides{why}. Choose other columns than "
            f"{columns.left!r} and {columns.right!r}."
        )
    return (left, right), links


def _sides(table: RawTable, columns: PairColumns, pictures: Sequence[str]) -> tuple[Side, Side]:
    """Return both columns as images or texts.

    A caption may be the name of its file without the suffix: where one column names the files in
    full, the other is one of texts.
    """
    names = (columns.left, columns.right)
    for n_known in (2, 3):
        found = [_images(table, name, pictures, path_keys(pictures)[:n_known]) for name in names]
        if any(found):
            break
    left, right = (
        side or Side(Modality.TEXT, coded(table.column(name), missing=f"no {name!r}"))
        for side, name in zip(found, names, strict=True)
    )
    return left, right


def _images(
    table: RawTable, name: str, pictures: Sequence[str], known: Sequence[Sequence[str]]
) -> Side | None:
    """Return a column as images, if half of its cells name one."""
    if not pictures:
        return None
    cells = verbatim(table.column(name)).data
    keys = pc.utf8_trim_whitespace(pc.fill_null(cells, "")).to_pylist()
    keys = [key.replace("\\", "/").removeprefix("./") for key in keys]
    n_present = sum(map(bool, keys))
    best: tuple[int, Sequence[str], dict[str, int]] | None = None
    for names in _endings(pictures, keys, known):
        place = {key: code for code, key in reversed(list(enumerate(names)))}
        hits = sum(key in place for key in keys)
        if len(place) == len(names) and hits > (best[0] if best else 0):
            best = hits, names, place
    if best is None or best[0] < 0.5 * n_present:
        return None
    code = np.array([best[2].get(key, -1) for key in keys], np.int32)
    return Side(Modality.IMAGE, Coded(code, best[1], f"no such image in {name!r}"), pictures)


def _endings(
    pictures: Sequence[str], keys: Sequence[str], known: Sequence[Sequence[str]]
) -> Iterator[Sequence[str]]:
    """Yield what images may be called, and the ends of their paths as long as those in a table."""
    yield from known
    depth = max((key.count("/") for key in keys), default=0)
    if depth:
        yield ["/".join(path.split("/")[-depth - 1 :]) for path in pictures]


def ids_of(side: Side, name: str, things: NDArray[np.int32], rows: NDArray[np.int64]) -> list[str]:
    """Return the file of an image; of a text, its side and its first row."""
    if side.kind is Modality.IMAGE:
        return [side.names[code] for code in things.tolist()]
    return [f"{name} {row + 1}" for row in rows.tolist()]


def items_of(
    side: Side,
    things: NDArray[np.int32],
    found: GatheredImages | None,
    options: ReadOptions,
    where: str,
) -> Sequence[Any]:
    """Return the items of a side: images, or texts.

    Raises
    ------
    TooLarge
        If a text is longer than allowed.
    """
    if side.kind is Modality.IMAGE:
        assert found is not None  # noqa: S101 -- told to the type checker
        return ImageItems(found.images[code] for code in things.tolist())
    texts = [side.cells.values[code] for code in things.tolist()]
    longest = max(map(len, texts))
    if longest > options.limits.max_text_chars:
        raise TooLarge(
            f"{where} has a text of {longest:,} characters; at most "
            f"{options.limits.max_text_chars:,} are allowed (max_text_chars). Split it."
        )
    return texts


def on_both_sides(sides: tuple[Side, Side], links: Links) -> list[str]:
    """Return a sentence on texts that are a thing of either side."""
    if sides[0].kind is not sides[1].kind:
        return []
    left = {sides[0].cells.values[code]: i for i, code in enumerate(links.left.tolist())}
    right = [sides[1].cells.values[code] for code in links.right.tolist()]
    shared = sum(value in left for value in right)
    if not shared:
        return []
    noun = str(sides[0].kind)
    notes = [f"{count(shared, noun)} on both sides; each is an item of either."]
    same = np.array([left.get(value, -1) for value in right])[links.target] == links.source
    if same.any():
        notes.append(f"{count(int(same.sum()), 'pair')} of a {noun} with itself kept.")
    return notes
