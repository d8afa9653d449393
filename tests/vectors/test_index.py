import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ParameterError, QueryError, UnknownKey
from core.modality import METRICS
from vectors import KeyedVectors, VectorIndex


def keyed(matrix, metric="cosine"):
    return KeyedVectors([f"k{i}" for i in range(len(matrix))], matrix, metric=metric)


def brute_force(matrix, query, metric, rows):
    """The k-nearest order by definition, in float64; equal float32 scores by position."""
    wide, q = matrix[rows].astype(np.float64), np.asarray(query, dtype=np.float64)
    if metric == "euclidean":
        scores = np.sqrt(((wide - q) ** 2).sum(axis=1))
        order = np.argsort(scores.astype(np.float32), kind="stable")
    else:
        scores = (wide * q).sum(axis=1)
        if metric == "cosine":
            lengths = np.sqrt((wide**2).sum(axis=1)) * np.sqrt((q**2).sum())
            scores = np.divide(scores, lengths, out=np.zeros_like(scores), where=lengths > 0)
        order = np.argsort(-scores.astype(np.float32), kind="stable")
    return rows[order], scores[order]


@st.composite
def searches(draw):
    n, d = draw(st.integers(1, 60)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    matrix = rng.normal(size=(n, d)).astype(np.float32) * draw(st.sampled_from([1.0, 1e-4, 300.0]))
    if draw(st.booleans()):  # few distinct values: ties, duplicates and zero rows
        matrix = rng.integers(-1, 2, size=(n, d)).astype(np.float32)
    mask = rng.random(n) < draw(st.sampled_from([0.1, 0.5, 1.0]))
    mask[rng.integers(n)] = True
    return matrix, mask if draw(st.booleans()) else None, draw(st.integers(1, n)), rng


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=60, deadline=None)
@given(case=searches())
def test_search_equals_brute_force_in_float64(metric, case):
    matrix, mask, k, rng = case
    rows = np.arange(len(matrix)) if mask is None else np.flatnonzero(mask)
    queries = np.vstack([matrix[:3], rng.normal(size=(2, matrix.shape[1]))])
    index = VectorIndex(keyed(matrix, metric))
    positions, scores = index.search_batch(queries, k, where=mask)
    for i, query in enumerate(queries):
        found = index.search(query, k, where=mask)
        expected, expected_scores = brute_force(matrix, query, metric, rows)
        scale = max(1.0, float(np.abs(expected_scores).max()))
        np.testing.assert_allclose(found.scores, expected_scores[:k], atol=1e-6 * scale)
        _same_up_to_rounding(found.positions, expected[:k], expected, expected_scores, scale)
        np.testing.assert_array_equal(positions[i], found.positions)
        np.testing.assert_array_equal(scores[i], found.scores)


def _same_up_to_rounding(found, expected, order, scores, scale):
    """Equal, except that scores a rounding apart (different sums, same value) may swap."""
    value = dict(zip(order.tolist(), scores.tolist(), strict=True))
    for a, b in zip(found.tolist(), expected.tolist(), strict=True):
        assert a == b or abs(value[a] - value[b]) <= 2e-7 * scale


@pytest.mark.parametrize("metric", METRICS)
def test_larger_collections_equal_brute_force_in_batches(metric):
    rng = np.random.default_rng(3)
    matrix = (rng.normal(size=(3_000, 48)) + 0.5).astype(np.float32)
    index = VectorIndex(keyed(matrix, metric))
    positions, scores = index.search_batch(matrix[:40] + 0.01, 15)
    for i in range(40):
        rows, expected = brute_force(matrix, matrix[i] + np.float32(0.01), metric, np.arange(3_000))
        np.testing.assert_array_equal(positions[i], rows[:15])
        np.testing.assert_allclose(scores[i], expected[:15], rtol=1e-6)


def test_equal_scores_come_in_order_of_position():
    matrix = np.tile(np.array([[0.1, 0.7, -0.3]], dtype=np.float32), (500, 1))
    index = VectorIndex(keyed(matrix))
    assert index.search(matrix[0] * 3, 7).positions.tolist() == list(range(7))
    positions, _ = index.search_batch(matrix[:3], 7)
    assert positions.tolist() == [list(range(7))] * 3


