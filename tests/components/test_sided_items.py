"""What the screen says of users, items, questions, answers and captioned images."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest

from components import session
from components.graph_links import link_words, links_of
from components.inspector import NeighbourChoice, neighbours_of
from components.items import run_items, stands_for_items, subset_items
from components.neighbour_list import _row
from components.query import ask, invitation
from components.sample_cards import short_size, size_words
from components.selection_panel import selection_table
from core.modality import Modality
from ingest import Dataset, Edges, PairedItems, Sides, read_dataset
from vectors import KeyedVectors, VectorIndex
from workspace.records import DatasetInfo, SidesInfo


def png() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", (4, 4)).save(buffer, "PNG")
    return buffer.getvalue()


def captions() -> Dataset:
    edges = Edges(
        np.array([0, 1, 1], np.int32), np.array([2, 2, 3], np.int32), np.ones(3, "f4"), True
    )
    return Dataset(
        "captions",
        Modality.PAIRS,
        ("text 1", "text 2", "a.png", "b.png"),
        PairedItems(["a cat.", "an animal"], [png(), png()]),
        edges=edges,
        sides=Sides(("text", "image"), (Modality.TEXT, Modality.IMAGE), 2),
    )


def ratings() -> Dataset:
    rated = b"user,movie_id,rating\nann,1,4\nbob,1,2\nann,2,5\nbob,3,1\n"
    movies = b"movie_id,title\n1,Toy Story (1995)\n2,Heat (1995)\n"
    return read_dataset([("ratings.csv", rated), ("movies.csv", movies)])


def vectors_of(data: Dataset) -> KeyedVectors:
    rng = np.random.default_rng(0)
    kinds = data.sides.kinds(len(data))
    return KeyedVectors(data.ids, rng.normal(size=(len(data), 3)), kinds=kinds)


def sized(data: Dataset) -> DatasetInfo:
    told = SidesInfo(
        data.sides.names,
        data.sides.modalities,
        data.sides.n_left,
        len(data) - data.sides.n_left,
        len(data.edges),
    )
    return DatasetInfo("d", "n", data.modality, len(data), 0, "side", {}, 1, 0.0, told)


def run_of(monkeypatch, data: Dataset, embedder: str):
    vectors = vectors_of(data)
    together = " + ".join(data.sides.names)
    monkeypatch.setattr(session, "dataset", lambda _: data)
    monkeypatch.setattr(session, "all_vectors", lambda _: vectors)
    monkeypatch.setattr(
        session, "items", lambda _run, kind: run_items(data, vectors.of_kind(kind), kind)
    )
    monkeypatch.setattr(
        session, "index", lambda _r, kind, metric: VectorIndex(vectors.of_kind(kind), metric=metric)
    )
    kinds = {together: len(data), **{n: vectors.kinds.tolist().count(n) for n in data.sides.names}}
    return SimpleNamespace(id="r", dataset="d", embedder=embedder, kinds=kinds, title=embedder)


def test_a_caption_is_shown_as_its_text_and_an_image_as_its_picture():
    items = run_items(captions(), vectors_of(captions()), "text + image")
    assert list(items.texts) == ["a cat.", "an animal", "a.png", "b.png"]
    assert [items.image(i) is not None for i in range(4)] == [False, False, True, True]
    assert items.picture_rows == range(2, 4)
    assert "<img" in _row(1, 2, 0.5, 0.5, items, None, None, "")
    assert "<img" not in _row(1, 0, 0.5, 0.5, items, None, None, "")


def test_one_side_alone_has_its_own_items_and_no_pairs():
    images = run_items(captions(), vectors_of(captions()).of_kind("image"), "image")
    assert list(images.texts) == ["a.png", "b.png"]
    assert images.picture_rows == range(0, 2)
    assert images.edges is None


def test_items_are_called_by_their_title_and_users_by_their_id():
    data = ratings()
    items = run_items(data, vectors_of(data), "user + item")
    assert list(items.texts) == ["ann", "bob", "Toy Story (1995)", "Heat (1995)", "3"]
    assert items.containing("toy story").tolist() == [2]
    table = selection_table(items, np.array([4, 2, 0]))
    assert table["id"].tolist() == ["3", "1", "ann"]
    assert table["side"].tolist() == ["item", "item", "user"]


def test_named_users_do_not_take_the_titles_from_the_items():
    rated = b"user_id,movie_id,rating\n1,11,4\n2,11,2\n1,12,5\n"
    movies = b"movie_id,title\n11,Toy Story (1995)\n12,Heat (1995)\n"
    users = b"user_id,name\n1,Ann Lee\n2,Bob Ray\n"
    sources = [("ratings.csv", rated), ("movies.csv", movies), ("users.csv", users)]
    items = subset_items(read_dataset(sources, kind="interactions"), np.arange(4))
    assert list(items.texts) == ["Ann Lee", "Bob Ray", "Toy Story (1995)", "Heat (1995)"]


def test_words_are_no_items_of_a_side():
    assert stands_for_items("user + item", ratings())
    assert stands_for_items("item", ratings())
    assert not stands_for_items("word", captions())


def test_a_first_look_at_some_rows_keeps_both_sides():
    some = subset_items(captions(), np.array([1, 3]))
    assert list(some.texts) == ["an animal", "b.png"]
    assert some.picture_rows == range(1, 2)


def test_the_pairs_of_an_item_are_named():
    items = run_items(captions(), vectors_of(captions()), "text + image")
    assert link_words(links_of(items, 1), items) == "Paired with 2 images: a.png, b.png."
    assert link_words(links_of(items, 2), items) == "Paired with 2 texts: a cat, an animal."
    rated = run_items(ratings(), vectors_of(ratings()), "user + item")
    assert link_words(links_of(rated, 0), rated) == (
        "Paired with 2 items: Heat (1995) (5), Toy Story (1995) (4)."
    )


@pytest.mark.parametrize(("among", "sides"), [("own", {"user"}), ("other", {"item"})])
def test_neighbours_can_be_looked_for_on_one_side(monkeypatch, among, sides):
    data = ratings()
    run = run_of(monkeypatch, data, "user_item_towers")
    items = session.items(run, "user + item")
    found = neighbours_of(run, "user + item", items, 0, NeighbourChoice(4, "cosine", among))
    assert set(found.kinds) == sides
    assert "ann" not in found.keys


def test_sizes_are_told_by_both_sides():
    assert size_words(sized(ratings())) == "2 users × 3 items, 4 interactions"
    assert short_size(sized(ratings())) == "4 interactions"
    assert size_words(sized(captions())) == "2 texts × 2 images, 3 pairs"
    unnamed = read_dataset(("t.csv", b"a b,c d\ne f,g h\n"), kind="pairs", header="none")
    assert size_words(sized(unnamed)) == "2 left × 2 right, 2 pairs"


def test_an_item_is_found_by_its_name_in_any_case_and_by_its_id(monkeypatch):
    data = ratings()
    run = run_of(monkeypatch, data, "user_item_towers")
    for asked in ("toy story (1995)", "Toy Story", "1"):
        answer = ask(run, "user + item", asked, 3, "cosine")
        assert answer.understood == "Nearest to item “Toy Story (1995)” (1)"
        assert "1" not in answer.found.keys
    assert "such as 1" in invitation(run).hint
