"""From stored artefacts to the heavy, constant part of the map."""

from __future__ import annotations

import numpy as np

from components import session
from components.embedding_map import MapScene, sprite_sheet
from components.items import RunItems
from workspace.workspace import RunInfo

_NEIGHBOURS_SENT = 15
_EDGES_SENT = 20_000
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
    neighbours = session.neighbour_ids(run_id, kind)
    edges = session.dataset(run.dataset).edges if kind == "node" else None
    return MapScene(
        coordinates=session.layout(layout_id).coordinates,
        neighbours=None if neighbours is None else neighbours[:, :_NEIGHBOURS_SENT],
        hover=items.texts,
        keys=items.keys,
        thumbnails=None
        if items.images is None or len(items) > _PICTURES_SENT
        else sprite_sheet(items.images),
        edges=None
        if edges is None or len(edges) > _EDGES_SENT
        else np.column_stack([edges.source, edges.target]).astype(np.int32),
        title=f"{session.dataset(run.dataset).name} · {run.title}",
    )
