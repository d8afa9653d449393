"""Scenes of simple shapes: what is in them, how they are drawn, what is held out of training.

A scene is one group of equal shapes at a place, or two groups with a relation between them ("two
red circles above a blue square"). The description comes first and the picture is drawn from it, so
that what is in a picture is known exactly: for the bundled sample, and for training and judging the
small CLIP model (``data/train_tiny_clip.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.errors import ParameterError

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 40, 40),
    "orange": (250, 140, 10),
    "yellow": (240, 208, 30),
    "green": (40, 155, 60),
    "blue": (35, 90, 205),
    "purple": (128, 55, 165),
    "pink": (245, 130, 190),
    "black": (30, 30, 30),
}
SHAPES = ("circle", "square", "triangle", "star", "diamond", "cross")
TEXTURES = ("plain", "striped", "dotted")
SIZES = {"small": 0.09, "large": 0.148}
"""Radius of a shape's circumscribed circle as a part of the picture's side."""
COUNTS = (1, 2, 3, 4)
RELATIONS = {"above": "below", "below": "above", "left of": "right of", "right of": "left of"}
"""Each relation with its converse."""
PLACES = {  # left, top, right, bottom as parts of the picture's side
    "at the top": (0.0, 0.0, 1.0, 0.5),
    "at the bottom": (0.0, 0.5, 1.0, 1.0),
    "on the left": (0.0, 0.0, 0.5, 1.0),
    "on the right": (0.5, 0.0, 1.0, 1.0),
    "in the middle": (0.16, 0.16, 0.84, 0.84),
}
_REGIONS = {
    "above": ("at the top", "at the bottom"),
    "below": ("at the bottom", "at the top"),
    "left of": ("on the left", "on the right"),
    "right of": ("on the right", "on the left"),
}

SIDE = 64
"""Width and height of a picture in pixels, unless another is asked for."""
_SUPERSAMPLING = 2
_PALE = 0.82  # how far the ground of a striped or dotted shape is lightened towards white

Point = tuple[float, float]


@dataclass(frozen=True)
class Group:
    """Equal shapes side by side: ``count`` of 1 to 4 (large ones: 1 to 3), and their looks."""

    count: int
    shape: str
    colour: str
    texture: str = "plain"
    size: str = "small"

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        known = {
            "count": COUNTS,
            "shape": SHAPES,
            "colour": tuple(COLOURS),
            "texture": TEXTURES,
            "size": tuple(SIZES),
        }
        for name, allowed in known.items():
            if getattr(self, name) not in allowed:
                raise ParameterError(
                    f"The {name} of a group cannot be {getattr(self, name)!r}; "
                    f"it is one of {', '.join(map(str, allowed))}."
                )
        if self.size == "large" and self.count > 3:
            raise ParameterError("Four large shapes do not fit side by side; take three or small.")


@dataclass(frozen=True)
class Scene:
    """One group at a place, or two with a relation: the first is ``relation`` the second."""

    first: Group
    second: Group | None = None
    relation: str = ""
    place: str = ""

    def __post_init__(self) -> None:
        """Refuse a relation without a second group, and a place beside a relation."""
        if self.second is None and (self.relation or self.place not in PLACES):
            raise ParameterError(
                f"A scene of one group has no relation and its place is one of "
                f"{', '.join(PLACES)}; got relation {self.relation!r}, place {self.place!r}."
            )
        if self.second is not None and (self.relation not in RELATIONS or self.place):
            raise ParameterError(
                f"A scene of two groups has no place and its relation is one of "
                f"{', '.join(RELATIONS)}; got relation {self.relation!r}, place {self.place!r}."
            )

    @property
    def groups(self) -> tuple[Group, ...]:
        """Return the groups that are there."""
        return (self.first,) if self.second is None else (self.first, self.second)

    def placed(self) -> tuple[tuple[Group, str], ...]:
        """Return each group with its place: a relation puts the two into opposite halves."""
        places = _REGIONS[self.relation] if self.second else (self.place,)
        return tuple(zip(self.groups, places, strict=True))


@dataclass(frozen=True)
class Mark:
    """One shape as it is drawn; lengths are parts of the picture's side, ``angle`` in radians."""

    group: Group
    x: float
    y: float
    radius: float
    angle: float
    stripes: int


def is_held_out(group: Group) -> bool:
    """Tell whether this count, colour and shape never come together in training.

    Of the eight colours, one is held out for each shape and count: 24 of 192 combinations, every
    colour two to four times, among them two red circles.
    """
    colour = tuple(COLOURS).index(group.colour)
    return (colour + 2 * SHAPES.index(group.shape) + 3 * group.count) % 8 == 6


