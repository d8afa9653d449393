"""What is measured of two members of a comparison: movers, torn groups, clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from comparison.class_labels import labels_of
from comparison.cluster_match import ClusterMatch, match_clusters, match_spaces
from comparison.group_captions import GroupCaptions
from comparison.movers import Movers, movers
from comparison.torn_groups import TornGroups, torn_groups
from core.arrays import AnyArray
from core.errors import ParameterError
from core.fingerprint import fingerprint
from core.modality import Modality
from core.progress import Progress, quiet
from ingest.dataset import Dataset
from workspace.context import Context
from workspace.finding_parts import (
    groups_of,
    groups_parts,
    movers_of,
    movers_parts,
)
from workspace.store import Store, present
from workspace.stored_comparison import StoredComparison, open_comparison
from workspace.tasks import Task

Part = Literal["movers", "groups", "clusters"]
Finding = Movers | TornGroups | ClusterMatch

_LIGHT_ITEMS = 5_000
_LIGHT_WORK = 1e10  # about two seconds of one core
_VERSION = "pair-3"


@dataclass(frozen=True)
class PairTask(Task):
    """Measure one thing of two members of a comparison.

    Attributes
    ----------
    comparison : str
    first, second : str
        Names of the members.
    part : {"movers", "groups", "clusters"}
    column : str or None
        Of the labels in captions of groups.
    n_clusters : int
        Of each member; only for "clusters".
    """

    runs: ClassVar[str] = "workspace.pair_findings:find"

    comparison: str
    first: str
    second: str
    part: Part
    column: str | None = None
    n_clusters: int = 0

    @property
    def finding(self) -> str:
        """Return the id under which the answer is kept; only what matters to it counts."""
        column = self.column if self.part == "groups" else None
        n_clusters = self.n_clusters if self.part == "clusters" else 0
        parts = (self.comparison, self.first, self.second, self.part, column or "", n_clusters)
        return "p" + fingerprint(_VERSION, *parts)[:24]


def is_light(stored: StoredComparison, task: PairTask) -> bool:
    """Tell whether the answer is there in a moment, so that no job is needed."""
    items = stored.comparison.items
    dims = sum(
        items.matrices[items.names.index(name)].shape[1] for name in (task.first, task.second)
    )
    n = len(items)
    return n <= _LIGHT_ITEMS and (n + dims) * dims**2 <= _LIGHT_WORK


def found(task: PairTask, store: Store) -> Finding | None:
    """Return what a job has found, or None.

    Whether the asker may see the comparison has to be checked before.
    """
    kept = store.finding(task.finding)
    if kept is None:
        return None
    arrays, told = kept
    read: dict[str, Callable[[Mapping[str, AnyArray], Any], Finding]] = {
        "movers": movers_of,
        "groups": groups_of,
        "clusters": lambda parts, told: match_clusters(
            parts["first"], parts["second"], seed=told["seed"]
        ),
    }
    return read[task.part](arrays, told)


def find(task: PairTask, context: Context) -> dict[str, Any]:
    """Measure, as a worker does it, and keep the answer."""
    known = task.comparison in context.catalog.comparisons(context.workspace)
    stored = open_comparison(
        present(task.comparison if known else None, "The comparison"), context.store
    )
    dataset = stored.info.recipe.dataset
    context.publish(dataset=dataset)
    with context.alone(task.finding):
        if context.store.finding(task.finding) is None:
            answer = measure(stored, task, lambda: context.dataset(dataset), context.progress)
            context.store.save_finding(task.finding, task.comparison, *_parts(answer))
    return {"dataset": dataset, "finding": task.finding, "comparing": True}


def measure(
    stored: StoredComparison,
    task: PairTask,
    dataset: Callable[[], Dataset],
    progress: Progress = quiet,
) -> Finding:
    """Measure one thing of two members.

    Parameters
    ----------
    stored : StoredComparison
    task : PairTask
    dataset : callable
        Returns the dataset of the comparison; called only for captions.
    progress : Progress

    Raises
    ------
    ParameterError
        Where the items do not allow it, or for an unknown member or part.
    """
    items, seed = stored.comparison.items, stored.comparison.seed
    for name in (task.first, task.second):
        if name not in items.names:
            raise ParameterError(
                f"There is no space {name!r}; there are: {', '.join(items.names)}."
            )
    a, b = (items.names.index(name) for name in (task.first, task.second))
    if task.part == "movers":
        graphs = stored.comparison.graphs[a], stored.comparison.graphs[b]
        metrics = items.metrics[a], items.metrics[b]
        return movers(
            items.matrices[a],
            items.matrices[b],
            metrics,
            graphs,
            k=stored.comparison.k,
            seed=seed,
            progress=progress,
        )
    if task.part == "groups":
        captions = captions_of(dataset(), items.ids, task.column)
        return torn_groups(
            items.matrices[a], items.matrices[b], captions=captions, seed=seed, progress=progress
        )
    if task.part == "clusters":
        progress(0, 1, "clustering both spaces")
        return match_spaces(
            items, task.first, task.second, n_clusters=task.n_clusters or None, seed=seed
        )
    raise ParameterError(f"part must be movers, groups or clusters, got {task.part!r}.")


def captions_of(dataset: Dataset, ids: tuple[str, ...], column: str | None) -> GroupCaptions:
    """Return what makes captions of groups of these items: a column of labels, and texts."""
    labels: list[str | None] | None = None
    if column is not None:
        classes = labels_of(dataset, column, ids)
        labels = [classes.names[code] if code >= 0 else None for code in classes.codes.tolist()]
    texts = _texts(dataset)
    if texts is not None:
        place = {id: row for row, id in enumerate(dataset.ids)}
        texts = [texts[place[id]] for id in ids]
    return GroupCaptions(labels, texts)


def _texts(dataset: Dataset) -> list[str] | None:
    """Return the text of each item: the item itself or the first column of texts; else None."""
    if dataset.modality is Modality.TEXT:
        return list(dataset.items)
    columns = [name for name in dataset.columns if dataset.roles.get(str(name)) == "text"]
    return dataset.columns[columns[0]].fillna("").astype(str).tolist() if columns else None


def _parts(answer: Finding) -> tuple[dict[str, AnyArray], Any]:
    if isinstance(answer, Movers):
        return movers_parts(answer)
    if isinstance(answer, TornGroups):
        return groups_parts(answer)
    return {"first": answer.first, "second": answer.second}, {"seed": answer.seed}
