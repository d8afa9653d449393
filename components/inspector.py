"""One item and its true neighbours: live k, metric switch, bars, class agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from components import session
from components.graph_links import link_agreement, link_words, links_of
from components.items import RunItems
from components.markdown import escaped
from components.neighbour_list import class_agreement, image_uri, neighbour_list, shorten
from core.modality import METRICS, Metric
from ingest import Sides
from ingest.sides import SIDE_COLUMN
from vectors.neighbors import Neighbors
from workspace.workspace import RunInfo

_METRIC_WORDS = {"cosine": "cosine", "dot": "dot", "euclidean": "Euclid"}


Among = Literal["all", "other", "own"]
_AMONG_WORDS: dict[Among, str] = {"all": "all", "other": "other side", "own": "own side"}


@dataclass(frozen=True)
class NeighbourChoice:
    """How many neighbours, by which metric; of pairs, on which side."""

    k: int
    metric: Metric
    among: Among = "all"


def neighbour_controls(run: RunInfo, n: int, sides: Sides | None = None) -> NeighbourChoice:
    """Draw the k slider, the metric switch and, where both sides are shown, a choice of side."""
    most = max(1, min(100, n - 1))
    k = st.slider("Neighbours", 1, most, min(10, most), key="map.k") if most > 1 else 1
    metric = st.segmented_control(
        "Measure",
        METRICS,
        default=run.metric,
        required=True,
        format_func=_METRIC_WORDS.__getitem__,
        key=f"map.metric.{run.metric}",
        persist_state="session",
        wrap=True,
        help="Cosine compares directions, dot also lengths, Euclid distances. All in the original "
        "space, never on the map.",
    )
    among: Among = "all"
    if sides is not None and 0 < sides.n_left < n:
        # Texts and images lie apart, each among its like: asked for is what crosses over.
        first: Among = "all" if len(set(sides.modalities)) == 1 else "other"
        picked: Among | None = st.segmented_control(
            "Among",
            list(_AMONG_WORDS),
            default=first,
            required=True,
            format_func=_AMONG_WORDS.__getitem__,
            key=f"map.among.{run.id[:12]}",
            persist_state="session",
            wrap=True,
            help=f"Whether the nearest may be each {sides.names[0]} and {sides.names[1]}, or only "
            "those of one side. Items of the same side are often nearer than their partners.",
        )
        among = picked or first
    return NeighbourChoice(k, metric or run.metric, among)


def neighbours_of(
    run: RunInfo, kind: str, items: RunItems, position: int, choice: NeighbourChoice
) -> Neighbors:
    """Return the neighbours of an item in the original space."""
    where = None
    if items.sides is not None and choice.among != "all":
        is_left = items.sides.is_left(len(items))
        wants_left = bool(is_left[position]) == (choice.among == "own")
        where = is_left if wants_left else ~is_left
    index = session.index(run.id, kind, choice.metric)
    return index.search(items.keys[position], choice.k, where=where)


def inspector(
    items: RunItems, position: int, found: Neighbors | None, among: Among = "all"
) -> None:
    """Draw the item at ``position`` and the list of its neighbours, None where it has none.

    ``among`` tells on which side of pairs was looked.
    """
    label = items.label
    _item(items, position)
    if found is None:
        st.info(
            "Its vector is zero: this method found nothing to go by, so it is similar to nothing, "
            "and its place on the map means nothing. “How it was made” says how many are like it."
        )
        if items.edges is not None:
            st.caption(escaped(link_words(links_of(items, position), items)))
        return
    if label is not None and not (label == SIDE_COLUMN and among != "all"):
        agreement = class_agreement(found, items, position, label)
        if agreement:
            st.markdown(f"**{escaped(agreement)}**")
    linked = None
    if items.edges is not None:
        links = links_of(items, position)
        word = "linked" if items.sides is None else "in a pair with it"
        agreement = link_agreement(links, found, len(items), word)
        if agreement and among == "all":
            st.markdown(f"**{escaped(agreement)}**")
        st.caption(escaped(link_words(links, items)))
        linked = frozenset(links.positions.tolist())
    neighbour_list(found, items, label=label, linked=linked)
    st.caption(f"{found.metric} · {found.engine}")


def _item(items: RunItems, position: int) -> None:
    with st.container(border=True, key="inspected_item"):
        picture = items.image(position)
        if picture is not None:
            st.html(
                f'<img src="{image_uri(picture, 96)}" alt="" '
                'style="width:96px;image-rendering:pixelated;border-radius:6px">'
            )
        key, text = items.keys[position], items.texts[position]
        st.text(shorten(text, 600))
        facts = [] if key == text else [key]
        row = items.columns.iloc[position] if len(items.columns.columns) else pd.Series()
        for name, value in list(row.items())[:12]:
            if items.roles.get(str(name)) not in {"text", "ignored"} and not pd.isna(value):
                facts.append(f"{name}: {_short_value(value)}")
        if facts:
            st.caption(escaped(" · ".join(facts)))


def _short_value(value: object) -> str:
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return f"{value:%Y-%m-%d}"  # a date, not a moment
    return f"{value:.4g}" if isinstance(value, float) else shorten(str(value), 60)
