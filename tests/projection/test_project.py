import numpy as np
import pytest
from sklearn.datasets import load_digits

from core.errors import Cancelled, ParameterError, QueryError
from core.progress import quiet
from projection import list_projections, project
from vectors import KeyedVectors, VectorIndex

METHODS = [method.id for method in list_projections()]


def keyed(matrix, metric="euclidean"):
    return KeyedVectors([str(i) for i in range(len(matrix))], matrix, metric=metric)


@pytest.fixture(scope="module")
def digits():
    return keyed(load_digits().data[:400])


def groups(n=120, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.repeat(np.eye(3, 10) * 9, n // 3, axis=0)
    return centres + rng.normal(size=(n, 10))


@pytest.mark.parametrize("n_components", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_layout_is_centred_finite_frozen_and_repeatable(digits, method, n_components):
    first = project(digits, method, n_components=n_components, seed=3)
    again = project(digits, method, n_components=n_components, seed=3, with_quality=False)
    assert first.coordinates.shape == (400, n_components)
    assert first.coordinates.dtype == np.float32
    assert np.isfinite(first.coordinates).all()
    assert np.abs(first.coordinates.mean(axis=0)).max() < 1e-4 * np.abs(first.coordinates).max()
    assert first.coordinates.tobytes() == again.coordinates.tobytes()
    assert first.quality.trustworthiness > 0.8
    assert again.quality is None
    with pytest.raises(ValueError, match="read-only"):
        first.coordinates[0, 0] = 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_groups_of_the_space_are_groups_of_the_picture(method, metric):
    layout = project(keyed(groups(), metric), method)
    nearest = VectorIndex(keyed(layout.coordinates)).knn_graph(5).ids
    labels = np.repeat([0, 1, 2], 40)
    assert (labels[nearest] == labels[:, None]).mean() > 0.95


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8, 16, 31])
def test_few_points_are_drawn(method, n):
    layout = project(keyed(np.random.default_rng(n).normal(size=(n, 3))), method)
    assert layout.coordinates.shape == (n, 2)
    assert np.isfinite(layout.coordinates).all()


@pytest.mark.parametrize("method", METHODS)
def test_one_point_and_equal_points_lie_at_the_origin(method):
    one = project(keyed([[4.0, 2.0]]), method)
    assert one.coordinates.tolist() == [[0, 0]]
    assert "one point" in one.notes[0]
    same = project(keyed(np.ones((30, 4))), method, n_components=3)
    assert not same.coordinates.any()
    assert any("equal" in note for note in same.notes)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_many_duplicates_and_zero_rows_are_drawn(method, metric):
    matrix = np.vstack([np.repeat(groups(6), 40, axis=0), np.zeros((20, 10))])
    layout = project(keyed(matrix, metric), method)
    assert np.isfinite(layout.coordinates).all()
    assert np.ptp(layout.coordinates) > 0


@pytest.mark.parametrize("method", METHODS)
def test_one_column_is_drawn(method):
    layout = project(keyed(np.arange(40.0)[:, None]), method)
    assert np.isfinite(layout.coordinates).all()


def test_falling_apart_graph_starts_from_pca_and_says_so():
    matrix = np.vstack([groups(60)[:20], groups(60)[:20] + 1000, groups(60)[:20] - 1000])
    layout = project(keyed(matrix), "umap", preset="local")
    assert any("parts; the layout starts from PCA" in note for note in layout.notes)


def test_umap_uses_the_graph_it_is_given(digits):
    graph = VectorIndex(digits).knn_graph(20)
    given = project(digits, "umap", graph=graph, with_quality=False)
    own = project(digits, "umap", with_quality=False)
    assert given.coordinates.tobytes() == own.coordinates.tobytes()


def test_umap_does_not_trust_a_graph_of_another_metric(digits):
    graph = VectorIndex(digits, metric="cosine").knn_graph(20)
    given = project(digits, "umap", graph=graph, with_quality=False)
    own = project(digits, "umap", with_quality=False)
    assert given.coordinates.tobytes() == own.coordinates.tobytes()


def test_graph_of_other_vectors_is_refused(digits):
    graph = VectorIndex(keyed(groups())).knn_graph(20)
    with pytest.raises(ParameterError, match="120 rows, the vectors 400"):
        project(digits, graph=graph)


def test_another_seed_draws_another_umap(digits):
    first = project(digits, "umap", seed=1, with_quality=False)
    second = project(digits, "umap", seed=2, with_quality=False)
    assert not np.array_equal(first.coordinates, second.coordinates)


def test_two_thread_umap_is_as_good(digits):
    layout = project(digits, "umap", reproducible=False)
    assert layout.quality.trustworthiness > 0.95


def test_umap_reports_every_epoch(digits):
    seen = []
    project(
        digits,
        "umap",
        effort="draft",
        with_quality=False,
        progress=lambda done, total, stage="", note="": seen.append((stage, done, total)),
    )
    epochs = [(done, total) for stage, done, total in seen if stage == "epochs"]
    assert epochs == [(i, 100) for i in range(1, 101)]


@pytest.mark.parametrize("stage", ["neighbours", "epochs", "quality"])
def test_cancel_stops_a_umap(digits, stage):
    calls = []

    def cancel(done, total, now="", note=""):
        if now == stage:
            calls.append(done)
            if done > 2:
                raise Cancelled

    with pytest.raises(Cancelled):
        project(digits, "umap", progress=cancel)
    assert calls
    assert project(digits, "umap", progress=quiet, with_quality=False).coordinates.any()


def test_pca_states_the_variance_it_explains():
    matrix = load_digits().data
    layout = project(keyed(matrix), "pca")
    assert layout.notes == ("Explained variance: 14.9% + 13.6% = 28.5%.",)


def test_pca_equals_the_singular_value_decomposition_with_a_fixed_sign():
    rng = np.random.default_rng(0)
    for shape in [(50, 8), (8, 50)]:
        matrix = rng.normal(size=shape) * np.linspace(5, 1, shape[1])
        found = project(keyed(matrix), "pca", n_components=3).coordinates
        centred = matrix - matrix.mean(axis=0)
        left, values, right = np.linalg.svd(centred, full_matrices=False)
        signs = np.sign(right[np.arange(3), np.abs(right[:3]).argmax(axis=1)])
        np.testing.assert_allclose(found, (left * values)[:, :3] * signs, atol=1e-4)


def test_tsne_reduces_a_perplexity_that_is_too_large():
    layout = project(keyed(groups(30)), "tsne", perplexity=30)
    assert any("Perplexity was reduced to 9" in note for note in layout.notes)


def test_details_win_over_the_preset(digits):
    layout = project(digits, "umap", preset="global", n_neighbors=7, min_dist=0.0)
    assert any(note.startswith("7 neighbours, minimum distance 0,") for note in layout.notes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "umpa"}, "no projection 'umpa'; choose one of: umap, pca, tsne"),
        ({"n_components": 4}, "must be 2 or 3, got 4"),
        ({"seed": -1}, "seed must be"),
        ({"neighbours": 5}, "no setting 'neighbours'"),
        ({"preset": "nearby"}, "one of 'local', 'balanced', 'global'"),
    ],
)
def test_wrong_settings_are_refused(digits, arguments, message):
    with pytest.raises(ParameterError, match=message):
        project(digits, **arguments)


def test_no_vectors_are_refused():
    with pytest.raises(QueryError, match="no vectors to lay out"):
        project(KeyedVectors([], np.empty((0, 3))))
