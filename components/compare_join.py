"""Whether embeddings of different data can be joined by the ids of their items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.modality import Modality
from ingest import Dataset
from ingest.wording import many

_GIVEN = "Ids from "  # begins what the reader of a table notes of a column of ids
_NAMED = (Modality.GRAPH, Modality.INTERACTIONS)  # their ids are what the file is about


@dataclass(frozen=True)
class Joining:
    """What is to be known before items of different data are joined.

    Attributes
    ----------
    told : str
        How many items they share.
    warning : str
        Why the join may be wrong; "" where ids are given.
    refusal : str
        Why it cannot be right; "" where it can.
    """

    told: str = ""
    warning: str = ""
    refusal: str = ""


def has_row_numbers(data: Dataset) -> bool:
    """Tell whether the ids are only the numbers of the rows: from no column, 0 or 1 upwards."""
    if data.modality in _NAMED or any(note.startswith(_GIVEN) for note in data.notes):
        return False
    last, most = -1, len(data) + data.n_dropped
    for id in data.ids:
        if not (id.isascii() and id.isdigit()) or str(int(id)) != id:
            return False
        if not last < (last := int(id)) <= most:
            return False
    return True


def joining(sources: Sequence[Dataset], shown: Dataset | None = None) -> Joining:
    """Return what is to be known of data whose items are joined by id.

    Row numbers are no ids: row 7 of one file is row 7 of another only where both hold the same
    rows in the same order, which nobody but the user knows. Where the numbers of rows differ they
    do not.

    Parameters
    ----------
    sources : sequence of Dataset
        Each once. Of one there is nothing to join.
    shown : Dataset, optional
        Whose texts, pictures and columns the items are shown with, where it is none of the sources.
    """
    shared = set(_ids(sources[0])).intersection(*(_ids(data) for data in sources[1:]))
    if shown is not None and (strange := len(shared.difference(_ids(shown)))):
        return Joining(
            refusal=f"{many(strange, 'item')} of these embeddings are not among those of "
            f"{shown.name}, which they would be shown as. Choose their own data at the left first."
        )
    sources = [*sources, *([] if shown is None else [shown])]
    if len(sources) < 2:
        return Joining()
    counts = ", ".join(f"{many(len(_ids(data)), 'item')} of {data.name}" for data in sources)
    if not shared:
        return Joining(
            refusal=f"No item is in all of these data by its id: {counts}. Give the files the same "
            "ids, or leave out what comes from other data."
        )
    told = f"{counts} are joined by id: {many(len(shared), 'item')} in all of them"
    numbered = [data.name for data in sources if has_row_numbers(data)]
    if not numbered:
        return Joining(told)
    whose = f"{' and '.join(numbered)} {'has' if len(numbered) == 1 else 'have'} no ids"
    if not set.intersection(*({len(data), len(data) + data.n_dropped} for data in sources)):
        return Joining(
            told,
            refusal=f"{whose}, only row numbers, and the numbers of rows differ ({counts}): row 1 "
            "of one need not be row 1 of the other. Give the files a column of ids, or leave out "
            "what comes from other data.",
        )
    return Joining(
        told,
        warning=f"{whose}, so items are joined by row number: only right if the files have the "
        "same rows in the same order.",
    )


def _ids(data: Dataset) -> tuple[str, ...]:
    """Return the items that are compared: of two sides the left ones."""
    return data.ids[: data.sides.n_left] if data.sides else data.ids
