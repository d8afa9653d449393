"""Start: sample cards, your own data, what is in this workspace."""

import streamlit as st

from components import session
from components.embedding_map import preload_map
from components.markdown import escaped
from components.run_table import run_name
from components.sample_cards import ICONS, sample_cards, size_words

st.title("Which embedding fits your data?")
st.markdown(
    "Load texts, images, tables, graphs or finished vectors, turn them into vectors with any "
    "method, and look at what each method thinks is similar. Nothing leaves this machine unless "
    "you choose an embedding service."
)

st.subheader("Open a sample")
if sample_cards():
    st.switch_page("pages/explore/map.py")

st.subheader("Or bring your own")
left, right = st.columns([3, 1], vertical_alignment="center")
left.markdown(
    "Texts, tables and spreadsheets, images or a zip of them, edge lists and graph files, word "
    "vectors and NumPy arrays."
)
if right.button("Load data", icon=":material/upload_file:", key="start.load", width="stretch"):
    st.switch_page("pages/begin/data.py")

datasets = session.workspace().datasets()
if datasets:
    st.subheader("In this workspace")
    st.caption("The address of this page is the key to this workspace: keep it to come back.")
for info in reversed(datasets):
    with st.container(border=True, key=f"ws_{info.id[:12]}"):
        name, runs, action = st.columns([3, 4, 1.4], vertical_alignment="center")
        name.markdown(
            f"{ICONS.get(info.modality, '')} **{escaped(info.name)}**  \n{size_words(info)}"
        )
        made = session.workspace().runs(info.id)
        runs.markdown(escaped(" · ".join(run_name(run) for run in made)) or "*not embedded yet*")
        label, target = ("Map", "explore/map") if made else ("Embed", "build/embed")
        if action.button(label, key=f"start.go.{info.id[:12]}", width="stretch"):
            session.choose_dataset(info.id)
            st.switch_page(f"pages/{target}.py")

preload_map()
