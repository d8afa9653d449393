"""The first picture of a job that is still encoding: a PCA of the rows encoded so far."""

from __future__ import annotations

import streamlit as st

from components import session
from components.colour_by import column_colouring
from components.embedding_map import MapLook, MapScene, categorical, embedding_map
from components.items import subset_items
from workspace.jobs import Job


def preview_picture(job: Job) -> None:
    """Draw the preview of ``job`` if there is one, else say that it is coming."""
    preview = session.workspace().preview(job)
    if preview is None:
        st.caption("The first picture appears here as soon as there are vectors.")
        return
    items = subset_items(session.dataset(preview.dataset), preview.rows)
    st.markdown(f"**A first look** at {len(items):,} of {preview.of:,} items, by PCA")
    label = items.label
    colouring = (
        categorical(["item"] * len(items), title="")
        if label is None
        else column_colouring(items.columns[label], "label", label)
    )
    scene = MapScene(
        coordinates=preview.coordinates,
        neighbours=None,
        hover=items.texts,
        keys=items.keys,
        title="first look",
        identity=f"{preview.dataset}/first look",
    )
    embedding_map(scene, MapLook(colouring=colouring), key="preview", height=600)