def test_graph_of_duplicates_never_lists_the_row_itself():
    rng = np.random.default_rng(0)
    matrix = np.vstack(
        [np.repeat(rng.normal(size=(1, 8)), 2_000, axis=0), rng.normal(size=(50, 8))]
    )
    graph = VectorIndex(keyed(matrix)).knn_graph(5)
    own = np.arange(len(matrix))[:, None]
    assert not (graph.ids == own).any()
    assert graph.ids[0].tolist() == [1, 2, 3, 4, 5]
    assert graph.ids[3].tolist() == [0, 1, 2, 4, 5]
    assert graph.scores[:2_000] == pytest.approx(1.0)


def test_graph_has_fewer_columns_when_there_are_fewer_rows():
    graph = VectorIndex(keyed(np.eye(4))).knn_graph(10)
    assert graph.ids.shape == (4, 3)
    assert VectorIndex(keyed(np.eye(1))).knn_graph(10).ids.shape == (1, 0)
    assert graph.first(2).ids.shape == (4, 2)


def test_graph_agrees_with_searching_each_key():
    matrix = np.random.default_rng(1).normal(size=(120, 6)).astype(np.float32)
    index = VectorIndex(keyed(matrix, "euclidean"))
    graph = index.knn_graph(9)
    for row in (0, 57, 119):
        found = index.search(f"k{row}", 9)
        np.testing.assert_array_equal(graph.ids[row], found.positions)
        np.testing.assert_array_equal(graph.scores[row], found.scores)


def test_key_excludes_its_row_but_not_its_twin():
    matrix = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    found = VectorIndex(keyed(matrix)).search("k0", 3)
    assert found.keys == ("k2", "k1")
    assert found.n_compared == 2
    assert found.engine == "exact, 2 compared"
    assert found.ranks.tolist() == [1, 2]


def test_vector_query_keeps_the_row_it_came_from():
    matrix = np.random.default_rng(2).normal(size=(30, 5))
    assert VectorIndex(keyed(matrix)).search(matrix[4], 1).keys == ("k4",)


def test_distance_is_lower_for_nearer_and_says_so():
    found = VectorIndex(keyed(np.array([[0.0], [3.0], [10.0]]), "euclidean")).search([1.0], 3)
    assert not found.higher_is_nearer
    assert found.scores.tolist() == [1.0, 2.0, 9.0]


def test_zero_vector_scores_zero_under_cosine():
    matrix = np.array([[0, 0], [1, 0], [-1, 0]], dtype=np.float32)
    index = VectorIndex(keyed(matrix))
    assert index.search([1.0, 0.0], 3).scores.tolist() == [1.0, 0.0, -1.0]
    assert index.search([0.0, 0.0], 3).scores.tolist() == [0.0, 0.0, 0.0]
    assert index.search("k0", 2).positions.tolist() == [1, 2]


@pytest.mark.parametrize("size", [1e-36, 1e30])
@pytest.mark.parametrize("metric", METRICS)
def test_extreme_magnitudes_are_ranked_right(metric, size):
    matrix = (np.array([[1, 0], [0.9, 0.2], [0, 1], [-1, 0]]) * size).astype(np.float32)
    index = VectorIndex(keyed(matrix, metric))
    assert index.search(matrix[0], 4).positions.tolist() == [0, 1, 2, 3]
    assert index.search_batch(matrix[:1], 4)[0].tolist() == [[0, 1, 2, 3]]


def test_large_offset_does_not_blur_euclidean_distances():
    matrix = (np.arange(400, dtype=np.float64)[:, None] * 0.25 + 50_000).astype(np.float32)
    matrix = np.repeat(matrix, 20, axis=1)
    index = VectorIndex(keyed(matrix, "euclidean"))
    assert sorted(index.search("k200", 4).positions.tolist()) == [198, 199, 201, 202]
    assert sorted(index.knn_graph(4).ids[200].tolist()) == [198, 199, 201, 202]


