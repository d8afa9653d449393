"""What a finished comparison is turned into for others: a report, a table, a recipe to keep."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from comparison.agreement import Pair
from comparison.calibration import DIRECTIONS, calibrated_k
from comparison.chance import Calibrated
from comparison.class_labels import ClassLabels, labels_of
from comparison.guards import guard_of_neighbours
from comparison.label_quality import knn_label_accuracy
from comparison.label_votes import with_vectors
from comparison.noise_floor import LOCAL
from comparison.report import AgreementPart, MemberLine, ReportContent
from comparison.task_result import TaskResult
from comparison.verdict import Verdict, verdict
from core.modality import Modality
from core.setting_words import unusual_settings
from ingest.dataset import Dataset
from ingest.wording import many
from workspace.portable import portable_recipe
from workspace.report_pair import known_movers, pair_part
from workspace.report_tables import (
    WorkedOut,
    at_once,
    compression_tables,
    curve_table,
    shapes_table,
)
from workspace.stored_comparison import StoredComparison, refused_told

if TYPE_CHECKING:
    from workspace.workspace import Workspace

SAYS = {
    "overlap": "Of an item's nearest in one space, the share that the other space names too.",
    "rbo": "Rank-biased overlap (p = .9): like shared neighbours, but the first ranks count most.",
    "cka": "Whether the large directions of both spaces are the same, whatever the rotation.",
    "distances": "Whether items far apart in one space are far apart in the other.",
    "shape": "How well one space can be rotated and scaled onto the other.",
}


def text_of_items(data: Dataset, ids: Sequence[str]) -> list[str]:
    """Return what a reader sees of each item: its text, else its id."""
    place = {id: row for row, id in enumerate(data.ids)}
    if data.modality is Modality.TEXT:
        return [data.items[place[id]] if id in place else id for id in ids]
    named = [c for c in data.columns if data.roles.get(str(c)) == "text"]
    if named:
        texts = data.columns[named[0]].astype("str").tolist()
        return [texts[place[id]] if id in place else id for id in ids]
    return list(ids)


def item_table(
    stored: StoredComparison, data: Dataset, k: int, column: str | None = None
) -> pd.DataFrame:
    """Return all that is known of every shared item, one row per item.

    Columns: the id; the text and columns of the item; ``overlap@k`` and rank-biased overlap of
    each pair; and of each embedding in how many others' ``k`` nearest the item stands (a hub in
    many) and, where there are classes, whether its ``k`` nearest vote for its own (empty where it
    is not judged).

    Parameters
    ----------
    stored : StoredComparison
    data : Dataset
    k : int
    column : str, optional
        Whose values are the classes; by default the labels of the data.
    """
    found = stored.comparison.at(k)
    ids = found.items.ids
    place = {id: row for row, id in enumerate(data.ids)}
    rows = [place[id] for id in ids]
    columns: dict[str, Any] = {"id": list(ids)}
    if data.modality is Modality.TEXT:
        columns["text"] = [data.items[row] for row in rows]
    for name in data.columns:
        columns.setdefault(str(name), data.columns[name].iloc[rows].tolist())
    for a, b in combinations(found.names, 2):
        columns[f"overlap@{k}: {a} | {b}"] = found.per_item(a, b)
        columns[f"RBO@{k}: {a} | {b}"] = found.per_item(a, b, "rbo")
    for name, graph, blank in zip(found.names, found.graphs, found.blank, strict=True):
        lists = graph[~blank, :k]  # an item without a direction has no nearest
        columns[f"in lists@{k}: {name}"] = np.bincount(lists.ravel(), minlength=len(ids))
    classes = column or data.label
    if classes is not None:
        columns |= _own_class(stored, labels_of(data, classes, ids), classes, k)
    return pd.DataFrame(columns)


def _own_class(
    stored: StoredComparison, labels: ClassLabels, column: str, k: int
) -> dict[str, Any]:
    """Return whether the neighbours of each item vote for its class, by embedding."""
    found = stored.comparison
    if labels.refused:
        return {}
    result = knn_label_accuracy(found.items, found.graphs, labels, k=k, seed=found.seed)
    judged, _ = with_vectors(found.items, labels)
    columns = {}
    for name, score in result.scores.items():
        if score.per_unit is not None:
            each = pd.array([None] * len(labels), dtype="boolean")
            each[judged.rows] = score.per_unit > 0
            columns[f"own {column}@{k}: {name}"] = each
    return columns


def verdict_of(
    stored: StoredComparison,
    seconds: dict[str, float],
    k: int,
    *,
    noun: str = "items",
    task: TaskResult | None = None,
    differences: tuple[str, ...] = (),
) -> Verdict:
    """Return the verdict on a comparison, judged by one task where there is one."""
    found = stored.comparison.at(k)
    floors = {name: floor.local("overlap", k) for name, floor in stored.floors.items()}
    return verdict(
        f"these {stored.info.n:,} {noun}",
        found.overlap,
        k,
        floors=floors,
        seconds=seconds,
        task=task,
        differences=differences,
    )


def report_content(
    workspace: Workspace,
    stored: StoredComparison,
    *,
    k: int,
    column: str | None = None,
    tasks: Sequence[TaskResult] | None = None,
    pair: tuple[str, str] | None = None,
    measure_shapes: bool = True,
    worked_out: WorkedOut = at_once,
) -> ReportContent:
    """Gather what the report of a comparison says.

    Parameters
    ----------
    workspace : Workspace
    stored : StoredComparison
    k : int
    column : str, optional
        Whose values are the classes.
    tasks : sequence of TaskResult, optional
        By default the newest measurement of each task; the labels of neighbours are added where
        there is a column.
    pair : (str, str), optional
        The two to look at; by default those that differ most.
    measure_shapes : bool
        Whether to measure the shapes of spaces that no job has, where that takes seconds.
    worked_out : callable, optional
        Takes a key and what makes a value; may return what was made before.
    """
    info = stored.info
    data = workspace.dataset(info.recipe.dataset)
    labels = labels_of(data, column, stored.comparison.items.ids) if column else None
    tasks = list(measured_tasks(workspace, stored) if tasks is None else tasks)
    if labels is not None and not any(task.task == "label-knn" for task in tasks):
        found = stored.comparison
        tasks.insert(0, knn_label_accuracy(found.items, found.graphs, labels, k=k, seed=found.seed))
    members = member_lines(workspace, stored)
    names = pair or stored.comparison.at(k).overlap.least_alike() or info.names[:2]
    two = (names[0], names[1])
    texts = text_of_items(data, stored.comparison.items.ids)
    moved = known_movers(workspace, stored, two, worked_out)
    closer = pair_part(stored, data, texts, labels, two, k, moved)
    noun = {Modality.TEXT: "texts", Modality.IMAGE: "images", Modality.GRAPH: "nodes"}.get(
        data.modality, "items"
    )
    said = verdict_of(
        stored,
        {member.name: member.seconds for member in members},
        k,
        noun=noun,
        task=tasks[0] if tasks else None,
        differences=closer.sentences[:2],
    )
    runs = [workspace.run(run) for run in info.runs]
    return ReportContent(
        title=f"{data.name}: {len(info.names)} embeddings compared",
        facts={
            "data": f"{data.name}, {many(len(data), 'item')}",
            "compared": f"{info.n:,} items that all embeddings have",
            "neighbours": f"k = {k}, in the original spaces",
            "seed": str(info.recipe.seed),
            "made": time.strftime("%Y-%m-%d %H:%M", time.localtime(info.created)),
        },
        verdict=said.sentences,
        members=members,
        agreements=_agreements(stored, k),
        curve=curve_table(stored),
        tasks=tuple(tasks),
        pair=closer,
        shapes=shapes_table(workspace, stored, measure_shapes, worked_out),
        compression=compression_tables(workspace, stored),
        left_out=_left_out(stored, data),
        versions={name: version for run in runs for name, version in run.versions.items()},
        recipe=json.dumps(portable_recipe(workspace, info), indent=2, ensure_ascii=False),
    )


def newest_measurements(workspace: Workspace, stored: StoredComparison) -> tuple[str, ...]:
    """Return the id of the newest measurement of each task, the first measured first."""
    newest: dict[str, str] = {}
    for one in workspace.measurements(stored.info.id):
        newest.setdefault(one.asked, one.id)
    return tuple(reversed(newest.values()))


def measured_tasks(workspace: Workspace, stored: StoredComparison) -> tuple[TaskResult, ...]:
    """Return the results of the newest measurement of each task, the first measured first."""
    ids = newest_measurements(workspace, stored)
    found = (workspace.finding(stored.info.id, id) for id in ids)
    return tuple(result for results in found for result in results or ())


def member_lines(workspace: Workspace, stored: StoredComparison) -> tuple[MemberLine, ...]:
    """Return what each member is and costs."""
    from embedders import get_embedder

    lines = []
    for member, id in zip(stored.info.recipe.members, stored.info.runs, strict=True):
        run, method = workspace.run(id), get_embedder(member.embedder, **member.params)
        settings = unusual_settings(method.params_class, member.params)
        lines.append(
            MemberLine(
                member.name,
                run.title,
                ", ".join(settings) or "defaults",
                run.metric,
                member.seed if method.stochastic else None,
                run.dim,
                run.bytes / 1e6,
                run.seconds,
                _source(method.source, run.provenance),
            )
        )
    return tuple(lines)


def _source(source: str, provenance: Any) -> str:
    model = provenance.get("model")
    digest = provenance.get("weights_sha256")
    told = f"{source}; {model}" if model else source
    return f"{told}; weights SHA-256 {digest[:16]}…" if digest else told


def _agreements(stored: StoredComparison, k: int) -> tuple[AgreementPart, ...]:
    found = stored.comparison.at(k)
    parts = []
    for measure, says in SAYS.items():
        is_local = measure in LOCAL
        floors = {}
        for name, floor in stored.floors.items():
            if is_local and guard_of_neighbours(floor.n_local, k):
                continue
            value = floor.local(measure, k) if is_local else getattr(floor, measure)
            if value is not None:
                floors[name] = value
        # Neighbours are calibrated at the k of the recipe.
        usable = not is_local or k == stored.info.recipe.k
        calibrated = stored.calibrated.get(measure, {}) if usable else {}
        table = found.rank_biased_overlap if measure == "rbo" else getattr(found, measure)
        parts.append(
            AgreementPart(table, says, floors, calibrated, _sampled(measure, k, calibrated))
        )
    return tuple(parts)


def _sampled(measure: str, k: int, calibrated: Mapping[Pair, Calibrated]) -> str:
    """Say what was paired at random."""
    one = next(iter(calibrated.values()), None)
    if one is None:
        return ""
    near = f", {calibrated_k(k, one.n_rows)} neighbours each" if measure in LOCAL else ""
    few = f" in {DIRECTIONS} directions" if measure == "shape" else ""
    return f"{one.n_rows:,} items{near}{few}, {one.n_permutations} random pairings"


def _left_out(stored: StoredComparison, data: Dataset) -> tuple[str, ...]:
    told = [
        f"{n:,} items of {name} were left out, as another embedding lacks them."
        for name, n in zip(stored.info.names, stored.info.left_out, strict=True)
        if n
    ]
    told += refused_told(stored.info).splitlines()
    if data.n_dropped:
        first = "; ".join(f"{d.where}: {d.reason}" for d in data.dropped[:5])
        told.append(f"{data.n_dropped:,} rows of the source were not read ({first}).")
    used = stored.comparison.distances.n_used
    if used < stored.info.n:
        told.append(
            f"Distance correlation and Procrustes rest on a sample of {used:,} items "
            f"(seed {stored.info.recipe.seed})."
        )
    return tuple([*told, *data.notes])
