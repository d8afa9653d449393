"""Several spaces of the same items: joined, measured, refused where figures would mislead."""

from __future__ import annotations

import numpy as np
import pytest
from digits import components, digits

from comparison import compare
from comparison.shared_items import join
from core.errors import Cancelled, DatasetError, ParameterError
from vectors.keyed import KeyedVectors
from vectors.neighbors import KnnGraph

IDS = [f"d{i}" for i in range(1_797)]


def space(matrix, ids=None, metric="euclidean", **kwargs):
    ids = IDS[: len(matrix)] if ids is None else ids
    return KeyedVectors(ids, matrix, metric=metric, **kwargs)


@pytest.fixture(scope="module")
def of_digits():
    return compare(
        {"pixels": space(digits()), "ten": space(components(10)), "two": space(components(2))}
    )


def test_the_known_figures_of_digits_stand_in_the_tables(of_digits):
    overlaps = of_digits.overlap
    assert overlaps.values[0, 1] == pytest.approx(0.6663, abs=3e-4)
    assert overlaps.values[0, 2] == pytest.approx(0.1178, abs=3e-4)
    assert overlaps.low[0, 2] < overlaps.values[0, 2] < overlaps.high[0, 2]
    assert overlaps.chance == pytest.approx(0.0056, abs=5e-5)
    assert of_digits.cka.values[0, 2] == pytest.approx(0.7328, abs=1e-4)
    assert of_digits.distances.values[0, 2] == pytest.approx(0.741, abs=1e-3)
    assert overlaps.least_alike() == ("pixels", "two")
    np.testing.assert_array_equal(overlaps.values, overlaps.values.T)
    assert overlaps.n_used == 1_797


def test_another_k_needs_no_new_search(of_digits):
    fifty = of_digits.at(50)
    assert fifty.graphs is of_digits.graphs
    assert fifty.overlap.measure == "overlap@50"
    curve = of_digits.curve("pixels", "two")
    assert list(curve) == [1, 5, 10, 25, 50]
    assert curve[50] == pytest.approx(fifty.overlap.values[0, 2])
    with pytest.raises(ParameterError, match=r"\[1, 50\]"):
        of_digits.at(51)


def test_figures_of_single_items_average_to_the_table(of_digits):
    each = of_digits.per_item("two", "pixels")
    assert each.shape == (1_797,)
    assert each.mean() == pytest.approx(of_digits.overlap.values[2, 0])
    assert of_digits.per_item("ten", "ten").min() == 1
    rbo = of_digits.per_item("pixels", "ten", "rbo")
    assert rbo.mean() == pytest.approx(of_digits.rank_biased_overlap.values[0, 1])
    with pytest.raises(ParameterError, match="There is no space 'three'"):
        of_digits.per_item("pixels", "three")


def test_spaces_in_another_order_and_with_other_items_are_joined_by_id():
    order = np.random.default_rng(0).permutation(300)
    whole = space(digits()[:300])
    turned = space(digits()[order], [IDS[i] for i in order])
    more = space(components(2)[:320], [*IDS[:299], *(f"new{i}" for i in range(21))])
    joined = join({"whole": whole, "turned": turned, "more": more})
    assert joined.ids == tuple(IDS[:299])
    assert [len(each) for each in joined.left_out] == [1, 1, 21]
    assert joined.left_out[2][0] == "new0"
    found = compare({"whole": whole, "turned": turned})
    assert found.overlap.values[0, 1] == pytest.approx(1, abs=0.01)  # ties follow the order
    assert found.cka.values[0, 1] == pytest.approx(1)


def test_words_beside_the_documents_are_not_compared():
    both = KeyedVectors(
        [*IDS[:50], "a", "b"],
        digits()[:52],
        kinds=["document"] * 50 + ["word"] * 2,
        metric="euclidean",
    )
    found = compare({"one": both, "two": space(components(2)[:50], kinds="document")})
    assert len(found.items) == 50


def test_few_items_for_many_dimensions_leave_procrustes_out_with_the_reason():
    found = compare({"pixels": space(digits()[:100]), "two": space(components(2)[:100])})
    assert np.isnan(found.shape.values[0, 1])
    assert "100 items are too few for 64 dimensions" in found.shape.refused[0, 1]
    assert not np.isnan(found.cka.values[0, 1])


