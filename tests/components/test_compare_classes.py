"""Which columns are offered as classes of a comparison, and in which order."""

from types import SimpleNamespace

import pandas as pd
import pytest

from components import compare_items, session
from core.modality import Modality
from ingest.dataset import Dataset

STORED = SimpleNamespace(info=SimpleNamespace(recipe=SimpleNamespace(dataset="d")))


@pytest.fixture
def columns(monkeypatch):
    def of(roles):
        n = 30
        frame = pd.DataFrame(
            {
                "street": [f"street {i}" for i in range(n)],
                "town": [f"town {i % 5}" for i in range(n)],
                "land": [f"land {i % 2}" for i in range(n)],
                "remark": ["a remark"] * n,
            }
        )
        data = Dataset("d", Modality.TEXT, tuple(map(str, range(n))), ["x"] * n, frame, roles)
        monkeypatch.setattr(session, "dataset", lambda _: data)
        monkeypatch.setattr(session, "worked_out", lambda _key, make: make())
        monkeypatch.setattr(
            compare_items, "compared_items", lambda _: SimpleNamespace(roles=dict(data.roles))
        )
        return compare_items.label_columns(STORED)

    return of


def test_columns_of_few_values_come_first_and_names_of_single_items_are_left_out(columns):
    kinds = dict.fromkeys(("street", "town", "land"), "categorical")
    assert columns({**kinds, "remark": "text"}) == ["land", "town"]
    assert columns({**kinds, "town": "label", "remark": "text"}) == ["town", "land"]


def test_where_no_column_can_be_used_all_are_offered_so_that_the_reason_is_told(columns):
    assert columns({"street": "label", "remark": "categorical"}) == ["street", "remark"]
    assert columns({"street": "text"}) == []


def test_with_one_column_to_use_it_is_told_why_the_others_are_left_out(columns, monkeypatch):
    captions = []
    monkeypatch.setattr(compare_items.st, "caption", captions.append)
    columns({"street": "categorical", "town": "label"})
    assert compare_items.label_choice(STORED, key="k") == "town"
    assert len(captions) == 1
    assert captions[0].startswith("Classes: town. Left out is street: ")
    columns({"town": "label"})
    assert compare_items.label_choice(STORED, key="k") == "town"
    assert len(captions) == 1  # nothing is left out
