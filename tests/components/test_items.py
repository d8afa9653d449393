"""Texts, pictures and columns line up with the vectors they belong to."""

from collections import OrderedDict

import numpy as np
import pandas as pd

from components import colour_by
from components.colour_by import column_colouring, default_clusters
from components.items import RunItems, run_items
from components.selection_panel import export_table, selection_table
from core.modality import Modality
from ingest import Dataset
from vectors import KeyedVectors

REVIEWS = Dataset(
    "reviews",
    Modality.TEXT,
    ("a", "b", "c"),
    ["slow Delivery", "fast delivery", "nice colour"],
    pd.DataFrame({"stars": ["1", "5", "4"], "id": [7, 8, 9]}),
    {"stars": "label", "id": "numeric"},
)


def vectors(keys, kind):
    return KeyedVectors(keys, np.eye(len(keys), 3), kinds=kind)


def test_items_follow_the_order_of_the_vectors():
    items = run_items(REVIEWS, vectors(("c", "a"), "document"), "document")
    assert list(items.texts) == ["nice colour", "slow Delivery"]
    assert items.columns["stars"].tolist() == ["4", "1"]


def test_words_have_no_columns_of_the_dataset():
    items = run_items(REVIEWS, vectors(("slow", "fast"), "word"), "word")
    assert list(items.texts) == ["slow", "fast"]
    assert items.colour_columns == []


def test_find_looks_at_texts_ids_and_labels_in_any_case():
    items = run_items(REVIEWS, vectors(("a", "b", "c"), "document"), "document")
    assert items.containing("DELIVERY").tolist() == [0, 1]
    assert items.containing("5").tolist() == [1]
    assert items.containing("(").tolist() == []


def test_labels_are_offered_as_colours_before_numbers():
    items = run_items(REVIEWS, vectors(("a", "b", "c"), "document"), "document")
    assert items.colour_columns == ["stars", "id"]


def test_a_selection_has_ids_texts_and_columns_even_when_a_column_is_called_id():
    items = run_items(REVIEWS, vectors(("a", "b", "c"), "document"), "document")
    table = selection_table(items, np.array([2, 0]))
    assert table["item id"].tolist() == ["c", "a"]
    assert table["text"].tolist() == ["nice colour", "slow Delivery"]
    assert table["id"].tolist() == [9, 7]


def test_a_selection_can_be_exported_whatever_the_columns_are_called():
    taken = ["selection", "item selection", "id", "item id", "text", "item text", "picture"]
    columns = pd.DataFrame({name: ["x", "y"] for name in taken})
    items = RunItems(("a", "b"), ["one", "two"], None, columns, {})
    table = export_table(items, np.array([1]), "mine")
    assert list(table.columns[3:]) == taken
    assert table.iloc[0].tolist()[:3] == ["mine", "b", "two"]
    assert table.columns.is_unique


def test_numbers_are_coloured_on_a_scale_and_two_valued_columns_as_classes():
    scale = column_colouring(pd.Series([0.1, 0.5, np.nan, 2.0]), "numeric", "x")
    flags = column_colouring(pd.Series([0, 1, 1, 0]), "numeric", "x")
    assert scale.scale == "continuous"
    assert flags.scale == "categorical"


def test_the_number_of_clusters_stays_between_two_and_the_palette():
    assert [default_clusters(n) for n in (3, 800, 7_600, 1_000_000)] == [2, 6, 11, 11]


def test_colours_of_a_column_are_worked_out_once(monkeypatch):
    monkeypatch.setattr(colour_by, "_made", OrderedDict())
    made = []

    def make():
        made.append(1)
        return column_colouring(pd.Series(["a", "b"]), "label", "x")

    first = colour_by._remembered(("run", "document", "x"), make)
    assert colour_by._remembered(("run", "document", "x"), make) is first
    assert colour_by._remembered(("run", "document", "y"), make) is not first
    assert len(made) == 2
    for number in range(100):
        colour_by._remembered(("run", "document", str(number)), make)
    assert len(colour_by._made) == 64


def test_times_are_coloured_on_a_scale_that_reads_as_dates():
    times = pd.Series(pd.to_datetime(["2023-01-02", "2023-10-26", None]))
    scale = column_colouring(times, "time", "date")
    assert (scale.low, scale.high) == ("2023-01-02", "2023-10-26")
    assert scale.missing == 1
