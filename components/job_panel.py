"""A running job: how far, how long still, and a way to stop it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import session
from components.boundary import explained
from components.markdown import escaped
from components.training_progress import training_progress
from workspace.jobs import Job

_POLL_S = 0.6


def job_panels(jobs: Sequence[Job]) -> None:
    """Draw the jobs to be told about; while one is active the panels refresh themselves.

    The page is rerun whenever a job publishes something (a first picture, the finished map) or
    ends.
    """
    if not jobs:
        return
    run_every = _POLL_S if any(job.active for job in jobs) else None

    @st.fragment(run_every=run_every)
    def panels() -> None:
        with explained():
            for job in jobs:
                now = session.workspace().job(job.id)
                if (now.state, now.result) != (job.state, job.result):
                    st.rerun()
                with st.container(border=True, key=f"job_panel_{job.id}"):
                    _draw_active(now) if now.active else _draw_ended(now)

    with st.container(key="job_panel"):
        panels()


def _line(job: Job) -> str:
    return f"**{escaped(job.title)}** · {escaped(job.text)}"


def _active_line(job: Job) -> str:
    """Say how much of all is done, which is what the bar shows, before what is done now."""
    if job.state != "running" or job.fraction < 0.005:
        return _line(job)
    return f"**{escaped(job.title)}** · {job.fraction:.0%} of all · {escaped(job.text)}"


def _button(place: DeltaGenerator, label: str, job: Job, icon: str) -> bool:
    key = f"job.{label.lower().replace(' ', '_')}.{job.id}"
    return place.button(label, key=key, icon=f":material/{icon}:", width="stretch")


def _draw_active(job: Job) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        st.progress(min(max(job.fraction, 0.0), 1.0), text=_active_line(job))
    if _button(right, "Cancel", job, "stop_circle"):
        session.workspace().cancel(job.id)
        st.rerun()
    training_progress(job)


def _draw_ended(job: Job) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        if job.state == "failed":
            st.error(_line(job), icon=":material/error:")
        elif job.state == "interrupted":
            st.warning(_line(job), icon=":material/power_off:")
        else:
            st.info(_line(job), icon=":material/stop_circle:")
    if _button(right, "Start again", job, "replay"):
        session.follow(session.workspace().restart(job.id))
        st.rerun()
    if _button(right, "Dismiss", job, "close"):
        session.dismiss(job)
        st.rerun()
