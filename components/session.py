"""What one browser tab is looking at, and what the server keeps in memory for all of them.

The only module that touches ``st.session_state`` and the Streamlit caches. Everything cached is
keyed by content fingerprints and the workspace that may see it, and is treated as immutable.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from comparison.agreement import Agreement
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
from workspace.stored_comparison import ComparisonInfo, StoredComparison
from workspace.workspace import DatasetInfo, RunInfo, Workspace

T = TypeVar("T")
_PREFIX = "embedscope."


def remember(name: str, value: object) -> None:
    """Keep a small setting or an id for this tab."""
    st.session_state[_PREFIX + name] = value


def recall(name: str, default: Any = None) -> Any:
    """Return what ``remember`` kept, or ``default``."""
    return st.session_state.get(_PREFIX + name, default)


def preset(key: str, value: object) -> None:
    """Give a widget its value, before it is drawn or in a callback."""
    st.session_state[key] = value


def value_of(key: str) -> Any:
    """Return the value of a widget, within its callback."""
    return st.session_state[key]


def event_of(key: str, name: str) -> object:
    """Return what a component of ours sent as the event ``name``, within its callback; or None."""
    values = st.session_state.get(key)
    return values.get(name) if isinstance(values, Mapping) else None


def offer(key: str, example: str) -> None:
    """Fill a text field with an example until the user has written something else into it.

    The value is set only where it changes: set in every rerun, it would overwrite what the user
    is typing meanwhile.
    """
    name = f"offered.{key}"
    shown, last = st.session_state.get(key), recall(name)
    if shown is None or (shown == last and shown != example):
        st.session_state[key] = example
    if last != example:
        remember(name, example)


@st.cache_resource(show_spinner=False)
def runner() -> JobRunner:
    """Return the server's one job runner, started on first use."""
    return JobRunner(settings())


@st.cache_resource(show_spinner=False)
def _frozen_modules() -> list[int]:
    return [0]


def freeze_imports() -> None:
    """Leave what was imported out of garbage collection; call it at the end of a run.

    Streamlit collects garbage after every rerun. Modules never become garbage, and walking over
    them costs tens of milliseconds each time.
    """
    frozen = _frozen_modules()
    if len(sys.modules) != frozen[0]:
        frozen[0] = len(sys.modules)
        gc.collect()
        gc.freeze()


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


def unshare(*names: str) -> None:
    """Take out of the address what is no longer shown."""
    for name in names:
        if name in st.query_params:
            del st.query_params[name]


def _forget_choices() -> None:
    for name in (
        "dataset",
        "run",
        "layout",
        "focus",
        "kind",
        "colour",
        "awaiting",
        "ended",
        "before",
    ):
        remember(name, None)


def _take_choices_from_address() -> None:
    """Follow a shared link: it names dataset, run and layout by the first digits of their ids."""
    asked = st.query_params.to_dict()
    dataset = _named(asked.get("dataset"), workspace().datasets())
    if dataset is not None:
        choose_dataset(dataset.id)
    compared = _named(asked.get("comparison"), workspace().comparisons())
    if compared is not None:
        choose_comparison(compared.recipe.dataset, compared.id)
        _show_dataset(compared.recipe.dataset)
        remember("view", asked.get("view"))
    elif asked.get("comparison") and recall("notice") is None:
        remember("notice", _no_comparison(asked["comparison"]))
    run = _named(asked.get("run"), workspace().runs())
    if run is None:
        return
    _show_run(run.id)
    remember("kind", asked.get("kind"))
    remember("colour", asked.get("colour"))
    layout = _named(asked.get("layout"), workspace().layouts(run.id))
    remember("layout", layout.id if layout else None)


def _no_comparison(asked: str) -> str:
    return (
        f"There is no comparison {asked[:20]!r} in this workspace: it was deleted, or data of it "
        "were removed. What is shown is not what the address named; choose a comparison on the "
        "Compare page, or build it again."
    )


def _named(start: str | None, infos: Sequence[T]) -> T | None:
    found = [info for info in infos if start and info.id.startswith(start)]
    return found[0] if len(found) == 1 else None


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
    """Show a dataset, as the user asked; its newest run becomes the current run."""
    if recall("dataset") == fingerprint:
        return
    runs = workspace().runs(fingerprint) if fingerprint else []
    choose_run(runs[-1].id if runs else None)
    _show_dataset(fingerprint)


def choose_run(run_id: str | None) -> None:
    """Show a run, as the user asked; what a job is still making no longer takes over."""
    remember("awaiting", None)
    _show_run(run_id)


def _show_run(run_id: str | None) -> None:
    if recall("run") == run_id:
        return
    remember("run", run_id)
    remember("layout", None)
    remember("kind", None)
    for info in workspace().runs():
        if info.id == run_id:
            _show_dataset(info.dataset)


