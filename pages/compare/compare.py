"""Compare: several embeddings of the same items, in their original spaces."""

import streamlit as st

from components import session
from components.boundary import explained
from components.compare_choice import comparison_choice
from components.compare_setup import compare_setup
from components.compare_view import compare_view

info = session.current_dataset()
if info is None:
    st.title("Compare")
    st.info("Load a file or open a sample first; then choose what to compare here.")
    if st.button("Go to the start page", key="compare.start"):
        st.switch_page("pages/begin/start.py")
    st.stop()
with explained():
    chosen = comparison_choice(info)
    if chosen is None:
        compare_setup(info)
    else:
        compare_view(chosen)
