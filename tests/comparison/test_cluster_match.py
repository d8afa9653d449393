"""Clusters against clusters: by hand, chance, spaces."""

from __future__ import annotations

import numpy as np
import pytest
from digits import components, digits

from comparison.cluster_match import match_clusters, match_spaces
from comparison.shared_items import join
from core.errors import ParameterError
from vectors.keyed import KeyedVectors


def test_partners_flows_and_regroupings_are_right_by_hand():
    first = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1]
    second = [5, 5, 5, 2, 2, 2, 2, 5, 0, 0]
    found = match_clusters(first, second)
    assert found.second.tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 2, 2]
    assert found.first.tolist() == first
    assert found.staying == pytest.approx(7 / 9)
    assert (found.n, found.n_left_out) == (9, 1)
    top = found.flows[0]
    assert (top.first, top.second, top.n, top.stays) == (0, 0, 3, True)
    assert (top.share_of_first, top.share_of_second) == (0.75, 0.75)
    assert top.lift == pytest.approx(3 * 9 / 16)
    assert [(f.first, f.second, f.n) for f in found.regroupings] == [(0, 1, 1), (2, 0, 1)]
    assert found.rows(found.regroupings[1]).tolist() == [7]
    assert found.table.sum() == sum(flow.n for flow in found.flows) == 9


def test_equal_clusters_under_other_numbers_agree_and_random_ones_do_not():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 5, 2_000)
    same = match_clusters(first, rng.permutation(5)[first])
    assert (same.adjusted_rand, same.staying, same.regroupings) == (1, 1, ())
    np.testing.assert_array_equal(same.second, first)
    chance = match_clusters(first, rng.integers(0, 8, 2_000))
    assert abs(chance.adjusted_rand) < 0.01
    assert abs(chance.adjusted_mutual_information) < 0.01
    assert chance.staying == pytest.approx(chance.staying_by_chance, abs=0.02)


def test_what_stays_by_chance_counts_that_partners_are_chosen():
    """Two pairs against two pairs: 2 of 3 shuffles share one item per pair, 1 of 3 all."""
    found = [match_clusters([0, 0, 1, 1], [0, 0, 1, 1], seed=seed) for seed in range(60)]
    mean = np.mean([match.staying_by_chance for match in found])
    assert mean == pytest.approx(2 / 3 * 1 / 2 + 1 / 3, abs=0.02)
    rng = np.random.default_rng(1)
    drawn = [match_clusters(rng.integers(20, size=200), rng.integers(20, size=200), seed=i)
             for i in range(10)]  # fmt: skip
    assert np.mean([match.staying - match.staying_by_chance for match in drawn]) == pytest.approx(
        0, abs=0.015
    )


def test_spaces_are_clustered_with_one_k_and_seed():
    ids = [str(i) for i in range(300)]
    spaces = {
        "pixels": KeyedVectors(ids, digits()[:300], metric="euclidean"),
        "thirty": KeyedVectors(ids, components(30)[:300], metric="euclidean"),
        "two": KeyedVectors(ids, components(2)[:300], metric="euclidean"),
    }
    items = join(spaces)
    near = match_spaces(items, "pixels", "thirty", n_clusters=10)
    far = match_spaces(items, "pixels", "two", n_clusters=10)
    assert (near.table.sum(axis=1) > 0).sum() == 10
    assert near.table.sum() == 300
    assert near.adjusted_rand > far.adjusted_rand > 0.2
    again = match_spaces(items, "pixels", "two", n_clusters=10)
    np.testing.assert_array_equal(again.second, far.second)


def test_what_cannot_be_matched_is_told():
    with pytest.raises(ParameterError, match="same items"):
        match_clusters([0, 1], [0])
    with pytest.raises(ParameterError, match="No item"):
        match_clusters([0, -1], [-1, 0])
