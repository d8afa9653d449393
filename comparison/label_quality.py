"""Do items of one class lie together? Labels of neighbours, and the silhouette of the classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from comparison.class_labels import ClassLabels
from comparison.copies import copies_among, n_copies
from comparison.label_votes import majority, most_voters, voters, with_vectors
from comparison.shared_items import SharedItems
from comparison.task_result import Setting, TaskResult, TaskScore
from core.arrays import IntMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet

SILHOUETTE_SAMPLE = 5_000
SILHOUETTE_WARNING = (
    "Silhouette favours round groups and few dimensions: it does not rank spaces of different "
    "dimensions by itself."
)
COPIES_WARNING = (
    "{n:,} items have a copy, the same text or equal vectors in every space; copies do not vote "
    "for each other."
)


def knn_label_accuracy(
    items: SharedItems,
    graphs: tuple[IntMatrix, ...],
    labels: ClassLabels,
    *,
    k: int = 10,
    seed: int = 0,
    progress: Progress = quiet,
) -> TaskResult:
    """Return how often the ``k`` nearest other items vote for an item's own class.

    Leave-one-out; of classes with equally many votes the first by name wins (Cover & Hart 1967,
    "Nearest Neighbor Pattern Classification"; ties as scikit-learn's classifier has them).
    Items without a usable label or a vector neither vote nor are judged; copies of an item do not
    vote for it. Where fewer than ``k`` can vote for some item, as many vote for all, and the
    settings say so. ``extra`` holds macro-F1.

    Parameters
    ----------
    items : SharedItems
    graphs : tuple of (n, K) int32
        The nearest of every item in each space, nearest first.
    labels : ClassLabels
        Of the items, in order.
    k : int
    seed : int
        Of the bootstrap.
    progress : Progress
        Called once per space.

    Raises
    ------
    ParameterError
        If ``k`` exceeds the graphs, or labels and items differ in number.
    """
    blank, labels, groups = _begun(
        items, graphs, labels, k, seed, "label-knn", "kNN label accuracy"
    )
    if blank.refused:
        return blank
    truth, scores = labels.used, dict(blank.scores)
    for i, name in enumerate(items.names):
        progress(i, len(items.names), "labels of neighbours", name)
        if name in scores:
            continue
        near = voters(items, i, graphs[i], labels, groups, _used(blank))
        guess = majority(labels.codes[near], len(labels.names))
        extra = {"macro-F1": macro_f1(truth, guess)}
        scores[name] = TaskScore.of_units(guess == truth, seed=seed, extra=extra)
    progress(len(items.names), len(items.names), "labels of neighbours")
    return replace(blank, scores={name: scores[name] for name in items.names})


def neighbourhood_hit(
    items: SharedItems,
    graphs: tuple[IntMatrix, ...],
    labels: ClassLabels,
    *,
    k: int = 10,
    seed: int = 0,
    progress: Progress = quiet,
) -> TaskResult:
    """Return the mean share of the ``k`` nearest other items that have an item's own class.

    Paulovich, Nonato, Minghim & Levkowitz 2008, "Least Square Projection", section 5 (neighborhood
    hit). Parameters and errors as :func:`knn_label_accuracy`.
    """
    blank, labels, groups = _begun(items, graphs, labels, k, seed, "label-hit", "neighbourhood hit")
    if blank.refused:
        return blank
    scores = dict(blank.scores)
    for i, name in enumerate(items.names):
        progress(i, len(items.names), "labels of neighbours", name)
        if name in scores:
            continue
        near = voters(items, i, graphs[i], labels, groups, _used(blank))
        same = labels.codes[near] == labels.used[:, None]
        scores[name] = TaskScore.of_units(same.mean(axis=1), seed=seed)
    progress(len(items.names), len(items.names), "labels of neighbours")
    n = len(labels.rows)
    chance = float((labels.counts / n * (labels.counts - 1) / (n - 1)).sum())
    how = "probability that another item, drawn at random, has the same class"
    scores = {name: scores[name] for name in items.names}
    return replace(blank, chance=chance, chance_how=how, scores=scores)


def silhouette(
    items: SharedItems,
    labels: ClassLabels,
    *,
    seed: int = 0,
    sample: int = SILHOUETTE_SAMPLE,
    progress: Progress = quiet,
) -> TaskResult:
    """Return how much nearer items lie to their own class than to the next, -1 … 1.

    Rousseeuw 1987, "Silhouettes", ``(b - a) / max(a, b)`` of mean distances: cosine distance where
    that is the metric of the space, else Euclidean. Items without a vector are left out. Above
    ``sample`` items a stratified sample.
    """
    from sklearn.metrics import silhouette_samples

    check_labels(items, labels)
    labels, refused = with_vectors(items, labels)
    blank = labelled_result(
        "label-silhouette", "Silhouette of the classes", "silhouette", items, labels, seed=seed
    )
    if labels.refused:
        return blank
    rows = labels.sample(sample, seed=seed)
    scores = {}
    for i, name in enumerate(items.names):
        progress(i, len(items.names), "silhouette", name)
        if name in refused:
            scores[name] = TaskScore.refusal(refused[name])
            continue
        metric = "cosine" if items.metrics[i] == "cosine" else "euclidean"
        each = silhouette_samples(items.matrices[i][rows], labels.codes[rows], metric=metric)
        scores[name] = TaskScore.of_units(each, seed=seed, note=f"{metric} distance")
    progress(len(items.names), len(items.names), "silhouette")
    return replace(
        blank,
        n=len(rows),
        chance=0.0,
        chance_how="classes that have nothing to do with the space",
        scores=scores,
        left_out=not_sampled(labels, rows),
        warning=SILHOUETTE_WARNING,
    )


def labelled_result(
    task: str,
    title: str,
    measure: str,
    items: SharedItems,
    labels: ClassLabels,
    **settings: Setting,
) -> TaskResult:
    """Return the result of a task of labels before anything was measured.

    Raises
    ------
    ParameterError
        If labels and items differ in number.
    """
    check_labels(items, labels)
    metrics = set(items.metrics)
    settings["metric"] = metrics.pop() if len(metrics) == 1 else "each space's own"
    return TaskResult(
        task,
        title,
        measure,
        "items",
        len(labels.rows),
        None if labels.refused else labels.largest_share,
        "share of the largest class",
        {**settings, "classes": len(labels.names)},
        left_out=labels.left_out,
        refused=labels.refused,
    )


def check_labels(items: SharedItems, labels: ClassLabels) -> None:
    """Check that there is one label per item.

    Raises
    ------
    ParameterError
    """
    if len(labels) != len(items):
        raise ParameterError(
            f"There are {len(items):,} items but {len(labels):,} labels. Give one label per item, "
            "None where there is none."
        )


def not_sampled(labels: ClassLabels, rows: NDArray[np.int64]) -> dict[str, int]:
    """Return what was left out where only ``rows`` of the labelled items were measured."""
    left_out = dict(labels.left_out)
    if len(rows) < len(labels.rows):
        left_out["beyond a stratified sample"] = len(labels.rows) - len(rows)
    return left_out


def macro_f1(truth: NDArray[np.integer], guess: NDArray[np.integer]) -> float:
    """Return the mean F1 over the classes of ``truth``, each class counted alike."""
    from sklearn.metrics import f1_score

    return float(f1_score(truth, guess, labels=np.unique(truth), average="macro", zero_division=0))


def _begun(
    items: SharedItems,
    graphs: tuple[IntMatrix, ...],
    labels: ClassLabels,
    k: int,
    seed: int,
    task: str,
    measure: str,
) -> tuple[TaskResult, ClassLabels, NDArray[np.int64]]:
    """Return a result before anything was measured, the labels that count, and who is a copy.

    Spaces that are set aside have their score already.
    """
    _check_graphs(graphs, k)
    check_labels(items, labels)
    labels, refused = with_vectors(items, labels)
    blank = labelled_result(task, "Labels of neighbours", measure, items, labels, k=k, seed=seed)
    groups = copies_among(items, labels)
    if labels.refused:
        return blank, labels, groups
    most = most_voters(labels, groups)
    if most < 1:
        return replace(blank, refused="All items are copies of one.", chance=None), labels, groups
    if most < k:
        settings = {**blank.settings, "k": most, "k asked for": k}
        blank = replace(blank, settings=settings)
    if n := n_copies(groups[labels.rows]):
        blank = replace(blank, warning=COPIES_WARNING.format(n=n))
    scores = {name: TaskScore.refusal(reason) for name, reason in refused.items()}
    return replace(blank, scores=scores), labels, groups


def _used(result: TaskResult) -> int:
    return int(result.settings["k"] or 0)


def _check_graphs(graphs: tuple[IntMatrix, ...], k: int) -> None:
    depth = min(graph.shape[1] for graph in graphs)
    if not 1 <= k <= depth:
        raise ParameterError(f"k must be an integer in [1, {depth}], got {k!r}.")