def test_fewer_come_back_where_the_mask_leaves_fewer():
    mask = np.array([False, True, False, True, False])
    index = VectorIndex(keyed(np.eye(5)))
    assert index.search([1, 0, 0, 0, 0], 4, where=mask).keys == ("k1", "k3")
    assert index.search_batch(np.eye(5), 4, where=mask)[0].shape == (5, 2)
    assert index.search("k1", 4, where=mask).engine == "exact, 1 compared"


@pytest.mark.parametrize("k", [0, -1, 6, 2.5, True])
def test_k_out_of_range_is_refused(k):
    with pytest.raises(ParameterError, match=r"k must be an integer in \[1, 5\]"):
        VectorIndex(keyed(np.eye(5))).search([1, 0, 0, 0, 0], k)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ([1.0, 2.0], r"shape \(2,\), the vectors here need \(5,\)"),
        ([[1.0] * 5], r"shape \(1, 5\)"),
        ([np.nan] * 5, "NaN or infinity"),
        (["a"] * 5, "numbers only"),
    ],
)
def test_unusable_query_is_refused(query, message):
    with pytest.raises(QueryError, match=message):
        VectorIndex(keyed(np.eye(5))).search(query, 1)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones(4, bool), r"shape \(4,\)"),
        (np.ones(5, int), "dtype int64"),
        (np.zeros(5, bool), "leaves no vector"),
    ],
)
def test_unusable_filter_is_refused(mask, message):
    with pytest.raises(QueryError, match=message):
        VectorIndex(keyed(np.eye(5))).search("k1", 1, where=mask)


def test_unknown_key_and_empty_collection_are_refused():
    with pytest.raises(UnknownKey):
        VectorIndex(keyed(np.eye(3))).search("nobody", 1)
    with pytest.raises(QueryError, match="no vectors"):
        VectorIndex(KeyedVectors([], np.empty((0, 3)))).search([1, 0, 0], 1)


def test_memory_mapped_vectors_are_searched_in_place(tmp_path):
    path = tmp_path / "vectors.npy"
    np.save(path, np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32))
    vectors = keyed(np.load(path, mmap_mode="r"))
    index = VectorIndex(vectors)
    assert np.shares_memory(index._scoring.matrix, vectors.matrix)
    assert index.search("k3", 2).positions.shape == (2,)


def clustered(n=6_000, dim=24, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(60, dim)) * 2
    return (centres[rng.integers(60, size=n)] + rng.normal(size=(n, dim))).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
def test_approximate_search_reaches_its_recall_and_says_so(metric):
    vectors = keyed(clustered(), metric)
    approximate = VectorIndex(vectors, exact=False)
    truth, _ = VectorIndex(vectors).search_batch(vectors.matrix[:300], 10)
    found, _ = approximate.search_batch(vectors.matrix[:300], 10)
    recall = np.mean([np.isin(t, f).mean() for t, f in zip(truth, found, strict=True)])
    assert recall >= 0.96
    answer = approximate.search("k5", 3)
    assert not answer.exact
    assert answer.engine.startswith("IVF nprobe ")
    assert "approximate" in answer.engine
    assert not approximate.knn_graph(4).exact


def test_filtered_search_is_exact_in_an_approximate_index():
    vectors = keyed(clustered())
    mask = np.arange(len(vectors)) % 7 == 0
    answer = VectorIndex(vectors, exact=False).search("k5", 5, where=mask)
    expected = VectorIndex(vectors).search("k5", 5, where=mask)
    assert answer.exact
    np.testing.assert_array_equal(answer.positions, expected.positions)


def test_approximate_search_of_more_than_one_cell_gives_k_answers():
    vectors = keyed(clustered(n=400))
    answer = VectorIndex(vectors, exact=False).search("k5", 399)
    assert len(set(answer.positions.tolist())) == 399


def test_index_is_shared_between_threads():
    vectors = keyed(clustered(n=3_000))
    index = VectorIndex(vectors, exact=False)
    expected = VectorIndex(vectors, exact=False).search("k7", 5).positions.tolist()
    found: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: found.append(index.search("k7", 5).positions.tolist()))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 6
