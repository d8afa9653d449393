"""Search over pairs of texts and images: each side is ranked by itself."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.items import run_items
from components.neighbour_list import partner_html
from components.partners import partners_of
from core.modality import Modality
from ingest import Dataset, Edges, PairedItems, Sides
from ingest.image_codec import encode_png
from vectors import KeyedVectors, VectorIndex

SIDES = Sides(("caption", "picture"), (Modality.TEXT, Modality.IMAGE), 2)
BOTH = "caption + picture"


def pairs():
    files = [encode_png(np.full((8, 8, 3), 90 * i, np.uint8)) for i in range(2)]
    columns = pd.DataFrame({"side": SIDES.kinds(4), "year": [1, 2, 1, 2]})
    arrays = (np.array([0, 1], np.int32), np.array([2, 3], np.int32), np.ones(2, np.float32))
    items = PairedItems(["a dark one", "grey"], files)
    return Dataset(
        "pairs", Modality.PAIRS, ("c1", "c2", "p1", "p2"), items,
        columns, {"side": "label", "year": "categorical"}, edges=Edges(*arrays, True), sides=SIDES,
    )  # fmt: skip


@pytest.fixture
def page(monkeypatch):
    data = pairs()
    # The gap of CLIP's space: any text is nearer to a query than any picture.
    matrix = np.array([[1, 0, 0], [1, 0.2, 0], [0.3, 0, 1], [0.3, 0.6, 1]], np.float32)
    vectors = KeyedVectors(data.ids, matrix, kinds=SIDES.kinds(4))
    asked = SimpleNamespace(
        embed_query=lambda *_: np.array([1, 0.3, 0], np.float32),
        embed_queries=lambda _, asked: np.eye(3, dtype=np.float32)[: len(asked)],
        prepare_queries=lambda _: None,
    )
    monkeypatch.setattr(session, "dataset", lambda _: data)
    monkeypatch.setattr(session, "all_vectors", lambda _: vectors)
    monkeypatch.setattr(session, "workspace", lambda: asked)
    monkeypatch.setattr(session, "worked_out", lambda _key, make: make())
    monkeypatch.setattr(
        session, "index", lambda _r, kind, metric: VectorIndex(vectors.of_kind(kind), metric=metric)
    )
    monkeypatch.setattr(
        session, "items", lambda _run, kind: run_items(data, vectors.of_kind(kind), kind)
    )
    run = SimpleNamespace(
        id="r", dataset="d", embedder="clip", title="CLIP", metric="cosine", params={},
        kinds={BOTH: 4, "caption": 2, "picture": 2}, provenance={},
    )  # fmt: skip

    def draw(run):
        from components.search_view import search_view

        search_view(run)

    return AppTest.from_function(draw, args=(run,), default_timeout=30).run()


def lists(page):
    return [element.proto.body for element in page.get("html") if "<ol" in element.proto.body]


def test_pictures_and_texts_are_ranked_each_by_itself(page):
    page.text_input(key="search.query.d").set_value("a grey one").run()
    assert not page.exception
    headings = [m.value for m in page.markdown if m.value.startswith("#####")]
    assert headings == ["##### Picture", "##### Caption"]
    pictures, captions = lists(page)
    assert pictures.index('data-position="1"') < pictures.index('data-position="0"')
    assert pictures.count("<img") == 2
    assert "es-cards" in pictures
    assert captions.index("grey") < captions.index("a dark one")
    assert "es-cards" not in captions


def test_one_side_may_be_asked_alone_and_filtered(page):
    page.text_input(key="search.query.d").set_value("a grey one").run()
    page.segmented_control(key="map.kind.r").set_value("picture").run()
    assert not page.exception
    assert len(lists(page)) == 1
    page.multiselect[0].set_value(["year"]).run()
    page.multiselect[1].set_value(["1"]).run()
    assert not page.exception
    assert lists(page)[0].count("<img") == 1


def test_a_filter_over_both_sides_holds_for_each(page):
    page.text_input(key="search.query.d").set_value("a grey one").run()
    page.multiselect[0].set_value(["year"]).run()
    page.multiselect[1].set_value(["2"]).run()
    assert not page.exception
    pictures, captions = lists(page)
    assert pictures.count("<img") == 1
    assert "grey" in captions
    assert "a dark one" not in captions


def test_every_result_shows_what_it_belongs_with(page):
    page.text_input(key="search.query.d").set_value("a grey one").run()
    pictures, captions = lists(page)
    assert [each.count('<span class="es-partner"') for each in (pictures, captions)] == [2, 2]
    assert "<i>caption</i> grey</span>" in pictures
    assert "<i>picture</i> <img" in captions


def test_partners_come_strongest_first_and_each_once(monkeypatch):
    data = pairs()
    ends = np.array([0, 0, 0, 1], np.int32), np.array([2, 3, 3, 3], np.int32)
    edges = Edges(*ends, np.array([1, 5, 2, 3], np.float32), True)
    data = dataclasses.replace(data, edges=edges)
    monkeypatch.setattr(session, "dataset", lambda _: data)
    monkeypatch.setattr(session, "worked_out", lambda _key, make: make())
    found = partners_of("d")
    assert (found.of("c1").text, found.of("c1").n_more) == ("p2", 1)
    assert found.of("c1").image == data.items[3]
    assert (found.of("p2").text, found.of("p2").side) == ("a dark one", "caption")
    assert "<b> + 1 more</b>" in partner_html(found.of("p2"))
    assert (found.of("p1").text, found.of("p1").n_more) == ("a dark one", 0)
    assert found.of("nobody") is None
    alone = dataclasses.replace(data, edges=Edges(ends[0][:1], ends[1][:1], np.ones(1), True))
    monkeypatch.setattr(session, "dataset", lambda _: alone)
    assert partners_of("d").of("c2") is None


def test_one_name_labels_nothing_and_is_told_so(page):
    page.segmented_control(key="search.mode.d").set_value("Label by words").run()
    page.text_area[0].set_value("grey\n grey ").run()
    assert not page.exception
    assert "one name cannot lose against another" in page.info[0].value
    assert not page.dataframe
    page.text_area[0].set_value("grey\ndark").run()
    assert not page.exception
    assert not page.info
    assert page.dataframe[0].value["class"].tolist() == ["grey", "dark"]
