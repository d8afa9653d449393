"""One item, one query, and labels that only one method finds, in all methods of a comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from comparison.disagreement import disagreements
from comparison.item_view import ItemView
from comparison.shared_items import join
from components import session
from components.compare_item_choice import look_at, turn_to
from components.compare_item_columns import Side, columns_html
from components.compare_item_labels import proof_told
from components.compare_item_query import NO_TEXTS, embedded
from components.compare_item_slopes import ranks_told, slope_lists
from components.items import RunItems
from core.errors import QueryError
from vectors import KeyedVectors, VectorIndex

IDS = tuple(f"d{i}" for i in range(30))


@pytest.fixture
def view():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 4)).astype(np.float32)
    matrices = {
        "one": x,
        "two": x + 0.4 * rng.normal(size=x.shape).astype(np.float32),
        "3": -(x**2),
    }
    spaces = {name: KeyedVectors(IDS, matrix) for name, matrix in matrices.items()}
    graphs = [VectorIndex(space).knn_graph(12).ids for space in spaces.values()]
    return ItemView(join(spaces), graphs)


def items():
    texts = [f"text <b>{i}" for i in range(30)]
    frame = pd.DataFrame({"topic": ["<i>even", "odd"] * 15})
    return RunItems(IDS, texts, None, frame, {"topic": "label"})


def test_columns_join_what_all_name_and_mark_what_one_names(view):
    found = view.of_item(3, k=5)
    sides = [Side("one & only", "cosine"), Side("two", "cosine"), Side("3", "", "It <cannot>.")]
    html = columns_html(found, sides, items(), label="topic")
    assert "<b>3" not in html.replace("<b>3</b>", "")
    assert "<i>even" not in html
    assert "one &amp; only" in html
    assert "It &lt;cannot&gt;." in html
    columns = html.split("<section>")[1:]
    assert [column.count("<li ") for column in columns] == [5, 5, 0]
    for at in (0, 1):
        near = found.rows[found.within_k[:, at]].tolist()
        alone = set(found.unique_to(found.names[at]).tolist())
        for line in columns[at].split("<li ")[1:]:
            row = int(line.split('"')[1])
            assert row in near
            assert ("only here" in line) == (row in alone)
            assert (">all<" in line) == (row in found.shared)
    several = found.rows[found.within_k.sum(axis=1) > 1].tolist()
    assert html.count(":hover)") == len(several) > 0


def test_what_all_name_is_of_those_that_answered(view):
    x = np.ones(4, np.float32)
    found = view.of_query([x, None, x], k=12)
    sides = [Side("one", ""), Side("two", "", "It cannot."), Side("3", "")]
    html = columns_html(found, sides, items())
    assert len(found.shared)
    assert html.count(">all 2 that answered<") == 2 * len(found.shared)
    assert ">all<" not in html


def test_slopes_know_every_rank_of_a_neighbour_and_leave_out_who_did_not_answer(view):
    x = np.ones(4, np.float32)
    found = view.of_query([x, None, -x], k=4, depth=15)
    lists = slope_lists(found)
    assert list(lists) == ["one", "3"]
    for at, name in ((0, "one"), (2, "3")):
        for row, rank in zip(found.rows.tolist(), found.ranks[:, at].tolist(), strict=True):
            assert (lists[name].index(str(row)) + 1 if str(row) in lists[name] else 0) == rank
    far = next(int(row) for row in found.rows if (found.ranks[found.rows == row, 2] == 0).all())
    assert ranks_told(found, far).endswith("3: beyond 15")
    assert "two" not in ranks_told(found, far)


def test_a_query_goes_to_all_and_those_that_cannot_answer_say_why():
    def embed(run, text):
        assert text == "a text"
        if run == "words":
            raise QueryError("No word of it is known.")
        return np.zeros(3) if run in ("zero", "far") else np.ones(3)

    runs, metrics = (None, "words", "zero", "far", "ok"), ("cosine",) * 3 + ("euclidean", "dot")
    asked = embedded("a text", runs, metrics, embed)
    assert [vector is None for vector in asked.vectors] == [True, True, True, False, False]
    assert asked.refusals[:2] == (NO_TEXTS, "No word of it is known.")
    assert "none of these words" in asked.refusals[2]
    assert asked.refusals[3:] == ("", "")


def test_a_test_of_labels_names_rule_chance_and_what_was_left_out():
    labels = ["a", "b"] * 14 + [None, None]
    own = np.array([[i % 2, i % 2 + 2, i % 2 + 4] for i in range(30)])
    found = disagreements(own, own[::-1], labels, k=3)
    told = proof_told(found, "topic", 14)
    assert "most of the 3 neighbours have the item's own topic" in told
    assert "the first by name, under either method" in told
    assert "would find 14 of 28" in told
    assert "the 28 items that only one finds" in told
    assert "probability below .0001" in told
    assert "2 items have no topic" in told
    assert "probability" not in proof_told(disagreements(own, own, labels, k=3), "topic", 14)


def page():
    from types import SimpleNamespace
    from unittest.mock import patch

    import numpy as np
    import pandas as pd

    from comparison.compare import compare
    from components import compare_item, compare_spaces, session
    from core.modality import Modality
    from ingest.dataset import Dataset
    from vectors.keyed import KeyedVectors
    from workspace.recipes import Member, Recipe
    from workspace.stored_comparison import ComparisonInfo, StoredComparison

    ids = [f"d{i}" for i in range(120)]
    texts = [f"text {i}" for i in range(120)]
    frame = pd.DataFrame({"topic": ["a", "b"] * 60})
    data = Dataset("t", Modality.TEXT, tuple(ids), texts, frame, {"topic": "label"})
    names = ("one", "two")
    rng = np.random.default_rng(0)
    spaces = {
        name: KeyedVectors(ids, rng.normal(size=(120, d)))
        for name, d in zip(names, (3, 150), strict=True)
    }
    recipe = Recipe("d1", tuple(Member("lsa", name=name) for name in names))
    info = ComparisonInfo("c1", recipe, ("r1", "r2"), 120, (0, 0), 1.0, 0.0)
    stored = StoredComparison(info, compare(spaces, k=5), {}, {})
    methods = {"r1": "lsa", "r2": "spectral"}
    fake = SimpleNamespace(
        run=lambda id: SimpleNamespace(id=id, dataset="d1", embedder=methods[id]),
        prepare_queries=lambda run: None,
        embed_query=lambda run, text: np.full(3, len(text), np.float32),
    )
    with (
        patch.object(session, "workspace", lambda: fake),
        patch.object(session, "dataset", lambda id: data),
        patch.object(session, "worked_out", lambda key, make: make()),
        patch.object(session, "is_dark", lambda: False),
    ):
        if session.recall("shown") == "Spaces":
            compare_spaces.spaces(stored)
        else:
            compare_item.item(stored)


@pytest.fixture
def app():
    found = AppTest.from_function(page, default_timeout=60).run()
    assert not found.exception
    assert not found.error
    return found


def head(app) -> str:
    return app.markdown[0].value


def test_an_item_is_found_by_its_text_and_another_view_may_choose_it(app):
    assert head(app).startswith("**text ")
    app.text_input(key="compare.item.find").set_value("text 11").run()
    assert head(app) == "**text 11**"
    (hits,) = app.selectbox
    assert "11 items found" in hits.label
    hits.set_value(112).run()
    assert head(app) == "**text 112**"
    app.button(key="compare.item.differ").click().run()
    assert head(app) != "**text 112**"
    assert app.text_input(key="compare.item.find").value == ""
    app.session_state["compare.item.mode"] = "A typed query"
    app.run()
    assert app.text_input(key="compare.item.query")
    app.session_state["embedscope.compare.item"] = "d7"  # as the Pair view does
    app.run()
    assert head(app) == "**text 7**"
    app.toggle[0].set_value(True).run()
    ranks = app.dataframe[0].value
    assert len(ranks) == int(app.toggle[0].label.split()[4])
    assert (ranks["column 2"] == (ranks["column 0"] - ranks["column 1"]).abs()).all()
    assert not app.exception


def test_k_is_shared_by_the_views_of_a_comparison(app):
    app.slider[0].set_value(9).run()
    assert "The 9 nearest" in " ".join(caption.value for caption in app.caption)
    app.session_state["embedscope.compare.k.c1"] = 3  # as another view does
    app.run()
    assert app.slider[0].value == 3
    assert "The 3 nearest" in " ".join(caption.value for caption in app.caption)
    app.session_state["embedscope.compare.k.c1"] = 10_000
    app.run()
    assert app.slider[0].value == app.slider[0].max


def test_the_item_of_one_dataset_is_not_looked_at_in_another(monkeypatch):
    kept = {"compare.item": None}
    monkeypatch.setattr(session, "remember", kept.__setitem__)
    monkeypatch.setattr(session, "recall", lambda name, default=None: kept.get(name, default))
    monkeypatch.setattr(session, "preset", kept.__setitem__)
    turn_to("penguins")
    look_at("7")
    kept["compare.item.find"] = kept["compare.item.found"] = "Adelie"
    turn_to("penguins")
    assert (kept["compare.item"], kept["compare.item.find"]) == ("7", "Adelie")
    turn_to("news")
    assert kept["compare.item"] is None
    assert kept["compare.item.find"] == kept["compare.item.found"] == ""
    look_at("9")
    turn_to("penguins")
    assert kept["compare.item"] == kept["compare.item.seen"] == "7"
    turn_to("news")
    assert kept["compare.item"] == "9"


def test_a_query_is_answered_by_those_that_take_texts(app):
    app.session_state["compare.item.mode"] = "A typed query"
    app.run()
    assert "1 method of 2 embed" in app.caption[0].value
    app.text_input(key="compare.item.query").set_value("some words").run()
    assert not app.exception
    assert "Only one method could answer" in app.caption[0].value


def test_labels_that_only_one_finds_are_counted_and_listed(app):
    app.session_state["compare.item.mode"] = "Labels only one finds"
    app.run()
    counts = [int(metric.value) for metric in app.metric]
    assert sum(counts) == 120
    assert len(app.dataframe[0].value) == counts[1] > 0
    first, second = (box.value for box in app.selectbox[:2])
    assert {first, second} == {"one", "two"}
    app.selectbox[1].set_value(first).run()
    assert "two different methods" in app.info[0].value


def test_shapes_stand_beside_each_other_and_refused_figures_say_why(app):
    app.session_state["embedscope.shown"] = "Spaces"
    app.run()
    assert not app.exception
    assert not app.error
    hubs, far, copies = (frame.value for frame in app.dataframe)
    assert hubs["column 0"].is_monotonic_decreasing
    assert far["column 0"].is_monotonic_decreasing
    assert set(copies["column 1"]) == {"nearly equal"}  # on a sphere of three dimensions
    assert any("Of 120 items" in c.value for c in app.caption)
