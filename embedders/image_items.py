"""Base of methods that embed images: one encoded file at a time, each distinct file once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.errors import QueryError, UnreadableSource, UnsafeSource
from core.modality import Modality
from core.progress import Progress
from embedders.base import ItemEmbedder
from ingest.dataset import Dataset

DIGEST_STRIDE = 1_000
"""How many files are compared between two progress calls."""


class ImageReference(NamedTuple):
    """Where an encoded image lies; a dataset of any size is held as these, not as files."""

    name: str
    images: Sequence[bytes]
    row: int
    digest: str

    @property
    def data(self) -> bytes:
        """Return the encoded image, read now."""
        return self.images[self.row]

    def unreadable(self, error: Exception) -> UnreadableSource:
        """Return the error that names this image, for one that does not decode."""
        return UnreadableSource(
            f"{self.name} cannot be read as an image: {error}. Remove it and load the images again."
        )


def image_references(
    dataset: Dataset, progress: Progress, stage: str = "comparing files"
) -> list[ImageReference]:
    """Return where each image of ``dataset`` lies, with the hash of its bytes.

    Stored images know their hashes; of others each is read once here and let go.
    """
    from ingest.image_items import content_hash

    images, total = dataset.items, len(dataset)
    progress(0, total, stage)
    known = getattr(images, "hashes", None)
    found = []
    for row, name in enumerate(dataset.ids):
        digest = known[row] if known is not None else content_hash(images[row])
        found.append(ImageReference(name, images, row, digest))
        if (row + 1) % DIGEST_STRIDE == 0 or row + 1 == total:
            progress(row + 1, total, stage)
    return found


def image_query(query: object, title: str) -> ImageReference:
    """Return an encoded image given as a query, checked.

    Raises
    ------
    QueryError
        For anything but the bytes of an image that can be decoded.
    """
    from ingest.image_codec import FORMAT_NAMES, check_image

    if not isinstance(query, bytes):
        raise QueryError(f"{title} takes an image file as query, got {type(query).__name__}.")
    try:
        check_image(query)
    except (UnreadableSource, UnsafeSource) as error:
        raise QueryError(
            f"The query cannot be read as an image: {error}. Give a {FORMAT_NAMES} file."
        ) from error
    return ImageReference("The query", [query], 0, "")


class ImageItemEmbedder(ItemEmbedder):
    """Vectors of images that are read and decoded when their batch comes.

    Memory does not grow with the number of images, except for the vectors themselves: what
    ``_embed_batch`` receives are ``ImageReference``s, whose ``data`` is read on demand. Each
    distinct file (by its bytes) is embedded once.
    """

    accepts = frozenset({Modality.IMAGE})
    queries = accepts
    kind = "image"
    batch_size = 16  # photographs take some 0.1 s each: progress and cancel within 2 s

    @abstractmethod
    def _dim(self) -> int:
        """Return the length of a vector."""

    def _check_images(self, n: int) -> None:
        """Refuse ``n`` images whose vectors would not fit into memory."""
        self._check_size(n, self._dim(), "Use fewer images.")

    def _prepare(self, dataset: Dataset, progress: Progress) -> Sequence[Any]:
        self._check_images(len(dataset))
        return image_references(dataset, progress)

    def _dedup_key(self, item: ImageReference) -> object | None:
        return item.digest

    def _prepare_query(self, query: object) -> Any:
        return image_query(query, self.title)
