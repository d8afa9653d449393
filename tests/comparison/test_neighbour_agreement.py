"""Agreement on neighbours: published and golden figures, hand computations, laws."""

from __future__ import annotations

import numpy as np
import pytest
from digits import components, digits, neighbours
from hypothesis import given, settings
from hypothesis import strategies as st

from comparison.neighbour_agreement import (
    chance_jaccard,
    chance_overlap,
    jaccard,
    overlap,
    rank_biased_overlap,
    second_order_cosine,
    shared_by_depth,
)
from core.errors import ParameterError


def lists(draw, n, k, items):
    return np.array([draw(st.permutations(range(items)))[:k] for _ in range(n)])


@st.composite
def two_lists(draw):
    k = draw(st.integers(1, 6))
    return lists(draw, 3, k, 9), lists(draw, 3, k, 9)


@pytest.mark.parametrize(
    ("k", "expected", "of_jaccard"),
    [(2, 0.1178, 0.0680), (10, 0.6663, 0.5186), (30, 0.9161, 0.8535)],
)
def test_digits_against_their_components_give_the_known_figures(k, expected, of_jaccard):
    shared = shared_by_depth(neighbours(None, 10), neighbours(k, 10))
    assert overlap(shared, 10).mean() == pytest.approx(expected, abs=2e-4)
    assert jaccard(shared, 10).mean() == pytest.approx(of_jaccard, abs=2e-4)


def test_by_hand():
    a = np.array([[1, 2, 3, 4]])
    b = np.array([[2, 1, 5, 3]])
    shared = shared_by_depth(a, b)
    assert shared.tolist() == [[0, 2, 2, 3]]
    assert overlap(shared, 4).tolist() == [0.75]
    assert jaccard(shared, 4).tolist() == [0.6]
    p = 0.9
    sums = (1 - p) / p * (0 + 2 / 2 * p**2 + 2 / 3 * p**3 + 3 / 4 * p**4) + 3 / 4 * p**4
    assert rank_biased_overlap(shared, 4, p)[0] == pytest.approx(sums)


def test_swapping_the_first_two_of_ten_costs_a_tenth():
    one = np.arange(10)[None]
    two = one[:, [1, 0, *range(2, 10)]]
    assert rank_biased_overlap(shared_by_depth(one, two), 10)[0] == pytest.approx(0.90)
    assert rank_biased_overlap(shared_by_depth(one, one), 10)[0] == pytest.approx(1.0)


@given(two_lists())
@settings(max_examples=60, deadline=None)
def test_counts_equal_those_of_sets_and_do_not_depend_on_the_side(both):
    a, b = both
    shared = shared_by_depth(a, b)
    expected = [
        [len(set(x[: j + 1]) & set(y[: j + 1])) for j in range(a.shape[1])]
        for x, y in zip(a.tolist(), b.tolist(), strict=True)
    ]
    assert shared.tolist() == expected
    np.testing.assert_array_equal(shared, shared_by_depth(b, a))


def test_random_neighbours_meet_the_chance_level():
    rng = np.random.default_rng(0)
    n, k = 400, 10
    a, b = (np.array([rng.permutation(n - 1)[:k] for _ in range(4_000)]) for _ in range(2))
    shared = shared_by_depth(a, b)
    assert overlap(shared, k).mean() == pytest.approx(chance_overlap(k, n), rel=0.05)
    assert jaccard(shared, k).mean() == pytest.approx(chance_jaccard(k, n), rel=0.05)


def test_neighbours_of_different_length_are_refused():
    with pytest.raises(ParameterError, match="one shape"):
        shared_by_depth(np.zeros((3, 2), int), np.zeros((3, 4), int))
    with pytest.raises(ParameterError, match=r"\[1, 2\]"):
        overlap(np.zeros((3, 2), np.int32), 3)


def test_second_order_cosine_is_one_for_a_turned_space_and_falls_for_a_poorer_one():
    x = digits().astype(np.float32)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 64)))[0]
    same = second_order_cosine(
        x, (x @ turn + 3).astype(np.float32), neighbours(None, 10), neighbours(None, 10)
    )
    np.testing.assert_allclose(same, 1, atol=1e-4)
    poor = [
        second_order_cosine(
            x, components(k).astype(np.float32), neighbours(None, 10), neighbours(k, 10)
        ).mean()
        for k in (2, 10, 30)
    ]
    assert poor[0] < poor[1] < poor[2] < 1
