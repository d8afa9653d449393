"""What a query is taken for, what a run invites to ask, and what the page offers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.items import run_items
from components.query import ask, asked_with, invitation
from core.errors import QueryError, UnknownKey
from core.modality import Modality
from ingest import Dataset
from vectors import KeyedVectors, VectorIndex

TEXT_VECTOR = [0.0, 0.0, 1.0]


class Asked:
    """Stands for the workspace: remembers what was to be embedded."""

    def __init__(self):
        self.queries = []

    def prepare_queries(self, _run):
        pass

    def embed_query(self, _run, query):
        self.queries.append(query)
        return np.array(TEXT_VECTOR, np.float32)


def run_of(monkeypatch, vectors, modality, embedder):
    """Return a run over ``vectors``, with the session's answers about it, and its workspace."""
    asked = Asked()
    dataset = SimpleNamespace(modality=modality, sides=None)
    monkeypatch.setattr(session, "dataset", lambda _: dataset)
    monkeypatch.setattr(session, "all_vectors", lambda _: vectors)
    monkeypatch.setattr(
        session, "index", lambda _r, kind, metric: VectorIndex(vectors.of_kind(kind), metric=metric)
    )
    monkeypatch.setattr(session, "workspace", lambda: asked)
    kinds = {kind: int((vectors.kinds == kind).sum()) for kind in vectors.kind_names}
    run = SimpleNamespace(id="r", dataset="d", embedder=embedder, kinds=kinds, title=embedder)
    return run, asked


def texts_and_words():
    return KeyedVectors(
        ["1", "2", "1", "king", "man", "rates"],
        [[1, 0, 0], [0, 0, 3], [0, 1, 0], [4, 0, 4], [2, 0, 0], [1, 1, 1]],
        kinds=["document"] * 2 + ["word"] * 4,
    )


@pytest.fixture
def words(monkeypatch):
    return run_of(monkeypatch, texts_and_words(), Modality.TEXT, "word2vec")


@pytest.mark.parametrize("metric", ["dot", "euclidean"])
def test_a_formula_is_summed_for_the_metric_that_was_chosen(words, metric):
    run, _ = words
    found = ask(run, "document", "king - man", 2, metric).found
    vector = np.array([4, 0, 4]) - np.array([2, 0, 0])
    rows = np.array([[1, 0, 0], [0, 0, 3]])
    expected = rows @ vector if metric == "dot" else np.linalg.norm(rows - vector, axis=1)
    by_key = dict(zip(("1", "2"), expected, strict=True))
    np.testing.assert_allclose(found.scores, [by_key[key] for key in found.keys], rtol=1e-6)


def test_a_number_in_a_formula_is_the_word_and_the_document_may_be_found(words):
    run, asked = words
    answer = ask(run, "document", "king + 1", 2, "cosine")
    assert set(answer.found.keys) == {"1", "2"}
    assert answer.understood == "Nearest to king + 1"
    assert "1" not in ask(run, "word", "king + 1", 2, "cosine").found.keys
    assert asked.queries == []


def test_a_word_comes_before_the_item_of_that_id(words):
    run, _ = words
    answer = ask(run, "document", "1", 2, "dot")
    assert dict(zip(answer.found.keys, answer.found.scores, strict=True)) == {"1": 0, "2": 0}
    assert answer.understood == "Nearest to “1” (the word; item 1 has the same name)"
    assert ask(run, "word", "king", 2, "dot").understood == "Nearest to “king”"


def test_a_query_that_is_an_id_says_that_it_was_taken_as_the_item(words):
    run, asked = words
    answer = ask(run, "document", "2", 1, "cosine")
    assert answer.understood == "Nearest to item 2"
    assert answer.found.keys == ("1",)
    assert asked.queries == []


def test_a_headline_with_a_dash_is_embedded_and_the_answer_says_why(words):
    run, asked = words
    headline = "Fed raises rates - markets fall"
    answer = ask(run, "document", headline, 1, "cosine")
    assert asked.queries == [headline]
    assert answer.found.keys == ("2",)
    assert answer.understood.startswith(f"Nearest to the text “{headline}” (not as a formula: “Fed")
    ask(run, "document", "rates rise - king + markets of", 1, "cosine")
    assert len(asked.queries) == 2


@pytest.mark.parametrize("query", ["2*Fed - rates", "rates - (Fed + king)", '"Fed rates" - king'])
def test_what_can_only_be_a_formula_is_not_embedded(words, query):
    run, asked = words
    with pytest.raises(UnknownKey, match="Fed"):
        ask(run, "document", query, 1, "cosine")
    assert asked.queries == []


def test_nodes_are_looked_up_only(monkeypatch):
    nodes = KeyedVectors(["Ann", "Bob", "Cy - Di"], np.eye(3), kinds="node")
    run, asked = run_of(monkeypatch, nodes, Modality.GRAPH, "node2vec")
    assert asked_with(run) == frozenset()
    assert ask(run, "node", "Ann", 1, "cosine").understood == "Nearest to node Ann"
    assert ask(run, "node", "Ann - Bob", 1, "cosine").found.keys == ("Cy - Di",)
    with pytest.raises(UnknownKey):
        ask(run, "node", "a sentence about nobody", 1, "cosine")
    with pytest.raises(QueryError, match="cannot embed an image"):
        ask(run, "node", b"\x89PNG", 1, "cosine")
    assert asked.queries == []


