"""Items of a pair as a table: what they are, how many neighbours they share, how far they moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from comparison.changed_items import changed_order, order_words
from comparison.movers import Movers
from components import session
from components.compare_items import compared_items, label_columns
from components.compare_pair_findings import CHOSEN_ITEM, Pair
from components.neighbour_list import image_uri, shorten

SHOWN = 50
"""Items listed at most."""
_HEIGHT = 300
_TEXT = 160
_OWN = {"picture", "item", "moved", "beyond"}
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ListedItems:
    """What is known of every item of a pair.

    Attributes
    ----------
    overlap : (n,) float64
    moved : Movers or None
        None while it is measured.
    by_place : bool
        Whether change means displacement; else it means neighbours.
    rbo : (n,) float64 or None
        Rank-biased overlap, which breaks ties until displacement is known.
    """

    overlap: NDArray[np.float64]
    moved: Movers | None
    by_place: bool
    rbo: NDArray[np.float64] | None = None

    def order(self, *, most: bool) -> Rows:
        """Return all rows, the most or the least changed first."""
        return changed_order(self.overlap, self.moved, self.rbo, most=most, by_place=self.by_place)


def listed(items: ListedItems, among: Rows | None, *, most: bool) -> tuple[Rows, str]:
    """Return the rows to list, most or least changed first, and how many of how many they are."""
    rows = items.order(most=most)
    if among is not None:
        rows = rows[np.isin(rows, among)]
    by = order_words(moved=items.moved is not None, by_place=items.by_place)
    n = len(rows)
    count = f"{n:,} items" if n <= SHOWN else f"{SHOWN} of {n:,} items"
    return rows[:SHOWN], f"{count}, the {'most' if most else 'least'} changed first by {by}"


def item_table(pair: Pair, items: ListedItems, rows: Rows, *, key: str) -> None:
    """Draw items as a table; a click on a row chooses the item."""
    frame = item_frame(pair, items, rows)
    ids = compared_items(pair.stored).keys
    name = f"compare.pair.table.{key}.{hash(tuple(rows.tolist())) & 0xFFFFFFFF:x}"
    columns = {
        "picture": st.column_config.ImageColumn("", width=48),
        "item": st.column_config.TextColumn("item", width=250),
        f"shared @{pair.k}": st.column_config.ProgressColumn(
            min_value=0,
            max_value=1,
            format="%.2f",
            width=100,
            help=f"Share of its {pair.k} neighbours that both name.",
        ),
        "moved": st.column_config.NumberColumn(
            format="%.2f", width=70, help="1 = as far as a random other item."
        ),
        "beyond": st.column_config.NumberColumn(
            "beyond",
            format="%+.2f",
            width=75,
            help="Beyond its surroundings: less the median of its neighbours; 0 where it moved "
            "along with them.",
        ),
    }
    st.dataframe(
        frame,
        key=name,
        hide_index=True,
        height=_HEIGHT,
        column_config={name: config for name, config in columns.items() if name in frame},
        on_select=partial(_choose, name, tuple(ids[row] for row in rows)),
        selection_mode=["single-row", "single-cell"],
    )


def item_frame(pair: Pair, items: ListedItems, rows: Rows) -> pd.DataFrame:
    """Return the table of some items."""
    every = compared_items(pair.stored)
    columns: dict[str, object] = {}
    if len(every.picture_rows):
        pictures = [every.image(int(row)) for row in rows]
        columns["picture"] = [None if data is None else image_uri(data) for data in pictures]
    columns["item"] = [shorten(every.texts[row], _TEXT) for row in rows]
    names = label_columns(pair.stored)[:1]
    for name in names:
        shown = name if name not in _OWN else f"{name} (column)"
        columns[shown] = every.columns[name].iloc[rows].astype("str").to_numpy()
    columns[f"shared @{pair.k}"] = items.overlap[rows]
    if items.moved is not None:
        columns["moved"] = items.moved.displacement[rows]
        columns["beyond"] = items.moved.relative[rows]
    return pd.DataFrame(columns)


def _choose(key: str, ids: tuple[str, ...]) -> None:
    """Remember the item whose row or cell was clicked."""
    selection = session.event_of(key, "selection")
    if not isinstance(selection, dict):
        return
    rows = [*selection.get("rows", ()), *(row for row, _ in selection.get("cells", ()))]
    if rows and 0 <= rows[0] < len(ids):
        session.remember(CHOSEN_ITEM, ids[rows[0]])
