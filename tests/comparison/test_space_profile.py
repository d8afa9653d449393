"""The profile of one space: golden figures, planted oddities, laws, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from digits import digits, neighbours
from hypothesis import given, settings
from hypothesis import strategies as st

from comparison.space_profile import profile
from core.errors import ParameterError
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors


def noise(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def profiled(x, metric="euclidean", depth=20, **kwargs):
    space = KeyedVectors([str(i) for i in range(len(x))], x, metric=metric)
    return profile(space.matrix, metric, VectorIndex(space).knn_graph(depth).ids, **kwargs)


@pytest.fixture(scope="module")
def of_digits():
    return profile(digits(), "euclidean", neighbours(None, 30), k=10)


def test_golden_figures_of_digits_hold_through_the_profile(of_digits):
    found = of_digits
    assert found.hubs.skewness.value == pytest.approx(0.788, abs=6e-3)
    assert found.hubs.antihubs.value == pytest.approx(0.009, abs=1e-3)
    assert found.hubs.counts[0] in {34, 35, 36}
    assert found.hubs.shares[0] == found.hubs.counts[0] / 1_797
    assert found.mean_cosine.value == pytest.approx(0.68833, abs=1e-5)
    assert found.mean_cosine_centred.value == pytest.approx(-0.0002, abs=5e-5)
    assert found.iso_score.value == pytest.approx(0.19315, abs=1e-5)
    assert found.participation_ratio.value == pytest.approx(13.1685, abs=1e-4)
    assert found.effective_rank.value == pytest.approx(39.707, abs=1e-3)
    assert found.intrinsic_dimension[0].value == pytest.approx(8.9082, abs=1e-3)
    assert found.uniformity.value == pytest.approx(-1.164, abs=0.01)
    assert [figure.n for figure in found.intrinsic_dimension] == [1_797, 898, 449]
    assert (found.duplicates.equal, len(found.zeros)) == (0, 0)
    assert found.norms.smallest < found.norms.median < found.norms.largest


def test_the_dimension_of_subsamples_is_that_of_a_search_in_them(of_digits):
    # Lists of one neighbour hold no two of a subsample: all is searched anew.
    short = profile(digits(), "euclidean", neighbours(None, 1), k=1)
    for one, other in zip(short.intrinsic_dimension, of_digits.intrinsic_dimension, strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-6)


def test_a_sheet_in_a_wide_space_keeps_its_dimension_in_subsamples():
    sheet = noise(1_600, 4) @ noise(4, 20, 1)
    for metric in ("euclidean", "dot"):
        found = profiled(sheet, metric)
        wanted = 4 if metric == "euclidean" else 3  # directions only
        assert [f.value for f in found.intrinsic_dimension] == pytest.approx([wanted] * 3, rel=0.25)


def test_rows_of_one_direction_are_one_place_under_the_cosine():
    plane = np.pad(noise(600, 5), ((0, 0), (0, 9)))
    both = np.vstack([plane, plane[:60] * np.float32(3), plane[:5] * np.float32(0.7)])
    found = profiled(both, "cosine")
    clean = profiled(plane, "cosine").intrinsic_dimension[0]
    assert (found.intrinsic_dimension[0].n, found.duplicates.equal) == (600, 0)
    assert found.intrinsic_dimension[0].value == pytest.approx(clean.value, rel=1e-3)
    # The dot product finds other neighbours: what lies at one place is met when searching.
    assert profiled(both, "dot").intrinsic_dimension[0].value == pytest.approx(
        clean.value, rel=0.15
    )
    assert profiled(both, "euclidean").intrinsic_dimension[0].n == 665


def test_planted_duplicates_zeros_and_outliers_are_listed():
    x = noise(300, 8)
    x[10:40] = x[5]  # a crowd larger than the lists of neighbours
    x[50] = x[51]
    x[60] = x[61] + 1e-4
    x[70] = 0
    x[80] *= 40
    found = profiled(x)
    assert found.duplicates.equal == 31
    assert found.duplicates.n_groups == 2
    assert found.duplicates.groups[0].tolist() == [5, *range(10, 40)]
    assert found.duplicates.groups[1].tolist() == [50, 51]
    assert found.duplicates.near == 35
    assert [60, 61] in [rows.tolist() for rows in found.duplicates.near_groups]
    assert found.zeros.tolist() == [70]
    assert found.outliers.rows[0] == 80
    assert found.outliers.ratios[0] > found.outliers.beyond
    assert found.outliers.n_beyond >= 1
    assert found.intrinsic_dimension[0].n == 269


def test_outliers_are_found_beside_crowds_of_copies():
    x = np.vstack([np.repeat(noise(5, 3), 30, axis=0), noise(90, 3, 1)])  # 150 of 240 are copies
    x[200] *= 40
    found = profiled(x, k=10).outliers
    assert found.rows[0] == 200
    assert found.ratios[0] > found.beyond
    assert found.n_beyond <= 5
    # Whole numbers: over half are equally far, so that the median deviation is 0.
    grid = np.random.default_rng(0).integers(0, 2, (400, 5)).astype(np.float32)
    grid[7] = 30
    of_grid = profiled(np.unique(grid, axis=0).repeat(2, axis=0), k=3).outliers
    assert (of_grid.n_beyond, of_grid.beyond > 1) == (2, True)
    nothing = profiled(np.ones((60, 3))).outliers
    assert (nothing.n_beyond, nothing.ratios[0]) == (0, 0)


def test_a_planted_hub_is_named():
    graph = np.random.default_rng(0).integers(0, 200, (200, 10))
    graph[:, 0] = 42
    found = profile(noise(200, 4), "euclidean", graph, k=5)
    assert found.hubs.rows[0] == 42
    assert found.hubs.shares[0] >= 1


@given(st.integers(0, 500), st.floats(0.1, 30))
@settings(max_examples=8, deadline=None)
def test_turning_and_scaling_leaves_the_profile_as_it_is(seed, scale):
    x = noise(220, 5, seed)
    turned = (x @ np.linalg.qr(noise(5, 5, seed + 1))[0] * scale).astype(np.float32)
    one, other = profiled(x, seed=1), profiled(turned, seed=1)
    for name in ("iso_score", "effective_rank", "mean_cosine", "uniformity"):
        assert getattr(other, name).value == pytest.approx(getattr(one, name).value, abs=1e-4)
    assert other.hubs.skewness.value == pytest.approx(one.hubs.skewness.value, abs=0.05)
    assert other.intrinsic_dimension[0].value == pytest.approx(
        one.intrinsic_dimension[0].value, rel=1e-3
    )
    np.testing.assert_allclose(other.outliers.ratios, one.outliers.ratios, rtol=1e-3)
    assert other.norms.variation == pytest.approx(one.norms.variation, rel=1e-4)


def test_hubs_that_only_ties_make_are_none():
    rng = np.random.default_rng(0)
    sparse = (rng.random((400, 300)) < 0.01).astype(np.float32)
    for metric in ("cosine", "dot", "euclidean"):
        found = profiled(sparse, metric, k=10).hubs
        assert found.tied > 0.5
        assert "no nearer than the next" in found.skewness.reason
        assert found.antihubs.value is None
        assert len(found.rows) == 0
    x = noise(300, 6)
    x[:6] = 0  # what is tied with everything is told, and hides nothing else
    few = profiled(x, "cosine", k=10).hubs
    assert few.tied == pytest.approx(6 / 300)
    assert few.skewness.value is not None
    assert profiled(x[6:], k=10).hubs.tied == 0
    assert np.isnan(profiled(x, depth=10, k=10).hubs.tied)


def test_figures_that_would_mislead_are_refused_with_the_reason():
    few = profiled(noise(60, 80), k=10)
    assert few.hubs.skewness.value is None
    assert "at least 100" in few.hubs.skewness.reason
    assert "More than 80" in few.iso_score.reason
    assert "60 different items" in few.intrinsic_dimension[0].reason
    assert few.mean_cosine.value is not None
    one_point = profiled(np.ones((200, 3)))
    assert "one point" in one_point.effective_rank.reason
    assert "1 different items" in one_point.intrinsic_dimension[0].reason
    binary = np.random.default_rng(0).integers(0, 2, (400, 12))
    assert "equally near" in profiled(binary).intrinsic_dimension[0].reason
    nothing = profiled(np.zeros((120, 3)), "cosine")
    assert "0 such items" in nothing.uniformity.reason
    assert len(nothing.zeros) == 120


def test_neighbours_must_be_of_these_items():
    with pytest.raises(ParameterError, match="neighbours of 5"):
        profile(noise(6, 2), "cosine", np.zeros((5, 2), int))
    with pytest.raises(ParameterError, match=r"\[1, 2\]"):
        profile(noise(6, 2), "cosine", np.zeros((6, 2), int), k=3)
