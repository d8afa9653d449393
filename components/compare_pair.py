"""Pair: two embeddings side by side, from one number down to the items that changed."""

from __future__ import annotations

import streamlit as st

from comparison.compare import Comparison
from components import session
from components.boundary import explained
from components.compare_k import k_slider
from components.compare_measures import MEASURES, Measure, floor_of, pair_sentence
from components.compare_pair_classes import pair_classes
from components.compare_pair_clusters import pair_clusters
from components.compare_pair_findings import Pair
from components.compare_pair_groups import pair_groups
from components.compare_pair_items import pair_items
from components.figures.ink import chance_text, short_number
from components.markdown import escaped
from workspace.stored_comparison import StoredComparison

_SECTIONS = {
    "Items and maps": pair_items,
    "Classes": pair_classes,
    "Groups": pair_groups,
    "Clusters": pair_clusters,
}
SECTION = "compare.pair.section"
_FIGURE_WIDTH = 172  # pixels: five in a row of a page of 1,400


def pair(stored: StoredComparison) -> None:
    """Draw the choice of two members, how far they agree, and one section of what differs."""
    chosen = _chosen(stored)
    _headline(chosen)
    section = st.segmented_control(
        "Section",
        list(_SECTIONS),
        default="Items and maps",
        required=True,
        key=SECTION,
        persist_state="session",
        label_visibility="collapsed",
    )
    with explained():
        _SECTIONS[section or "Items and maps"](chosen)


def _chosen(stored: StoredComparison) -> Pair:
    info = stored.info
    a, b = session.compared_pair(info, stored.comparison.overlap)
    left, right, slider = st.columns([2, 2, 2], gap="medium", vertical_alignment="bottom")
    names = list(info.names)
    picked = []
    for place, letter, shown, other in ((left, "A", a, b), (right, "B", b, a)):
        options = [name for name in names if letter == "A" or name != other]
        found = place.selectbox(
            letter,
            options,
            index=options.index(shown),
            key=f"compare.pair.{letter}.{info.id[:12]}.{names.index(a)}.{names.index(b)}",
            help="Two of the embeddings; at first those that differ most."
            if letter == "A"
            else None,
        )
        picked.append(found)
    if tuple(picked) != (a, b):
        first, second = picked
        if first == second:  # B was chosen as A: they change places
            second = a
        session.choose_pair(info.id, first, second)
        st.rerun()
    k = k_slider(
        stored,
        slider,
        view="pair",
        help="How many nearest items count as the neighbours of an item.",
    )
    return Pair(stored, a, b, k)


def _headline(chosen: Pair) -> None:
    """Draw one figure per measure, with what chance and another seed would give."""
    stored, a, b = chosen.stored, chosen.a, chosen.b
    comparison = stored.comparison.at(chosen.k)
    row = st.container(horizontal=True)  # goes on below where the page is narrow
    for measure in MEASURES:
        value, beside = headline_figure(chosen, comparison, measure)
        row.metric(
            measure.title + (f" @{chosen.k}" if measure.is_local else ""),
            value,
            beside or None,
            delta_color="off",
            delta_arrow="off",
            help=escaped(f"{measure.says} {pair_sentence(stored, measure.id, a, b, chosen.k)}"),
            width=_FIGURE_WIDTH,
        )


def headline_figure(chosen: Pair, comparison: Comparison, measure: Measure) -> tuple[str, str]:
    """Return a measure of a pair as it is written large, and what stands below it."""
    table = measure.of(comparison)
    i, j = sorted((chosen.i, chosen.j))
    if (i, j) in table.refused:
        return "–", "not measured here"
    parts = []
    if table.chance is not None:
        parts.append(f"chance {chance_text(table.chance)}")
    floors = [
        floor
        for name in (chosen.a, chosen.b)
        if (floor := floor_of(chosen.stored, name, measure.id, chosen.k)) is not None
    ]
    if floors:
        parts.append(f"other seed {short_number(min(floors))}")
    return short_number(float(table.values[i, j])), " · ".join(parts)
