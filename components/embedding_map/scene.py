"""The heavy, constant part of a map: coordinates, true neighbours, texts, pictures, edges."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.embedding_map.edges import EdgeLines, MapEdges, edge_lines
from components.embedding_map.sampling import draw_limit, draw_sample
from components.embedding_map.wire import digest
from core.errors import ParameterError

__all__ = ["MapScene", "SpriteSheet", "counted_words", "rows_among", "sprite_sheet"]

_SHEET_SIDE = 2048  # pixels; browsers decode larger pictures slowly or not at all
_HOVER_CUTS = ((20_000, 120), (60_000, 60), (10**9, 40))  # (points up to, characters)


@dataclass(frozen=True, eq=False)
class SpriteSheet:
    """Small pictures of all items, tiled row by row on one or more sheets.

    Parameters
    ----------
    sheets : tuple of bytes
        Encoded pictures; each holds ``columns`` x ``per_sheet / columns`` tiles.
    tile : int
        Side of one tile in pixels.
    columns : int
        Tiles per row.
    per_sheet : int
        Tiles per sheet; picture ``i`` is tile ``i % per_sheet`` of sheet ``i // per_sheet``.
    mime : str
        Media type of the sheets.
    first, n : int
        The pictures are those of ``n`` items from ``first`` on; the others have none.
    """

    sheets: tuple[bytes, ...]
    tile: int
    columns: int
    per_sheet: int
    mime: str = "image/webp"
    first: int = 0
    n: int = 2**31


def sprite_sheet(pictures: Iterable[Any], *, tile: int = 64, first: int = 0) -> SpriteSheet:
    """Tile pictures into sheets for the map's tooltip.

    Parameters
    ----------
    pictures : iterable of PIL.Image.Image, bytes, path or None
        One per item; None leaves an empty tile. They are fitted into the tile, never cropped,
        and very small ones are enlarged without smoothing.
    tile : int
        Side of a tile in pixels.
    first : int
        Position of the item that the first picture shows.

    Returns
    -------
    SpriteSheet
        Lossy WebP sheets of at most 2048 pixels a side.
    """
    from PIL import Image

    columns = max(1, _SHEET_SIDE // tile)
    per_sheet = columns * columns
    sheets: list[bytes] = []
    sheet: Image.Image | None = None
    at = -1

    def finish() -> None:
        if sheet is not None:
            buffer = io.BytesIO()
            sheet.save(buffer, "WEBP", quality=80)
            sheets.append(buffer.getvalue())

    for at, picture in enumerate(pictures):
        if at % per_sheet == 0:
            finish()
            sheet = Image.new("RGBA", (columns * tile, columns * tile), (0, 0, 0, 0))
        assert sheet is not None  # noqa: S101 - set for at == 0, told to the type checker
        if picture is not None:
            small = _fitted(picture, tile)
            x, y = at % per_sheet % columns * tile, at % per_sheet // columns * tile
            sheet.paste(small, (x + (tile - small.width) // 2, y + (tile - small.height) // 2))
    finish()
    n = at + 1 if sheet is not None else 0
    return SpriteSheet(tuple(sheets), tile, columns, per_sheet, first=first, n=n)


def _fitted(picture: Any, tile: int) -> Any:
    from PIL import Image, ImageOps

    if isinstance(picture, bytes | bytearray):
        opened = Image.open(io.BytesIO(picture))
    else:
        opened = picture if isinstance(picture, Image.Image) else Image.open(picture)
    image = ImageOps.exif_transpose(opened).convert("RGBA")
    smooth = Image.Resampling.LANCZOS
    how = smooth if max(image.size) > tile // 2 else Image.Resampling.NEAREST
    return ImageOps.contain(image, (tile, tile), how)


@dataclass(frozen=True, eq=False)
class MapScene:
    """What a map shows, apart from colours and highlights. Sent to the browser once.

    Keep the object (in a cache) and hand over the same one on every rerun: its bytes are then
    packed once.

    Parameters
    ----------
    coordinates : (n, 2) or (n, 3) float32 ndarray
        Positions on the map.
    neighbours : (n, k) int32 ndarray, optional
        Positions of the nearest neighbours in the original space, nearest first, -1 for none.
    hover : sequence of str
        One short text per point (longer ones are cut), or empty.
    thumbnails : SpriteSheet, optional
        One picture per point.
    edges : MapEdges, optional
        The edges of a graph; too many of them are cut, and the caption says so.
    title : str
        Heading of the map and of its picture.
    keys : sequence of str, optional
        Identity of the items. Two scenes with equal keys show the same items: colours, legend,
        selection and focus stay when one replaces the other.
    identity : str
        Which collection the items belong to. Keys such as 0, 1, 2 occur in many: only with equal
        identity do scenes show the same items.
    remarks : sequence of str
        What is not drawn and why; each is added to the caption.

    Raises
    ------
    ParameterError
        If the shapes do not fit together.
    """

    coordinates: NDArray[np.float32]
    neighbours: NDArray[np.int32] | None = None
    hover: Sequence[str] = ()
    thumbnails: SpriteSheet | None = None
    edges: MapEdges | None = None
    title: str = ""
    keys: Sequence[str] | None = None
    identity: str = ""
    remarks: Sequence[str] = ()

    def __post_init__(self) -> None:
        shape = np.shape(self.coordinates)
        if len(shape) != 2 or shape[1] not in (2, 3) or shape[0] == 0:
            raise ParameterError(
                f"A map needs points with 2 or 3 coordinates, got shape {shape}. "
                "Project the vectors to 2 or 3 dimensions first."
            )
        n = shape[0]
        lengths = {"hover": self.hover, "keys": self.keys}
        for name, values in {**lengths, "neighbours": self.neighbours}.items():
            if values is not None and len(values) not in {n, 0 if name == "hover" else n}:
                raise ParameterError(f"{name} has {len(values):,} entries for {n:,} points.")
        if self.edges is not None and not self.edges.within(n):
            raise ParameterError(f"An edge ends outside the {n:,} points (they count from 0).")

    @property
    def n(self) -> int:
        """Number of points, drawn or not."""
        return len(self.coordinates)

    @property
    def dims(self) -> int:
        """Return 2 or 3."""
        return int(np.shape(self.coordinates)[1])

    @cached_property
    def items(self) -> str:
        """Signature of which items are drawn: equal for another layout of the same items."""
        return self.items_among(self.drawn)

    def items_among(self, drawn: NDArray[np.int64]) -> str:
        """Return the signature of the items where those at ``drawn`` are the drawn ones."""
        names = self.keys if self.keys is not None else self.hover
        text = "\n".join(map(str, names)).encode("utf-8", "surrogatepass")
        owner = self.identity.encode("utf-8", "surrogatepass")
        # The lengths keep a key apart from the identity before it.
        sizes = np.array([self.n, len(drawn), len(owner)], np.int64)
        return digest(sizes, owner, text)

    @cached_property
    def drawn(self) -> NDArray[np.int64]:
        """Positions of the points that are drawn, ascending; all unless there are too many."""
        return draw_sample(self.n, draw_limit(self.dims), 0)

    @property
    def sampled(self) -> bool:
        """Whether points were left out."""
        return len(self.drawn) < self.n

    @property
    def caption(self) -> str:
        """Say "n of n drawn", and what else is missing from the picture."""
        counted = counted_words(len(self.drawn), self.n)
        return ", ".join(part for part in (counted, self.own_caption) if part)

    @property
    def own_caption(self) -> str:
        """Say what is missing from the picture for other reasons than the number of points."""
        lost = self.n - int(np.isfinite(self.coordinates).all(axis=1).sum())
        without = [f"{lost:,} have no position"] if lost else []
        return ", ".join([*without, *self.remarks])

    def to_drawn(self, positions: Any) -> NDArray[np.int64]:
        """Translate positions among all points to those among the drawn (-1: not drawn)."""
        return rows_among(positions, self.drawn, self.n)

    @cached_property
    def visible(self) -> MapScene:
        """The scene with only the drawn points, neighbours renumbered; without edges."""
        return self.only(self.drawn)

    def only(self, keep: NDArray[np.int64]) -> MapScene:
        """Return the scene with the points at ``keep`` (ascending); itself if those are all."""
        if len(keep) == self.n:
            return self
        neighbours = self.neighbours
        if neighbours is not None:
            rows = rows_among(neighbours[keep], keep, self.n)
            neighbours = rows.reshape(len(keep), -1).astype(np.int32)
        return replace(
            self,
            coordinates=np.asarray(self.coordinates)[keep],
            neighbours=neighbours,
            edges=None,  # chosen by all weights: see lines
            hover=[self.hover[i] for i in keep] if len(self.hover) else (),
            keys=None if self.keys is None else [self.keys[i] for i in keep],
            thumbnails=None,  # tiles are numbered by all items; too many to send anyway
        )

    @cached_property
    def lines(self) -> EdgeLines | None:
        """What is drawn of the edges, or None where there are none."""
        if self.edges is None or not len(self.edges):
            return None
        return edge_lines(self.edges, self.n, self.drawn, self.to_drawn)

    @property
    def cuts_edges(self) -> bool:
        """Whether the browser is sent only some of the edges that could be drawn."""
        return self.lines is not None and bool(self.lines.header["chosen"])

    @cached_property
    def body(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Header entries and blocks for the browser (see ``wire.pack``)."""
        scene = self.visible
        k, blocks = scene.layout_blocks()
        blocks.update(_edge_blocks(self.lines, scene.n))
        sprites, common = scene.item_blocks()
        blocks.update(common)
        signature = digest(self.items.encode(), *blocks.values())
        header = {
            "n": scene.n,
            "dims": scene.dims,
            "k": k,
            "title": scene.title,
            "items": self.items,
            "sig": digest(signature.encode(), scene.title.encode()),
            "caption": self.caption,
            "sprites": sprites,
            "edges": None if self.lines is None else self.lines.header,
        }
        return header, blocks

    def layout_blocks(self) -> tuple[int, dict[str, NDArray[Any]]]:
        """Return the neighbours per point, and blocks of all points' places and neighbours."""
        points = np.asarray(self.coordinates, np.float32)
        blocks: dict[str, NDArray[Any]] = {"coordinates": points.T.reshape(-1).copy()}
        if self.neighbours is None:
            return 0, blocks
        ids = np.asarray(self.neighbours)
        # The code for "none" lies beyond n - 1.
        kind = _row_type(len(points))
        none = -1 if kind is np.int32 else 2**16 - 1
        bad = (ids < 0) | (ids >= len(points))
        blocks["neighbours"] = np.where(bad, none, ids).astype(kind).reshape(-1)
        return ids.shape[1], blocks

    def item_blocks(self) -> tuple[dict[str, Any] | None, dict[str, NDArray[Any]]]:
        """Return the header of the pictures, and blocks of all points' texts and pictures."""
        blocks = _hover_blocks(self.hover)
        if self.thumbnails is None:
            return None, blocks
        for at, sheet in enumerate(self.thumbnails.sheets):
            blocks[f"sheet{at}"] = np.frombuffer(sheet, np.uint8)
        return _sprite_header(self.thumbnails), blocks


