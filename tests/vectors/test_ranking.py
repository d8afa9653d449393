"""Lists of the best unseen items, and recall and nDCG against definitions written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ParameterError
from vectors.bootstrap import bootstrap_mean
from vectors.ranking import (
    NOBODY,
    ItemSets,
    best_items,
    chance_scores,
    hold_out,
    ranking_scores,
)


def sets(*items):
    pairs = [(user, item) for user, of in enumerate(items) for item in of]
    users, which = np.array(pairs, np.int64).reshape(-1, 2).T
    return ItemSets.of(users, which, len(items))


def everyone(n):
    return np.arange(n)


def test_repeated_pairs_are_one_and_items_ascend():
    found = ItemSets.of([1, 0, 1, 1], [3, 2, 3, 0], 3)
    assert [found[user].tolist() for user in range(3)] == [[2], [0, 3], []]
    assert found.sizes.tolist() == [1, 2, 0]


def test_recall_and_ndcg_by_hand():
    lists = np.array([[4, 1, 0], [2, 3, 1]], np.int32)
    relevant = sets([1, 7], [2, 0, 3, 5])
    scores = ranking_scores(lists, relevant, everyone(2))
    np.testing.assert_allclose(scores.recall, [1 / 2, 2 / 4])
    first = (1 / math.log2(3)) / (1 + 1 / math.log2(3))  # second of an ideal two
    second = (1 + 1 / math.log2(3)) / (1 + 1 / math.log2(3) + 1 / math.log2(4))
    np.testing.assert_allclose(scores.ndcg, [first, second])


def slow_scores(lists, relevant, k):
    """Return recall@k and nDCG@k as textbooks and ranx define them, one list at a time."""
    recall, ndcg = [], []
    for row, of in zip(lists, relevant, strict=True):
        gains = [1.0 if item in of else 0.0 for item in row]
        dcg = sum(g / math.log2(rank + 2) for rank, g in enumerate(gains))
        ideal = sum(1 / math.log2(rank + 2) for rank in range(min(k, len(of))))
        recall.append(sum(gains) / len(of) if of else math.nan)
        ndcg.append(dcg / ideal if of else math.nan)
    return recall, ndcg


@pytest.mark.parametrize("seed", range(8))
def test_figures_agree_with_the_definitions_on_random_lists(seed):
    rng = np.random.default_rng(seed)
    n_users, n_items, k = 30, 25, int(rng.integers(1, 12))
    lists = np.array([rng.permutation(n_items)[:k] for _ in range(n_users)], np.int32)
    relevant = [set(rng.permutation(n_items)[: rng.integers(0, 9)].tolist()) for _ in lists]
    found = ranking_scores(lists, sets(*relevant), everyone(n_users))
    recall, ndcg = slow_scores(lists, relevant, k)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.ndcg, ndcg)


def test_an_ideal_list_scores_one_and_a_longer_one_recalls_no_less():
    relevant = sets([5, 6], list(range(10)))
    ideal = np.array([[5, 6, 0, 1], [3, 2, 1, 0]], np.int32)
    assert ranking_scores(ideal, relevant, everyone(2)).ndcg.tolist() == [1.0, 1.0]
    longer = ranking_scores(ideal, relevant, everyone(2)).recall
    shorter = ranking_scores(ideal[:, :2], relevant, everyone(2)).recall
    assert (longer >= shorter).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_best_items_are_those_of_a_full_sort_without_hidden_ones(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, (40, 17)).astype(np.float32)  # many ties
    hidden = sets(*[rng.permutation(17)[: rng.integers(0, 15)].tolist() for _ in range(40)])
    found = best_items(lambda rows: scores[rows], everyone(40), 17, 6, hidden=hidden)
    for user in range(40):
        free = [i for i in range(17) if i not in set(hidden[user].tolist())]
        expected = sorted(free, key=lambda i: (-scores[user, i], i))[:6]
        assert found[user].tolist() == expected + [NOBODY] * (6 - len(expected))


def test_lists_are_the_same_however_users_are_divided_into_blocks(monkeypatch):
    scores = np.random.default_rng(0).random((50, 30), np.float32)
    whole = best_items(lambda rows: scores[rows], everyone(50), 30, 5)
    monkeypatch.setattr("vectors.ranking._BLOCK_SCORES", 100)
    assert (best_items(lambda rows: scores[rows], everyone(50), 30, 5) == whole).all()


def test_scores_that_are_given_are_not_written_to():
    counts = np.broadcast_to(np.array([3.0, 2.0, 1.0], np.float32), (2, 3))
    lists = best_items(lambda rows: counts[rows], everyone(2), 3, 5, hidden=sets([0], []))
    assert lists.tolist() == [[1, 2, NOBODY, NOBODY, NOBODY], [0, 1, 2, NOBODY, NOBODY]]


def test_a_list_of_no_items_is_refused():
    with pytest.raises(ParameterError, match="k must be"):
        best_items(lambda rows: np.zeros((1, 2), np.float32), everyone(1), 2, 0)


def test_chance_is_what_random_lists_reach():
    rng = np.random.default_rng(1)
    hidden, relevant = sets([0, 1, 2], []), sets([3, 4], [0, 5, 6, 7, 8, 9])
    expected = chance_scores(10, 4, hidden, relevant, everyone(2))
    drawn = [
        ranking_scores(
            best_items(lambda rows: rng.random((2, 10)), everyone(2), 10, 4, hidden=hidden),
            relevant,
            everyone(2),
        )
        for _ in range(4_000)
    ]
    np.testing.assert_allclose(np.mean([s.recall for s in drawn], 0), expected.recall, atol=0.01)
    np.testing.assert_allclose(np.mean([s.ndcg for s in drawn], 0), expected.ndcg, atol=0.01)


def test_the_interval_of_a_mean_is_about_two_standard_errors_wide():
    values = np.random.default_rng(0).normal(3, 2, 400)
    mean, low, high = bootstrap_mean(values, seed=1)
    assert mean == pytest.approx(values.mean())
    standard_error = values.std() / 20
    assert high - low == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
    assert low < mean < high
    assert np.isnan(bootstrap_mean(np.empty(0))).all()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_each_user_keeps_something_to_learn_from_and_gives_the_share(share):
    users = np.repeat(np.arange(60), np.arange(60))
    part = hold_out(np.random.default_rng(0).permutation(users), share, 3)
    users = np.random.default_rng(0).permutation(users)
    for user in range(1, 60):
        own = part[users == user]
        n_out, n = int((own > 0).sum()), len(own)
        assert (own == 0).any()
        assert n_out == (0 if n < 2 else min(n - 1, max(1, round(n * share))))
        assert 0 <= (own == 2).sum() - (own == 1).sum() <= 1


def test_the_division_is_drawn_anew_with_another_seed_and_repeats_with_the_same():
    users = np.repeat(np.arange(20), 15)
    one, same, other = (hold_out(users, 0.2, seed) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()
    assert not hold_out(users, 0.0, 1).any()
    assert len(hold_out(np.empty(0, np.int64), 0.2, 1)) == 0
