"""The interval of a measure of wholes is as wide as the measure moves with other items."""

from __future__ import annotations

import numpy as np
import pytest

from comparison import compare
from comparison.global_agreement import debiased_cka, distance_correlation
from comparison.global_spread import global_spread
from vectors.keyed import KeyedVectors


def draw(n, seed):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 4))
    return shared, np.hstack([shared[:, :2], rng.normal(size=(n, 5))])


def test_it_is_the_spread_over_samples_drawn_anew():
    x, y = draw(400, 0)
    found = global_spread([x, y])
    each = [draw(400, seed) for seed in range(1, 41)]
    for half, measure in (
        (found.kernels[0, 1], debiased_cka),
        (found.distances[0, 1], lambda a, b: distance_correlation(a, b).corrected),
    ):
        true = 1.96 * np.std([measure(a, b) for a, b in each], ddof=1)
        assert half == pytest.approx(true, rel=0.45)  # of 20 parts and 40 draws


def test_nineteen_of_twenty_intervals_hold_the_true_value():
    x, y = draw(4_000, 99)
    true = debiased_cka(x, y), distance_correlation(x, y).corrected
    held = np.zeros(2)
    for seed in range(100):
        x, y = draw(100, seed)
        half = global_spread([x, y], seed=seed)
        off = debiased_cka(x, y) - true[0], distance_correlation(x, y).corrected - true[1]
        held += np.abs(off) <= (half.kernels[0, 1], half.distances[0, 1])
    assert (held >= 90).all(), "with the root of b / n it were 81"


def test_a_comparison_carries_it_and_few_items_have_none():
    x, y = draw(100, 0)
    keys = [str(i) for i in range(100)]
    found = compare({"x": KeyedVectors(keys, x), "y": KeyedVectors(keys, y)})
    assert found.cka.low[0, 1] < found.cka.values[0, 1] < found.cka.high[0, 1] <= 1
    assert found.distances.low[0, 1] < found.distances.values[0, 1]
    assert global_spread([x[:30], y[:30]]) is None
