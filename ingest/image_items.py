"""Sequences of encoded images: in memory while reading, in a folder of files once stored."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

from core.errors import WorkspaceError
from core.fingerprint import fingerprint
from core.progress import Progress, quiet


def content_hash(data: bytes) -> str:
    """Return the SHA-256 of an encoded image, by which it is stored and compared."""
    return hashlib.sha256(data).hexdigest()


class ImageItems(Sequence[bytes]):
    """Encoded images in memory."""

    def __init__(self, images: Iterable[bytes]) -> None:
        self._images = tuple(images)

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        """Return one encoded image, or a list of them for a slice."""
        return list(self._images[index]) if isinstance(index, slice) else self._images[index]

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """Return the content hash of every image."""
        return tuple(content_hash(data) for data in self._images)

    @property
    def fingerprint(self) -> str:
        """Return a digest of all images, equal to that of their stored form."""
        return fingerprint(list(self.hashes))

    def take(self, rows: Iterable[int]) -> ImageItems:
        """Return the images at ``rows``, in that order."""
        return ImageItems(self._images[int(i)] for i in rows)


class ImageFolderItems(Sequence[bytes]):
    """Encoded images in a folder, read when asked for.

    Parameters
    ----------
    folder : Path
        Holds each distinct image once as ``ab/abcdef…``, named by its content hash.
    hashes : sequence of str
        The content hash of each item, in order; keep them to open the images again.
    """

    def __init__(self, folder: Path, hashes: Iterable[str]) -> None:
        self.folder = folder
        self.hashes = tuple(hashes)

    @classmethod
    def save(
        cls, images: Sequence[bytes], folder: Path, progress: Progress = quiet
    ) -> ImageFolderItems:
        """Write ``images`` into ``folder`` and return them from there.

        Files that are there already are kept; each new one appears at once and whole, so that a
        killed process leaves no half-written image under its final name.
        """
        hashes = []
        for done, data in enumerate(images, start=1):
            name = content_hash(data)
            path = _path(folder, name)
            if not path.exists():
                _write(path, data)
            hashes.append(name)
            progress(done, len(images), "storing images")
        return cls(folder, hashes)

    def __len__(self) -> int:
        return len(self.hashes)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        """Return one encoded image, or a list of them for a slice.

        Raises
        ------
        WorkspaceError
            If its file is gone.
        """
        if isinstance(index, slice):
            return [self._read(name) for name in self.hashes[index]]
        return self._read(self.hashes[index])

    def _read(self, name: str) -> bytes:
        try:
            return _path(self.folder, name).read_bytes()
        except FileNotFoundError as error:
            raise WorkspaceError(
                f"A stored image ({name[:12]}…) is missing from the workspace. "
                "Load the images again."
            ) from error

    @property
    def fingerprint(self) -> str:
        """Return a digest of all images, without reading them."""
        return fingerprint(list(self.hashes))

    def take(self, rows: Iterable[int]) -> ImageFolderItems:
        """Return the images at ``rows``, in that order; none is read."""
        return ImageFolderItems(self.folder, (self.hashes[int(i)] for i in rows))


def _path(folder: Path, name: str) -> Path:
    return folder / name[:2] / name  # 256 subfolders keep listings short


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        raise
