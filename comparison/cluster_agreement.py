"""Does k-means find the known classes again? V-measure, ARI and AMI over several starts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from comparison.class_labels import ClassLabels
from comparison.label_quality import labelled_result, not_sampled
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
WARNING = (
    "The interval tells how far the start of k-means moves the figure, not how other items would."
)


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
    deviation ("sd"). Rows are scaled to unit length where the metric is no distance. Above
    ``sample`` items a stratified sample.

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
        Called once per start.

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
    runs = _runs(items, truth, rows, seed, starts, progress)
    shared = replace(
        blank,
        unit="k-means starts",
        n=starts,
        settings={**blank.settings, "items": len(rows)},
        left_out=not_sampled(labels, rows),
        warning=WARNING,
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
            scores={name: _score(found[measure], seed) for name, found in runs.items()},
        )
        for measure, title in TITLES.items()
    }


def _runs(
    items: SharedItems,
    truth: NDArray[np.int32],
    rows: NDArray[np.int64],
    seed: int,
    starts: int,
    progress: Progress,
) -> dict[str, dict[str, list[float]]]:
    """Return, by space and measure, the agreement after each start."""
    total = len(items.names) * starts
    n_clusters = len(np.unique(truth))
    runs: dict[str, dict[str, list[float]]] = {}
    for i, name in enumerate(items.names):
        matrix = _for_means(items.matrices[i][rows], items.metrics[i])
        runs[name] = {measure: [] for measure in TITLES}
        for start in range(starts):
            progress(i * starts + start, total, "k-means", name)
            guess = _k_means(matrix, n_clusters, seed + start)
            for measure, value in _agreements(truth, guess).items():
                runs[name][measure].append(value)
    progress(total, total, "k-means")
    return runs


def _score(values: list[float], seed: int) -> TaskScore:
    each = np.array(values)
    sd = float(each.std(ddof=1)) if len(each) > 1 else 0.0
    return TaskScore.of_units(each, seed=seed, extra={"sd": sd})


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