def counted_words(drawn: int, n: int) -> str:
    """Say how many points are drawn, and how they were chosen."""
    return f"{drawn:,} of {n:,} drawn" + (" (random sample, seed 0)" if drawn < n else "")


def rows_among(positions: Any, drawn: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Translate positions among ``n`` points to rows among the drawn (-1: not drawn)."""
    wanted = np.asarray(positions, dtype=np.int64).reshape(-1)
    if len(drawn) == n:
        return np.where((wanted >= 0) & (wanted < n), wanted, -1)
    found = np.searchsorted(drawn, wanted).clip(max=len(drawn) - 1)
    return np.where(drawn[found] == wanted, found, -1)


def _row_type(n: int) -> type[np.uint16] | type[np.int32]:
    """Two bytes per row of a point where they suffice."""
    return np.uint16 if n < 2**16 - 1 else np.int32


def _edge_blocks(lines: EdgeLines | None, n: int) -> dict[str, NDArray[Any]]:
    if lines is None:
        return {}
    blocks: dict[str, NDArray[Any]] = {"edges": lines.pairs.astype(_row_type(n)).reshape(-1)}
    if lines.strengths is not None:
        blocks["strengths"] = lines.strengths
    if lines.degrees is not None:
        blocks["degrees"] = lines.degrees
    return blocks


def _hover_blocks(texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    if not len(texts):
        return {}
    cut = next(characters for most, characters in _HOVER_CUTS if len(texts) <= most)
    encoded = [_shortened(str(text), cut).encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64).astype(np.uint32)
    return {"hover": np.frombuffer(b"".join(encoded), np.uint8), "hoverEnds": ends}


def _shortened(text: str, cut: int) -> str:
    text = " ".join(text[: 4 * cut].split())
    return text if len(text) <= cut else text[: cut - 1].rstrip() + "…"


def _sprite_header(sheet: SpriteSheet) -> dict[str, Any]:
    return {
        "tile": sheet.tile,
        "columns": sheet.columns,
        "perSheet": sheet.per_sheet,
        "mime": sheet.mime,
        "shown": max(sheet.tile, 96),
        "first": sheet.first,
        "end": sheet.first + sheet.n,
    }
