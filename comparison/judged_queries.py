"""Judgements joined with the queries and documents that have vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from comparison.judgements import Judgements
from core.errors import DatasetError

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
_HARDLY = 0.1  # of the judged queries known by id: then ids are not what names them
_MANY = 0.75


@dataclass(frozen=True, eq=False)
class JudgedQueries:
    """Queries with the documents that answer them, by their places.

    Attributes
    ----------
    queries : (m,) int64
        Places of the queries that have a relevant document.
    n_documents : int
    judged : tuple of (r,) int64
        Per query the places of the documents that were judged.
    gains : tuple of (r,) float64
        Of these; 0 = not relevant.
    itself : (m,) int64
        Place of the query among the documents; -1 where it is not one of them.
    left_out : mapping of str to int
    notes : tuple of str
        How judgements were joined.
    """

    queries: Rows
    n_documents: int
    judged: tuple[Rows, ...]
    gains: tuple[Floats, ...]
    itself: Rows
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of queries that are asked."""
        return len(self.queries)

    @classmethod
    def of(
        cls,
        judgements: Judgements,
        query_ids: Sequence[str],
        document_ids: Sequence[str],
        *,
        same_items: bool = False,
        join: Literal["auto", "id", "position"] = "auto",
    ) -> Self:
        """Join judgements with queries and documents.

        Parameters
        ----------
        judgements : Judgements
        query_ids, document_ids : sequence of str
            In the order of their vectors.
        same_items : bool
            Whether a query is the document of the same id; it is then never its own answer.
        join : {"auto", "id", "position"}
            How a judgement names its query: by id, or by its number 1 … n in the order given.
            "auto" takes ids, and numbers only where all judged queries are numbers from 1 to n and
            ids cannot be meant: fewer than a tenth of them is known, or each of 1 … n is judged
            while over a quarter of them is unknown (as in Cranfield). One number that is no id is
            an unknown query, not a reason to join all of them otherwise.

        Raises
        ------
        DatasetError
            If no judged query or no relevant document is among those given.
        """
        places, by_position = _places_of_queries(judgements, query_ids, join)
        documents = {id: row for row, id in enumerate(document_ids)}
        found: dict[int, tuple[list[int], list[float]]] = {}
        n_unknown_queries = n_unknown_documents = n_own = n_without = 0
        for query, gains in judgements.gains.items():
            if query not in places:
                n_unknown_queries += 1
                continue
            place = places[query]
            own = documents.get(query_ids[place]) if same_items else None
            known = {documents[d]: max(0.0, g) for d, g in gains.items() if d in documents}
            n_unknown_documents += len(gains) - len(known)
            n_own += own is not None and known.pop(own, None) is not None
            if any(known.values()):
                found[place] = list(known), list(known.values())
            else:
                n_without += 1
        left_out = {
            "judged queries that are not among the queries": n_unknown_queries,
            "judgements of documents that are not among the documents": n_unknown_documents,
            "judgements of a query as its own answer": n_own,
            "queries without a relevant document": n_without,
            "queries without a judgement": len(query_ids) - len(found) - n_without,
        }
        if not found:
            raise DatasetError(
                f"No judgement of {judgements.name} fits these queries and documents. It names "
                f"queries such as {next(iter(judgements.gains))!r}; here they are called such as "
                f"{query_ids[0] if query_ids else ''!r}. Give the same ids."
            )
        order = sorted(found)
        itself = [documents.get(query_ids[i], -1) if same_items else -1 for i in order]
        return cls(
            np.array(order, np.int64),
            len(document_ids),
            tuple(np.array(found[i][0], np.int64) for i in order),
            tuple(np.array(found[i][1], np.float64) for i in order),
            np.array(itself, np.int64),
            {reason: n for reason, n in left_out.items() if n},
            (*judgements.notes, *by_position),
        )


def _places_of_queries(
    judgements: Judgements, query_ids: Sequence[str], join: str
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the place of each judged query, and the sentence that says so if not by id."""
    places = {id: row for row, id in enumerate(query_ids)}
    if join == "auto":
        join = "position" if _are_positions(judgements.gains, places) else "id"
    if join == "id":
        return places, ()
    return {str(row + 1): row for row in range(len(query_ids))}, (
        "Judgements name queries by their numbers 1 to "
        f"{len(query_ids):,} in the order given, not by their ids.",
    )


def _are_positions(judged: Mapping[str, object], places: Mapping[str, int]) -> bool:
    n = len(places)
    if not all(q.isascii() and q.isdigit() and 1 <= int(q) <= n for q in judged):
        return False
    known = sum(q in places for q in judged) / len(judged)
    return known < _HARDLY or (known < _MANY and len(judged) == n)
