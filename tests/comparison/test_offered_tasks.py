"""What is offered, and the sentence where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from comparison.offered_tasks import label_columns, offered_tasks
from core.modality import Modality
from ingest.dataset import Dataset, Edges
from ingest.sides import Sides

ITEMS = tuple(f"i{i}" for i in range(40))


def tasks(data, kinds=None):
    found = offered_tasks(data, kinds or {"a": ("document",), "b": ("document", "word")})
    return {task.id: task for task in found}


def edges(weights, n_left=20, directed=True):
    n = len(weights)
    source = np.arange(n, dtype=np.int32) % n_left
    return Edges(source, source + np.int32(n_left), np.array(weights, np.float32), directed)


def texts(frame=None, roles=None):
    return Dataset("t", Modality.TEXT, ITEMS, ["x"] * 40, frame if frame is not None else
                   pd.DataFrame(), roles or {})  # fmt: skip


FRAME = pd.DataFrame(
    {
        "weight": np.linspace(0, 1, 40),
        "stars": np.tile([1, 2, 3, 4, 5], 8),
        "topic": np.repeat(["b", "a"], [33, 7]),
        "url": [f"u{i}" for i in range(40)],
        "body": ["same"] * 40,
        "one": ["same"] * 40,
    }
)
ROLES = {
    "weight": "numeric", "stars": "numeric", "topic": "label", "url": "categorical",
    "body": "text", "one": "categorical",
}  # fmt: skip


def test_columns_of_classes_come_first_and_the_others_have_a_reason():
    found = label_columns(texts(FRAME, ROLES))
    assert [c.name for c in found if not c.reason] == ["topic", "stars"], "the label first"
    reasons = {c.name: c.reason for c in found if c.reason}
    assert "measured numbers" in reasons["weight"]
    assert "are different" in reasons["url"]
    assert "texts" in reasons["body"]
    assert "are the same" in reasons["one"]
    assert (found[0].n_classes, found[0].n_items, found[0].smallest) == (2, 40, 7)


def test_a_column_that_is_a_feature_says_so():
    frame = pd.DataFrame({"sex": ["f", "m"] * 20, "species": ["x", "y"] * 20})
    roles = {"sex": "categorical", "species": "label"}
    data = Dataset("p", Modality.TABLE, ITEMS, frame[["sex"]], frame, roles)
    notes = {c.name: c.note for c in label_columns(data)}
    assert "one of the features" in notes["sex"]
    assert notes["species"] == ""


def test_texts_with_labels():
    found = tasks(texts(FRAME, ROLES))
    assert [c.name for c in found["label-knn"].columns] == ["topic", "stars"]
    assert found["label-few-shot"].reason == "No column has more than 8 items in every class."
    assert found["retrieval"].is_offered
    assert "judgements" in found["retrieval"].asks_for
    assert found["entities"].spaces == ("b",)
    assert found["graph-links"].reason == "It is no graph."
    assert not tasks(texts(), {"a": ("document",)})["analogies"].is_offered
    assert tasks(texts())["label-probe"].reason == "It has no column beside its items."


@pytest.mark.parametrize(
    ("weights", "n_left", "retrieval", "asks_for"),
    [
        (np.arange(1, 21), 20, "", ""),
        (np.ones(20), 20, "", "pairs of ids with ratings"),
        (np.arange(1, 21), 10, "It has 10 query items with a pair; 20 are needed.", ""),
    ],
)
def test_pairs(weights, n_left, retrieval, asks_for):
    sides = Sides(("query", "answer"), (Modality.TEXT, Modality.TEXT), n_left)
    ids = ITEMS[: 2 * n_left]
    frame = pd.DataFrame({"side": sides.kinds(len(ids))})
    data = Dataset("p", Modality.PAIRS, ids, ["x"] * len(ids), frame, {"side": "label"},
                   edges(weights, n_left), sides)  # fmt: skip
    found = tasks(data)
    assert found["retrieval"].reason == retrieval
    assert found["pairs"].asks_for == asks_for
    assert found["pairs"].is_offered
    assert not found["label-knn"].is_offered, "the side is no class"


def test_graphs_and_interactions():
    graph = Dataset("g", Modality.GRAPH, ITEMS, None, edges=edges(np.ones(20), directed=False))
    assert tasks(graph)["graph-links"].is_offered
    assert "graph" in tasks(graph)["retrieval"].reason
    sides = Sides(("user", "item"), (None, None), 20)
    frame = pd.DataFrame({"side": sides.kinds(40)})
    films = Dataset("f", Modality.INTERACTIONS, ITEMS, None, frame, {"side": "label"},
                    edges(np.ones(20)), sides)  # fmt: skip
    assert "both: user and item" in tasks(films)["recommendation"].reason
    found = tasks(films, {"x": ("user", "item"), "y": ("item",)})
    assert found["recommendation"].spaces == ("x",)
    assert "Users and items" in found["pairs"].reason
