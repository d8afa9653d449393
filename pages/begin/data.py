"""Data: load files or pasted text, see what they are before anything is computed."""

import streamlit as st

from components import session
from components.boundary import explained
from components.data_loading import chosen_sources, read_with_preview
from components.dataset_view import dataset_details
from components.markdown import escaped
from components.sample_cards import size_words

st.title("Data")
load, have = st.tabs(["Load", "In this workspace"])

with load, explained():
    sources = chosen_sources()
    if sources:
        added = read_with_preview(sources)
        if added is not None:
            session.choose_dataset(added.id)
            st.switch_page("pages/build/embed.py")
    else:
        st.caption(
            "Each kind of file is recognised by its content, and you see what was recognised "
            "before anything is computed. Video and audio are not read yet."
        )

with have:
    infos = session.workspace().datasets()
    if not infos:
        st.info("Nothing here yet. Load a file, or open a sample on the start page.")
    for info in reversed(infos):
        size = size_words(info)
        with st.expander(f"{escaped(info.name)} · {size}", expanded=len(infos) == 1), explained():
            dataset_details(info)
