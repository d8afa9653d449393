"""Tasks of labels: golden figures of digits and iris, guards, what is left out."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from bare_spaces import shared
from digits import components, digits, neighbours
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from comparison.class_labels import ClassLabels, labels_of
from comparison.cluster_agreement import clustering_agreement
from comparison.label_probe import few_shot_probe, linear_probe
from comparison.label_quality import knn_label_accuracy, neighbourhood_hit, silhouette
from core.errors import ParameterError
from core.modality import Modality
from ingest.dataset import Dataset


@cache
def truth():
    return ClassLabels.of(load_digits().target.tolist())


@cache
def both():
    return shared(raw=digits(), pca=components(2))


@cache
def graphs():
    return tuple(neighbours(k, 10).astype(np.int32) for k in (None, 2))


@pytest.mark.parametrize(("k", "expected"), [(1, 0.9883), (5, 0.9878), (10, 0.9822)])
def test_knn_accuracy_of_digits(k, expected):
    found = knn_label_accuracy(both(), graphs(), truth(), k=k)
    assert found["raw"].value == pytest.approx(expected, abs=5e-5)
    assert found.n == 1797
    assert found.chance == pytest.approx(183 / 1797)
    assert found.difference("raw", "pca").tells_apart


def test_neighbourhood_hit_of_digits():
    found = neighbourhood_hit(both(), graphs(), truth(), k=10)
    assert found["raw"].value == pytest.approx(0.9651, abs=5e-5)
    assert found["pca"].value == pytest.approx(0.5708, abs=5e-5)
    assert found.chance == pytest.approx(0.0996, abs=1e-3)


def test_silhouette_of_iris_and_digits():
    iris = load_iris()
    found = silhouette(shared(iris=iris.data), ClassLabels.of(iris.target.tolist()))
    assert found["iris"].value == pytest.approx(0.5034, abs=1e-4)
    assert "round" in found.warning
    found = silhouette(both(), truth())
    assert found["raw"].value == pytest.approx(0.1629, abs=5e-5)
    assert found["pca"].value == pytest.approx(0.1051, abs=5e-5)


def test_probe_of_digits():
    found = linear_probe(both(), truth())
    assert found["raw"].value == pytest.approx(0.9694, abs=5e-5)
    assert found["pca"].value == pytest.approx(0.6043, abs=5e-5)
    assert found["raw"].extra["macro-F1"] == pytest.approx(0.9694, abs=1e-3)


def test_probe_at_equal_dimensions_takes_the_advantage_away():
    """Two principal components of the pixels, found in each fold, are no better than the two."""
    found = linear_probe(both(), truth(), equal_dimensions=True, folds=2)
    assert found.settings["dimensions"] == 2
    assert found["raw"].value == pytest.approx(found["pca"].value, abs=0.02)


def test_more_dimensions_than_items_give_what_scikit_learn_gives():
    """100 items in 150 dimensions: trained in the span of the items, with the same guesses."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 50)
    x = (rng.normal(size=(100, 150)) + y[:, None] * 0.2).astype(np.float32)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    guess = cross_val_predict(model, x, y, cv=StratifiedKFold(5, shuffle=True, random_state=0))
    found = linear_probe(shared(x=x), ClassLabels.of(y.tolist()))
    assert found["x"].per_unit.tolist() == (guess == y).tolist()
    assert 0.6 < found["x"].value < 1


def test_few_examples_are_drawn_alike_for_every_space():
    items = shared(
        raw=digits(), scaled=digits() * 1000, noise=np.random.default_rng(0).random((1797, 9))
    )
    found = few_shot_probe(items, truth(), n_draws=3)
    assert found["raw"].value == pytest.approx(found["scaled"].value, abs=0.005)
    assert found.n == 1797
    assert found.unit == "items"
    assert 0.8 < found["raw"].value < 0.95, "8 of each class give less than all"
    assert found["noise"].value == pytest.approx(found.chance, abs=0.04)
    may_train = np.arange(1797) < 900
    apart = few_shot_probe(items, truth(), n_draws=1, may_train=may_train)
    assert apart.n == 897
    assert 0.7 < apart["raw"].value < 0.95
    counts = np.bincount(load_digits().target[900:])
    assert apart.chance == pytest.approx(counts.max() / counts.sum())


