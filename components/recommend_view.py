"""The recommend page: what suits a user, what is like an item, and how well that works."""

from __future__ import annotations

import streamlit as st

from components import session
from components.boundary import explained
from components.markdown import escaped
from components.rating_choice import what_counts
from components.recommend_data import Recommender, recommender
from components.recommend_lists import for_a_user, like_a_user, like_an_item
from components.recommend_score import how_well
from components.run_table import run_name
from core.modality import Modality
from embedders import list_embedders
from workspace.workspace import RunInfo

_TABS = ("For a user", "Like an item", "Like a user", "How well")
_OFFERED = 4  # other runs as buttons


@st.fragment
def recommend_view(run: RunInfo) -> None:
    """Draw what can be asked of a run with users and items, or the way to one."""
    with explained():
        asked = recommender(run)
        if asked is None:
            _nothing_to_recommend(run)
            return
        users, items = asked.shop.users.kind, asked.shop.items.kind
        labels = dict(
            zip(
                _TABS,
                (f"For a {users}", f"Like a {items}", f"Like a {users}", "How well"),
                strict=True,
            )
        )
        if items[:1].lower() in "aeiou":
            labels[_TABS[1]] = f"Like an {items}"
        tab = st.segmented_control(
            "Question",
            _TABS,
            default=_TABS[0],
            required=True,
            format_func=labels.__getitem__,
            key=f"recommend.tab.{run.dataset[:12]}",
            persist_state="session",
            label_visibility="collapsed",
        )
        _what_ratings_did(asked)
        draw = dict(zip(_TABS, (for_a_user, like_an_item, like_a_user, how_well), strict=True))
        with explained():
            draw[tab or _TABS[0]](asked)


def _what_ratings_did(asked: Recommender) -> None:
    """Say which ratings the run learnt from, beside the way to another choice."""
    if asked.least is None or asked.shop.scale is None:
        return
    told, other = st.columns([4, 1], vertical_alignment="center")
    told.caption(f":material/star_half: {what_counts(asked.least, asked.shop.scale)}")
    if other.button(
        "Learn from other ratings", key="recommend.ratings", type="tertiary", width="stretch"
    ):
        session.preset(f"embed.method.{Modality.INTERACTIONS}", asked.run.embedder)
        st.switch_page("pages/build/embed.py")


def _nothing_to_recommend(run: RunInfo) -> None:
    """Say what the page needs, and offer the runs that have it and the way to one."""
    info = session.workspace().dataset_info(run.dataset)
    if info.modality is not Modality.INTERACTIONS:
        st.info(
            escaped(
                f"{info.name} holds no interactions. Recommending needs who chose what: a table "
                "with a column of users and one of items, and a rating or count where there is "
                "one. A second table may say more about the items."
            )
        )
        if st.button("Load such a table", key="recommend.load", type="primary"):
            st.switch_page("pages/begin/data.py")
        return
    st.info(escaped(f"{run.title} gives no vectors of both sides here."))
    others = [r for r in session.workspace().runs(run.dataset) if recommender(r) is not None]
    with st.container(horizontal=True):
        for other in others[-_OFFERED:]:
            if st.button(
                f"Recommend by {escaped(run_name(other))}", key=f"recommend.run.{other.id}"
            ):
                session.choose_run(other.id)
                st.rerun()
        for method in list_embedders(Modality.INTERACTIONS):
            if st.button(f"Embed with {escaped(method.title)}", key=f"recommend.embed.{method.id}"):
                session.preset(f"embed.method.{info.modality}", method.id)
                st.switch_page("pages/build/embed.py")
