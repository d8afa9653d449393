"""Does k-means find the known classes again? V-measure, ARI and AMI over several starts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from comparison.class_labels import ClassLabels
from comparison.label_quality import labelled_result, not_sampled
from comparison.resampling import Floats, normal_draws
from comparison.shared_items import SharedItems
from comparison.task_result import TaskResult, TaskScore
from core.arrays import FloatMatrix
from core.modality import Metric
from core.progress import Progress, quiet
from vectors.scoring import Scoring

STARTS = 10
SAMPLE = 5_000
MOST_CLASSES = 500
TITLES = {"V": "V-measure", "ARI": "adjusted Rand index", "AMI": "adjusted mutual information"}
PARTS = 20
PART = 1_000
PER_CLASS = 20
"""Items of each class in a part, on average, where there are that many."""


def clustering_agreement(
    items: SharedItems,
    labels: ClassLabels,
    *,
    seed: int = 0,
    starts: int = STARTS,
    sample: int = SAMPLE,
    progress: Progress = quiet,
) -> dict[str, TaskResult]:
    """Return how far k-means with as many clusters as classes finds these: V, ARI and AMI.

    V-measure (Rosenberg & Hirschberg 2007) rises with the number of clusters; the adjusted Rand
    index (Hubert & Arabie 1985) and adjusted mutual information (Vinh, Epps & Bailey 2010,
    arithmetic mean) are 0 by chance. Means over k-means++ starts; ``extra`` holds their standard
    deviation. Rows are scaled to unit length where the metric is no distance. Above ``sample``
    items a stratified sample.

    Other items would give other clusters, so k-means runs twice on each of 20 random parts of the
    items, the same for every space: the delete-d jackknife (Shao & Wu 1989, "A General Theory for
    Jackknife Variance Estimation"), the covariance over parts of ``b`` items times
    ``b / (n - b)``.

    Parameters
    ----------
    items : SharedItems
    labels : ClassLabels
        Of the items, in order.
    seed : int
        Of the sample and the first start; the others follow it.
    starts : int
    sample : int
    progress : Progress
        Called once per run of k-means.

    Returns
    -------
    dict of str to TaskResult
        Under "V", "ARI" and "AMI".
    """
    rows = labels.sample(sample, seed=seed)
    blank = labelled_result(
        "label-clusters", "Clusters against classes", "", items, labels, seed=seed, starts=starts
    )
    refused = labels.refused or (
        f"{len(labels.names):,} classes are too many clusters; at most {MOST_CLASSES} are tried."
        if len(labels.names) > MOST_CLASSES
        else ""
    )
    if refused:
        return {
            measure: replace(blank, measure=title, refused=refused, chance=None)
            for measure, title in TITLES.items()
        }
    truth = labels.codes[rows]
    parts = _parts(len(rows), len(np.unique(truth)), seed)
    runs = _runs(items, truth, rows, parts, seed, starts, progress)
    shared = replace(
        blank,
        n=len(rows),
        settings={**blank.settings, "parts": PARTS, "items of a part": parts.shape[1]},
        left_out=not_sampled(labels, rows),
    )
    chance = {"V": _chance_of_v(truth, seed), "ARI": 0.0, "AMI": 0.0}
    return {
        measure: replace(
            shared,
            task=f"label-clusters-{measure.lower()}",
            measure=title,
            chance=chance[measure],
            chance_how=(
                "the classes shuffled, mean of 10" if measure == "V" else "corrected for chance"
            ),
            scores=_scores(items.names, runs[measure], parts.shape[1] / len(rows), starts, seed),
        )
        for measure, title in TITLES.items()
    }


def _parts(n: int, n_classes: int, seed: int) -> NDArray[np.int64]:
    """Return the places of the items of each part, ``(parts, b)``, at most half of all."""
    size = min(n // 2, max(PART, PER_CLASS * n_classes))
    rng = np.random.default_rng(seed)
    return np.stack([np.sort(rng.choice(n, size, replace=False)) for _ in range(PARTS)])


def _runs(
    items: SharedItems,
    truth: NDArray[np.int32],
    rows: NDArray[np.int64],
    parts: NDArray[np.int64],
    seed: int,
    starts: int,
    progress: Progress,
) -> dict[str, Floats]:
    """Return by measure the agreement of each space, ``(spaces, starts + 2 parts)``."""
    every: list[NDArray[np.int64] | slice] = [slice(None)] * starts
    every.extend([*parts, *parts])
    n_clusters = len(np.unique(truth))
    runs = {measure: np.empty((len(items.names), len(every))) for measure in TITLES}
    for i, name in enumerate(items.names):
        matrix = _for_means(items.matrices[i][rows], items.metrics[i])
        for j, some in enumerate(every):
            progress(i * len(every) + j, len(items.names) * len(every), "k-means", name)
            guess = _k_means(matrix[some], n_clusters, seed + j)
            for measure, value in _agreements(truth[some], guess).items():
                runs[measure][i, j] = value
    progress(len(items.names) * len(every), len(items.names) * len(every), "k-means")
    return runs


def _scores(
    names: tuple[str, ...], runs: Floats, share: float, starts: int, seed: int
) -> dict[str, TaskScore]:
    """Return the mean over starts of each space, with draws as far apart as the parts are.

    A part is judged by two starts, and what is left of their luck counts as spread: the intervals
    are up to twice too wide where k-means depends on its start, and equal spaces are told apart
    in 0 to 3 of 100 cases. Taking that luck off made it 10 to 15.
    """
    from scipy.stats import t

    whole, (first, second) = runs[:, :starts], np.split(runs[:, starts:], 2, axis=1)
    wider = float(t.ppf(0.975, PARTS - 1) / t.ppf(0.975, np.inf)) ** 2
    covariance = np.atleast_2d(np.cov((first + second) / 2)) * wider * share / (1 - share)
    sd = whole.std(axis=1, ddof=1) if starts > 1 else np.zeros(len(names))
    values = whole.mean(axis=1)
    draws = normal_draws(values, covariance, seed=seed)
    return {
        name: TaskScore.of_draws(
            float(values[i]), np.minimum(draws[:, i], 1), extra={"sd over starts": float(sd[i])}
        )
        for i, name in enumerate(names)
    }


def _for_means(matrix: FloatMatrix, metric: Metric) -> FloatMatrix:
    """Return rows whose Euclidean distances order as the metric does (dot: by direction)."""
    return Scoring(matrix, "euclidean" if metric == "euclidean" else "cosine").faiss_base()


def _k_means(matrix: FloatMatrix, n_clusters: int, seed: int) -> NDArray[np.int32]:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    # Blocks this small cost more to hand out than to compute; and one thread sums in one order.
    with threadpool_limits(1):
        model = KMeans(n_clusters, n_init=1, max_iter=100, random_state=seed)
        found: NDArray[np.int32] = model.fit_predict(matrix)
    return found


def _agreements(truth: NDArray[np.int32], guess: NDArray[np.int32]) -> dict[str, float]:
    from sklearn.metrics import (
        adjusted_mutual_info_score,
        adjusted_rand_score,
        v_measure_score,
    )

    return {
        "V": float(v_measure_score(truth, guess)),
        "ARI": float(adjusted_rand_score(truth, guess)),
        "AMI": float(adjusted_mutual_info_score(truth, guess)),
    }


def _chance_of_v(truth: NDArray[np.int32], seed: int) -> float:
    """Return V of clusters with the sizes of the classes that have nothing to do with them."""
    from sklearn.metrics import v_measure_score

    rng = np.random.default_rng(seed)
    return float(np.mean([v_measure_score(truth, rng.permutation(truth)) for _ in range(10)]))
