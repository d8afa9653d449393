"""Images: many files, or a zip whose folders are labels. Broken ones are listed, the rest load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pandas as pd

from core.errors import UnreadableSource, UnsafeSource
from core.modality import Modality
from ingest.archive import Order, is_zip, member_names, safe_members
from ingest.dataset import Dataset, Dropped
from ingest.image_codec import (
    FORMAT_NAMES,
    ImageFacts,
    check_image,
    decode,
    encode_png,
    looks_like_image,
    thumbnail,
)
from ingest.image_columns import image_columns
from ingest.image_items import ImageFolderItems, ImageItems
from ingest.limits import MB, Limits, check_limit
from ingest.media import MEDIA_REASON, is_media
from ingest.preview import Preview
from ingest.reader import Certainty, ReadOptions, Recognition, Sources
from ingest.side_table import (
    SIDE_SUFFIXES,
)
from ingest.source import Source
from ingest.wording import count

__all__ = ["READER", "ImageFolderItems", "ImageItems", "decode", "encode_png", "thumbnail"]

SUFFIXES = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif",
    ".tiff",
})  # fmt: skip
# Images too, but in formats that are not read: they are listed with a reason, not ignored.
_OTHER_SUFFIXES = frozenset({
    ".j2k", ".jp2", ".sgi", ".tga", ".ico", ".fli", ".flc", ".ppm", ".pgm", ".pcx", ".psd", ".blp",
    ".dds", ".heic", ".heif", ".avif", ".svg", ".jxl", ".p7",
})  # fmt: skip
_N_THUMBNAILS = 12


@dataclass
class GatheredImages:
    """Images as they stand in their files; one entry per image that decodes."""

    ids: list[str] = field(default_factory=list)
    images: list[bytes] = field(default_factory=list)
    facts: list[ImageFacts] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    renamed: int = 0

    def add(self, name: str, data: bytes, facts: ImageFacts) -> None:
        free, copy = name, 2
        while free in self._taken:
            free, copy = f"{name} ({copy})", copy + 1
        self.renamed += free != name
        self._taken.add(free)
        self.ids.append(free)
        self.images.append(data)
        self.facts.append(facts)

    _taken: set[str] = field(default_factory=set)


class ImageReader:
    """Reads PNG, JPEG, WebP, GIF, BMP and TIFF."""

    kinds = frozenset({Modality.IMAGE})

    def recognise(self, sources: Sources) -> Recognition | None:
        """Return a claim where half (or, less surely, a quarter) of the files are images."""
        images, tables = split_tables(sources)
        names = [name for source in images for name in _listed(source)]
        n_images = sum(has_image_name(name) for name in names)
        if n_images < 0.25 * max(len(names), 1):  # a workbook may hold a picture or two
            return None
        surety = Certainty.CERTAIN if n_images >= 0.5 * len(names) else Certainty.POSSIBLE
        return Recognition(Modality.IMAGE, surety, _format(images, n_images, bool(tables)))

    def inspect(self, sources: Sources, options: ReadOptions) -> Preview:
        """Return names, folders and up to twelve thumbnails, of all folders in turn.

        Further images are not decoded.
        """
        sources, tables = split_tables(sources)
        shown, warnings, names = GatheredImages(), [], []
        for source in sources:
            names += [name for name in _listed(source) if has_image_name(name)]
        for name, data in _across_folders(sources, options.limits, shown.dropped):
            _take(name, data, options.limits, shown)
            if len(shown.ids) >= _N_THUMBNAILS:
                break
        if shown.dropped:
            first, n_looked_at = shown.dropped[0], len(shown.dropped) + len(shown.ids)
            warnings.append(
                f"{len(shown.dropped)} of the {n_looked_at} files looked at cannot be read and "
                f"will be listed, the first is {first.where}: {first.reason}."
            )
        columns, _, guesses, notes = image_columns(names, tables, options)
        return Preview(
            Modality.IMAGE,
            _format(sources, len(names), bool(tables)),
            n_items=None if shown.dropped else len(names),
            n_inspected=len(shown.ids),
            rows=pd.concat([pd.DataFrame({"image": names}), columns], axis=1).head(20),
            columns=guesses,
            notes=tuple(notes),
            warnings=tuple(warnings),
            thumbnails=tuple(
                (name, thumbnail(data, 96))
                for name, data in zip(shown.ids, shown.images, strict=True)
            ),
        )

    def read(self, sources: Sources, options: ReadOptions) -> Dataset:
        """Return all images that decode, with width, height, folder and the columns of a table.

        Raises
        ------
        UnreadableSource
            If no image is left.
        UnsafeSource, TooLarge
        """
        name = _dataset_name(sources)
        sources, tables = split_tables(sources)
        found = gather(sources, options.limits)
        columns, roles, _, notes = image_columns(found.ids, tables, options)
        columns.insert(0, "width", [facts.width for facts in found.facts])
        columns.insert(1, "height", [facts.height for facts in found.facts])
        items = ImageItems(found.images)
        return Dataset(
            name,
            Modality.IMAGE,
            tuple(found.ids),
            items,
            columns,
            {"width": "numeric", "height": "numeric", **roles},
            dropped=tuple(found.dropped[: Dataset.MAX_LISTED]),
            n_dropped=len(found.dropped),
            notes=(*_notes(found, items), *notes),
        )


def gather(sources: Sequence[Source], limits: Limits) -> GatheredImages:
    """Return all images that decode, with their names and what is left out.

    Raises
    ------
    UnreadableSource
        If no image is left.
    UnsafeSource, TooLarge
    """
    name, found = _dataset_name(sources), GatheredImages()
    for member, data in _files(sources, limits, found.dropped):
        _take(member, data, limits, found)
        check_limit(
            len(found.ids),
            limits.max_images,
            what=f"{name} holds {{}} images or more",
            name="max_images",
            advice="Give fewer.",
        )
    if not found.ids:
        first = found.dropped[0] if found.dropped else Dropped(name, "no image in it")
        raise UnreadableSource(
            f"{name} holds no readable image ({first.where}: {first.reason}). "
            f"Give {FORMAT_NAMES} files, or a zip of them."
        )
    return found


def image_names(sources: Sequence[Source]) -> list[str]:
    """Return the names of the files that look like images, as ``gather`` calls them."""
    n_zips = sum(map(is_zip, sources))
    names = []
    for source in sources:
        prefix = f"{source.stem}/" if n_zips > 1 and is_zip(source) else ""
        names += [prefix + name for name in _listed(source) if has_image_name(name)]
    return names


def split_tables(sources: Sources) -> tuple[list[Source], list[Source]]:
    """Return the sources of images, and a table beside them (labels, captions)."""
    tables = [s for s in sources if s.suffix in SIDE_SUFFIXES and not looks_like_image(s.head(32))]
    if len(tables) != 1 or len(sources) == 1:
        return list(sources), []
    return [s for s in sources if s is not tables[0]], tables


def _listed(source: Source) -> list[str]:
    if is_zip(source):
        try:
            taken_out = source.memo.get("taken_out", ())  # a table, read beside the images
            return [name for name in member_names(source) if name not in taken_out]
        except UnreadableSource:
            return []
    name = source.name
    is_image = looks_like_image(source.head(32))
    return [name if has_image_name(name) or not is_image else f"{name}.png"]


def has_image_name(name: str) -> bool:
    """Tell whether a file is called like an image, of a format that is read or not."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES | _OTHER_SUFFIXES


