"""Two maps of the same items, turned into one frame, linked in the browser."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from comparison.movers import Movers
from components import session
from components.colour_by import NONE, column_colouring
from components.compare_items import compared_items
from components.compare_pair_findings import CHOSEN_ITEM, Pair
from components.embedding_map import (
    Colouring,
    LinkedLook,
    LinkedScene,
    MapScene,
    SpriteSheet,
    categorical,
    continuous,
    linked_maps,
    sprite_sheet,
)
from components.figures.ink import short_number
from ingest.wording import many
from projection.align import AlignedLayout, align_layout
from workspace.linked_layouts import UMAP_AT_MOST, same_layouts
from workspace.workspace import LayoutInfo, RunInfo

_HEIGHT = 600
_NEIGHBOURS_SENT = 15
_PICTURES_SENT = 5_000
_TRAILS = 15
_SHARED, _MOVED = "shared neighbours", "displacement"
Rows = NDArray[np.int64]


def pair_maps(pair: Pair, overlap: NDArray[np.float64], moved: Movers | None) -> Rows | None:
    """Draw both maps; return what is selected on them, None while there are none."""
    st.subheader("Maps side by side")
    runs = [session.workspace().run(pair.stored.info.run_of(name)) for name in (pair.a, pair.b)]
    layouts = [session.workspace().layouts(run.id) for run in runs]
    drawn = [
        (run.id, next(iter(run.kinds)), found) for run, found in zip(runs, layouts, strict=True)
    ]
    shown = same_layouts(drawn)
    _draw_missing(pair, runs, shown)
    if not shown:
        return None
    scene, aligned = _scene(pair, shown)
    colour, trails = st.columns([2, 3], vertical_alignment="bottom", gap="large")
    with colour:
        colouring = _colouring(pair, overlap, moved)
    with trails:
        with_trails = st.toggle(
            f"Trails of the {_TRAILS} items that moved most",
            value=True,
            key="compare.pair.trails",
            persist_state="session",
            help="A line on the left map from an item to where the right map has it. The items "
            "are chosen in the full spaces, not by the pictures.",
            disabled=moved is None,
        )
    items = compared_items(pair.stored)
    focus = None
    if (chosen := session.recall(CHOSEN_ITEM)) is not None:
        focus = items.position(chosen)
    lines = moved.most(_TRAILS).tolist() if with_trails and moved is not None else []
    if focus is not None:
        lines = [focus, *(row for row in lines if row != focus)]
    graphs = pair.stored.comparison.graphs
    events = linked_maps(
        scene,
        LinkedLook(
            colouring=colouring,
            focus=focus,
            neighbours=None
            if focus is None
            else [_near(pair, place, focus) for place in (pair.i, pair.j)],
            trails=lines,
            trail_origin=0,
        ),
        key="compare.pair.maps",
        height=_HEIGHT,
        on_click=partial(_choose, items.keys),
        on_clear=partial(session.remember, CHOSEN_ITEM, None),
    )
    st.caption(_words(pair, shown, aligned, graphs[0].shape[1]))
    return events.selected


def _near(pair: Pair, place: int, focus: int) -> Rows:
    """Return the true neighbours of an item; none for one that is similar to nothing."""
    if not _has_neighbours(pair, place)[focus]:
        return np.empty(0, np.int64)
    return pair.stored.comparison.graphs[place][focus, : pair.k].astype(np.int64)


def _has_neighbours(pair: Pair, place: int) -> NDArray[np.bool_]:
    info = pair.stored.info
    run = session.workspace().run(info.runs[place])
    every = session.has_neighbours(run.id, next(iter(run.kinds)))
    return every[pair.stored.comparison.items.rows[place]]


def _words(pair: Pair, shown: list[LayoutInfo], aligned: AlignedLayout, depth: int) -> str:
    method = {"umap": "UMAP", "pca": "PCA"}[shown[0].method]
    return (
        f"{method} of each, seed {shown[0].seed}. The right picture is turned, mirrored and scaled "
        f"onto the left over {many(aligned.n_shared, 'item')}: they fit by "
        f"{short_number(aligned.similarity)} (1 = the same picture, about 0 = nothing in common). "
        f"What lights up under the pointer are true neighbours of the full spaces "
        f"({min(depth, _NEIGHBOURS_SENT)} on hover, {pair.k} of the chosen item)."
    )


def _choose(keys: tuple[str, ...], position: int) -> None:
    session.remember(CHOSEN_ITEM, keys[position])


def _draw_missing(pair: Pair, runs: list[RunInfo], shown: list[LayoutInfo]) -> None:
    """Start drawing what is not drawn yet, once by itself; else when asked to."""
    if shown and shown[0].method == "umap":
        return
    asked = f"pair.drawing.{pair.key}"
    job_id = session.recall(asked)
    if any(job.active and job.id == job_id for job in session.workspace().open_jobs()):
        if not shown:
            st.info("Both maps are being drawn. The panel above tells how far.")
        return
    small = max(run.n for run in runs) <= UMAP_AT_MOST
    method = "umap" if shown or small else "pca"
    if job_id is None and (small or not shown):
        _draw(pair, runs, method, asked)
    label = "Draw them with UMAP" if method == "umap" else "Draw the maps"
    told = "PCA keeps the large directions; UMAP keeps neighbours together but takes longer."
    if st.button(label, key=f"compare.pair.draw.{pair.key}", help=told):
        _draw(pair, runs, method, asked)


def _draw(pair: Pair, runs: list[RunInfo], method: str, asked: str) -> None:
    ids = [run.id for run in runs]
    job = session.workspace().draw_linked(pair.stored.info.id, ids, method)
    session.remember(asked, job.id)
    session.follow(job)
    st.rerun()


def _scene(pair: Pair, shown: list[LayoutInfo]) -> tuple[LinkedScene, AlignedLayout]:
    qualities = [session.layout(layout.id).quality for layout in shown]
    measured = str(all(quality is not None for quality in qualities))

    def make() -> tuple[LinkedScene, AlignedLayout]:
        rows = [pair.stored.comparison.items.rows[place] for place in (pair.i, pair.j)]
        places = [
            session.layout(layout.id).coordinates[at]
            for layout, at in zip(shown, rows, strict=True)
        ]
        aligned = align_layout(places[1], places[0])
        items = compared_items(pair.stored)
        views = [
            MapScene(
                coordinates=np.ascontiguousarray(coordinates),
                neighbours=_sent(pair, place),
                hover=items.texts if at == 0 else (),
                keys=items.keys,
                thumbnails=_pictures(pair) if at == 0 else None,
                title=name,
                identity=pair.stored.info.recipe.dataset,
            )
            for at, (coordinates, place, name) in enumerate(
                zip(
                    (places[0], aligned.coordinates),
                    (pair.i, pair.j),
                    (pair.a, pair.b),
                    strict=True,
                )
            )
        ]
        details = [
            f"{layout.method.upper()}"
            + ("" if quality is None else f" · {_trust(quality.trustworthiness)}")
            for layout, quality in zip(shown, qualities, strict=True)
        ]
        return LinkedScene(views, titles=(pair.a, pair.b), details=details), aligned

    key = ("linked maps", pair.key, pair.stored.info.id, shown[0].id, shown[1].id, measured)
    return session.worked_out(key, make)


def _trust(value: float) -> str:
    return f"trustworthiness {short_number(value)}"


def _sent(pair: Pair, place: int) -> NDArray[np.int32]:
    """Return the nearest items of each, -1 for one that is similar to nothing."""
    sent = np.array(pair.stored.comparison.graphs[place][:, :_NEIGHBOURS_SENT], np.int32)
    sent[~_has_neighbours(pair, place)] = -1
    return sent


def _pictures(pair: Pair) -> SpriteSheet | None:
    items = compared_items(pair.stored)
    rows = items.picture_rows
    if items.images is None or not 0 < len(rows) <= _PICTURES_SENT:
        return None
    images = items.images
    return session.worked_out(
        ("compared pictures", pair.stored.info.id),
        lambda: sprite_sheet((images[row] for row in rows), first=rows.start),
    )


def _colouring(pair: Pair, overlap: NDArray[np.float64], moved: Movers | None) -> Colouring:
    items = compared_items(pair.stored)
    options = [*items.colour_columns, _SHARED, *([_MOVED] if moved is not None else []), NONE]
    chosen = st.selectbox(
        "Colour",
        options,
        key=f"compare.pair.colour.{pair.stored.info.recipe.dataset[:12]}.{moved is not None}",
        persist_state="session",
        help="A column of the data, or how each item changed between the two.",
    )

    def make() -> Colouring:
        if chosen == _SHARED:
            return continuous(overlap.astype(np.float32), title=f"shared neighbours @{pair.k}")
        if chosen == _MOVED and moved is not None:
            return continuous(moved.displacement.astype(np.float32), title="displacement")
        if chosen == NONE:
            return categorical(["item"] * len(items), title="")
        return column_colouring(items.columns[chosen], items.roles.get(chosen), chosen)

    of_pair = (pair.key, str(pair.k)) if chosen in (_SHARED, _MOVED) else ()
    return session.worked_out(("pair colours", pair.stored.info.id, str(chosen), *of_pair), make)
