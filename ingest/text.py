"""The reader of plain texts: a line per item, or a file per item."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import pandas as pd

from core.errors import TooLarge, UnreadableSource
from core.modality import Modality
from ingest.archive import is_zip, member_names, safe_members
from ingest.dataset import Dataset, Dropped, Role
from ingest.encoding import detect_encoding, looks_binary, open_text, undecodable
from ingest.ids import unique_ids
from ingest.media import MEDIA_REASON, is_media
from ingest.preview import ColumnGuess, Preview
from ingest.reader import Certainty, ReadOptions, Recognition, Sources
from ingest.source import Source
from ingest.structured import too_many_rows
from ingest.wording import count

_SUFFIXES = frozenset({".txt", ".text", ".md", ".log", ""})
_IN_ARCHIVE = frozenset({".txt", ".text", ".md"})
_PREVIEW_ITEMS = 2_000


class TextReader:
    """Reads .txt (an item per line), many .txt, and zips of .txt (an item per file)."""

    kinds = frozenset({Modality.TEXT})

    def recognise(self, sources: Sources) -> Recognition | None:
        """Return a claim to text that is no table."""
        if len(sources) > 1:
            texts = [s.suffix in _IN_ARCHIVE and not looks_binary(s.head(8192)) for s in sources]
            claim = Recognition(Modality.TEXT, Certainty.LIKELY, f"{len(sources):,} text files")
            return claim if all(texts) else None
        source = sources[0]
        if is_zip(source):
            return _recognise_zip(source)
        if looks_binary(source.head(8192)):
            return None
        if source.suffix in _SUFFIXES - {""}:
            return Recognition(Modality.TEXT, Certainty.LIKELY, "text, an item per line")
        return Recognition(Modality.TEXT, Certainty.POSSIBLE, "text, an item per line")

    def inspect(self, sources: Sources, options: ReadOptions) -> Preview:
        """Return the first items."""
        if _is_per_file(sources):
            dataset = self.read(sources, options)  # a zip is checked as a whole anyway
            texts, warnings = list(dataset.items), list(dataset.notes)
            n: int | None = len(dataset)
            labels = dataset.columns.to_dict("series")
        else:
            texts, n, warnings = _first_lines(sources[0], options)
            labels = {}
        rows = pd.DataFrame({"text": texts[:20], **{k: v[:20] for k, v in labels.items()}})
        guesses = [_text_guess(texts)]
        guesses += [
            ColumnGuess(str(k), "label", "name of the folder", 0, int(v.nunique()))
            for k, v in labels.items()
        ]
        return Preview(
            Modality.TEXT,
            "text, an item per file" if _is_per_file(sources) else "text, an item per line",
            n_items=n,
            n_inspected=len(texts),
            rows=rows,
            columns=tuple(guesses),
            warnings=tuple(warnings),
        )

    def read(self, sources: Sources, options: ReadOptions) -> Dataset:
        """Return all items that are not empty.

        Raises
        ------
        UnreadableSource, UnsafeSource, TooLarge
        """
        return _files(sources, options) if _is_per_file(sources) else _lines(sources[0], options)


def _is_per_file(sources: Sources) -> bool:
    return len(sources) > 1 or is_zip(sources[0])


def _recognise_zip(source: Source) -> Recognition | None:
    try:
        names = member_names(source)
    except UnreadableSource:
        return None
    texts = sum(PurePosixPath(name).suffix.lower() in _IN_ARCHIVE for name in names)
    if not texts or texts < 0.5 * len(names):
        return None
    return Recognition(Modality.TEXT, Certainty.LIKELY, f"zip of {texts:,} text files")


def _lines(source: Source, options: ReadOptions) -> Dataset:
    encoding = detect_encoding(source, given=options.encoding)
    texts, ids, dropped, n_empty = [], [], [], 0
    try:
        with open_text(source, encoding) as stream:
            for number, line in enumerate(_universal(stream), start=1):
                text = line.replace("\0", "").strip()
                if text:
                    texts.append(_short_enough(text, f"line {number:,}", source, options))
                    ids.append(str(number))
                else:
                    n_empty += 1
                    if n_empty <= Dataset.MAX_LISTED:
                        dropped.append(Dropped(f"line {number}", "empty text"))
                if len(texts) > options.limits.max_rows:
                    raise too_many_rows(source, options.limits.max_rows)
    except UnicodeError as error:
        raise undecodable(source, encoding) from error
    if not texts:
        raise UnreadableSource(f"{source.name} is empty. Give at least one line of text.")
    notes = [f"Read as text, an item per line, {encoding.title}.", *filter(None, [encoding.note])]
    return Dataset(
        source.name,
        Modality.TEXT,
        tuple(ids),
        texts,
        dropped=tuple(dropped),
        n_dropped=n_empty,
        notes=(*notes, *_notes(texts, n_empty, "line")),
    )


def _files(sources: Sources, options: ReadOptions) -> Dataset:
    texts, names = [], []
    dropped: list[Dropped] = []
    for name, data in _members(sources, options, dropped):
        member = Source(name, data=data)
        if looks_binary(data[:8192]):
            dropped.append(Dropped(name, "not a text"))
            continue
        encoding = detect_encoding(member, given=options.encoding)
        text = data.decode(encoding.codec, "replace").replace("\0", "").strip().lstrip("\ufeff")
        if not text:
            dropped.append(Dropped(name, "empty text"))
            continue
        texts.append(_short_enough(text, name, member, options))
        names.append(name)
    title = sources[0].name if len(sources) == 1 else f"{len(sources):,} files"
    if not texts:
        raise UnreadableSource(f"{title} holds no text. Give .txt files with content.")
    ids, id_notes = unique_ids(names, column="file name")
    folders = _folders(names)
    roles: dict[str, Role] = {"folder": "label"} if folders is not None else {}
    return Dataset(
        title,
        Modality.TEXT,
        ids,
        texts,
        pd.DataFrame() if folders is None else pd.DataFrame({"folder": folders}),
        roles,
        dropped=tuple(dropped[: Dataset.MAX_LISTED]),
        n_dropped=len(dropped),
        notes=("Read as text, an item per file.", *id_notes, *_notes(texts, len(dropped), "file")),
    )


def _members(
    sources: Sources, options: ReadOptions, dropped: list[Dropped]
) -> Iterator[tuple[str, bytes]]:
    for source in sources:
        if not is_zip(source):
            yield source.name, source.read()
            continue
        for name, data in safe_members(source, options.limits):
            if PurePosixPath(name).suffix.lower() in _IN_ARCHIVE:
                yield name, data
            else:
                is_film = is_media(name, data[:64])
                dropped.append(Dropped(name, MEDIA_REASON if is_film else "not a .txt file"))


def _folders(names: list[str]) -> list[str] | None:
    """Return the innermost folder of each file, or None where it tells nothing."""
    folders = [PurePosixPath(name).parent.name for name in names]
    return folders if len(set(folders)) > 1 else None


def _first_lines(source: Source, options: ReadOptions) -> tuple[list[str], int | None, list[str]]:
    encoding = detect_encoding(source, given=options.encoding, whole=False)
    texts: list[str] = []
    n_empty = 0
    try:
        with open_text(source, encoding) as stream:
            for line in _universal(stream):
                if len(texts) == _PREVIEW_ITEMS:
                    return texts, None, _notes(texts, n_empty, "line")
                text = line.replace("\0", "").strip()
                n_empty += not text
                texts += [text] if text else []
    except UnicodeError as error:
        raise undecodable(source, encoding) from error
    if not texts:
        raise UnreadableSource(f"{source.name} is empty. Give at least one line of text.")
    return texts, len(texts), _notes(texts, n_empty, "line")


def _universal(stream: Iterator[str]) -> Iterator[str]:
    """Yield lines; the stream already splits at CR, LF and both."""
    for line in stream:
        yield line.rstrip("\r\n").lstrip("\ufeff")


def _short_enough(text: str, where: str, source: Source, options: ReadOptions) -> str:
    limit = options.limits.max_text_chars
    if len(text) > limit:
        raise TooLarge(
            f"{source.name} has a text of {len(text):,} characters ({where}); at most {limit:,} "
            "are allowed (max_text_chars). Split it."
        )
    return text


def _notes(texts: list[str], n_dropped: int, what: str) -> list[str]:
    notes = []
    if n_dropped:
        notes.append(f"{count(n_dropped, what)} without text dropped.")
    again = len(texts) - len(set(texts))
    if again:
        notes.append(f"{count(again, 'text')} repeating an earlier one kept.")
    if len(texts) == 1:
        notes.append("Only one item: it has no neighbours, so no map can be drawn.")
    return notes


def _text_guess(texts: list[str]) -> ColumnGuess:
    words = sum(len(text.split()) for text in texts) / max(len(texts), 1)
    examples = tuple(t if len(t) <= 120 else t[:119] + "…" for t in texts[:3])
    reason = f"about {words:.0f} words each"
    return ColumnGuess("text", "text", reason, 0, len(set(texts)), examples)


READER = TextReader()
