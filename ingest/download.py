"""Fetching one large file: with progress, resumable, checked, and never half in place."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import EmbedderUnavailable, TooLarge, UnsafeSource
from core.progress import Progress, quiet
from core.waiting import wait_for

CONNECT_S = 10.0
"""How long a server may take to answer at first (name, encryption and redirects included); each
further attempt may take twice as long, up to ``SILENT_S``."""
SILENT_S = 30.0
TRIES = 5
"""Attempts in a row that bring nothing new."""
_FIRST_TRIES = 2  # before anything has arrived, of a server that does not answer at all
MB = 1_000_000
_CHUNK = 1 << 18
_LOST = (OSError, http.client.HTTPException, TimeoutError)
_RANGE = re.compile(r"bytes (\d+)-")


@dataclass(frozen=True)
class Remote:
    """A file on a server.

    Attributes
    ----------
    url : str
    size : int
        Bytes.
    digest : str
        ``"sha256:…"``, ``"md5:…"`` or ``"gitsha1:…"`` (the object id under which git keeps it) of
        the whole file, or its first digits where only those are published; empty where none is,
        and then only the size is checked.
    title : str
        What it is called in sentences.
    """

    url: str
    size: int
    digest: str = ""
    title: str = "The file"

    @property
    def host(self) -> str:
        """Return the server's name."""
        return urlsplit(self.url).hostname or self.url

    @property
    def mb(self) -> int:
        """Return the size in millions of bytes, at least 1."""
        return max(1, round(self.size / MB))

    def in_mb(self, n_bytes: int) -> int:
        """Return how many of ``mb`` megabytes ``n_bytes`` are; all only when all are there."""
        return min(n_bytes, self.size) * self.mb // self.size


def download(
    remote: Remote,
    target: Path,
    progress: Progress = quiet,
    *,
    instead: str,
    room: int = 0,
) -> Path:
    """Bring a file to ``target`` and return it; one that is there already is taken as it is.

    What has arrived lies in ``target`` + ``.part`` and is continued (HTTP Range, If-Range) by the
    next call, be it after a lost connection, a cancel or a crash; where the server's file has
    changed meanwhile, it starts over. The file appears under its name only when size and digest
    are right.

    Parameters
    ----------
    remote : Remote
    target : Path
    progress : Progress
        Counts megabytes; called several times a second, waiting included.
    instead : str
        A sentence that says what works without the file.
    room : int
        Bytes that must be free beside the file, for what is made of it.

    Raises
    ------
    EmbedderUnavailable
        If the server cannot be reached, refuses, or the connection is lost for good.
    UnsafeSource
        If what arrived is not the published file; it is deleted.
    TooLarge
        If the disk has no room for it and what is made of it.
    """
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    _check_room(remote, part, room)
    if not remote.digest and not _version(part).exists():
        part.unlink(missing_ok=True)  # nothing would tell whether the rest belongs to it
    idle = 0
    while _have(part) < remote.size:
        before = _have(part)
        try:
            _continue(remote, part, progress, min(SILENT_S, CONNECT_S * 2**idle))
        except urllib.error.HTTPError as error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink()  # the server's file is shorter than what lies here
            raise EmbedderUnavailable(
                f"{remote.host} refused {remote.title} (HTTP {error.code}). {instead}"
            ) from error
        except _LOST as error:
            # Refused before anything came: no network. A server that is slow to answer gets a
            # second attempt; once bytes flowed, a few more are fair.
            idle = 0 if _have(part) > before else idle + 1
            tries = _FIRST_TRIES if isinstance(error, TimeoutError) else 1
            if before or _have(part):
                tries = TRIES
            if idle >= tries:
                raise EmbedderUnavailable(_unreachable(remote, part, instead)) from error
    _check(remote, part, progress)
    part.replace(target)
    _version(part).unlink(missing_ok=True)
    return target


