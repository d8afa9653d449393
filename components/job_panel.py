"""A running job: how far, how long still, and a way to stop it."""

from __future__ import annotations

import streamlit as st

from components import session
from workspace.jobs import Job

_POLL_S = 0.6


def job_panel(job: Job | None) -> None:
    """Draw the followed job; while it is active the panel refreshes itself.

    The page is rerun once whenever a new result is published (a first picture, the finished map)
    and when the job ends.
    """
    if job is None or job.state == "done":
        return
    run_every = _POLL_S if job.active else None

    @st.fragment(run_every=run_every)
    def panel() -> None:
        now = session.workspace().job(job.id)
        if (now.state, now.result) != (job.state, job.result):
            st.rerun()
        _draw(now)

    panel()


def _draw(job: Job) -> None:
    with st.container(border=True, key="job_panel"):
        if job.active:
            _draw_active(job)
        else:
            _draw_ended(job)


def _draw_active(job: Job) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        st.progress(min(max(job.fraction, 0.0), 1.0), text=f"**{job.title}** · {job.text}")
    if right.button("Cancel", key="job.cancel", icon=":material/stop_circle:", width="stretch"):
        session.workspace().cancel(job.id)
        st.rerun()


def _draw_ended(job: Job) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    text = f"**{job.title}** · {job.text}"
    with left:
        if job.state == "failed":
            st.error(text, icon=":material/error:")
        elif job.state == "interrupted":
            st.warning(text, icon=":material/power_off:")
        else:
            st.info(text, icon=":material/stop_circle:")
    if right.button("Start again", key="job.restart", icon=":material/replay:", width="stretch"):
        session.follow(session.workspace().restart(job.id))
        st.rerun()
    if right.button("Dismiss", key="job.dismiss", type="tertiary", width="stretch"):
        session.dismiss(job)
        st.rerun()