def random_scene(rng: np.random.Generator, *, held_out: bool = False) -> Scene:
    """Return a scene without held-out combinations, or one whose first group is held out."""
    first = _random_group(rng, held_out=held_out)
    if rng.random() < 0.3:
        return Scene(first, place=str(rng.choice(list(PLACES))))
    while True:
        second = _random_group(rng)
        if (second.shape, second.colour) != (first.shape, first.colour):
            return Scene(first, second, str(rng.choice(list(RELATIONS))))


def _random_group(rng: np.random.Generator, *, held_out: bool = False) -> Group:
    while True:
        size = str(rng.choice(list(SIZES)))
        group = Group(
            int(rng.integers(1, 4 if size == "large" else 5)),
            str(rng.choice(SHAPES)),
            str(rng.choice(list(COLOURS))),
            str(rng.choice(TEXTURES)),
            size,
        )
        if is_held_out(group) is held_out:
            return group


def almost(scene: Scene, rng: np.random.Generator) -> Scene:
    """Return a scene that differs in one thing only: the hardest to tell apart by a caption.

    Either one attribute of one group, the relation or place, or what two groups have swapped.
    No held-out combination appears where ``scene`` has none.
    """
    allowed = any(map(is_held_out, scene.groups))
    while True:
        other = _changed(scene, rng)
        if other is None or other == scene or (not allowed and any(map(is_held_out, other.groups))):
            continue
        second = other.second
        if second and (second.shape, second.colour) == (other.first.shape, other.first.colour):
            continue
        return other


def _changed(scene: Scene, rng: np.random.Generator) -> Scene | None:
    kind = rng.choice(["attribute", "where", "swap"], p=[0.5, 0.2, 0.3])
    if kind == "where" and scene.second is None:
        return replace(scene, place=str(rng.choice(list(PLACES))))
    if kind == "where":
        return replace(scene, relation=str(rng.choice(list(RELATIONS))))
    if kind == "swap" and scene.second is not None:
        name = str(rng.choice(["all", "count", "shape", "colour", "texture", "size"]))
        return _swapped(scene, name)
    which = "second" if scene.second and rng.random() < 0.5 else "first"
    name = str(rng.choice(["count", "shape", "colour", "texture", "size"]))
    random = _random_group(rng)
    return _with_groups(scene, {which: {name: getattr(random, name)}})


def _swapped(scene: Scene, name: str) -> Scene | None:
    first, second = scene.first, scene.second
    if second is None:
        return None
    if name == "all":
        return replace(scene, first=second, second=first)
    return _with_groups(
        scene,
        {"first": {name: getattr(second, name)}, "second": {name: getattr(first, name)}},
    )


def _with_groups(scene: Scene, changes: dict[str, dict[str, Any]]) -> Scene | None:
    """Return the scene with changed groups; None where four large shapes would come of it."""
    new = {}
    for which, change in changes.items():
        group = getattr(scene, which)
        if change.get("size", group.size) == "large" and change.get("count", group.count) > 3:
            return None
        new[which] = replace(group, **change)
    return replace(scene, **new)


def arrange(scene: Scene, rng: np.random.Generator) -> tuple[Mark, ...]:
    """Return where each shape of a scene stands; none touches another."""
    marks: list[Mark] = []
    for group, place in scene.placed():
        radius = SIZES[group.size] * rng.uniform(0.93, 1.04)
        stripes = int(rng.integers(3))
        for left, top, right, bottom in _slots(PLACES[place], group.count, rng):
            x = rng.uniform(left + radius, right - radius)
            y = rng.uniform(top + radius, bottom - radius)
            angle = float(rng.uniform(-0.14, 0.14))
            marks.append(Mark(group, float(x), float(y), radius, angle, stripes))
    return tuple(marks)


def _slots(
    region: tuple[float, float, float, float], count: int, rng: np.random.Generator
) -> list[tuple[float, float, float, float]]:
    """Return ``count`` parts of a region side by side, each with a little room around it."""
    left, top, right, bottom = region
    width, height = right - left, bottom - top
    columns, rows = (count, 1) if width > height else (1, count)
    if width == height and count > 1:
        columns, rows = (2, 2) if count > 2 else ((2, 1) if rng.random() < 0.5 else (1, 2))
    cells = [(c, r) for r in range(rows) for c in range(columns)]
    chosen = sorted(rng.permutation(len(cells))[:count].tolist())
    gap = 0.006
    return [
        (
            left + cells[i][0] * width / columns + gap,
            top + cells[i][1] * height / rows + gap,
            left + (cells[i][0] + 1) * width / columns - gap,
            top + (cells[i][1] + 1) * height / rows - gap,
        )
        for i in chosen
    ]


