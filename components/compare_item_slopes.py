"""The ranks of joined neighbours over all methods as a chart; a click tells of one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from comparison.item_view import JoinedNeighbours
from components import session
from components.figures.neighbour_slopes import neighbour_slopes
from components.items import RunItems
from components.markdown import escaped
from components.neighbour_list import shorten

_UNKNOWN = "-"  # never a row: stands for items that no method names among its k nearest
_BAR = {"displayModeBar": False}


def rank_slopes(
    found: JoinedNeighbours, items: RunItems, *, key: str, on_open: Callable[[str], None]
) -> None:
    """Draw the chart, and what is known of the neighbour that was clicked.

    Parameters
    ----------
    found : JoinedNeighbours
    items : RunItems
    key : str
        Another one for another item, query or k.
    on_open : callable
        Takes the id of a neighbour that the user wants to see.
    """
    lists = slope_lists(found)
    texts = {str(row): shorten(items.texts[row], 200) for row in found.rows.tolist()}
    told = session.recall("compare.item.told")
    chosen = told[1] if told and told[0] == key and told[1] in texts else None
    st.plotly_chart(
        neighbour_slopes(lists, texts, k=found.k, chosen=chosen, dark=session.is_dark()),
        key=f"{key}.slopes",
        on_select=partial(_tell, key),
        selection_mode="points",
        config=_BAR,
    )
    if chosen is None:
        st.caption(
            f"A line is one neighbour; lower is farther. Ranks are known to {found.depth}. Click a "
            "number to see what it is."
        )
        return
    row = int(chosen)
    text, button = st.columns([5, 1], vertical_alignment="center")
    text.markdown(
        f"**{escaped(shorten(items.texts[row], 200))}**  \n{escaped(ranks_told(found, row))}"
    )
    button.button(
        "Look at it",
        key=f"{key}.open",
        icon=":material/center_focus_strong:",
        width="stretch",
        on_click=on_open,
        args=(items.keys[row],),
    )


def slope_lists(found: JoinedNeighbours) -> dict[str, list[str]]:
    """Return, for each method that answered, the rows at its ranks as text, nearest first."""
    lists = {}
    for at, name in enumerate(found.names):
        if not found.asked[at]:
            continue
        places = zip(found.rows.tolist(), found.ranks[:, at].tolist(), strict=True)
        ranked = {rank: str(row) for row, rank in places if rank}
        last = max(ranked, default=0)
        lists[name] = [ranked.get(rank, _UNKNOWN) for rank in range(1, last + 1)]
    return lists


def ranks_told(found: JoinedNeighbours, row: int) -> str:
    """Return the rank of a neighbour in every method that answered, in words."""
    (place,) = (i for i, each in enumerate(found.rows.tolist()) if each == row)
    return " · ".join(
        f"{name}: {rank if rank else f'beyond {found.depth}'}"
        for name, rank, asked in zip(
            found.names, found.ranks[place].tolist(), found.asked, strict=True
        )
        if asked
    )


def _tell(key: str) -> None:
    chosen = session.event_of(f"{key}.slopes", "selection")
    points: Sequence[Mapping[str, Sequence[str]]] = (
        chosen.get("points", []) if isinstance(chosen, Mapping) else []
    )
    if points and "customdata" in points[0]:
        session.remember("compare.item.told", (key, str(points[0]["customdata"][0])))
