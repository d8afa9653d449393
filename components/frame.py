"""The frame around every page: what is chosen, what is running."""

from __future__ import annotations

import streamlit as st

from components import session
from components.job_panel import job_panels
from components.markdown import escaped
from components.run_table import run_name
from components.sample_cards import short_size
from workspace.workspace import RunInfo

_FITS = 28
"""Characters that a picker in the sidebar shows."""
_ID_DIGITS = 14  # enough to name a dataset or a run within one workspace


def sidebar() -> None:
    """Draw the pickers for dataset and run, and the jobs of this workspace."""
    workspace = session.workspace()
    datasets = workspace.datasets()
    if not datasets:
        st.caption("Open a sample or load a file to begin.")
        return
    current = session.current_dataset() or datasets[-1]
    names = {d.id: f"{d.name} · {short_size(d)}" for d in datasets}
    ids = list(names)
    chosen = st.selectbox(
        "Dataset",
        ids,
        index=ids.index(current.id),
        format_func=names.__getitem__,
        key=f"frame.dataset.{current.id[:12]}.{len(ids)}",
    )
    _in_full(names[current.id])
    if chosen != session.recall("dataset"):
        session.choose_dataset(chosen)
        st.rerun()
    runs = workspace.runs(chosen)
    _run_picker(runs)
    _share(chosen, runs)
    _jobs_line()


def _share(dataset: str, runs: list[RunInfo]) -> None:
    """Name data and run in the address: a copied link opens the same ones on any page."""
    session.share(dataset=dataset[:_ID_DIGITS])
    shown = session.recall("run")
    if any(run.id == shown for run in runs):
        session.share(run=shown[:_ID_DIGITS])
    else:
        session.unshare("run")


def _run_picker(runs: list[RunInfo]) -> None:
    if not runs:
        st.caption("Not embedded yet.")
        return
    chosen_run = session.recall("run")
    ids: list[str | None] = [run.id for run in runs]
    names = {run.id: run_name(run) for run in runs}
    if chosen_run not in names:  # none is chosen, or it was removed elsewhere
        ids.insert(0, chosen_run)
    picked = st.selectbox(
        "Run",
        ids,
        index=ids.index(chosen_run),
        format_func=lambda i: names.get(i, "choose a run"),
        key=f"frame.run.{(chosen_run or '')[:12]}.{len(ids)}",
        help="A run is a method with its settings, applied to the dataset.",
    )
    _in_full(names.get(chosen_run or "", ""))
    if picked != chosen_run and picked is not None:
        session.choose_run(picked)
        st.rerun()


def _in_full(name: str) -> None:
    """Write a name out that its picker cuts."""
    if len(name) > _FITS:
        st.caption(escaped(name))


def _jobs_line() -> None:
    active = [job for job in session.workspace().open_jobs() if job.active]
    if not active:
        return
    words = "1 job running" if len(active) == 1 else f"{len(active)} jobs waiting or running"
    st.caption(f":material/progress_activity: {words}")


# Streamlit leaves a hand's breadth above the first line; the map needs the room.
_ROOM = """<style>
[data-testid="stMainBlockContainer"]{padding:2.6rem 2.4rem 3rem}
[data-testid="stSidebarHeader"]{padding:1rem 1rem .6rem .25rem;margin:0;height:auto}
</style>"""


def header() -> None:
    """Draw a pending notice and the jobs of this workspace."""
    jobs = session.shown_jobs()
    if session.has_moved_on():  # after the jobs were listed: what ends later has a panel
        st.rerun()
    st.html(_ROOM)
    notice = session.take_notice()
    if notice:
        st.warning(escaped(notice), icon=":material/link_off:")
    job_panels(jobs)
