"""How a query is understood: a key, a formula of keys, a text or an image for the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components import session
from components.items import stands_for_items
from components.neighbour_list import shorten
from core.errors import QueryError, UnknownKey
from core.modality import Metric, Modality
from embedders import get_embedder
from embedders.earlier_model import EarlierModel
from vectors import KeyedVectors, VectorIndex
from vectors.formula import (
    Formula,
    is_formula,
    is_plain_sum,
    key_row,
    parse_formula,
    quoted,
    search_formula,
)
from vectors.keyed import KINDS_TOGETHER
from vectors.neighbors import Neighbors
from workspace.workspace import RunInfo

_ASKED_WITH: Mapping[Modality, frozenset[Modality]] = {
    Modality.TEXT: frozenset({Modality.TEXT, Modality.IMAGE}),
    Modality.IMAGE: frozenset({Modality.TEXT, Modality.IMAGE}),
    Modality.PAIRS: frozenset({Modality.TEXT, Modality.IMAGE}),
}
"""What a query box can pass to a method fitted on a kind of data: rows and vectors it cannot."""

_MOST_KEY = 24  # characters of a key that is shown as an example


@dataclass(frozen=True)
class Answer:
    """Neighbours, and the sentence (plain text) that says how the query was understood."""

    found: Neighbors
    understood: str


@dataclass(frozen=True)
class Invitation:
    """What the empty query box says, and the line below it; both plain text."""

    placeholder: str
    hint: str


def asked_with(run: RunInfo) -> frozenset[Modality]:
    """Return what a query for the run's method may be: texts, images, both or only keys."""
    data, embedder = session.dataset(run.dataset), get_embedder(run.embedder)
    asked = embedder.queries & _ASKED_WITH.get(data.modality, frozenset())
    if embedder.pretrained or run.embedder == EarlierModel.id:
        return asked
    learnt = {data.modality} if data.sides is None else set(data.sides.modalities)
    return asked & learnt  # a model trained here knows no other kind of thing


def invitation(run: RunInfo) -> Invitation:
    """Return what can be asked of a run, with keys that it has."""
    keys, accepted = session.all_vectors(run.id), asked_with(run)
    if "word" in run.kinds:
        example = _example_formula(keys, "word")
        what = "a word, a sentence" if Modality.TEXT in accepted else "a word"
        return Invitation(f"{what}, or {example}", f"Type {what}, or a formula such as {example}.")
    if Modality.TEXT in accepted and "image" in run.kinds:
        return Invitation(
            "what a picture shows, or the id of an image",
            "Type what a picture shows, such as “two red circles above a blue square”: the words "
            "are embedded and compared with every picture. Or drop an image.",
        )
    if Modality.TEXT in accepted:
        hint = "Type a sentence: it is embedded by this method and compared with every item."
        if Modality.IMAGE in accepted:
            hint += " Or drop an image."
        return Invitation("a sentence, or the id of an item", hint)
    sides = session.dataset(run.dataset).sides
    if sides is not None:
        left, right = sides.names
        example = _shown_key(keys, right)
        return Invitation(
            f"a {left} or {right}: its name or its id",
            f"Type the name or the id of a {left} or {right}, such as {example}.",
        )
    kind = next(iter(run.kinds))
    noun = kind if kind in {"node", "row", "image"} else "item"
    an_id = f"the id of {'an' if noun in {'item', 'image'} else 'a'} {noun}"
    hint = f"Type {an_id}, such as {_shown_key(keys, kind)}"
    if Modality.IMAGE in accepted:
        return Invitation(f"{an_id}", f"{hint}, or drop an image.")
    if kind == "row":
        return Invitation(an_id, f"{hint}.")
    example = _example_formula(keys, kind)
    return Invitation(f"{an_id}, or {example}", f"{hint}, or a formula such as {example}.")


