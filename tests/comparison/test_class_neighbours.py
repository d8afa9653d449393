"""Classes beside classes: by hand, golden figures, planted moves, other items."""

from __future__ import annotations

import numpy as np
import pytest
from digits import digits, neighbours

from comparison.class_moves import class_moves
from comparison.class_neighbours import class_neighbours, vote
from comparison.disagreement import disagreements
from core.errors import ParameterError


def digit_labels():
    from sklearn.datasets import load_digits

    return [str(label) for label in load_digits().target]


def test_shares_votes_and_what_is_left_out_are_right_by_hand():
    labels = ["a", "a", "a", "b", "b", "b", None, "b"]
    graph = np.array([[1, 3], [0, 6], [3, 4], [4, 0], [5, 6], [4, 3], [0, 1], [6, 6]])
    found = class_neighbours(graph, labels, 2)
    assert found.classes == ("a", "b")
    # a: (1/2, 1/2), (1, 0), (0, 1); b: (1/2, 1/2), (0, 1), (0, 1); the last has none.
    np.testing.assert_allclose(found.shares, [[0.5, 0.5], [1 / 6, 5 / 6]])
    np.testing.assert_array_equal(found.confusion, [[2, 1], [1, 2]])
    np.testing.assert_allclose(found.chance, [[2 / 6, 4 / 6], [3 / 6, 3 / 6]])
    assert (found.n_unlabelled, found.n_without, found.n, found.k) == (1, 1, 8, 2)
    assert found.accuracy == pytest.approx(4 / 6)


def test_neighbours_of_digits_vote_as_known():
    labels = digit_labels()
    assert class_neighbours(neighbours(None, 10), labels, 1).accuracy == pytest.approx(
        0.9883, abs=6e-4
    )
    ten = class_neighbours(neighbours(None, 10), labels, 10)
    assert ten.accuracy == pytest.approx(0.9822, abs=6e-4)
    hit = (np.diag(ten.shares) * ten.sizes).sum() / ten.n
    assert hit == pytest.approx(0.9651, abs=5e-4)


def test_the_first_by_name_wins_among_equally_frequent_classes():
    near = np.array([[2, 0, 0, 2], [1, 2, 2, 2], [-1, 2, 1, -1], [-1, -1, -1, -1]])
    np.testing.assert_array_equal(vote(near, 3), [0, 2, 1, -1])


def test_a_planted_move_comes_first_and_the_rest_is_noise():
    rng = np.random.default_rng(0)
    labels = [f"class {i % 6}" for i in range(600)]
    own = [rng.choice(np.arange(c, 600, 6), (100, 10)) for c in range(6)]
    one, two = np.empty((600, 10), int), np.empty((600, 10), int)
    for c in range(6):
        one[c::6] = own[c]
        two[c::6] = rng.choice(np.arange(c, 600, 6), (100, 10))
    two[2::6, :4] = rng.choice(np.arange(5, 600, 6), (100, 4))
    first, second = class_neighbours(one, labels), class_neighbours(two, labels)
    found = class_moves(first, second)
    top = found.moves[0]
    assert top.name == "class 2"
    assert top.moved == pytest.approx(0.4)
    assert top.moved > top.noise
    assert (top.gained[0], top.lost[0]) == ("class 5", "class 2")
    assert top.purity == pytest.approx((1, 0.6))
    assert all(move.moved == 0 for move in found.moves[1:])
    np.testing.assert_allclose(found.difference.sum(axis=1), 0, atol=1e-12)
    back = class_moves(second, first)
    np.testing.assert_allclose(back.difference, -found.difference)


def test_what_only_sampling_moved_stays_within_the_noise():
    rng = np.random.default_rng(1)
    labels = [str(i % 4) for i in range(400)]
    graphs = [rng.integers(0, 400, (400, 10)) for _ in range(2)]
    sides = [class_neighbours(graph, labels) for graph in graphs]
    for paired in (True, False):
        moves = class_moves(*sides, paired=paired).moves
        real = [move.moved > move.noise for move in moves]
        assert sum(real) <= 1
        assert real == sorted(real, reverse=True)
        assert all(0 < move.noise < 0.1 for move in moves)


