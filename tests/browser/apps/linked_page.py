"""Linked maps alone: made-up layouts of the same items, a control for each thing a page changes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from components.embedding_map import (
    LinkedLook,
    LinkedScene,
    MapScene,
    categorical,
    continuous,
    linked_maps,
)

TITLES = ("TF-IDF", "Word2Vec trained here", "MiniLM", "MiniLM, layer 3")
DETAILS = (
    "UMAP · trustworthiness .91",
    "UMAP · trustworthiness .88",
    "PCA · trustworthiness .71",
    "",
)
CLASSES = ("World", "Sports", "Business", "Sci/Tech")
K = 6


@st.cache_resource
def made_up(n: int, dims: tuple[int, ...], odd: str) -> tuple[LinkedScene, np.ndarray]:
    rng = np.random.default_rng(5)
    classes = rng.integers(0, len(CLASSES), n)
    centres = rng.normal(size=(len(CLASSES), 3)) * 4
    points = centres[classes] + rng.normal(size=(n, 3))
    views = []
    for at, own in enumerate(dims):
        moved = points + 0.7 * at * rng.normal(size=(n, 3)) + at
        # Half of an item's neighbours are those of the first view, the others the view's own.
        steps = [1 + step if step < K // 2 else 1 + step + K * at for step in range(K)]
        near = np.stack([(np.arange(n) + step) % n for step in steps], axis=1).astype(np.int32)
        layout = moved[:, :own].astype(np.float32)
        if odd == "empty" and at == 1:
            layout[:] = np.nan
        views.append(
            MapScene(
                coordinates=layout,
                neighbours=near,
                hover=[f"<i>Item {i}</i> of {CLASSES[c]}" for i, c in enumerate(classes)]
                if at == 0
                else (),
                keys=[str(i) for i in range(n)],
            )
        )
    count = len(dims)
    return LinkedScene(views, TITLES[:count], DETAILS[:count]), classes


st.set_page_config(layout="wide")
asked = st.query_params
n = int(asked.get("n", 500))
dims = tuple(int(d) for d in asked.get("dims", "22"))
with st.sidebar:
    st.title("Linked maps alone")
    count = st.radio("Views", ["all", "one", "another first"], key="count")
    colour = st.radio("Colour", ["class", "number"], key="colour")
    trails = st.toggle("Trails", key="trails", value="trails" in asked)
    st.button("Rerun", key="noop")
scene, classes = made_up(n, dims, asked.get("odd", ""))
if count == "one":
    scene = LinkedScene(scene.views[:1], scene.titles[:1], scene.details[:1])
elif count == "another first":
    views = [made_up(n, (*dims[:3], 2), "")[0].views[-1], *scene.views[1:]]
    scene = LinkedScene(views, scene.titles, scene.details)
names = [CLASSES[c] for c in classes]
state = st.session_state
look = LinkedLook(
    colouring=categorical(names, title="topic")
    if colour == "class"
    else continuous(np.linspace(0, 9, n), title="score"),
    focus=state.get("focus"),
    trails=range(0, min(n, 120), 3) if trails and count != "one" else (),
)
height = int(asked.get("height", 640))
events = linked_maps(scene, look, key="map", height=height)
if events.clicked is not None:
    state.clicks = state.get("clicks", 0) + 1
    if events.clicked != state.get("focus"):
        state.focus = events.clicked
        st.rerun()
if events.cleared:
    state.pop("focus", None)
    st.rerun()
chosen = events.selected
st.text(
    f"focus={state.get('focus')} clicks={state.get('clicks', 0)} "
    f"selected={len(chosen)} sum={int(chosen.sum())}"
)
