"""What the words page shows of made-up vocabularies: answers, near misses, what was left out."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.words_fields import joined
from components.words_view import methods_with_words, named_kinds
from core.modality import Modality
from ingest import Dataset
from vectors import KeyedVectors, VectorIndex
from vectors.word_lists import split_words

PLANTED = {
    "king": [5, 1, 0, 0, 1],
    "queen": [5, 0, 1, 0, 1],
    "boy": [0, 6, 0, 1, 1],
    "girl": [0, 0, 6, 1, 1],
    "throne": [4, 1, 1, 0, 0],
    "prince": [3, 3, 0, 1, 0],
    "nowhere": [0, 0, 0, 0, 0],
}


def planted(kind="word"):
    return KeyedVectors(list(PLANTED), np.array(list(PLANTED.values()), float), kinds=kind)


def page_of(monkeypatch, vectors, modality=Modality.TEXT, tab=None, **fields):
    """Return the words page of a made-up run, with a tab chosen and fields filled in."""
    texts = ["The king and the queen", "a boy", "A KING"]
    dataset = Dataset("texts", Modality.TEXT, ("1", "2", "3"), texts)
    kinds = {kind: int((vectors.kinds == kind).sum()) for kind in vectors.kind_names}
    run = SimpleNamespace(
        id="r", dataset="d", embedder="word2vec", kinds=kinds, title="Word2Vec", metric="cosine"
    )
    indexes = {}

    def index(_run, kind, metric):
        made = indexes.get((kind, metric))
        return made or indexes.setdefault(
            (kind, metric), VectorIndex(vectors.of_kind(kind), metric=metric)
        )

    monkeypatch.setattr(session, "index", index)
    monkeypatch.setattr(session, "dataset", lambda _: dataset)
    monkeypatch.setattr(session, "worked_out", lambda _key, make: make())
    info = SimpleNamespace(modality=modality)
    asked = SimpleNamespace(dataset_info=lambda _: info, runs=lambda _: [run])
    monkeypatch.setattr(session, "workspace", lambda: asked)

    def draw(run):
        from components.words_view import words_view

        words_view(run)

    page = AppTest.from_function(draw, args=(run,), default_timeout=30)
    if tab:
        page.session_state["words.tab.d"] = tab
    for name, text in fields.items():
        page.session_state[f"words.{name.replace('_', '.')}.d.{vectors.kind_names[-1]}"] = text
    return page.run()


def texts_of(page):
    parts = [*page.caption, *page.markdown, *page.info, *page.error]
    return "\n".join(str(part.value) for part in parts)


def rows_of(page, number=0):
    """Return the words of a list of the page and their scores."""
    proto = page.get("bidi_component")[number].proto
    rows = json.loads(proto.json)["rows"] if proto.json else []
    return {row["word"]: row for row in rows}


def clicked(page, word, number=0):
    """Return the page after a click on a word that the browser sent with a run of everything."""
    states = page._tree.get_widget_states()
    event = states.widgets.add()
    list_id = page.get("bidi_component")[number].proto.id
    event.id = f"$$STREAMLIT_INTERNAL_KEY_{list_id}__events"
    event.json_trigger_value = json.dumps([{"event": "clicked", "value": word}])
    return page._run(states)


@pytest.mark.parametrize("tab", ["Neighbours", "Analogy", "Odd one out", "Axes"])
def test_a_click_that_comes_with_a_full_rerun_leads_to_the_neighbours(monkeypatch, tab):
    fields = {"analogy_a": "boy", "analogy_b": "girl", "analogy_c": "king"}
    fields |= {"focus": "king", "odd": "king, queen, boy"}
    fields |= {"axis_low": "boy", "axis_high": "girl"}
    page = page_of(monkeypatch, planted(), tab=tab, **fields)
    word = next(w for w in rows_of(page) if w != "king")
    page = clicked(page, word)
    assert not page.exception
    assert not page.error
    assert page.text_input(key="words.focus.d.word").value == word
    assert "6 of 6 · cosine" in texts_of(page)


def test_a_click_on_a_word_that_was_not_listed_is_ignored(monkeypatch):
    page = clicked(page_of(monkeypatch, planted(), focus="king"), "no such word")
    assert not page.error
    assert page.text_input(key="words.focus.d.word").value == "king"


def test_neighbours_of_the_typed_word_are_listed_with_their_number_compared(monkeypatch):
    page = page_of(monkeypatch, planted(), focus="king")
    assert not page.exception
    said = texts_of(page)
    assert "6 of 6 · cosine · exact, 6 compared" in said
    assert "number 1 of 7 words · vector length 5.2" in said


def test_how_many_texts_hold_a_word_is_not_guessed(monkeypatch):
    # Only the method's own tokenizer knows where a word begins and ends.
    page = page_of(monkeypatch, planted(), focus="girl")
    assert "in 0 of 3 texts" not in texts_of(page)


def test_an_unknown_word_is_answered_with_near_ones_that_put_it_right(monkeypatch):
    page = page_of(monkeypatch, planted(), focus="kingg")
    assert "“kingg” has no vector. Did you mean" in texts_of(page)
    (button,) = [b for b in page.button if b.label == "king"]
    button.click().run()
    assert page.text_input(key="words.focus.d.word").value == "king"
    assert "6 compared" in texts_of(page)


def test_a_zero_vector_is_near_to_nothing_and_the_page_says_so(monkeypatch):
    assert "its vector is zero" in texts_of(page_of(monkeypatch, planted(), focus="nowhere"))


def test_the_trail_leads_back(monkeypatch):
    page = page_of(monkeypatch, planted(), focus="king")
    page.text_input(key="words.focus.d.word").set_value("queen").run()
    page.text_input(key="words.focus.d.word").set_value("boy").run()
    back = [b.label for b in page.button if (b.key or "").startswith("words.back")]
    assert back == ["king", "queen"]
    next(b for b in page.button if b.label == "king").click().run()
    assert page.text_input(key="words.focus.d.word").value == "king"
    assert not [b for b in page.button if (b.key or "").startswith("words.back")]


def test_an_analogy_says_how_many_words_were_compared_and_what_it_owes(monkeypatch):
    page = page_of(
        monkeypatch, planted(), tab="Analogy", analogy_a="boy", analogy_b="girl", analogy_c="king"
    )
    assert not page.exception
    said = texts_of(page)
    assert "boy is to girl as king is to :primary[queen]" in said
    assert "7 words, 3 compared · cosine" in said
    assert "also among the 6 nearest to “king” alone" in said


def test_an_analogy_with_a_zero_vector_is_one_sentence(monkeypatch):
    page = page_of(
        monkeypatch,
        planted(),
        tab="Analogy",
        analogy_a="boy",
        analogy_b="nowhere",
        analogy_c="king",
    )
    assert not page.exception
    (error,) = page.error
    assert "The vector of “nowhere” is zero" in error.value


def test_odd_one_out_lists_what_was_skipped(monkeypatch):
    page = page_of(
        monkeypatch,
        planted(),
        tab="Odd one out",
        odd="king, queen, throne, girl, king, nowhere, xx",
    )
    assert not page.exception
    said = texts_of(page)
    assert ":primary[girl] is the odd one out" in said
    assert "4 words, the least fitting first" in said
    assert "Counted once though typed more often: king." in said
    assert "Left out, because their vectors are zero: nowhere." in said
    assert "“xx” has no vector" in said


def test_two_words_have_no_odd_one_out(monkeypatch):
    page = page_of(monkeypatch, planted(), tab="Odd one out", odd="king, king, queen")
    assert "at least three different words; here: 2 known words" in texts_of(page)


def test_an_axis_is_drawn_with_its_test(monkeypatch):
    page = page_of(
        monkeypatch, planted(), tab="Axes", axis_low="boy, prince", axis_high="girl, queen"
    )
    assert not page.exception
    assert not page.error
    said = texts_of(page)
    assert "of 4 words land on their own side" in said
    assert "6 words · cosine, in the original space · 1 with a zero vector left out" in said
    assert "a direction at random holds 20.0% on average" in said
    assert len(page.get("plotly_chart")) == 1


def test_a_formula_is_an_axis_when_it_stands_alone(monkeypatch):
    alone = page_of(monkeypatch, planted(), tab="Axes", axis_low="", axis_high="girl - boy")
    assert not alone.error
    assert len(alone.get("plotly_chart")) == 1
    both = page_of(monkeypatch, planted(), tab="Axes", axis_low="king", axis_high="girl - boy")
    assert "write it into the second field alone" in texts_of(both)
    assert not both.get("plotly_chart")


def test_a_quote_can_be_asked_for_like_any_word(monkeypatch):
    matrix = np.vstack([planted().matrix, np.eye(5)[:1]])
    vectors = KeyedVectors([*PLANTED, '"'], matrix, kinds="word")
    page = page_of(monkeypatch, vectors, tab="Axes", axis_low="", axis_high='"')
    assert not page.exception
    assert not page.error
    assert len(page.get("plotly_chart")) == 1
    page = page_of(monkeypatch, vectors, tab="Odd one out", odd='king, queen, "')
    assert "3 words, the least fitting first" in texts_of(page)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ("king", "king", "“king” is at both ends"),
        ("boy", "nowhere", "Both ends need at least one known word"),
        ("", "", "Both ends need at least one known word"),
        ("", "king, queen", "leave the first field empty and write a single one"),
        ("", "girl - girl", "cancel out"),
    ],
)
def test_ends_that_make_no_axis_are_one_sentence(monkeypatch, low, high, message):
    page = page_of(monkeypatch, planted(), tab="Axes", axis_low=low, axis_high=high)
    assert not page.exception
    assert message in texts_of(page)
    assert not page.get("plotly_chart")


def test_two_axes_say_how_many_words_are_drawn(monkeypatch):
    page = page_of(
        monkeypatch,
        planted(),
        tab="Axes",
        axis_low="boy",
        axis_high="girl",
        axis2_low="",
        axis2_high="king + queen",
    )
    page.toggle(key="words.second_axis").set_value(True).run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 3
    assert "6 drawn / 7 words" in texts_of(page)


def test_the_same_axis_twice_is_drawn_twice(monkeypatch):
    ends = {"axis_low": "boy", "axis_high": "girl", "axis2_low": "boy", "axis2_high": "girl"}
    page = page_of(monkeypatch, planted(), tab="Axes", **ends)
    page.toggle(key="words.second_axis").set_value(True).run()
    assert not page.exception
    assert not page.error
    assert len(page.get("plotly_chart")) == 3
    assert "cosine between the two axes 1.00" in texts_of(page)


def test_nodes_are_called_nodes(monkeypatch):
    page = page_of(monkeypatch, planted("node"), Modality.GRAPH, focus="king")
    assert not page.exception
    assert page.text_input(key="words.focus.d.node").label == "Node"
    assert "number 1 of 7 nodes" in texts_of(page)


def test_a_run_without_words_names_the_methods_that_give_some(monkeypatch):
    page = page_of(monkeypatch, planted("document"))
    assert not page.exception
    said = texts_of(page)
    assert "one vector per text here and none per word" in said
    assert "Word2Vec" in said.split("These methods give words")[1]
    assert any(button.label == "Embed with Word2Vec" for button in page.button)


def test_a_table_is_sent_to_texts_or_word_vectors(monkeypatch):
    page = page_of(monkeypatch, planted("row"), Modality.TABLE)
    assert "Words come from texts or from a file of word vectors" in texts_of(page)


def test_kinds_with_names_come_words_first():
    run = SimpleNamespace(kinds={"document": 3, "topic": 2, "word": 9})
    assert named_kinds(run) == ["word", "topic"]


def test_methods_with_words_are_those_whose_vectors_hold_some():
    ids = {method.id for method in methods_with_words(Modality.TEXT)}
    assert {"word2vec", "lsa", "lda", "doc2vec", "static_bert"} <= ids
    assert not {"bert", "tfidf"} & ids


def test_joined_words_are_split_into_the_same_words():
    words = ("new york", "a, b", '"', '",', "king", "what; else")
    vectors = KeyedVectors(words, np.eye(6))
    assert split_words(joined(words), vectors) == list(words)
