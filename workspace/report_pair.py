"""What a report says of two members: how alike, which classes and groups, which items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from comparison.changed_items import changed_order, movers_words, order_words
from comparison.class_labels import ClassLabels
from comparison.class_moves import class_moves
from comparison.class_neighbours import class_neighbours
from comparison.group_captions import Caption, GroupCaptions
from comparison.guards import guard_of_torn_groups
from comparison.movers import Movers
from comparison.report import ChangedItem, PairPart
from comparison.torn_groups import torn_groups
from core.errors import ParameterError
from core.modality import Modality
from ingest.dataset import Dataset
from ingest.wording import many
from workspace.pair_findings import PairTask, is_light, measure
from workspace.report_tables import WorkedOut, at_once
from workspace.stored_comparison import StoredComparison

if TYPE_CHECKING:
    from workspace.workspace import Workspace

_CHANGED, _NEAR = 8, 5


def pair_part(
    stored: StoredComparison,
    data: Dataset,
    texts: Sequence[str],
    labels: ClassLabels | None,
    names: tuple[str, str],
    k: int,
    moved: Movers | None = None,
) -> PairPart:
    """Return the closer look at two members: sentences, a histogram and the most changed items.

    Parameters
    ----------
    stored : StoredComparison
    data : Dataset
    texts : sequence of str
        What a reader sees of each shared item.
    labels : ClassLabels or None
    names : (str, str)
    k : int
    moved : Movers, optional
        Where it was measured.
    """
    if len(set(names)) != 2:
        raise ParameterError(f"Two different embeddings are needed, got {names[0]!r} twice.")
    found = stored.comparison.at(k)
    each = found.per_item(*names)
    known = each[np.isfinite(each)]  # not of items without a vector
    counts = np.bincount(np.rint(known * k).astype(int), minlength=k + 1)
    own = _label_list(labels, len(texts))
    graphs = [found.graphs[found.names.index(name)] for name in names]
    order = changed_order(each, moved, found.per_item(*names, "rbo"))
    order = order[np.isfinite(each[order])][:_CHANGED]
    items = tuple(
        _changed(row, texts, own[row] or "", float(each[row]), graphs, k, moved)
        for row in order.tolist()
    )
    sentences = (
        *_class_sentences(graphs, own, names, k),
        *_torn(stored, list(texts), own, names, data),
    )
    if moved is not None:
        sentences = (*sentences, movers_words(moved))
    rule = f"Most changed first, by {order_words(moved=moved is not None)}."
    return PairPart(names, sentences, tuple(counts.tolist()), items, rule)


def _changed(
    row: int,
    texts: Sequence[str],
    label: str,
    overlap: float,
    graphs: list[Any],
    k: int,
    moved: Movers | None,
) -> ChangedItem:
    lists = [graph[row, :k].tolist() for graph in graphs]
    return ChangedItem(
        texts[row],
        label,
        overlap,
        (_texts(texts, lists[0]), _texts(texts, lists[1])),
        (_among(lists[0], lists[1]), _among(lists[1], lists[0])),
        None if moved is None else float(moved.displacement[row]),
    )


def _texts(texts: Sequence[str], rows: list[int]) -> tuple[str, ...]:
    return tuple(texts[row] for row in rows[:_NEAR])


def _among(rows: list[int], others: list[int]) -> tuple[bool, ...]:
    return tuple(row in others for row in rows[:_NEAR])


def known_movers(
    workspace: Workspace,
    stored: StoredComparison,
    names: tuple[str, str],
    worked_out: WorkedOut = at_once,
) -> Movers | None:
    """Return how far items moved, where a job has measured it or it is there in a moment."""
    for first, second in (names, names[::-1]):  # it is the same in both directions
        kept = workspace.pair_finding(PairTask(stored.info.id, first, second, "movers"))
        if kept is not None:
            return cast("Movers", kept)
    task = PairTask(stored.info.id, *names, "movers")
    if not is_light(stored, task):
        return None
    try:
        dataset = stored.info.recipe.dataset
        return cast(
            "Movers",
            worked_out(
                ("pair", task.finding),
                lambda: measure(stored, task, lambda: workspace.dataset(dataset)),
            ),
        )
    except ParameterError:  # too few items, or a space without extent
        return None


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
