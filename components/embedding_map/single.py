"""One map: a scene and how it looks just now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from components.embedding_map.colouring import Colouring
from components.embedding_map.component import SCENES_HELD, deliver, library, not_held
from components.embedding_map.messages import MapEvents, drawn_rows, look_bytes, paint_bytes
from components.embedding_map.scene import MapScene
from components.embedding_map.wire import pack

__all__ = ["MapLook", "embedding_map"]


@dataclass(frozen=True, eq=False)
class MapLook:
    """The light, changing part of a map. Positions are among all points of the scene.

    Parameters
    ----------
    colouring : Colouring, optional
        None draws all points in one colour.
    focus : int, optional
        The point whose neighbours are shown.
    neighbours : sequence of int, optional
        Its neighbours, nearest first. None shows those that the scene carries.
    found : sequence of int, optional
        Search hits; each gets a ring.
    fly_to : int or str
        Any other value than the last one (0 and "" apart) moves the camera to the hits, or to
        the focus if there are none.
    point_size : float, optional
        Diameter in pixels; by default chosen by the number of points.
    show_edges : bool
        Whether the scene's edges are drawn below the points. Those of a point under the pointer
        light up in any case.
    linked : sequence of int, optional
        All points that the focus is linked to. None shows those that the scene carries; needed
        where it does not carry all edges.
    """

    colouring: Colouring | None = None
    focus: int | None = None
    neighbours: Sequence[int] | NDArray[np.integer] | None = None
    found: Sequence[int] | NDArray[np.integer] | None = None
    fly_to: int | str = 0
    point_size: float | None = None
    show_edges: bool = True
    linked: Sequence[int] | NDArray[np.integer] | None = None


def embedding_map(
    scene: MapScene,
    look: MapLook,
    *,
    key: str,
    height: int = 640,
    on_click: Callable[[int], None] | None = None,
    on_clear: Callable[[], None] | None = None,
) -> MapEvents:
    """Draw the map and return what the user did on it.

    Parameters
    ----------
    scene : MapScene
        What to draw; the same object on every rerun is cheapest. Another scene under the same
        key is swapped in place.
    look : MapLook
        Colours and highlights.
    key : str
        Name of the map, unique on the page.
    height : int
        Height in pixels, toolbar and legend included.
    on_click : callable, optional
        Takes the position of a clicked point before anything is drawn again, so that the look can
        follow in the same run.
    on_clear : callable, optional
        Called likewise when the focus was dismissed.

    Returns
    -------
    MapEvents

    Raises
    ------
    ParameterError
        If the colouring is about another number of points.
    EmbedscopeError
        If the server does not serve its static folder, or it cannot be written.
    """
    return deliver(
        scene,
        key,
        partial(_scene_bytes, scene, key, height),
        paint_bytes(scene, look.colouring, key),
        _look_bytes(scene, look, key),
        on_click,
        on_clear,
    )


def _scene_bytes(scene: MapScene, key: str, height: int) -> bytes:
    header, blocks = scene.body
    extra = {"name": key, "height": height, **library()}
    if not_held(key, [header["sig"]], SCENES_HELD):
        return pack({**header, **extra}, blocks)
    return pack({**header, **extra, "known": True}, {})


def _look_bytes(scene: MapScene, look: MapLook, key: str) -> bytes:
    own = {
        "neighbours": None if look.neighbours is None else drawn_rows(scene, look.neighbours),
        "fly": look.fly_to or None,
        "pointSize": look.point_size,
        "showEdges": look.show_edges,
        "linked": None if look.linked is None else drawn_rows(scene, look.linked),
    }
    return look_bytes(scene, key, look.found, look.focus, own)
