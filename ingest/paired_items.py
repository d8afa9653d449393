"""The items of a dataset of pairs: those of the left side, then those of the right side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, overload

from core.fingerprint import fingerprint
from ingest.image_items import ImageItems, content_hash

Item = str | bytes


class PairedItems(Sequence[Item]):
    """Texts (str) and encoded images (bytes) of two sides, one after the other.

    Parameters
    ----------
    left, right : sequence of str or of bytes
        One kind per side. A disk-backed sequence of images stays on disk.
    """

    def __init__(self, left: Sequence[Any], right: Sequence[Any]) -> None:
        self.left = _kept(left)
        self.right = _kept(right)

    def __len__(self) -> int:
        return len(self.left) + len(self.right)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        """Return one text or encoded image, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        n = len(self.left)
        item: Item = self.left[place] if place < n else self.right[place - n]
        return item

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """Return the content hash of every item; stored images are not read for it."""
        return (*_hashes(self.left), *_hashes(self.right))

    @property
    def fingerprint(self) -> str:
        """Return a digest of all items, equal to that of their stored form."""
        return fingerprint(*(fingerprint(list(_hashes(side))) for side in (self.left, self.right)))

    def take(self, rows: Iterable[int]) -> PairedItems:
        """Return the items at ``rows``, left ones before right ones; no image is read."""
        places = [int(i) for i in rows]
        n = len(self.left)
        return PairedItems(
            _take(self.left, [i for i in places if i < n]),
            _take(self.right, [i - n for i in places if i >= n]),
        )


def _kept(side: Sequence[Any]) -> Sequence[Any]:
    """Return images as a sequence that knows their hashes, texts as a list."""
    if hasattr(side, "hashes"):
        return side
    items = list(side)
    return ImageItems(items) if items and isinstance(items[0], bytes) else items


def _hashes(side: Sequence[Any]) -> Sequence[str]:
    known: Sequence[str] | None = getattr(side, "hashes", None)
    if known is not None:
        return known
    return [content_hash(text.encode("utf-8", "surrogatepass")) for text in side]


def _take(side: Sequence[Any], rows: list[int]) -> Sequence[Any]:
    take = getattr(side, "take", None)
    taken: Sequence[Any] = take(rows) if take else [side[i] for i in rows]
    return taken
