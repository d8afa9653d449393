"""The sentence about a pair: what it says beside the figure, and when it says why there is none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from comparison import compare
from comparison.agreement import Agreement
from comparison.calibration import calibrated_agreement
from components.compare_measures import (
    BY_ID,
    calibrated_of,
    chance_of_pairings,
    pair_sentence,
    reasons_of,
)
from vectors.keyed import KeyedVectors
from workspace.recipes import Member, Recipe
from workspace.stored_comparison import ComparisonInfo, StoredComparison


@pytest.fixture(scope="module")
def stored():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)).astype(np.float32)
    keys = [str(i) for i in range(200)]
    spaces = {
        "a": KeyedVectors(keys, x),
        "classes": KeyedVectors(keys, np.eye(4, dtype=np.float32)[rng.integers(4, size=200)]),
        "wide": KeyedVectors(keys, rng.normal(size=(200, 40)).astype(np.float32)),
    }
    made = compare(spaces, k=5)
    recipe = Recipe("d", tuple(Member("lsa", {}, name=name) for name in spaces), k=5)
    info = ComparisonInfo("c", recipe, ("r1", "r2", "r3"), 200, (0, 0, 0), 1.0, 0.0)
    return StoredComparison(info, made, {}, calibrated_agreement(made.items, 5))


def test_calibrated_neighbours_name_their_k_and_stand_beside_it_only(stored):
    told = pair_sentence(stored, "overlap", "a", "wide", 5)
    found = stored.calibrated["overlap"][0, 2]
    assert "100 random pairings of 200 items at k = 5" in told
    assert f"random pairings {found.chance:.3f}" in told
    assert "random pairings" not in pair_sentence(stored, "overlap", "a", "wide", 20)
    assert calibrated_of(stored, "overlap", (0, 2), 20) is None
    low, high = chance_of_pairings(stored, "overlap", 5)
    assert low <= found.chance <= high
    assert chance_of_pairings(stored, "overlap", 20) is None
    assert "random pairings" in pair_sentence(stored, "cka", "a", "wide", 20)


def test_the_reasons_of_missing_figures_are_told_once_with_their_number():
    few = "300 items are too few for 384 dimensions."
    table = Agreement.of("CCA", ("a", "b", "c"), {}, n_used=300, refused={
        (0, 1): few, (0, 2): few, (1, 2): "b is constant."})  # fmt: skip
    assert reasons_of(table) == [f"– 2 of 3 pairs: {few}", "– b and c: b is constant."]


def test_procrustes_and_ranked_neighbours_have_a_level_of_chance(stored):
    told = pair_sentence(stored, "shape", "a", "wide", 5)
    assert "19 random pairings of 200 items" in told
    assert "95 % interval" in told
    assert "unrelated spaces: 0.0" in pair_sentence(stored, "rbo", "a", "wide", 5)


def test_ties_are_told_and_what_would_mislead_gives_its_reason(stored):
    assert "In classes 100% of the items have equally near" in pair_sentence(
        stored, "overlap", "a", "classes", 5
    )
    assert "200 items are too few for 40 neighbours" in pair_sentence(
        stored, "overlap", "a", "wide", 40
    )
    reason = pair_sentence(stored, "cca", "a", "wide", 5)
    assert "200 items are too few for 44 dimensions" in reason
    few = dataclasses.replace(stored, floors={})
    assert np.isnan(BY_ID["cca"].of(few.comparison).values[0, 2])