@pytest.mark.parametrize(
    ("modality", "embedder", "kind", "accepted"),
    [
        (Modality.IMAGE, "pca", "image", {Modality.IMAGE}),
        (Modality.TABLE, "pca", "row", set()),
        (Modality.VECTORS, "pca", "item", set()),
        (Modality.VECTORS, "vectors", "word", set()),
        (Modality.GRAPH, "node2vec", "node", set()),
        (Modality.TEXT, "tfidf", "document", {Modality.TEXT}),
        (Modality.TEXT, "two_towers", "document", {Modality.TEXT}),
        (Modality.TEXT, "clip", "document", {Modality.TEXT, Modality.IMAGE}),
    ],
)
def test_only_what_method_and_data_can_both_take_is_invited(
    monkeypatch, modality, embedder, kind, accepted
):
    vectors = KeyedVectors(["alpha", "beta gamma", "delta"], np.eye(3), kinds=kind)
    run, _ = run_of(monkeypatch, vectors, modality, embedder)
    assert asked_with(run) == accepted
    said = invitation(run)
    both = said.placeholder + said.hint
    assert ("sentence" in both) == (Modality.TEXT in accepted)
    assert ("image." in said.hint) == (Modality.IMAGE in accepted)
    assert "king" not in both
    if Modality.TEXT not in accepted:
        assert "alpha" in said.hint


def test_the_example_formula_can_be_asked(monkeypatch):
    vectors = KeyedVectors(["new york", "C++", "x" * 99, "delta"], np.eye(4), kinds="word")
    run, _ = run_of(monkeypatch, vectors, Modality.VECTORS, "vectors")
    said = invitation(run)
    example = said.placeholder.removeprefix("a word, or ")
    assert ask(run, "word", example, 1, "cosine").understood == f"Nearest to {example}"
    royal = KeyedVectors(["a", "king", "man", "woman"], np.eye(4), kinds="word")
    run, _ = run_of(monkeypatch, royal, Modality.VECTORS, "vectors")
    assert "king - man + woman" in invitation(run).placeholder


def page_of(monkeypatch, dataset, embedder, kind):
    """Return the search page of a made-up run over ``dataset``, and its workspace."""
    vectors = KeyedVectors(dataset.ids, np.eye(len(dataset.ids), 3), kinds=kind)
    run, asked = run_of(monkeypatch, vectors, dataset.modality, embedder)
    run.metric = "cosine"
    items = run_items(dataset, vectors, kind)
    monkeypatch.setattr(session, "items", lambda *_: items)

    def draw(run):
        from components.search_view import search_view

        search_view(run)

    return AppTest.from_function(draw, args=(run,), default_timeout=30).run(), asked


def penguins():
    frame = pd.DataFrame({"mass": [1.0, 2.0, 3.0]})
    ids = ("penguin-a", "penguin_b_c", "penguin-d")
    return Dataset("penguins", Modality.TABLE, ids, frame, frame, {"mass": "numeric"})


def pictures():
    from io import BytesIO

    from PIL import Image

    files = []
    for shade in (0, 90, 200):
        file = BytesIO()
        Image.new("RGB", (8, 8), (shade,) * 3).save(file, "PNG")
        files.append(file.getvalue())
    return Dataset("pictures", Modality.IMAGE, ("one", "two", "three"), files)


def test_a_table_is_offered_neither_an_image_nor_a_sentence(monkeypatch):
    page, _ = page_of(monkeypatch, penguins(), "pca", "row")
    assert not page.exception
    assert not page.get("file_uploader")
    assert page.text_input(key="search.query.d").placeholder == "the id of a row"
    assert "sentence" not in "".join(c.value for c in page.caption)


def test_an_id_is_shown_as_typed(monkeypatch):
    page, _ = page_of(monkeypatch, penguins(), "pca", "row")
    page.text_input(key="search.query.d").set_value("penguin_b_c").run()
    assert not page.exception
    assert "**Nearest to item penguin\\_b\\_c**" in [m.value for m in page.markdown]


def test_a_typed_text_goes_before_the_image_and_the_page_says_so(monkeypatch):
    page, asked = page_of(monkeypatch, pictures(), "pca", "image")
    file = pictures().items[0]
    page.get("file_uploader")[0].set_value(("a.png", file, "image/png")).run()
    assert not page.exception
    assert asked.queries == [file]
    assert not any("The text is searched" in c.value for c in page.caption)
    page.text_input(key="search.query.d").set_value("two").run()
    assert asked.queries == [file]
    assert any("The text is searched for. Clear it" in c.value for c in page.caption)
    assert "**Nearest to item two**" in [m.value for m in page.markdown]
