"""Map: the vectors in 2-D and 3-D, with true neighbours from the original space."""

import streamlit as st

from components import session
from components.map_view import map_view
from components.run_header import no_run_yet, run_header

run = session.current_run()
if run is None:
    no_run_yet("Map")
    st.stop()
run_header(run)
map_view(run)
