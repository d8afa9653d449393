"""Tables as files: names and ids, safe to open in a spreadsheet, whatever the cells hold."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_csv(frame: pd.DataFrame) -> bytes:
    """Return ``frame`` as UTF-8 CSV with a byte order mark, which Excel needs to see umlauts.

    A text cell that a spreadsheet would run as a formula gets a leading apostrophe (OWASP's
    advice); numbers are left alone.
    """
    safe = frame.copy()
    for name in safe.columns:
        if safe[name].dtype.kind == "O":  # neither numbers nor times
            cells = [_defused(value) for value in safe[name]]
            safe[name] = pd.Series(cells, index=safe.index, dtype="object")
    safe.columns = pd.Index([_defused(str(name)) for name in safe.columns])
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _defused(value: object) -> object:
    if not isinstance(value, str):
        return value
    return _encodable("'" + value if value.startswith(_FORMULA_STARTS) else value)


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Return ``frame`` as Parquet; cells are kept verbatim.

    Parquet knows one type per column: a column of several (numbers and texts) becomes texts.
    """
    safe = frame.copy()
    for name in safe.columns:
        if not _has_one_type(safe[name]):
            safe[name] = as_texts(safe[name].tolist()).set_axis(safe.index)
    buffer = io.BytesIO()
    safe.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _has_one_type(column: pd.Series) -> bool:
    if column.dtype != object:
        return True
    try:
        pa.array(column, from_pandas=True)
    except (TypeError, ValueError, OverflowError):  # pyarrow's own errors derive from these
        return False
    return True


def as_texts(values: Sequence[Any]) -> pd.Series:
    """Return any values as texts that have UTF-8 bytes; what is missing stays missing."""
    texts = [None if _is_missing(value) else _encodable(str(value)) for value in values]
    return pd.Series(texts, dtype="object")


def _encodable(text: str) -> str:
    """Return text with "?" for half a surrogate pair, which has no UTF-8 bytes."""
    return text.encode("utf-8", "replace").decode()


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or value != value
