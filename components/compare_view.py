"""The views of one comparison: from the whole to the item, and to the report."""

from __future__ import annotations

import streamlit as st

from components import session
from components.boundary import explained
from components.compare_compression import compression
from components.compare_item import item
from components.compare_item_choice import turn_to
from components.compare_overview import overview
from components.compare_pair import pair
from components.compare_report import report
from components.compare_spaces import spaces
from components.compare_task import task
from components.markdown import escaped
from ingest.wording import many
from workspace.stored_comparison import ComparisonInfo, refused_told

_VIEWS = {
    "Overview": overview,
    "Pair": pair,
    "Item": item,
    "Spaces": spaces,
    "Task": task,
    "Compression": compression,
    "Report": report,
}
_IN_ADDRESS = {name.lower(): name for name in _VIEWS}


@st.fragment
def compare_view(info: ComparisonInfo) -> None:
    """Draw what was compared and the chosen view of it."""
    with explained():
        stored = session.comparison(info.id)
        turn_to(info.recipe.dataset)
        _line(info)
        asked = session.take_view()
        if asked in _IN_ADDRESS:
            session.preset("compare.view", _IN_ADDRESS[asked])
        view = st.segmented_control(
            "View",
            list(_VIEWS),
            default=next(iter(_VIEWS)),
            required=True,
            key="compare.view",
            persist_state="session",
            label_visibility="collapsed",
        )
        session.share(view=(view or "Overview").lower())
        with explained():
            _VIEWS[view or "Overview"](stored)


def _line(info: ComparisonInfo) -> None:
    data = session.workspace().dataset_info(info.recipe.dataset)
    noun = data.sides.names[0] if data.sides else "item"  # of pairs the first side is compared
    where = "both" if len(info.names) == 2 else f"all {len(info.names)}"
    told = f"{data.name} · {many(info.n, noun)} in {where} embeddings"
    left = [f"{n:,} of {member}" for member, n in zip(info.names, info.left_out, strict=True) if n]
    if left:
        told += f" · left out, as another lacks them: {', '.join(left)}"
    st.caption(escaped(f"{told} · seed {info.recipe.seed} · compared in {info.seconds:.1f} s"))
    missing = [escaped(line) for line in refused_told(info).splitlines()]
    if missing:
        st.warning("\n\n".join(missing), icon=":material/warning:")
