"""Agreement of whole spaces: golden figures, naive forms, laws."""

from __future__ import annotations

import numpy as np
import pytest
from digits import components, digits
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.distance import pdist, squareform

from comparison.global_agreement import (
    DistanceTable,
    cca,
    debiased_cka,
    distance_correlation,
    distance_rank_correlation,
    narrowed,
    procrustes,
    procrustes_spread,
)
from core.errors import ParameterError


def noise(n, d, seed):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize(("k", "expected"), [(2, 0.7328), (10, 0.9789), (30, 0.9993)])
def test_debiased_cka_of_digits_has_the_known_figures(k, expected):
    assert debiased_cka(digits(), components(k)) == pytest.approx(expected, abs=1e-4)


def test_debiased_cka_of_noise_is_near_zero():
    values = [debiased_cka(noise(200, 50, s), noise(200, 80, s + 100)) for s in range(10)]
    assert np.abs(values).max() < 0.05
    assert min(values) < 0 < max(values)


def test_debiased_cka_equals_the_form_with_kernels():
    x, y = noise(30, 5, 1), noise(30, 5, 1) @ noise(5, 7, 2) + noise(30, 7, 3)

    def hsic(a, b):
        n, one = len(a), np.ones(len(a))
        first, second = a @ a.T, b @ b.T
        np.fill_diagonal(first, 0)
        np.fill_diagonal(second, 0)
        pairs = (one @ first @ one) * (one @ second @ one) / ((n - 1) * (n - 2))
        rows = 2 / (n - 2) * (one @ first @ second @ one)
        return (np.trace(first @ second) + pairs - rows) / (n * (n - 3))

    assert debiased_cka(x, y) == pytest.approx(hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y)))


def test_distance_correlation_of_digits_has_the_known_figures():
    found = distance_correlation(digits(), components(2))
    assert found.biased == pytest.approx(0.860, abs=5e-4)
    assert found.corrected == pytest.approx(0.741, abs=1e-3)


def test_distance_correlation_equals_the_form_with_centred_matrices():
    x, y = noise(40, 3, 0), noise(40, 2, 1) + noise(40, 3, 0)[:, :2]
    a, b = (squareform(pdist(each)) for each in (x, y))
    n = len(x)

    def centred(m):
        return m - m.mean(0) - m.mean(1)[:, None] + m.mean()

    def u_centred(m):
        u = m - m.sum(0) / (n - 2) - m.sum(1)[:, None] / (n - 2) + m.sum() / ((n - 1) * (n - 2))
        np.fill_diagonal(u, 0)
        return u

    def ratio(p, q):
        return (p * q).sum() / np.sqrt((p * p).sum() * (q * q).sum())

    found = distance_correlation(x, y)
    assert found.biased == pytest.approx(np.sqrt(ratio(centred(a), centred(b))))
    assert found.corrected == pytest.approx(ratio(u_centred(a), u_centred(b)))


@pytest.mark.parametrize(("k", "expected"), [(2, 0.5824), (10, 0.9463), (30, 0.9978)])
def test_rank_correlation_of_distances_of_digits_has_the_known_figures(k, expected):
    found = distance_rank_correlation(digits(), components(k), n_pairs=2_000_000)
    assert found == pytest.approx(expected, abs=1e-4)
    sampled = distance_rank_correlation(digits(), components(k), n_pairs=50_000, seed=1)
    assert sampled == pytest.approx(expected, abs=0.02)


def test_procrustes_keeps_to_the_three_conventions_and_equals_scipys():
    x, y = noise(50, 4, 0), noise(50, 4, 0) @ noise(4, 4, 1) + 0.3 * noise(50, 4, 2)
    found = procrustes(x, y)
    assert found.disparity == pytest.approx(scipy_procrustes(x, y)[2])
    assert found.disparity == pytest.approx(1 - found.similarity**2)
    assert found.distance**2 == pytest.approx(2 - 2 * found.similarity)
    assert np.cos(found.angle) == pytest.approx(found.similarity)


def test_the_spread_of_procrustes_is_that_over_samples_drawn_anew():
    figures = []
    for seed in range(60):
        x = noise(200, 3, seed)
        figures.append(procrustes_spread(x, x + noise(200, 3, seed + 1_000)))
    values, errors = np.array(figures).T
    assert values[0] == pytest.approx(
        procrustes(noise(200, 3, 0), noise(200, 3, 0) + noise(200, 3, 1_000)).similarity
    )
    assert errors.mean() == pytest.approx(values.std(), rel=0.25)


