import numpy as np
import pytest

from core.errors import ParameterError
from vectors import KeyedVectors, cluster


def keyed(matrix, metric="euclidean"):
    return KeyedVectors([str(i) for i in range(len(matrix))], matrix, metric=metric)


def groups():
    rng = np.random.default_rng(0)
    sizes = (50, 90, 20)
    centres = np.repeat(np.eye(3, 6) * 20, sizes, axis=0)
    return centres + rng.normal(size=(160, 6)), np.repeat([1, 0, 2], sizes)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_separate_groups_are_found_largest_first(metric):
    matrix, expected = groups()
    found = cluster(keyed(matrix, metric), 3)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, expected)


def test_cosine_groups_are_directions_whatever_the_length():
    matrix, expected = groups()
    lengths = np.random.default_rng(1).uniform(0.01, 100, size=(160, 1))
    np.testing.assert_array_equal(cluster(keyed(matrix * lengths, "cosine"), 3), expected)


def test_large_collections_give_the_same_clusters_again():
    matrix = np.random.default_rng(2).normal(size=(20_500, 4))
    first, again = cluster(keyed(matrix), 6, seed=1), cluster(keyed(matrix), 6, seed=1)
    np.testing.assert_array_equal(first, again)
    assert set(first) == set(range(6))


def test_fewer_distinct_vectors_than_clusters():
    assert set(cluster(keyed(np.repeat(np.eye(2), 10, axis=0)), 5)) == {0, 1}
    assert cluster(keyed(np.ones((1, 3)))).tolist() == [0]
    assert cluster(KeyedVectors([], np.empty((0, 2)))).shape == (0,)


@pytest.mark.parametrize("n_clusters", [0, 161, True])
def test_number_of_clusters_out_of_range_is_refused(n_clusters):
    with pytest.raises(ParameterError, match=r"\[1, 160\]"):
        cluster(keyed(groups()[0]), n_clusters)
