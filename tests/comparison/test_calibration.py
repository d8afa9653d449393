"""Calibrated agreement: the same figures as the measures themselves, 0 for noise."""

from __future__ import annotations

import numpy as np
import pytest

from comparison import compare
from comparison.calibration import calibrated_agreement
from vectors.keyed import KeyedVectors


def test_observed_values_are_those_of_the_measures_and_noise_falls_to_nothing():
    rng = np.random.default_rng(0)
    keys = [str(i) for i in range(200)]
    x = rng.normal(size=(200, 20)).astype(np.float32)
    spaces = {
        "x": KeyedVectors(keys, x, metric="euclidean"),
        "near x": KeyedVectors(keys, x + 0.3 * rng.normal(size=x.shape), metric="euclidean"),
        "noise": KeyedVectors(keys, rng.normal(size=(200, 90)), metric="euclidean"),
    }
    made = compare(spaces, k=10)
    found = calibrated_agreement(made.items, 10, n_permutations=40)
    for measure, table in {
        "overlap": made.overlap,
        "rbo": made.rank_biased_overlap,
        "cka": made.cka,
        "distances": made.distances,
        "shape": made.shape,
    }.items():
        for pair, value in found[measure].items():
            assert value.observed == pytest.approx(table.values[pair], abs=5e-5), measure
            assert value.n_rows == 200
        assert found[measure][0, 1].p == pytest.approx(1 / (20 if measure == "shape" else 41))
        assert found[measure][0, 1].calibrated > 0.3
        assert found[measure][0, 2].calibrated < 0.05
    assert found["overlap"][0, 2].chance == pytest.approx(10 / 199, abs=0.005)
    assert found["shape"][0, 2].chance == pytest.approx(made.shape.values[0, 2], abs=0.03)
    assert found["rbo"][0, 2].chance == pytest.approx(made.rank_biased_overlap.chance, abs=0.005)
    assert found["cka"][0, 2].chance == pytest.approx(0, abs=0.01)
