"""Do items of one class lie together? Labels of neighbours, and the silhouette of the classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from comparison.class_labels import ClassLabels
from comparison.shared_items import SharedItems
from comparison.task_result import Setting, TaskResult, TaskScore
from core.arrays import FloatMatrix, IntMatrix
from core.errors import ParameterError
from core.modality import Metric
from core.progress import Progress, quiet
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

SILHOUETTE_SAMPLE = 5_000
SILHOUETTE_WARNING = (
    "Silhouette favours round groups and few dimensions: it does not rank spaces of different "
    "dimensions by itself."
)
_CELLS = 4_000_000  # votes per block


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
    Items without a usable label neither vote nor are judged. ``extra`` holds macro-F1.

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
    _check_graphs(graphs, k)
    blank = labelled_result(
        "label-knn", "Labels of neighbours", "kNN label accuracy", items, labels, k=k, seed=seed
    )
    if labels.refused:
        return blank
    truth, scores = labels.used, {}
    for i, name in enumerate(items.names):
        progress(i, len(items.names), "labels of neighbours", name)
        near = _labelled(items.matrices[i], items.metrics[i], graphs[i], labels, k)
        guess = _majority(labels.codes[near], len(labels.names))
        extra = {"macro-F1": macro_f1(truth, guess)}
        scores[name] = TaskScore.of_units(guess == truth, seed=seed, extra=extra)
    progress(len(items.names), len(items.names), "labels of neighbours")
    return replace(blank, scores=scores)


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
    _check_graphs(graphs, k)
    blank = labelled_result(
        "label-hit", "Labels of neighbours", "neighbourhood hit", items, labels, k=k, seed=seed
    )
    if labels.refused:
        return blank
    scores = {}
    for i, name in enumerate(items.names):
        progress(i, len(items.names), "labels of neighbours", name)
        near = _labelled(items.matrices[i], items.metrics[i], graphs[i], labels, k)
        same = labels.codes[near] == labels.used[:, None]
        scores[name] = TaskScore.of_units(same.mean(axis=1), seed=seed)
    progress(len(items.names), len(items.names), "labels of neighbours")
    n = len(labels.rows)
    chance = float((labels.counts / n * (labels.counts - 1) / (n - 1)).sum())
    how = "probability that another item, drawn at random, has the same class"
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
    that is the metric of the space, else Euclidean. Above ``sample`` items a stratified sample.
    """
    from sklearn.metrics import silhouette_samples

    rows = labels.sample(sample, seed=seed)
    blank = labelled_result(
        "label-silhouette", "Silhouette of the classes", "silhouette", items, labels, seed=seed
    )
    if labels.refused:
        return blank
    scores = {}
    for i, name in enumerate(items.names):
        progress(i, len(items.names), "silhouette", name)
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
    if len(labels) != len(items):
        raise ParameterError(
            f"There are {len(items):,} items but {len(labels):,} labels. Give one label per item, "
            "None where there is none."
        )
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


def _check_graphs(graphs: tuple[IntMatrix, ...], k: int) -> None:
    depth = min(graph.shape[1] for graph in graphs)
    if not 1 <= k <= depth:
        raise ParameterError(f"k must be an integer in [1, {depth}], got {k!r}.")


def _labelled(
    matrix: FloatMatrix, metric: Metric, graph: IntMatrix, labels: ClassLabels, k: int
) -> NDArray[np.int64]:
    """Return the ``(m, k)`` nearest used items of each used item."""
    rows = labels.rows
    near = graph[rows].astype(np.int64)
    if len(rows) == len(graph):
        return near[:, :k]
    k = min(k, len(rows) - 1)
    is_used = labels.codes[near] >= 0
    first = np.argsort(~is_used, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(near, first, axis=1)
    short = np.flatnonzero(is_used.sum(axis=1) < k)
    if len(short):  # too many neighbours without a label: look further
        index = VectorIndex(
            KeyedVectors([str(i) for i in range(len(matrix))], matrix), metric=metric
        )
        wider, _ = index.search_batch(matrix[rows[short]], k + 1, labels.codes >= 0)
        is_self = wider == rows[short][:, None]
        order = np.argsort(is_self, axis=1, kind="stable")[:, :k]
        found[short] = np.take_along_axis(wider, order, axis=1)
    return found


def _majority(codes: NDArray[np.int32], n_classes: int) -> NDArray[np.int64]:
    """Return the class named most often in each row, of equals the first."""
    guess = np.empty(len(codes), np.int64)
    step = max(1, _CELLS // n_classes)
    for start in range(0, len(codes), step):
        part = codes[start : start + step].astype(np.int64)
        cells = part + np.arange(len(part))[:, None] * n_classes
        votes = np.bincount(cells.ravel(), minlength=len(part) * n_classes)
        guess[start : start + step] = votes.reshape(len(part), n_classes).argmax(axis=1)
    return guess
