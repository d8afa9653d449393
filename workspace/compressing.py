"""Keeping members of a comparison in fewer bytes, as a worker measures it, and what is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from comparison.class_labels import labels_of
from comparison.compression import CompressedSpace, CompressionResult, compress
from comparison.vector_codes import Code, usual_codes
from core.errors import ParameterError
from core.fingerprint import fingerprint
from core.progress import Progress, quiet
from ingest.dataset import Dataset
from vectors.bootstrap import Interval
from workspace.context import Context
from workspace.store import Store, present
from workspace.stored_comparison import ComparisonInfo, StoredComparison, open_comparison
from workspace.tasks import Task

VERSION = 1
"""Raised when equal inputs would give other figures."""
QUERIES = 1_000
"""Items that are looked up; all where there are fewer."""


@dataclass(frozen=True)
class CompressTask(Task):
    """Measure what is left of members of a comparison in fewer bytes.

    Attributes
    ----------
    comparison : str
    members : tuple of str
        Names, one measured after another.
    column : str or None
        Labels for a task score.
    k : int
        Neighbours that should stay.
    """

    runs: ClassVar[str] = "workspace.compressing:compress_members"

    comparison: str
    members: tuple[str, ...]
    column: str | None = None
    k: int = 10

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CompressTask:
        """Return the task."""
        return cls(**{**values, "members": tuple(values["members"])})


def check(task: CompressTask, info: ComparisonInfo) -> None:
    """Refuse what cannot be measured.

    Raises
    ------
    ParameterError
        For no member, an unknown one, or a k that these items do not have.
    """
    for name in task.members:
        if name not in info.names:
            raise ParameterError(
                f"There is no embedding {name!r} in this comparison; "
                f"there are: {', '.join(info.names)}."
            )
    if not task.members:
        raise ParameterError(f"Name at least one embedding of: {', '.join(info.names)}.")
    if info.n < 3 or not 1 <= task.k <= info.n - 1:
        raise ParameterError(
            f"With {info.n:,} items k must be an integer in [1, {max(1, info.n - 1)}] and at least "
            f"3 items are needed, got k = {task.k!r}."
        )


def finding_id(info: ComparisonInfo, member: str, dim: int, column: str | None, k: int) -> str:
    """Return the id under which the figures of one member are kept.

    All runs of the comparison count: together they say which items are measured, in which order.
    Its name and the names of its members do not.
    """
    codes = [(code.family, code.size) for code in usual_codes(dim)]
    labels = None if column is None else (info.recipe.dataset, column)
    parts = (info.run_of(member), info.runs, labels, k, codes, QUERIES, info.recipe.seed)
    return "s" + fingerprint("compression", VERSION, *parts)[:24]


def kept(id: str, store: Store) -> CompressionResult | None:
    """Return what a worker has measured, or None."""
    found = store.finding(id)
    return None if found is None else result_of(found[1])


def compress_members(task: CompressTask, context: Context) -> dict[str, Any]:
    """Measure one member after another and keep the figures."""
    known = task.comparison in context.catalog.comparisons(context.workspace)
    stored = open_comparison(
        present(task.comparison if known else None, "The comparison"), context.store
    )
    info = stored.info
    check(task, info)
    context.publish(dataset=info.recipe.dataset)
    dims = {name: _matrix(stored, name).shape[1] for name in task.members}
    context.progress.plan({name: _expected_s(info.n, dim) for name, dim in dims.items()})
    data = context.dataset(info.recipe.dataset)
    id = ""
    for name, dim in dims.items():
        context.progress.begin(name, f"compressing {name}")
        id = finding_id(info, name, dim, task.column, task.k)
        with context.alone(id):
            if context.store.finding(id) is None:
                found = measure(stored, name, data, task, context.progress)
                context.store.save_finding(id, info.id, {}, told_of(found))
    return {"dataset": info.recipe.dataset, "comparing": True, "finding": id}


def measure(
    stored: StoredComparison,
    member: str,
    dataset: Dataset,
    task: CompressTask,
    progress: Progress = quiet,
) -> CompressionResult:
    """Measure what is left of one member, on the items that all members share.

    Raises
    ------
    ParameterError
        For an unknown column of labels.
    """
    items = stored.comparison.items
    labels, refused = None, ""
    if task.column is not None:
        classes = labels_of(dataset, task.column, items.ids)
        refused = classes.refused
        if not refused:
            labels = [classes.names[code] if code >= 0 else None for code in classes.codes.tolist()]

    def tell(done: int, total: int, stage: str = "", note: str = "") -> None:
        progress(done, total, f"{stage} {member}", note)

    found = compress(
        _matrix(stored, member),
        items.metrics[items.names.index(member)],
        k=task.k,
        n_queries=QUERIES,
        labels=labels,
        seed=stored.info.recipe.seed,
        progress=tell,
    )
    return dataclasses.replace(found, no_task=refused) if refused else found


def told_of(result: CompressionResult) -> dict[str, Any]:
    """Return the plain values in which figures are kept."""
    return dataclasses.asdict(result)


def result_of(told: Mapping[str, Any]) -> CompressionResult:
    """Return figures from their plain values."""
    return CompressionResult(**{**told, "rows": tuple(_row(row) for row in told["rows"])})


def _row(told: Mapping[str, Any]) -> CompressedSpace:
    values = dict(told)
    values["code"] = Code(**told["code"])
    values["recall"] = Interval(*told["recall"])
    values["task"] = None if told["task"] is None else Interval(*told["task"])
    return CompressedSpace(**values)


def _matrix(stored: StoredComparison, member: str) -> Any:
    items = stored.comparison.items
    return items.matrices[items.names.index(member)]


def _expected_s(n: int, dim: int) -> float:
    """Return roughly what measuring takes: each code is searched, some are trained."""
    return 1.0 + len(usual_codes(dim)) * min(n, QUERIES) * n * (dim + 50) / 1.5e10
