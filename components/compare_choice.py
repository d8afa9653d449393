"""Which comparison is shown, or that a new one is being put together."""

from __future__ import annotations

import time

import streamlit as st

from components import session
from components.markdown import escaped
from ingest.wording import many
from workspace.stored_comparison import ComparisonInfo
from workspace.workspace import DatasetInfo

_ID_DIGITS = 14
_NEW = "new"


def comparison_choice(info: DatasetInfo) -> ComparisonInfo | None:
    """Draw the title with the menu of comparisons; return the chosen one, None for a new one."""
    found = {one.id: one for one in session.workspace().comparisons(info.id)}
    chosen = session.chosen_comparison(info.id)
    if chosen not in found and chosen != _NEW:
        chosen = next(reversed(found), _NEW)
    title, menu, new = st.columns([3, 2, 1], vertical_alignment="bottom")
    title.title("Compare")
    if found:
        ids = [*reversed(found), _NEW] if chosen == _NEW else [*reversed(found)]
        picked = menu.selectbox(
            "Comparison",
            ids,
            index=ids.index(chosen),
            format_func=lambda id: comparison_words(found[id]) if id in found else "a new one",
            key=f"compare.choice.{info.id[:12]}.{chosen[:12]}.{len(ids)}",
        )
        if picked != chosen:
            session.choose_comparison(info.id, picked)
            st.rerun()
        if chosen != _NEW and new.button(
            "New", key="compare.new", icon=":material/add:", width="stretch"
        ):
            session.choose_comparison(info.id, _NEW)
            st.rerun()
    one = found.get(chosen)
    if one is None:
        st.caption(
            escaped(f"{info.name}: which embeddings of these items agree, and where do they part?")
        )
        return None
    session.share(comparison=one.id[:_ID_DIGITS])
    return one


def comparison_words(one: ComparisonInfo) -> str:
    """Return how a comparison is called: its members and when it was made."""
    first = ", ".join(name.split(",")[0] for name in one.names[:3])
    if len(one.names) > len(one.names[:3]):
        first += f" and {len(one.names) - 3} more"
    when = time.strftime("%H:%M", time.localtime(one.created))
    return f"{first} · {many(one.n, 'item')} · {when}"
