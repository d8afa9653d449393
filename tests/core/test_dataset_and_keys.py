"""Datasets and keyed vectors refuse what does not fit, and say which value it is."""

import numpy as np
import pandas as pd
import pytest

from core.errors import DatasetError, UnknownKey
from core.modality import Modality
from ingest import Dataset, Edges
from vectors import KeyedVectors


def texts(**change):
    base = {
        "name": "t",
        "modality": Modality.TEXT,
        "ids": ("a", "b"),
        "items": ["x", "y"],
        "columns": pd.DataFrame({"label": ["p", "q"]}),
        "roles": {"label": "label"},
    }
    return Dataset(**{**base, **change})


def test_the_fingerprint_sees_content_and_not_the_name():
    same = [texts(), texts(name="other"), texts(notes=("read as CSV",))]
    other = [
        texts(ids=("a", "c")),
        texts(items=["x", "z"]),
        texts(columns=pd.DataFrame({"label": ["p", "r"]})),
        texts(roles={"label": "categorical"}),
    ]
    assert len({d.fingerprint for d in same}) == 1
    assert len({d.fingerprint for d in same + other}) == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ids": (), "items": []}, "no item"),
        ({"ids": ("a", "a")}, "unique"),
        ({"items": ["x"]}, "1 items"),
        ({"columns": pd.DataFrame({"label": ["p"]})}, "1 rows"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, words):
    with pytest.raises(DatasetError, match=words):
        texts(**change)


def test_a_subset_keeps_the_edges_between_kept_items():
    edges = Edges(
        np.array([0, 1, 2], np.int32),
        np.array([1, 2, 0], np.int32),
        np.array([1, 2, 3], np.float32),
    )
    graph = Dataset("g", Modality.GRAPH, ("a", "b", "c"), None, edges=edges)
    part = graph.subset([2, 0])
    assert part.ids == ("c", "a")
    assert (part.edges.source.tolist(), part.edges.target.tolist()) == ([0], [1])
    assert part.edges.weight.tolist() == [3.0]


def test_a_word_and_a_document_may_share_a_key():
    both = KeyedVectors(("1", "1"), np.eye(2), kinds=("document", "word"))
    assert both.position("1", "word") == 1
    assert both["1"].tolist() == [1.0, 0.0]


def test_a_key_twice_within_a_kind_is_refused():
    with pytest.raises(DatasetError, match="more than once"):
        KeyedVectors(("a", "a"), np.eye(2))


def test_an_unknown_key_comes_with_similar_ones():
    words = KeyedVectors(("gray", "grape", "zebra"), np.eye(3), kinds="word")
    with pytest.raises(UnknownKey, match="Similar: gray") as caught:
        words["grey"]
    assert "gray" in caught.value.suggestions


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_must_be_finite_and_the_row_is_named(bad):
    matrix = np.zeros((3, 2))
    matrix[1, 1] = bad
    with pytest.raises(DatasetError, match="row 1"):
        KeyedVectors("abc", matrix)


def test_vectors_cannot_be_changed_and_do_not_follow_the_array_they_came_from():
    source = np.ones((2, 2), np.float32)
    kept = KeyedVectors("ab", source)
    source[0, 0] = 9
    assert kept.matrix[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        kept.matrix[0, 0] = 5
