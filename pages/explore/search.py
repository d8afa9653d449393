"""Search: a sentence, a word, a word formula or an image, answered in the original space."""

import streamlit as st

from components import session
from components.run_header import no_run_yet, run_header
from components.search_view import search_view

run = session.current_run()
if run is None:
    no_run_yet("Search")
    st.stop()
run_header(run)
search_view(run)
