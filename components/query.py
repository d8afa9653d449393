"""How a query is understood: a key, a formula of keys, a text or an image for the method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components import session
from core.modality import Metric, Modality
from embedders import get_embedder
from vectors.formula import is_formula, parse_formula, search_formula
from vectors.neighbors import Neighbors
from workspace.workspace import RunInfo


@dataclass(frozen=True)
class Answer:
    """Neighbours, and the sentence that says how the query was understood."""

    found: Neighbors
    understood: str


def ask(
    run: RunInfo,
    kind: str,
    query: str | bytes,
    k: int,
    metric: Metric,
    where: NDArray[np.bool_] | None = None,
) -> Answer:
    """Answer a query from the vectors of ``kind``.

    A text is taken as a formula when it reads as one and the run has such keys, else as a key,
    else it is embedded by the run's method.

    Raises
    ------
    UnknownKey, QueryError
        With what could be asked instead.
    """
    index = session.index(run.id, kind, metric)
    if isinstance(query, bytes):
        found = index.search(session.workspace().embed_query(run.id, query), k, where=where)
        return Answer(found, "Items like this image")
    keys = session.all_vectors(run.id)
    embeds_text = Modality.TEXT in get_embedder(run.embedder).queries
    if is_formula(query) and (not embeds_text or "word" in run.kinds):
        formula = parse_formula(query, keys)
        return Answer(search_formula(index, formula, k, where=where), f"Nearest to {formula.text}")
    if keys.has(query):
        own = keys.of_kind(kind) if kind in keys.kind_names else keys
        target = query if own.has(query) else keys[query]
        return Answer(index.search(target, k, where=where), f"Nearest to “{query}”")
    if embeds_text:
        vector = session.workspace().embed_query(run.id, query)
        return Answer(index.search(vector, k, where=where), f"Nearest to the text “{query}”")
    return Answer(index.search(keys[query], k, where=where), query)  # raises with near misses
