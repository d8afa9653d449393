"""Two to four maps of the same items, turned into one frame, linked in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    VIEWS_AT_MOST,
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
from components.markdown import escaped
from ingest.wording import many
from projection.align import AlignedLayout, align_layout
from workspace.linked_layouts import UMAP_AT_MOST, layout_like, same_layouts
from workspace.workspace import LayoutInfo, RunInfo

_HEIGHTS = {2: 600, 3: 720, 4: 1_000}  # pixels; three stand in one row or in two
_NEIGHBOURS_SENT = 15
_PICTURES_SENT = 5_000
_TRAILS = 15
_SHARED, _MOVED = "shared neighbours", "displacement"
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Views:
    """What is drawn: A, B, and those others that have a picture made in the same way.

    Attributes
    ----------
    names : tuple of str
        Of the members.
    layouts : list of LayoutInfo
        None at all while A or B has no picture.
    missing : tuple of str
        Members that were asked for and have no such picture yet.
    runs : list of RunInfo
        Of all that were asked for.
    """

    names: tuple[str, ...]
    layouts: list[LayoutInfo]
    missing: tuple[str, ...]
    runs: list[RunInfo]


def pair_maps(pair: Pair, overlap: NDArray[np.float64], moved: Movers | None) -> Rows | None:
    """Draw the maps; return what is selected on them, None while there are none."""
    st.subheader("Maps side by side")
    others = [name for name in pair.stored.info.names if name not in (pair.a, pair.b)]
    columns = st.columns(
        [2, 2, 2.2] if others else [2, 3], vertical_alignment="bottom", gap="medium"
    )
    colour, trails = columns[-2:]
    with columns[0]:
        also = _also(pair, others) if others else ()
    views = drawn_views(pair, also)
    _draw_missing(pair, views)
    if not views.layouts:
        return None
    scene, aligned = _scene(pair, views)
    with colour:
        colouring = _colouring(pair, overlap, moved)
    with trails:
        with_trails = st.toggle(
            f"Trails of the {_TRAILS} items that moved most",
            value=True,
            key="compare.pair.trails",
            persist_state="session",
            help=escaped(
                f"A line from where an item lies on another map to where it lies here; of more "
                f"than two maps, from where {pair.a} has it. The items are chosen in the full "
                f"spaces of {pair.a} and {pair.b}, not by the pictures."
            ),
            disabled=moved is None,
        )
    items = compared_items(pair.stored)
    focus = None
    if (chosen := session.recall(CHOSEN_ITEM)) is not None:
        focus = items.position(chosen)
    lines = moved.most(_TRAILS).tolist() if with_trails and moved is not None else []
    if focus is not None:
        lines = [focus, *(row for row in lines if row != focus)]
    near = None if focus is None else [_near(pair, name, focus) for name in views.names]
    events = linked_maps(
        scene,
        LinkedLook(colouring=colouring, focus=focus, neighbours=near, trails=lines, trail_origin=0),
        key="compare.pair.maps",
        height=_HEIGHTS[len(views.names)],
        on_click=partial(_choose, items.keys),
        on_clear=partial(session.remember, CHOSEN_ITEM, None),
    )
    st.caption(escaped(maps_words(pair, views.names, views.layouts[0], aligned)))
    return events.selected


def _also(pair: Pair, others: list[str]) -> tuple[str, ...]:
    """Draw the choice of members beside A and B."""
    chosen = st.multiselect(
        "Also show",
        others,
        max_selections=VIEWS_AT_MOST - 2,
        key=f"compare.pair.also.{pair.key}",
        persist_state="session",
        placeholder="up to two more maps",
        help=escaped(
            "Maps of other members of the comparison, of the same items. Hover, selection and "
            f"neighbours are shared by all; each is turned onto the map of {pair.a}."
        ),
    )
    return tuple(chosen)


def drawn_views(pair: Pair, also: tuple[str, ...]) -> Views:
    """Return the maps of A, B and further members that are there, made in the same way."""
    workspace = session.workspace()
    runs = [workspace.run(pair.stored.info.run_of(name)) for name in (pair.a, pair.b, *also)]
    drawn = [(run.id, next(iter(run.kinds)), workspace.layouts(run.id)) for run in runs]
    shown = same_layouts(drawn[:2])
    names, missing = [pair.a, pair.b], []
    for name, one in zip(also, drawn[2:], strict=True):
        found = layout_like(shown[0], *one) if shown else None
        if found is None:
            missing.append(name)
        else:
            names.append(name)
            shown.append(found)
    return Views(tuple(names), shown, tuple(missing), runs)


def _near(pair: Pair, name: str, focus: int) -> Rows:
    """Return the true neighbours of an item; none for one that is similar to nothing."""
    place = pair.stored.info.names.index(name)
    if not _has_neighbours(pair, place)[focus]:
        return np.empty(0, np.int64)
    return pair.stored.comparison.graphs[place][focus, : pair.k].astype(np.int64)


def _has_neighbours(pair: Pair, place: int) -> NDArray[np.bool_]:
    info = pair.stored.info
    run = session.workspace().run(info.runs[place])
    every = session.has_neighbours(run.id, next(iter(run.kinds)))
    return every[pair.stored.comparison.items.rows[place]]


def maps_words(
    pair: Pair, names: tuple[str, ...], layout: LayoutInfo, aligned: Sequence[AlignedLayout]
) -> str:
    """Say how the pictures were made, how well they lie on the first, and what lights up."""
    method = {"umap": "UMAP", "pca": "PCA"}[layout.method]
    over = many(aligned[0].n_shared, "item")
    if len(names) == 2:
        which = f"The right picture is turned, mirrored and scaled onto the left over {over}"
        fit = short_number(aligned[0].similarity)
    else:
        which = (
            f"The other pictures are turned, mirrored and scaled onto that of {names[0]} over "
            f"{over}"
        )
        fits = [
            f"{short_number(one.similarity)} ({name})"
            for name, one in zip(names[1:], aligned, strict=True)
        ]
        fit = ", ".join(fits)
    depth = min(pair.stored.comparison.depth, _NEIGHBOURS_SENT)
    return (
        f"{method} of each, seed {layout.seed}. {which}: they fit by {fit} (1 = the same picture, "
        f"about 0 = nothing in common). What lights up under the pointer are true neighbours of "
        f"the full spaces ({depth} on hover, {pair.k} of the chosen item)."
    )


def _choose(keys: tuple[str, ...], position: int) -> None:
    session.remember(CHOSEN_ITEM, keys[position])


def _draw_missing(pair: Pair, views: Views) -> None:
    """Start drawing what is not drawn yet, once by itself; else when asked to."""
    shown = views.layouts
    complete = bool(shown) and not views.missing
    if complete and shown[0].method == "umap":
        return
    asked = f"pair.drawing.{pair.key}"
    if len(views.runs) > 2:
        asked += "." + ".".join(run.id for run in views.runs[2:])
    job_id = session.recall(asked)
    if any(job.active and job.id == job_id for job in session.workspace().open_jobs()):
        if not complete:
            which = "The maps are" if not shown else f"Beside them {', '.join(views.missing)} is"
            st.info(escaped(f"{which} being drawn. The panel above tells how far."))
        return
    small = max(run.n for run in views.runs) <= UMAP_AT_MOST
    method = "umap" if small or complete or (shown and shown[0].method == "umap") else "pca"
    if job_id is None and (small or not complete):
        _draw(pair, views.runs, method, asked)
    label = "Draw them with UMAP" if method == "umap" else "Draw the maps"
    told = "PCA keeps the large directions; UMAP keeps neighbours together but takes longer."
    if st.button(label, key=f"compare.pair.draw.{pair.key}", help=told):
        _draw(pair, views.runs, method, asked)


def _draw(pair: Pair, runs: list[RunInfo], method: str, asked: str) -> None:
    ids = [run.id for run in runs]
    job = session.workspace().draw_linked(pair.stored.info.id, ids, method)
    session.remember(asked, job.id)
    session.follow(job)
    st.rerun()


def _scene(pair: Pair, views: Views) -> tuple[LinkedScene, tuple[AlignedLayout, ...]]:
    """Return the maps, and how well each further one lies on the first."""
    shown = views.layouts
    qualities = [session.layout(layout.id).quality for layout in shown]
    measured = str(all(quality is not None for quality in qualities))

    def make() -> tuple[LinkedScene, tuple[AlignedLayout, ...]]:
        every = pair.stored.comparison.items.rows
        members = [pair.stored.info.names.index(name) for name in views.names]
        places = [
            session.layout(layout.id).coordinates[every[member]]
            for layout, member in zip(shown, members, strict=True)
        ]
        aligned = tuple(align_layout(other, places[0]) for other in places[1:])
        items = compared_items(pair.stored)
        turned = (places[0], *(one.coordinates for one in aligned))
        scenes = [
            MapScene(
                coordinates=np.ascontiguousarray(coordinates),
                neighbours=_sent(pair, member),
                hover=items.texts if at == 0 else (),
                keys=items.keys,
                thumbnails=_pictures(pair) if at == 0 else None,
                title=views.names[at],
                identity=pair.stored.info.recipe.dataset,
            )
            for at, (coordinates, member) in enumerate(zip(turned, members, strict=True))
        ]
        details = [
            f"{layout.method.upper()}"
            + ("" if quality is None else f" · {_trust(quality.trustworthiness)}")
            for layout, quality in zip(shown, qualities, strict=True)
        ]
        return LinkedScene(scenes, titles=views.names, details=details), aligned

    drawn = (layout.id for layout in shown)
    key = ("linked maps", pair.key, pair.stored.info.id, *drawn, measured)
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
