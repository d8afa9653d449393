"""What PCA vectors mean, and what is told about the columns of a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_datasets import small

from benchmarks.published_figures import iris_ratios
from core.errors import DatasetError, QueryError
from core.modality import Modality
from embedders import get_embedder
from ingest.dataset import Dataset
from ingest.samples import load_sample


def table(frame, **roles):
    ids = tuple(map(str, range(len(frame))))
    return Dataset("table", Modality.TABLE, ids, frame, columns=frame, roles=roles)


def vectors_of(matrix):
    ids = tuple(map(str, range(len(matrix))))
    return Dataset("v", Modality.VECTORS, ids, np.asarray(matrix, np.float32))


def notes(vectors):
    return " ".join(vectors.provenance["notes"])


def test_components_equal_the_svd_up_to_sign():
    data = small(Modality.VECTORS)
    ours = get_embedder("pca", dim=4).fit(data).vectors(data).matrix
    centred = data.items - data.items.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(ours), np.abs(u * s)[:, :4], atol=1e-5)


def test_iris_has_the_published_variance_ratios():
    assert iris_ratios() == [0.9246, 0.0531, 0.0171, 0.0052]


def test_fewer_components_than_asked_for_are_told():
    data = small(Modality.VECTORS)
    assert "50 components were asked for; the data has 6." in notes(
        get_embedder("pca").fit(data).vectors(data)
    )


def test_all_components_keep_every_distance():
    data = small(Modality.VECTORS)
    m = get_embedder("pca").fit(data).vectors(data).matrix
    before = np.linalg.norm(data.items[:1] - data.items, axis=1)
    np.testing.assert_allclose(np.linalg.norm(m[:1] - m, axis=1), before, atol=1e-4)


def test_standardising_makes_units_irrelevant():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 3)), columns=list("abc"))
    scaled = frame.assign(a=frame.a * 1_000 + 5)
    a, b = (get_embedder("pca").fit(table(f)).vectors(table(f)).matrix for f in (frame, scaled))
    np.testing.assert_allclose(np.abs(a), np.abs(b), atol=1e-4)
    raw = get_embedder("pca", standardise=False).fit(table(scaled)).vectors(table(scaled))
    assert raw.provenance["explained_variance_ratio"][0] > 0.999


def test_missing_values_are_filled_and_told():
    frame = pd.DataFrame(
        {"x": [1.0, 2.0, np.nan, 9.0, np.inf], "c": ["a", "b", "b", None, "b"], "y": range(5)}
    )
    data = table(frame, x="numeric", c="categorical", y="numeric")
    vectors = get_embedder("pca").fit(data).vectors(data)
    assert 'Column "x": 2 missing values were filled with the median, 2.' in notes(vectors)
    assert 'Column "c": 1 missing value was filled with the most frequent value, "b".' in notes(
        vectors
    )


def test_a_missing_value_equals_what_it_is_filled_with_unless_flagged():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan], "y": [0.0, 5.0, 1.0, 5.0]})
    data = table(frame)
    plain = get_embedder("pca").fit(data).vectors(data).matrix
    flagged = get_embedder("pca", missing_flags=True).fit(data).vectors(data).matrix
    np.testing.assert_allclose(plain[1], plain[3], atol=1e-6)
    assert np.linalg.norm(flagged[1] - flagged[3]) == pytest.approx(1, abs=1e-5)


def test_rare_values_are_grouped_and_told():
    values = ["a"] * 50 + ["b"] * 48 + [f"rare{i}" for i in range(2)]
    data = table(pd.DataFrame({"c": values, "n": range(100)}), c="categorical", n="numeric")
    vectors = get_embedder("pca", min_share=0.02).fit(data).vectors(data)
    assert 'one, "other", for 2 rare ones' in notes(vectors)
    few = get_embedder("pca", max_levels=2).fit(data).vectors(data)
    assert 'one, "other", for 2 rare ones' in notes(few)


def test_columns_without_information_are_left_out_and_told():
    frame = pd.DataFrame({"same": [1, 1, 1], "none": [None] * 3, "x": [1, 2, 3]})
    vectors = get_embedder("pca").fit(table(frame)).vectors(table(frame))
    assert 'Column "same" has the same value in all rows and was left out.' in notes(vectors)
    assert 'Column "none" has no value and was left out.' in notes(vectors)
    with pytest.raises(DatasetError, match="No column is left"):
        get_embedder("pca").fit(table(frame[["same", "none"]]))


def test_times_count_as_days():
    frame = pd.DataFrame({"day": ["2020-01-01", "2020-01-03", "2020-01-11", None]})
    data = table(frame, day="time")
    vectors = get_embedder("pca", standardise=False).fit(data).vectors(data)
    gaps = np.abs(vectors.matrix[1:, 0] - vectors.matrix[0, 0])
    np.testing.assert_allclose(gaps, [2, 10, 2], atol=1e-4)
    assert 'Column "day" counts as days.' in notes(vectors)
    assert "median, 2020-01-03" in notes(vectors)


def test_the_first_components_are_told_by_their_columns():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    frame = pd.DataFrame({"x": x, "twice": 2 * x, "noise": rng.normal(size=60)})
    vectors = get_embedder("pca").fit(table(frame)).vectors(table(frame))
    first = next(n for n in vectors.provenance["notes"] if n.startswith("Component 1"))
    assert first.index("x (") < first.index("noise")
    assert first.index("twice (") < first.index("noise")


def test_a_row_query_may_lack_columns_and_bring_new_values():
    data = small(Modality.TABLE)
    embedder = get_embedder("pca").fit(data)
    full = embedder.embed_query({"height": 180, "town": "Paris"})
    assert np.isfinite(full).all()
    with pytest.raises(QueryError, match="height"):
        embedder.embed_query({"no such column": 1})


def test_small_images_are_not_enlarged_and_grey_ones_lose_colour():
    data = small(Modality.IMAGE)
    vectors = get_embedder("pca", colour=False).fit(data).vectors(data)
    assert "resized to 8 x 8 pixels, grey" in notes(vectors)
    assert vectors.kind_names == ("image",)


def test_vectors_of_another_length_are_refused():
    embedder = get_embedder("pca").fit(small(Modality.VECTORS))
    with pytest.raises(QueryError, match="6 finite numbers"):
        embedder.embed_query([1.0, 2.0])
    with pytest.raises(QueryError, match="6 numbers"):
        embedder.vectors(vectors_of(np.eye(3)))


def test_equal_items_are_refused_in_one_sentence():
    with pytest.raises(DatasetError, match="All 3 items"):
        get_embedder("pca").fit(vectors_of(np.ones((3, 2))))


def test_directions_in_which_nothing_varies_are_left_out():
    frame = pd.DataFrame({"c": list("abcabc"), "n": [1, 5, 2, 8, 3, 1]})
    data = table(frame, c="categorical", n="numeric")
    assert get_embedder("pca").fit(data).vectors(data).dim == 3  # of four columns


@pytest.mark.parametrize("same_embedder", [True, False])
def test_images_decoded_for_the_fit_give_the_same_vectors_later(same_embedder):
    data = small(Modality.IMAGE)
    embedder = get_embedder("pca").fit(data)
    first = embedder.vectors(data).matrix
    if not same_embedder:
        embedder = get_embedder("pca").restore(embedder.state())
    assert embedder.vectors(data).matrix.tobytes() == first.tobytes()


def test_many_images_are_streamed_to_the_same_components(monkeypatch):
    digits = load_sample("digits")
    data = digits.subset(np.arange(700))  # enough for the exact solver when held
    held = get_embedder("pca", dim=10, colour=False).fit(data)
    monkeypatch.setattr("embedders.pca.STREAM_ABOVE", 1_000)
    embedder = get_embedder("pca", dim=10, colour=False)
    calls = []
    streamed = embedder.fit(data, lambda *call: calls.append(call[:3]))
    assert calls[-2:] == [(0, 1, "finding components"), (1, 1, "finding components")]
    monkeypatch.setattr(embedder, "_pixels", None)  # all images at once are never asked for
    a, b = held.vectors(data), streamed.vectors(data)
    np.testing.assert_allclose(b.matrix, a.matrix, atol=2e-4)
    np.testing.assert_allclose(
        b.provenance["explained_variance_ratio"],
        a.provenance["explained_variance_ratio"],
        atol=1e-5,
    )


def test_many_equal_images_are_refused_when_streamed(monkeypatch):
    monkeypatch.setattr("embedders.pca.STREAM_ABOVE", 10)
    one = small(Modality.IMAGE).items[0]
    ids = tuple(map(str, range(800)))
    data = Dataset("copies", Modality.IMAGE, ids, [one] * 800)
    with pytest.raises(DatasetError, match="All 800 items of copies are equal"):
        get_embedder("pca").fit(data)
