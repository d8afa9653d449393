"""Bytes for the browser and bits from it.

A message is a little-endian uint32 (length of the header), a JSON header, then raw array blocks
on four-byte boundaries; the header says under ``blocks`` what lies where:
``{name: [type, offset, count]}``. Selections return as one bit per point in base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["digest", "pack", "pack_bits", "unpack_bits"]

_TYPES = {"f4": "<f4", "i4": "<i4", "u4": "<u4", "u2": "<u2", "u1": "u1"}


def digest(*parts: bytes | NDArray[Any]) -> str:
    """Return a short signature of bytes and C-contiguous arrays."""
    state = hashlib.blake2b(digest_size=8)
    for part in parts:
        state.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).data.cast("B"))
    return state.hexdigest()


def pack(header: Mapping[str, Any], blocks: Mapping[str, NDArray[Any]]) -> bytes:
    """Put a header and arrays into one message.

    Parameters
    ----------
    header : mapping
        Values that JSON can hold.
    blocks : mapping of str to ndarray
        Arrays of dtype float32, int32, uint32, uint16 or uint8.

    Returns
    -------
    bytes
        The message; every block starts on a multiple of four bytes, as typed arrays need it.
    """
    arrays = {name: np.ascontiguousarray(block) for name, block in blocks.items()}
    table: dict[str, list[Any]] = {}
    # Offsets depend on the header's length and the header on the offsets: the header is padded to
    # a size that surely holds it.
    draft = json.dumps({**header, "blocks": {n: ["f4", 10**10, 10**10] for n in arrays}})
    start = 4 + len(draft.encode()) + 8
    start += -start % 4
    position = start
    for name, array in arrays.items():
        kind = f"{array.dtype.kind}{array.dtype.itemsize}"
        table[name] = [kind, position, int(array.size)]
        position += array.nbytes + (-array.nbytes % 4)
    head = json.dumps({**header, "blocks": table}).encode().ljust(start - 4)
    parts = [struct.pack("<I", len(head)), head]
    for name, array in arrays.items():
        parts += [
            array.astype(_TYPES[table[name][0]], copy=False).tobytes(),
            bytes(-array.nbytes % 4),
        ]
    return b"".join(parts)


def pack_bits(positions: Sequence[int] | NDArray[np.integer], n: int) -> NDArray[np.uint8]:
    """Turn positions into a mask of one bit per point.

    Parameters
    ----------
    positions : sequence of int
        Each at least 0 and below ``n``.
    n : int
        Number of points the mask is about.

    Returns
    -------
    (ceil(n / 8),) uint8 ndarray
        Lowest bit first.
    """
    mask = np.zeros(n, bool)
    mask[np.asarray(positions, np.int64)] = True
    return np.packbits(mask, bitorder="little")


def unpack_bits(text: str, n: int) -> NDArray[np.int64]:
    """Turn a base64 bit mask into positions.

    Parameters
    ----------
    text : str
        Base64 of ``ceil(n / 8)`` bytes, lowest bit first.
    n : int
        Number of points the mask is about.

    Returns
    -------
    (m,) int64 ndarray
        Sorted positions of the set bits; empty if the text is not such a mask.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return np.empty(0, np.int64)
    if len(raw) != (n + 7) // 8:
        return np.empty(0, np.int64)
    bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little", count=n)
    return np.flatnonzero(bits).astype(np.int64)
