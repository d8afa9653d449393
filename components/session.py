"""What one browser tab is looking at, and what the server keeps in memory for all of them.

The only module that touches ``st.session_state`` and the Streamlit caches. Everything cached is
keyed by content fingerprints and the workspace that may see it, and is treated as immutable.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components.items import RunItems, run_items
from core.errors import WorkspaceError
from core.modality import Metric
from ingest import Dataset
from projection.layout import Layout
from vectors import KeyedVectors, VectorIndex
from vectors.clusters import cluster
from workspace.jobs import Job
from workspace.runner import JobRunner
from workspace.settings import settings
from workspace.workspace import DatasetInfo, RunInfo, Workspace

T = TypeVar("T")
_PREFIX = "embedscope."


def remember(name: str, value: object) -> None:
    """Keep a small setting or an id for this tab."""
    st.session_state[_PREFIX + name] = value


def recall(name: str, default: Any = None) -> Any:
    """Return what ``remember`` kept, or ``default``."""
    return st.session_state.get(_PREFIX + name, default)


@st.cache_resource(show_spinner=False)
def runner() -> JobRunner:
    """Return the server's one job runner, started on first use."""
    started = JobRunner(settings())
    # Streamlit collects garbage after every rerun; what was imported so far never becomes garbage,
    # and leaving it out takes a trivial rerun from hundreds of milliseconds to a few.
    gc.collect()
    gc.freeze()
    return started


def open_workspace() -> Workspace:
    """Open the workspace named in the address, or this tab's, or a new one.

    An address with an unknown workspace gives a new one and a remembered notice, never an error
    page: the link may simply be older than the data.
    """
    asked = st.query_params.get("ws")
    known = recall("workspace")
    fresh = known is None
    if asked and asked != known:
        try:
            Workspace.open(runner(), asked)
        except WorkspaceError as error:
            remember("notice", str(error))
            asked = None
        else:
            _forget_choices()
            fresh = True
    workspace_id = asked or known
    if workspace_id is None:
        workspace_id = Workspace.create(runner()).id
    remember("workspace", workspace_id)
    share(ws=workspace_id)
    if fresh:
        _take_choices_from_address()
    return workspace()


def share(**parts: str) -> None:
    """Write what is shown into the address, so that it can be shared or kept."""
    for name, value in parts.items():
        if st.query_params.get(name) != value:
            st.query_params[name] = value


def _forget_choices() -> None:
    for name in ("dataset", "run", "layout", "focus", "kind", "colour", "job", "awaiting"):
        remember(name, None)


def _take_choices_from_address() -> None:
    """Follow a shared link: it names run and layout by the first digits of their ids."""
    asked = st.query_params.to_dict()
    for run in workspace().runs():
        if asked.get("run") and run.id.startswith(asked["run"]):
            choose_run(run.id)
            remember("kind", asked.get("kind"))
            remember("colour", asked.get("colour"))
            for info in workspace().layouts(run.id):
                if asked.get("layout") and info.id.startswith(asked["layout"]):
                    remember("layout", info.id)


def workspace() -> Workspace:
    """Return this tab's workspace."""
    return Workspace.open(runner(), recall("workspace"))


def take_notice() -> str | None:
    """Return a pending notice once."""
    notice: str | None = recall("notice")
    remember("notice", None)
    return notice


# -- what is chosen ------------------------------------------------------------------------------


def choose_dataset(fingerprint: str | None) -> None:
    """Make a dataset the current one; its newest run becomes the current run."""
    if recall("dataset") == fingerprint:
        return
    remember("dataset", fingerprint)
    runs = workspace().runs(fingerprint) if fingerprint else []
    choose_run(runs[-1].id if runs else None)


def choose_run(run_id: str | None) -> None:
    """Make a run (finished or about to be made) the current one."""
    if recall("run") == run_id:
        return
    remember("run", run_id)
    remember("layout", None)
    remember("focus", None)
    remember("kind", None)
    for info in workspace().runs():
        if info.id == run_id:
            remember("dataset", info.dataset)


def current_dataset() -> DatasetInfo | None:
    """Return the chosen dataset, or None; the newest one when nothing was chosen."""
    infos = workspace().datasets()
    chosen = recall("dataset")
    for info in infos:
        if info.id == chosen:
            return info
    return infos[-1] if infos and chosen is None else None


def current_run() -> RunInfo | None:
    """Return the chosen run if it is finished, or None."""
    chosen = recall("run")
    for info in workspace().runs():
        if info.id == chosen:
            return info
    return None


def follow(job: Job) -> None:
    """Watch a job: its panel is drawn, and what it makes is shown as soon as it exists."""
    remember("job", job.id)
    remember("awaiting", job.id)
    if job.result.get("run") != recall("run"):
        choose_run(None)
        remember("dataset", job.result.get("dataset"))


def settle() -> None:
    """Move on to what the followed job has finished since the last rerun."""
    job = followed_job()
    if job is None or recall("awaiting") != job.id:
        return
    if job.result.get("run_ready") and job.result["run"] != recall("run"):
        choose_run(job.result["run"])
    if not job.active:
        remember("awaiting", None)
        if job.state == "done":
            remember("layout", job.result.get("layout"))


