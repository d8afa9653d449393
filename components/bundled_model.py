"""What the bundled CLIP model knows, said where it is asked."""

from __future__ import annotations

import streamlit as st

from embedders.clip import Clip
from embedders.clip_model_list import BUNDLED
from workspace.workspace import RunInfo


def limits_of(run: RunInfo) -> None:
    """Draw a sentence on what the model of a run was trained on, if that is very little."""
    if run.embedder == Clip.id and run.params.get("model") == BUNDLED:
        st.caption(
            ":material/info: The bundled model knows drawn shapes (colours, counts, positions) and "
            "handwritten digits only: on other pictures and words its answers mean little."
        )
