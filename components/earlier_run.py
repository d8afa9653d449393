"""Choosing an earlier run whose model is to be applied, and its model as a file."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components import session
from core.modality import Modality
from embedders import EMBEDDERS
from workspace.workspace import RunInfo

MOST_BYTES = 300_000_000
"""Larger models are not handed out: a download is made in memory."""


def earlier_run(label: str, modality: Modality | None, common: dict[str, Any]) -> str:
    """Draw the runs whose model takes such data, the newest first; return the chosen id.

    Parameters
    ----------
    label : str
    modality : Modality or None
        Of the data that the model is to be applied to.
    common : dict
        Arguments of the widget: key, help.
    """
    found = [run for run in session.workspace().runs() if _applies(run, modality)]
    if not found:
        st.info(
            "No run of this workspace has a model for such data yet. Embed other data with a "
            "method that learns (LSA, Word2Vec, two towers …), then come back to these.",
            icon=":material/model_training:",
        )
        return ""
    data = {info.id: info.name for info in session.workspace().datasets()}
    names = {
        run.id: f"{run.title} · {data.get(run.dataset, 'removed data')} · {run.dim:,}-d"
        for run in reversed(found)
    }
    common["key"] += f".{modality}.{found[-1].id[:8]}.{len(found)}"  # a new run is offered at once
    chosen = st.selectbox(label, list(names), format_func=names.__getitem__, **common)
    return chosen or ""


def _applies(run: RunInfo, modality: Modality | None) -> bool:
    method = next((one for one in EMBEDDERS if one.id == run.embedder), None)
    if method is None or not method.transfers or method.id == "earlier":
        return False
    return modality is None or method.takes(modality)


def model_download(run: RunInfo) -> None:
    """Offer the fitted model of a run as a file, where there is something fitted."""
    method = next((one for one in EMBEDDERS if one.id == run.embedder), None)
    workspace = session.workspace()  # now: the file is made later, when no page is running
    size = workspace.model_bytes(run.id) if method and method.transfers else 0
    if not 0 < size <= MOST_BYTES:
        return
    st.download_button(
        f"Download the model ({size / 1e6:,.1f} MB)",
        data=lambda: workspace.model_file(run.id),
        file_name=f"{run.embedder}-{run.id[1:9]}.safetensors",
        mime="application/octet-stream",
        icon=":material/download:",
        key=f"model.{run.id[:12]}",
        on_click="ignore",
        help="For embedders.saved_model.load_model(path) in a notebook.",
    )
