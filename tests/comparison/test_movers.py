"""Items that moved: planted moves, laws, chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparison.movers import movers
from core.errors import ParameterError
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

PLAIN = ("euclidean", "euclidean")


def noise(n, d, seed):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def clusters(n=400, d=12, seed=0):
    centres = 4 * noise(5, d, seed)
    return (centres[np.arange(n) % 5] + noise(n, d, seed + 1)).astype(np.float32)


def graph(x, k=10):
    space = KeyedVectors([str(i) for i in range(len(x))], x, metric="euclidean")
    return VectorIndex(space).knn_graph(k).ids


def moved(x, y, metrics=PLAIN, **kwargs):
    return movers(x, y, metrics, (graph(x), graph(y)), **kwargs)


def turned(x, seed, wider=0):
    d = x.shape[1]
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(d + wider, d + wider)))[0]
    return (np.hstack([x, np.zeros((len(x), wider))]) @ turn).astype(np.float32)


def test_items_put_elsewhere_are_found_and_the_others_stand_still():
    x = clusters()
    y = turned(x, 3, wider=4) * 7 + 2
    away = np.arange(0, 50, 5)  # cluster 0 …
    y[away] = y[away + 1]  # … lies with cluster 1 now
    found = moved(x, y)
    assert set(found.most(10)) == set(away)
    assert set(found.most(10, relative=False)) == set(away)
    others = np.setdiff1d(np.arange(400), away)
    assert found.displacement[away].min() > 0.6
    assert np.median(found.displacement[others]) < 0.2
    assert not set(found.least(50)) & set(away)
    assert found.random[1] == pytest.approx(1)
    assert found.shuffled == pytest.approx(1, abs=0.15)


def test_what_follows_its_neighbourhood_has_not_moved_against_it():
    x = clusters()
    y = x.copy()
    y[::5] += 6 * noise(1, 12, 9)  # a whole cluster goes elsewhere together
    found = moved(x, y)
    together = np.median(found.displacement[::5])
    assert together > 2 * np.median(np.delete(found.displacement, np.s_[::5]))
    assert np.abs(np.median(found.relative[::5])) < 0.02 * together


@given(st.integers(0, 1_000), st.floats(0.1, 50), st.floats(-20, 20), st.integers(0, 3))
@settings(max_examples=10, deadline=None)
def test_turning_shifting_scaling_and_more_dimensions_move_nothing(seed, scale, shift, wider):
    x = clusters(200, 6, seed)
    found = moved(x, (turned(x, seed, wider) * scale + shift).astype(np.float32))
    assert found.displacement.max() < 1e-3
    back = moved((turned(x, seed, wider) * scale + shift).astype(np.float32), x)
    assert back.displacement.max() < 1e-3


def test_both_directions_measure_the_same():
    x, y = clusters(), clusters(d=7, seed=5)
    one, other = moved(x, y, seed=4), moved(y, x, seed=4)
    np.testing.assert_allclose(one.displacement, other.displacement, rtol=0.05)


def test_unrelated_spaces_lie_as_far_apart_as_random_items():
    found = moved(noise(600, 20, 0), noise(600, 30, 1))
    assert np.median(found.displacement) == pytest.approx(1, abs=0.03)
    assert found.shuffled == pytest.approx(1, abs=0.03)
    assert found.random[0] < 1 < found.random[2]


def test_lengths_do_not_count_under_cosine():
    x = clusters()
    y = x * np.random.default_rng(0).uniform(0.5, 2, (400, 1)).astype(np.float32)
    assert moved(x, y, ("cosine", "cosine")).displacement.max() < 1e-3
    assert moved(x, y).displacement.max() > 0.1


def test_few_items_are_reduced_first_and_say_so():
    x = noise(100, 3, 0) @ noise(3, 80, 1) + 0.01 * noise(100, 80, 2)
    found = moved(x, turned(x, 1))
    assert found.dims == (25, 25)
    assert "reduced to 25 principal components (100% and 100%" in found.note
    assert np.median(found.displacement) < 0.02
    assert moved(clusters(), clusters()).note == ""


def test_what_cannot_be_aligned_is_told():
    with pytest.raises(ParameterError, match="at least 20"):
        moved(noise(19, 3, 0), noise(19, 3, 1))
    with pytest.raises(ParameterError, match="one point"):
        moved(noise(60, 3, 0), np.ones((60, 2), np.float32))
    with pytest.raises(ParameterError, match=r"\[1, 10\]"):
        moved(clusters(), clusters(), k=11)
