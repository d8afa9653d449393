"""What linked maps send: texts once, places and neighbours once per view, and never again."""

from __future__ import annotations

import json
import struct
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

from components.embedding_map import (
    TRAIL_LIMIT,
    LinkedLook,
    LinkedScene,
    MapEdges,
    MapEvents,
    MapScene,
    categorical,
    component,
    draw_limit,
    linked,
    linked_maps,
)
from components.embedding_map.messages import events_of, paint_bytes
from core.errors import ParameterError

N = 40


def view(seed: int = 0, n: int = N, dims: int = 2, **more: Any) -> MapScene:
    rng = np.random.default_rng(seed)
    near = np.stack([(np.arange(n) + step) % n for step in (1, 2 + seed)], axis=1)
    points = rng.normal(size=(n, dims)).astype(np.float32)
    return MapScene(points, near.astype(np.int32), **more)


def two(**more: Any) -> LinkedScene:
    texts = [f"text {i}" for i in range(N)]
    return LinkedScene([view(0, hover=texts), view(1)], **more)


@pytest.fixture(autouse=True)
def nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(component, "_sent", OrderedDict())


def header_of(message: bytes) -> dict[str, Any]:
    return json.loads(message[4 : 4 + struct.unpack("<I", message[:4])[0]])


def sent(scene: LinkedScene, key: str = "map") -> tuple[list[str], dict[str, Any]]:
    """Return the blocks that the next message brings, and its header."""
    header = header_of(linked._scene_bytes(scene, key, 600))
    return sorted(name.split(".")[1] for name in header["blocks"]), header


def test_texts_travel_once_and_places_and_neighbours_once_per_view() -> None:
    blocks, header = sent(two(titles=("A", "B"), details=("UMAP", "PCA")))
    assert blocks == [*["coordinates"] * 2, "hover", "hoverEnds", *["neighbours"] * 2]
    assert [(v["title"], v["detail"], v["dims"], v["k"]) for v in header["views"]] == [
        ("A", "UMAP", 2, 2),
        ("B", "PCA", 2, 2),
    ]
    assert header["caption"] == "40 of 40 drawn"


def test_what_was_sent_is_not_sent_again_and_a_new_view_comes_alone() -> None:
    scene = two()
    sent(scene)
    assert sent(scene)[0] == []
    renamed = LinkedScene(scene.views, ("other", "names"))
    assert sent(renamed)[0] == []
    swapped = LinkedScene([*scene.views[::-1], view(2)])
    assert sent(LinkedScene([scene.views[0], view(2)]))[0] == ["coordinates", "neighbours"]
    assert sent(swapped)[0] == []  # in any order
    assert sent(scene, "another map")[0] != []
    component._forget("", "map")  # the browser has said that it lost them
    assert len(sent(scene)[0]) == 6


def test_the_browser_is_not_believed_to_hold_more_than_it_keeps() -> None:
    first = two()
    sent(first)
    for seed in range(2, 2 + component.PARTS_HELD):
        sent(LinkedScene([view(seed), view(seed + 100)]))
    assert len(sent(first)[0]) == 6


def test_many_items_are_sampled_alike_in_flat_and_deep_views() -> None:
    limit = draw_limit(3) // 2
    n = limit + 5_000
    scene = LinkedScene([view(0, n), view(1, n, 3)])
    assert len(scene.drawn) == limit
    assert scene.caption == f"{limit:,} of {n:,} drawn (random sample, seed 0)"
    header, parts = scene.body
    for at, own in enumerate(scene.views):
        blocks = parts[header["views"][at]["sig"]]
        places = blocks["coordinates"].reshape(own.dims, -1).T
        assert np.array_equal(places, own.coordinates[scene.drawn])
        rows = blocks["neighbours"].reshape(-1, 2).astype(np.int64)
        known = rows[:, 1] < limit  # the others are not drawn
        back = scene.drawn[rows[known, 1]]
        assert np.array_equal(back, own.neighbours[scene.drawn[known], 1])
        assert 0.6 < known.mean() < 1
    codes = header_of(paint_bytes(scene, categorical(["a", "b"] * (n // 2)), "map"))["blocks"]
    assert codes["codes"][2] == limit


def test_of_the_same_items_one_view_and_several_have_one_signature() -> None:
    scene = two()
    assert scene.items == scene.views[0].items  # what is selected stays selected
    result = {"clicked": {"point": 7, "items": scene.views[0].items}}
    assert events_of(scene, result).clicked == 7
    assert events_of(scene, {"clicked": {"point": 7, "items": "others"}}).clicked is None


def test_a_view_says_for_itself_what_has_no_position() -> None:
    points = np.zeros((N, 2), np.float32)
    points[:3] = np.nan
    scene = LinkedScene([view(), MapScene(points, remarks=["cut"])])
    captions = [entry["caption"] for entry in scene.body[0]["views"]]
    assert captions == ["", "3 have no position, cut"]


def test_the_look_names_neighbours_per_view_and_trails() -> None:
    look = LinkedLook(focus=3, neighbours=[[4, 5], [9]], trails=[0, 39], trail_origin=1)
    header = header_of(linked._look_bytes(two(), look, "map"))
    assert header["neighbours"] == [[4, 5], [9]]
    assert (header["focus"], header["trails"], header["trailOrigin"]) == (3, [0, 39], 1)
    assert header["trailsLost"] == 0


def test_one_view_is_the_map_that_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def alone(scene: MapScene, look: Any, **more: Any) -> MapEvents:
        given.update(scene=scene, look=look, **more)
        return MapEvents(clicked=1)

    monkeypatch.setattr(linked, "embedding_map", alone)
    one = view(title="A", edges=MapEdges(np.array([0]), np.array([1])))
    look = LinkedLook(focus=3, neighbours=[[4]], trails=[5])
    assert linked_maps(LinkedScene([one]), look, key="k", height=9).clicked == 1
    assert given["scene"] is one  # its bytes are packed already
    assert (given["look"].neighbours, given["look"].focus, given["height"]) == ([4], 3, 9)
    linked_maps(LinkedScene([one], ["B"], ["PCA"]), look, key="k")
    assert given["scene"].title == "B · PCA"


@pytest.mark.parametrize(
    ("views", "more", "reason"),
    [
        ([], {}, "0 views"),
        ([view()] * 5, {}, "5 views .* give 1 to 4"),
        ([view(), view(n=41)], {}, "40, 41 points"),
        ([view(keys=["a"] * N), view(keys=["b"] * N)], {}, "View 2 has other keys"),
        ([view(), view(edges=MapEdges(np.array([0]), np.array([1])))], {}, "View 2 has edges"),
        ([view(), view()], {"titles": ["A"]}, "1 titles were given for 2 views"),
    ],
)
def test_views_that_do_not_belong_together_are_refused(views: Any, more: Any, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        LinkedScene(views, **more)


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (LinkedLook(neighbours=[[1]]), "1 lists of neighbours for 2 views"),
        (LinkedLook(trails=[0] * (TRAIL_LIMIT + 1)), "201 trails"),
        (LinkedLook(trails=[0], trail_origin=2), "trail_origin is 2"),
        (LinkedLook(trails=[0], trail_origin=1), "view 2, which has 3 dimensions"),
    ],
)
def test_a_look_that_does_not_fit_is_refused(look: LinkedLook, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        linked_maps(LinkedScene([view(), view(dims=3)]), look, key="map")
