"""Folders that appear whole or not at all, and are checked when they are opened."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import WorkspaceError

META = "meta.json"
_FORMAT = 1
_EDGE = 65_536  # bytes checked at each end of a file: catches truncation and zero-filled tails
_STALE_S = 86_400


class Entries:
    """Entries ``<root>/<kind>/<ab>/<id>/``, each a folder of files and a ``meta.json``.

    Writers fill a folder under ``tmp`` and rename it into place, so that a reader never meets half
    an entry and two writers of the same content do no harm: the first one stays.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._tmp = root / "tmp"

    def path(self, kind: str, id: str) -> Path:
        """Return where an entry lies or would lie."""
        if not id.isalnum():  # ids come from links and forms: no path may be made of them
            raise WorkspaceError(f"{id!r} is not an id of a stored {kind}. Open it from its page.")
        return self.root / kind / id[-2:] / id

    def write(
        self, kind: str, id: str, fill: Callable[[Path], Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Store what ``fill`` writes into a new folder; return its meta data.

        ``fill`` gets the folder and returns plain values for ``meta.json``. An entry that is
        already there and whole is left as it is.

        Raises
        ------
        WorkspaceError
            If the disk is full or may not be written.
        """
        ready = self.meta(kind, id)
        if ready is not None:
            return ready
        with saving(kind), self._folder() as folder:
            meta = {**fill(folder), "format": _FORMAT, "files": {}}
            for file in sorted(folder.iterdir()):
                _sync(file)
                meta["files"][file.name] = [file.stat().st_size, _spot_check(file)]
            text = json.dumps(meta, default=plain, ensure_ascii=True)
            (folder / META).write_text(text, encoding="utf-8")
            _sync(folder / META)
            self._publish(folder, self.path(kind, id), lambda: self.meta(kind, id) is not None)
        stored = self.meta(kind, id)
        if stored is None:
            raise WorkspaceError(f"The {kind} could not be read back after saving. Try again.")
        return stored

    def meta(self, kind: str, id: str) -> dict[str, Any] | None:
        """Return the meta data of a whole entry, or None if it is missing or broken."""
        folder = self.path(kind, id)
        try:
            meta: dict[str, Any] = json.loads((folder / META).read_text(encoding="utf-8"))
            if meta["format"] != _FORMAT:
                return None
            for name, (size, check) in meta["files"].items():
                file = folder / name
                if file.stat().st_size != size or _spot_check(file) != check:
                    return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return meta

    def remove(self, kind: str, id: str) -> None:
        """Delete an entry, if it is there."""
        self._discard(self.path(kind, id))

    def ids(self, kind: str) -> Iterator[str]:
        """Yield the ids of a kind."""
        for folder in (self.root / kind).glob("??/*"):
            yield folder.name

    def clean(self) -> None:
        """Delete unfinished folders that a killed process left a day ago or earlier."""
        limit = time.time() - _STALE_S
        for folder in self._tmp.glob("*"):
            if folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        folder = self._tmp / secrets.token_hex(8)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _publish(self, folder: Path, target: Path, is_whole: Callable[[], bool]) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(3):  # another writer may come between a check and the rename
            try:
                folder.rename(target)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.EACCES}:
                    raise
                if is_whole():
                    return
                self._discard(target)
            else:
                _sync(target.parent)
                return

    def _discard(self, folder: Path) -> None:
        doomed = self._tmp / secrets.token_hex(8)
        self._tmp.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(doomed)  # gone in one step; deleting the files may take a while
        except OSError:
            doomed = folder
        shutil.rmtree(doomed, ignore_errors=True)


@contextmanager
def saving(what: str) -> Iterator[None]:
    """Turn a failing disk into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            reason = "the disk is full. Free some space and start it again"
        elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            reason = "the folder named by EMBEDSCOPE_HOME may not be written. Allow writing to it"
        else:
            reason = f"of a disk error ({error.strerror}). Check the disk and start it again"
        raise WorkspaceError(
            f"The {what} could not be saved because {reason}; finished work is kept."
        ) from error


def plain(value: Any) -> Any:
    """Return the JSON form of a numpy scalar or array, a mapping view or a tuple-like."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def _spot_check(file: Path) -> int:
    with file.open("rb") as stream:
        head = stream.read(_EDGE)
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(_EDGE, size - _EDGE))
        return zlib.crc32(stream.read(), zlib.crc32(head))


def _sync(path: Path) -> None:
    """Flush a file or folder, so that a rename never outlives the bytes it names."""
    if os.name != "posix" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
