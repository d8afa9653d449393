"""How comparisons are called in their menu, what a link to one opens, and how one is deleted."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from components import session
from components.compare_choice import comparison_words
from workspace.recipes import Member, Recipe
from workspace.stored_comparison import ComparisonInfo

NOON = time.mktime((2024, 5, 17, 12, 0, 0, 0, 0, -1))


def made(id, *names, created=NOON):
    recipe = Recipe("d1", tuple(Member("lsa", name=name) for name in names))
    return ComparisonInfo(id, recipe, tuple(names), 344, (0,) * len(names), 1.0, created)


def words(*several):
    return list(comparison_words(several, now=NOON + 60).values())


def test_members_of_one_method_are_called_by_what_differs():
    assert words(made("a", "PCA, standardised", "PCA, as given", "PCA")) == [
        "PCA: standardised; as given; plain · 344 items · 12:00"
    ]
    assert words(made("a", "TF-IDF", "MiniLM, layer 3", "MiniLM", "LSA, dim 50")) == [
        "TF-IDF, MiniLM layer 3, MiniLM and 1 more · 344 items · 12:00"
    ]


def test_comparisons_that_would_be_called_the_same_bear_all_names_and_the_day():
    first, second = words(made("a", "LSA, dim 50", "TF-IDF"), made("b", "LSA, dim 10", "TF-IDF"))
    assert first.startswith("LSA, dim 50; TF-IDF · ")
    assert second.startswith("LSA, dim 10; TF-IDF · ")
    (earlier,) = words(made("a", "LSA", "TF-IDF", created=NOON - 86_400))
    assert earlier == "LSA, TF-IDF · 344 items · 16 May 12:00"
    (old,) = words(made("a", "LSA", "TF-IDF", created=NOON - 366 * 86_400))
    assert "2023" in old


@pytest.fixture
def tab(monkeypatch):
    """Return what this tab keeps, and let it have one comparison and an address."""
    kept: dict[str, object] = {"workspace": "w"}

    class FakeWorkspace:
        there = (made("c1234", "one", "two"),)

        def comparisons(self, dataset=None):
            return self.there

        def remove_comparison(self, id):
            self.there = tuple(one for one in self.there if one.id != id)

        def datasets(self):
            return [SimpleNamespace(id="d1"), SimpleNamespace(id="d2")]

        def runs(self, dataset=None):
            return []

    here = FakeWorkspace()
    monkeypatch.setattr(session, "remember", kept.__setitem__)
    monkeypatch.setattr(session, "recall", lambda name, default=None: kept.get(name, default))
    monkeypatch.setattr(session, "workspace", lambda: here)

    def opened(**address):
        monkeypatch.setattr(session.st, "query_params", Address(address))
        session._take_choices_from_address()
        return kept

    return opened


class Address(dict):
    to_dict = dict.copy


def test_a_link_opens_its_comparison_in_its_view(tab):
    kept = tab(comparison="c12", view="pair")
    assert session.chosen_comparison("d1") == "c1234"
    assert kept["dataset"] == "d1"
    assert session.take_view() == "pair"
    assert session.take_view() is None
    assert not kept.get("notice")


def test_a_link_opens_its_dataset_whatever_the_page(tab):
    assert tab(dataset="d1")["dataset"] == "d1"
    assert tab(dataset="d2")["dataset"] == "d2"


def test_a_link_to_a_comparison_that_is_gone_says_so(tab):
    kept = tab(comparison="gone", view="pair")
    assert "no comparison 'gone'" in str(kept["notice"])
    assert session.take_view() is None


def test_a_deleted_comparison_is_no_longer_shown(tab):
    tab(comparison="c12")
    session.remove_comparison("d1", "c1234")
    assert session.workspace().comparisons() == ()
    assert session.chosen_comparison("d1") == ""
