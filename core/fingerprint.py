"""Content fingerprints: equal content, equal text; anything else, another text."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np


def fingerprint(*parts: object) -> str:
    """Return a SHA-256 hex digest of ``parts``, which must be plain data.

    Every value is written with its type and length before its bytes, so that ``("ab", "c")`` and
    ``("a", "bc")`` differ, and so do ``1``, ``1.0``, ``True`` and ``"1"``. Mappings are hashed in
    key order. numpy arrays count dtype, shape and bytes (object arrays are refused).

    Raises
    ------
    TypeError
        For a value that has no canonical form.
    """
    digest = hashlib.sha256()
    for part in parts:
        _feed(digest, part)
    return digest.hexdigest()


def _feed(digest: Any, value: object) -> None:
    if value is None:
        _write(digest, b"N", b"")
    elif isinstance(value, Enum):
        _feed(digest, value.value)
    elif isinstance(value, bool | np.bool_):
        _write(digest, b"B", b"1" if value else b"0")
    elif isinstance(value, int | np.integer):
        _write(digest, b"I", str(int(value)).encode())
    elif isinstance(value, float | np.floating):
        _write(digest, b"F", struct.pack("<d", float(value)))
    elif isinstance(value, str):
        _write(digest, b"S", value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, bytes | bytearray | memoryview):
        _write(digest, b"Y", bytes(value))
    elif isinstance(value, np.ndarray):
        _feed_array(digest, value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        _feed(digest, {type(value).__name__: fields})
    elif isinstance(value, Mapping):
        _write(digest, b"M", str(len(value)).encode())
        for key in sorted(value, key=str):
            _feed(digest, str(key))
            _feed(digest, value[key])
    elif isinstance(value, list | tuple):
        _write(digest, b"L", str(len(value)).encode())
        for element in value:
            _feed(digest, element)
    elif isinstance(value, set | frozenset):
        _feed(digest, sorted(value, key=str))
    else:
        raise TypeError(f"{type(value).__name__} has no canonical form to fingerprint")


def _write(digest: Any, tag: bytes, payload: bytes) -> None:
    digest.update(tag + struct.pack("<Q", len(payload)))
    digest.update(payload)


def _feed_array(digest: Any, array: np.ndarray[Any, Any]) -> None:
    if array.dtype.hasobject:
        raise TypeError("an object array has no canonical form to fingerprint")
    head = f"{array.dtype.newbyteorder('<').str}{array.shape}".encode()
    _write(digest, b"A", head)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    digest.update(np.ascontiguousarray(little).data)
