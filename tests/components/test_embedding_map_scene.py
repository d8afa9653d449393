"""What the map sends: scenes, colours, samples, bits."""

from __future__ import annotations

import base64
import json
import struct
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.embedding_map import (
    MapLook,
    MapScene,
    categorical,
    continuous,
    draw_limit,
    draw_sample,
    install_static_files,
    sprite_sheet,
)
from components.embedding_map.single import _look_bytes
from components.embedding_map.wire import pack, unpack_bits
from components.map_scene import left_out_remarks
from core.errors import EmbedscopeError, ParameterError


def read(message: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a message the way the browser does."""
    length = struct.unpack("<I", message[:4])[0]
    header = json.loads(message[4 : 4 + length])
    kinds = {"f4": "<f4", "i4": "<i4", "u4": "<u4", "u2": "<u2", "u1": "u1"}
    blocks = {
        name: np.frombuffer(message, kinds[kind], count, offset)
        for name, (kind, offset, count) in header["blocks"].items()
    }
    return header, blocks


def scene(n: int = 50, dims: int = 2, **more: Any) -> MapScene:
    rng = np.random.default_rng(0)
    return MapScene(coordinates=rng.normal(size=(n, dims)).astype(np.float32), **more)


def packed(one: MapScene) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    return read(pack(*one.body))


@pytest.mark.parametrize("title", ["", "ascii", "Überblick · 見出し"])
def test_blocks_come_back_equal_and_aligned(title: str) -> None:
    blocks = {
        "a": np.arange(7, dtype=np.uint8),
        "b": np.linspace(0, 1, 5, dtype=np.float32),
        "c": np.arange(3, dtype=np.uint16),
        "d": np.array([-1, 2], np.int32),
    }
    header, found = read(pack({"title": title}, blocks))
    assert header["title"] == title
    for name, block in blocks.items():
        assert np.array_equal(found[name], block)
        assert header["blocks"][name][1] % 4 == 0


def test_coordinates_travel_as_columns_and_neighbours_in_two_bytes() -> None:
    ids = np.array([[1, 2], [0, -1], [7, 0]], np.int32)
    one = scene(3, neighbours=ids)
    header, blocks = packed(one)
    assert np.array_equal(blocks["coordinates"].reshape(2, 3).T, one.coordinates)
    assert header["blocks"]["neighbours"][0] == "u2"
    assert blocks["neighbours"].tolist() == [1, 2, 0, 65535, 65535, 0]  # none and unknown alike


def test_many_points_need_four_bytes_per_neighbour() -> None:
    n = 70_000
    header, blocks = packed(scene(n, neighbours=np.full((n, 1), 69_999, np.int32)))
    assert header["blocks"]["neighbours"][0] == "i4"
    assert blocks["neighbours"][0] == 69_999


def test_hover_texts_are_cut_and_cleaned() -> None:
    texts = ["short", "two\n lines", "x" * 500]
    _, blocks = packed(scene(3, hover=texts))
    ends = [0, *blocks["hoverEnds"].tolist()]
    raw = blocks["hover"].tobytes()
    shown = [raw[a:b].decode() for a, b in pairwise(ends)]
    assert shown[:2] == ["short", "two lines"]
    assert len(shown[2]) == 120
    assert shown[2].endswith("…")


def test_many_hover_texts_are_cut_shorter() -> None:
    _, blocks = packed(scene(20_001, hover=["y" * 200] * 20_001))
    assert blocks["hoverEnds"][0] == 59 + 3  # 59 letters and the three bytes of "…"


def test_the_same_items_in_another_layout_have_the_same_signature() -> None:
    keys = [f"k{i}" for i in range(50)]
    first, second = scene(keys=keys), scene(dims=3, keys=keys)
    assert first.items == second.items
    assert first.body[0]["sig"] != second.body[0]["sig"]
    assert scene(keys=keys[::-1]).items != first.items


def test_equal_keys_of_another_collection_are_other_items() -> None:
    keys = [str(i) for i in range(50)]
    reviews = scene(keys=keys, identity="reviews/document")
    assert scene(keys=keys, identity="digits/image").items != reviews.items
    assert scene(dims=3, keys=keys, identity="reviews/document").items == reviews.items


def test_what_was_too_much_to_send_is_told_below_the_map() -> None:
    assert left_out_remarks(5_000) == []
    one = scene(remarks=left_out_remarks(6_000))
    assert one.caption == (
        "50 of 50 drawn, no pictures under the pointer (up to 5,000 images have them)"
    )
    assert one.body[0]["caption"] == one.caption


@pytest.mark.parametrize("found", [[], [3], list(range(0, 80_000, 2))])
def test_search_hits_cost_at_most_a_bit_per_point_and_arrive(found: list[int]) -> None:
    one = scene(80_000)
    message = _look_bytes(one, MapLook(focus=7, found=found, fly_to="some"), "map")
    header, blocks = read(message)
    bits = blocks.get("foundBits")
    at = (
        blocks["foundAt"]
        if bits is None
        else np.flatnonzero(np.unpackbits(bits, bitorder="little"))
    )
    assert at.tolist() == found
    assert header["fly"] == "some"
    assert len(message) < 80_000 / 8 + 1_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"coordinates": np.zeros((4, 5))},
        {"coordinates": np.zeros((0, 2))},
        {"coordinates": np.zeros((4, 2)), "hover": ["a"]},
        {"coordinates": np.zeros((4, 2)), "keys": ["a"] * 5},
    ],
)
def test_parts_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        MapScene(**wrong)


def test_points_without_a_position_are_counted() -> None:
    points = np.zeros((5, 2), np.float32)
    points[2] = np.nan
    assert MapScene(coordinates=points).caption == "5 of 5 drawn, 1 have no position"


def test_above_the_limit_a_sample_is_drawn_and_positions_map_back() -> None:
    n = draw_limit(3) + 5_000
    ids = np.roll(np.arange(n, dtype=np.int32), -1)[:, None]
    one = scene(n, 3, neighbours=ids)
    assert len(one.drawn) == draw_limit(3)
    assert one.caption.startswith(f"{draw_limit(3):,} of {n:,} drawn")
    left_out = np.setdiff1d(np.arange(n), one.drawn)
    assert one.to_drawn(left_out[:3]).tolist() == [-1, -1, -1]
    assert np.array_equal(one.drawn[one.to_drawn(one.drawn[:99])], one.drawn[:99])
    seen = one.visible
    known = seen.neighbours[:, 0] >= 0
    assert np.array_equal(one.drawn[seen.neighbours[known, 0]], (one.drawn[known] + 1) % n)


def test_a_sample_keeps_every_class_and_its_share() -> None:
    codes = np.repeat([0, 1, 2], [9_000, 990, 10])
    sample = draw_sample(10_000, 1_000, seed=3, codes=codes)
    assert len(np.unique(sample)) == 1_000
    shares = np.bincount(codes[sample])
    assert shares.tolist() == pytest.approx([899, 100, 2], abs=2)
    assert np.array_equal(sample, draw_sample(10_000, 1_000, seed=3, codes=codes))
    assert not np.array_equal(sample, draw_sample(10_000, 1_000, seed=4, codes=codes))
    assert draw_sample(5, 10).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("limit", "codes"), [(0, None), (3, np.zeros(4, int))])
def test_impossible_samples_are_refused(limit: int, codes: np.ndarray | None) -> None:
    with pytest.raises(ParameterError):
        draw_sample(5, limit, codes=codes)


def test_a_selection_returns_as_bits() -> None:
    mask = np.zeros(21, bool)
    mask[[0, 7, 8, 20]] = True
    text = base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()
    assert unpack_bits(text, 21).tolist() == [0, 7, 8, 20]


@pytest.mark.parametrize("text", ["", "not base64!", "AAAA"])
def test_a_broken_selection_is_empty(text: str) -> None:
    assert unpack_bits(text, 21).size == 0


def test_classes_beyond_twenty_two_share_other_and_missing_is_told_apart() -> None:
    values = [f"c{i:02}" for i in range(24) for _ in range(30 - i)] + [None, float("nan"), " "]
    colours = categorical(values, title="topic")
    assert colours.names[:2] == ("c00", "c01")
    assert colours.names[22:] == ("other (2 classes)", "missing")
    assert colours.counts[22:] == (15, 3)
    assert sum(colours.counts) == len(values)
    assert len(colours.palette) == len(colours.palette_dark) == 24
    assert colours.codes[-1] == 23


def test_whole_floats_read_as_whole_numbers_and_order_can_be_given() -> None:
    colours = categorical([1.0, 2.0, 2.0, 5.0], order=["1", "2", "5"])
    assert colours.names == ("1", "2", "5")
    assert colours.counts == (1, 2, 1)


def test_one_class_without_a_title_has_no_legend() -> None:
    assert categorical(["item"] * 4).scale == "none"
    assert categorical(["item"] * 4, title="kind").scale == "categorical"


def test_numbers_use_the_whole_scale_and_missing_lies_outside() -> None:
    colours = continuous([0, 5, 10, np.nan, np.inf], title="score")
    assert colours.codes[0] == 0
    assert colours.codes[2] == len(colours.palette) - 2
    assert colours.codes[3] == colours.codes[4] == len(colours.palette) - 1
    assert (colours.low, colours.high, colours.missing) == ("0", "10", 2)


def test_a_few_extreme_numbers_do_not_eat_the_scale() -> None:
    values = np.r_[np.linspace(0, 1, 998), 1e6, -1e6]
    colours = continuous(values)
    assert colours.low.startswith("≤ ")
    assert colours.high.startswith("≥ ")
    assert np.ptp(colours.codes[:998].astype(int)) > 90


@pytest.mark.parametrize("values", [[3, 3, 3], [np.nan, np.nan], [1e-9, 2e-9], [1e12, 2e12]])
def test_odd_numbers_still_give_a_scale(values: list[float]) -> None:
    colours = continuous(values)
    assert len(colours.codes) == len(values)
    assert colours.low


def test_a_reversed_scale_is_refused() -> None:
    with pytest.raises(ParameterError, match="swap"):
        continuous([1, 2], vmin=3, vmax=1)


def test_pictures_are_tiled_in_order(tmp_path: Any) -> None:
    reds = [Image.new("RGB", (30, 20), (i, 0, 0)) for i in (50, 100, 250)]
    path = tmp_path / "one.png"
    reds[0].save(path)
    sheet = sprite_sheet([path, reds[1], None, reds[2]], tile=64)
    assert (sheet.columns, sheet.per_sheet, len(sheet.sheets)) == (32, 1024, 1)
    import io

    tiled = Image.open(io.BytesIO(sheet.sheets[0])).convert("RGBA")
    middle = [tiled.getpixel((64 * at + 32, 32)) for at in range(4)]
    assert middle[2][3] == 0
    assert [pixel[0] for pixel in (middle[0], middle[1], middle[3])] == pytest.approx(
        [50, 100, 250], abs=12
    )


def test_library_and_script_are_copied_once_and_mended(tmp_path: Any) -> None:
    library, script = install_static_files(tmp_path)
    assert library.parent == script.parent == tmp_path / "static"
    assert library.stat().st_size > 1_000_000
    assert "export function mount" in script.read_text()
    first = library.stat().st_mtime_ns
    assert install_static_files(tmp_path)[0].stat().st_mtime_ns == first
    library.write_text("cut short")
    assert install_static_files(tmp_path)[0].stat().st_size > 1_000_000
    assert {path.name for path in library.parent.iterdir()} == {library.name, script.name}


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Any) -> None:
    (tmp_path / "static").write_text("a file where the folder should be")
    with pytest.raises(EmbedscopeError, match="writable"):
        install_static_files(tmp_path)
