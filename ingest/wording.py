"""Counts in sentences."""

from __future__ import annotations


def count(n: int, noun: str, plural: str = "") -> str:
    """Return ``1 row``, ``2,000 rows``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def many(n: int, name: str) -> str:
    """Return ``81 queries``; of a name that is no plain word, ``81 text_b``."""
    return count(n, name, plural(name))


def plural(name: str) -> str:
    """Return ``queries`` of ``query``; a name that is no plain word as it is."""
    if not name.isalpha():
        return name
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("s", "x", "ch", "sh")) else "s")
