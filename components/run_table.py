"""The runs of a dataset: how each is called, and a table in which a click chooses one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from components import session
from components.param_form import setting_label
from core.errors import EmbedscopeError
from core.params import Spec
from core.setting_words import unusual_settings
from embedders import get_embedder, list_embedders
from workspace.workspace import RunInfo


def run_table(runs: Sequence[RunInfo]) -> None:
    """Draw the runs with settings and cost; a chosen row becomes the current run."""
    if not runs:
        return
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
        key=table_key(runs),
        column_config={"settings": st.column_config.TextColumn(width="large")},
    )
    run = chosen_run(runs, event["selection"]["rows"])
    if run is not None and st.button("Open its map", key="embed.open_map"):
        session.choose_run(run.id)
        st.switch_page("pages/explore/map.py")


def table_key(runs: Sequence[RunInfo]) -> str:
    """Return a widget key under which a chosen row number can only mean one run."""
    return f"embed.runs.{runs[0].dataset[:12]}.{len(runs)}"


def chosen_run(runs: Sequence[RunInfo], rows: Sequence[int]) -> RunInfo | None:
    """Return the run of a chosen row; None for no row or one that is no longer there."""
    return runs[rows[0]] if rows and 0 <= rows[0] < len(runs) else None


def settings_text(run: RunInfo) -> str:
    """Return the settings in the words of their form: simple ones, and details that were changed.

    What was left to the method is not told: its notes say what it took.
    """
    try:
        specs = get_embedder(run.embedder).params_class.specs()
    except EmbedscopeError:  # a method that this version does not know
        specs = {}
    told = [
        f"{setting_label(name)}: {_plain(specs.get(name), value)}"
        for name, value in _named(run).items()
        if name not in specs or not _goes_without_saying(specs[name], value)
    ]
    return " · ".join([*told, *_made_anew(run)])


def _goes_without_saying(spec: Spec, value: Any) -> bool:
    if value != spec.default:
        return False
    return spec.advanced or bool(spec.automatic) or value in ("", "auto")


def _made_anew(run: RunInfo) -> list[str]:
    """Return what tells a run from one with the same settings by a model that is no more."""
    generation = run.provenance.get("generation", 0)
    return [f"made anew{f' ({generation})' if generation > 1 else ''}"] if generation else []


def _named(run: RunInfo) -> dict[str, Any]:
    """Return the settings with the names of datasets in place of their ids."""
    return {**run.params, **run.provenance.get("datasets", {})}


def _plain(spec: Spec | None, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if spec is not None and value in spec.options and spec.labels:
        return spec.labels[spec.options.index(value)]
    return str(value) or "none"


def run_races(run: RunInfo) -> bool:
    """Tell whether the run was trained by threads whose order decides the last bits."""
    races = any(method.races for method in list_embedders() if method.id == run.embedder)
    return races and run.params.get("threads", 1) > 1


def run_name(run: RunInfo) -> str:
    """Return method, the settings that differ from its defaults, and dimensions.

    For example "BERT · cls pooling · 384-d".
    """
    try:
        unusual = unusual_settings(get_embedder(run.embedder).params_class, _named(run), {"dim"})
    except EmbedscopeError:  # a method that this version does not know
        unusual = []
    words = [run.title, *unusual, *_made_anew(run), f"{run.dim:,}-d"]
    if run.seed:
        words.append(f"seed {run.seed}")
    return " · ".join(words)
