"""What was lassoed: a table with names and ids, and files of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from components.export import to_csv, to_parquet
from components.items import RunItems
from components.neighbour_list import image_uri

_SHOWN = 500


def selection_panel(items: RunItems, positions: NDArray[np.int64]) -> None:
    """Draw the selected items as a table with downloads; nothing when none is selected."""
    if len(positions) == 0:
        return
    table = selection_table(items, positions)
    name, csv, parquet = st.columns([3, 1, 1], vertical_alignment="bottom")
    title = name.text_input(
        f"Selection · {len(positions):,} of {len(items):,} items",
        placeholder="name it",
        key="map.selection_name",
    )
    file = _file_name(title) or "selection"
    table.insert(0, "selection", title.strip() or "selection")
    csv.download_button(
        "CSV", to_csv(table), f"{file}.csv", "text/csv", key="map.csv", width="stretch",
        on_click="ignore",
    )  # fmt: skip
    parquet.download_button(
        "Parquet", to_parquet(table), f"{file}.parquet", key="map.parquet", width="stretch",
        on_click="ignore",
    )  # fmt: skip
    shown = table.drop(columns="selection").head(_SHOWN)
    config = {}
    if items.images is not None:
        pictures = [image_uri(items.images[int(i)], 40) for i in positions[:_SHOWN]]
        shown.insert(0, "picture", pictures)
        config["picture"] = st.column_config.ImageColumn("picture", width="small")
    st.dataframe(shown, hide_index=True, height=280, column_config=config)
    if len(table) > _SHOWN:
        st.caption(f"The first {_SHOWN:,} are shown; the files hold all {len(table):,}.")


def selection_table(items: RunItems, positions: NDArray[np.int64]) -> pd.DataFrame:
    """Return id, text and columns of the items at ``positions``."""
    frame = items.columns.iloc[positions].reset_index(drop=True).copy()
    taken = set(map(str, frame.columns))
    if items.texts is not items.keys:
        frame.insert(0, _free("text", taken), [items.texts[int(i)] for i in positions])
    frame.insert(0, _free("id", taken), [items.keys[int(i)] for i in positions])
    return frame


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else f"item {name}"


def _file_name(title: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in title.strip())
    return kept.strip("-")[:60]
