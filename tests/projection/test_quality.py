import dataclasses

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from projection import Layout, Quality, measure_quality
from vectors import KeyedVectors


def keyed(matrix, metric="euclidean"):
    return KeyedVectors([str(i) for i in range(len(matrix))], matrix, metric=metric)


@pytest.mark.parametrize(
    ("dim", "trust", "continuity", "overlap", "rsa"),
    [(2, 0.8296, 0.9483, 0.1178, 0.5824), (10, 0.9964, 0.9980, 0.6663, 0.9463)],
)
def test_digits_reach_the_reference_figures(dim, trust, continuity, overlap, rsa):
    digits = load_digits().data
    quality = measure_quality(keyed(digits), PCA(dim, random_state=0).fit_transform(digits))
    assert quality.trustworthiness == pytest.approx(trust, abs=1e-4)
    assert quality.continuity == pytest.approx(continuity, abs=1e-4)
    assert quality.overlap_at_10 == pytest.approx(overlap, abs=3e-4)  # digits hold many ties
    assert quality.rank_correlation == pytest.approx(rsa, abs=1e-4)
    assert (quality.k, quality.n_used, quality.n_total) == (12, 1797, 1797)


def test_trustworthiness_equals_scikit_learn_under_cosine():
    rng = np.random.default_rng(0)
    matrix, picture = rng.normal(size=(300, 20)), rng.normal(size=(300, 2))
    quality = measure_quality(keyed(matrix, "cosine"), picture)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    assert quality.trustworthiness == pytest.approx(trustworthiness(unit, picture, n_neighbors=12))
    assert quality.continuity == pytest.approx(trustworthiness(picture, unit, n_neighbors=12))


@pytest.mark.parametrize("matrix", ["distinct", "tied"])
def test_a_picture_equal_to_the_space_is_perfect(matrix):
    rng = np.random.default_rng(1)
    points = rng.normal(size=(200, 2)) if matrix == "distinct" else rng.integers(3, size=(200, 2))
    quality = measure_quality(keyed(points), points.astype(np.float32))
    assert quality.trustworthiness == 1
    assert quality.continuity == 1
    assert quality.overlap_at_10 == 1
    assert quality.rank_correlation == pytest.approx(1)


def test_rotation_shift_and_scale_of_the_picture_change_nothing():
    rng = np.random.default_rng(2)
    points, picture = rng.normal(size=(150, 6)), rng.normal(size=(150, 2))
    turned = picture @ np.array([[0.6, -0.8], [0.8, 0.6]]) * 7 + 3
    before, after = (measure_quality(keyed(points), p) for p in (picture, turned))
    assert dataclasses.astuple(after)[:4] == pytest.approx(dataclasses.astuple(before)[:4])


def test_random_picture_scores_chance():
    rng = np.random.default_rng(3)
    quality = measure_quality(keyed(rng.normal(size=(1_000, 8))), rng.normal(size=(1_000, 2)))
    assert quality.trustworthiness == pytest.approx(0.5, abs=0.02)
    assert quality.overlap_at_10 == pytest.approx(quality.chance_overlap, abs=0.005)
    assert quality.rank_correlation == pytest.approx(0, abs=0.02)


def test_sampled_rows_estimate_the_full_figures(monkeypatch):
    rng = np.random.default_rng(4)
    points = rng.normal(size=(2_500, 6)).astype(np.float32)
    picture = points[:, :2]
    full = measure_quality(keyed(points), picture)
    monkeypatch.setattr("projection.quality.EXACT_UP_TO", 1_000)
    sampled = measure_quality(keyed(points), picture)
    assert (sampled.n_used, sampled.n_total) == (2_000, 2_500)
    assert sampled.trustworthiness == pytest.approx(full.trustworthiness, abs=0.003)
    assert sampled.continuity == pytest.approx(full.continuity, abs=0.003)
    assert sampled.overlap_at_10 == pytest.approx(full.overlap_at_10, abs=0.003)
    assert measure_quality(keyed(points), picture) == sampled


def test_neighbourhoods_shrink_with_the_number_of_points():
    rng = np.random.default_rng(5)
    quality = measure_quality(keyed(rng.normal(size=(11, 3))), rng.normal(size=(11, 2)))
    assert (quality.k, quality.overlap_k) == (5, 5)
    assert measure_quality(keyed(np.eye(4)), np.eye(4)[:, :2]) is None


def test_equal_distances_have_no_rank_correlation():
    quality = measure_quality(keyed(np.zeros((20, 3)) + 1), np.zeros((20, 2)))
    assert quality.rank_correlation is None
    assert quality.trustworthiness == 1


def test_layout_reads_its_quality_back_from_plain_values():
    points = np.random.default_rng(6).normal(size=(30, 3)).astype(np.float32)
    quality = measure_quality(keyed(points), points[:, :2])
    plain = dataclasses.asdict(quality)
    assert all(isinstance(v, int | float | str) for v in plain.values())
    layout = Layout(points[:, :2].copy(), "pca", 2, {}, 0, quality=plain, notes=["one"])
    assert layout.quality == quality
    assert isinstance(layout.quality, Quality)
    assert layout.notes == ("one",)
