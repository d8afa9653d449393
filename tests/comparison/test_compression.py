"""Compression: laws that must hold, figures by hand, and spaces that would break it."""

from __future__ import annotations

import numpy as np
import pytest

from comparison.compression import compress, frontier
from comparison.vector_codes import Code, Codec, through_int8, usual_codes
from core.errors import ParameterError
from embedders.precision import ranges_of, to_int8, to_signs


def cloud(n=300, d=16, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, d)) / np.arange(1, d + 1) ** 0.5).astype(np.float32)


def recalls(x, metric="cosine", codes=None, **how):
    result = compress(x, metric, codes=codes, **how)
    return {row.label: row.recall.mean for row in result.rows}


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_nothing_is_lost_where_nothing_is_dropped(metric):
    x = cloud() + 0.5
    x[[3, 7]] = 0  # no direction
    x[20:24] = x[10]  # duplicates
    whole = recalls(x, metric, [Code("full"), Code("pca", 16), Code("random", 16)])
    assert whole["as they are"] == 1
    assert whole["PCA 16"] > 0.998
    assert whole["random 16"] > 0.998
    assert recalls(x, metric, [Code("prefix", 16)])["first 16"] == 1


def test_more_bytes_keep_more():
    kept = recalls(cloud(600, 32), codes=usual_codes(32))
    for name in ("PCA", "random", "first"):
        line = [kept[f"{name} {size}"] for size in (2, 4, 8, 16)]
        assert line == sorted(line)
    assert kept["product 1 B"] < kept["product 2 B"] < kept["product 4 B"]
    assert kept["binary"] < kept["binary, rescored"] < kept["int8"] < kept["fp16"]
    assert kept["fp16"] > 0.99
    assert kept["PCA 8"] > kept["random 8"] + 0.1
    assert kept["PCA 8, int8"] == pytest.approx(kept["PCA 8"], abs=0.03)


def test_turning_the_space_changes_nothing_for_pca():
    x = cloud()
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((16, 16)))[0]
    codes = [Code("pca", 4), Code("pca", 8)]
    for metric in ("cosine", "dot", "euclidean"):
        one = recalls(x, metric, codes)
        two = recalls((x @ turn).astype(np.float32), metric, codes)
        assert two == pytest.approx(one, abs=0.002)


def test_pca_under_cosine_is_the_cosine_with_the_decoded_vectors():
    x = cloud() + 0.3
    rows = np.arange(40)
    codec = Codec(x, "cosine", rows, 0)
    kept = codec.keep(Code("pca", 5))
    mean = codec.x.mean(axis=0, dtype=np.float64)
    directions = np.linalg.svd(codec.x - mean, full_matrices=False)[2][:5]
    decoded = mean + (codec.x - mean) @ directions.T @ directions
    expected = codec.x[rows] @ decoded.T / np.linalg.norm(decoded, axis=1)
    lengths = np.linalg.norm(kept.items, axis=1)
    assert kept.queries @ kept.items.T / lengths == pytest.approx(expected, abs=1e-5)


def test_the_codes_are_those_of_the_packed_vectors():
    x = cloud()
    x[:, 3] = 2.0  # a constant dimension
    ranges = ranges_of(x)
    steps = (ranges[1] - ranges[0]) / 255
    middle = ranges[0] + (to_int8(x, ranges) + 128.5) * steps
    np.testing.assert_allclose(through_int8(x), middle, atol=2e-6)
    assert np.abs(through_int8(x) - x).max() <= steps.max() / 2 + 1e-6
    codec = Codec(x, "dot", np.arange(3), 0)
    np.testing.assert_array_equal(codec.keep(Code("binary")).items, to_signs(x))


def test_hamming_neighbours_by_hand_with_ties_to_the_lower_row():
    x = np.array([[1, 1, 1], [1, 1, 0.9], [1, -1, 1], [-1, 1, 1], [-1, -1, -1.0]])
    found = compress(x, "euclidean", codes=[Code("binary"), Code("rescored")], k=2)
    # True: 0 → 1, then 2 and 3 tie. Signs: the same; 4 → 2, 3 (two signs each), true 1 is third.
    true = [{1, 2}, {0, 2}, {0, 1}, {0, 1}, {2, 3}]
    signs = [{1, 2}, {0, 2}, {0, 1}, {0, 1}, {2, 3}]
    expected = np.mean([len(a & b) / 2 for a, b in zip(true, signs, strict=True)])
    assert [row.recall.mean for row in found.rows] == [expected, 1.0]
    assert [row.vector_bytes for row in found.rows] == [1, 1]
    assert [row.bytes_per_million for row in found.rows] == [1_000_000, 13_000_000]


def test_bytes_and_what_is_paid_once():
    result = compress(cloud(600, 32), codes=usual_codes(32), n_queries=50)
    size = {row.label: (row.vector_bytes, row.codebook_bytes) for row in result.rows}
    assert size["as they are"] == (128, 0)
    assert size["fp16"] == (64, 0)
    assert size["int8"] == (32, 2 * 4 * 32)
    assert size["binary"] == (4, 0)
    assert size["PCA 8"] == (32, 4 * (8 * 32 + 32))
    assert size["PCA 8, int8"] == (8, 4 * (8 * 32 + 32) + 2 * 4 * 8)
    assert size["product 4 B"] == (4, 4 * 256 * 32)
    assert "600 items" in next(r.note for r in result.rows if r.label == "product 4 B")
    assert result.chance_recall == pytest.approx(10 / 599)
    assert (result.n_queries, result.n, result.dim) == (50, 600, 32)


