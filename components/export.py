"""Tables as files: names and ids, safe to open in a spreadsheet."""

from __future__ import annotations

import io

import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_csv(frame: pd.DataFrame) -> bytes:
    """Return ``frame`` as UTF-8 CSV with a byte order mark, which Excel needs to see umlauts.

    A text cell that a spreadsheet would run as a formula gets a leading apostrophe (OWASP's
    advice); numbers are left alone.
    """
    safe = frame.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(_defused)
    safe.columns = pd.Index([_defused(str(name)) for name in safe.columns])
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _defused(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Return ``frame`` as Parquet; cells are kept verbatim."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
