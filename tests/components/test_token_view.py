"""How the token page tells what it shows of a text."""

from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.token_view import _reads_texts, _side, _texts
from core.modality import Modality
from embedders.trace import Token, Trace
from ingest import Dataset
from ingest.dataset import Edges
from ingest.sides import Sides

LONG = "word " * 2_000  # 10,000 characters
AT_LIMIT = "x" * 5_000


@pytest.fixture
def page(monkeypatch):
    """Return the page of a run over a short text, a long one and one that just fits."""
    dataset = Dataset("texts", Modality.TEXT, ("1", "2", "3"), ["one word", LONG, AT_LIMIT])

    def trace(_run, text):
        asked.append(text)
        token = Token(text[:4], 0, 0, 1.0)
        return Trace((token,), np.ones((1, 2), np.float32), np.ones(2, np.float32), "It is.")

    def trace_item(run, text, side):
        sides.append(side)
        return trace(run, text)

    asked, sides = [], []
    workspace = SimpleNamespace(trace=trace, trace_item=trace_item)
    monkeypatch.setattr(session, "dataset", lambda _: dataset)
    monkeypatch.setattr(session, "workspace", lambda: workspace)

    def draw():
        from types import SimpleNamespace

        from components.token_view import token_view

        token_view(SimpleNamespace(id="r", dataset="d", title="Word2Vec"))

    page = AppTest.from_function(draw, default_timeout=30).run()
    page.asked, page.sides = asked, sides
    return page


def cut_notes(page):
    assert not page.exception
    assert not page.error
    return [c.value for c in page.caption if "characters" in c.value]


def test_a_text_that_was_cut_says_so(page):
    page.number_input[0].set_value(2).run()
    assert page.asked[-1] == LONG[:5_000]
    (note,) = cut_notes(page)
    assert note == (
        "Text 2 has 10,000 characters; the box holds the first 5,000. All below is about "
        "those; the vector of the whole text may differ."
    )


@pytest.mark.parametrize("number", [1, 3])
def test_a_text_that_fits_needs_no_remark(page, number):
    page.number_input[0].set_value(number).run()
    assert cut_notes(page) == []


def test_what_is_typed_has_the_same_limit(page):
    assert page.text_area[0].max_chars == 5_000


def test_a_cut_text_that_was_replaced_needs_no_remark(page):
    page.number_input[0].set_value(2).run()
    page.text_area[0].set_value("my own text").run()
    assert page.asked[-1] == "my own text"
    assert page.sides == [None, None]  # the first text and the second were asked for as items
    assert cut_notes(page) == []


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [(("text", "text"), [0, 0, 1, 1]), (("image", "text"), [1, 1]), (("text", "image"), [0, 0])],
)
def test_texts_of_pairs_are_traced_as_items_of_their_side(kinds, expected):
    modalities = tuple(Modality(kind) for kind in kinds)
    sides = Sides(("query", "document"), modalities, 2)
    items = [f"{kind} {i}" for kind in kinds for i in range(2)]
    ends = np.arange(2, dtype=np.int32)
    edges = Edges(ends, ends + np.int32(2), np.ones(2, np.float32), True)
    ids = ("1", "2", "3", "4")
    dataset = Dataset("pairs", Modality.PAIRS, ids, items, edges=edges, sides=sides)
    texts = _texts(dataset)
    assert texts == [item for item in items if item.startswith("text")]
    assert [_side(dataset, place) for place in range(len(texts))] == expected


def test_texts_are_traced_through_a_method_of_pictures_that_reads_texts_too(monkeypatch):
    def trace(_run, text):
        token = Token(text, 7, None, 0.0)
        return Trace((token,), np.zeros((0, 2), np.float32), np.ones(2, np.float32), "One vector.")

    dataset = Dataset("pictures", Modality.IMAGE, ("1",), [b""])
    monkeypatch.setattr(session, "dataset", lambda _: dataset)
    monkeypatch.setattr(session, "workspace", lambda: SimpleNamespace(trace=trace))

    def draw(embedder):
        from types import SimpleNamespace

        from components.token_view import token_view

        about = {"dataset": "d", "title": "The method", "provenance": {}}
        token_view(SimpleNamespace(id="r", embedder=embedder, **about))

    page = AppTest.from_function(draw, default_timeout=30, args=("clip",)).run()
    assert not page.number_input  # there is no text to take
    page.text_area[0].set_value("a circle").run()
    assert not page.exception
    assert "One vector." in [c.value for c in page.caption]
    assert len(page.get("plotly_chart")) == 1
    page = AppTest.from_function(draw, default_timeout=30, args=("hog",)).run()
    assert "The method reads no texts" in page.info[0].value
    assert not page.text_area


@pytest.mark.parametrize(
    ("embedder", "provenance", "expected"),
    [
        ("earlier", {"model_of": {"method": "own_image_network"}}, False),
        ("earlier", {"model_of": {"method": "clip"}}, True),
        ("earlier", {"model_of": {"method": "two_towers"}, "reads": ["image"]}, False),
        ("two_towers", {"reads": ["image"]}, False),
        ("two_towers", {}, False),
        ("two_towers", {"reads": ["image", "text"]}, True),
    ],
)
def test_a_box_for_texts_is_offered_where_the_model_reads_texts(embedder, provenance, expected):
    pictures = Dataset("pictures", Modality.IMAGE, ("1",), [b""])
    run = SimpleNamespace(embedder=embedder, provenance=provenance)
    assert _reads_texts(run, pictures) is expected
