"""Recommend: what suits a user, what is like an item, and how well that works."""

import streamlit as st

from components import session
from components.recommend_view import recommend_view
from components.run_header import no_run_yet, run_header

run = session.current_run()
if run is None:
    no_run_yet("Recommend")
    st.stop()
run_header(run)
recommend_view(run)
