"""One item in several spaces: against naive lists, ranks and sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparison.item_view import ItemView
from comparison.shared_items import join
from core.errors import ParameterError, QueryError
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

METRICS = ("cosine", "dot", "euclidean")


def spaces(n=80, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    ids = [str(i) for i in range(n)]
    made = {}
    for d, metric in zip((4, 6, 3), METRICS, strict=True):
        matrix = rng.integers(-2, 3, (n, d)) if ties else rng.normal(size=(n, d))
        made[metric] = KeyedVectors(ids, matrix, metric=metric)
    return made


def view(made, depth=20):
    items = join(made)
    graphs = [VectorIndex(space).knn_graph(depth).ids for space in made.values()]
    return ItemView(items, graphs), graphs


def test_neighbours_of_an_item_are_joined():
    made = spaces()
    seen, graphs = view(made)
    found = seen.of_item(7, k=5)
    nearest = [set(graph[7, :5].tolist()) for graph in graphs]
    assert set(found.rows) == set.union(*nearest)
    assert set(found.shared) == set.intersection(*nearest)
    assert set(found.unique_to("dot")) == nearest[1] - nearest[0] - nearest[2]
    for s, graph in enumerate(graphs):
        for row, rank in zip(found.rows, found.ranks[:, s], strict=True):
            place = np.flatnonzero(graph[7] == row)
            assert rank == (place[0] + 1 if len(place) else 0)
    sums = [sum(1 / (60 + r) for r in ranks if r) for ranks in found.ranks.tolist()]
    np.testing.assert_allclose(found.fused, sums)
    assert (np.diff(found.fused) <= 0).all()
    change = found.rank_change("cosine", "euclidean")
    both = (found.ranks[:, 0] > 0) & (found.ranks[:, 2] > 0)
    np.testing.assert_array_equal(change[both], (found.ranks[:, 2] - found.ranks[:, 0])[both])
    assert np.isnan(change[~both]).all()
    x = made["euclidean"].matrix.astype(float)
    np.testing.assert_allclose(
        found.scores[:, 2], np.linalg.norm(x[found.rows] - x[7], axis=1), rtol=1e-5
    )


@given(st.integers(0, 500), st.integers(0, 59), st.booleans())
@settings(max_examples=15, deadline=None)
def test_exact_ranks_are_those_of_the_full_list(seed, row, ties):
    made = spaces(60, seed, ties)
    seen, _ = view(made, depth=5)
    found = seen.of_item(row, k=5)
    ranks = seen.exact_ranks(found, row)
    for s, space in enumerate(made.values()):
        whole = VectorIndex(space).search(str(row), 59).positions
        place = {int(r): i + 1 for i, r in enumerate(whole)}
        assert ranks[:, s].tolist() == [place[int(r)] for r in found.rows]
    known = found.ranks > 0
    np.testing.assert_array_equal(ranks[known], found.ranks[known])


def test_a_query_is_asked_where_a_space_has_a_vector_for_it():
    made = spaces()
    seen, _ = view(made)
    vectors = [np.ones(4), None, np.ones(3)]
    found = seen.of_query(vectors, k=5, depth=30)
    assert found.asked == (True, False, True)
    expected = [
        VectorIndex(made[m]).search(np.ones(d), 30)
        for m, d in zip(METRICS[::2], (4, 3), strict=True)
    ]
    for s, each in zip((0, 2), expected, strict=True):
        for row, rank in zip(found.rows, found.ranks[:, s], strict=True):
            place = np.flatnonzero(each.positions == row)
            assert rank == (place[0] + 1 if len(place) else 0)
    assert (found.ranks[:, 1] == 0).all()
    assert np.isnan(found.scores[:, 1]).all()
    assert set(found.shared) == set(expected[0].positions[:5]) & set(expected[1].positions[:5])
    exact = seen.exact_query_ranks(found, vectors)
    assert (exact[:, [0, 2]] > 0).all()
    known = found.ranks > 0
    np.testing.assert_array_equal(exact[known], found.ranks[known])


def test_a_query_near_an_item_finds_it_first_everywhere():
    made = spaces()
    seen, _ = view({name: made[name] for name in ("cosine", "euclidean")})
    found = seen.of_query([made["cosine"].matrix[3], made["euclidean"].matrix[3]])
    assert found.rows[0] == 3
    assert found.ranks[0].tolist() == [1, 1]


def test_what_cannot_be_seen_is_told():
    made = spaces()
    seen, graphs = view(made)
    with pytest.raises(ParameterError, match=r"row must be an integer in \[0, 79\]"):
        seen.of_item(80)
    with pytest.raises(ParameterError, match=r"\[1, 20\]"):
        seen.of_item(0, k=21)
    with pytest.raises(QueryError, match="No space"):
        seen.of_query([None] * 3)
    with pytest.raises(QueryError, match="6 finite numbers"):
        seen.of_query([None, np.ones(5), None])
    with pytest.raises(QueryError, match="3 vectors"):
        seen.of_query([None])
    with pytest.raises(ParameterError, match="no space 'x'"):
        seen.of_item(0).unique_to("x")
    with pytest.raises(ParameterError, match="all shared items"):
        ItemView(join(made), graphs[:2])
