"""Items of two sides: order, parts, identity, and images that stay on disk."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core.errors import DatasetError
from core.modality import Modality
from ingest import Dataset, Edges, PairedItems, Sides
from ingest.image_items import ImageFolderItems

TEXTS = ["a cat", "a dog", "ein Vogel 🐦"]
FILES = [b"cat", b"dog"]


def make(**change):
    edges = Edges(
        np.array([0, 1, 2], np.int32), np.array([3, 4, 4], np.int32), np.ones(3, np.float32), True
    )
    base = {
        "name": "p",
        "modality": Modality.PAIRS,
        "ids": ("t1", "t2", "t3", "i1", "i2"),
        "items": PairedItems(TEXTS, FILES),
        "edges": edges,
        "sides": Sides(("text", "image"), (Modality.TEXT, Modality.IMAGE), 3),
    }
    return Dataset(**{**base, **change})


def test_left_items_come_before_right_ones():
    items = PairedItems(TEXTS, FILES)
    assert len(items) == 5
    assert list(items) == [*TEXTS, *FILES]
    assert items[2:4] == [TEXTS[2], b"cat"]
    assert items[-1] == b"dog"
    with pytest.raises(IndexError):
        items[5]


def test_images_on_disk_have_the_same_identity_and_are_not_read(tmp_path):
    stored = PairedItems(TEXTS, ImageFolderItems.save(FILES, tmp_path))
    assert stored.fingerprint == PairedItems(TEXTS, FILES).fingerprint
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.unlink()
    part = stored.take([1, 4])
    assert part.hashes[1] == stored.hashes[4]
    assert part[0] == "a dog"


def test_positions_from_the_end_keep_their_side():
    part = make().subset([0, -1])
    assert part.ids == ("t1", "i2")
    assert list(part.items) == ["a cat", b"dog"]
    assert part.sides.n_left == 1


def test_the_fingerprint_sees_items_sides_and_pairs():
    base = make()
    other_names = Sides(("caption", "image"), (Modality.TEXT, Modality.IMAGE), 3)
    fewer = Edges(*(getattr(base.edges, n)[:2] for n in ("source", "target", "weight")), True)
    prints = {
        each.fingerprint
        for each in (
            base,
            make(items=PairedItems([*TEXTS[:2], "other"], FILES)),
            make(items=PairedItems(TEXTS, [b"cat", b"cow"])),
            make(sides=other_names),
            make(edges=fewer),
        )
    }
    assert len(prints) == 5
    assert make(name="renamed").fingerprint == base.fingerprint


def test_a_part_keeps_its_sides_and_the_pairs_between_what_is_kept():
    part = make().subset(np.array([True, False, True, False, True]))
    assert (part.sides.n_left, part.ids) == (2, ("t1", "t3", "i2"))
    assert list(part.items) == [TEXTS[0], TEXTS[2], b"dog"]
    assert (part.edges.source.tolist(), part.edges.target.tolist()) == ([1], [2])
    alone = make().subset([3])
    assert (alone.sides.n_left, len(alone.edges)) == (0, 0)


def test_a_part_that_would_put_right_before_left_is_refused():
    with pytest.raises(DatasetError, match="first each text"):
        make().subset([3, 0])


@pytest.mark.parametrize(
    "change",
    [
        {"sides": None},
        {"edges": None},
        {"modality": Modality.TEXT},
        {"sides": Sides(("text", "image"), (Modality.TEXT, Modality.IMAGE), 6)},
        {"sides": Sides(("text", "image"), (Modality.TEXT, Modality.IMAGE), 2)},
    ],
)
def test_sides_that_do_not_fit_are_refused(change):
    with pytest.raises(DatasetError):
        make(**change)


def test_edges_without_a_direction_are_no_pairs():
    with pytest.raises(DatasetError, match="directed"):
        make(edges=dataclasses.replace(make().edges, directed=False))


def test_sides_need_two_names():
    with pytest.raises(DatasetError, match="two different names"):
        Sides(("text", "text"), (Modality.TEXT, Modality.TEXT), 1)
