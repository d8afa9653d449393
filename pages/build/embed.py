"""Embed: choose a method and its settings, watch it run."""

import streamlit as st

from components import session
from components.boundary import explained
from components.dataset_view import left_out
from components.known_sets import known_sets
from components.markdown import escaped
from components.method_choice import before_it_runs, method_choice, projection_choice
from components.param_form import param_form
from components.rating_choice import own_fields
from components.run_table import run_table
from components.sample_cards import size_words
from components.start_button import start_button
from embedders import get_embedder

st.title("Embed")
info = session.current_dataset()
if info is None:
    st.info("Load a file or open a sample first; then choose a method here.")
    if st.button("Go to the start page", key="embed.start"):
        st.switch_page("pages/begin/start.py")
    st.stop()

st.caption(escaped(f"{info.name} · {size_words(info)}"))
left_out(session.dataset(info.id))
method, form = st.columns([2, 3], gap="large")
embedder = None
with method, explained():
    embedder = method_choice(info)
if embedder is None:  # no method takes such data, and that has been said
    st.stop()
with form:
    st.subheader("Settings")
    values = param_form(
        embedder.params_class,
        key=f"embed.{embedder.id}",
        modality=info.modality,
        sides=info.sides.modalities if info.sides else None,
        own=own_fields(embedder.params_class, info),
    )
    known_sets(embedder.params_class, info.id)
    seed = 0
    if embedder.stochastic:
        seed = st.number_input(
            "Seed",
            min_value=0,
            max_value=2**31 - 1,
            value=0,
            key="embed.seed",
            help="The same seed gives the same vectors; another shows how much is chance.",
        )
        if embedder.races and values.get("threads", 1) > 1:
            st.caption(
                f"With {values['threads']} threads a seed is not reproducible bit by bit; "
                "with 1 thread it is."
            )
    is_ready = False
    with explained():
        is_ready = before_it_runs(get_embedder(embedder.id, **values), info.id)
    st.subheader("First map")
    layout = projection_choice(key="embed.projection")
    if start_button(
        "Embed and draw the map",
        type="primary",
        key="embed.go",
        about=info.id,  # not the method: a click may come together with the choice of another one
        disabled=not is_ready,
    ):
        with explained():
            job = session.workspace().embed(info.id, embedder.id, values, int(seed), layout)
            session.follow(job)
            st.switch_page("pages/explore/map.py")

runs = session.workspace().runs(info.id)
if runs:
    st.subheader("Runs of this dataset")
    run_table(runs)
