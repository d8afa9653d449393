"""Recommenders on one test: hand-computed figures, baselines, intervals, metrics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from comparison import RecommendationTest, measure_recommendation
from core.errors import DatasetError, ParameterError, UnknownKey
from core.modality import Modality
from ingest.dataset import Dataset, Edges
from ingest.sides import Sides
from vectors.keyed import KeyedVectors

USERS, ITEMS = 3, 5


@pytest.fixture
def data():
    sides = Sides(("user", "item"), (None, None), USERS)
    one = np.array([0], np.int32)
    return Dataset(
        "films",
        Modality.INTERACTIONS,
        ("u0", "u1", "u2", "a", "b", "c", "d", "e"),
        None,
        pd.DataFrame({"side": sides.kinds(8)}),
        {"side": "label"},
        edges=Edges(one, one + np.int32(USERS), np.ones(1, np.float32), True),
        sides=sides,
    )


@pytest.fixture
def test_of(data):
    return RecommendationTest.of(
        data,
        hidden=[(0, 0), (1, 0), (1, 1), (2, 2), (2, 0)],
        relevant=[(0, 1), (0, 4), (1, 2), (1, 2), (2, 0)],
    )


def space(items, metric="dot", users=((1, 0), (0, 1), (1, 1))):
    matrix = np.array([*users, *items], np.float32)
    keys = ["u0", "u1", "u2", "a", "b", "c", "d", "e"]
    return KeyedVectors(keys, matrix, kinds=["user"] * 3 + ["item"] * 5, metric=metric)


def test_recall_and_ndcg_by_hand(test_of):
    """User 0 is shown e, d (of b, e); user 1 c, d (of c); user 2's only one was hidden."""
    ours = space([(9, 9), (0, 0), (0, 3), (2, 1), (3, 0)])
    found = measure_recommendation({"ours": ours}, test_of, k=2)
    assert found.users.tolist() == [0, 1]
    assert found.scores["ours"].per_user.recall.tolist() == [0.5, 1.0]
    ideal = 1 + 1 / np.log2(3)
    np.testing.assert_allclose(found.scores["ours"].per_user.ndcg, [1 / ideal, 1.0])
    assert found.scores["ours"].recall.mean == 0.75
    popular = found.scores["most popular"]  # b, then c: user 0 is shown b, c; user 1 c, d
    assert popular.per_user.recall.tolist() == [0.5, 1.0]
    np.testing.assert_allclose(found.scores["chance"].per_user.recall, [2 / 4, 2 / 3])
    assert found.differences["ours", "most popular"][0].mean == 0
    assert ("ours", "chance") not in found.differences


def test_the_metric_of_the_vectors_ranks(test_of):
    items = [(9, 9), (10, 30), (0, 3), (2, 1), (3, 0)]
    recall = {
        metric: measure_recommendation({"ours": space(items, metric)}, test_of, k=1)
        .scores["ours"]
        .per_user.recall[0]
        for metric in ("dot", "cosine", "euclidean")
    }
    assert recall == {"dot": 0.5, "cosine": 0.5, "euclidean": 0.0}  # b; e; d


def test_intervals_hold_the_mean_and_repeat_with_the_seed(test_of):
    ours = {"ours": space([(9, 9), (0, 0), (0, 3), (2, 1), (3, 0)])}
    one, same = (measure_recommendation(ours, test_of, k=2, seed=3) for _ in range(2))
    interval = one.scores["ours"].recall
    assert interval.low <= interval.mean <= interval.high
    assert interval == same.scores["ours"].recall


def test_who_has_no_vector_is_shown_nothing_and_ties_come_in_random_order(data, test_of):
    blank = space([(1, 1)] * 5, "cosine", users=((0, 0),) * 3)
    found = measure_recommendation({"ours": blank}, test_of, k=2)
    assert found.scores["ours"].per_user.ndcg.tolist() == [0, 0]
    # The first of five equal items is no better an answer than the last.
    alike = space([(1, 1)] * 5, "cosine")
    for wanted in (0, 4):
        test = RecommendationTest.of(data, hidden=[], relevant=[(u, wanted) for u in range(3)])
        shares = [
            measure_recommendation({"ours": alike}, test, k=2, seed=s).scores["ours"].recall.mean
            for s in range(60)
        ]
        assert 0.2 < np.mean(shares) < 0.6, "by chance 2 of 5"


def test_what_cannot_be_measured_is_refused_in_one_sentence(data, test_of):
    with pytest.raises(DatasetError, match="Nothing is to be found"):
        RecommendationTest.of(data, hidden=[(0, 0)], relevant=[(0, 0)])
    graph = Dataset("g", Modality.GRAPH, ("a",), None)
    with pytest.raises(DatasetError, match="no users and items"):
        RecommendationTest.of(graph, hidden=[], relevant=[(0, 0)])
    ours = space([(1, 1)] * 5)
    with pytest.raises(ParameterError, match="name of a baseline"):
        measure_recommendation({"chance": ours}, test_of)
    with pytest.raises(UnknownKey):
        measure_recommendation({"ours": ours.of_kind("user")}, test_of)
