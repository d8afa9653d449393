"""Colouring the map by a label, a number, or clusters found in the original space."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

import pandas as pd
import streamlit as st

from components import session
from components.embedding_map import Colouring, categorical, continuous
from components.items import RunItems
from components.zero_shot import COLOUR, asked_before, labels_of, picture_kind
from workspace.workspace import RunInfo

CLUSTERS = "clusters (k-means)"
TOPIC = "strongest topic"
NONE = "one colour"
_WIDTH = 200  # pixels

_COLOURINGS_KEPT = 64  # a byte per point each
_made: OrderedDict[tuple[str, str, str], Colouring] = OrderedDict()
_lock = Lock()


def colour_by(run: RunInfo, kind: str, items: RunItems) -> Colouring:
    """Draw the choice of a column and return the colours it gives."""
    topics = [TOPIC] if run.provenance.get("topics") else []
    named = asked_before(run) if kind == picture_kind(run) else None
    words = [COLOUR] if named is not None else []
    options = [*items.colour_columns, *topics, *words, CLUSTERS, NONE]
    default = items.label or (options[0] if items.colour_columns else NONE)
    linked = session.recall("colour")
    if linked in options:
        default = linked
    chosen = st.selectbox(
        "Colour",
        options,
        index=options.index(default),
        key=f"map.colour.{run.dataset[:12]}.{kind}",
        persist_state="session",
        help="A column of the data, or groups found by k-means in the original space.",
        width=_WIDTH,
    )
    session.share(colour=chosen or NONE)
    name = chosen or NONE
    if name == COLOUR and named is not None:
        key = (run.id, kind, repr(named))
        return _remembered(key, lambda: categorical(labels_of(run, kind, named), title=COLOUR))
    return _remembered((run.id, kind, name), lambda: _colouring(run, kind, items, name))


def _colouring(run: RunInfo, kind: str, items: RunItems, chosen: str) -> Colouring:
    if chosen == CLUSTERS:
        groups = default_clusters(len(items))
        found = session.clusters(run.id, kind, groups)
        return categorical([f"cluster {c + 1}" for c in found.tolist()], title="k-means cluster")
    if chosen == TOPIC:
        return _strongest_topics(run, kind)
    if chosen == NONE:
        return categorical(["item"] * len(items), title="")
    return column_colouring(items.columns[chosen], items.roles.get(chosen), chosen)


def _strongest_topics(run: RunInfo, kind: str) -> Colouring:
    shares = session.all_vectors(run.id).of_kind(kind).matrix
    names = [topic["name"] for topic in run.provenance["topics"]]
    strongest = [
        names[best] if share > 0 else "no topic"
        for best, share in zip(shares.argmax(axis=1).tolist(), shares.max(axis=1), strict=True)
    ]
    return categorical(strongest, title=TOPIC)


def _remembered(key: tuple[str, str, str], make: Callable[[], Colouring]) -> Colouring:
    """Return what was made for this run, kind and column before, or make it.

    A run's id is a fingerprint of its data: under an equal id the colours are equal.
    """
    with _lock:
        if key in _made:
            _made.move_to_end(key)
            return _made[key]
    colouring = make()
    with _lock:
        _made[key] = colouring
        while len(_made) > _COLOURINGS_KEPT:
            _made.popitem(last=False)
    return colouring


def default_clusters(n: int) -> int:
    """Return how many clusters to look for: about sqrt(n / 20), between 2 and 11 colours."""
    return int(min(11, max(2, round((n / 20) ** 0.5))))


def column_colouring(values: pd.Series, role: str | None, title: str) -> Colouring:
    """Return colours for a column: classes as distinct colours, numbers and times on a scale."""
    if role == "time":
        times = pd.to_datetime(values, errors="coerce", utc=True)
        years = times.dt.year + (times.dt.day_of_year - 1) / 365.25
        known = times.dropna()
        if known.empty:
            return categorical(values.tolist(), title=title)
        low, high = years.min(), years.max()
        scale = continuous(years.to_numpy(dtype="float64"), title=title, vmin=low, vmax=high)
        return replace(scale, low=f"{known.min():%Y-%m-%d}", high=f"{known.max():%Y-%m-%d}")
    if role == "numeric" and pd.api.types.is_numeric_dtype(values) and values.nunique() > 2:
        return continuous(values.to_numpy(dtype="float32", na_value=float("nan")), title=title)
    return categorical(values.tolist(), title=title)