def _have(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _version(part: Path) -> Path:
    """Return where the server's mark of the version of a part lies (ETag or date of change)."""
    return part.with_name(part.name + "-version")


def _check_room(remote: Remote, part: Path, room: int) -> None:
    need = remote.size - _have(part) + room
    free = shutil.disk_usage(part.parent).free
    if need > free:
        raise TooLarge(
            f"{remote.title} needs {need / MB:,.0f} MB of disk, {free / MB:,.0f} MB are free. "
            "Free some space and start it again."
        )


def _unreachable(remote: Remote, part: Path, instead: str) -> str:
    have = _have(part)
    if not have:
        return f"{remote.host} cannot be reached, so {remote.title} was not downloaded. {instead}"
    return (
        f"The connection to {remote.host} was lost after {have / MB:,.0f} of {remote.mb:,} MB of "
        f"{remote.title}; start it again to go on from there. {instead}"
    )


def _continue(remote: Remote, part: Path, progress: Progress, connect_s: float) -> None:
    """Append to the part what the server still has; a server that cannot resume starts over."""
    stage = f"downloading from {remote.host}, megabyte"

    def tell() -> None:
        progress(remote.in_mb(_have(part)), remote.mb, stage)

    def read() -> Any:
        return response.read1(_CHUNK)

    tell()
    request = urllib.request.Request(remote.url, headers={"User-Agent": "Embedscope"})
    if _have(part):
        request.add_header("Range", f"bytes={_have(part)}-")
        if _version(part).exists():
            request.add_header("If-Range", _version(part).read_text(encoding="latin-1"))
    response = wait_for(
        lambda: urllib.request.urlopen(request, timeout=SILENT_S), tell, connect_s, "download"
    )
    with contextlib.closing(response), part.open("ab") as stream:
        if remote.url.startswith("https:") and not response.url.startswith("https:"):
            raise OSError("sent on to a place without encryption")
        if response.status != http.client.PARTIAL_CONTENT:
            if _have(part):
                stream.truncate(0)
                stage = f"downloading again from {remote.host}, megabyte"
            _mark(response, part)
        elif _start(response) != _have(part):
            stream.truncate(0)
            raise OSError("another part was sent than the one asked for")
        while chunk := wait_for(read, tell, SILENT_S, "download"):
            stream.write(chunk)
            stream.flush()
            if _have(part) > remote.size:
                return  # not the published file: the check will tell
            tell()
    if _have(part) < remote.size:
        raise http.client.IncompleteRead(b"", remote.size - _have(part))


def _mark(response: Any, part: Path) -> None:
    """Keep what tells this version of the server's file from any other one."""
    tag = response.headers.get("ETag", "")
    if not tag.startswith('"'):  # a weak one does not promise equal bytes
        tag = response.headers.get("Last-Modified", "")
    if tag:
        _version(part).write_text(tag, encoding="latin-1")
    else:
        _version(part).unlink(missing_ok=True)


def _start(response: Any) -> int:
    """Return the first byte of a partial answer, or -1."""
    found = _RANGE.match(response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _check(remote: Remote, part: Path, progress: Progress) -> None:
    size = _have(part)
    name, _, expected = remote.digest.partition(":")
    found = ""
    if size == remote.size and expected:
        digest, done = _hasher(name, size), 0
        with part.open("rb") as stream:
            while chunk := stream.read(1 << 23):
                digest.update(chunk)
                done += len(chunk)
                progress(remote.in_mb(done), remote.mb, "checking the download, megabyte")
        found = digest.hexdigest()
    if size != remote.size or found[: len(expected)] != expected:
        part.unlink()
        _version(part).unlink(missing_ok=True)
        wrong = f"{name.upper()} {found[:12]}… instead of {expected[:12]}…" if found else ""
        raise UnsafeSource(
            f"What {remote.host} sent is not the published {remote.title} "
            f"({wrong or f'{size:,} instead of {remote.size:,} bytes'}) and was deleted. "
            "Start it again; if it stays so, the server's file has changed."
        )


def _hasher(name: str, size: int) -> hashlib._Hash:
    if name != "gitsha1":
        return hashlib.new(name, usedforsecurity=False)
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
