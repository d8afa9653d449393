"""The embedding map: 2-D and 3-D points that live in the browser.

A page builds a :class:`MapScene` once (coordinates, true neighbours, hover texts), a
:class:`Colouring` per column and a :class:`MapLook` per rerun, and calls :func:`embedding_map`.
Hover, lasso, legend and camera never come back to Python; clicks and selections do. One to four
layouts of the same items stand beside each other with a :class:`LinkedScene`, a
:class:`LinkedLook` and :func:`linked_maps`.
"""

from __future__ import annotations

from components.embedding_map.colouring import Colouring, categorical, continuous
from components.embedding_map.component import preload_map
from components.embedding_map.edges import EDGE_LIMIT, MapEdges
from components.embedding_map.linked import TRAIL_LIMIT, LinkedLook, linked_maps
from components.embedding_map.linked_scene import VIEWS_AT_MOST, LinkedScene
from components.embedding_map.messages import MapEvents
from components.embedding_map.sampling import draw_limit, draw_sample
from components.embedding_map.scene import MapScene, SpriteSheet, sprite_sheet
from components.embedding_map.single import MapLook, embedding_map
from components.embedding_map.static_files import install_static_files

__all__ = [
    "EDGE_LIMIT",
    "TRAIL_LIMIT",
    "VIEWS_AT_MOST",
    "Colouring",
    "LinkedLook",
    "LinkedScene",
    "MapEdges",
    "MapEvents",
    "MapLook",
    "MapScene",
    "SpriteSheet",
    "categorical",
    "continuous",
    "draw_limit",
    "draw_sample",
    "embedding_map",
    "install_static_files",
    "linked_maps",
    "preload_map",
    "sprite_sheet",
]