def test_known_neighbours_are_taken_over(of_digits):
    far = np.tile(np.linspace(1, 2, 50, dtype=np.float32), (1_797, 1))
    wrong = KnnGraph(np.zeros((1_797, 50), np.int32), far, "euclidean", exact=True)
    found = compare(
        {"pixels": space(digits()), "two": space(components(2))}, graphs={"pixels": wrong}
    )
    assert found.graphs[0].max() == 0
    np.testing.assert_array_equal(found.graphs[1], of_digits.graphs[2])


def test_a_space_in_one_point_is_refused_and_the_others_are_compared():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 4))
    point = np.tile([0.1, 0.3, 0.7], (90, 1))
    found = compare({"x": space(x), "near": space(x + 0.1), "point": space(point)})
    for table in (found.overlap, found.rank_biased_overlap, found.jaccard, *found.whole):
        assert table.refused[0, 2] == table.refused[1, 2]
        assert "point: All items lie in one point" in table.refused[0, 2]
        assert np.isnan(table.values[0, 2])
        assert table.values[0, 1] == pytest.approx(1, abs=0.02)
    assert found.curve("x", "point") == {}


def test_few_items_are_refused_with_the_reason_and_two_metrics_are_told():
    x = np.random.default_rng(0).normal(size=(60, 5))
    one, other = space(x, metric="cosine"), space(x, metric="dot")
    found = compare({"one": one, "other": other})
    assert "differ even in one and the same space" in found.overlap.remarks[0, 1]
    assert "60 items are too few for 12 neighbours" in found.at(12).overlap.refused[0, 1]
    assert list(found.curve("one", "other")) == [1, 5, 10]
    assert "60 items are too few for 10 dimensions" in found.cca.refused[0, 1]
    few = compare({"one": space(x[:12]), "other": space(x[:12])}, k=2)
    assert "12 items have too few distances" in few.distances.refused[0, 1]
    assert "12 items have too few distances" in few.ranks.refused[0, 1]
    assert few.overlap.values[0, 1] == 1


def test_ranks_of_distances_and_canonical_correlations_are_those_of_the_functions(of_digits):
    from comparison.global_agreement import cca, distance_rank_correlation

    x, y = digits().astype(np.float32), components(10).astype(np.float32)
    assert of_digits.ranks.values[0, 1] == pytest.approx(distance_rank_correlation(x, y), abs=1e-5)
    assert of_digits.cca.values[0, 1] == pytest.approx(cca(x, y, keep=0.99).mean())
    assert of_digits.ranks.values[0, 2] == pytest.approx(0.5824, abs=0.005)


def test_what_cannot_be_compared_is_told():
    one = space(digits()[:50])
    with pytest.raises(ParameterError, match="Two to 8 spaces"):
        compare({"one": one})
    with pytest.raises(DatasetError, match="No item is in all of one, two"):
        compare({"one": one, "two": space(digits()[:2], ["x", "y"])})
    with pytest.raises(ParameterError, match=r"\[1, 49\]"):
        compare({"one": one, "two": one}, k=50)
    with pytest.raises(ParameterError, match="at least 5 items"):
        compare({"one": space(digits()[:4]), "two": space(digits()[:4])}, k=2)


def test_comparing_can_be_cancelled_and_tells_where_it_is():
    notes = []

    def stop(done, total, stage="", note=""):
        notes.append((stage, note))
        if stage == "comparing shapes":
            raise Cancelled

    with pytest.raises(Cancelled):
        compare({"one": space(digits()[:90]), "two": space(components(2)[:90])}, progress=stop)
    assert ("finding neighbours", "two: 90 of 90") in notes
    assert notes[-1] == ("comparing shapes", "one and two")


def test_what_was_measured_for_a_k_is_kept(of_digits):
    five = of_digits.at(5)
    assert of_digits.at(5) is five
    assert five.at(of_digits.k) is of_digits
    assert five.at(7) is of_digits.at(7)
    assert five.overlap is of_digits.at(5).overlap  # nothing is measured twice
    a, b = of_digits.names[:2]
    curve = of_digits.curve(a, b)
    curve.clear()  # whoever changes what was given changes nothing here
    assert of_digits.curve(a, b)[1] == pytest.approx(of_digits.at(1).per_item(a, b).mean())
