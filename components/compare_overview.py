"""Overview: how far all embeddings agree, what each costs, and what it finds."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from comparison.agreement import Agreement
from comparison.task_result import TaskResult
from components import session
from components.compare_items import label_choice
from components.compare_k import k_slider
from components.compare_measures import (
    BY_ID,
    FURTHER,
    MEASURES,
    chance_of_pairings,
    floor_of,
    pair_sentence,
    reasons_of,
)
from components.compare_verdict import NOTHING_TO_JUDGE_BY, in_short, label_accuracy
from components.figures.agreement_curve import agreement_curve
from components.figures.agreement_matrix import agreement_matrix
from components.figures.cost_quality import cost_quality
from components.figures.method_layout import method_plane, method_tree, n_complete
from components.markdown import escaped
from workspace.model_weights import weights_of
from workspace.stored_comparison import StoredComparison

_BAR = {"displayModeBar": False}
_MOST_REASONS = 4
_TEXT_PX = 480  # the least width of what is said below the matrix
_TABLE_PX = 580
_COSTS = {
    "seconds": "seconds to embed",
    "MB": "MB of vectors",
    "dimensions": "dimensions",
    "download": "MB to download",
}
_COST_COLUMNS = {
    "seconds": st.column_config.NumberColumn(format="%.1f", width=62),
    "MB": st.column_config.NumberColumn(format="%.1f", width=52, help="Of the vectors, in memory."),
    "dimensions": st.column_config.NumberColumn(format="localized", width="small"),
    "download": st.column_config.TextColumn(
        width="small",
        help="Pretrained weights: how much was fetched; none where a method learns from the data "
        "alone, bundled where they come with the program.",
    ),
    "licence": st.column_config.TextColumn(help="Of the pretrained weights."),
    "label accuracy": st.column_config.NumberColumn(format="%.3f"),
}


def overview(stored: StoredComparison) -> None:
    """Draw agreement, the layout of the methods, the curve over k, and cost beside quality."""
    in_short(stored)
    measure, k = _controls(stored)
    comparison = stored.comparison.at(k)
    table = BY_ID[measure].of(comparison)
    a, b = session.compared_pair(stored.info, table)
    # Side by side where the page has room for both, else one below the other.
    with st.container(horizontal=True, gap="large"):
        _matrix(stored, table, measure, k, (a, b))
        with st.container(width="stretch"):
            _layouts(stored, measure, k)
    _costs(stored, k)


def _matrix(
    stored: StoredComparison, table: Agreement, measure: str, k: int, pair: tuple[str, str]
) -> None:
    """Draw the agreement of every two, and in words that of the chosen pair."""
    a, b = pair
    floors = {
        name: floor
        for name in table.names
        if (floor := floor_of(stored, name, measure, k)) is not None
    }
    figure = agreement_matrix(
        table,
        other_seed=floors,
        random_pairs=chance_of_pairings(stored, measure, k),
        chosen=pair,
        dark=session.is_dark(),
    )
    with st.container(width=max(int(figure.layout.width), _TEXT_PX)):
        st.caption(BY_ID[measure].says)
        event = st.plotly_chart(
            figure,
            key=f"compare.matrix.{stored.info.id[:12]}.{measure}.{k}",
            on_select="rerun",
            selection_mode="points",
            width="content",
            config=_BAR,
        )
        _take_pair(stored, event, pair)
        for reason in reasons_of(table)[:_MOST_REASONS]:
            st.caption(escaped(reason))
        st.markdown(escaped(pair_sentence(stored, measure, a, b, k)))
        st.button(
            "Look at this pair",
            key="compare.to_pair",
            icon=":material/compare_arrows:",
            on_click=session.preset,  # before the switch of views is drawn again
            args=("compare.view", "Pair"),
        )


def _controls(stored: StoredComparison) -> tuple[str, int]:
    which, slider = st.columns([7, 3], vertical_alignment="bottom", gap="large")
    measure = which.segmented_control(
        "Measure",
        [m.id for m in (*MEASURES, *FURTHER)],
        default="overlap",
        required=True,
        format_func=lambda id: BY_ID[id].title,
        key="compare.measure",
        persist_state="session",
        help="One at a time: no measure is right everywhere, and their mean would mean nothing.",
    )
    local = BY_ID[measure or "overlap"].is_local
    k = k_slider(stored, slider, view="overview", disabled=not local)
    return measure or "overlap", k


def _take_pair(stored: StoredComparison, event: Any, shown: tuple[str, str]) -> None:
    """Show the pair of a clicked cell."""
    points = event["selection"]["points"] if event else []
    if not points or "customdata" not in points[0]:
        return
    first, second = points[0]["customdata"][:2]
    if {first, second} != set(shown):
        session.choose_pair(stored.info.id, str(first), str(second))
        st.rerun(scope="fragment")


def _layouts(stored: StoredComparison, measure: str, k: int) -> None:
    """Draw the methods by their distances, as a tree, and the curve over k."""
    table = BY_ID[measure].of(stored.comparison.at(k))
    options = ["Over k", "Tree", "Map of methods"] if len(table.names) > 2 else ["Over k"]
    shown = st.segmented_control(
        "Beside",
        options,
        default=options[0],
        required=True,
        key="compare.beside",
        label_visibility="collapsed",
    )
    dark = session.is_dark()
    if shown != "Over k" and n_complete(table.values) < 3:
        st.caption(
            f"A {shown.lower()} needs three embeddings with a figure for each of their pairs; "
            f"{table.measure} does not have them."
        )
    elif shown == "Tree":
        tree = method_tree(table.names, table.values, measure=table.measure, dark=dark)
        st.plotly_chart(tree, key="compare.tree", config=_BAR)
    elif shown == "Map of methods":
        plane = method_plane(table.names, table.values, measure=table.measure, dark=dark)
        st.plotly_chart(plane, key="compare.methods", config=_BAR)
    else:
        _curve(stored, k)


def _curve(stored: StoredComparison, k: int) -> None:
    names = stored.info.names
    pair = session.compared_pair(stored.info, stored.comparison.overlap)
    i, j = (names.index(name) for name in pair)
    curve = stored.comparison.curve(names[i], names[j])
    if not curve:
        st.caption(escaped(_why_no_curve(stored, names[i], names[j])))
        return
    chance = {at: at / (stored.info.n - 1) for at in curve}
    seeds = {
        name: {at: (value, value) for at in curve if (value := _seeds(stored, name, at))}
        for name in pair
        if name in stored.floors
    }
    st.plotly_chart(
        agreement_curve(
            {f"{names[i]} · {names[j]}": curve},
            chance=chance,
            bands=seeds,
            k=k,
            dark=session.is_dark(),
        ),
        key="compare.curve",
        config=_BAR,
    )


def _why_no_curve(stored: StoredComparison, a: str, b: str) -> str:
    refused = stored.comparison.at(1).overlap.refused
    i, j = sorted((stored.info.names.index(a), stored.info.names.index(b)))
    return refused.get((i, j), "The neighbours of these two cannot be compared.")


def _seeds(stored: StoredComparison, name: str, k: int) -> float:
    return stored.floors[name].local("overlap", k)


def _costs(stored: StoredComparison, k: int) -> None:
    """Draw what each embedding costs beside how well its neighbours share their class."""
    st.subheader("Cost and quality")
    frame, megabytes = _cost_frame(stored)
    row = st.container(horizontal=True, gap="large")  # one below the other on a narrow page
    left, right = row.container(width=_TABLE_PX), row.container(width="stretch")
    with right:
        column = label_choice(stored, key="compare.classes")
        quality = None
        if column is not None:
            quality = label_accuracy(stored, column, min(k, stored.comparison.depth))
    if quality is not None and not quality.refused:
        frame.insert(1, "label accuracy", [quality.scores[n].value for n in stored.info.names])
        with right:
            _cost_chart(stored, quality, frame.assign(download=megabytes))
    else:
        right.caption(escaped(_why_no_quality(stored, column, quality)))
    left.dataframe(frame, hide_index=True, column_config=_COST_COLUMNS)


def _why_no_quality(
    stored: StoredComparison, column: str | None, quality: TaskResult | None
) -> str:
    info = session.workspace().dataset_info(stored.info.recipe.dataset)
    if quality is None or (info.sides is not None and column == info.label):
        return NOTHING_TO_JUDGE_BY  # the side of an item is no class that somebody gave
    return f"By {column} there is no quality to set beside the cost: {quality.refused}"


def _cost_frame(stored: StoredComparison) -> tuple[pd.DataFrame, list[float]]:
    """Return what each embedding costs, and the megabytes of its download (NaN: not known)."""
    runs = {run.id: run for run in session.workspace().runs()}
    mine = [runs[id] for id in stored.info.runs]
    weights = [weights_of(run) for run in mine]
    frame = pd.DataFrame(
        {
            "embedding": list(stored.info.names),
            "seconds": [run.seconds for run in mine],
            "MB": [run.bytes / 1e6 for run in mine],
            "dimensions": [run.dim for run in mine],
            "download": [one.download for one in weights],
            "licence": [one.licence for one in weights],
        }
    )
    return frame, [float("nan") if one.mb is None else float(one.mb) for one in weights]


def _cost_chart(stored: StoredComparison, quality: TaskResult, frame: pd.DataFrame) -> None:
    axis = st.segmented_control(
        "Cost",
        [cost for cost in _COSTS if frame[cost].gt(0).any()],
        default="seconds",
        required=True,
        key="compare.cost",
        label_visibility="collapsed",
    )
    scores = [quality.scores[name] for name in stored.info.names]
    missing = float("nan")
    value, low, high = (
        [missing if (v := getattr(score, part)) is None else v for score in scores]
        for part in ("value", "low", "high")
    )
    st.plotly_chart(
        cost_quality(
            stored.info.names,
            frame[axis or "seconds"],
            value,
            low,
            high,
            cost_title=_COSTS[axis or "seconds"],
            quality_title=quality.measure,
            chance=quality.chance,
            dark=session.is_dark(),
        ),
        key=f"compare.cost_chart.{axis}",
        config=_BAR,
    )
