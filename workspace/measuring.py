"""Measuring a task on a comparison, as a worker does it, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from comparison.task_result import Setting, TaskResult
from core.arrays import AnyArray
from core.errors import ParameterError, WorkspaceError
from core.fingerprint import fingerprint
from ingest.source import Source
from workspace.context import Context
from workspace.store import Store
from workspace.stored_comparison import open_comparison
from workspace.task_files import check_files, digests
from workspace.tasks import Task
from workspace.uploads import Uploads

VERSION = 2
"""Raised when equal inputs would give other figures."""

SETTINGS: dict[str, dict[str, Setting]] = {
    "label-knn": {"column": "", "k": 10},
    "label-probe": {"column": "", "equal": False},
    "label-clusters": {"column": ""},
    "label-silhouette": {"column": ""},
    "label-few-shot": {"column": ""},
    "retrieval": {"k": 10, "queries": ""},
    "pairs": {},
    "word-pairs": {},
    "analogies": {},
    "entities": {},
    "graph-links": {},
    "recommendation": {"k": 20},
}
"""The settings of every task with their defaults."""


@dataclass(frozen=True)
class MeasureTask(Task):
    """Measure one task on a comparison.

    Attributes
    ----------
    comparison : str
        Id.
    asked : str
        Id of an offered task.
    settings : mapping
        Complete, plain values.
    upload : str
        Token of the folder that holds the files; "" where there is none.
    roles, names : tuple of str
        What each file is for, and what the user called it.
    """

    runs: ClassVar[str] = "workspace.measuring:measure"

    comparison: str
    asked: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    upload: str = ""
    roles: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MeasureTask:
        """Return the task."""
        lists = {name: tuple(values[name]) for name in ("roles", "names")}
        return cls(**{**values, **lists})


@dataclass(frozen=True)
class Measured:
    """A finished measurement, for lists and menus.

    Attributes
    ----------
    id : str
    comparison, asked : str
        Ids of the comparison and of the offered task.
    settings : mapping
    names : tuple of str
        Of the files it was given.
    created : float
    """

    id: str
    comparison: str
    asked: str
    settings: Mapping[str, Setting]
    names: tuple[str, ...]
    created: float


def measure(task: MeasureTask, context: Context) -> dict[str, Any]:
    """Measure a task and keep its results; return their id."""
    from workspace.measured_tasks import MEASURES, Asked

    if task.comparison not in context.catalog.comparisons(context.workspace):
        raise WorkspaceError("The comparison is no longer in this workspace. Build it again.")
    uploads = Uploads(context.store.root)
    paths = uploads.paths(task.upload, task.names) if task.names else []
    files = {
        role: Source(name, path=path)
        for role, name, path in zip(task.roles, task.names, paths, strict=True)
    }
    id = finding_id(task.comparison, task.asked, task.settings, files)
    stored = open_comparison(task.comparison, context.store)
    recipe = stored.info.recipe
    told = {"dataset": recipe.dataset, "comparing": True, "finding": id}
    with context.alone(id):
        if results_of(id, context.store, task.comparison) is None:
            context.progress(0, 0, "opening the comparison")
            asked = Asked(stored, context.dataset(recipe.dataset), task.settings, files, context)
            found = MEASURES[task.asked](asked)
            context.store.save_finding(id, task.comparison, *_as_parts(found, task))
    uploads.remove(task.upload)
    return told


def finding_id(
    comparison: str, asked: str, settings: Mapping[str, Setting], files: Mapping[str, Source]
) -> str:
    """Return the id of what is measured: equal questions about equal content have one answer."""
    parts = ("task", VERSION, comparison, asked, dict(settings), digests(files))
    return "f" + fingerprint(*parts)[:24]


def complete(
    asked: str, settings: Mapping[str, Setting], files: Mapping[str, Source]
) -> dict[str, Setting]:
    """Return the settings of a task, those left out with their defaults.

    Raises
    ------
    ParameterError
        For an unknown task, setting or file.
    """
    if asked not in SETTINGS:
        raise ParameterError(f"There is no task {asked!r}; there are: {', '.join(SETTINGS)}.")
    defaults = SETTINGS[asked]
    for name, value in settings.items():
        if name not in defaults:
            allowed = ", ".join(defaults) or "none"
            raise ParameterError(f"The task {asked} has no setting {name!r}; it has: {allowed}.")
        if type(value) is not type(defaults[name]):
            raise ParameterError(f"The setting {name} of {asked} cannot be {value!r}.")
    check_files(asked, files)
    return {**defaults, **settings}


def results_of(id: str, store: Store, comparison: str) -> tuple[TaskResult, ...] | None:
    """Return the results of a task on a comparison, or None where none are kept."""
    found = store.finding(id)
    if found is None or found[1].get("comparison") != comparison or "asked" not in found[1]:
        return None
    arrays, told = found
    return tuple(
        TaskResult.from_dict(
            plain,
            {
                key.removeprefix(f"{place}/"): values
                for key, values in arrays.items()
                if key.startswith(f"{place}/")
            },
        )
        for place, plain in enumerate(told["results"])
    )


def _as_parts(
    results: Sequence[TaskResult], task: MeasureTask
) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """Return the arrays and the plain values in which results are kept."""
    arrays: dict[str, AnyArray] = {
        f"{place}/{key}": values
        for place, result in enumerate(results)
        for key, values in result.arrays().items()
    }
    plain = [result.to_dict(with_arrays=False) for result in results]
    return arrays, {"comparison": task.comparison, "asked": task.asked, "results": plain}
