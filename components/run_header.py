"""The line above a result: which data, which method; and what to say when there is none yet."""

from __future__ import annotations

import streamlit as st

from components import session
from components.markdown import escaped
from components.preview_picture import preview_picture
from components.run_table import settings_text
from components.sample_cards import noun
from workspace.workspace import RunInfo


def run_header(run: RunInfo) -> None:
    """Draw dataset, method, size and metric, with the settings on demand."""
    info = next(d for d in session.workspace().datasets() if d.id == run.dataset)
    size = f"{info.n:,} {noun(info.modality, info.n)}"
    what, how = st.columns([5, 1.2], vertical_alignment="center")
    title = f"{info.name} · {size} · {run.title} · {run.dim:,}-d · {run.metric}"
    what.markdown(f"##### {escaped(title)}")
    with how.popover("How it was made", width="stretch"):
        st.markdown(
            f"**{run.title}** with {escaped(settings_text(run)) or 'no settings'}; seed {run.seed}."
        )
        for sentence in run.provenance.get("notes", ()):
            st.markdown(f"- {escaped(sentence)}")
        versions = ", ".join(f"{name} {v}" for name, v in run.versions.items())
        st.caption(f"{run.seconds:.1f} s to embed · {run.bytes / 1e6:,.1f} MB · {versions}")


def no_run_yet(title: str) -> None:
    """Say what is missing before there are vectors, and offer the next step."""
    job = session.awaited_job()
    if job is not None and job.active:
        preview_picture(job)
        return
    st.title(title)
    info = session.current_dataset()
    if info is None:
        st.info("Open a sample or load a file first.")
        if st.button("Go to the start page", key="none.start"):
            st.switch_page("pages/begin/start.py")
        return
    st.info(f"{escaped(info.name)} has not been embedded yet, or no run is chosen at the left.")
    if st.button("Choose a method", key="none.embed", type="primary"):
        st.switch_page("pages/build/embed.py")