def draw(scene: Scene, seed: int, *, side: int = SIDE) -> Image.Image:
    """Return the picture of a scene, ``side`` by ``side`` pixels, RGB.

    The seed decides where in its region each shape stands, small turns, and shades; equal scene
    and seed give the same picture, at any size.
    """
    rng = np.random.default_rng(seed)
    marks = arrange(scene, rng)
    ground = tuple(int(v) for v in rng.integers(232, 248) + rng.integers(-7, 8, size=3))
    big = side * _SUPERSAMPLING
    picture = Image.new("RGB", (big, big), ground)
    shades = {group.colour: _shade(COLOURS[group.colour], rng) for group in scene.groups}
    for mark in marks:
        _draw_mark(picture, mark, shades[mark.group.colour])
    return picture.reduce(_SUPERSAMPLING)


def _shade(colour: tuple[int, int, int], rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(np.clip(v + rng.integers(-12, 13), 0, 255)) for v in colour)
    return red, green, blue


def _draw_mark(picture: Image.Image, mark: Mark, colour: tuple[int, int, int]) -> None:
    side = picture.width
    centre_x, centre_y, radius = mark.x * side, mark.y * side, mark.radius * side
    left, top = math.floor(centre_x - radius), math.floor(centre_y - radius)
    extent = math.ceil(2 * radius) + 2
    x, y = centre_x - left, centre_y - top
    outline = [(x + radius * px, y + radius * py) for px, py in _outline(mark)]
    mask = Image.new("1", (extent, extent))
    ImageDraw.Draw(mask).polygon(outline, fill=1)
    if mark.group.texture == "plain":
        picture.paste(colour, (left, top), mask)
        return
    red, green, blue = (round(v + (255 - v) * _PALE) for v in colour)
    picture.paste((red, green, blue), (left, top), mask)
    inked = np.asarray(mask) & _pattern(mark, extent, (x, y), radius)
    picture.paste(colour, (left, top), Image.fromarray(inked))
    edge = [(left + px, top + py) for px, py in outline]
    ImageDraw.Draw(picture).line(
        [*edge, edge[0], edge[1]], fill=colour, width=max(1, round(side / 64)), joint="curve"
    )


def _outline(mark: Mark) -> list[Point]:
    """Return the corners of a shape on the unit circle, turned by the mark's angle."""
    cosine, sine = math.cos(mark.angle), math.sin(mark.angle)
    corners = _CORNERS[mark.group.shape]
    return [(px * cosine - py * sine, px * sine + py * cosine) for px, py in corners]


def _ring(n: int, start: float, radii: tuple[float, ...] = (1.0,)) -> tuple[Point, ...]:
    """Return ``n`` points around the centre from the angle ``start`` (in turns), y downwards."""
    return tuple(
        (
            radii[i % len(radii)] * math.cos(2 * math.pi * (start + i / n)),
            radii[i % len(radii)] * math.sin(2 * math.pi * (start + i / n)),
        )
        for i in range(n)
    )


_ARM = 0.32
_CORNERS: dict[str, tuple[Point, ...]] = {
    "circle": _ring(40, 0.0, (0.92,)),
    "square": _ring(4, 0.125),
    "triangle": _ring(3, -0.25),
    "star": _ring(10, -0.25, (1.0, 0.42)),
    "diamond": tuple((0.72 * x, y) for x, y in _ring(4, 0.0)),
    "cross": tuple(
        (turn[0] * a - turn[1] * b, turn[1] * a + turn[0] * b)
        for turn in ((1, 0), (0, 1), (-1, 0), (0, -1))
        for a, b in ((0.95, -_ARM), (0.95, _ARM), (_ARM, _ARM))
    ),
}


def _pattern(mark: Mark, extent: int, centre: Point, radius: float) -> NDArray[np.bool_]:
    """Return where ink goes, ``(extent, extent) bool``: stripes in one of three ways, or dots."""
    steps = np.arange(extent) + 0.5
    x, y = (steps - centre[0])[None, :], (steps - centre[1])[:, None]
    if mark.group.texture == "striped":
        period = 0.58 * max(radius, 1.0) if mark.group.size == "small" else 0.44 * radius
        along: NDArray[np.float64] = (x + 0 * y, y + 0 * x, (x + y) / math.sqrt(2))[mark.stripes]
        return (along / period) % 1.0 < 0.5
    period = (0.62 if mark.group.size == "small" else 0.46) * radius
    across = ((x / period + 0.5) % 1.0 - 0.5) ** 2 + ((y / period + 0.5) % 1.0 - 0.5) ** 2
    return across < 0.09
