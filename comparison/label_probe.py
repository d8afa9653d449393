"""How well a linear classifier reads the classes off the vectors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.class_labels import ClassLabels
from comparison.copies import copies_among, n_copies, without_copies
from comparison.label_quality import check_labels, labelled_result, macro_f1, not_sampled
from comparison.resampling import Floats, normal_draws
from comparison.shared_items import SharedItems
from comparison.task_result import TaskResult, TaskScore
from core.arrays import AnyArray, BoolVector, FloatMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet

FOLDS = 5
PER_CLASS, DRAWS = 8, 10
MOST_ITEMS, FEWEST_ITEMS = 10_000, 1_000
WORK = 200_000_000
"""Items x dimensions x classes of one probe: under ten seconds of training."""
_ROUNDING = 1e-10  # of the largest variance: float32 rows hold no less
ITERATIONS = 100  # as MTEB; digits and its like are done much earlier
COPIES_WARNING = (
    "{n:,} items have a copy, the same text or equal vectors in every space; a copy of an item "
    "learned from is not tested."
)
Rows = NDArray[np.int64]


def linear_probe(
    items: SharedItems,
    labels: ClassLabels,
    *,
    equal_dimensions: bool = False,
    folds: int = FOLDS,
    seed: int = 0,
    progress: Progress = quiet,
) -> TaskResult:
    """Return the accuracy of logistic regression on standardised vectors, cross-validated.

    Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes".
    Stratified folds, the same for every space; means and deviations come from the training part
    of each fold. ``extra`` holds macro-F1 over all folds together. More dimensions are an
    advantage: ``equal_dimensions`` brings every space, inside the fold, to the fewest dimensions
    of all by PCA, the narrowest too, so that equal geometries are treated alike. Of copies one
    counts: else a copy in the training part would answer for it. Large data is sampled, the
    classes by their shares.

    Parameters
    ----------
    items : SharedItems
    labels : ClassLabels
        Of the items, in order.
    equal_dimensions : bool
    folds : int
        2 … 5, the least that a class has.
    seed : int
        Of sample, folds, PCA and bootstrap.
    progress : Progress
        Called once per fold.

    Raises
    ------
    ParameterError
        If ``folds`` is out of range, or labels and items differ in number.
    """
    from sklearn.model_selection import StratifiedKFold

    if not 2 <= folds <= FOLDS:
        raise ParameterError(f"folds must be an integer in [2, {FOLDS}], got {folds!r}.")
    task, title = "label-probe", "Linear probe"
    if equal_dimensions:
        task, title = "label-probe-equal", "Linear probe at equal dimensions"
    check_labels(items, labels)
    labels = without_copies(items, labels)
    blank = labelled_result(task, title, "accuracy", items, labels, folds=folds, seed=seed)
    if labels.refused:
        return blank
    rows = _sampled(items, labels, folds, seed)
    dim = min(m.shape[1] for m in items.matrices)
    truth, scores = labels.codes[rows], {}
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    parts = list(splitter.split(np.zeros(len(rows)), truth))
    if equal_dimensions:
        dim = min(dim, min(len(train) for train, _ in parts))
    total = len(items.names) * folds
    for i, name in enumerate(items.names):
        matrix, guess, unfinished = items.matrices[i][rows], np.empty_like(truth), 0
        for fold, (train, test) in enumerate(parts):
            progress(i * folds + fold, total, "linear probe", name)
            to = dim if equal_dimensions else None
            guess[test], is_done = _trained(matrix, truth, train, test, to, seed)
            unfinished += not is_done
        note = ""
        if unfinished:
            note = f"{unfinished} of {folds} folds stopped after {ITERATIONS} steps"
        extra = {"macro-F1": macro_f1(truth, guess), "dimensions": float(matrix.shape[1])}
        scores[name] = TaskScore.of_units(guess == truth, seed=seed, extra=extra, note=note)
    progress(total, total, "linear probe")
    settings = {**blank.settings, "solver": "logistic regression, L2, C = 1"}
    if equal_dimensions:
        settings["dimensions"] = dim
    return replace(
        blank, n=len(rows), settings=settings, scores=scores, left_out=not_sampled(labels, rows)
    )


def few_shot_probe(
    items: SharedItems,
    labels: ClassLabels,
    *,
    n_per_class: int = PER_CLASS,
    n_draws: int = DRAWS,
    may_train: BoolVector | None = None,
    seed: int = 0,
    progress: Progress = quiet,
) -> TaskResult:
    """Return the accuracy of logistic regression on a few items per class, over several draws.

    Muennighoff et al. 2023, "MTEB", section 3.1 (classification): ``n_per_class`` items per class
    drawn at random, all others tested, and so ten times; the draws are the same for every space.
    Vectors are not standardised, only scaled as a whole to a mean length of 1, so that a space of
    short vectors is not held back more by the penalty. The figure is the mean over draws; its
    interval counts that other items and other draws would give another. Copies of
    an item learned from are not tested in that draw. ``extra`` holds
    macro-F1 and the standard deviation over draws.

    Parameters
    ----------
    items : SharedItems
    labels : ClassLabels
        Of the items, in order. Classes with too few items are left out.
    n_per_class, n_draws : int
    may_train : (n,) bool, optional
        Items to draw from; the others are tested. By default all may be drawn and those that a
        draw leaves are tested.
    seed : int
    progress : Progress
        Called once per draw.
    """
    blank = labelled_result(
        "label-few-shot", f"{n_per_class} examples per class", "accuracy", items, labels, seed=seed
    )
    settings = {**blank.settings, "per class": n_per_class, "draws": n_draws}
    blank = replace(blank, settings=settings)
    if labels.refused:
        return blank
    can_train = np.ones(len(labels), bool) if may_train is None else may_train
    rows, chance = _with_enough(labels, n_per_class, can_train, may_train is None)
    if not len(rows):
        reason = f"Fewer than two classes have {n_per_class} items to learn from and one to test."
        return replace(blank, refused=reason, chance=None)
    draws = [_draw(labels, rows[can_train[rows]], n_per_class, seed + i) for i in range(n_draws)]
    groups = copies_among(items, labels)
    to_test = rows if may_train is None else rows[~can_train[rows]]
    tests = [to_test[~np.isin(groups[to_test], groups[train])] for train in draws]
    if not all(map(len, tests)):
        return replace(blank, refused="All items are copies of those learned from.", chance=None)
    found, total = [], len(items.names) * n_draws
    for i, name in enumerate(items.names):
        length = float(np.linalg.norm(items.matrices[i][rows], axis=1).mean()) or 1.0
        shots = _Shots.blank(int(groups.max()) + 1, n_draws)
        for j, (train, test) in enumerate(zip(draws, tests, strict=True)):
            progress(i * n_draws + j, total, "few examples", name)
            model, _ = _fitted(items.matrices[i][train] / length, labels.codes[train])
            guess = model.predict(items.matrices[i][test] / length)
            shots.add(j, groups[test], labels.codes[test], guess)
        found.append(shots)
    progress(total, total, "few examples")
    n_tested = len(np.unique(np.concatenate(tests)))
    blank = replace(blank, n=n_tested, scores=_scores_of_shots(items.names, found, seed))
    if n := n_copies(groups[rows]):
        blank = replace(blank, warning=COPIES_WARNING.format(n=n))
    left_out = dict(labels.left_out)
    if len(rows) < len(labels.rows):
        left_out["in classes too small to draw from"] = len(labels.rows) - len(rows)
    return replace(blank, chance=chance, left_out=left_out)


@dataclass(frozen=True, eq=False)
class _Shots:
    """What one space got right: by group of copies, and by draw."""

    asked: Floats
    right: Floats
    accuracy: Floats
    f1: Floats

    @classmethod
    def blank(cls, n_groups: int, n_draws: int) -> _Shots:
        return cls(np.zeros(n_groups), np.zeros(n_groups), np.zeros(n_draws), np.zeros(n_draws))

    def add(self, draw: int, groups: Rows, truth: AnyArray, guess: AnyArray) -> None:
        is_right = guess == truth
        self.asked[:] += np.bincount(groups, minlength=len(self.asked))
        self.right[:] += np.bincount(groups, is_right, minlength=len(self.asked))
        self.accuracy[draw], self.f1[draw] = is_right.mean(), macro_f1(truth, guess)

    @property
    def influence(self) -> Floats:
        """Return what each group adds to the error of the share of right answers."""
        total = float(self.asked.sum())
        return (self.right - self.asked * (float(self.right.sum()) / total)) / total


def _scores_of_shots(names: Sequence[str], found: list[_Shots], seed: int) -> dict[str, TaskScore]:
    """Return the mean accuracy of each space; draws and items both move it.

    The variance of a mean over a table of items and draws is that over its items plus that over
    its draws (Searle, Casella & McCulloch 1992, "Variance Components", section 4.5); of few draws
    it is widened as Student's t is.
    """
    from scipy.stats import t

    by_item = np.stack([shots.influence for shots in found])
    by_draw = np.stack([shots.accuracy for shots in found])
    n_draws = by_draw.shape[1]
    covariance = by_item @ by_item.T
    if n_draws > 1:
        wider = float(t.ppf(0.975, n_draws - 1) / t.ppf(0.975, np.inf)) ** 2
        covariance = covariance + np.atleast_2d(np.cov(by_draw)) / n_draws * wider
    draws = np.clip(normal_draws(by_draw.mean(axis=1), covariance, seed=seed), 0, 1)
    scores = {}
    for i, name in enumerate(names):
        sd = float(by_draw[i].std(ddof=1)) if n_draws > 1 else 0.0
        extra = {"macro-F1": float(found[i].f1.mean()), "sd over draws": sd}
        scores[name] = TaskScore.of_draws(float(by_draw[i].mean()), draws[:, i], extra=extra)
    return scores


def _sampled(items: SharedItems, labels: ClassLabels, folds: int, seed: int) -> Rows:
    """Return the items that keep the work within bounds; more dimensions than items cost none."""
    widest, n_classes = max(m.shape[1] for m in items.matrices), len(labels.names)
    most = max(WORK // (widest * n_classes), min(widest, math.isqrt(WORK // n_classes)))
    return labels.sample(int(np.clip(most, FEWEST_ITEMS, MOST_ITEMS)), seed=seed, least=folds)


def _trained(
    matrix: FloatMatrix,
    truth: NDArray[np.int32],
    train: Rows,
    test: Rows,
    to: int | None,
    seed: int,
) -> tuple[NDArray[np.int32], bool]:
    """Return the classes guessed for ``test`` and whether the training came to its end."""
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        x, y = matrix[train], matrix[test]
        if to is not None:
            x, y = _turned(x, y, to, seed)
        scaler = StandardScaler().fit(x)
        model, is_done = _fitted(scaler.transform(x), truth[train])
        guess: NDArray[np.int32] = model.predict(scaler.transform(y))
    return guess, is_done


def _turned(
    train: FloatMatrix, test: FloatMatrix, to: int, seed: int
) -> tuple[FloatMatrix, FloatMatrix]:
    """Return the first principal components of both, found on ``train``.

    Those that hold nothing but rounding are left off: standardised, they would count like others.
    """
    from sklearn.decomposition import PCA

    model = PCA(to, random_state=seed).fit(train)
    variance = model.explained_variance_
    n = max(1, int((variance > _ROUNDING * variance[0]).sum()))
    return model.transform(train)[:, :n], model.transform(test)[:, :n]


def _fitted(x: AnyArray, y: AnyArray) -> tuple[Any, bool]:
    """Return logistic regression and whether its training came to its end.

    What L2 lets the weights be lies in the span of the rows: where these are fewer than the
    dimensions, it is looked for there, which gives the same weights sooner.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    model, base = LogisticRegression(max_iter=ITERATIONS), None
    # Products this small cost more to hand to threads than to compute: a tenth of the time in one.
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        if x.shape[1] > len(x):
            base, triangle = np.linalg.qr(x.T)
            x = triangle.T
        model.fit(x, y)
    if base is not None:
        model.coef_ = model.coef_ @ base.T
        model.n_features_in_ = len(base)
    return model, not any(issubclass(w.category, ConvergenceWarning) for w in caught)


def _with_enough(
    labels: ClassLabels, n_per_class: int, can_train: BoolVector, tests_the_rest: bool
) -> tuple[Rows, float | None]:
    """Return the items of classes that can be drawn from, and the share of the largest in tests."""
    n = len(labels.names)
    rows = labels.rows
    to_draw = np.bincount(labels.codes[rows[can_train[rows]]], minlength=n)
    others = np.bincount(labels.codes[rows[~can_train[rows]]], minlength=n)
    to_test = to_draw - n_per_class if tests_the_rest else others
    is_kept = (to_draw >= n_per_class) & (to_test >= 1)
    if is_kept.sum() < 2:
        return rows[:0], None
    tested = to_test[is_kept]
    return rows[is_kept[labels.codes[rows]]], float(tested.max() / tested.sum())


def _draw(labels: ClassLabels, rows: Rows, n_per_class: int, seed: int) -> Rows:
    """Return ``n_per_class`` of ``rows`` of each class, drawn at random, in order."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    order = shuffled[np.argsort(labels.codes[shuffled], kind="stable")]
    codes = labels.codes[order]
    rank = np.arange(len(order)) - np.searchsorted(codes, codes)
    return np.sort(order[rank < n_per_class])
