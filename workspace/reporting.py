"""What a finished comparison is turned into for others: a report, a table, a recipe to keep."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from comparison.class_labels import ClassLabels, labels_of
from comparison.class_moves import class_moves
from comparison.class_neighbours import class_neighbours
from comparison.group_captions import Caption, GroupCaptions
from comparison.guards import guard_of_torn_groups
from comparison.label_quality import knn_label_accuracy
from comparison.report import ChangedItem, MemberLine, PairPart, ReportContent
from comparison.task_result import TaskResult
from comparison.torn_groups import torn_groups
from comparison.verdict import Verdict, verdict
from core.errors import ParameterError
from core.modality import Modality
from core.setting_words import unusual_settings
from ingest.dataset import Dataset
from ingest.wording import many
from workspace.pair_findings import PairTask, is_light
from workspace.portable import portable_recipe
from workspace.stored_comparison import StoredComparison

if TYPE_CHECKING:
    from workspace.workspace import Workspace

SAYS = {
    "overlap": "Of an item's nearest in one space, the share that the other space names too.",
    "cka": "Whether the large directions of both spaces are the same, whatever the rotation.",
    "distances": "Whether items far apart in one space are far apart in the other.",
    "shape": "How well one space can be rotated and scaled onto the other.",
}
_CHANGED, _NEAR = 8, 5


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


def item_table(stored: StoredComparison, data: Dataset, k: int) -> pd.DataFrame:
    """Return the agreement of every two embeddings on every shared item, one row per item.

    Columns: the id, the text or columns of the item, and ``overlap@k`` and rank-biased overlap of
    each pair.
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
    return pd.DataFrame(columns)


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
    closer = pair_part(stored, data, labels, (names[0], names[1]), k)
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
        tasks=tuple(tasks),
        pair=closer,
        left_out=_left_out(stored, data),
        versions={name: version for run in runs for name, version in run.versions.items()},
        recipe=json.dumps(portable_recipe(workspace, info), indent=2, ensure_ascii=False),
    )


def measured_tasks(workspace: Workspace, stored: StoredComparison) -> tuple[TaskResult, ...]:
    """Return the results of the newest measurement of each task, the first measured first."""
    newest: dict[str, str] = {}
    for one in workspace.measurements(stored.info.id):
        newest.setdefault(one.asked, one.id)
    found = (workspace.finding(stored.info.id, id) for id in reversed(newest.values()))
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


def pair_part(
    stored: StoredComparison,
    data: Dataset,
    labels: ClassLabels | None,
    names: tuple[str, str],
    k: int,
) -> PairPart:
    """Return the closer look at two members: sentences, a histogram and the most changed items."""
    if len(set(names)) != 2:
        raise ParameterError(f"Two different embeddings are needed, got {names[0]!r} twice.")
    found = stored.comparison.at(k)
    each = found.per_item(*names)
    known = each[np.isfinite(each)]  # not of items without a vector
    counts = np.bincount(np.rint(known * k).astype(int), minlength=k + 1)
    texts = text_of_items(data, found.items.ids)
    own = _label_list(labels, len(texts))
    graphs = [found.graphs[found.names.index(name)] for name in names]
    # Of items that share equally little, those whose first neighbours differ come first.
    order = np.lexsort((found.per_item(*names, "rbo"), each))[:_CHANGED]
    items = tuple(
        ChangedItem(
            texts[row],
            own[row] or "",
            float(each[row]),
            (
                tuple(texts[j] for j in graphs[0][row, :_NEAR]),
                tuple(texts[j] for j in graphs[1][row, :_NEAR]),
            ),
            tuple(texts[j] for j in graphs[0][row, :_NEAR] if j in graphs[1][row, :_NEAR]),
        )
        for row in order.tolist()
    )
    sentences = (*_class_sentences(graphs, own, names, k), *_torn(stored, texts, own, names, data))
    return PairPart(names, sentences, tuple(counts.tolist()), items)


def _label_list(labels: ClassLabels | None, n: int) -> list[str | None]:
    if labels is None or labels.refused:
        return [None] * n
    return [labels.names[code] if code >= 0 else None for code in labels.codes.tolist()]


def _class_sentences(
    graphs: list[Any], own: list[str | None], names: tuple[str, str], k: int
) -> tuple[str, ...]:
    if not any(own):
        return ()
    try:
        moves = class_moves(*(class_neighbours(graph, own, k) for graph in graphs))
    except ParameterError as error:
        return (str(error),)
    said = []
    for move in [m for m in moves.moves if m.moved > m.noise][:3]:
        said.append(
            f"The surroundings of “{move.name}” ({many(move.n, 'item')}) differ: "
            f"{100 * move.moved:.0f} % of the neighbours are of other classes in {names[1]} than "
            f"in {names[0]} (chance up to {100 * move.noise:.0f} %); of its own class are "
            f"{100 * move.purity[0]:.0f} % in {names[0]} and {100 * move.purity[1]:.0f} % in "
            f"{names[1]}."
        )
    return tuple(said)


def _torn(
    stored: StoredComparison,
    texts: list[str],
    own: list[str | None],
    names: tuple[str, str],
    data: Dataset,
) -> tuple[str, ...]:
    items = stored.comparison.items
    task = PairTask(stored.info.id, *names, "groups")
    if guard_of_torn_groups(len(items)) or not is_light(stored, task):
        return ()  # a report should be there at once; the Pair view has a job for it
    x, y = (items.matrices[items.names.index(name)] for name in names)
    captions = GroupCaptions(own, texts if data.modality is Modality.TEXT else None)
    groups = torn_groups(x, y, captions=captions, n_modes=2, seed=stored.info.recipe.seed)
    said = []
    for side in (0, 1):
        for mode in groups.kept_by(side)[:1]:
            if not mode.beyond_chance or not mode.groups:
                continue
            group = mode.groups[0]
            said.append(
                f"{names[side]} keeps {len(group.rows):,} items together that {names[1 - side]} "
                f"tears apart{_named(group.caption)}."
            )
    return tuple(said)


def _named(caption: Caption) -> str:
    labels = [f"{one.label} ({100 * one.share:.0f} %)" for one in caption.labels[:2]]
    terms = [one.term for one in caption.terms[:4]]
    told = [", ".join(labels)] if labels else []
    told += [f"words such as {', '.join(terms)}"] if terms else []
    return f": {'; '.join(told)}" if told else ""


def _agreements(stored: StoredComparison, k: int) -> tuple[Any, ...]:
    found = stored.comparison.at(k)
    parts = []
    for measure, says in SAYS.items():
        floors = {}
        for name, floor in stored.floors.items():
            value = floor.local(measure, k) if measure == "overlap" else getattr(floor, measure)
            if value is not None:
                floors[name] = value
        parts.append((getattr(found, measure), says, floors))
    return tuple(parts)


def _left_out(stored: StoredComparison, data: Dataset) -> tuple[str, ...]:
    told = [
        f"{n:,} items of {name} were left out, as another embedding lacks them."
        for name, n in zip(stored.info.names, stored.info.left_out, strict=True)
        if n
    ]
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
