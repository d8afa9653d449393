"""Errors of figures of pairs: influences as the jackknife has them, shared items by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from comparison.dyadic_error import covariance_over_nodes, pearson, spearman
from comparison.resampling import normal_draws

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("ours", "theirs"), [(pearson, pearsonr), (spearman, spearmanr)])
def test_influences_are_those_of_the_jackknife(ours, theirs):
    x = RNG.integers(0, 6, 80).astype(float)  # with ties
    y = x + 2 * RNG.normal(size=80)
    value, added = ours(x, y)
    assert value == pytest.approx(theirs(x, y).statistic)
    without = [theirs(np.delete(x, i), np.delete(y, i)).statistic for i in range(80)]
    left_behind = np.mean(without) - np.array(without)
    assert np.corrcoef(left_behind, added)[0, 1] > 0.999
    assert np.std(added) == pytest.approx(np.std(left_behind), rel=0.05)
    assert added.mean() == pytest.approx(0, abs=1e-12)


def test_pairs_that_share_an_item_by_hand():
    """0-1 and 0-2 share an item, 3-4 shares none, and 5 stands with itself."""
    left, right = np.array([0, 0, 3, 5]), np.array([1, 2, 4, 5])
    added = np.array([[1.0], [2.0], [3.0], [4.0]])
    assert covariance_over_nodes(added, left, right)[0, 0] == pytest.approx((1 + 2) ** 2 + 9 + 16)
    apart = covariance_over_nodes(added * [[1], [-1], [1], [1]], left, right)
    assert apart[0, 0] == pytest.approx(1 + 4 + 9 + 16), "never surer than independent pairs"


def test_draws_have_the_covariance_and_equal_figures_get_equal_draws():
    covariance = np.array([[4.0, 4.0, 0.0], [4.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
    draws = normal_draws(np.array([1.0, 1.0, 0.0]), covariance, n_resamples=20_000)
    assert np.cov(draws.T) == pytest.approx(covariance, abs=0.1)
    assert draws[:, 0] == pytest.approx(draws[:, 1])
    assert draws.mean(axis=0) == pytest.approx([1, 1, 0], abs=0.05)
