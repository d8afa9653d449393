"""Counts in sentences."""

from __future__ import annotations


def count(n: int, noun: str, plural: str = "") -> str:
    """Return ``1 row``, ``2,000 rows``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