def test_k_means_finds_separate_classes_and_nothing_in_noise():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 40)
    apart = np.eye(3)[y] * 9 + rng.normal(size=(120, 3)) * 0.1
    items = shared(apart=apart, noise=rng.normal(size=(120, 3)))
    found = clustering_agreement(items, ClassLabels.of(y.tolist()), starts=4)
    for measure in ("V", "ARI", "AMI"):
        assert found[measure]["noise"].value == pytest.approx(found[measure].chance, abs=0.05)
        assert 0.8 < found[measure]["apart"].value <= found[measure]["apart"].high <= 1
        assert found[measure].difference("apart", "noise").tells_apart
        assert found[measure]["noise"].low < found[measure].chance < found[measure]["noise"].high
        assert (found[measure].n, found[measure].unit) == (120, "items")
    assert 0 < found["V"].chance < 0.05, "V of unrelated clusters is above 0"


def test_items_without_a_usable_label_neither_vote_nor_count():
    """On a line: the nearest labelled ones decide, however far they are."""
    x = np.arange(14.0)[:, None]
    values = ["a"] * 5 + [None, float("nan"), "", "rare"] + ["b"] * 5
    labels = ClassLabels.of(values)
    assert labels.names == ("a", "b")
    assert labels.left_out == {"without a label": 3, "in classes of fewer than 5 items": 1}
    distance = np.abs(x - x.T) + np.eye(14) * 99
    graph = np.argsort(distance, axis=1, kind="stable")[:, :2].astype(np.int32)
    found = knn_label_accuracy(shared(line=x), (graph,), labels, k=2)
    assert found.n == 10
    assert found["line"].value == 1, "9 has only the unlabelled 8 and 10 next to it, then 11"
    assert found.left_out == labels.left_out


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["a"] * 12, "are the same"),
        (list("abcdefghijkl"), "are different"),
        (["a"] * 10 + ["b"] * 2, "1 of 2 classes has 5 items"),
        ([None] * 12, "No item has a label"),
    ],
)
def test_labels_that_allow_no_task_are_refused_with_the_reason(values, reason):
    labels = ClassLabels.of(values)
    items = shared(x=np.random.default_rng(0).normal(size=(12, 2)))
    graph = (np.zeros((12, 3), np.int32),)
    results = [
        knn_label_accuracy(items, graph, labels, k=3),
        neighbourhood_hit(items, graph, labels, k=3),
        silhouette(items, labels),
        linear_probe(items, labels),
        few_shot_probe(items, labels),
        *clustering_agreement(items, labels).values(),
    ]
    for result in results:
        assert reason in result.refused
        assert not result.scores
        assert result.chance is None


def test_large_data_is_sampled_by_class_and_says_so():
    y = np.repeat([0, 1, 2], [30_000, 1_000, 8])
    labels = ClassLabels.of(y.tolist())
    rows = labels.sample(2_000, seed=0, least=5)
    assert np.bincount(y[rows]).tolist() == [1935, 64, 5]
    assert np.array_equal(rows, labels.sample(2_000, seed=0, least=5))
    x = np.random.default_rng(0).normal(size=(len(y), 2))
    found = silhouette(shared(x=x), labels, sample=300)
    assert found.n + found.left_out["beyond a stratified sample"] == len(y)


def test_labels_come_from_a_column_by_id():
    frame = pd.DataFrame({"stars": [1.0, 2.0, np.nan, 2.0]})
    data = Dataset("d", Modality.TEXT, ("a", "b", "c", "d"), ["x"] * 4, frame)
    found = labels_of(data, "stars", ["d", "c", "gone", "a"])
    assert found.left_out == {"without a label": 2, "in classes of fewer than 5 items": 2}
    assert found.groups.tolist() == [0, 0, 1, 0], "three have one text"
    with pytest.raises(ParameterError, match=r"'colour'.*stars"):
        labels_of(data, "colour", ["a"])


def test_too_large_a_k_and_too_few_labels_are_errors():
    with pytest.raises(ParameterError, match=r"\[1, 10\]"):
        knn_label_accuracy(both(), graphs(), truth(), k=11)
    with pytest.raises(ParameterError, match="1,797 items but 3 labels"):
        silhouette(both(), ClassLabels.of(["a", "b", "b"]))


