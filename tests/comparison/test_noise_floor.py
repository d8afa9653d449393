"""The noise floor is measured as two methods are; samples stand for the whole."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from comparison import compare
from comparison.noise_floor import neighbours_of_rows, noise_floor
from core.errors import ParameterError
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

MODULE = sys.modules["comparison.noise_floor"]  # the package has a function of this name


def test_items_without_a_vector_have_no_part_and_a_run_in_one_point_no_figures():
    first, again = two_runs()
    first[:20], again[:20] = 0, 0
    keys = [str(i) for i in range(120)]
    made = compare({"a": KeyedVectors(keys, first), "b": KeyedVectors(keys, again)})
    floor = noise_floor("a", first, again, "cosine", made.graphs[0], seeds=(0, 1))
    assert floor.local("overlap", 10) == pytest.approx(made.overlap.values[0, 1])
    assert floor.n_local == 100
    point = noise_floor("a", first, first * 0 + 1, "cosine", made.graphs[0], seeds=(0, 1))
    assert (point.cka, point.distances, point.shape) == (None, None, None)


def two_runs(n=120, d=8):
    rng = np.random.default_rng(0)
    first = rng.normal(size=(n, d)).astype(np.float32)
    return first, (first + 0.5 * rng.normal(size=(n, d))).astype(np.float32)


def test_it_is_what_comparing_the_two_runs_gives():
    first, again = two_runs()
    keys = [str(i) for i in range(len(first))]
    made = compare({"a": KeyedVectors(keys, first), "b": KeyedVectors(keys, again)}, k=7)
    floor = noise_floor("a", first, again, "cosine", made.graphs[0], seeds=(0, 1))
    assert floor.local("overlap", 7) == pytest.approx(made.overlap.values[0, 1])
    assert floor.local("jaccard", 7) == pytest.approx(made.jaccard.values[0, 1])
    assert floor.local("rbo", 7) == pytest.approx(made.rank_biased_overlap.values[0, 1])
    assert floor.cka == pytest.approx(made.cka.values[0, 1])
    assert floor.distances == pytest.approx(made.distances.values[0, 1], abs=5e-5)
    assert floor.shape == pytest.approx(made.shape.values[0, 1])
    assert (floor.n_local, floor.n_global) == (120, 120)
    with pytest.raises(ParameterError, match=r"\[1, 50\]"):
        floor.local("overlap", 51)


def test_of_many_items_a_sample_is_searched_and_said(monkeypatch):
    first, again = two_runs(400)
    graph = VectorIndex(KeyedVectors([str(i) for i in range(400)], first)).knn_graph(10).ids
    whole = noise_floor("a", first, again, "cosine", graph, seeds=(0, 1))
    monkeypatch.setattr(MODULE, "SAMPLED_ABOVE", 300)
    monkeypatch.setattr(MODULE, "SAMPLE", 250)
    part = noise_floor("a", first, again, "cosine", graph, seeds=(0, 1))
    assert part.n_local == 250
    assert part.local("overlap", 10) == pytest.approx(whole.local("overlap", 10), abs=0.04)


def test_neighbours_of_some_rows_are_those_of_the_whole_graph_among_duplicates_too():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(60, 4)).astype(np.float32)
    matrix[20:40] = matrix[20]  # more copies than neighbours
    index = VectorIndex(KeyedVectors([str(i) for i in range(60)], matrix))
    rows = np.array([0, 5, 25, 39, 59])
    found, scores = neighbours_of_rows(index, rows, 6)
    np.testing.assert_array_equal(scores[0], index.knn_graph(6).scores[0])
    assert (found != rows[:, None]).all()
    np.testing.assert_array_equal(found[[0, 1, 4]], index.knn_graph(6).ids[rows[[0, 1, 4]]])
    assert set(found[2:4].ravel()) <= set(range(20, 40))
