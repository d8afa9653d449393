"""What is said of codes: never more than their intervals allow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from comparison.compression import CompressedSpace, CompressionResult
from comparison.vector_codes import Code
from components.compare_compression_words import (
    file_table,
    flattered,
    measured_on,
    notes,
    part_of,
    percent,
    table,
    takeaways,
)
from components.figures.compression_frontiers import Codes, compression_frontiers
from vectors.bootstrap import Interval

FULL = Interval(1.0, 1.0, 1.0)


def row(family, recall, *, size=0, n_bytes=0, task=None, beside=0, note=""):
    return CompressedSpace(Code(family, size), n_bytes, beside, 0, recall, task, note=note)


def result(*rows, **values):
    told = {"refused": {}, "n": 2_000, "dim": 384, "k": 10, "n_queries": 1_000, "seed": 0}
    told |= {"metric": "cosine", "chance_recall": 0.005, "n_task": 1_000, "chance_task": 0.25}
    full = row("full", FULL, n_bytes=1536, task=Interval(0.85, 0.83, 0.87))
    return CompressionResult(rows=(full, *rows), no_task="", **{**told, **values})


INT8 = row("int8", Interval(0.99, 0.987, 0.993), n_bytes=384, task=Interval(0.851, 0.83, 0.87))
BINARY = row("binary", Interval(0.4, 0.38, 0.42), n_bytes=48, task=Interval(0.8, 0.78, 0.82))
AGAIN = row("rescored", Interval(0.72, 0.7, 0.74), n_bytes=48, beside=1536)


def test_the_sentences_name_the_smallest_code_that_surely_keeps_enough():
    first, signs, labels = takeaways(result(INT8, BINARY, AGAIN), "topic")
    assert first == (
        "At a quarter of the bytes (int8) 99.0 % of the 10 true neighbours stay (95 % interval "
        "98.7 to 99.3 %); no smaller code surely keeps 95 %."
    )
    assert signs == (
        "One bit per dimension (binary, 1/32 of the bytes) keeps 40 %, 72 % when the nearest 40 "
        "are looked up again in the full vectors, which must then lie beside."
    )
    assert "name the right topic for 85 % of the items (95 % interval 83 to 87 %)" in labels
    assert (
        "; the smallest code not below that interval is int8 with 85 %, at a quarter of the bytes"
        in labels
    )
    assert len(takeaways(result(INT8))) == 1  # nothing of signs or labels that were not measured


def test_a_mean_above_the_level_is_not_enough():
    unsure = row("pca", Interval(0.96, 0.94, 0.98), size=96, n_bytes=384)
    (said,) = takeaways(result(unsure))
    assert said.startswith("No smaller code surely keeps 95 % of the 10 true neighbours. PCA 96")


def test_a_product_code_that_remembers_its_items_is_not_recommended():
    learnt = row("product", FULL, size=48, n_bytes=48, note="trained on 300 items")
    (said,) = takeaways(result(INT8, learnt))
    assert said.startswith("At a quarter of the bytes (int8)")
    assert "no smaller code" not in said
    learnt = replace(learnt, task=Interval(0.85, 0.83, 0.87))
    labels = takeaways(result(INT8, learnt), "topic")[-1]
    assert "; product codes aside, the smallest code not below that interval is int8" in labels
    assert "2,000 items are few to train" in flattered(result(INT8, learnt))
    assert flattered(result(INT8)) == ""
    trained = replace(learnt, note="")
    assert takeaways(result(INT8, trained))[0].startswith("At 1/32 of the bytes (product 48 B)")


def test_labels_that_full_vectors_cannot_guess_recommend_nothing():
    *_, said = takeaways(result(INT8, chance_task=0.9), "topic")
    assert said.endswith("(90 %): this cannot tell what a code loses.")
    worse = replace(INT8, task=Interval(0.7, 0.68, 0.72))
    assert takeaways(result(worse), "topic")[-1].endswith(
        "every smaller code lies below that interval."
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [(1, "100 %"), (0.9999, "99.9 %"), (0.95, "95 %"), (0.0001, "0.1 %"), (0, "0 %")],
)
def test_almost_all_is_never_called_all(share, said):
    assert percent(share) == said


def test_sizes_are_said_beside_the_full_one():
    said = [part_of(n_bytes, 400) for n_bytes in (200, 100, 25, 12.5, 13, 300)]
    assert said == ["half", "a quarter", "1/16", "1/32", "about 1/31", "75 %"]


def test_tables_hold_every_figure_and_what_it_was_measured_on():
    found = result(INT8, BINARY, AGAIN, refused={"product 48 B": "too few items"})
    shown = table(found, "topic")
    assert shown["MB per million"].tolist() == [1536, 384, 48, 1584]
    assert shown["accuracy, 95 %"].tolist()[-1] == ""
    assert shown["dimensions"].tolist() == [384] * 4
    assert notes(found) == ["product 48 B: not measured. too few items"]
    saved = file_table({"MiniLM": found}, "topic")
    assert saved["note"].tolist()[-1] == "too few items"
    assert saved["recall low"].tolist()[1] == 0.987
    assert set(saved["queries"]) == {1_000}
    assert "1,000 of 2,000 items looked up among all others" in measured_on(found)


def test_a_line_per_embedding_through_what_nothing_smaller_equals():
    one = Codes(["full", "worse", "int8"], [4e9, 2e9, 1e9], [1.0, 0.5, 0.9], [0.7, 0.6, 0.8])
    other = Codes(["full"], [2e9], [1.0])
    figure = compression_frontiers({"A<b>": one, "B": other}, chance=0.01, task_chance=0.5)
    first, second, task = figure.data
    np.testing.assert_array_equal(first.x, [1e9, 4e9, 4e9])  # the line goes on to the largest
    assert [code for _, code in first.customdata] == ["int8", "full"]
    assert second.name == "B"
    np.testing.assert_array_equal(task.y, [0.8, 0.8])  # full vectors are larger and worse
    assert "<b>" not in first.name
