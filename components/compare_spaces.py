"""The shape of every space of a comparison: figures beside each other, and items by name."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from comparison.space_profile import Rows, SpaceProfile
from components import session
from components.boundary import explained
from components.compare_item_choice import look_at
from components.compare_items import compared_items
from components.compare_spaces_table import table_html
from components.items import RunItems
from components.markdown import escaped
from components.neighbour_list import shorten
from components.pickable_items import Column, pickable_items
from workspace.profiling import is_light, measure_space
from workspace.stored_comparison import StoredComparison

_HEIGHT = 390
_TOLD = 0.005  # of the lists


def spaces(stored: StoredComparison) -> None:
    """Draw the figures of all spaces, and hubs, outliers and copies of one of them."""
    shapes = _shapes(stored)
    if shapes is None:
        return
    st.html(table_html(shapes))
    one = next(iter(shapes.values()))
    st.caption(
        f"Of {one.n:,} items in each original space · k {one.k} · seed {one.seed} of pairs and "
        "subsamples · distances are of vectors of length 1 except under the euclidean metric · "
        "point at a figure for its number of items"
    )
    st.subheader("By name")
    name = st.segmented_control(
        "Method",
        list(shapes),
        default=next(iter(shapes)),
        required=True,
        key=f"compare.spaces.method.{stored.info.id[:12]}",
        persist_state="session",
        label_visibility="collapsed",
    )
    if name is not None:
        _named(stored, name, shapes[name])


def _shapes(stored: StoredComparison) -> Mapping[str, SpaceProfile] | None:
    """Return the shape of every space; None, with a way to measure them, where that takes long."""
    id, names = stored.info.id, stored.info.names
    if is_light(stored):
        with st.spinner("Measuring …"):
            shapes = {name: _measured(stored, name) for name in names}
        session.remember(shapes_seen(stored), True)
        return shapes
    kept = {name: session.workspace().space_profile(id, name) for name in names}
    ready = {name: shape for name, shape in kept.items() if shape is not None}
    if len(ready) == len(names):
        return ready
    running = any(
        job.active and "ProfileTask" in job.task and id in job.task
        for job in session.workspace().open_jobs()
    )
    if running:
        st.info("The shapes are being measured; they appear here as soon as all are known.")
        return None
    st.info(
        f"Hubs, directions, dimensions and copies of {stored.info.n:,} items in {len(names)} "
        "spaces take a while to measure; they are kept, so that this is done once."
    )
    if st.button("Measure the spaces", key="compare.spaces.start", icon=":material/straighten:"):
        session.follow(session.workspace().profile_spaces(id))
        st.rerun()
    return None


def shapes_seen(stored: StoredComparison) -> str:
    """Return under which name it is remembered that shapes were measured here, without a job."""
    return f"compare.shapes.{stored.info.id}"


def _measured(stored: StoredComparison, name: str) -> SpaceProfile:
    key = ("space profile", stored.info.id, name)
    return session.worked_out(key, lambda: measure_space(stored, name))


def _named(stored: StoredComparison, name: str, shape: SpaceProfile) -> None:
    items = compared_items(stored)
    key = f"compare.spaces.{{}}.{stored.info.id[:12]}.{name}"
    hubs, outliers = st.columns(2, gap="large")
    with hubs, explained():
        _hubs(items, shape, key.format("hubs"))
    with outliers, explained():
        _outliers(items, shape, key.format("outliers"))
    with explained():
        _copies(items, shape, key.format("copies"))


def _hubs(items: RunItems, shape: SpaceProfile, key: str) -> None:
    st.markdown("##### Hubs")
    if not len(shape.hubs.rows):
        st.caption(shape.hubs.skewness.reason)
        return
    lists = f"In how many items' {shape.k} nearest it stands; {shape.k} would be even."
    pickable_items(
        items,
        shape.hubs.rows.tolist(),
        [
            Column("lists", shape.hubs.counts.tolist(), "%d", lists, "small"),
            Column(
                "of all",
                (100 * shape.hubs.shares).tolist(),
                "%.1f %%",
                f"The same as a share of all {shape.n:,} lists.",
                "small",
            ),
        ],
        key=key,
        on_pick=look_at,
        height=_HEIGHT,
        text_width="medium",
    )
    st.caption(
        f"The {len(shape.hubs.rows)} items that stand in the most lists of {shape.k} neighbours"
        + (
            f"; {shape.hubs.tied:.1%} of the lists end in a tie, which the order of items decides"
            if shape.hubs.tied >= _TOLD
            else ""
        )
        + ". A click shows an item in all methods."
    )


def _outliers(items: RunItems, shape: SpaceProfile, key: str) -> None:
    st.markdown("##### Far from everything")
    far = shape.outliers
    told = (
        f"Distance to its neighbour number {shape.k} over the median of all items; above "
        f"{far.beyond:.2f} an item counts as an outlier."
    )
    pickable_items(
        items,
        far.rows.tolist(),
        [Column("times as far", far.ratios.tolist(), "%.2f", told, "small")],
        key=key,
        on_pick=look_at,
        height=_HEIGHT,
        text_width="medium",
    )
    st.caption(
        f"The {len(far.rows)} farthest; {far.n_beyond:,} of {shape.n:,} items are beyond "
        f"{far.beyond:.2f} times the usual distance."
    )


def _copies(items: RunItems, shape: SpaceProfile, key: str) -> None:
    """Draw groups of equal items, then those that are nearly so."""
    twins = shape.duplicates
    equal = {tuple(sorted(rows.tolist())) for rows in twins.groups}
    near = [rows for rows in twins.near_groups if tuple(sorted(rows.tolist())) not in equal]
    st.markdown("##### Copies")
    groups = [*twins.groups, *near]
    if not groups:
        st.caption("No two items are equal or nearly so.")
        return
    kinds = ["equal"] * len(twins.groups) + ["nearly equal"] * len(near)
    pickable_items(
        items,
        [int(rows[0]) for rows in groups],
        [
            Column("items", [len(rows) for rows in groups], "%d", "In the group.", "small"),
            Column("they are", kinds, width="small"),
            Column("the others", [_others(items, rows) for rows in groups], width="large"),
        ],
        key=key,
        on_pick=look_at,
    )
    st.caption(
        escaped(
            f"The largest groups, at most 20 of each kind: {twins.n_groups:,} groups of equal "
            f"items ({twins.equal:,} items beyond the first of each), {twins.n_near_groups:,} "
            f"chains of items nearer than {twins.within:.3g} to the next."
        )
    )


def _others(items: RunItems, rows: Rows) -> str:
    shown = " | ".join(shorten(items.texts[row], 60) for row in rows[1:4].tolist())
    return shown if len(rows) <= 4 else f"{shown} | and {len(rows) - 4:,} more"
