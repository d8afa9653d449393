"""Ids: one per item, unique, as the source calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ingest.wording import count


def row_ids(n: int) -> tuple[str, ...]:
    """Return row numbers counted from 1, for a source without ids."""
    return tuple(map(str, range(1, n + 1)))


def unique_ids(values: Sequence[str | None], *, column: str) -> tuple[tuple[str, ...], list[str]]:
    """Return one distinct id per value, and sentences on what was changed.

    A missing id becomes ``row 12``; the second ``x`` becomes ``x (2)``, the third ``x (3)``, in the
    order of the source, so that the first keeps its name.
    """
    ids = [value if value is not None else f"row {i}" for i, value in enumerate(values, start=1)]
    notes = []
    missing = sum(value is None for value in values)
    if missing:
        notes.append(
            f"{count(missing, 'id')} of {column!r} missing; such an item is called “row N”."
        )
    if len(set(ids)) == len(ids):
        return tuple(ids), notes
    given, used = set(ids), set[str]()
    counts = Counter[str]()
    renamed = 0
    for i, id in enumerate(ids):
        counts[id] += 1
        if counts[id] == 1:
            used.add(id)
            continue
        renamed += 1
        number = counts[id]
        while (new := f"{id} ({number})") in used or new in given:
            number += 1
        counts[id] = number
        used.add(new)
        ids[i] = new
    notes.append(
        f"{count(renamed, 'id')} of {column!r} taken already; "
        "the second “x” is called “x (2)”, and so on."
    )
    return tuple(ids), notes
