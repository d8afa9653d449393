"""The standard error of agreement on neighbours: what leaving items out changes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from comparison.neighbour_agreement import (
    jaccard,
    overlap,
    rank_biased_overlap,
    rank_weights,
    shared_by_depth,
)
from comparison.neighbour_spread import neighbour_spread

K = 4


def nearest(x, k):
    distances = cdist(x, x)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :k]


def drawn(n, seed, noise=0.7):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, 3))
    return base, base + noise * rng.normal(size=base.shape)


LAST = np.eye(K)[-1]
MEASURES = {
    "overlap": (overlap, LAST / K, None),
    "rbo": (rank_biased_overlap, rank_weights(K), None),
    "jaccard": (jaccard, LAST, lambda both: both / (2 * K - both)),
}


@pytest.mark.parametrize("name", MEASURES)
def test_it_is_the_jackknife_that_searches_anew_without_each_item(name):
    measure, weights, turned = MEASURES[name]
    x, y = drawn(30, 0)

    def mean(rows):
        return measure(shared_by_depth(nearest(x[rows], K), nearest(y[rows], K)), K).mean()

    every = np.arange(30)
    left = np.array([mean(every[every != j]) for j in every])
    by_hand = np.sqrt(29 / 30 * ((left - left.mean()) ** 2).sum())
    found = neighbour_spread(nearest(x, K + 1), nearest(y, K + 1), weights, turned=turned)
    assert found == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize("noise", [0.7, 100.0])
def test_at_least_nineteen_of_twenty_intervals_hold_the_true_mean(noise):
    means, errors = [], []
    for seed in range(150):
        x, y = (nearest(space, 11) for space in drawn(150, seed, noise))
        means.append(overlap(shared_by_depth(x[:, :10], y[:, :10]), 10).mean())
        errors.append(neighbour_spread(x, y, np.eye(10)[-1] / 10))
    off = np.abs(np.array(means) - np.mean(means))
    assert (off <= 1.96 * np.array(errors)).mean() >= 0.95
    assert np.mean(errors) < 2 * np.std(means), "and is not far too wide"


def test_items_that_do_not_count_have_no_part_in_it():
    x, y = drawn(60, 1)
    a, b = nearest(x, 6), nearest(y, 6)
    weights = np.eye(5)[-1] / 5
    kept = np.arange(60) >= 10
    part = neighbour_spread(a, b, weights, rows=kept)
    a[~kept], b[~kept] = 0, 0
    assert neighbour_spread(a, b, weights, rows=kept) == part
