"""Graphs: edges among the nearest by hand, AUC as scikit-learn's, what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from bare_spaces import shared
from sklearn.metrics import roc_auc_score

from comparison.link_quality import edge_recall, link_prediction
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
    non_edges = found.settings["non-edges"]
    assert found.n == 25
    assert non_edges == 25
    full = link_prediction(shared(x=matrix), known, held_out=every[10:40])
    assert full.settings["non-edges"] == 26, "all pairs that have no edge"
    assert full["x"].value == pytest.approx(roc_auc_score(np.arange(56) < 30, cosines), abs=2e-3)
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