def test_noisy_copies_of_one_space_have_no_class_that_moved():
    """An item that noise misplaces is in many lists at once: lists are not independent."""
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    labels = [str(i % 20) for i in range(400)]
    n_flagged = n_seen = n_found = 0
    for run in range(6):
        base = rng.normal(size=(20, 20)).repeat(20, axis=0).reshape(20, 20, 20)
        base = 0.8 * base.transpose(1, 0, 2).reshape(400, 20) + rng.normal(size=(400, 20))
        sides = []
        for shift in (0, 0, 1):
            space = base + rng.normal(size=base.shape)
            space[::20] += shift * 4
            graph = NearestNeighbors(n_neighbors=10).fit(space).kneighbors()[1]
            sides.append(class_neighbours(graph, labels))
        same, other = (class_moves(sides[0], side, seed=run).moves for side in sides[1:])
        n_seen += len(same)
        n_flagged += sum(move.moved > move.noise for move in same)
        n_found += other[0].name == "0" and other[0].moved > other[0].noise
    assert (n_seen, n_found) == (120, 6)
    assert n_flagged <= 2, "22 % of them when lists are exchanged one by one"


def test_spaces_of_other_items_are_compared_by_the_labels_they_share():
    labels = digit_labels()
    halves = [np.arange(0, 900), np.arange(900, 1_797)]
    sides = []
    for rows, extra in zip(halves, ("left", "right"), strict=True):
        from sklearn.neighbors import NearestNeighbors

        graph = NearestNeighbors(n_neighbors=10).fit(digits()[rows]).kneighbors()[1]
        some = [labels[i] for i in rows]
        some[:20] = [extra] * 20
        sides.append(class_neighbours(graph, some))
    found = class_moves(*sides, paired=False)
    assert found.classes == tuple("0123456789")
    assert (found.only_first, found.only_second) == (("left",), ("right",))
    assert found.alike > 0.3
    assert found.p < 0.05
    assert max(move.moved for move in found.moves) < 0.15
    with pytest.raises(ParameterError, match="paired=False"):
        class_moves(*sides)


def test_the_order_of_items_and_classes_does_not_matter():
    labels = np.array(digit_labels())[:500]
    graph = neighbours(None, 10) % 500
    order = np.random.default_rng(0).permutation(500)
    place = np.argsort(order)
    one = class_neighbours(graph[:500], labels.tolist())
    other = class_neighbours(place[graph[:500]][order], labels[order].tolist())
    np.testing.assert_allclose(one.shares, other.shares)
    np.testing.assert_array_equal(one.confusion, other.confusion)


def test_items_that_only_one_space_finds():
    labels = ["a", "a", "a", "b", "b", "b", None]
    good = np.array([[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4], [0, 1]])
    bad = np.array([[3, 4], [0, 3], [0, 1], [0, 1], [1, 2], [3, 4], [0, 1]])
    found = disagreements(good, bad, labels, k=2)
    assert found.rows.tolist() == [0, 3, 4]
    assert found.instead == ("b", "a", "a")
    np.testing.assert_allclose(found.first - found.second, [1, 1, 1])
    assert (found.both, found.only_first, found.only_second, found.neither) == (3, 3, 0, 0)
    assert found.p == pytest.approx(0.25)
    strict = disagreements(good, bad, labels, k=2, share=1.0)
    assert strict.rows.tolist() == [0, 3, 4, 1]
    assert strict.rule == "100% of the 2 neighbours"
    assert disagreements(bad, good, labels, k=2).only_second == 3
    assert (found.n_used, found.n_unlabelled) == (6, 1)


def test_what_classes_cannot_be_compared_is_told():
    graph = np.zeros((6, 2), int)
    with pytest.raises(ParameterError, match="Two classes"):
        class_neighbours(graph, ["a"] * 6, 2)
    with pytest.raises(ParameterError, match="5 labels"):
        class_neighbours(graph, ["a"] * 5, 2)
    with pytest.raises(ParameterError, match=r"\[1, 2\]"):
        class_neighbours(graph, ["a", "b"] * 3, 3)
    with pytest.raises(ParameterError, match="share must"):
        disagreements(graph, graph, ["a", "b"] * 3, k=2, share=0)
    one, two = (class_neighbours(graph, list(names), 2) for names in ("aaabbb", "cccddd"))
    with pytest.raises(ParameterError, match="0 are shared"):
        class_moves(one, two, paired=False)