def followed_job() -> Job | None:
    """Return the job this tab watches, or None.

    A fresh tab (a reload, a restarted server) takes up the workspace's newest job that still runs
    or was interrupted, unless the user dismissed it.
    """
    job_id = recall("job")
    if job_id is None:
        return _take_up_job()
    try:
        return workspace().job(job_id)
    except WorkspaceError:
        return None


def _take_up_job() -> Job | None:
    for job in workspace().jobs():
        if (job.active or job.state == "interrupted") and job.id not in recall("dismissed", ()):
            remember("job", job.id)
            if recall("run") is None:
                remember("awaiting", job.id)
            return job
    return None


def dismiss(job: Job) -> None:
    """Stop showing a job that has ended."""
    remember("job", None)
    remember("dismissed", (*recall("dismissed", ()), job.id))


# -- what the server keeps in memory --------------------------------------------------------------


@st.cache_resource(max_entries=8, show_spinner=False)
def _dataset(workspace_id: str, fingerprint: str) -> Dataset:
    return Workspace.open(runner(), workspace_id).dataset(fingerprint)


def dataset(fingerprint: str) -> Dataset:
    """Return a dataset of this workspace."""
    return _dataset(recall("workspace"), fingerprint)


@st.cache_resource(max_entries=16, show_spinner=False)
def _vectors(workspace_id: str, run_id: str, kind: str) -> KeyedVectors:
    return Workspace.open(runner(), workspace_id).vectors(run_id, kind)


def vectors(run_id: str, kind: str) -> KeyedVectors:
    """Return the vectors of one kind of a run."""
    return _vectors(recall("workspace"), run_id, kind)


@st.cache_resource(max_entries=8, show_spinner=False)
def _all_vectors(workspace_id: str, run_id: str) -> KeyedVectors:
    return Workspace.open(runner(), workspace_id).vectors(run_id)


def all_vectors(run_id: str) -> KeyedVectors:
    """Return the vectors of every kind of a run (words and documents together)."""
    return _all_vectors(recall("workspace"), run_id)


@st.cache_resource(max_entries=16, show_spinner=False)
def _index(workspace_id: str, run_id: str, kind: str, metric: Metric) -> VectorIndex:
    return VectorIndex(_vectors(workspace_id, run_id, kind), metric=metric)


def index(run_id: str, kind: str, metric: Metric) -> VectorIndex:
    """Return the index over one kind of a run under a metric."""
    return _index(recall("workspace"), run_id, kind, metric)


@st.cache_resource(max_entries=16, show_spinner=False)
def _layout(workspace_id: str, layout_id: str) -> Layout:
    return Workspace.open(runner(), workspace_id).layout(layout_id)


def layout(layout_id: str) -> Layout:
    """Return a layout of this workspace; its quality may come a moment later."""
    found = _layout(recall("workspace"), layout_id)
    if found.quality is None:  # being measured: do not remember its absence
        _layout.clear(recall("workspace"), layout_id)
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def _neighbour_ids(workspace_id: str, run_id: str, kind: str) -> NDArray[np.int32] | None:
    graph = Workspace.open(runner(), workspace_id).graph(run_id, kind)
    return None if graph is None else graph.ids


def neighbour_ids(run_id: str, kind: str) -> NDArray[np.int32] | None:
    """Return the ``(n, k) int32`` true neighbours of a run, or None while they are computed."""
    found = _neighbour_ids(recall("workspace"), run_id, kind)
    if found is None:  # not there yet: do not remember its absence
        _neighbour_ids.clear(recall("workspace"), run_id, kind)
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def _items(workspace_id: str, dataset_id: str, run_id: str, kind: str) -> RunItems:
    keys = _vectors(workspace_id, run_id, kind)
    return run_items(_dataset(workspace_id, dataset_id), keys, kind)


def items(run: RunInfo, kind: str) -> RunItems:
    """Return texts, pictures and columns in the order of a run's vectors of one kind."""
    return _items(recall("workspace"), run.dataset, run.id, kind)


@st.cache_resource(max_entries=8, show_spinner=False)
def _clusters(workspace_id: str, run_id: str, kind: str, n_clusters: int) -> NDArray[np.int32]:
    return cluster(_vectors(workspace_id, run_id, kind), n_clusters=n_clusters, seed=0)


def clusters(run_id: str, kind: str, n_clusters: int) -> NDArray[np.int32]:
    """Return the ``(n,) int32`` k-means cluster of each vector, in the original space."""
    return _clusters(recall("workspace"), run_id, kind, n_clusters)


@st.cache_resource(max_entries=8, show_spinner=False)
def _scene(
    workspace_id: str,  # noqa: ARG001 -- part of the cache key
    key: tuple[str, str, str, bool],
    _run: RunInfo,
    _build: Callable[[tuple[str, str, str, bool], RunInfo], T],
) -> T:
    return _build(key, _run)


def scene(
    key: tuple[str, str, str, bool],
    run: RunInfo,
    build: Callable[[tuple[str, str, str, bool], RunInfo], T],
) -> T:
    """Return what ``build(key, run)`` makes, made once per workspace and key."""
    made: T = _scene(recall("workspace"), key, run, build)
    return made
