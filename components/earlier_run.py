"""Choosing an earlier run whose model is to be applied, and its model as a file."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components import session
from core.modality import Modality
from embedders import EMBEDDERS
from workspace.workspace import DatasetInfo, RunInfo

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
    infos = {info.id: info for info in session.workspace().datasets()}
    found = [
        run
        for run in session.workspace().runs()
        if has_learnt(run, infos.get(run.dataset), modality)
    ]
    if not found:
        st.info(
            "No run of this workspace has learnt anything from such data yet. Embed other data "
            "with a method that learns (LSA, Word2Vec, two towers …), then come back to these. "
            "Pretrained models and fixed descriptors are methods of their own: what they do does "
            "not depend on an earlier run.",
            icon=":material/model_training:",
        )
        return ""
    names = {
        run.id: f"{run.title} · {_name(infos.get(run.dataset))} · {run.dim:,}-d"
        for run in reversed(found)
    }
    common["key"] += f".{modality}.{found[-1].id[:8]}.{len(found)}"  # a new run is offered at once
    chosen = st.selectbox(label, list(names), format_func=names.__getitem__, **common)
    return chosen or ""


def _name(info: DatasetInfo | None) -> str:
    return "removed data" if info is None else info.name


def has_learnt(run: RunInfo, info: DatasetInfo | None, modality: Modality | None) -> bool:
    """Tell whether a run has a model that it learnt, of data of the kind ``modality``.

    ``info`` is what it learnt from, None where that is gone. A pretrained method learns nothing of
    its data: its model is the same in every run.
    """
    method = next((one for one in EMBEDDERS if one.id == run.embedder), None)
    if method is None or not method.transfers or method.pretrained or method.id == "earlier":
        return False
    if modality is None:
        return True
    if not method.takes(modality):
        return False
    if info is None or modality is info.modality:
        return True
    return modality in (info.sides.modalities if info.sides else ())


def model_download(run: RunInfo) -> None:
    """Offer the model of a run as a file, where it learnt one."""
    method = next((one for one in EMBEDDERS if one.id == run.embedder), None)
    workspace = session.workspace()  # now: the file is made later, when no page is running
    learns = method is not None and method.transfers and not method.pretrained
    size = workspace.model_bytes(run.id) if learns else 0
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
