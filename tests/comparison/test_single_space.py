"""The shape of one space: golden figures and laws."""

from __future__ import annotations

import numpy as np
import pytest
from digits import digits, neighbours
from hypothesis import given, settings
from hypothesis import strategies as st

from comparison.single_space import hubness, mean_cosine, spectrum, two_nn, uniformity
from core.errors import ParameterError


def noise(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def nearest_two(x):
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=2).fit(x).kneighbors()
    return distances[:, 0], distances[:, 1]


def test_hubs_of_digits_have_the_known_figures():
    found = hubness(neighbours(None, 10))
    # How ties go moves the third digit.
    assert found.skewness == pytest.approx(0.788, abs=6e-3)
    assert found.antihubs == pytest.approx(0.009, abs=1e-3)
    assert found.counts.max() in {34, 35, 36}
    assert found.counts.sum() == 10 * len(digits())


def test_spectrum_of_digits_has_the_known_figures():
    found = spectrum(digits())
    assert found.participation_ratio == pytest.approx(13.1685, abs=1e-4)
    assert found.iso_score == pytest.approx(0.19315, abs=1e-5)
    assert found.effective_rank == pytest.approx(39.707, abs=1e-3)


def test_other_figures_of_digits():
    assert mean_cosine(digits()) == pytest.approx(0.68833, abs=1e-5)
    assert two_nn(*nearest_two(digits())) == pytest.approx(8.9082, abs=1e-3)
    assert uniformity(digits(), n_pairs=2_000_000) == pytest.approx(-1.164, abs=1e-3)
    centred = digits() - digits().mean(axis=0)
    assert uniformity(centred, n_pairs=2_000_000) == pytest.approx(-3.291, abs=1e-3)
    assert uniformity(digits(), n_pairs=100_000) == pytest.approx(-1.164, abs=0.02)


def test_mean_cosine_is_that_of_all_pairs():
    x = noise(40, 5) + 1
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[np.triu_indices(40, 1)]
    assert mean_cosine(x) == pytest.approx(cosines.mean())
    assert mean_cosine(np.vstack([x, np.zeros((3, 5))])) == pytest.approx(cosines.mean())


@given(st.integers(2, 12), st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_equal_variance_in_k_of_d_directions_scores_k_minus_1_over_d_minus_1(d, k):
    k = min(k, d)
    x = np.vstack([np.eye(d)[:k], -np.eye(d)[:k]])
    found = spectrum(x)
    assert found.iso_score == pytest.approx((k - 1) / (d - 1))
    assert found.participation_ratio == pytest.approx(k)
    assert found.effective_rank == pytest.approx(k)


def test_a_flat_sheet_in_a_wide_space_has_its_own_dimension():
    sheet = noise(3_000, 5) @ noise(5, 20, 1)
    assert two_nn(*nearest_two(sheet)) == pytest.approx(4.92, abs=0.35)


def test_random_directions_are_as_even_as_the_sphere_allows():
    assert uniformity(noise(2_000, 384)) == pytest.approx(-4 + 8 / 384, abs=0.005)


def test_what_has_no_shape_is_told():
    with pytest.raises(ParameterError, match="one point"):
        spectrum(np.ones((9, 3)))
    with pytest.raises(ParameterError, match="duplicates"):
        two_nn(np.zeros(9), np.ones(9))
    with pytest.raises(ParameterError, match="not zero"):
        mean_cosine(np.zeros((4, 2)))
    assert hubness(np.array([[1], [0]])).skewness == 0
