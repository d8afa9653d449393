"""The one order of items that two spaces see differently."""

from __future__ import annotations

import numpy as np

from comparison.changed_items import changed_order, order_words
from comparison.movers import Movers


def moved(relative):
    relative = np.asarray(relative, np.float64)
    return Movers(
        relative + 1, relative, np.array([0.8, 1, 1.2]), 1.01, (3, 4), (0.5, 0.6),
        "", 2, len(relative), 3,
    )  # fmt: skip


def test_ties_of_overlap_are_broken_by_place_where_known_else_by_the_first_ranks():
    overlap = np.array([0.5, 0.0, np.nan, 0.0, 0.5])
    rbo = np.array([0.2, 0.1, np.nan, 0.05, 0.6])
    far = moved([0.0, 0.9, 5.0, 0.3, 0.1])
    assert changed_order(overlap, rbo=rbo).tolist() == [3, 1, 0, 4, 2]
    assert changed_order(overlap, rbo=rbo, most=False).tolist() == [4, 0, 1, 3, 2]
    assert changed_order(overlap, far, rbo).tolist() == [1, 3, 4, 0, 2]
    assert changed_order(overlap, far, rbo, by_place=True).tolist() == [2, 1, 3, 4, 0]
    assert changed_order(overlap).tolist() == [1, 3, 0, 4, 2]


def test_the_rule_is_said():
    assert order_words(moved=True) == "shared neighbours, then displacement beyond the surroundings"
    assert order_words(moved=False).endswith("then ranked neighbours (RBO)")
    assert order_words(moved=True, by_place=True).startswith("displacement")
