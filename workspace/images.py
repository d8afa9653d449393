"""Image files by content hash: each picture is kept once, whoever loads it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from core.errors import WorkspaceError
from workspace.entries import Entries


class ImageShelf:
    """The folder of image files that all datasets share."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def path(self, digest: str) -> Path:
        """Return where the file with that SHA-256 lies."""
        return self._entries.root / "images" / digest[:2] / digest

    def put_all(self, images: Iterable[bytes]) -> list[str]:
        """Keep encoded images; return their hashes in order."""
        return [self.put(image) for image in images]

    def put(self, image: bytes) -> str:
        """Keep one encoded image; return its hash."""
        digest = hashlib.sha256(image).hexdigest()
        path = self.path(digest)
        if not path.is_file() or path.stat().st_size != len(image):
            self._entries.write_file(path, image)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes of an image.

        Raises
        ------
        WorkspaceError
            If the file has gone.
        """
        try:
            return self.path(digest).read_bytes()
        except OSError as error:
            raise WorkspaceError(
                "An image file of this dataset is missing. Load the images again."
            ) from error

    def remove(self, digests: Iterable[str]) -> None:
        """Delete files, where they are there."""
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)


class StoredImages(Sequence[bytes]):
    """Encoded images that are read from disk when they are looked at.

    Parameters
    ----------
    shelf : ImageShelf
    digests : sequence of str
        SHA-256 of each image, in order.
    fingerprint : str
        The items' digest as computed when they were saved; "" if these are only some of them.
    """

    def __init__(self, shelf: ImageShelf, digests: Sequence[str], fingerprint: str = "") -> None:
        self._shelf = shelf
        self.digests = tuple(digests)
        self.fingerprint = fingerprint

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.digests)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> StoredImages: ...
    def __getitem__(self, index: int | slice) -> bytes | StoredImages:
        """Return the bytes of one image, or some images still on disk."""
        if isinstance(index, slice):
            return StoredImages(self._shelf, self.digests[index])
        return self._shelf.get(self.digests[index])

    def take(self, rows: NDArray[np.int64]) -> StoredImages:
        """Return the images at ``rows``, still on disk."""
        return StoredImages(self._shelf, [self.digests[i] for i in rows.tolist()])
