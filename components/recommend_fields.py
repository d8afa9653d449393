"""The fields of the recommend page: who or what is asked for, and which items may be answered."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from components.column_filter import column_filter
from components.markdown import escaped
from components.recommend_data import Side
from ingest import Role

_MOST_OFFERED = 200
_MOST_PARTS = 200
_LIST = re.compile(r"\s*[|;]\s*")


def one_of(side: Side, key: str, looking_for: str) -> int | None:
    """Draw a search field and the choice among what it finds; return the row, or None."""
    field, choice = st.columns([1, 2], gap="small", vertical_alignment="bottom")
    text = field.text_input(
        f"Search {side.plural}",
        key=f"{key}.search",
        placeholder=looking_for,
        icon=":material/search:",
        persist_state="session",
    )
    rows, n_found = side.matching(text or "", _MOST_OFFERED)
    if not len(rows):
        st.caption(escaped(f"No {side.kind} is called anything like “{text.strip()}”."))
        return None
    more = f"{n_found:,} found" if (text or "").strip() else f"{n_found:,} in all"
    if n_found > len(rows):
        more += f", {len(rows):,} of them listed"
    chosen: int | None = choice.selectbox(
        f"{side.kind.capitalize()} · {more}",
        rows.tolist(),
        format_func=side.label,
        key=f"{key}.choice.{(text or '').strip()}",
    )
    return chosen


def item_filter(items: Side, key: str) -> NDArray[np.bool_] | None:
    """Draw filters on columns of items; return the ``(n,) bool`` mask, or None for all."""
    usable = [name for name, role in items.roles.items() if can_filter(items.columns[name], role)]
    if not usable:
        return None
    chosen = st.multiselect(f"Filter {items.plural} by", usable, key=f"{key}.by")
    if not chosen:
        return None
    mask = np.ones(len(items), dtype=bool)
    for name in chosen:
        values = items.columns[name]
        if is_list(values):
            picked = st.multiselect(
                escaped(name), parts_of(values), key=f"{key}.parts.{name}", placeholder="any value"
            )
            mask &= with_any(values, picked)
        else:
            mask &= column_filter(values, name, key)
    st.caption(f"{int(mask.sum()):,} of {len(items):,} {items.plural} pass")
    return mask


def can_filter(values: pd.Series, role: Role) -> bool:
    """Tell whether a column can be a filter: what has a scale or classes, and short lists."""
    if role in {"label", "categorical", "numeric", "time"}:
        return True
    return is_list(values) and len(parts_of(values)) <= _MOST_PARTS


def is_list(values: pd.Series) -> bool:
    """Tell whether some cells hold several values, as in ``Comedy|Drama``."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return False
    return bool(values.dropna().astype(str).str.contains(r"[|;]", regex=True).any())


def parts_of(values: pd.Series) -> list[str]:
    """Return the distinct values of cells that hold several."""
    cells = values.dropna().astype(str).unique()
    return sorted({part for cell in cells for part in _LIST.split(cell.strip()) if part})


def with_any(values: pd.Series, picked: list[str]) -> NDArray[np.bool_]:
    """Tell, ``(n,) bool``, which cells hold one of the values picked; all, if none is."""
    if not picked:
        return np.ones(len(values), dtype=bool)
    wanted = set(picked)
    found = [
        not pd.isna(cell) and bool(wanted & set(_LIST.split(str(cell).strip()))) for cell in values
    ]
    return np.array(found, dtype=bool)
