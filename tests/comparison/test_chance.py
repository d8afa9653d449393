"""Chance levels and intervals mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from comparison.chance import calibrate, paired_difference
from comparison.global_agreement import debiased_cka
from core.errors import ParameterError
from vectors.bootstrap import bootstrap_mean


def noise(n, d, seed):
    return np.random.default_rng(seed).normal(size=(n, d))


def test_equal_spaces_are_calibrated_to_one_and_independent_ones_to_nearly_zero():
    x = noise(100, 8, 0)
    same = calibrate(1.0, lambda order: debiased_cka(x, x[order]), 100)
    assert same.calibrated == 1
    assert same.p == pytest.approx(1 / 101)
    assert same.chance == pytest.approx(0, abs=0.03)
    other = noise(100, 8, 1)
    apart = calibrate(debiased_cka(x, other), lambda order: debiased_cka(x, other[order]), 100)
    assert apart.calibrated < 0.1
    assert apart.threshold > apart.chance


def test_the_threshold_is_the_order_statistic_of_all_values():
    values = iter(range(19))
    found = calibrate(100.0, lambda _: float(next(values)), 5, n_permutations=19, largest=200)
    assert found.threshold == 18  # rank ceil(.95 * 20) = 19 of 0 … 18, 100
    assert found.calibrated == pytest.approx((100 - 18) / (200 - 18))
    assert found.p == pytest.approx(1 / 20)


def test_the_p_value_is_uniform_under_chance():
    rng = np.random.default_rng(0)
    values = [
        calibrate(rng.normal(), lambda _: rng.normal(), 3, n_permutations=19).p for _ in range(400)
    ]
    assert np.mean(np.array(values) <= 0.1) == pytest.approx(0.1, abs=0.05)


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = 0
    for trial in range(200):
        found = bootstrap_mean(rng.binomial(10, 0.3, 300) / 10, seed=trial)
        assert found.low <= found.mean <= found.high
        held += found.low <= 0.3 <= found.high
    assert held / 200 == pytest.approx(0.95, abs=0.05)


def test_a_difference_is_measured_item_by_item():
    hard = np.random.default_rng(0).random(500)
    found = paired_difference(hard + 0.01, hard)
    assert found.low == pytest.approx(0.01)
    assert found.high == pytest.approx(0.01)
    with pytest.raises(ParameterError, match="same items"):
        paired_difference(hard, hard[:3])
    with pytest.raises(ParameterError, match="at least one"):
        paired_difference(np.empty(0), np.empty(0))
