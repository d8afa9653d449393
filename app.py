"""Embedscope: explore and compare embeddings. Start with ``streamlit run app.py``."""

import streamlit as st

from components import session
from components.boundary import explained
from components.first_visit import close_wrong_notice, is_first_visit
from components.frame import header, sidebar

st.set_page_config(
    page_title="Embedscope",
    page_icon="components/brand/mark.png",
    layout="wide",
    initial_sidebar_state="expanded",
)

st.logo("components/brand/wordmark.svg", icon_image="components/brand/mark.svg", size="large")

first_visit = is_first_visit()
page = st.navigation(
    [
        st.Page("pages/begin/start.py", title="Start", icon=":material/home:", default=True),
        st.Page("pages/begin/data.py", title="Data", icon=":material/folder_open:"),
        st.Page("pages/build/embed.py", title="Embed", icon=":material/model_training:"),
        st.Page("pages/explore/map.py", title="Map", icon=":material/scatter_plot:"),
        st.Page("pages/explore/search.py", title="Search", icon=":material/search:"),
        st.Page("pages/explore/words.py", title="Words", icon=":material/match_word:"),
        st.Page("pages/explore/tokens.py", title="Tokens", icon=":material/data_array:"),
        st.Page("pages/compare/compare.py", title="Compare", icon=":material/difference:"),
        st.Page("pages/explore/recommend.py", title="Recommend", icon=":material/thumb_up:"),
    ]
)

with explained():
    if first_visit or session.recall("first_visit"):
        session.remember("first_visit", True)  # the run may be cut short by a rerun
        close_wrong_notice()
    session.open_workspace()
    session.settle()
    if session.take_arrived() and page.title == "Data":
        st.switch_page("pages/build/embed.py")
    with st.sidebar:
        sidebar()
    header()
    page.run()

session.freeze_imports()
