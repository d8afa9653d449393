"""Captions of scenes, worded in many ways, as people may ask for them."""

from __future__ import annotations

import numpy as np

from ingest.scenes import RELATIONS, Group, Scene

NUMBERS = ("no", "one", "two", "three", "four")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_SIZE_WORDS = {"small": ("small", "small", "little", "tiny"), "large": ("large", "large", "big")}
_TEXTURE_WORDS = {
    "plain": ("plain", "plain", "filled", "solid"),
    "striped": ("striped",),
    "dotted": ("dotted", "dotted", "spotted"),
}
_TEXTURE_PHRASES = {"striped": ("with stripes",), "dotted": ("with dots", "with spots")}
_SHAPE_WORDS = {"circle": ("circle", "circle", "disc"), "cross": ("cross", "cross", "plus")}
_RELATION_WORDS = {
    "above": ("above", "above", "over", "on top of"),
    "below": ("below", "below", "under", "beneath"),
    "left of": ("left of", "to the left of", "on the left of"),
    "right of": ("right of", "to the right of", "on the right of"),
}
_PLACE_WORDS = {
    "at the top": ("at the top", "in the upper half"),
    "at the bottom": ("at the bottom", "in the lower half"),
    "on the left": ("on the left", "on the left side"),
    "on the right": ("on the right", "on the right side"),
    "in the middle": ("in the middle", "in the centre"),
}
_OPENINGS = ("a picture of", "an image of", "a drawing of", "a photo of", "I see")


def describe(scene: Scene) -> str:
    """Return the plain full description: "two large striped red circles above a blue square".

    Only size and texture that stand out are named: large, striped, dotted.
    """
    first = _describe_group(scene.first)
    if scene.second is None:
        return f"{first} {scene.place}"
    relation = f"to the {scene.relation}" if " of" in scene.relation else scene.relation
    return f"{first} {relation} {_describe_group(scene.second)}"


def _describe_group(group: Group) -> str:
    words = [group.size] if group.size == "large" else []
    words += [group.texture] if group.texture != "plain" else []
    return _phrase(group, [*words, group.colour], group.shape)


def caption(scene: Scene, rng: np.random.Generator, *, full: bool = False) -> str:
    """Return one of many true captions of a scene.

    Parameters
    ----------
    full : bool
        Name everything: size, texture and place or relation of every group, so that no scene
        that differs in one of them fits the caption. Otherwise some of it may be left out.
    """
    text = _caption_of_one(scene, rng, full) if scene.second is None else _of_two(scene, rng, full)
    if rng.random() < 0.25 and not {"is", "are"} & set(text.split()):
        return f"{_pick(_OPENINGS, rng)} {text}"
    return text


def caption_digit(digit: int, rng: np.random.Generator) -> str:
    """Return a caption of a handwritten digit: "a handwritten digit seven"."""
    word = DIGITS[digit] if rng.random() < 0.5 else str(digit)
    wordings = (
        f"a handwritten digit {word}",
        f"the digit {word}",
        f"a handwritten {word}",
        f"the number {word} written by hand",
        f"a picture of the digit {word}",
    )
    return _pick(wordings, rng)


def _caption_of_one(scene: Scene, rng: np.random.Generator, full: bool) -> str:
    group = _group_caption(scene.first, rng, full)
    if full or rng.random() < 0.6:
        place = _pick(_PLACE_WORDS[scene.place], rng)
        return f"{place} {group}" if rng.random() < 0.1 else f"{group} {place}"
    return group


def _of_two(scene: Scene, rng: np.random.Generator, full: bool) -> str:
    assert scene.second is not None  # noqa: S101 -- told to the type checker
    first, second = (_group_caption(group, rng, full) for group in (scene.first, scene.second))
    relation = scene.relation
    if rng.random() < 0.35:  # the same said from the other side
        first, second, relation = second, first, RELATIONS[relation]
    if not full and rng.random() < 0.12:
        return f"{first} and {second}" if rng.random() < 0.6 else first
    words = _pick(_RELATION_WORDS[relation], rng)
    style = rng.random()
    if style < 0.08:
        return f"{words} {second} {first}"
    if style < 0.2:
        return f"{first} {'is' if first.startswith(('a ', 'one ')) else 'are'} {words} {second}"
    return f"{first} {words} {second}"


def _group_caption(group: Group, rng: np.random.Generator, full: bool) -> str:
    words = []
    behind = ""
    if full or rng.random() < 0.45:
        words.append(_pick(_SIZE_WORDS[group.size], rng))
    if full or rng.random() < (0.15 if group.texture == "plain" else 0.7):
        if group.texture != "plain" and rng.random() < 0.15:
            behind = " " + _pick(_TEXTURE_PHRASES[group.texture], rng)
        else:
            words.append(_pick(_TEXTURE_WORDS[group.texture], rng))
            if len(words) == 2 and rng.random() < 0.15:
                words.reverse()
    words.append(group.colour)
    return _phrase(group, words, _pick(_SHAPE_WORDS.get(group.shape, (group.shape,)), rng), rng) + (
        behind
    )


def _phrase(
    group: Group, words: list[str], shape: str, rng: np.random.Generator | None = None
) -> str:
    """Return "a red circle", "two red circles" or, at times, "2 red circles"."""
    if group.count == 1:
        article = "an" if words[0][0] in "aeiou" else "a"
        number = "one" if rng is not None and rng.random() < 0.12 else article
    else:
        digits = rng is not None and rng.random() < 0.12
        number = str(group.count) if digits else NUMBERS[group.count]
        shape += "es" if shape.endswith("s") else "s"
    return " ".join([number, *words, shape])


def _pick(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
