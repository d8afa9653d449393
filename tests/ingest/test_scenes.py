"""Drawn scenes hold what their descriptions and captions say, counted in the pixels."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import ndimage

from core.errors import ParameterError
from ingest.samples import load_sample
from ingest.scene_captions import NUMBERS, caption, caption_digit, describe
from ingest.scene_sample import NEVER_TRAINED, sample_scenes
from ingest.scenes import (
    COLOURS,
    COUNTS,
    PLACES,
    RELATIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    Group,
    Scene,
    almost,
    arrange,
    draw,
    is_held_out,
    random_scene,
)

RED_ABOVE_BLUE = Scene(Group(2, "circle", "red"), Group(1, "square", "blue"), "above")


def scenes(n: int, seed: int = 0) -> list[Scene]:
    rng = np.random.default_rng(seed)
    return [random_scene(rng, held_out=i % 4 == 0) for i in range(n)]


def spots(scene: Scene, seed: int, side: int = 128) -> list[tuple[str, float, float]]:
    """Return colour, x and y of each connected spot of ink, found in the pixels alone."""
    pixels = np.asarray(draw(scene, seed, side=side)).astype(float)
    ground = pixels[0, 0]  # no shape reaches the corner
    ink = ndimage.binary_fill_holes(np.abs(pixels - ground).max(axis=2) > 28)
    labels, n = ndimage.label(ink, np.ones((3, 3)))
    found = []
    for spot in range(1, n + 1):
        ys, xs = np.nonzero(labels == spot)
        if len(ys) < (side / 40) ** 2:  # the tip of a star's thin edge
            continue
        inside = pixels[ys, xs]
        strongest = inside[np.argsort(np.abs(inside - ground).sum(axis=1))[-max(1, len(ys) // 8) :]]
        mean = strongest.mean(axis=0)
        nearest = min(COLOURS, key=lambda name: np.abs(mean - COLOURS[name]).sum())
        found.append((nearest, xs.mean() / side, ys.mean() / side))
    return found


# --- pictures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_a_picture_holds_as_many_spots_of_each_colour_as_its_scene_says(seed):
    scene = scenes(40)[seed]
    expected: Counter[str] = Counter()
    for group in scene.groups:
        expected[group.colour] += group.count
    assert Counter(colour for colour, _, _ in spots(scene, seed)) == expected


@pytest.mark.parametrize("relation", RELATIONS)
def test_every_shape_of_the_first_group_stands_where_the_relation_says(relation):
    scene = Scene(Group(3, "star", "green", "striped"), Group(2, "cross", "black"), relation)
    axis, sign = {"above": (2, 1), "below": (2, -1), "left of": (1, 1), "right of": (1, -1)}[
        relation
    ]
    for seed in range(5):
        found = spots(scene, seed)
        first = [sign * spot[axis] for spot in found if spot[0] == "green"]
        second = [sign * spot[axis] for spot in found if spot[0] == "black"]
        assert max(first) < min(second)


@pytest.mark.parametrize("place", PLACES)
def test_a_single_group_stands_at_its_place(place):
    left, top, right, bottom = PLACES[place]
    for _, x, y in spots(Scene(Group(3, "diamond", "purple", size="large"), place=place), 3):
        assert left < x < right
        assert top < y < bottom


@pytest.mark.parametrize("shape", SHAPES)
def test_sizes_and_textures_show_in_the_amount_of_ink(shape):
    def ink(**look: str) -> float:
        scene = Scene(Group(1, shape, "black", **look), place="in the middle")
        grey = np.asarray(draw(scene, 5, side=128).convert("L"), float)
        return float(np.abs(grey - grey[0, 0]).sum())

    plain = ink(size="large")
    assert 2 < plain / ink(size="small") < 3.5
    assert ink(size="large", texture="striped") < 0.93 * plain
    assert ink(size="large", texture="dotted") < 0.93 * plain


def test_no_two_looks_of_a_group_are_drawn_alike():
    pictures = {
        draw(Scene(Group(1, *look), place="in the middle"), 0).tobytes()
        for look in product(SHAPES, COLOURS, TEXTURES, SIZES)
    }
    assert len(pictures) == len(SHAPES) * len(COLOURS) * len(TEXTURES) * len(SIZES)


def test_shapes_neither_touch_nor_leave_the_picture():
    for seed, scene in enumerate(scenes(150, seed=1)):
        marks = arrange(scene, np.random.default_rng(seed))
        for i, mark in enumerate(marks):
            assert mark.radius <= mark.x <= 1 - mark.radius
            assert mark.radius <= mark.y <= 1 - mark.radius
            for other in marks[:i]:
                apart = max(abs(mark.x - other.x), abs(mark.y - other.y))
                assert apart > mark.radius + other.radius


def test_equal_seeds_draw_equal_pictures_and_other_seeds_others():
    again = draw(RED_ABOVE_BLUE, 7).tobytes()
    assert draw(RED_ABOVE_BLUE, 7).tobytes() == again
    assert draw(RED_ABOVE_BLUE, 8).tobytes() != again


def test_a_larger_picture_shows_the_same_arrangement():
    small, large = spots(RED_ABOVE_BLUE, 7, side=64), spots(RED_ABOVE_BLUE, 7, side=256)
    assert [spot[0] for spot in small] == [spot[0] for spot in large]
    np.testing.assert_allclose(
        [spot[1:] for spot in small], [spot[1:] for spot in large], atol=0.02
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 5},
        {"count": 0},
        {"shape": "hexagon"},
        {"colour": "mauve"},
        {"texture": "furry"},
        {"size": "huge"},
    ],
)
def test_a_group_that_cannot_be_drawn_is_refused_with_what_can(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ParameterError, match=rf"{name} of a group cannot be {value!r}; .* one of"):
        Group(**{"count": 1, "shape": "star", "colour": "red", **wrong})


def test_scenes_that_make_no_sense_are_refused():
    star = Group(1, "star", "red")
    with pytest.raises(ParameterError, match="take three or small"):
        Group(4, "star", "red", size="large")
    with pytest.raises(ParameterError, match="one group has no relation"):
        Scene(star, relation="above", place="at the top")
    with pytest.raises(ParameterError, match="place is one of at the top"):
        Scene(star, place="nowhere")
    with pytest.raises(ParameterError, match="relation is one of above"):
        Scene(star, star, "inside")


# --- what is held out ---------------------------------------------------------------------------


def test_one_colour_is_held_out_for_each_shape_and_count_and_every_colour_is():
    held_out = [
        group for look in product(COUNTS, SHAPES, COLOURS) if is_held_out(group := Group(*look))
    ]
    assert len({(group.count, group.shape) for group in held_out}) == len(held_out) == 24
    assert {group.colour for group in held_out} == set(COLOURS)
    assert is_held_out(RED_ABOVE_BLUE.first)


def test_training_scenes_and_their_near_misses_never_hold_a_held_out_combination():
    rng = np.random.default_rng(0)
    for _ in range(1_500):
        scene = random_scene(rng)
        seen = (*scene.groups, *almost(scene, rng).groups)
        assert not any(map(is_held_out, seen))
    assert all(is_held_out(random_scene(rng, held_out=True).first) for _ in range(50))


def test_a_near_miss_differs_in_one_thing():
    rng = np.random.default_rng(1)
    for scene in scenes(300, seed=2):
        other = almost(scene, rng)
        assert other != scene
        changed = {
            (which, name)
            for which, a, b in zip(("first", "second"), scene.groups, other.groups, strict=False)
            for name in ("count", "shape", "colour", "texture", "size")
            if getattr(a, name) != getattr(b, name)
        }
        moved = (scene.relation, scene.place) != (other.relation, other.place)
        is_one_thing = len(changed) + moved == 1
        names = {name for _, name in changed}
        is_swap_of_one = not moved and len(names) == 1
        is_swap_of_all = (other.first, other.second) == (scene.second, scene.first)
        assert is_one_thing or is_swap_of_one or is_swap_of_all


# --- captions -----------------------------------------------------------------------------------

COUNT_OF = {"a": 1, "an": 1, "one": 1, **{word: i for i, word in enumerate(NUMBERS) if i > 1}}
COUNT_OF |= {str(count): count for count in COUNTS}
SHAPE_OF = {"disc": "circle", "plus": "cross"}
RELATION_OF = {"over": "above", "on top of": "above", "under": "below", "beneath": "below"}
TEXTURE_OF = {"filled": "plain", "solid": "plain", "spotted": "dotted"}
TEXTURE_OF |= {"stripes": "striped", "dots": "dotted", "spots": "dotted"}
SIZE_OF = {"little": "small", "tiny": "small", "big": "large"}
GROUP = re.compile(
    r"\b(?P<count>a|an|one|two|three|four|\d)(?P<before>(?: \w+)*?) (?P<colour>"
    + "|".join(COLOURS)
    + r") (?P<shape>circle|disc|square|triangle|star|diamond|cross|plus)(?:e?s)?\b"
    r"(?: with (?P<behind>\w+))?"
)
RELATION = re.compile(
    r"(?:to the |on the )?(above|over|on top of|below|under|beneath|left of|right of)"
)


def read(text: str) -> tuple[list[Group], str]:
    """Return the groups of a full caption and how the first of them stands to the second."""
    groups = []
    for found in GROUP.finditer(text):
        words = [*found["before"].split(), *([found["behind"]] if found["behind"] else [])]
        size = next((SIZE_OF.get(w, w) for w in words if SIZE_OF.get(w, w) in SIZES), "missing")
        texture = next(TEXTURE_OF.get(w, w) for w in words if TEXTURE_OF.get(w, w) in TEXTURES)
        shape = SHAPE_OF.get(found["shape"], found["shape"])
        groups.append(Group(COUNT_OF[found["count"]], shape, found["colour"], texture, size))
    relation = RELATION.search(text)
    if relation is None or len(groups) < 2:
        return groups, ""
    name = RELATION_OF.get(relation[1], relation[1])
    first = GROUP.search(text)
    assert first is not None
    if relation.start() < first.start():  # "above a blue square two red circles"
        groups.reverse()
    return groups, name


def test_full_captions_say_exactly_what_is_there_in_many_wordings():
    rng = np.random.default_rng(3)
    texts = set()
    for scene in scenes(400, seed=4):
        text = caption(scene, rng, full=True)
        text = re.sub(r"^(a|an) (picture|image|drawing|photo) of ", "", text)
        groups, relation = read(text)
        if scene.second is None:
            assert groups == [scene.first], text
            assert (
                any(word in text for word in scene.place.split()[-1:])
                or "half" in text
                or ("side" in text or "centre" in text)
            ), text
        elif groups[0] == scene.first and relation == scene.relation:
            assert groups[1] == scene.second, text
        else:
            assert groups == [scene.second, scene.first], text
            assert relation == RELATIONS[scene.relation], text
        texts.add(re.sub("|".join([*COLOURS, *SHAPES, *NUMBERS]), "", text))
    assert len(texts) > 250


def test_free_captions_leave_something_out_but_never_lie():
    rng = np.random.default_rng(5)
    lengths = []
    for scene in scenes(300, seed=6):
        text = caption(scene, rng)
        lengths.append(len(text.split()))
        colours = {group.colour for group in scene.groups}
        assert {word for word in text.split() if word in COLOURS} <= colours
        assert any(colour in text for colour in colours)
    full = [len(caption(scene, rng, full=True).split()) for scene in scenes(300, seed=6)]
    assert np.mean(lengths) < np.mean(full) - 1


def test_plain_descriptions_read_well():
    assert describe(RED_ABOVE_BLUE) == "two red circles above a blue square"
    scene = Scene(
        Group(3, "cross", "orange", "striped", "large"), Group(1, "star", "orange"), "left of"
    )
    assert describe(scene) == ("three large striped orange crosses to the left of an orange star")
    assert describe(Scene(Group(1, "circle", "red", "dotted"), place="at the top")) == (
        "a dotted red circle at the top"
    )


def test_digits_are_named_in_words_or_figures():
    rng = np.random.default_rng(0)
    texts = {caption_digit(7, rng) for _ in range(100)}
    assert "a handwritten digit seven" in texts
    assert "the digit 7" in texts
    assert all(("seven" in text) != ("7" in text) for text in texts)


# --- the bundled sample -------------------------------------------------------------------------


def test_the_sample_has_several_right_answers_and_near_misses_for_its_query():
    right = [
        scene
        for scene in sample_scenes()
        if describe(replace_looks(scene)) == "two red circles above a blue square"
    ]
    assert len(right) >= 6
    near = [
        scene
        for scene in sample_scenes()
        if scene not in right and {group.colour for group in scene.groups} == {"red", "blue"}
    ]
    assert len(near) >= 3


def replace_looks(scene: Scene) -> Scene:
    """Return a scene with all groups small and plain: size and texture do not matter here."""
    first = replace(scene.first, texture="plain", size="small")
    second = scene.second and replace(scene.second, texture="plain", size="small")
    return replace(scene, first=first, second=second)


def test_the_columns_of_the_sample_tell_what_its_pictures_hold():
    dataset = load_sample("scenes")
    for row, scene in enumerate(sample_scenes()):
        values = dataset.columns.iloc[row]
        assert values["caption"] == describe(scene)
        assert (values["shape"], values["colour"], values["count"]) == (
            scene.first.shape,
            scene.first.colour,
            scene.first.count,
        )
        assert (values["CLIP"] == NEVER_TRAINED) == any(map(is_held_out, scene.groups))
    lonely = dataset.columns["where"].isin(list(PLACES))
    assert dataset.columns.loc[lonely, "second colour"].isna().all()
    assert dataset.columns.loc[~lonely, "second count"].notna().all()
    assert dataset.columns["shape"].nunique() == len(SHAPES)