@pytest.mark.parametrize(("n", "d", "expected"), [(100, 300, 0.154), (100, 50, 0.684)])
def test_few_items_make_noise_look_alike_to_procrustes(n, d, expected):
    values = [procrustes(noise(n, d, s), noise(n, d, s + 50)).disparity for s in range(5)]
    assert np.mean(values) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("n", "dims", "expected"), [(100, (40, 80), 0.887), (1_000, (50, 50), 0.191)]
)
def test_cca_of_noise_rises_with_the_dimensions(n, dims, expected):
    found = cca(noise(n, dims[0], 0), noise(n, dims[1], 1))
    assert found.mean() == pytest.approx(expected, abs=0.02)
    certain = dims[0] + dims[1] - (n - 1)
    assert (found > 1 - 1e-9).sum() >= max(0, certain)


@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-50, 50))
@settings(max_examples=25, deadline=None)
def test_turning_shifting_and_scaling_changes_nothing(seed, scale, shift):
    x, y = noise(40, 6, seed), noise(40, 3, seed + 1)
    turn = np.linalg.qr(noise(3, 3, seed + 2))[0]
    moved = scale * (y @ turn) + shift
    assert debiased_cka(x, moved) == pytest.approx(debiased_cka(x, y), abs=1e-6)
    before, after = distance_correlation(x, y), distance_correlation(x, moved)
    np.testing.assert_allclose(after, before, atol=1e-6)
    assert procrustes(x, moved).similarity == pytest.approx(procrustes(x, y).similarity, abs=1e-6)
    assert distance_rank_correlation(x, moved) == pytest.approx(
        distance_rank_correlation(x, y), abs=1e-3
    )


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_equal_spaces_agree_fully_and_order_does_not_matter(seed):
    x = noise(30, 5, seed)
    assert debiased_cka(x, x) == pytest.approx(1)
    assert distance_correlation(x, x) == pytest.approx((1, 1))
    assert procrustes(x, x).disparity == pytest.approx(0, abs=1e-9)
    assert distance_rank_correlation(x, x) == pytest.approx(1)
    y = noise(30, 4, seed + 1)
    order = np.random.default_rng(seed).permutation(30)
    assert debiased_cka(x[order], y[order]) == pytest.approx(debiased_cka(x, y))
    np.testing.assert_allclose(
        distance_correlation(x[order], y[order]), distance_correlation(x, y), atol=1e-9
    )


def test_an_invertible_map_leaves_the_canonical_correlations_alone():
    x, y = noise(200, 5, 0), noise(200, 4, 1) + noise(200, 5, 0)[:, :4]
    stretched = y @ noise(4, 4, 3)
    np.testing.assert_allclose(cca(x, stretched), cca(x, y), atol=1e-9)
    assert debiased_cka(x, stretched) != pytest.approx(debiased_cka(x, y), abs=1e-3)


def test_further_dimensions_of_zeros_change_nothing():
    x, y = noise(50, 5, 0), noise(50, 3, 1)
    padded = np.hstack([y, np.zeros((50, 9))])
    assert procrustes(x, padded).similarity == pytest.approx(procrustes(x, y).similarity)
    assert debiased_cka(x, padded) == pytest.approx(debiased_cka(x, y))


def test_a_space_without_shape_and_too_few_items_are_told():
    with pytest.raises(ParameterError, match="one point"):
        procrustes(noise(9, 3, 0), np.ones((9, 2)))
    with pytest.raises(ParameterError, match="At least 4"):
        debiased_cka(noise(3, 3, 0), noise(3, 3, 1))
    with pytest.raises(ParameterError, match="Join them by id"):
        distance_correlation(noise(9, 3, 0), noise(8, 3, 1))
    assert debiased_cka(noise(9, 3, 0), np.ones((9, 2))) == 0
    assert distance_correlation(noise(9, 3, 0), np.ones((9, 2))) == (0, 0)


def test_a_wide_space_keeps_every_distance_in_fewer_dimensions():
    rng = np.random.default_rng(0)
    wide, other = rng.normal(size=(12, 90)), rng.normal(size=(12, 3))
    narrow = narrowed(wide)
    assert narrow.shape == (12, 12)
    np.testing.assert_allclose(pdist(narrow), pdist(wide))
    assert debiased_cka(narrow, other) == pytest.approx(debiased_cka(wide, other))
    assert procrustes(narrow, other).similarity == pytest.approx(procrustes(wide, other).similarity)
    assert narrowed(other) is other


def test_tables_of_distances_correlate_as_the_spaces_do():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(700, 6)) + 5, rng.normal(size=(700, 3))
    y[:, 0] += x[:, 0]
    direct = distance_correlation(x, y)
    tables = DistanceTable.of(x).correlation(DistanceTable.of(y))
    assert tables == pytest.approx(direct, abs=5e-5)
