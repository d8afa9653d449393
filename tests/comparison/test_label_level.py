"""Spaces without shared items, compared by the names of their classes."""

from __future__ import annotations

import numpy as np
import pytest

from comparison.class_moves import class_moves
from comparison.label_level import class_side, label_level
from core.errors import ParameterError
from vectors import KeyedVectors

CENTRES = {"a": (0, 0), "b": (0.4, 0), "c": (9, 0), "d": (9, 0.4)}


def space(seed, centres, n=30, prefix="x"):
    rng = np.random.default_rng(seed)
    labels = [name for name in centres for _ in range(n)]
    places = np.array([centres[name] for name in labels], np.float32)
    points = places + 0.3 * rng.normal(size=places.shape).astype(np.float32)
    keys = [f"{prefix}{i}" for i in range(len(labels))]
    return KeyedVectors(keys, points.astype(np.float32), metric="euclidean"), labels


def test_other_items_of_the_same_classes_do_not_move_but_other_surroundings_do():
    first = space(0, CENTRES)
    same = label_level(first, space(1, CENTRES, n=20, prefix="y"), k=5)
    assert not same.moves.paired
    assert [move.name for move in same.moves.moves if move.moved > move.noise] == []
    swapped = {**CENTRES, "b": CENTRES["c"], "c": CENTRES["b"], "e": (20, 20)}
    found = label_level(first, space(2, swapped, prefix="z"), k=5)
    assert {move.name for move in found.moves.moves if move.moved > move.noise} == set("abcd")
    gained = {move.name: move.gained[0] for move in found.moves.moves}
    assert gained["a"] == "c"
    assert found.moves.only_second == ("e",)


def test_one_space_against_itself_is_what_class_moves_gives():
    x, labels = space(0, CENTRES)
    one = class_side(x, labels, k=5)
    assert label_level((x, labels), (x, labels), k=5).moves.moves[0].moved == 0
    assert np.array_equal(class_moves(one, one, paired=False).first, class_moves(one, one).first)


def test_what_cannot_be_compared_is_refused():
    x, labels = space(0, CENTRES)
    with pytest.raises(ParameterError, match="Two classes with more than 2 items in both"):
        label_level((x, labels), (x, [f"other {name}" for name in labels]), k=5)
    with pytest.raises(ParameterError, match="120 items but 1 labels"):
        class_side(x, ["a"], k=5)