def _show_dataset(fingerprint: str | None) -> None:
    if recall("dataset") != fingerprint:
        remember("dataset", fingerprint)
        remember("focus", None)
        remember("colour", None)


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
    """Show what ``job`` makes as soon as it exists, unless the user goes elsewhere."""
    remember("awaiting", job.id)
    remember("ended", None)
    dataset_id = job.result.get("dataset")
    if job.result.get("comparing"):
        return  # the run that is shown stays
    # A job that still reads its data has nothing to show yet: what is on screen stays.
    if dataset_id is not None and job.result.get("run") != recall("run"):
        remember("before", (dataset_id, recall("run")) if recall("dataset") == dataset_id else None)
        _show_run(None)
        _show_dataset(dataset_id)


def settle() -> None:
    """Move on to what the awaited job has finished since the last rerun."""
    job = awaited_job()
    if job is None:
        return
    run = job.result.get("run")
    if run and job.result.get("run_ready") and run != recall("run"):
        _show_run(run)
    if job.active:
        return
    remember("awaiting", None)
    if job.state == "cancelled":
        remember("ended", job.id)
    if job.state != "done":
        _show_what_was_there()
    if job.result.get("comparing"):
        if job.state == "done" and job.result.get("comparison"):
            choose_comparison(str(job.result["dataset"]), str(job.result["comparison"]))
            remember("view", "overview")
        return
    if job.state == "done" and run is None:
        remember("arrived", job.result.get("dataset"))
        choose_dataset(job.result.get("dataset"))
    elif job.state == "done" and run == recall("run"):
        remember("layout", job.result.get("layout"))


def _show_what_was_there() -> None:
    """Go back to the run that was looked at before a job that brought none."""
    dataset_id, before = recall("before") or (None, None)
    if recall("run") is None and before and recall("dataset") == dataset_id:
        _show_run(before)


def has_moved_on() -> bool:
    """Tell whether the awaited job has brought something since ``settle`` looked.

    A job that has ended has no panel that would look again: the page must start anew by itself.
    """
    job = _job(recall("awaiting"))
    if job is None:
        return False
    run = job.result.get("run")
    return not job.active or bool(run and job.result.get("run_ready") and run != recall("run"))


def awaited_job() -> Job | None:
    """Return the job whose result this tab waits for, or None.

    A fresh tab (a reload, a restarted server) that shows nothing yet waits for the newest job; one
    that shows a dataset only for a job about it, or the job would drag the user back.
    """
    job_id = recall("awaiting")
    if job_id is None and recall("run") is None:
        shown = recall("dataset")
        job_id = next(
            (
                job.id
                for job in workspace().open_jobs()
                if job.active and (shown is None or job.result.get("dataset") == shown)
            ),
            None,
        )
        remember("awaiting", job_id)
    return _job(job_id)


def is_being_worked_on(run_id: str) -> bool:
    """Tell whether a job about this run waits or runs."""
    jobs = workspace().open_jobs()
    return any(job.active and job.result.get("run") == run_id for job in jobs)


def take_arrived() -> str | None:
    """Return, once, the dataset that a reading job has just brought in."""
    dataset_id: str | None = recall("arrived")
    remember("arrived", None)
    return dataset_id


def choose_comparison(dataset_id: str, comparison_id: str) -> None:
    """Show a comparison of a dataset; "new" puts another one together."""
    remember(f"comparison.{dataset_id}", comparison_id)
    remember("pair", None)


def chosen_comparison(dataset_id: str) -> str:
    """Return the comparison that is shown of a dataset; "" where none was chosen."""
    return str(recall(f"comparison.{dataset_id}") or "")


def remove_comparison(dataset_id: str, comparison_id: str) -> None:
    """Delete a comparison of a dataset and show the newest of the others."""
    workspace().remove_comparison(comparison_id)
    _comparison.clear(recall("workspace"), comparison_id)
    choose_comparison(dataset_id, "")


def take_view() -> str | None:
    """Return, once, the view of a comparison that a link or a finished job asks for."""
    view: str | None = recall("view")
    remember("view", None)
    return view


def choose_pair(comparison_id: str, first: str, second: str) -> None:
    """Look at two members of a comparison."""
    remember("pair", (comparison_id, first, second))


def compared_pair(info: ComparisonInfo, table: Agreement) -> tuple[str, str]:
    """Return the two members that are looked at: the chosen ones, else those that differ most."""
    chosen = recall("pair")
    if chosen and chosen[0] == info.id and {chosen[1], chosen[2]} <= set(info.names):
        return chosen[1], chosen[2]
    return table.least_alike() or (info.names[0], info.names[1])


def is_dark() -> bool:
    """Tell whether the page is shown in the dark theme."""
    return st.context.theme.type == "dark"


def inspect(kind: str, key: str) -> None:
    """Make an item the one whose neighbours are shown on the map."""
    remember("focus", (kind, key))


def shown_jobs() -> list[Job]:
    """Return the jobs to be told about: all that run, and those that ended badly here.

    A job that failed or was interrupted is shown with its own dataset, one that was just stopped
    until the user goes on.
    """
    dataset_id = recall("dataset")
    jobs = [
        job
        for job in workspace().open_jobs()
        if job.active or job.result.get("dataset") in (None, dataset_id) or dataset_id is None
    ]
    ended = _job(recall("ended"))
    if ended is not None and ended.state == "cancelled":
        jobs = [*jobs, ended]
    return jobs


