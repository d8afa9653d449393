"""Several views of the same items beside each other, linked in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from components.embedding_map.colouring import Colouring
from components.embedding_map.component import PARTS_HELD, deliver, library, not_held
from components.embedding_map.linked_scene import LinkedScene
from components.embedding_map.messages import MapEvents, drawn_rows, look_bytes, paint_bytes
from components.embedding_map.single import MapLook, embedding_map
from components.embedding_map.wire import pack
from core.errors import ParameterError

__all__ = ["TRAIL_LIMIT", "LinkedLook", "linked_maps"]

TRAIL_LIMIT = 200
"""Trails drawn at most: more of them hide the points."""

_Positions = Sequence[int] | NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class LinkedLook:
    """The light, changing part of linked maps. Positions are among all items.

    Parameters
    ----------
    colouring, focus, found, fly_to, point_size
        As in :class:`~components.embedding_map.MapLook`, for all views.
    neighbours : sequence of sequence of int, optional
        The neighbours of the focus in each view, nearest first. None shows those that the scene
        carries.
    trails : sequence of int
        Items of which a line shows where they lie in another view; at most ``TRAIL_LIMIT``. The
        layouts have to be aligned into one frame. Only flat views have trails.
    trail_origin : int
        Number of the view (from 0) where the trails of the other views begin. Of two views, that
        one shows where its items lie in the other.
    """

    colouring: Colouring | None = None
    focus: int | None = None
    neighbours: Sequence[_Positions] | None = None
    found: _Positions | None = None
    fly_to: int | str = 0
    point_size: float | None = None
    trails: _Positions = ()
    trail_origin: int = 0


def linked_maps(
    scene: LinkedScene,
    look: LinkedLook,
    *,
    key: str,
    height: int = 640,
    on_click: Callable[[int], None] | None = None,
    on_clear: Callable[[], None] | None = None,
) -> MapEvents:
    """Draw one to four views and return what the user did on any of them.

    A view alone is an :func:`~components.embedding_map.embedding_map`. Hover, selection, legend and
    focus are shared in the browser; each view has a camera of its own.

    Parameters
    ----------
    scene : LinkedScene
        What to draw. A view that changes is sent alone; the texts and the others are not.
    look : LinkedLook
        Colours and highlights.
    key : str
        Name of the maps, unique on the page.
    height : int
        Height of all views together in pixels, legend included; where the window is too narrow
        for two columns they stand below each other and take more.
    on_click, on_clear : callable, optional
        As for one map.

    Returns
    -------
    MapEvents

    Raises
    ------
    ParameterError
        If colours, neighbours or trails do not fit the scene.
    EmbedscopeError
        If the server does not serve its static folder, or it cannot be written.
    """
    _check(scene, look)
    if len(scene.views) == 1:
        one = _look_of_one(look)
        return embedding_map(
            scene.alone, one, key=key, height=height, on_click=on_click, on_clear=on_clear
        )
    return deliver(
        scene,
        key,
        partial(_scene_bytes, scene, key, height),
        paint_bytes(scene, look.colouring, key),
        _look_bytes(scene, look, key),
        on_click,
        on_clear,
    )


def _check(scene: LinkedScene, look: LinkedLook) -> None:
    count = len(scene.views)
    if look.neighbours is not None and len(look.neighbours) != count:
        raise ParameterError(
            f"The focus has {len(look.neighbours)} lists of neighbours for {count} views."
        )
    if len(look.trails) > TRAIL_LIMIT:
        raise ParameterError(
            f"{len(look.trails):,} trails would hide the points; give at most {TRAIL_LIMIT}, "
            "for example those of the items that moved most."
        )
    if not 0 <= look.trail_origin < count:
        raise ParameterError(
            f"trail_origin is {look.trail_origin}; with {count} views it is 0 to {count - 1}."
        )
    if len(look.trails) and scene.views[look.trail_origin].dims != 2:
        raise ParameterError(
            f"Trails cannot begin in view {look.trail_origin + 1}, which has 3 dimensions. "
            "Choose a view with 2."
        )


def _look_of_one(look: LinkedLook) -> MapLook:
    return MapLook(
        colouring=look.colouring,
        focus=look.focus,
        neighbours=None if look.neighbours is None else look.neighbours[0],
        found=look.found,
        fly_to=look.fly_to,
        point_size=look.point_size,
    )


def _scene_bytes(scene: LinkedScene, key: str, height: int) -> bytes:
    header, parts = scene.body
    order = [header["common"]["sig"], *(view["sig"] for view in header["views"])]
    missing = not_held(key, [part for part in dict.fromkeys(order) if part], PARTS_HELD)
    blocks = {f"{part}.{name}": block for part in missing for name, block in parts[part].items()}
    return pack({**header, "name": key, "height": height, **library()}, blocks)


def _look_bytes(scene: LinkedScene, look: LinkedLook, key: str) -> bytes:
    near = look.neighbours
    trails = drawn_rows(scene, look.trails)
    own = {
        "neighbours": None if near is None else [drawn_rows(scene, one) for one in near],
        "fly": look.fly_to or None,
        "pointSize": look.point_size,
        "trails": trails,
        "trailsLost": len(look.trails) - len(trails),
        "trailOrigin": look.trail_origin,
    }
    return look_bytes(scene, key, look.found, look.focus, own)