def nearest(matrix, k):
    from scipy.spatial.distance import cdist

    distance = cdist(matrix, matrix)
    np.fill_diagonal(distance, np.inf)
    return np.argsort(distance, axis=1, kind="stable")[:, :k].astype(np.int32)


def test_items_without_a_vector_have_no_neighbours():
    """A class of zero rows, first in the file, would vote for itself: .41 in noise of chance .2."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(500, 10))
    matrix[:100] = 0
    labels = ClassLabels.of(np.repeat(list("abcde"), 100).tolist())
    items = shared("cosine", some=matrix, all=rng.normal(size=(500, 10)), none=matrix * 0)
    unit = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    graph = np.argsort(-(unit @ unit.T), axis=1, kind="stable")[:, :20].astype(np.int32)
    for measure in (knn_label_accuracy, neighbourhood_hit):
        found = measure(items, (graph, graph, graph), labels, k=10)
        assert found.left_out == {"without a vector in some space": 100}
        assert found.n == 400
        assert found["some"].value == pytest.approx(0.25, abs=0.06)
        assert found["none"].refused == "It has vectors for 0 of 500 items with a label only."
    round_ = silhouette(items, labels)
    assert round_["some"].value == pytest.approx(0, abs=0.05)
    assert round_["none"].refused
    assert found.difference("some", "all") is not None, "on the same items"
    same_place = knn_label_accuracy(shared(some=matrix), (graph,), labels, k=10)
    assert same_place.n == 500, "in Euclidean space the origin is a place like any other"


@pytest.mark.parametrize("n_each", [2, 60])
def test_copies_of_an_item_do_not_answer_for_it(n_each):
    """Random labels, every item several times: no space can know them."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(400 // n_each, 30))
    matrix = np.repeat(base, n_each, axis=0)
    classes = rng.integers(2, size=len(base))
    labels = ClassLabels.of(np.repeat(classes, n_each).tolist())
    noisy = matrix * (1 + 1e-7 * rng.normal(size=matrix.shape))  # as other batches round
    items = shared(one=matrix, two=noisy)
    graphs = nearest(items.matrices[0], 10), nearest(items.matrices[1], 10)
    k = 1 if n_each == 2 else 3
    found = knn_label_accuracy(items, graphs, labels, k=k)
    own, other = np.repeat(classes, n_each), nearest(base, 1)[:, 0]
    if k == 1:
        assert found["one"].value == pytest.approx(np.mean(own == np.repeat(classes[other], 2)))
    assert found["one"].value < 0.75, "1.0 with them"
    assert f"{len(matrix):,} items have a copy" in found.warning
    one_space = shared(one=matrix, other=rng.normal(size=matrix.shape))
    as_they_are = knn_label_accuracy(one_space, graphs, labels, k=k)
    assert as_they_are["one"].value == 1, "what one space alone makes equal is no copy"
    assert not as_they_are.warning


def test_the_number_of_voters_that_was_used_is_told():
    x = np.arange(16.0)[:, None]
    labels = ClassLabels.of(["a"] * 5 + ["b"] * 5 + [None] * 6)
    found = knn_label_accuracy(shared(line=x), (nearest(x, 12),), labels, k=12)
    assert (found.settings["k"], found.settings["k asked for"]) == (9, 12)
    assert (
        "k asked for"
        not in knn_label_accuracy(shared(line=x), (nearest(x, 12),), labels, k=9).settings
    )
    twice = np.repeat(x[:8], 2, axis=0)
    copies = knn_label_accuracy(shared(line=twice), (nearest(twice, 12),), labels, k=9)
    assert copies.settings["k"] == 8, "but for the item and its copy"


def test_few_examples_tell_equal_spaces_apart_no_more_than_by_chance():
    """Ten draws of the same items are no ten independent ones: half of all runs said so."""
    apart, y = 0, np.arange(120) % 3
    for seed in range(15):
        rng = np.random.default_rng(seed)
        centres = rng.normal(size=(3, 6))
        one, two = (centres[y] + rng.normal(size=(120, 6)) for _ in range(2))
        labels = ClassLabels.of(y.tolist())
        found = few_shot_probe(shared(one=one, two=two), labels, n_draws=6, seed=seed)
        apart += found.difference("one", "two").tells_apart
    assert apart <= 3