def dismiss(job: Job) -> None:
    """Stop telling about a job that has ended."""
    remember("ended", None)
    workspace().dismiss(job.id)


def _job(job_id: str | None) -> Job | None:
    if job_id is None:
        return None
    try:
        return workspace().job(job_id)
    except WorkspaceError:
        return None


# -- what the server keeps in memory --------------------------------------------------------------


@st.cache_resource(max_entries=8, show_spinner=False)
def _dataset(workspace_id: str, fingerprint: str, version: tuple[str, float]) -> Dataset:  # noqa: ARG001
    return Workspace.open(runner(), workspace_id).dataset(fingerprint)


def dataset(fingerprint: str) -> Dataset:
    """Return a dataset of this workspace, under its present name."""
    info = workspace().dataset_info(fingerprint)
    return _dataset(recall("workspace"), fingerprint, (info.name, info.created))


@st.cache_resource(max_entries=16, show_spinner=False)
def _vectors(workspace_id: str, run_id: str, kind: str) -> KeyedVectors:
    return Workspace.open(runner(), workspace_id).vectors(run_id, kind)


@st.cache_resource(max_entries=8, show_spinner=False)
def _all_vectors(workspace_id: str, run_id: str) -> KeyedVectors:
    return Workspace.open(runner(), workspace_id).vectors(run_id)


def all_vectors(run_id: str) -> KeyedVectors:
    """Return the vectors of every kind of a run (words and documents together)."""
    return _all_vectors(recall("workspace"), run_id)


@st.cache_resource(max_entries=16, show_spinner=False)
def _index(workspace_id: str, run_id: str, kind: str, metric: Metric) -> VectorIndex:
    return VectorIndex(_vectors(workspace_id, run_id, kind), metric=metric)


def has_neighbours(run_id: str, kind: str, metric: Metric | None = None) -> NDArray[np.bool_]:
    """Tell, ``(n,) bool``, which rows are similar to anything: under cosine zero rows are not."""
    vectors = _vectors(recall("workspace"), run_id, kind)
    if (metric or vectors.metric) != "cosine":
        return np.ones(len(vectors), np.bool_)
    return index(run_id, kind, "cosine").has_direction


def index(run_id: str, kind: str, metric: Metric) -> VectorIndex:
    """Return the index over one kind of a run under a metric."""
    return _index(recall("workspace"), run_id, kind, metric)


@st.cache_resource(max_entries=4, show_spinner=False)
def _comparison(workspace_id: str, comparison_id: str) -> StoredComparison:
    return Workspace.open(runner(), workspace_id).comparison(comparison_id)


def comparison(comparison_id: str) -> StoredComparison:
    """Return a comparison of this workspace, with its vectors memory-mapped."""
    return _comparison(recall("workspace"), comparison_id)


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
def _items(workspace_id: str, run_id: str, kind: str, _data: Dataset) -> RunItems:
    return run_items(_data, _vectors(workspace_id, run_id, kind), kind)


def items(run: RunInfo, kind: str) -> RunItems:
    """Return texts, pictures and columns in the order of a run's vectors of one kind."""
    return _items(recall("workspace"), run.id, kind, dataset(run.dataset))


@st.cache_resource(max_entries=8, show_spinner=False)
def _clusters(workspace_id: str, run_id: str, kind: str, n_clusters: int) -> NDArray[np.int32]:
    return cluster(_vectors(workspace_id, run_id, kind), n_clusters=n_clusters, seed=0)


def clusters(run_id: str, kind: str, n_clusters: int) -> NDArray[np.int32]:
    """Return the ``(n,) int32`` k-means cluster of each vector, in the original space."""
    return _clusters(recall("workspace"), run_id, kind, n_clusters)


@st.cache_resource(max_entries=8, show_spinner=False)
def _scene(
    workspace_id: str,  # noqa: ARG001 -- part of the cache key
    key: tuple[str, str, str, bool, str],
    _run: RunInfo,
    _build: Callable[[tuple[str, str, str, bool], RunInfo], T],
) -> T:
    return _build(key[:4], _run)


def scene(
    key: tuple[str, str, str, bool],
    run: RunInfo,
    build: Callable[[tuple[str, str, str, bool], RunInfo], T],
) -> T:
    """Return what ``build(key, run)`` makes, made once per workspace and key."""
    named = (*key, workspace().dataset_info(run.dataset).name)
    made: T = _scene(recall("workspace"), named, run, build)
    return made


@st.cache_resource(max_entries=64, show_spinner=False)
def _worked_out(workspace_id: str, key: tuple[str, ...], _make: Callable[[], T]) -> T:  # noqa: ARG001
    return _make()


def worked_out(key: tuple[str, ...], make: Callable[[], T]) -> T:
    """Return what ``make()`` returns, made once per workspace and key (begin it with a name)."""
    made: T = _worked_out(recall("workspace"), key, make)
    return made
