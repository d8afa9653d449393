"""Compression: what is left of an embedding when its vectors are kept in fewer bytes."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from comparison.compression import CompressionResult
from components import session
from components.boundary import explained
from components.compare_compression_words import (
    FAMILIES,
    file_table,
    flattered,
    holds_for_others,
    measured_on,
    notes,
    table,
    takeaways,
)
from components.compare_items import label_columns
from components.figures.compression_chart import compression_chart
from components.figures.compression_frontiers import Codes, compression_frontiers
from components.markdown import escaped
from components.start_button import start_button
from ingest.wording import count
from workspace.compressing import CompressTask
from workspace.stored_comparison import StoredComparison
from workspace.table_files import to_csv

_BAR = {"displayModeBar": False}
_EVERY = ""  # no embedding has an empty name
_DEPTHS = (1, 5, 10, 20, 50, 100)
_SAYS = (
    "Vectors cost memory. Here the same vectors are kept in fewer bytes (rounded, cut to fewer "
    "dimensions, or both), and items are looked up in them. **Recall** is the share of their true "
    "neighbours, those of the full vectors, that are found again."
)

_HOW = (
    "“Surely”: the whole 95 % interval lies above. Queries stay at full precision, except in "
    "binary codes. What a code learns (directions, ranges, centres) it learns from these items; "
    "others may lose more."
)


def compression(stored: StoredComparison) -> None:
    """Draw the choice of an embedding, what its codes keep, and the table of them."""
    st.markdown(_SAYS)
    if stored.info.n < 3:
        st.info("At least 3 items are needed to look up neighbours; load more of them.")
        return
    task = _controls(stored)
    workspace = session.workspace()
    found = {
        name: result
        for name in task.members
        if (result := workspace.compressed(stored.info.id, name, task.column, task.k))
    }
    missing = tuple(name for name in task.members if name not in found)
    if missing:
        _offer(stored, CompressTask(task.comparison, missing, task.column, task.k), bool(found))
    if not found:
        return
    with explained():
        _one(stored, task, found) if len(task.members) == 1 else _every(stored, task, found)
    with explained():
        _table(stored, task, found)


def _controls(stored: StoredComparison) -> CompressTask:
    """Draw member, labels and k; at first they are those that were measured last."""
    info = stored.info
    here = info.id[:12]
    earlier = session.workspace().compressions(info.id)
    last = earlier[0] if earlier else CompressTask(info.id, (info.names[0],))
    who, labels, depth = st.columns([3, 2, 1], gap="large", vertical_alignment="bottom")
    members = [*info.names, _EVERY]
    shown = _EVERY if len(last.members) > 1 else last.members[0]
    member = who.selectbox(
        "Embedding",
        members,
        index=members.index(shown) if shown in members else 0,
        format_func=lambda name: name or f"all {len(info.names)}, one line each",
        key=f"compare.compression.member.{here}",
        persist_state="session",
    )
    columns = [None, *label_columns(stored)]
    column = labels.selectbox(
        "Labels",
        columns,
        index=columns.index(last.column)
        if earlier and last.column in columns
        else min(1, len(columns) - 1),
        format_func=lambda name: "without" if name is None else str(name),
        key=f"compare.compression.labels.{here}",
        persist_state="session",
        help="A task beside recall: how often the majority of the k neighbours found has an "
        "item's own label.",
    )
    depths = [k for k in _DEPTHS if k <= info.n - 1]
    k = depth.selectbox(
        "k",
        depths,
        index=depths.index(last.k) if last.k in depths else len(depths) - 1,
        key=f"compare.compression.k.{here}",
        persist_state="session",
        help="How many nearest neighbours should be found again.",
    )
    return CompressTask(info.id, (member,) if member else info.names, column, int(k))


def _offer(stored: StoredComparison, task: CompressTask, has_some: bool) -> None:
    """Draw the button that measures, or that it is being done."""
    if any(job.active and job.task == task.to_json() for job in session.workspace().open_jobs()):
        st.info("Being measured; the figures appear here when they are there.")
        return
    what = task.members[0] if len(task.members) == 1 else count(len(task.members), "embedding")
    if start_button(
        escaped(f"Compress {'the other ' if has_some else ''}{what}"),
        key=f"compare.compression.start.{stored.info.id[:12]}",
        about=task.to_json(),
        type="primary",
        icon=":material/compress:",
    ):
        session.follow(session.workspace().compress_run(task))
        st.rerun()
    st.caption(
        f"About two dozen codes of {count(stored.info.n, 'item')}; from a second to a minute for "
        "each embedding."
    )


def _one(
    stored: StoredComparison, task: CompressTask, found: Mapping[str, CompressionResult]
) -> None:
    """Draw the chart of one embedding and the sentences to take away."""
    (name, result), *_ = found.items()
    chart, beside = st.columns([3, 2], gap="large")
    rows = result.rows
    missing = (float("nan"),) * 3
    scores = [row.task or missing for row in rows]
    figure = compression_chart(
        [row.label for row in rows],
        [FAMILIES[row.code.family] for row in rows],
        [row.bytes_per_million for row in rows],
        _columns([row.recall for row in rows]),
        k=result.k,
        chance=result.chance_recall,
        task=_columns(scores) if any(row.task for row in rows) else None,
        task_title=f"{task.column or 'label'} accuracy",
        task_chance=result.chance_task,
        note=f"{result.n_queries:,} queries, {result.metric}, seed {result.seed}",
        dark=session.is_dark(),
    )
    with chart:
        st.plotly_chart(
            figure,
            key=f"compare.compression.chart.{stored.info.id[:12]}.{stored.info.names.index(name)}",
            config=_BAR,
        )
    with beside:
        for sentence in takeaways(result, task.column):
            st.markdown(escaped(sentence))
        if warning := flattered(result):
            st.caption(escaped(warning))
        if task.column is not None and result.no_task:
            st.caption(escaped(f"No score of {task.column}: {result.no_task}"))
        st.caption(escaped(measured_on(result)))
        st.caption(_HOW)


def _every(
    stored: StoredComparison, task: CompressTask, found: Mapping[str, CompressionResult]
) -> None:
    """Draw a line per embedding, and what to take away of each."""
    chart, beside = st.columns([3, 2], gap="large")
    spaces = {}
    for name, result in found.items():
        rows = [row for row in result.rows if holds_for_others(row)]
        spaces[name] = Codes(
            [row.label for row in rows],
            [row.bytes_per_million for row in rows],
            [row.recall.mean for row in rows],
            [row.task.mean for row in rows if row.task is not None],
        )
    first = next(iter(found.values()))
    figure = compression_frontiers(
        spaces,
        k=first.k,
        chance=first.chance_recall,
        task_title=f"{task.column or 'label'} accuracy",
        task_chance=first.chance_task,
        note=f"{first.n_queries:,} queries, seed {first.seed}",
        dark=session.is_dark(),
    )
    with chart:
        key = f"compare.compression.frontiers.{stored.info.id[:12]}.{len(found)}"
        st.plotly_chart(figure, key=key, config=_BAR)
    with beside:
        for name, result in found.items():
            sentences = takeaways(result)
            if sentences:
                st.markdown(f"**{escaped(name)}**  \n{escaped(sentences[0])}")
        if task.column is not None and first.no_task:
            st.caption(escaped(f"No score of {task.column}: {first.no_task}"))
        if any(flattered(result) for result in found.values()):
            st.caption(
                f"Without product codes: {first.n:,} items are few to train them, and they "
                "remember these."
            )
        st.caption(
            "Recall says what an embedding loses of itself: each has its own true neighbours. "
            "Only the score of labels asks the same of all."
        )
        st.caption(_HOW)


def _table(
    stored: StoredComparison, task: CompressTask, found: Mapping[str, CompressionResult]
) -> None:
    """Draw all codes of one embedding, those that were refused, and the file."""
    names = list(found)
    name = names[0]
    if len(names) > 1:
        chosen = st.segmented_control(
            "Codes of",
            names,
            default=name,
            required=True,
            key=f"compare.compression.table.{stored.info.id[:12]}.{len(names)}",
        )
        name = chosen or name
    result = found[name]
    frame = table(result, task.column)
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        key=f"compare.compression.codes.{stored.info.id[:12]}",
        column_config={
            "bytes per vector": number(help="Of what is searched, so it should be in memory."),
            "bytes beside": number(help="Full vectors that are looked up again; a disk will do."),
            "MB per million": number(
                format="%.1f", help="A million vectors, with what lies beside, without “kB once”."
            ),
            "kB once": number(
                format="%.1f", help="Directions, ranges, centres: once, however many vectors."
            ),
            f"recall@{result.k}": number(format="%.3f"),
            f"{task.column or 'label'} accuracy": number(format="%.3f"),
            "frontier": st.column_config.CheckboxColumn(
                help="No other code is smaller and at least as good in recall."
            ),
        },
    )
    st.caption("  \n".join(escaped(note) for note in notes(result)))
    st.download_button(
        "Table as CSV",
        lambda: to_csv(file_table(found, task.column)),
        "compression.csv",
        "text/csv",
        key=f"compare.compression.csv.{stored.info.id[:12]}",
        on_click="ignore",
        icon=":material/download:",
    )


def _columns(rows: list[tuple[float, ...]]) -> tuple[list[float], list[float], list[float]]:
    value, low, high = (list(part) for part in zip(*rows, strict=True))
    return value, low, high
