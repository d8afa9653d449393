"""Ask a question of a run: what was understood, and the ranked answer."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import session
from components.boundary import explained
from components.bundled_model import limits_of
from components.column_filter import column_filter
from components.inspector import neighbour_controls
from components.items import RunItems
from components.markdown import escaped
from components.neighbour_list import image_uri, neighbour_list
from components.partners import partners_of
from components.picture_grid import picture_grid
from components.projection_panel import kind_control
from components.query import Answer, Invitation, ask, asked_with, invitation
from components.zero_shot import has_zero_shot, zero_shot_view
from core.modality import Modality
from ingest.sides import SIDE_COLUMN
from vectors.keyed import KINDS_TOGETHER
from workspace.workspace import RunInfo

_SEARCH, _LABEL = "Search", "Label by words"
_MOST_IMAGE_MB = 50


def search_view(run: RunInfo) -> None:
    """Draw the query box, filters and ranked neighbours; or labels given by words."""
    if asked_with(run) and session.recall("prepared") != run.id:
        session.remember("prepared", run.id)
        session.workspace().prepare_queries(run.id)
    if has_zero_shot(run) and _mode(run) == _LABEL:
        zero_shot_view(run)
        return
    room, beside = st.columns([2.7, 1], gap="large")
    with beside:
        kind = kind_control(run)
        items = session.items(run, kind)
        choice = neighbour_controls(run, len(items) + 1)
        where = _filters(run, kind, items)
    with room:
        invited = invitation(run)
        query = _query_box(run, invited)
        if query is None:
            st.caption(escaped(invited.hint))
            limits_of(run)
            return
        if where is not None and not where.any():
            st.info("The filters leave no item. Loosen one of them.")
            return
        limits_of(run)
        with explained():
            if isinstance(query, bytes):
                _asked_picture(query)
            for each in _answered_apart(items, kind):
                mask, shown = _of_side(where, items, each), session.items(run, each)
                answer = ask(run, each, query, min(choice.k, len(shown)), choice.metric, mask)
                _draw(run, answer, shown, mask, "" if each == kind else each)


def _answered_apart(items: RunItems, kind: str) -> list[str]:
    """Return the kinds to be ranked each by itself: texts and images are not comparable.

    In the space of CLIP any two texts are more similar than a text and its image: in one list the
    images would all stand last.
    """
    sides = items.sides
    if sides is None or KINDS_TOGETHER not in kind or len(set(sides.modalities)) == 1:
        return [kind]
    images_first = sorted(
        zip(sides.names, sides.modalities, strict=True), key=lambda side: side[1] is Modality.TEXT
    )
    return [name for name, _ in images_first]


def _of_side(
    where: NDArray[np.bool_] | None, items: RunItems, kind: str
) -> NDArray[np.bool_] | None:
    """Return the part of a mask over both sides that is about one of them."""
    sides = items.sides
    if where is None or sides is None or kind not in sides.names or len(where) != len(items):
        return where
    if sides.n_left in {0, len(items)}:
        return where
    left = kind == sides.names[0]
    return where[: sides.n_left] if left else where[sides.n_left :]


def _asked_picture(data: bytes) -> None:
    with st.container(key="search.asked"):
        st.html(
            f'<img src="{image_uri(data, 96)}" alt="the picture that is searched for" '
            'style="height:72px;border-radius:6px">'
        )


def _mode(run: RunInfo) -> str:
    chosen = st.segmented_control(
        "What to do",
        [_SEARCH, _LABEL],
        default=_SEARCH,
        required=True,
        key=f"search.mode.{run.dataset[:12]}",
        persist_state="session",
        label_visibility="collapsed",
    )
    return str(chosen or _SEARCH)


def _query_box(run: RunInfo, invited: Invitation) -> str | bytes | None:
    text = st.text_input(
        "Query",
        key=f"search.query.{run.dataset[:12]}",  # other data, another question
        placeholder=invited.placeholder,
        label_visibility="collapsed",
        icon=":material/search:",
        persist_state="session",
    ).strip()
    if Modality.IMAGE not in asked_with(run):
        return text or None
    file = st.file_uploader(
        "Or an image",
        type=["png", "jpg", "jpeg", "webp", "gif", "bmp", "tiff"],
        key=f"search.image.{run.dataset[:12]}",
        max_upload_size=_MOST_IMAGE_MB,
    )
    if file is None or text:
        if file is not None:
            st.caption("The text is searched for. Clear it to search by the image.")
        return text or None
    return file.getvalue()


def _filters(run: RunInfo, kind: str, items: RunItems) -> NDArray[np.bool_] | None:
    """Draw one filter per chosen column; return the ``(n,) bool`` mask, or None for all."""
    if not items.colour_columns:
        return None
    columns = st.multiselect(
        "Filter by", items.colour_columns, key=f"search.by.{run.dataset[:12]}.{kind}"
    )
    if not columns:
        return None
    mask = np.ones(len(items), dtype=bool)
    for name in columns:
        mask &= column_filter(items.columns[name], name, f"search.where.{run.dataset[:12]}")
    st.caption(f"{int(mask.sum()):,} of {len(items):,} items pass")
    return mask


def _draw(
    run: RunInfo, answer: Answer, items: RunItems, where: NDArray[np.bool_] | None, heading: str
) -> None:
    if heading:
        st.markdown(f"##### {escaped(heading.capitalize())}")
    st.markdown(f"**{escaped(answer.understood)}**")
    if where is not None and not where.any():
        st.caption("The filters leave none of these.")
        return
    # The side of a pair is told by the heading; another label is worth a tag.
    label = None if items.label == SIDE_COLUMN and items.sides else items.label
    found = partners_of(run.dataset)
    partner = None if found is None else found.of
    if items.images is not None and len(items.picture_rows) == len(items):
        picture_grid(answer.found, items, label=label, partner=partner)
    else:
        neighbour_list(answer.found, items, label=label, partner=partner)
    searched = len(items) if where is None else int(where.sum())
    st.caption(
        f"{len(answer.found.keys)} of {searched:,} · {answer.found.metric} · {answer.found.engine}"
    )
    if len(answer.found.keys) and st.button(
        "Show the first on the map", key=f"search.to_map.{heading}", icon=":material/scatter_plot:"
    ):
        session.inspect(answer.found.kinds[0], answer.found.keys[0])
        st.switch_page("pages/explore/map.py")
