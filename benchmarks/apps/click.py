"""Page under test: a clicked point's neighbours are listed (``?peer=1``: by st.plotly_chart)."""

from __future__ import annotations

import gc

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from components.embedding_map import MapLook, MapScene, categorical, embedding_map

N = int(st.query_params.get("n", 100_000))


@st.cache_resource
def freeze() -> None:
    """Do what the app does at its start; both pages profit."""
    gc.collect()
    gc.freeze()


@st.cache_resource
def material(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return positions, true neighbours and classes that both pages use."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 8, n).astype(np.uint8)
    points = rng.normal(size=(8, 2))[classes] * 5 + rng.normal(size=(n, 2))
    return points.astype(np.float32), rng.integers(0, n, (n, 10)).astype(np.int32), classes


@st.cache_resource
def map_scene(n: int) -> MapScene:
    """Return the scene of our map, with the neighbours on board."""
    points, neighbours, _ = material(n)
    return MapScene(coordinates=points, neighbours=neighbours, keys=[str(i) for i in range(n)])


@st.cache_resource
def colours(n: int, classes: int) -> object:
    """Return the colours of our map by so many classes."""
    return categorical([f"class {c % classes}" for c in material(n)[2]], title="class")


@st.fragment
def ours() -> None:
    """Draw our map; the answer to a click is drawn on the map too."""
    focus = st.session_state.get("focus")
    _, neighbours, _ = material(N)
    classes = 4 if st.toggle("recolour", key="recolour") else 8
    look = MapLook(
        colouring=colours(N, classes),
        focus=focus,
        neighbours=None if focus is None else neighbours[focus],
    )
    clicked = embedding_map(map_scene(N), look, key="map").clicked
    if clicked is not None and clicked != focus:
        st.session_state.focus = clicked
        st.rerun(scope="fragment")
    listed(focus)


@st.fragment
def peer() -> None:
    """Draw the same points with st.plotly_chart and list the neighbours of the clicked one."""
    points, _, classes = material(N)
    marker = {"color": classes, "size": 4, "cmin": 0, "cmax": 8}
    figure = go.Figure(go.Scattergl(x=points[:, 0], y=points[:, 1], mode="markers", marker=marker))
    figure.update_layout(hovermode="closest", height=640, dragmode="pan")
    event = st.plotly_chart(figure, key="chart", on_select="rerun", selection_mode="points")
    chosen = event["selection"]["point_indices"]
    listed(int(chosen[0]) if chosen else None)


def listed(focus: int | None) -> None:
    """List the neighbours of a point."""
    if focus is not None:
        st.text(f"neighbours of {focus}: {material(N)[1][focus].tolist()}")


st.set_page_config(layout="wide")
freeze()
peer() if "peer" in st.query_params else ours()