def ask(
    run: RunInfo,
    kind: str,
    query: str | bytes,
    k: int,
    metric: Metric,
    where: NDArray[np.bool_] | None = None,
) -> Answer:
    """Answer a query from the vectors of ``kind``.

    A text is taken as a formula when it reads as one and the run has such keys, else as a key
    (a word before an item), else it is embedded by the run's method.

    Raises
    ------
    UnknownKey, QueryError
        With what could be asked instead.
    """
    index, accepted = session.index(run.id, kind, metric), asked_with(run)
    if isinstance(query, bytes):
        if Modality.IMAGE not in accepted:
            raise QueryError(f"{run.title} cannot embed an image. Search by an item instead.")
        found = index.search(session.workspace().embed_query(run.id, query), k, where=where)
        return Answer(found, "Items like this image")
    keys, embeds_text = session.all_vectors(run.id), Modality.TEXT in accepted
    reason = ""
    if is_formula(query) and (not embeds_text or "word" in run.kinds):
        formula, reason = _formula(query, keys, metric, embeds_text=embeds_text)
        if formula is not None:
            found = search_formula(index, formula, k, where=where)
            return Answer(found, f"Nearest to {formula.text}")
    if keys.has(query) or not embeds_text:
        return _by_key(run, index, _key_called(run, query, keys), k, where)
    vector = session.workspace().embed_query(run.id, query)
    return Answer(index.search(vector, k, where=where), f"Nearest to the text “{query}”{reason}")


def _formula(
    query: str, keys: KeyedVectors, metric: Metric, *, embeds_text: bool
) -> tuple[Formula | None, str]:
    """Return the formula; or None and why, where the query may as well be a sentence.

    A headline may hold a dash between spaces, but hardly a weight or a parenthesis.
    """
    try:
        return parse_formula(query, keys, metric=metric), ""
    except UnknownKey as error:
        if not (embeds_text and is_plain_sum(query)):
            raise
        return None, f" (not as a formula: “{error.key}” is no word here)"
    except QueryError:
        if not (embeds_text and is_plain_sum(query)):
            raise
        return None, " (it cannot be computed as a formula)"


def _key_called(run: RunInfo, query: str, keys: KeyedVectors) -> str:
    """Return the id of a user or item by its name (in any case), else the query as it is."""
    dataset = session.dataset(run.dataset)
    if dataset.sides is None or keys.has(query):
        return query
    items = session.items(run, KINDS_TOGETHER.join(dataset.sides.names))
    found = items.containing(query)
    exact = [row for row in found.tolist() if items.texts[row].lower() == query.lower()]
    rows = exact or (found.tolist() if len(found) == 1 else [])
    return items.keys[rows[0]] if rows else query


def _by_key(
    run: RunInfo, index: VectorIndex, query: str, k: int, where: NDArray[np.bool_] | None
) -> Answer:
    keys, dataset = session.all_vectors(run.id), session.dataset(run.dataset)
    row = key_row(keys, query)  # raises with near misses
    kind = str(keys.kinds[row])
    # The row itself is left out of the answer, but not another thing of the same name.
    own = index.vectors.has(query, kind)
    own = own and (dataset.sides is not None or index.vectors.kind_names == (kind,))
    found = index.search(query if own else keys.matrix[row], k, where=where)
    if dataset.sides is not None and kind in dataset.sides.names:
        return Answer(found, f"Nearest to {_said(run, query, kind)}")
    if not stands_for_items(kind, dataset):
        also = [name for name in keys.kind_names if name != kind and keys.has(query, name)]
        note = f" (the {kind}; {_noun(also[0])} {query} has the same name)" if also else ""
        return Answer(found, f"Nearest to “{query}”{note}")
    return Answer(found, f"Nearest to {_noun(kind)} {query}")


def _said(run: RunInfo, key: str, kind: str) -> str:
    """Return kind, name and id of an item of a side, each once."""
    items = session.items(run, kind)
    position = items.position(key)
    name = key if position is None else shorten(items.texts[position], 80)
    shown = name if name == key else f"“{name}” ({key})"
    return shown if key.startswith(kind) else f"{kind} {shown}"


def _noun(kind: str) -> str:
    return kind if kind in {"node", "user", "topic"} else "item"


def _shown_key(keys: KeyedVectors, kind: str) -> str:
    return _example_keys(keys, kind, 1)[0]


def _example_formula(keys: KeyedVectors, kind: str) -> str:
    known = [key for key in ("king", "man", "woman") if keys.has(key, kind)]
    shown = known if len(known) == 3 else _example_keys(keys, kind, 3)
    return "".join(
        f"{sign}{quoted(key)}" for sign, key in zip(("", " - ", " + "), shown, strict=False)
    )


def _example_keys(keys: KeyedVectors, kind: str, n: int) -> list[str]:
    """Return ``n`` keys of a kind (fewer where there are fewer), preferably short ones."""
    head = [keys.keys[row] for row in np.flatnonzero(keys.kinds == kind)[:200]]
    short = [key for key in head if len(key) <= _MOST_KEY and '"' not in key]
    letters = [key for key in short if key[:1].isalpha()]
    return list(dict.fromkeys([*letters, *short, *head]))[:n]
