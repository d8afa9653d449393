"""Graphs: edges among the nearest by hand, AUC as scikit-learn's, what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from bare_spaces import shared
from sklearn.metrics import roc_auc_score

from comparison.link_quality import edge_recall, link_prediction, two_sides
from core.errors import ParameterError

RING = np.array([[i, (i + 1) % 30] for i in range(30)])
TURN = np.arange(30) * 2 * np.pi / 30
CIRCLE = np.stack([np.cos(TURN), np.sin(TURN)], axis=1)


def nearest(matrix, k):
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -9)
    return np.argsort(-np.round(cosines, 9), axis=1, kind="stable")[:, :k].astype(np.int32)


def test_a_ring_is_kept_by_a_circle_and_not_by_noise():
    noise = np.random.default_rng(0).normal(size=(30, 2))
    items = shared("cosine", circle=CIRCLE, noise=noise)
    graphs = nearest(CIRCLE, 3), nearest(noise, 3)
    found = edge_recall(items, graphs, RING)
    assert found["circle"].value == 1
    assert found["noise"].value < 0.3
    assert found.chance == pytest.approx(2 / 29)
    kept = link_prediction(items, RING)
    assert kept["circle"].value == 1
    assert kept.measure == "reconstruction AUC"
    assert "may have been seen" in kept.warning
    assert kept["noise"].low < 0.5 < kept["noise"].high
    assert kept.difference("circle", "noise").tells_apart


def test_edge_recall_by_hand_also_beyond_the_depth_of_the_graph():
    """Node 0 has the neighbours 1 to 12 and 18 to 29; its 24 nearest are 1 to 24."""
    line = np.stack([np.ones(30), np.arange(30) / 100], axis=1)
    star = np.array([[0, j] for j in (*range(1, 13), *range(18, 30))])
    items = shared("cosine", line=line)
    found = edge_recall(items, (nearest(line, 2),), star)
    expected = [(12 + 7) / 24] + [0.0] * 24  # 2 is nearer to 1 than 0 is: angles shrink
    assert found["line"].per_unit.tolist() == pytest.approx(expected)
    assert found.left_out == {"nodes without an edge": 5}


def test_auc_of_held_out_edges_equals_scikit_learn():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(12, 4)).round(0) + 0.1
    every = np.array([(i, j) for i in range(12) for j in range(i + 1, 12)])
    known, held = every[:10], every[10:35]
    found = link_prediction(shared(x=matrix), known, held_out=held)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    cosines = (unit[every[10:, 0]] * unit[every[10:, 1]]).sum(axis=1).astype(np.float32).round(5)
    assert found.n == 25
    assert found.settings["non-edges"] == 31, "all pairs that have no edge"
    assert found["x"].value == pytest.approx(roc_auc_score(np.arange(56) < 25, cosines), abs=2e-3)
    assert found.measure == "link AUC"
    assert not found.warning


def test_what_is_no_edge_is_counted_and_few_are_refused():
    items = shared(x=CIRCLE)
    messy = np.vstack([RING, RING[:3, ::-1], [[4, 4], [-1, 2]]])
    found = link_prediction(items, messy)
    assert found.left_out == {
        "edges to nodes that are not in every space": 1,
        "loops": 1,
        "repeats of an edge": 3,
    }
    again = link_prediction(items, RING[5:], held_out=np.vstack([RING[:22], RING[5:6]]))
    assert again.left_out["held-out edges that are known edges too"] == 17
    assert again.refused == "5 edges are too few; 20 are needed."
    full = np.array([(i, j) for i in range(30) for j in range(i)])
    assert "no non-edges" in link_prediction(items, full).refused
    assert edge_recall(items, (nearest(CIRCLE, 2),), RING[:4]).refused
    with pytest.raises(ParameterError, match="names node 30"):
        link_prediction(items, RING + 1)


def test_random_spaces_are_told_apart_no_more_than_by_chance():
    """Non-edges are drawn too, and edges that share a node are no independent ones."""
    apart = misses = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        one, two = rng.normal(size=(2, 200, 8))
        found = link_prediction(shared(one=one, two=two), rng.integers(200, size=(400, 2)))
        apart += found.difference("one", "two").tells_apart
        misses += not found["one"].low <= 0.5 <= found["one"].high
    assert apart <= 8
    assert misses <= 8


@pytest.mark.parametrize("n_items", [60, 600])
def test_non_edges_of_a_graph_of_two_sides_go_from_side_to_side(n_items):
    """Vectors that hold the side alone: any edge is farther than a pair of one side."""
    rng = np.random.default_rng(0)
    n = 50 + n_items
    edges = np.stack([rng.integers(50, size=6 * n_items), rng.integers(50, n, 6 * n_items)], axis=1)
    side = np.arange(n) >= 50
    matrix = np.stack([np.where(side, 1.0, -1.0), rng.normal(size=n)], axis=1)
    found = link_prediction(shared(x=matrix), edges)
    assert found.settings["between"] == "the two sides"
    assert found["x"].value == pytest.approx(0.5, abs=0.05)
    sides = two_sides(n, edges)
    assert (sides[edges[:, 0]] == sides[0]).all()
    assert (sides[edges[:, 1]] == 1 - sides[0]).all()
    assert two_sides(n, np.vstack([edges, [[0, 1]]])) is None, "an edge within a side"
    assert two_sides(30, RING) is None, "even by accident"
