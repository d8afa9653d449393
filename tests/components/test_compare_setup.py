"""What may be joined with what, and the list that is put together before a comparison is built."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from components import compare_draft, compare_runs, session
from components.compare_join import has_row_numbers, joining
from components.method_choice import reason_against
from core.modality import Modality
from embedders import get_embedder
from ingest.dataset import Dataset
from workspace.recipes import Member


def texts(name, ids, *, n_dropped=0, notes=()):
    return Dataset(name, Modality.TEXT, tuple(ids), list(ids), n_dropped=n_dropped, notes=notes)


def rows(n):
    return [str(i) for i in range(1, n + 1)]


def test_numbers_of_rows_are_told_from_ids_that_the_file_gives():
    assert has_row_numbers(texts("t", rows(5)))
    assert has_row_numbers(texts("t", ["0", "1", "2"]))
    assert has_row_numbers(texts("t", ["1", "3"], n_dropped=1))  # row 2 held nothing
    assert not has_row_numbers(texts("t", ["1", "3"]))
    assert not has_row_numbers(texts("t", ["2", "1"]))
    assert not has_row_numbers(texts("t", ["01", "02"]))
    assert not has_row_numbers(texts("t", ["1", "b"]))
    assert not has_row_numbers(texts("t", rows(3), notes=("Ids from 'nr'.",)))
    assert not has_row_numbers(Dataset("g", Modality.GRAPH, ("0", "1"), None))


def test_rows_are_joined_with_a_warning_and_only_where_there_are_as_many():
    one, same, other = texts("one", rows(5)), texts("same", rows(5)), texts("other", rows(7))
    assert joining([one]) == joining([texts("named", "abc")])
    found = joining([one, same])
    assert "one and same have no ids" in found.warning
    assert "same rows in the same order" in found.warning
    assert not found.refusal
    assert "5 items in all of them" in found.told
    refused = joining([one, other]).refusal
    assert "numbers of rows differ" in refused
    assert "5 items of one, 7 items of other" in refused
    # Two empty texts were left out of a file of seven rows: the numbers still fit.
    assert not joining([texts("gaps", ["1", "2", "4"], n_dropped=4), other]).refusal


def test_items_are_joined_by_ids_that_the_files_give_without_a_warning():
    found = joining([texts("one", "abcd"), texts("two", "cdefg")])
    assert "2 items in all of them" in found.told
    assert not found.warning
    assert not found.refusal
    assert "No item" in joining([texts("one", "ab"), texts("two", "cd")]).refusal
    # Items are shown with the texts of data that are open, which must hold them all.
    vectors = Dataset("v", Modality.VECTORS, tuple("abc"), np.eye(3, dtype=np.float32))
    assert not joining([vectors], texts("open", "abcd")).refusal
    assert "1 item of these" in joining([vectors], texts("open", "ab")).refusal


def test_runs_of_other_data_are_apart_and_bear_their_name(monkeypatch):
    spaces = {
        name: Dataset(name, Modality.VECTORS, tuple(ids), np.eye(len(ids), dtype=np.float32))
        for name, ids in (("fits", "abc"), ("rows", rows(9)))
    }
    spaces |= {name: texts(name, "abcd") for name in ("words", "again")}
    data = {"mine": texts("mine", "abcd"), "sst2": texts("sst2", rows(4)), **spaces}
    infos = [SimpleNamespace(id=n, name=n, modality=one.modality) for n, one in data.items()]
    runs = [
        SimpleNamespace(
            id=id, dataset=of, embedder=method, title=title, seed=0, dim=3, params={}, provenance={}
        )
        for id, of, method, title in (
            ("r1", "sst2", "bert", "BERT"),
            ("r2", "mine", "lsa", "LSA"),
            ("r3", "words", "tfidf", "TF-IDF"),
            ("r4", "again", "tfidf", "TF-IDF"),
        )
    ]
    there = SimpleNamespace(
        datasets=lambda: infos,
        runs=lambda of=None: [run for run in runs if of in (None, run.dataset)],
    )
    monkeypatch.setattr(session, "workspace", lambda: there)
    monkeypatch.setattr(session, "dataset", data.__getitem__)
    monkeypatch.setattr(session, "worked_out", lambda key, make: make())
    own, others = compare_runs.offered(infos[0])
    assert list(own) == ["r2", "fits", "r3", "r4"]  # the ids of r3 and r4 are given and the same
    assert [own[id][1].name for id in ("r3", "r4")] == ["TF-IDF", "TF-IDF, of again"]
    assert list(others) == ["rows", "r1"]
    words, member = others["r1"]
    assert words.endswith(" · of sst2")
    assert (member.name, member.dataset) == ("BERT, of sst2", "sst2")


def test_what_cannot_run_on_the_data_is_told_before_it_is_added_and_why(monkeypatch):
    pictures = Dataset("p", Modality.IMAGE, ("a", "b"), [b"1", b"2"])
    monkeypatch.setattr(session, "dataset", lambda _: pictures)
    monkeypatch.setattr(session, "worked_out", lambda key, make: make())

    def reason(method, **params):
        return reason_against(get_embedder(method, **params), "p")

    assert "label" in reason("own_image_network")
    assert not reason("pixels")
    assert "6 layers" in reason("bert", layer=99)
    assert "fetched" not in reason("bert", layer=99)  # no model has that many
    assert reason("bert", model="roberta-base").endswith("It can be fetched on the Embed page.")


@pytest.fixture
def kept(monkeypatch):
    kept = {}
    monkeypatch.setattr(session, "remember", kept.__setitem__)
    monkeypatch.setattr(session, "recall", lambda name, default=None: kept.get(name, default))
    return kept


def test_a_list_that_another_takes_the_place_of_can_be_brought_back(kept):
    mine, ready = (Member("tfidf", name="TF-IDF"),), (Member("lsa"), Member("lsa", seed=1))
    compare_draft.add("d", mine)
    compare_draft.put_in_place("d", ready, seed=7)
    assert (compare_draft.draft("d"), compare_draft.draft_seed("d")) == (ready, 7)
    assert compare_draft.list_before("d") == mine
    compare_draft.put_back("d")
    assert (compare_draft.draft("d"), compare_draft.draft_seed("d")) == (mine, 0)
    assert compare_draft.list_before("d") == ready
    compare_draft.keep("d", mine[:0])
    assert not compare_draft.list_before("d")
    assert compare_draft.draft("other") == ()


def test_what_is_in_the_list_already_is_said_and_not_added(kept):
    compare_draft.add("d", (Member("tfidf", name="mine"),))
    assert compare_draft.take_told("d") == ""
    compare_draft.add("d", (Member("tfidf"), Member("lsa")))
    assert [member.embedder for member in compare_draft.draft("d")] == ["tfidf", "lsa"]
    assert compare_draft.take_told("d").startswith("TF-IDF is in the list already")
    assert compare_draft.take_told("d") == ""
