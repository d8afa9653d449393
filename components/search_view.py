"""Ask a question of a run: what was understood, and the ranked answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from components import session
from components.boundary import explained
from components.inspector import neighbour_controls
from components.items import RunItems
from components.neighbour_list import neighbour_list
from components.projection_panel import kind_control
from components.query import Answer, ask
from core.modality import Modality
from embedders import get_embedder
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
        query = _query_box(run)
        if query is None:
            st.caption(_examples(run))
            return
        if where is not None and not where.any():
            st.info("The filters leave no item. Loosen one of them.")
            return
        with explained():
            answer = ask(run, kind, query, choice.k, choice.metric, where)
            _draw(answer, items, where)


def _query_box(run: RunInfo) -> str | bytes | None:
    method = get_embedder(run.embedder)
    text = st.text_input(
        "Query",
        key="search.query",
        placeholder="a sentence, a word, or king - man + woman",
        label_visibility="collapsed",
        icon=":material/search:",
        persist_state="session",
    )
    if Modality.IMAGE in method.queries:
        file = st.file_uploader(
            "Or an image",
            type=["png", "jpg", "jpeg", "webp", "gif", "bmp", "tiff"],
            key="search.image",
        )
        if file is not None:
            return file.getvalue()
    return text.strip() or None


def _examples(run: RunInfo) -> str:
    method = get_embedder(run.embedder)
    if "word" in run.kinds:
        return "Type a word, a sentence, or a formula such as `king - man + woman`."
    if Modality.TEXT in method.queries:
        return "Type a sentence: it is embedded by this method and compared with every item."
    if Modality.IMAGE in method.queries:
        return "Type the id of an item, or drop an image."
    return "Type the id of an item, or a formula of ids such as `a - b + c`."


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
        mask &= _column_filter(items.columns[name], name, f"search.where.{run.dataset[:12]}")
    st.caption(f"{int(mask.sum()):,} of {len(items):,} items pass")
    return mask


def _column_filter(values: pd.Series, name: str, key: str) -> NDArray[np.bool_]:
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numeric and values.nunique() > 12:
        low, high = float(values.min()), float(values.max())
        chosen = st.slider(name, low, high, (low, high), key=f"{key}.{name}")
        return values.between(*chosen).to_numpy(dtype=bool, na_value=False)
    levels = sorted(values.dropna().astype(str).unique().tolist())
    picked = st.multiselect(name, levels, key=f"{key}.{name}", placeholder="any value")
    if not picked:
        return np.ones(len(values), dtype=bool)
    return values.astype(str).isin(picked).to_numpy(dtype=bool)


def _draw(answer: Answer, items: RunItems, where: NDArray[np.bool_] | None) -> None:
    st.markdown(f"**{answer.understood}**")
    neighbour_list(answer.found, items, label=items.label)
    searched = len(items) if where is None else int(where.sum())
    st.caption(
        f"{len(answer.found.keys)} of {searched:,} · {answer.found.metric} · {answer.found.engine}"
    )
    if len(answer.found.keys) and st.button(
        "Show the first on the map", key="search.to_map", icon=":material/scatter_plot:"
    ):
        session.remember("focus", answer.found.keys[0])
        st.switch_page("pages/explore/map.py")
