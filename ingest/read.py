"""The front door: any source becomes a Preview or a Dataset.

The kind is guessed from the content by asking every reader; the surest answer wins. What the user
says (``kind``, roles, delimiter, …) always goes before a guess.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.errors import EmbedscopeError, ParameterError, UnreadableSource
from core.modality import Modality
from ingest import graphs, images, interactions, pairs, tabular, text, vector_files
from ingest.archive import gunzipped, is_zip, member_names, safe_members
from ingest.dataset import Dataset, Role
from ingest.limits import DEFAULT_LIMITS, MB, Limits, check_limit
from ingest.media import MEDIA_REASON, has_media_name, is_media
from ingest.preview import Preview
from ingest.reader import Reader, ReadOptions, Recognition, Sources
from ingest.safety import refuse_empty, refuse_pickle
from ingest.source import Source, SourceLike, as_sources

Given = SourceLike | Source | Sequence[SourceLike | Source]

# On a tie the earlier reader wins: the specific kinds stand before the general ones.
READERS: tuple[Reader, ...] = (
    images.READER,
    vector_files.READER,
    interactions.READER,
    pairs.READER,
    graphs.READER,
    tabular.READER,
    text.READER,
)

_FORMATS = (
    "texts (.txt), tables (CSV, TSV, XLSX, XLS, ODS, Parquet, Feather, JSON), images (PNG, JPEG, "
    "WebP, GIF, BMP, TIFF, or a zip of them), graphs (edge lists, GraphML, GEXF, GML) and vectors "
    "(.npy, .npz, word2vec, GloVe, fastText, Projector TSV)"
)
_FOREIGN = {
    b"%%MatrixMarket": "a Matrix Market file",
    b"%PDF-": "a PDF",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF\r\n": "an HDF5 file",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"7z\xbc\xaf": "packed with 7-Zip",
    b"Rar!": "packed with RAR",
    b"\x28\xb5\x2f\xfd": "packed with Zstandard",
    b"{\\rtf": "an RTF document",
}
_IS_REMARK = re.compile(r"(?i)(?:^|/)(?:readme|licen[cs]e|copying|changelog)[^/]*$|\.(?:md|html?)$")
_MAX_TABLES = 8
_SIDED = {Modality.PAIRS, Modality.INTERACTIONS}
_DATA_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".feather", ".xlsx")


def read_dataset(
    source: Given,
    *,
    kind: Modality | str | None = None,
    text: str | Sequence[str] | None = None,
    label: str | None = None,
    id: str | None = None,
    **options: Any,
) -> Dataset:
    """Return outside data as a Dataset.

    Parameters
    ----------
    source : path, (name, bytes), open binary file, or a list of those
        Several sources are many images or texts, or a main file with its node table or metadata.
    kind : Modality or str, optional
        What the items are; by default guessed from the content and from the roles that are said:
        ``left`` or ``right`` mean pairs, ``user`` or ``item`` interactions, ``text`` neither.
    text : str or sequence of str, optional
        Column of texts; several are joined by a line break.
    label, id : str, optional
        Columns of classes and of ids. Ids that repeat are numbered: ``x``, ``x (2)``.
    **options
        Any other field of ``ReadOptions``: ``delimiter``, ``encoding``, ``quotechar``, ``header``
        (a row counted from 0, or ``"none"``), ``sheet``, ``columns={name: role}``, ``limits``;
        for graphs ``source``, ``target``, ``weight``, ``directed``, ``nodes``; for pairs ``left``,
        ``right``, ``weight``; for interactions ``user``, ``item``, ``weight``, ``time``; for
        vectors ``metadata``. Besides, ``ignore``, ``numeric``, ``categorical`` and ``time``, each
        one column or several, give those columns that role.

    Raises
    ------
    UnreadableSource
        If the source is empty, broken, or of a kind that nobody reads.
    UnsafeSource
        If it could do harm (a pickle, a zip bomb, a path that leaves its archive).
    TooLarge
        Beyond a limit of ``ingest.limits``.
    ParameterError
        For an option, a column or a role that does not exist.
    """
    settings = _options(kind, text, label, id, options)
    sources = _checked(source, settings.limits)
    reader, _ = _choose(sources, settings)
    return reader.read(sources, settings)


def inspect_source(
    source: Given,
    *,
    kind: Modality | str | None = None,
    text: str | Sequence[str] | None = None,
    label: str | None = None,
    id: str | None = None,
    **options: Any,
) -> Preview:
    """Return what a source turns out to be, from its first rows; parameters as ``read_dataset``.

    ``Preview.options`` holds what ``read_dataset`` would use; give it back with changes.

    Raises
    ------
    UnreadableSource, UnsafeSource, TooLarge, ParameterError
        As ``read_dataset``, as far as the first rows tell.
    """
    settings = _options(kind, text, label, id, options)
    sources = _checked(source, settings.limits)
    reader, claims = _choose(sources, settings)
    preview = reader.inspect(sources, settings)
    others = [*preview.other_kinds, *(claim.kind for claim in claims)]
    kinds = tuple(other for other in dict.fromkeys(others) if other is not preview.kind)
    return replace(preview, other_kinds=kinds)


def _options(
    kind: Modality | str | None,
    text: str | Sequence[str] | None,
    label: str | None,
    id: str | None,
    options: Mapping[str, Any],
) -> ReadOptions:
    rest = dict(options)
    columns: dict[str, Role] = dict(rest.pop("columns", None) or {})
    for option, role in (
        ("ignore", "ignored"),
        ("numeric", "numeric"),
        ("categorical", "categorical"),
        ("time", "time"),
    ):
        for name in _several(rest.pop(option, None)):
            columns[name] = role  # type: ignore[assignment]
    if kind is None:
        kind = _kind_of_sides({*columns.values(), *(o for o in rest if rest[o] is not None)})
    for other, option in (("user", "left"), ("item", "right")):
        if rest.get(other) is not None:
            rest[option] = rest[other]
        rest.pop(other, None)
    known = (*ReadOptions.names(), "ignore", "numeric", "categorical", "time", "user", "item")
    for name in rest:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ParameterError(
                f"read_dataset has no option {name!r}; it has {', '.join(known)}.{hint}"
            )
    rest["limits"] = rest.get("limits") or DEFAULT_LIMITS
    return ReadOptions(
        kind=_kind(kind), text=_several(text), label=label, id=id, columns=columns, **rest
    )


def _kind_of_sides(said: set[str]) -> Modality | None:
    """Return the kind that has the sides which the user names; None where none is named."""
    if said & {"user", "item"}:
        return Modality.INTERACTIONS
    return Modality.PAIRS if said & {"left", "right"} else None


def _kind(kind: Modality | str | None) -> Modality | None:
    if kind is None:
        return None
    try:
        return Modality(kind)
    except ValueError:
        allowed = ", ".join(repr(modality.value) for modality in Modality)
        raise ParameterError(f"kind={kind!r} is unknown; give one of {allowed}.") from None


def _several(names: str | Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def _checked(given: Given, limits: Limits) -> list[Source]:
    """Return the sources after the refusals that hold for every kind."""
    sources = as_sources(given)
    if not sources:
        raise UnreadableSource("There is no file to read. Give at least one.")
    ready = []
    for source in sources:
        refuse_empty(source)
        check_limit(
            source.size // MB,
            limits.max_file_mb,
            what=f"{source.name} has {{}} MB",
            name="max_file_mb",
            advice="Split it, or save it as Parquet.",
        )
        refuse_pickle(source)
        _refuse_foreign(source)
        plain = gunzipped(source, limits)
        if plain is not source:
            refuse_empty(plain)
            refuse_pickle(plain)
            _refuse_foreign(plain)
        ready.append(plain)
    if len(ready) == 1:
        _refuse_media(ready)
        return _unwrapped(ready[0], limits)
    return ready


def _unwrapped(source: Source, limits: Limits) -> list[Source]:
    """Return a source, of an archive of tables those, and of images with one table both."""
    if not is_zip(source):
        return [source]
    try:
        names = member_names(source)
    except UnreadableSource:
        return [source]
    tables = [name for name in names if name.lower().endswith(_DATA_SUFFIXES)]
    others = [n for n in names if n not in tables and not _IS_REMARK.search(n)]
    beside_images = len(tables) == 1 and bool(others) and _are_images(others)
    if not 0 < len(tables) <= _MAX_TABLES or (others and not beside_images):
        return [source]
    inner = []
    for name, data in safe_members(source, limits):
        if name in tables:
            inner.append(Source(name.rsplit("/", 1)[-1], data=data))
    if not beside_images:
        for each in inner:
            refuse_empty(each)
            refuse_pickle(each)
        return inner
    try:  # what is no table after all stays one of the files, and is listed as no image
        refuse_empty(inner[0])
        refuse_pickle(inner[0])
        tabular.table_head(inner[0])
    except EmbedscopeError:
        return [source]
    source.memo["taken_out"] = frozenset(tables)
    return [source, *inner]


def _are_images(names: Sequence[str]) -> bool:
    return sum(map(images.has_image_name, names)) >= 0.5 * len(names)


def _choose(sources: Sources, options: ReadOptions) -> tuple[Reader, list[Recognition]]:
    """Return the reader to use, and all claims, surest first."""
    claims: list[tuple[Reader, Recognition]] = []
    for reader in READERS:
        claim = reader.recognise(sources)
        if claim is not None:
            claims.append((reader, claim))
    claims.sort(key=lambda pair: -pair[1].certainty)  # stable: ties keep the order of READERS
    recognitions = [claim for _, claim in claims]
    if options.kind is None:
        first = [each for each in claims if not (_SIDED & {each[1].kind} and _is_of_items(options))]
        if first or claims:
            return (first or claims)[0][0], recognitions
        raise _nobody_reads(sources)
    able = [reader for reader in READERS if options.kind in reader.kinds]
    exact = [r for r, claim in claims if r in able and claim.kind is options.kind]
    claimed = [r for r, _ in claims if r in able]
    return (exact or claimed or able)[0], recognitions


def _is_of_items(options: ReadOptions) -> bool:
    """Tell whether the user names texts or ids, which two sides do not have."""
    roles = set(options.columns.values())
    return bool(options.text or options.id) or bool(roles & {"text", "id"})


def _refuse_foreign(source: Source) -> None:
    """Refuse well-known formats by name, rather than read their bytes as texts."""
    head = source.head(32)
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            raise UnreadableSource(
                f"{source.name} is {name}, which is not read. These are: {_FORMATS}."
            )


def _refuse_media(sources: Sources) -> None:
    """Refuse a video or a sound."""
    for source in sources:
        if is_media(source.name, source.head(64)):
            raise UnreadableSource(f"{source.name}: {MEDIA_REASON}. These are: {_FORMATS}.")


def _nobody_reads(sources: Sources) -> UnreadableSource:
    _refuse_media(sources)
    for source in filter(is_zip, sources):
        media = [name for name in member_names(source) if has_media_name(name)]
        if media:
            return UnreadableSource(
                f"{source.name} holds {media[0]}: {MEDIA_REASON}. Pack the other files without "
                f"it. These are read: {_FORMATS}."
            )
    if len(sources) > 1:
        names = ", ".join(source.name for source in sources[:5])
        return UnreadableSource(
            f"{len(sources)} files ({names}) do not belong together in a way that is known: give "
            "many images, images with a table of captions, many .txt, edges with a node table, "
            "vectors with metadata, or interactions with a table of items and one of users."
        )
    what = "an archive of files" if is_zip(sources[0]) else "a file"
    return UnreadableSource(
        f"{sources[0].name} is {what} of a kind that is not read. These are: {_FORMATS}."
    )
