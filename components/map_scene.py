"""From stored artefacts to the heavy, constant part of the map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components import session
from components.embedding_map import MapEdges, MapScene, SpriteSheet, sprite_sheet
from components.items import RunItems
from workspace.workspace import RunInfo

_NEIGHBOURS_SENT = 15
_PICTURES_SENT = 5_000


def map_scene(run: RunInfo, kind: str, layout_id: str) -> MapScene:
    """Return the scene of a layout: coordinates, true neighbours, hover texts, edges.

    Scenes are kept in memory, so that a rerun hands over the same object.
    """
    neighbours = session.neighbour_ids(run.id, kind)
    return session.scene((run.id, kind, layout_id, neighbours is not None), run, _build)


def _build(key: tuple[str, str, str, bool], run: RunInfo) -> MapScene:
    run_id, kind, layout_id, _ = key
    items: RunItems = session.items(run, kind)
    return MapScene(
        coordinates=session.layout(layout_id).coordinates,
        neighbours=_neighbours(run_id, kind),
        hover=items.texts,
        keys=items.keys,
        thumbnails=_thumbnails(items),
        edges=_edges(items),
        title=f"{session.dataset(run.dataset).name} · {run.title}",
        identity=f"{run.dataset}/{kind}",
        remarks=left_out_remarks(len(items.picture_rows)),
    )


def _thumbnails(items: RunItems) -> SpriteSheet | None:
    rows = items.picture_rows
    if items.images is None or not 0 < len(rows) <= _PICTURES_SENT:
        return None
    return sprite_sheet((items.images[row] for row in rows), first=rows.start)


def _neighbours(run_id: str, kind: str) -> NDArray[np.int32] | None:
    """Return the nearest positions of each point, -1 for one that is similar to nothing."""
    ids = session.neighbour_ids(run_id, kind)
    if ids is None:
        return None
    sent = np.array(ids[:, :_NEIGHBOURS_SENT])
    sent[~session.has_neighbours(run_id, kind)] = -1
    return sent


def _edges(items: RunItems) -> MapEdges | None:
    edges = items.edges
    if edges is None:
        return None
    return MapEdges(
        edges.source,
        edges.target,
        edges.weight,
        edges.directed,
        noun="node" if items.sides is None else "item",
    )


def left_out_remarks(n_pictures: int) -> list[str]:
    """Say in the map's caption which pictures were too many to send."""
    if n_pictures <= _PICTURES_SENT:
        return []
    return [f"no pictures under the pointer (up to {_PICTURES_SENT:,} images have them)"]
