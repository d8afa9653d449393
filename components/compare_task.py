"""Task: how good each embedding is at something that can be checked, beside chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from comparison.offered_tasks import OfferedTask, offered_tasks
from comparison.task_result import Setting, TaskResult
from components import session
from components.boundary import explained
from components.compare_task_fields import Chosen, task_fields
from components.compare_task_result import draw_results
from components.markdown import escaped
from components.start_button import start_button
from workspace.measuring import Measured, complete, finding_id
from workspace.stored_comparison import StoredComparison


def task(stored: StoredComparison) -> None:
    """Draw the tasks that the data allow, the settings of the chosen one and its results."""
    offered = _offered(stored)
    choice, room = st.columns([1, 2.6], gap="large")
    with choice:
        chosen = _choice(stored, offered)
    if chosen is None:
        room.info("Nothing can be measured on these data yet; the list says why.")
        return
    with room, explained():
        _one_task(stored, chosen)


def _offered(stored: StoredComparison) -> tuple[OfferedTask, ...]:
    info = stored.info

    def make() -> tuple[OfferedTask, ...]:
        runs = {run.id: run for run in session.workspace().runs()}
        kinds = {
            name: tuple(runs[id].kinds) for name, id in zip(info.names, info.runs, strict=True)
        }
        return offered_tasks(session.dataset(info.recipe.dataset), kinds)

    return session.worked_out(("offered tasks", info.id), make)


def _choice(stored: StoredComparison, offered: Sequence[OfferedTask]) -> OfferedTask | None:
    """Draw what can be measured, and below it what cannot with the reason."""
    possible = {one.id: one for one in offered if one.is_offered}
    others = [one for one in offered if not one.is_offered]
    chosen = None
    if possible:
        chosen = st.radio(
            "What is measured",
            list(possible),
            format_func=lambda id: possible[id].title,
            captions=[_caption(one) for one in possible.values()],
            key=f"compare.task.{stored.info.id[:12]}",
            persist_state="session",
        )
    if others:
        with st.expander(f"Not for these data ({len(others)})", icon=":material/block:"):
            for one in others:
                st.markdown(f":gray[**{one.title}**]  \n:gray[{escaped(one.reason)}]")
    return possible.get(chosen or "")


def _caption(one: OfferedTask) -> str:
    return one.question + (f" Needs {one.asks_for}." if one.asks_for else "")


def _one_task(stored: StoredComparison, one: OfferedTask) -> None:
    st.subheader(one.title)
    chosen = task_fields(stored, one)
    id = None if chosen.missing else _finding_id(stored, one, chosen)
    results = _results(stored, id) if id else None
    if results is None:
        _measure_button(stored, one, chosen)
        id = _earlier(stored, one)
        results = _results(stored, id) if id else None
    if id and results:
        draw_results(results, id=id, key=f"compare.task.{stored.info.id[:12]}.{one.id}")


def _finding_id(stored: StoredComparison, one: OfferedTask, chosen: Chosen) -> str:
    """Return under which id the results of these settings and files are kept."""
    settings = complete(one.id, chosen.settings, chosen.files)
    return finding_id(stored.info.id, one.id, settings, chosen.files)


def _results(stored: StoredComparison, id: str) -> tuple[TaskResult, ...] | None:
    """Return kept results; only what is there is remembered."""

    def make() -> tuple[TaskResult, ...]:
        found = session.workspace().finding(stored.info.id, id)
        if found is None:
            raise _NotMeasured
        return found

    try:
        return session.worked_out(("finding", stored.info.id, id), make)
    except _NotMeasured:
        return None


class _NotMeasured(Exception):
    """Nothing is kept under an id."""


def _measure_button(stored: StoredComparison, one: OfferedTask, chosen: Chosen) -> None:
    if chosen.missing:
        st.caption(f":material/info: {escaped(chosen.missing)}")
    running = _is_running(one, stored)
    if running:
        st.caption(":material/hourglass_top: It is being measured; the figures appear here.")
    if start_button(
        "Measure",
        type="primary",
        key=f"compare.task.go.{one.id}",
        about=f"{stored.info.id}.{one.id}",
        disabled=bool(chosen.missing) or running,
        icon=":material/straighten:",
    ):
        with explained():
            session.follow(
                session.workspace().measure(
                    stored.info.id, one.id, chosen.settings, chosen.files, title=one.title
                )
            )
            st.rerun()


def _is_running(one: OfferedTask, stored: StoredComparison) -> bool:
    return any(
        job.active and stored.info.id in job.task and f'"asked": "{one.id}"' in job.task
        for job in session.workspace().open_jobs()
    )


def _earlier(stored: StoredComparison, one: OfferedTask) -> str | None:
    """Draw which of the earlier measurements is shown, the newest first; return its id."""
    found = {each.id: each for each in session.workspace().measurements(stored.info.id, one.id)}
    if not found:
        return None
    shown = next(iter(found))
    if len(found) > 1:
        shown = st.selectbox(
            "Measured before",
            list(found),
            format_func=lambda id: _words(found[id]),
            key=f"compare.task.before.{stored.info.id[:12]}.{one.id}.{len(found)}.{shown[:8]}",
        )
    else:
        st.caption(escaped(f"Measured before: {_words(found[shown])}"))
    return shown


def _words(one: Measured) -> str:
    """Return the settings and files of a measurement in a few words."""
    parts = [*one.names, *_setting_words(one.settings)]
    return " · ".join(parts) or "the data themselves"


def _setting_words(settings: Mapping[str, Setting]) -> list[str]:
    names = {info.id: info.name for info in session.workspace().datasets()}
    words = []
    for name, value in settings.items():
        if name == "column":
            words.append(str(value))
        elif name == "queries":
            known = names.get(str(value), "")
            words += [f"queries of {known}"] if known else []
            words += ["the items ask for each other"] if value == "items" else []
        elif name == "equal":
            words += ["at equal dimensions"] if value else []
        else:
            words.append(f"{name} {value}")
    return words
