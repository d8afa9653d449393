"""Archives are read member by member, in memory, and never unpacked onto the disk."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

from core.errors import TooLarge, UnreadableSource, UnsafeSource
from ingest.limits import MB, Limits, check_limit
from ingest.source import Source

_DRIVE = re.compile(r"^[A-Za-z]:")
_NESTED = frozenset({".zip", ".tar", ".tgz", ".7z", ".rar"})
_CHUNK = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,  # a compression method that zipfile does not know
    RuntimeError,  # a member encrypted although the directory says it is not
)

OnDamaged = Callable[[str, str], None]
Order = Callable[[Sequence[str]], Sequence[int]]
"""Takes the names of members and returns their places in the order in which they are wanted."""


def is_zip(source: Source) -> bool:
    """Tell whether ``source`` starts like a zip archive (empty archives included)."""
    return source.head(4) in {b"PK\x03\x04", b"PK\x05\x06"}


def member_names(source: Source) -> list[str]:
    """Return the names of the files in a zip, without those that systems add by themselves.

    Raises
    ------
    UnreadableSource
        If the archive is broken.
    """
    with _opened(source) as archive:
        return [name for name, _ in _wanted(archive)]


def safe_members(
    source: Source,
    limits: Limits,
    *,
    on_damaged: OnDamaged | None = None,
    order: Order | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a zip as ``(path inside the zip, content)``.

    The whole directory is checked before the first member is unpacked, and sizes are counted again
    while unpacking, because a directory may lie.

    Parameters
    ----------
    source : Source
    limits : Limits
        ``max_zip_members``, ``max_unpacked_mb`` and ``max_zip_ratio`` are kept.
    on_damaged : callable, optional
        Told name and reason of a member that cannot be unpacked, which is then skipped. Without
        it, a damaged member is an error.
    order : callable, optional
        By default the members come in the order of the archive.

    Raises
    ------
    UnsafeSource
        For a path that leaves the archive, a link, an archive inside, or an entry that unpacks to
        suspiciously more than it holds.
    TooLarge
        For too many entries or too many bytes in all.
    UnreadableSource
        For a broken or encrypted archive.
    """
    with _opened(source) as archive:
        check_limit(
            len(archive.infolist()),
            limits.max_zip_members,
            what=f"{source.name} has {{}} entries",
            name="max_zip_members",
            advice="Split it into several archives.",
        )
        wanted = list(_wanted(archive))
        _check_directory(source, wanted, limits)
        budget = limits.max_unpacked_mb * MB
        places = range(len(wanted)) if order is None else order([name for name, _ in wanted])
        for name, info in (wanted[place] for place in places):
            try:
                data = _unpack(archive, info, budget)
            except _DAMAGED as error:
                if on_damaged is None:
                    raise UnreadableSource(
                        f"{source.name} is damaged at {name!r}. Make the archive again."
                    ) from error
                on_damaged(name, "damaged in the archive")
                continue
            if data is None:
                raise TooLarge(_too_much(source, limits))
            budget -= len(data)
            yield name, data


def gunzipped(source: Source, limits: Limits) -> Source:
    """Return a gzip file unpacked in memory under its inner name; any other source as it is.

    Raises
    ------
    TooLarge
        If it unpacks to more than ``max_unpacked_mb``, or is larger than 1 MB and unpacks to more
        than ``max_zip_ratio`` times its size.
    UnreadableSource
        If it is truncated or damaged.
    """
    if source.head(2) != b"\x1f\x8b":
        return source
    most = min(limits.max_unpacked_mb * MB, max(MB, source.size * limits.max_zip_ratio))
    parts = io.BytesIO()
    try:
        with source.open() as raw, gzip.GzipFile(fileobj=raw) as stream:
            while chunk := stream.read(_CHUNK):
                parts.write(chunk)
                if parts.tell() > most:
                    raise TooLarge(
                        f"{source.name} unpacks to more than {most // MB:,} MB, the most that is "
                        "allowed for its size. Unpack it yourself and give a part of it."
                    )
    except (EOFError, OSError, zlib.error) as error:
        raise UnreadableSource(
            f"{source.name} is a damaged or truncated gzip file. Pack it again."
        ) from error
    return Source(source.name.removesuffix(".gz").removesuffix(".GZ"), data=parts.getvalue())


def unpacked_head(source: Source, n: int) -> bytes:
    """Return the first ``n`` bytes of what is in a gzip file, or of the source itself.

    A damaged file gives what could be unpacked; ``gunzipped`` is what refuses it.
    """
    data = source.head(n)
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, n)
    except zlib.error:
        return b""


def _opened(source: Source) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source.open())
    except (*_DAMAGED, ValueError) as error:
        raise UnreadableSource(
            f"{source.name} is not a readable zip archive: it is damaged or of another kind. "
            "Pack the files again as .zip."
        ) from error


def _wanted(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    for info in archive.infolist():
        name = _clean_name(info)
        path = PurePosixPath(name)
        by_system = path.parts[:1] == ("__MACOSX",) or path.name in {
            ".DS_Store",
            "Thumbs.db",
            "desktop.ini",
        }
        if not name.endswith("/") and not by_system:
            yield name, info


def _clean_name(info: zipfile.ZipInfo) -> str:
    name = info.filename
    if not info.flag_bits & 0x800:  # said to be code page 437; macOS writes UTF-8 all the same
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    return name.replace("\\", "/")  # Windows archivers


def _check_directory(
    source: Source, wanted: list[tuple[str, zipfile.ZipInfo]], limits: Limits
) -> None:
    for name, info in wanted:
        if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/"):
            raise UnsafeSource(
                f"{source.name} holds the path {_short(name)!r}, which leads out of the archive, "
                "so nothing of it is read. Pack the files again with plain relative paths."
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UnsafeSource(
                f"{source.name} holds a symbolic link ({_short(name)!r}), so nothing of it is "
                "read. Pack the file itself instead of the link."
            )
        if PurePosixPath(name).suffix.lower() in _NESTED:
            raise UnsafeSource(
                f"{source.name} holds another archive ({_short(name)!r}), and archives inside "
                "archives are not opened. Unpack the inner one and pack its files directly."
            )
        if info.flag_bits & 0x1:
            raise UnreadableSource(
                f"{source.name} is encrypted ({_short(name)!r} needs a password). "
                "Pack the files again without a password."
            )
        ratio = info.file_size / max(info.compress_size, 1)
        if info.file_size > MB and ratio > limits.max_zip_ratio:
            raise UnsafeSource(
                f"{source.name}: {_short(name)!r} would unpack to {ratio:,.0f} times its size "
                f"(max_zip_ratio is {limits.max_zip_ratio}), as zip bombs do, so nothing of it is "
                "read. Give the file itself."
            )
    if sum(info.file_size for _, info in wanted) > limits.max_unpacked_mb * MB:
        raise TooLarge(_too_much(source, limits))


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: int) -> bytes | None:
    """Return the content of one member, or None when it exceeds ``budget`` bytes."""
    with archive.open(info) as stream:
        data = stream.read(min(info.file_size, budget) + 1)
        return data if len(data) <= budget else None


def _too_much(source: Source, limits: Limits) -> str:
    return (
        f"{source.name} unpacks to more than {limits.max_unpacked_mb:,} MB (max_unpacked_mb). "
        "Split it into several archives."
    )


def _short(name: str) -> str:
    return name if len(name) <= 60 else "…" + name[-59:]
