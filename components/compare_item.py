"""One item, or one query, in all methods of a comparison: whose neighbours are whose."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from comparison.item_view import ItemView, JoinedNeighbours
from components import session
from components.boundary import explained
from components.compare_item_choice import ONE, item_choice, look_at, mean_overlap
from components.compare_item_columns import Side, neighbour_columns
from components.compare_item_labels import label_disagreements
from components.compare_item_query import typed_query
from components.compare_item_slopes import rank_slopes
from components.compare_items import compared_items
from components.compare_k import k_slider
from components.items import RunItems
from components.markdown import escaped
from components.neighbour_list import image_uri, shorten
from components.pickable_items import Column, pickable_items
from workspace.stored_comparison import StoredComparison

_QUERY, _LABELS = "A typed query", "Labels only one finds"
_MOST_TEXT = 600


def item(stored: StoredComparison) -> None:
    """Draw one item, one query, or the items whose label one method finds and another does not."""
    _follow_others()
    which, slider = st.columns([3, 2], vertical_alignment="bottom", gap="large")
    mode = which.segmented_control(
        "What to look at",
        [ONE, _QUERY, _LABELS],
        default=ONE,
        required=True,
        key="compare.item.mode",
        persist_state="session",
        label_visibility="collapsed",
    )
    k = k_slider(stored, slider, view="item", label="k, neighbours per method")
    if mode == _QUERY:
        typed_query(stored, item_view(stored), k)
    elif mode == _LABELS:
        label_disagreements(stored, k)
    else:
        _one_item(stored, k)


def _follow_others() -> None:
    """Show the item that another view has chosen, whatever was looked at here before."""
    asked = session.recall("compare.item")
    if asked and asked != session.recall("compare.item.seen"):
        session.preset("compare.item.mode", ONE)
    session.remember("compare.item.seen", asked)


def item_view(stored: StoredComparison) -> ItemView:
    """Return what joins the neighbours of this comparison, made once."""
    made = stored.comparison
    return session.worked_out(
        ("item view", stored.info.id), lambda: ItemView(made.items, made.graphs)
    )


def _one_item(stored: StoredComparison, k: int) -> None:
    items = compared_items(stored)
    row = item_choice(stored, k)
    session.remember("compare.item.seen", session.recall("compare.item"))
    _head(stored, items, row, k)
    found = item_view(stored).of_item(row, k)
    neighbour_columns(found, _sides(stored, found, items, row), items, label=items.label)
    n_all, n_any = len(found.shared), len(found.rows)
    st.caption(
        f"The {k} nearest of {found.n:,} other items in each original space. Of {n_any} items that "
        f"any method names, {n_all} are named by all {len(found.names)}. Point at an item to "
        "see where else it stands."
    )
    with explained():
        rank_slopes(
            found, items, key=f"compare.item.{stored.info.id[:12]}.{row}.{k}", on_open=look_at
        )
    with explained():
        _exact(stored, found, items, row)


def _head(stored: StoredComparison, items: RunItems, row: int, k: int) -> None:
    """Show the item, its labels, and how far the methods agree on its neighbours."""
    with st.container(border=True, key="compare.item.head"):
        data = items.image(row)
        picture, words = st.columns([1, 8]) if data is not None else (None, st.container())
        if picture is not None and data is not None:
            picture.html(
                f'<img src="{image_uri(data, 128)}" alt="the item" '
                'style="width:100%;max-width:110px;border-radius:6px;image-rendering:pixelated">'
            )
        words.markdown(f"**{escaped(shorten(items.texts[row], _MOST_TEXT))}**")
        told = [f"id {items.keys[row]}"] if items.texts[row] != items.keys[row] else []
        for name in items.columns:
            value = items.columns[name].iloc[row]
            if items.roles.get(str(name)) in ("label", "categorical") and not pd.isna(value):
                told.append(f"{name}: {shorten(str(value), 60)}")
        every = mean_overlap(stored, k)
        pairs = len(stored.info.names) * (len(stored.info.names) - 1) // 2
        if np.isnan(every[row]):
            told.append("only zeros as its vector, so that it has no neighbours to share")
        else:
            mean_of = f", the mean of {pairs} pairs of methods" if pairs > 1 else ""
            told.append(
                f"{every[row]:.0%} of its {k} neighbours shared{mean_of} (all items: "
                f"{np.nanmean(every):.0%}, chance: {k / (stored.info.n - 1):.1%})"
            )
        words.caption(escaped(" · ".join(told)))


def _sides(
    stored: StoredComparison, found: JoinedNeighbours, items: RunItems, row: int
) -> list[Side]:
    """Return the heads of the columns: metric, dimensions, how many share the label."""
    label = items.label
    values = None if label is None else items.columns[label]
    sides = []
    for at, name in enumerate(found.names):
        note = side_note(stored, at)
        if values is not None and not pd.isna(own := values.iloc[row]):
            near = found.rows[found.within_k[:, at]]
            same = int((values.iloc[near] == own).sum())
            chance = (int((values == own).sum()) - 1) / (len(values) - 1)
            shown = f"{chance:.2f}".removeprefix("0")
            note += f" · {same} of {len(near)} share its {label} (chance {shown})"
        sides.append(Side(name, note))
    return sides


def side_note(stored: StoredComparison, at: int) -> str:
    """Return metric and dimensions of a method."""
    joined = stored.comparison.items
    return f"{joined.metrics[at]}, {joined.matrices[at].shape[1]:,}-d"


def _exact(stored: StoredComparison, found: JoinedNeighbours, items: RunItems, row: int) -> None:
    shown = st.toggle(
        f"Exact ranks of all {len(found.rows)} neighbours in every method",
        key="compare.item.exact",
        persist_state="session",
        help="Every item is compared, so that a rank is known however far an item lies.",
    )
    if not shown:
        return
    ranks = item_view(stored).exact_ranks(found, row)
    columns = [
        Column(
            name, ranks[:, at].tolist(), "%d", escaped(f"Rank among {found.n:,} items in {name}.")
        )
        for at, name in enumerate(found.names)
    ]
    columns.append(_spread(ranks))
    pickable_items(
        items,
        found.rows.tolist(),
        columns,
        key=f"compare.item.ranks.{stored.info.id[:12]}.{row}.{found.k}",
        on_pick=look_at,
    )
    st.caption(
        f"Ranks among {found.n:,} items; 1 is the nearest. In order of consensus (reciprocal-rank "
        f"fusion of the first {found.depth}). A click shows that item."
    )


def _spread(ranks: np.ndarray) -> Column:
    apart = ranks.max(axis=1) - ranks.min(axis=1)
    return Column("apart", apart.tolist(), "%d", "The worst rank minus the best one.")
