"""What was lassoed: a table with names and ids, and files of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from components.items import RunItems, insert_first
from components.neighbour_list import image_uri
from workspace.table_files import to_csv, to_parquet

_SHOWN = 500


def selection_panel(items: RunItems, positions: NDArray[np.int64]) -> None:
    """Draw the selected items as a table with downloads; nothing when none is selected."""
    if len(positions) == 0:
        return
    name, csv, parquet = st.columns([3, 1, 1], vertical_alignment="bottom")
    title = name.text_input(
        f"Selection · {len(positions):,} of {len(items):,} items",
        placeholder="name it",
        key="map.selection_name",
    )
    file = _file_name(title) or "selection"

    # The files are made when they are asked for: a rerun with 100,000 points selected stays quick.
    def whole() -> pd.DataFrame:
        return export_table(items, positions, title)

    csv.download_button(
        "CSV", lambda: to_csv(whole()), f"{file}.csv", "text/csv", key="map.csv",
        width="stretch", on_click="ignore",
    )  # fmt: skip
    parquet.download_button(
        "Parquet", lambda: to_parquet(whole()), f"{file}.parquet", "application/octet-stream",
        key="map.parquet", width="stretch", on_click="ignore",
    )  # fmt: skip
    shown = selection_table(items, positions[:_SHOWN])
    config = {}
    if items.images is not None:
        found = [items.image(int(i)) for i in positions[:_SHOWN]]
        pictures = [None if data is None else image_uri(data, 40) for data in found]
        name_shown = insert_first(shown, "picture", pictures)
        config[name_shown] = st.column_config.ImageColumn("picture", width="small")
    st.dataframe(shown, hide_index=True, height=280, column_config=config)
    if len(positions) > _SHOWN:
        st.caption(f"The first {_SHOWN:,} are shown; the files hold all {len(positions):,}.")


def selection_table(items: RunItems, positions: NDArray[np.int64]) -> pd.DataFrame:
    """Return id, text and columns of the items at ``positions``."""
    frame = items.columns.iloc[positions].reset_index(drop=True).copy()
    if items.texts is not items.keys:
        insert_first(frame, "text", [items.texts[int(i)] for i in positions])
    insert_first(frame, "id", [items.keys[int(i)] for i in positions])
    return frame


def export_table(items: RunItems, positions: NDArray[np.int64], title: str) -> pd.DataFrame:
    """Return the selected items with the selection's name in front, as the files hold them."""
    frame = selection_table(items, positions)
    insert_first(frame, "selection", [title.strip() or "selection"] * len(frame))
    return frame


def _file_name(title: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in title.strip())
    return kept.strip("-")[:60]