def test_copies_do_not_leak_into_what_is_tested():
    rng = np.random.default_rng(0)
    matrix = np.repeat(rng.normal(size=(120, 64)), 2, axis=0)
    labels = ClassLabels.of(np.repeat(rng.integers(2, size=120), 2).tolist())
    found = linear_probe(shared(x=matrix), labels)
    assert found.left_out == {"copies of another item": 120}
    assert found.n == 120
    assert found["x"].value == pytest.approx(0.5, abs=0.12), ".91 with them"
    few = few_shot_probe(shared(x=matrix), labels, n_per_class=40, n_draws=4)
    assert few["x"].value == pytest.approx(0.5, abs=0.15)
    assert "240 items have a copy" in few.warning


def test_equal_geometries_are_equal_at_equal_dimensions():
    """The same rows in 8 dimensions and, turned, in 16: the narrow one goes through PCA too."""
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    narrow = rng.normal(size=(150, 8)) * np.geomspace(1, 0.05, 8)
    narrow[:, 0] += y
    turn = np.linalg.qr(rng.normal(size=(16, 16)))[0]
    wide = np.hstack([narrow, np.zeros((150, 8))]) @ turn
    found = linear_probe(
        shared(narrow=narrow, wide=wide), ClassLabels.of(y.tolist()), equal_dimensions=True
    )
    assert found["narrow"].value == pytest.approx(found["wide"].value, abs=0.01)
    flat = narrow.copy()
    flat[:, 6:] = 0  # components without variance must not become noise of unit variance
    padded = np.hstack([flat, np.zeros((150, 8))]) @ turn
    both = linear_probe(
        shared(flat=flat, padded=padded), ClassLabels.of(y.tolist()), equal_dimensions=True
    )
    assert both["flat"].value == pytest.approx(both["padded"].value, abs=0.01)


def test_clusters_of_equal_spaces_are_told_apart_no_more_than_by_chance():
    """Ten starts on the same items are no ten samples: half of all pairs of spaces said so."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    centres = 2.2 * np.eye(3, 4)
    spaces = {f"s{i}": centres[y] + rng.normal(size=(120, 4)) for i in range(6)}
    found = clustering_agreement(shared(**spaces), ClassLabels.of(y.tolist()), starts=3)["ARI"]
    apart = [found.difference(a, b).tells_apart for a, b in combinations(spaces, 2)]
    assert sum(apart) <= 2
    assert all(0.1 < found[name].high - found[name].low < 0.7 for name in spaces)


def test_equally_near_voters_are_drawn_at_random():
    """One place for all: the first voters in the file would all be of the first class."""
    labels = ClassLabels.of(["a"] * 50 + ["b"] * 50 + [None] * 60)
    rng = np.random.default_rng(0)
    items = shared(one_place=np.ones((160, 2)), other=rng.normal(size=(160, 3)))
    unlabelled = np.tile(np.arange(100, 160, dtype=np.int32), (160, 1))
    found = neighbourhood_hit(items, (unlabelled, unlabelled), labels, k=10)
    each = found["one_place"].per_unit
    assert each[:50].mean() == pytest.approx(0.5, abs=0.12)
    assert each[50:].mean() == pytest.approx(0.5, abs=0.12)


def test_texts_tell_whether_they_are_copies_and_not_their_vectors():
    """Two texts of equal word counts are two; two that are equal are one, whatever is made."""
    rng = np.random.default_rng(0)
    words, ids = [f"text {i}" for i in range(40)], tuple(map(str, range(40)))
    frame = pd.DataFrame({"kind": ["a"] * 20 + ["b"] * 20})
    alike = np.repeat(np.eye(2), 20, axis=0)
    items = shared("cosine", counts=alike, again=alike)
    graph = np.stack([rng.permutation(np.delete(np.arange(20), i % 20)) for i in range(40)])
    graph = (graph + np.repeat([0, 20], 20)[:, None]).astype(np.int32)
    labels = labels_of(Dataset("d", Modality.TEXT, ids, words, frame), "kind", ids)
    found = knn_label_accuracy(items, (graph, graph), labels, k=3)
    assert found["counts"].value == 1
    assert not found.warning
    same = labels_of(Dataset("d", Modality.TEXT, ids, words[:20] * 2, frame), "kind", ids)
    assert "40 items have a copy" in knn_label_accuracy(items, (graph, graph), same, k=3).warning
