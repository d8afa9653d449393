"""A query typed once and answered by all methods of a comparison, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from comparison.item_view import ItemView
from components import session
from components.boundary import explained
from components.compare_item_choice import look_at
from components.compare_item_columns import Side, neighbour_columns
from components.compare_item_slopes import rank_slopes
from components.compare_items import compared_items
from components.markdown import escaped
from components.query import asked_with
from core.arrays import FloatVector
from core.errors import EmbedscopeError
from core.fingerprint import fingerprint
from core.modality import Metric, Modality
from ingest.wording import many
from workspace.queries import KEPT
from workspace.stored_comparison import StoredComparison

NO_TEXTS = "This method cannot turn a typed text into a vector. Look at one item instead."


@dataclass(frozen=True, eq=False)
class Asked:
    """One query as the methods understood it.

    Attributes
    ----------
    text : str
    vectors : tuple of (d,) float32 or None
        None where a method has no vector for it.
    refusals : tuple of str
        Why not; "" where there is a vector.
    """

    text: str
    vectors: tuple[FloatVector | None, ...]
    refusals: tuple[str, ...]


def typed_query(stored: StoredComparison, view: ItemView, k: int) -> None:
    """Draw the query box and the answers of all methods."""
    takes = takes_texts(stored)
    if not any(takes):
        st.info(
            "None of these methods can turn a typed text into a vector. Look at one item instead.",
            icon=":material/info:",
        )
        return
    _prepare(stored, takes)
    text = st.text_input(
        "Query",
        key="compare.item.query",
        placeholder="a sentence or a few words",
        icon=":material/search:",
        label_visibility="collapsed",
        persist_state="session",
    ).strip()
    if not text:
        st.caption(
            f"Type a sentence once: {many(sum(takes), 'method')} of {len(takes)} embed it, each in "
            f"its own way, and answer with their nearest of {stored.info.n:,} items."
        )
        return
    asked = _asked(stored, takes, text)
    items = compared_items(stored)
    if all(vector is None for vector in asked.vectors):
        for name, refusal in zip(stored.info.names, asked.refusals, strict=True):
            st.warning(escaped(f"{name}: {refusal}"), icon=":material/info:")
        return
    found = view.of_query(asked.vectors, min(k, stored.info.n))
    joined = stored.comparison.items
    sides = [
        Side(name, f"{metric}, {matrix.shape[1]:,}-d", refusal)
        for name, metric, matrix, refusal in zip(
            joined.names, joined.metrics, joined.matrices, asked.refusals, strict=True
        )
    ]
    neighbour_columns(found, sides, items, label=items.label)
    n_asked = sum(found.asked)
    st.caption(
        f"The {found.k} nearest of {found.n:,} items in each original space. Of {len(found.rows)} "
        f"items that any method names, {len(found.shared)} are named by "
        f"{'both' if n_asked == 2 else f'all {n_asked}'} that answered."
        if n_asked > 1
        else f"The {found.k} nearest of {found.n:,} items. Only one method could answer."
    )
    if n_asked > 1:
        key = f"compare.query.{stored.info.id[:12]}.{fingerprint(text)[:8]}.{k}"
        with explained():
            rank_slopes(found, items, key=key, on_open=look_at)


def takes_texts(stored: StoredComparison) -> list[bool]:
    """Tell which methods can embed a typed text."""
    runs = (session.workspace().run(id) for id in stored.info.runs)
    return [Modality.TEXT in asked_with(run) for run in runs]


def _prepare(stored: StoredComparison, takes: Sequence[bool]) -> None:
    """Load what answers while the user still types; no more than are kept loaded."""
    if session.recall("compare.prepared") == stored.info.id:
        return
    session.remember("compare.prepared", stored.info.id)
    able = [run for run, does in zip(stored.info.runs, takes, strict=True) if does]
    for run in able[:KEPT]:
        session.workspace().prepare_queries(run)


def _asked(stored: StoredComparison, takes: Sequence[bool], text: str) -> Asked:
    """Return the query's vectors; the last query of this tab is not embedded again."""
    known = session.recall("compare.item.asked")
    if known and known[0] == stored.info.id and known[1].text == text:
        last: Asked = known[1]
        return last
    with st.spinner("The methods read the query …"):
        asked = embedded(
            text,
            [run if does else None for run, does in zip(stored.info.runs, takes, strict=True)],
            stored.comparison.items.metrics,
            session.workspace().embed_query,
        )
    session.remember("compare.item.asked", (stored.info.id, asked))
    return asked


def embedded(
    text: str,
    runs: Sequence[str | None],
    metrics: Sequence[Metric],
    embed: Callable[[str, str], FloatVector],
) -> Asked:
    """Embed a text with every method, one after another; what one cannot, it says.

    Parameters
    ----------
    text : str
    runs : sequence of str or None
        None for a method that takes no texts.
    metrics : sequence of {"cosine", "dot", "euclidean"}
    embed : callable
        Takes a run and the text.
    """
    vectors: list[FloatVector | None] = []
    refusals = []
    for run, metric in zip(runs, metrics, strict=True):
        vector, refusal = None, NO_TEXTS
        if run is not None:
            try:
                vector, refusal = np.asarray(embed(run, text), np.float32), ""
            except EmbedscopeError as error:
                refusal = str(error)
        if vector is not None and metric != "euclidean" and not vector.any():
            vector, refusal = None, "It knows none of these words, so nothing is near to them."
        vectors.append(vector)
        refusals.append(refusal)
    return Asked(text, tuple(vectors), tuple(refusals))
