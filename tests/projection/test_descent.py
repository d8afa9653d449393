import numpy as np
import pytest
from scipy.sparse import coo_matrix

from core.progress import quiet
from projection.descent import descend
from projection.warm import load_umap


@pytest.mark.parametrize("dims", [2, 3])
def test_descent_is_the_one_of_umap_learn(dims):
    umap = load_umap()
    rng = np.random.default_rng(0)
    weights = np.triu(rng.random((60, 60)) * (rng.random((60, 60)) < 0.1), 1)
    graph = coo_matrix(weights + weights.T)
    start = rng.normal(size=(60, dims)).astype(np.float32)
    a, b = umap.find_ab_params(1.0, 0.1)
    low, high = start.min(axis=0), start.max(axis=0)
    expected = np.ascontiguousarray(10 * (start - low) / (high - low), dtype=np.float32)
    random = np.random.RandomState(7)
    info = np.iinfo(np.int32)
    expected = umap.optimize_layout_euclidean(
        expected,
        expected,
        graph.row,
        graph.col,
        40,
        60,
        umap.make_epochs_per_sample(graph.data, 40),
        a,
        b,
        random.randint(info.min + 1, info.max - 1, 3).astype(np.int64),
        move_other=True,
    )
    found = descend(
        start, graph, 40, (a, b), np.random.RandomState(7), parallel=False, progress=quiet
    )
    np.testing.assert_allclose(found, expected, atol=1e-3)
