"""One way to look at whatever the user hands over: a path, bytes with a name, an open file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from core.errors import UnreadableSource


class NamedFile(Protocol):
    """An open binary file that knows its name (an upload, or ``open(path, "rb")``)."""

    name: str

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes."""


SourceLike = str | Path | tuple[str, bytes] | NamedFile


@dataclass(frozen=True)
class Source:
    """A named run of bytes, in memory or on disk.

    Attributes
    ----------
    name : str
        File name with suffix, without folders when it came from a path.
    path : Path or None
    data : bytes or None
        Exactly one of ``path`` and ``data`` is set.
    """

    name: str
    path: Path | None = None
    data: bytes | None = None

    @cached_property
    def memo(self) -> dict[str, Any]:
        """Return what readers keep of it between two looks; not part of its identity."""
        return {}

    @property
    def suffix(self) -> str:
        """Return the lower-case suffix with its dot ("" if none)."""
        return Path(self.name).suffix.lower()

    @property
    def stem(self) -> str:
        """Return the name without its suffix."""
        return Path(self.name).stem

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return len(self.data) if self.data is not None else cast("Path", self.path).stat().st_size

    def open(self) -> BinaryIO:
        """Return a new binary stream at the first byte."""
        if self.data is not None:
            return io.BytesIO(self.data)
        return cast("Path", self.path).open("rb")

    def head(self, n: int = 65_536) -> bytes:
        """Return the first ``n`` bytes."""
        with self.open() as stream:
            return stream.read(n)

    def read(self) -> bytes:
        """Return all bytes."""
        if self.data is not None:
            return self.data
        return cast("Path", self.path).read_bytes()


def as_source(source: SourceLike | Source) -> Source:
    """Return ``source`` as a Source.

    Raises
    ------
    UnreadableSource
        If the path does not exist, is a folder, or the object cannot be read.
    """
    if isinstance(source, Source):
        return source
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise UnreadableSource(f"{path.name} {what}. Give the path of a file.")
        return Source(path.name, path=path)
    if isinstance(source, tuple):
        name, data = source
        return Source(Path(name).name or "upload", data=bytes(data))
    if hasattr(source, "read"):
        return Source(Path(getattr(source, "name", "upload")).name, data=source.read())
    raise UnreadableSource(
        f"A source must be a path, (name, bytes) or an open file, got {type(source).__name__}."
    )


def as_sources(source: SourceLike | Source | Sequence[SourceLike | Source]) -> list[Source]:
    """Return one or many sources as a list; a ``(name, bytes)`` tuple is one source."""
    if isinstance(source, list) or (
        isinstance(source, tuple) and not (len(source) == 2 and isinstance(source[1], bytes))
    ):
        return [as_source(s) for s in source]
    return [as_source(cast("SourceLike | Source", source))]