def _files(
    sources: Sequence[Source], limits: Limits, dropped: list[Dropped]
) -> Iterator[tuple[str, bytes]]:
    """Yield every file as ``(id, content)``; of several archives the name comes first."""
    n_zips = sum(map(is_zip, sources))
    for source in sources:
        yield from _files_of(source, limits, dropped, f"{source.stem}/" if n_zips > 1 else "")


def _across_folders(
    sources: Sequence[Source], limits: Limits, dropped: list[Dropped]
) -> Iterator[tuple[str, bytes]]:
    """Yield the same files, those of all archives and of their folders in turn."""
    n_zips = sum(map(is_zip, sources))
    files = [
        _files_of(each, limits, dropped, f"{each.stem}/" if n_zips > 1 else "", _in_turn)
        for each in sources
    ]
    while files:  # a file is read when its turn comes, not before
        going_on = []
        for each in files:
            file = next(each, None)
            if file is not None:
                yield file
                going_on.append(each)
        files = going_on


def _in_turn(names: Sequence[str]) -> list[int]:
    """Return the places of ``names``: the first of every folder first, then the second of each."""
    met: Counter[PurePosixPath] = Counter()
    turns = []
    for name in names:
        folder = PurePosixPath(name).parent
        turns.append(met[folder])
        met[folder] += 1
    return sorted(range(len(names)), key=turns.__getitem__)


def _files_of(
    source: Source,
    limits: Limits,
    dropped: list[Dropped],
    prefix: str,
    order: Order | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield a file, or those of an archive with ``prefix`` before their names."""
    if not is_zip(source):
        yield source.name, source.read()
        return
    members = safe_members(
        source,
        limits,
        on_damaged=lambda name, reason: dropped.append(Dropped(name, reason)),
        order=order,
    )
    taken_out = source.memo.get("taken_out", ())
    for name, data in members:
        if name not in taken_out:
            yield prefix + name, data


def _take(name: str, data: bytes, limits: Limits, into: GatheredImages) -> None:
    """Add one file if it decodes, else list it with the reason."""
    if is_media(name, data[:64]) and not looks_like_image(data[:32]):  # whatever its name says
        into.dropped.append(Dropped(name, MEDIA_REASON))
        return
    if len(data) > limits.max_image_mb * MB:
        into.dropped.append(Dropped(name, f"more than {limits.max_image_mb} MB (max_image_mb)"))
        return
    try:
        into.add(name, data, check_image(data, max_pixels=limits.max_image_pixels))
    except (UnreadableSource, UnsafeSource) as error:
        into.dropped.append(Dropped(name, str(error)))


def _notes(found: GatheredImages, items: ImageItems) -> list[str]:
    kinds = Counter(facts.format for facts in found.facts)
    notes = [", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()) + "."]
    n_moving = sum(facts.has_more_frames for facts in found.facts)
    if n_moving:
        notes.append(f"{count(n_moving, 'image')} animated or with pages; the first frame is used.")
    n_copies = len(items) - len(set(items.hashes))
    if n_copies:
        notes.append(f"{count(n_copies, 'exact copy', 'exact copies')} of another image kept.")
    if found.renamed:
        notes.append(f"{count(found.renamed, 'name')} taken already; such an image got a number.")
    return notes


def _dataset_name(sources: Sources) -> str:
    archives = [source for source in sources if is_zip(source)]
    return (archives or list(sources))[0].name if archives or len(sources) == 1 else "images"


def _format(sources: Sequence[Source], n_images: int, with_table: bool) -> str:
    images = count(n_images, "image")
    beside = " and a table" if with_table else ""
    return (f"zip of {images}" if any(map(is_zip, sources)) else images) + beside


READER = ImageReader()