def test_labels_are_asked_of_the_majority_without_the_item_itself():
    rng = np.random.default_rng(0)
    names = np.array(["a", "b", "c"])[np.repeat([0, 1, 2], [60, 50, 40])]
    x = rng.standard_normal((150, 8)) + 6 * np.eye(3, 8)[np.repeat([0, 1, 2], [60, 50, 40])]
    labels = [None if i % 10 == 0 else str(name) for i, name in enumerate(names)]
    result = compress(x, "euclidean", codes=[Code("full"), Code("prefix", 1)], labels=labels)
    full, first = (row.task for row in result.rows)
    assert full.mean > 0.97
    assert result.chance_task == pytest.approx(54 / 135)
    assert first.mean < full.mean - 0.1
    assert result.n_task == 135
    noise = compress(rng.standard_normal((150, 8)), codes=[Code("full")], labels=labels)
    assert noise.rows[0].task.mean < 0.6


def test_a_draw_goes_to_the_first_class_by_name():
    x = np.array([[0.0], [1.0], [2.5], [100.0]])
    result = compress(x, "euclidean", codes=[Code("full")], k=2, labels=["b", "b", "a", None])
    # 0: b and a → a. 1: b and a → a. 2: b twice → b. The last does not ask.
    assert (result.rows[0].task.mean, result.n_task) == (0.0, 3)
    named = compress(x, "euclidean", codes=[Code("full")], k=2, labels=["a", "a", "b", None])
    assert named.rows[0].task.mean == pytest.approx(2 / 3)


def test_same_seed_same_figures_and_no_task_without_two_classes():
    x = cloud(300, 8)
    one, two = (compress(x, seed=3, n_queries=100, labels=["only"] * 300) for _ in range(2))
    assert one.rows == two.rows
    assert "two classes" in one.no_task
    assert one.rows[0].task is None


def test_the_frontier_by_hand():
    flags = frontier([1, 2, 3, 3, 4, 1, 5], [0.2, 0.5, 0.5, 0.6, 0.6, 0.2, np.nan])
    assert flags.tolist() == [True, True, False, True, False, True, False]
    codes = [Code("full"), Code("binary"), Code("rescored"), Code("prefix", 1)]
    result = compress(cloud(300, 8), n_queries=100, codes=codes)
    marked = {row.label for row in result.rows if row.on_frontier}
    assert marked == {"as they are", "binary"}  # rescoring needs the full vectors besides


@pytest.mark.parametrize(
    "x",
    [
        np.ones((300, 4)),
        np.zeros((20, 4)),
        np.arange(30.0)[:, None],
        np.repeat(cloud(5, 8), 10, axis=0),
        cloud(12, 40),
    ],
    ids=["constant", "zeros", "one dimension", "duplicates", "fewer items than dimensions"],
)
def test_odd_spaces_get_figures_or_reasons(x):
    for metric in ("cosine", "euclidean"):
        result = compress(x, metric)
        assert result.rows[0].recall.mean == 1
        for row in result.rows:
            assert 0 <= row.recall.low <= row.recall.mean <= row.recall.high <= 1
        assert len(result.rows) + len(result.refused) == len(usual_codes(x.shape[1]))


def test_what_cannot_be_judged_is_refused_with_the_reason():
    small = compress(cloud(20, 40), codes=[Code("product", 4), Code("pca", 32), Code("full")])
    assert "at least 256" in small.refused["product 4 B"]
    assert "More than 32 items" in small.refused["PCA 32"]
    large = compress(cloud() * 1e6, "dot", codes=[Code("fp16"), Code("prefix", 99)])
    assert "65,504" in large.refused["fp16"]
    assert "of 16" in large.refused["first 99"]
    wide = compress(cloud(40, 2_100), codes=[Code("pca", 8), Code("pca", 1_100)], n_queries=10)
    assert [row.label for row in wide.rows] == ["PCA 8"]
    assert "1,100" in wide.refused["PCA 1100"]
    with pytest.raises(ParameterError, match=r"\[1, 19\]"):
        compress(cloud(20), k=20)
    with pytest.raises(ParameterError, match="one label per item"):
        compress(cloud(20), labels=["a"])
    with pytest.raises(ParameterError, match="size"):
        Code("pca")


def test_a_neighbour_without_a_label_has_no_vote():
    """The nearest of 0 has no label: it must not win, nor be an answer."""
    x = np.array([[0.0], [1.0], [-0.5], [50.0], [51.0]])
    labels = ["b", "b", None, "a", "a"]
    found = compress(x, "euclidean", codes=[Code("full")], k=2, labels=labels)
    # 0: the one without a label and b. 1: b and the one without. 3: a and b: a draw, to a. 4: too.
    assert (found.rows[0].task.mean, found.n_task) == (1.0, 4)
    alone = compress(x, "euclidean", codes=[Code("full")], k=1, labels=labels)
    assert alone.rows[0].task.mean == 0.75, "nobody votes for 0"


def test_many_neighbours_take_little_memory():
    """1,000 of each of 1,000 items: a table of every two of them would be 1 GB."""
    import tracemalloc

    x = cloud(1_100, 2)
    tracemalloc.start()
    labels = ["a", "b"] * 550
    found = compress(x, codes=[Code("full")], k=1_000, labels=labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.rows[0].recall.mean == 1
    assert peak < 300_000_000
