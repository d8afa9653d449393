"""Which items two embeddings see alike and which not: bars to brush, a list, linked maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from comparison.changed_items import movers_words
from comparison.movers import Movers
from components import session
from components.boundary import explained
from components.compare_items import compared_items
from components.compare_pair_findings import CHOSEN_ITEM, Pair, pair_movers
from components.compare_pair_list import ListedItems, item_table, listed
from components.compare_pair_maps import pair_maps
from components.figures.displacement_histogram import displacement_histogram
from components.figures.overlap_histogram import overlap_histogram
from components.markdown import escaped
from components.neighbour_list import shorten

_BAR = {"displayModeBar": False}
_LISTS = ("Changed most", "Changed least", "In the bars", "On the maps")
_SHARED, _MOVED = "Shared neighbours", "Displacement"
Rows = NDArray[np.int64]


def pair_items(pair: Pair) -> None:
    """Draw agreement per item, the items of a range, and both maps."""
    overlap = pair_overlap(pair)
    moved = None
    with explained():
        moved = pair_movers(pair)
    bars, beside = st.columns([2, 3.4], gap="large")
    with bars:
        by_place = moved is not None and _by_place()
        brushed = _bars(pair, overlap, moved if by_place else None)
        if moved is not None:
            st.caption(escaped(movers_words(moved)), help=escaped(movers_help(moved, pair)))
    selected = session.recall(f"pair.selected.{pair.stored.info.id}")
    with beside:
        items = ListedItems(overlap, moved, by_place, pair_ranked(pair))
        _list(pair, items, brushed, selected)
    with explained():
        _remember_selection(pair, pair_maps(pair, overlap, moved), selected)


def pair_overlap(pair: Pair) -> NDArray[np.float64]:
    """Return the share of the k nearest that both name, per item."""
    key = ("pair overlap", pair.key, pair.stored.info.id, str(pair.k))
    return session.worked_out(
        key, lambda: pair.stored.comparison.at(pair.k).per_item(pair.a, pair.b)
    )


def pair_ranked(pair: Pair) -> NDArray[np.float64]:
    """Return the rank-biased overlap of the k nearest, per item."""
    key = ("pair ranked overlap", pair.key, pair.stored.info.id, str(pair.k))
    return session.worked_out(
        key, lambda: pair.stored.comparison.at(pair.k).per_item(pair.a, pair.b, "rbo")
    )


def movers_help(moved: Movers, pair: Pair) -> str:
    """Say how displacement is measured."""
    return (
        "Both spaces are turned onto each other in all their dimensions (Procrustes). The rotation "
        "is fitted on one half of the items and measured on the other, and the other way round. "
        "Spaces with nothing in common: the same after pairing items at random. Beyond its "
        f"surroundings: less the median of its {moved.k} neighbours in {pair.a} and in {pair.b}, "
        "0 where an item moved along with them."
    )


def _by_place() -> bool:
    shown = st.segmented_control(
        "Change by",
        [_SHARED, _MOVED],
        default=_SHARED,
        required=True,
        key="compare.pair.by",
        persist_state="session",
        label_visibility="collapsed",
    )
    return shown == _MOVED


def _bars(pair: Pair, overlap: NDArray[np.float64], moved: Movers | None) -> Rows:
    """Draw the histogram; return the items in the brushed range, none without one."""
    dark = session.is_dark()
    if moved is None:
        values = overlap
        figure = overlap_histogram(
            overlap,
            measure=f"shared neighbours @{pair.k}",
            k=pair.k,
            chance=pair.k / max(1, pair.n - 1),
            dark=dark,
        )
    else:
        values = moved.displacement
        figure = displacement_histogram(
            values,
            random=(float(moved.random[0]), float(moved.random[2])),
            shuffled=moved.shuffled,
            dark=dark,
        )
    event = st.plotly_chart(
        figure,
        key=f"compare.pair.bars.{pair.key}.{pair.k}.{moved is not None}",
        on_select="rerun",
        selection_mode=("points", "box"),
        config=_BAR,
    )
    return brushed_rows(values, event)


def brushed_rows(values: NDArray[np.float64], event: Any) -> Rows:
    """Return the items in the bars that were brushed or clicked."""
    points = event["selection"]["points"] if event else []
    inside = np.zeros(len(values), bool)
    for point in points:
        bounds = point["customdata"]  # the browser sends numbers as {"0": …, "1": …}
        low, high = bounds.values() if isinstance(bounds, Mapping) else bounds
        inside |= (values >= low - 1e-9) & (values <= high + 1e-9)
    return np.flatnonzero(inside)


def _list(pair: Pair, items: ListedItems, brushed: Rows, selected: Rows | None) -> None:
    """Draw the list of the most and least changed, of the bars, or of the maps."""
    key = f"compare.pair.list.{pair.stored.info.id[:12]}"
    _turn_to(key, "In the bars", brushed)
    _turn_to(key, "On the maps", np.empty(0, np.int64) if selected is None else selected)
    # A new key, or the widget would keep what was clicked before.
    turn, option = session.recall(key, (0, _LISTS[0]))
    shown = st.segmented_control(
        "Items",
        _LISTS,
        default=option,
        required=True,
        key=f"{key}.{turn}",
        label_visibility="collapsed",
    )
    if shown == "In the bars" and not len(brushed):
        st.caption("Drag over the bars, or click one, to list its items here.")
        return
    if shown == "On the maps" and (selected is None or not len(selected)):
        st.caption("Select points on a map below (box or lasso) to list them here.")
        return
    among = {"In the bars": brushed, "On the maps": selected}.get(shown or "")
    rows, words = listed(items, among, most=shown != "Changed least")
    st.caption(words)
    item_table(pair, items, rows, key=f"{pair.key}.{pair.k}.{shown}.{items.by_place}")
    chosen_item(pair)


def _turn_to(key: str, option: str, rows: Rows) -> None:
    """Show a list as soon as something else is in it."""
    name = f"{key}.seen.{option}"
    now = (len(rows), int(rows[0]) if len(rows) else -1, int(rows.sum()))
    if session.recall(name) != now:
        session.remember(name, now)
        if len(rows):
            session.remember(key, (session.recall(key, (0, ""))[0] + 1, option))


def chosen_item(pair: Pair) -> None:
    """Say which item was chosen and offer to look at it."""
    items = compared_items(pair.stored)
    id = session.recall(CHOSEN_ITEM)
    position = None if id is None else items.position(id)
    if position is None:
        st.caption("Click an item to mark it on both maps with its neighbours.")
        return
    words, button = st.columns([3, 1.3], vertical_alignment="center")
    words.markdown(f"**Chosen:** {escaped(shorten(items.texts[position], 160))}")
    button.button(
        "Look at this item",
        key="compare.pair.to_item",
        icon=":material/search:",
        width="stretch",
        on_click=session.preset,  # before the switch of views is drawn again
        args=("compare.view", "Item"),
    )


def _remember_selection(pair: Pair, now: Rows | None, before: Rows | None) -> None:
    """Keep what is selected on the maps for the list above them."""
    if now is None or np.array_equal(now, [] if before is None else before):
        return
    session.remember(f"pair.selected.{pair.stored.info.id}", now)
    st.rerun()
