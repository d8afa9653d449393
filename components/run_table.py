"""The runs of a dataset as a table; a click on a row chooses the run."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from components import session
from workspace.workspace import RunInfo


def run_table(runs: Sequence[RunInfo]) -> None:
    """Draw the runs with settings and cost; a chosen row becomes the current run."""
    frame = pd.DataFrame(
        {
            "method": [run.title for run in runs],
            "settings": [settings_text(run) for run in runs],
            "seed": [run.seed for run in runs],
            "vectors": [f"{run.n:,}" for run in runs],
            "dimensions": [run.dim for run in runs],
            "seconds": [round(run.seconds, 1) for run in runs],
            "MB": [round(run.bytes / 1e6, 1) for run in runs],
        }
    )
    event = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="embed.runs",
        column_config={"settings": st.column_config.TextColumn(width="large")},
    )
    rows = event["selection"]["rows"]
    if rows and st.button("Open its map", key="embed.open_map"):
        session.choose_run(runs[rows[0]].id)
        st.switch_page("pages/explore/map.py")


def settings_text(run: RunInfo) -> str:
    """Return the settings as "name value" pairs."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in run.params.items())
