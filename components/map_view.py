"""The map with its inspector: one fragment, so that a click reruns nothing else."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import session
from components.boundary import explained
from components.colour_by import colour_by
from components.embedding_map import EDGE_LIMIT, Colouring, MapLook, embedding_map
from components.graph_links import links_of
from components.inspector import inspector, neighbour_controls, neighbours_of
from components.items import RunItems
from components.map_scene import map_scene
from components.markdown import escaped
from components.projection_panel import current_layout, kind_control, projection_panel, trust_line
from components.selection_panel import selection_panel
from workspace.tasks import LayoutSpec
from workspace.workspace import RunInfo

_HEIGHT = 640
_EDGES_SHOWN = 10_000  # without being asked for; more of them make a picture of their own
_PAIRS_SHOWN = 1_000  # all of them cross the map from side to side
_UMAP_UNASKED = 20_000  # more vectors take minutes: PCA is there at once, UMAP under Projection
_FIND_WIDTH = 220  # pixels
_ID_DIGITS = 14  # enough to name a run within one workspace


@st.fragment
def map_view(run: RunInfo) -> None:
    """Draw map, controls, inspector and selection of a finished run."""
    with explained():
        _map_view(run)


def _map_view(run: RunInfo) -> None:
    kind = kind_control(run)
    session.share(run=run.id[:_ID_DIGITS], kind=kind)
    layout = current_layout(run, kind)
    if layout is None:
        _first_layout(run, kind)
        return
    session.share(layout=layout.id[:_ID_DIGITS])
    items = session.items(run, kind)
    room, beside = st.columns([2.7, 1], gap="medium")
    with room:
        picture, below = st.container(), st.container()
    with below:
        colouring, hits, fly, edges = _controls(run, kind, items)
        trust_line(layout)
    with beside:
        choice = neighbour_controls(run, len(items), items.sides)
        answer = st.container()
    focus = _focus(items, kind)
    found = None
    if focus is not None and session.has_neighbours(run.id, kind, choice.metric)[focus]:
        found = neighbours_of(run, kind, items, focus, choice)
    scene = map_scene(run, kind, layout.id)
    with picture:
        look = MapLook(
            colouring=colouring,
            focus=focus,
            neighbours=None if found is None else found.positions,
            found=hits,
            fly_to=fly,
            show_edges=edges,
            linked=links_of(items, focus).positions
            if focus is not None and scene.cuts_edges
            else None,
        )
        events = embedding_map(
            scene,
            look,
            key="map",
            height=_HEIGHT,
            on_click=partial(_inspect, kind, items.keys),
            on_clear=partial(session.remember, "focus", None),
        )
    with answer:
        if focus is None:
            st.caption("Click a point to see what this method thinks is nearest to it.")
        else:
            inspector(items, focus, found, choice.among)
    selection_panel(items, events.selected)


def _inspect(kind: str, keys: tuple[str, ...], position: int) -> None:
    session.inspect(kind, keys[position])


def _first_layout(run: RunInfo, kind: str) -> None:
    """Draw a kind that the user switched to; what was cancelled only when the user asks."""
    asked = f"drawing.{run.id}.{kind}"
    if session.is_being_worked_on(run.id):
        st.info("The first picture of these vectors is being computed.")
        return
    switched = kind != next(iter(run.kinds)) and session.recall(asked) is None
    if not switched:
        st.info("These vectors have not been drawn yet.")
    if switched or st.button("Draw the map", type="primary", key="map.first"):
        session.remember(asked, True)
        method = "umap" if run.kinds[kind] <= _UMAP_UNASKED else "pca"
        session.follow(session.workspace().project(run.id, LayoutSpec(method, kind=kind)))
        st.rerun()


def _focus(items: RunItems, kind: str) -> int | None:
    """Return the position of the inspected item; it stays over other runs of the dataset."""
    focus = session.recall("focus")
    return items.position(focus[1]) if focus and focus[0] == kind else None


def _controls(
    run: RunInfo, kind: str, items: RunItems
) -> tuple[Colouring, NDArray[np.int64] | None, str, bool]:
    """Draw find, colour, edges and projection; return colouring, hits, where to fly, edges."""
    # A row that goes on below where the page is narrow: columns would cut the names.
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input(
            "Find text",
            key=f"map.find.{run.dataset[:12]}",
            placeholder="find text and fly to it",
            help="Marks every item whose text, id or label contains this, upper or lower case.",
            width=_FIND_WIDTH,
        )
        colouring = colour_by(run, kind, items)
        projection_panel(run, kind)
        edges = _edge_toggle(run, items)
    if not wanted.strip():
        return colouring, None, "", edges
    hits = items.containing(wanted.strip())
    st.caption(f"{len(hits):,} of {len(items):,} items contain “{escaped(wanted.strip())}”")
    return colouring, hits, wanted.strip(), edges


def _edge_toggle(run: RunInfo, items: RunItems) -> bool:
    edges = items.edges
    if edges is None:
        return False
    what = "The graph's own edges" if items.sides is None else "A line per pair"
    told = f"{what}, below the points. Heavier ones are thicker. "
    if len(edges) > EDGE_LIMIT:
        told += f"At most {EDGE_LIMIT:,} of the {len(edges):,} are drawn. "
    if edges.directed and items.sides is None:
        told += "They have a direction, which the lines do not show. "
    return st.toggle(
        "Edges" if items.sides is None else "Pairs",
        value=len(edges) <= (_EDGES_SHOWN if items.sides is None else _PAIRS_SHOWN),
        key=f"map.edges.{run.dataset[:12]}",
        persist_state="session",
        help=told + "Those of the point under the pointer light up in any case.",
        width="content",
    )
