"""What a dataset holds: columns with their roles, what was dropped, a look at the items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from components import session
from components.items import insert_first, subset_items
from components.markdown import escaped
from components.neighbour_list import image_uri
from components.picture_strip import picture_strip
from core.modality import Modality
from ingest import ColumnGuess, Dataset
from ingest.sides import SIDE_COLUMN
from workspace.workspace import DatasetInfo

_SHOWN_ROWS = 200
_SHOWN_DROPPED = 100
_SHOWN_IMAGES = 24


def column_guesses(columns: Sequence[ColumnGuess], n_inspected: int) -> pd.DataFrame:
    """Return one row per column: role, why, missing and distinct values, examples."""
    return pd.DataFrame(
        {
            "column": [c.name for c in columns],
            "role": [c.role for c in columns],
            "why": [c.reason for c in columns],
            "missing": [_share(c.n_missing, n_inspected) for c in columns],
            "distinct": [c.n_distinct for c in columns],
            "examples": [", ".join(e[:40] for e in c.examples) for c in columns],
        }
    )


def _share(n_missing: int, n: int) -> str:
    return "none" if n_missing == 0 else f"{n_missing:,} of {n:,}"


def dataset_details(info: DatasetInfo) -> None:
    """Draw a dataset of this workspace with rename and remove."""
    dataset = session.dataset(info.id)
    for sentence in dataset.notes:
        st.caption(escaped(sentence))
    if dataset.edges is not None and dataset.sides is None:
        kind = "directed" if dataset.edges.directed else "undirected"
        st.caption(f"{len(dataset.edges):,} {kind} edges")
    left_out(dataset)
    _look(info.id, dataset)
    name, rename, remove = st.columns([3, 1, 1], vertical_alignment="bottom")
    new = name.text_input("Name", value=info.name, key=f"data.rename.{info.id[:12]}", max_chars=80)
    if rename.button("Rename", key=f"data.do_rename.{info.id[:12]}", width="stretch"):
        session.workspace().rename_dataset(info.id, new.strip() or info.name)
        st.rerun()
    with remove.popover("Remove", width="stretch"):
        st.markdown("Its runs and maps go with it.")
        if st.button("Remove it", type="primary", key=f"data.remove.{info.id[:12]}"):
            session.workspace().remove_dataset(info.id)
            session.choose_dataset(None)
            st.rerun()


def left_out(dataset: Dataset) -> None:
    """Draw the list of what the source held and the dataset does not; nothing if nothing."""
    if dataset.n_dropped == 0:
        return
    with st.popover(f"{dataset.n_dropped:,} left out", icon=":material/rule:"):
        for dropped in dataset.dropped[:_SHOWN_DROPPED]:
            st.markdown(f"- {escaped(dropped.where)}: {escaped(dropped.reason)}")
        if dataset.n_dropped > _SHOWN_DROPPED:
            st.caption(f"The first {_SHOWN_DROPPED:,} are listed.")


def _look(id: str, dataset: Dataset) -> None:
    if dataset.sides is not None:
        _pairs(dataset)
        return
    if dataset.modality is Modality.IMAGE:
        some = session.worked_out(("one of each", id), lambda: one_of_each(dataset)[:_SHOWN_IMAGES])
        picture_strip([(dataset.ids[i], dataset.items[i]) for i in some], side=72)
    frame = dataset.columns.head(_SHOWN_ROWS).copy()
    if dataset.modality is Modality.TEXT:
        insert_first(frame, "item text", [str(t)[:300] for t in dataset.items[:_SHOWN_ROWS]])
    insert_first(frame, "item id", list(dataset.ids[:_SHOWN_ROWS]))
    st.dataframe(frame, hide_index=True, height=260)
    if len(dataset) > _SHOWN_ROWS:
        st.caption(f"First {_SHOWN_ROWS:,} of {len(dataset):,} rows.")


def one_of_each(dataset: Dataset) -> list[int]:
    """Return the rows in another order: the first of every class, then the second of each."""
    if dataset.label is None:
        return list(range(len(dataset)))
    labels = dataset.columns[dataset.label].reset_index(drop=True)
    turn = labels.groupby(labels, dropna=False).cumcount()
    order: list[int] = np.argsort(turn.to_numpy(), kind="stable").tolist()
    return order


def _pairs(dataset: Dataset) -> None:
    """Draw the first pairs side by side, and what is known of the things on either side."""
    edges, sides = dataset.edges, dataset.sides
    if edges is None or sides is None:
        return
    items = subset_items(dataset, np.arange(len(dataset)))
    shown: dict[str, list[object]] = {}
    config = {}
    for name, ends in zip(sides.names, (edges.source, edges.target), strict=True):
        rows = ends[:_SHOWN_ROWS].tolist()
        if items.image(rows[0]) is not None:
            images = [items.image(row) for row in rows]
            shown[f"{name} picture"] = [image and image_uri(image, 40) for image in images]
            config[f"{name} picture"] = st.column_config.ImageColumn(name, width="small")
        shown[name] = [str(items.texts[row])[:300] for row in rows]
    weight = edges.weight[:_SHOWN_ROWS]
    if np.ptp(edges.weight) > 0:
        shown["weight"] = weight.tolist()
    st.dataframe(pd.DataFrame(shown), hide_index=True, height=260, column_config=config)
    if len(edges) > _SHOWN_ROWS:
        links = "interactions" if dataset.modality is Modality.INTERACTIONS else "pairs"
        st.caption(f"First {_SHOWN_ROWS:,} of {len(edges):,} {links}.")
    if len(dataset.columns.columns) > 1:
        _known(dataset)


def _known(dataset: Dataset) -> None:
    """Draw the columns of each side that has any."""
    sides = dataset.sides
    if sides is None:
        return
    for name in sides.names:
        rows = dataset.columns[SIDE_COLUMN] == name
        frame = dataset.columns[rows].head(_SHOWN_ROWS).drop(columns=SIDE_COLUMN)
        frame = frame.dropna(axis=1, how="all")
        if not frame.columns.size:
            continue
        ids = [dataset.ids[int(i)] for i in np.flatnonzero(rows)[:_SHOWN_ROWS]]
        insert_first(frame, "item id", ids)
        st.caption(f"What is known of each {escaped(name)}")
        st.dataframe(frame, hide_index=True, height=200)
