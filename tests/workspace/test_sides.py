"""Pairs and interactions in the workspace: kept whole, listed, embedded by who takes them."""

from __future__ import annotations

import numpy as np
import pytest
from job_waiting import ended

from core.errors import ModalityMismatch, UnknownKey
from core.modality import Modality
from ingest import Dataset, Edges, PairedItems, Sides, read_dataset
from vectors import KeyedVectors
from workspace.linking import link_dataset
from workspace.store import Store
from workspace.tasks import LayoutSpec
from workspace.workspace import Workspace

RATINGS = b"user,item,rating\nann,x,4\nbob,x,2\nann,y,5\n"


def pairs(left=("a cat", "a dog"), right=(b"one", b"two"), kinds=(Modality.TEXT, Modality.IMAGE)):
    n, m = len(left), len(right)
    ids = tuple(f"l{i}" for i in range(n)) + tuple(f"r{i}" for i in range(m))
    source = np.arange(n, dtype=np.int32)
    edges = Edges(source, source % m + np.int32(n), np.arange(1, n + 1, dtype=np.float32), True)
    sides = Sides(("left side", "right side"), kinds, n)
    return Dataset(
        "p", Modality.PAIRS, ids, PairedItems(list(left), list(right)), edges=edges, sides=sides
    )


ALL = [
    pairs(),
    pairs(right=("é", "日本"), kinds=(Modality.TEXT, Modality.TEXT)),
    pairs(left=(b"3", b"4"), kinds=(Modality.IMAGE, Modality.IMAGE)),
    read_dataset(("r.csv", RATINGS), kind="interactions"),
]


@pytest.mark.parametrize("dataset", ALL, ids=["text-image", "texts", "images", "interactions"])
def test_both_sides_come_back_as_they_went_in(home, dataset):
    store = Store(home)
    back = store.dataset(store.save_dataset(dataset), {"name": "again"})
    assert back.sides == dataset.sides
    assert back.weight_kind == dataset.weight_kind
    assert back.ids == dataset.ids
    if dataset.items is not None:
        assert list(back.items) == list(dataset.items)
        assert back.items.fingerprint == dataset.items.fingerprint
    for name in ("source", "target", "weight"):
        np.testing.assert_array_equal(getattr(back.edges, name), getattr(dataset.edges, name))
    del vars(back)["fingerprint"]  # what was written down: compute it from the content again
    assert back.fingerprint == dataset.fingerprint


def test_images_of_pairs_lie_with_all_others_and_go_with_the_last_who_shows_them(home):
    store = Store(home)
    first = store.save_dataset(pairs())
    second = store.save_dataset(pairs(right=(b"two", b"three")))

    def files():
        return {f.read_bytes() for f in store.images.rglob("*") if f.is_file()}

    assert files() == {b"one", b"two", b"three"}
    store.remove_dataset(first)
    assert files() == {b"two", b"three"}
    store.remove_dataset(second)
    assert files() == set()


def test_a_list_knows_what_the_sides_are_and_how_many_pairs_there_are(start):
    runner = start()
    for dataset in ALL:
        link_dataset(runner.store, runner.catalog, "w", dataset)
    infos = runner.catalog.datasets("w")
    assert [info.sides.modalities for info in infos] == [d.sides.modalities for d in ALL]
    last = infos[-1].sides
    assert (last.names, last.n_left, last.n_right, last.n_pairs) == (("user", "item"), 2, 2, 3)


def test_both_sides_together_are_a_kind_of_their_own():
    vectors = KeyedVectors(["a", "b", "c", "w"], np.eye(4), kinds=["query", "text", "text", "word"])
    assert vectors.of_kind("query + text").keys == ("a", "b", "c")
    assert vectors.of_kind("query + text").kind_names == ("query", "text")
    with pytest.raises(UnknownKey):
        vectors.of_kind("query + image")


def test_a_run_over_pairs_can_be_drawn_with_both_sides_together(start):
    runner = start()
    workspace = Workspace.create(runner)
    texts = pairs(
        left=[f"question number {i}" for i in range(12)],
        right=[f"answer {i} of some words" for i in range(12)],
        kinds=(Modality.TEXT, Modality.TEXT),
    )
    info = workspace.add_dataset(texts)
    job = ended(runner, workspace.embed(info.id, "toy", layout=LayoutSpec("pca")))
    assert job.state == "done"
    run = workspace.runs(info.id)[0]
    assert list(run.kinds) == ["left side + right side", "left side", "right side"]
    assert run.kinds["left side + right side"] == 24
    assert [layout.kind for layout in workspace.layouts(run.id)] == [next(iter(run.kinds))]
    assert len(workspace.vectors(run.id, "right side")) == 12


def test_a_method_for_one_side_only_is_refused_at_once(start):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(pairs())
    with pytest.raises(ModalityMismatch, match="both sides"):
        workspace.embed(info.id, "toy")
    with pytest.raises(ModalityMismatch, match="pairs data"):
        workspace.embed(info.id, "pca")
