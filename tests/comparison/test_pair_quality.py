"""Rated pairs: correlations equal scipy's, spaces are paired, what cannot be used is counted."""

from __future__ import annotations

import numpy as np
import pytest
from bare_spaces import shared
from scipy.stats import pearsonr, spearmanr

from comparison.pair_quality import measure_pairs, places_of
from core.errors import ParameterError

RNG = np.random.default_rng(0)
LEFT, RIGHT = np.arange(60), np.arange(60, 120)


def pairs_at(angles):
    """Return 60 pairs of directions that enclose the given angles."""
    turn = RNG.uniform(0, 6, 60)
    ends = np.concatenate([turn, turn + angles])
    return np.stack([np.cos(ends), np.sin(ends)], axis=1) * RNG.uniform(1, 9, (120, 1))


ANGLES = np.linspace(0.1, 2.5, 60)


def test_correlations_equal_scipy_and_the_better_space_is_told_apart():
    ratings = np.round(5 - 2 * ANGLES + RNG.normal(0, 0.3, 60), 1)
    items = shared(good=pairs_at(ANGLES), poor=pairs_at(ANGLES + RNG.normal(0, 0.8, 60)))
    found = measure_pairs(items, LEFT, RIGHT, ratings)
    for i, name in enumerate(items.names):
        m = items.matrices[i].astype(float)
        m /= np.linalg.norm(m, axis=1, keepdims=True)
        cosines = (m[:60] * m[60:]).sum(axis=1)
        expected = spearmanr(cosines, ratings).statistic, pearsonr(cosines, ratings).statistic
        for measure, value in zip(("Spearman", "Pearson"), expected, strict=True):
            score = found[measure][name]
            assert score.value == pytest.approx(value, abs=1e-6)
            assert score.low < score.value < score.high
    assert found["Spearman"].n == 60
    assert found["Spearman"].chance == 0
    assert found["Spearman"].difference("good", "poor").tells_apart
    again = measure_pairs(items, LEFT, RIGHT, ratings)
    assert again["Spearman"].to_dict() == found["Spearman"].to_dict()


def test_what_cannot_be_used_is_counted_or_refused():
    ratings = np.where(np.arange(60) < 5, np.nan, ANGLES)
    left = np.where(np.arange(60) > 55, -1, LEFT)
    matrix = pairs_at(ANGLES)
    matrix[10] = 0
    items = shared(x=matrix, flat=np.ones((120, 2)))
    found = measure_pairs(items, left, RIGHT, ratings)["Spearman"]
    assert found.left_out == {
        "pairs of items that are not in every space": 4,
        "pairs without a rating": 5,
    }
    assert found.n == 51
    assert found["x"].extra["pairs with a zero vector"] == 1
    assert "same cosine" in found["flat"].refused
    assert found.difference("x", "flat") is None
    few = measure_pairs(items, LEFT[:9], RIGHT[:9], ANGLES[:9])["Pearson"]
    assert few.refused == "9 rated pairs are too few; 20 are needed."
    assert "same rating" in measure_pairs(items, LEFT, RIGHT, np.ones(60))["Spearman"].refused
    with pytest.raises(ParameterError, match="names item 120; items are numbered 0 to 119"):
        measure_pairs(items, LEFT, RIGHT + 1, ANGLES)
    with pytest.raises(ParameterError, match="as many"):
        measure_pairs(items, LEFT, RIGHT, ANGLES[:5])


def test_places_of_ids():
    assert places_of(("a", "b"), ("b", "x", "a")).tolist() == [1, -1, 0]


def test_pairs_of_the_same_items_are_not_taken_as_independent():
    """All pairs of 40 items: two spaces of equal noise are told apart no more than by chance."""
    left, right = np.triu_indices(40, 1)
    apart, scores = 0, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        base = rng.normal(size=(40, 5))
        unit = base / np.linalg.norm(base, axis=1, keepdims=True)
        one, two = (base + 0.7 * rng.normal(size=base.shape) for _ in range(2))
        ratings = (unit @ unit.T)[left, right]
        found = measure_pairs(shared(one=one, two=two), left, right, ratings)["Spearman"]
        apart += found.difference("one", "two").tells_apart
        scores.append(found["one"])
    assert apart <= 10
    mean = np.mean([score.value for score in scores])
    assert sum(score.low < mean < score.high for score in scores) >= 50
    assert found.settings["independent"] == "pairs that share no item"
