"""Which edges of a graph travel to the map, in which order, and what is said of the others."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from components.embedding_map import EDGE_LIMIT, MapEdges, MapLook, MapScene, draw_limit
from components.embedding_map.single import _look_bytes
from core.errors import ParameterError


def scene(n: int, pairs: Any, weight: Any = None, dims: int = 2, **more: Any) -> MapScene:
    ends = np.asarray(pairs, np.int32).reshape(-1, 2)
    given = None if weight is None else np.asarray(weight, np.float32)
    points = np.random.default_rng(0).normal(size=(n, dims)).astype(np.float32)
    return MapScene(
        coordinates=points, edges=MapEdges(ends[:, 0], ends[:, 1], given, **more), keys=None
    )


def sent(one: MapScene) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in one.body[1]["edges"].reshape(-1, 2)}


def test_a_small_graph_is_sent_whole_in_two_bytes_per_end() -> None:
    one = scene(4, [(0, 1), (2, 1), (3, 0)])
    header, blocks = one.body
    assert sent(one) == {(0, 1), (2, 1), (3, 0)}
    assert blocks["edges"].dtype == np.uint16
    assert "strengths" not in blocks
    assert "degrees" not in blocks  # the browser can count them
    assert header["edges"] == {
        "total": 3,
        "loops": 0,
        "chosen": "",
        "weights": None,
        "directed": False,
        "noun": "node",
    }
    assert not one.cuts_edges


def test_rows_of_many_points_need_four_bytes() -> None:
    one = scene(70_000, [(0, 69_999)])
    assert one.body[1]["edges"].dtype == np.int32
    assert sent(one) == {(0, 69_999)}


def test_loops_are_left_out_and_counted() -> None:
    one = scene(3, [(0, 0), (0, 1), (2, 2)])
    assert sent(one) == {(0, 1)}
    assert one.body[0]["edges"]["loops"] == 2
    assert one.body[0]["edges"]["total"] == 3


@pytest.mark.parametrize("pairs", [[], [(1, 1)]])
def test_a_graph_without_lines_can_be_mapped(pairs: list[tuple[int, int]]) -> None:
    header, blocks = scene(3, pairs).body
    assert blocks.get("edges", np.empty(0)).size == 0
    assert (header["edges"] or {"total": 0})["total"] == len(pairs)


def test_heavier_edges_come_first_in_four_classes_of_a_logarithmic_scale() -> None:
    pairs = [(0, i) for i in range(1, 9)]
    one = scene(9, pairs, [1, 2, 4, 8, 16, 32, 64, 128])
    assert [int(b) for b in one.body[1]["edges"][1::2]] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert one.body[1]["strengths"].tolist() == [3, 3, 2, 2, 1, 1, 0, 0]
    assert one.body[0]["edges"]["weights"] == ["1", "128"]


def test_ratings_of_zero_and_less_are_drawn_on_a_linear_scale() -> None:
    one = scene(6, [(0, i) for i in range(1, 6)], [-2, -1, 0, 1, 2])
    assert [int(b) for b in one.body[1]["edges"][1::2]] == [5, 4, 3, 2, 1]
    assert one.body[1]["strengths"].tolist() == [3, 3, 2, 0, 0]
    assert one.body[0]["edges"]["weights"] == ["-2", "2"]


def test_one_huge_weight_does_not_make_all_others_thin() -> None:
    weight = np.r_[np.tile([1.0, 10.0], 500), 1e9]
    rng = np.random.default_rng(1)
    one = scene(1_200, [(i, 1_100 + rng.integers(99)) for i in range(1_001)], weight)
    assert np.unique(one.body[1]["strengths"]).tolist() == [0, 3]


def test_equal_weights_make_no_classes() -> None:
    one = scene(4, [(0, 1), (2, 1), (3, 3)], [2, 2, 9])  # the loop is not drawn
    assert "strengths" not in one.body[1]
    assert one.body[0]["edges"]["weights"] is None


def many(m: int, n: int = 3_000) -> np.ndarray:
    """Return ``m`` different pairs without loops."""
    place = np.random.default_rng(2).choice(n * (n - 1), m, replace=False)
    source, target = place // (n - 1), place % (n - 1)
    return np.column_stack([source, target + (target >= source)])


def test_too_many_edges_are_sampled_the_same_way_each_time_and_degrees_told() -> None:
    pairs = many(EDGE_LIMIT + 40_000)
    one, again = scene(3_000, pairs), scene(3_000, pairs)
    assert len(sent(one)) == EDGE_LIMIT
    assert sent(one) <= set(map(tuple, pairs.tolist()))
    assert np.array_equal(one.body[1]["edges"], again.body[1]["edges"])
    assert one.body[0]["edges"]["chosen"] == "a random sample, seed 0"
    assert one.cuts_edges
    linked = set(pairs[pairs[:, 0] == 7][:, 1]) | set(pairs[pairs[:, 1] == 7][:, 0])
    assert one.body[1]["degrees"][7] == len(linked)


def test_of_too_many_weighted_edges_the_heaviest_are_sent() -> None:
    pairs = many(EDGE_LIMIT + 5_000)
    weight = np.random.default_rng(3).permutation(len(pairs)) + 1.0
    one = scene(3_000, pairs, weight)
    assert sent(one) == set(map(tuple, pairs[weight > 5_000].tolist()))
    assert one.body[0]["edges"]["chosen"] == "the heaviest"


def test_any_beginning_of_the_list_is_spread_over_the_graph() -> None:
    one = scene(2_000, [(i, i + 1) for i in range(1_999)])
    first = one.body[1]["edges"][0:400:2]
    assert 800 < first.mean() < 1_200


def test_edges_follow_the_sampled_points() -> None:
    n = draw_limit(3) + 5_000
    one = scene(n, np.column_stack([np.arange(n - 1), np.arange(1, n)]), dims=3)
    back = one.drawn[np.asarray(one.body[1]["edges"], np.int64).reshape(-1, 2)]
    assert (back[:, 1] - back[:, 0] == 1).all()
    assert one.body[0]["edges"]["total"] == n - 1


def test_the_focus_can_name_links_that_were_not_sent() -> None:
    one = scene(5, [(0, 1)])
    told = _look_bytes(one, MapLook(focus=0, linked=np.array([1, 4]), show_edges=False), "map")
    header = json.loads(told[4 : 4 + struct.unpack("<I", told[:4])[0]])
    assert header["linked"] == [1, 4]
    assert header["showEdges"] is False


@pytest.mark.parametrize("pair", [(1, 3), (-1, 0)])
def test_an_edge_to_no_point_is_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(ParameterError, match="outside the 3 points"):
        scene(3, [(0, 1), pair])


def test_ends_of_different_number_are_refused() -> None:
    with pytest.raises(ParameterError, match="2 sources and 3 targets"):
        MapEdges(np.zeros(2, np.int32), np.zeros(3, np.int32))
    with pytest.raises(ParameterError, match="1 weights"):
        MapEdges(np.zeros(2, np.int32), np.zeros(2, np.int32), np.ones(1, np.float32))
