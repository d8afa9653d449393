"""Equally near items are listed by chance, not by their place in the data."""

from __future__ import annotations

import numpy as np
import pytest

from comparison import compare
from comparison.calibration import calibrated_agreement
from comparison.tied_neighbours import settled, without_direction
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors


def space(matrix, metric="cosine"):
    return KeyedVectors([str(i) for i in range(len(matrix))], matrix, metric=metric)


def one_hot(n, seed, classes=4):
    return np.eye(classes, dtype=np.float32)[np.random.default_rng(seed).integers(classes, size=n)]


def searched(matrix, k, metric="cosine"):
    return VectorIndex(space(matrix, metric)).knn_graph(k)


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_independent_classes_share_no_more_neighbours_than_chance(metric):
    found = compare({"a": space(one_hot(600, 0), metric), "b": space(one_hot(600, 1), metric)})
    chance = found.overlap.chance
    assert found.overlap.values[0, 1] == pytest.approx(chance, abs=0.4 * chance)
    assert found.at(50).overlap.values[0, 1] == pytest.approx(50 / 599, abs=0.01)
    assert "100% of the items have equally near candidates" in found.overlap.remarks[0, 1]
    listed = np.bincount(found.graphs[0][:, :10].ravel(), minlength=600)
    assert listed.max() < 35, "no item is a hub by its place"
    calibrated = calibrated_agreement(found.items, 10, n_permutations=40)["overlap"][0, 1]
    assert calibrated.calibrated == pytest.approx(0, abs=0.02)


def test_sparse_rows_with_few_terms_agree_by_chance_only():
    rng = np.random.default_rng(1)
    rows = [(rng.random((500, 300)) < 0.01).astype(np.float32) for _ in range(2)]
    found = compare({"a": space(rows[0]), "b": space(rows[1])}, k=50)
    both = found.overlap
    assert both.values[0, 1] == pytest.approx(both.chance, abs=0.012)
    assert both.used[0, 1] < 500
    assert "have only zeros" in both.remarks[0, 1]


def test_items_without_a_vector_are_left_out_and_counted():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 300, 6)).astype(np.float32)
    x[:60], y[30:70] = 0, 0
    found = compare({"a": space(x), "b": space(y)})
    each = found.per_item("a", "b")
    assert np.isnan(each[:70]).all()
    assert np.isfinite(each[70:]).all()
    assert found.overlap.values[0, 1] == pytest.approx(each[70:].mean())
    assert found.overlap.used[0, 1] == 230
    assert "70 of 300 items have only zeros" in found.overlap.remarks[0, 1]
    assert not without_direction(x, "euclidean").any()


def test_equal_spaces_settle_alike_and_lists_stay_nearest_first():
    matrix = np.random.default_rng(3).integers(0, 3, (200, 4)).astype(np.float32)
    graph = searched(matrix, 12, "euclidean")
    found = settled(graph.ids, graph.scores, matrix, "euclidean")
    again = settled(graph.ids, graph.scores, matrix, "euclidean")
    np.testing.assert_array_equal(found.ids, again.ids)
    assert (found.ids != graph.ids).any()
    distances = np.linalg.norm(matrix[:, None] - matrix[found.ids], axis=2)
    np.testing.assert_allclose(distances, graph.scores, atol=1e-5)
    for row, ids in enumerate(found.ids.tolist()):
        assert len({*ids, row}) == 13
    every = np.linalg.norm(matrix[:, None] - matrix[None], axis=2)
    every[np.diag_indices(200)] = np.inf
    every.sort(axis=1)
    tied = np.isclose(every[:, :12], every[:, 1:13]).mean(axis=0)
    np.testing.assert_allclose(found.ties[:11], tied[:11])
    assert 0 < found.ties[11] <= tied[11]


def test_each_of_the_equally_near_is_drawn_about_as_often():
    matrix = np.ones((41, 3), np.float32)
    matrix[0] = (1, 2, 3)
    graph = searched(matrix, 10)
    seen = np.zeros(41)
    for seed in range(200):
        seen += np.bincount(
            settled(graph.ids[:1], graph.scores[:1], matrix, "cosine", seed=seed).ids[0],
            minlength=41,
        )
    assert seen[0] == 0
    assert seen[1:].min() > 25, "50 of each are expected"
    assert seen[1:].max() < 80


def test_without_ties_nothing_changes():
    matrix = np.random.default_rng(4).normal(size=(80, 5)).astype(np.float32)
    graph = searched(matrix, 10)
    found = settled(graph.ids, graph.scores, matrix, "cosine")
    assert found.ids is graph.ids
    assert not found.ties.any()
