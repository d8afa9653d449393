"""Ask a question of a run: what was understood, and the ranked answer."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import session
from components.boundary import explained
from components.column_filter import column_filter
from components.inspector import neighbour_controls
from components.items import RunItems
from components.markdown import escaped
from components.neighbour_list import neighbour_list
from components.projection_panel import kind_control
from components.query import Answer, Invitation, ask, asked_with, invitation
from core.modality import Modality
from workspace.workspace import RunInfo


def search_view(run: RunInfo) -> None:
    """Draw the query box, filters and ranked neighbours."""
    room, beside = st.columns([2.7, 1], gap="large")
    with beside:
        kind = kind_control(run)
        items = session.items(run, kind)
        choice = neighbour_controls(run, len(items) + 1)
        where = _filters(run, kind, items)
    with room:
        invited = invitation(run)
        query = _query_box(run, invited)
        if query is None:
            st.caption(escaped(invited.hint))
            return
        if where is not None and not where.any():
            st.info("The filters leave no item. Loosen one of them.")
            return
        with explained():
            answer = ask(run, kind, query, choice.k, choice.metric, where)
            _draw(answer, items, where)


def _query_box(run: RunInfo, invited: Invitation) -> str | bytes | None:
    text = st.text_input(
        "Query",
        key="search.query",
        placeholder=invited.placeholder,
        label_visibility="collapsed",
        icon=":material/search:",
        persist_state="session",
    ).strip()
    if Modality.IMAGE not in asked_with(run):
        return text or None
    file = st.file_uploader(
        "Or an image",
        type=["png", "jpg", "jpeg", "webp", "gif", "bmp", "tiff"],
        key="search.image",
    )
    if file is None or text:
        if file is not None:
            st.caption("The text is searched for. Clear it to search by the image.")
        return text or None
    return file.getvalue()


def _filters(run: RunInfo, kind: str, items: RunItems) -> NDArray[np.bool_] | None:
    """Draw one filter per chosen column; return the ``(n,) bool`` mask, or None for all."""
    if not items.colour_columns:
        return None
    columns = st.multiselect(
        "Filter by", items.colour_columns, key=f"search.by.{run.dataset[:12]}.{kind}"
    )
    if not columns:
        return None
    mask = np.ones(len(items), dtype=bool)
    for name in columns:
        mask &= column_filter(items.columns[name], name, f"search.where.{run.dataset[:12]}")
    st.caption(f"{int(mask.sum()):,} of {len(items):,} items pass")
    return mask


def _draw(answer: Answer, items: RunItems, where: NDArray[np.bool_] | None) -> None:
    st.markdown(f"**{escaped(answer.understood)}**")
    neighbour_list(answer.found, items, label=items.label)
    searched = len(items) if where is None else int(where.sum())
    st.caption(
        f"{len(answer.found.keys)} of {searched:,} · {answer.found.metric} · {answer.found.engine}"
    )
    if len(answer.found.keys) and st.button(
        "Show the first on the map", key="search.to_map", icon=":material/scatter_plot:"
    ):
        session.inspect(answer.found.kinds[0], answer.found.keys[0])
        st.switch_page("pages/explore/map.py")
