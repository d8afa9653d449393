"""Report: the comparison as a page to send, a table to compute with, a recipe to repeat it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

import streamlit as st

from comparison.report import render
from comparison.task_result import TaskResult
from components import session
from components.compare_items import label_choice
from components.compare_spaces import shapes_seen
from components.markdown import escaped
from core.fingerprint import fingerprint
from workspace.portable import portable_recipe
from workspace.report_tables import measured_beside
from workspace.reporting import item_table, measured_tasks, newest_measurements, report_content
from workspace.stored_comparison import StoredComparison
from workspace.table_files import to_csv, to_parquet


def report(stored: StoredComparison) -> None:
    """Draw what the report will say, and the files."""
    info = stored.info
    choose, files = st.columns([2, 3], gap="large")
    with choose:
        column = label_choice(stored, key="compare.classes")
        pair = _pair_choice(stored)
    data = session.workspace().dataset_info(info.recipe.dataset)
    newest = newest_measurements(session.workspace(), stored)
    tasks = session.worked_out(
        ("measured tasks", info.id, *newest),
        lambda: measured_tasks(session.workspace(), stored),
    )
    beside = measured_beside(session.workspace(), stored, pair)
    with_shapes = bool(session.recall(shapes_seen(stored)))
    which = fingerprint(list(newest), beside, with_shapes)
    with st.spinner("Writing the report …"):
        page = session.worked_out(
            ("report", info.id, data.name, column or "", *pair, which),
            lambda: _page(stored, column, pair, tasks, with_shapes),
        )
    with choose:
        st.caption(_tasks_told(tasks))
    name = re.sub(r"\W+", "-", data.name).strip("-")
    with files:
        st.markdown("**Files**")
        first, second, third, fourth = st.columns(4)
        first.download_button(
            "Report",
            page.encode(),
            f"{name}-comparison.html",
            "text/html",
            icon=":material/description:",
            key="compare.report.html",
            help="One page that needs no network and can be printed.",
            width="stretch",
            type="primary",
            on_click="ignore",
        )
        table = session.worked_out(
            ("item table", info.id, column or ""),
            lambda: item_table(stored, session.dataset(info.recipe.dataset), info.recipe.k, column),
        )
        second.download_button(
            "CSV",
            lambda: to_csv(table),
            f"{name}-items.csv",
            "text/csv",
            icon=":material/table:",
            key="compare.report.csv",
            help="Of every item: how far every two embeddings agree, in how many lists of "
            "neighbours it stands, and whether its neighbours have its class.",
            width="stretch",
            on_click="ignore",
        )
        third.download_button(
            "Parquet",
            lambda: to_parquet(table),
            f"{name}-items.parquet",
            "application/vnd.apache.parquet",
            icon=":material/table:",
            key="compare.report.parquet",
            width="stretch",
            on_click="ignore",
        )
        recipe = session.worked_out(
            ("portable recipe", info.id, data.name),
            lambda: portable_recipe(session.workspace(), info),
        )
        fourth.download_button(
            "Recipe",
            json.dumps(recipe, indent=2, ensure_ascii=False).encode(),
            f"{name}-recipe.json",
            "application/json",
            icon=":material/receipt_long:",
            key="compare.report.recipe",
            help="Methods, settings, seeds and the fingerprint of the data.",
            width="stretch",
            on_click="ignore",
        )
        st.caption("The recipe makes the comparison again, here or on the command line:")
        files_read = [session.workspace().how_read(id).files for id in info.recipe.datasets]
        st.code(command(f"{name}-recipe.json", files_read), language="bash", wrap_lines=True)
    st.iframe(page, height=900)


def command(recipe: str, files: Sequence[Sequence[str]]) -> str:
    """Return the line that makes a comparison again.

    Parameters
    ----------
    recipe : str
        Name of the recipe file.
    files : sequence of sequence of str
        The files of each dataset; none for a sample, which needs no file.
    """
    parts = ["python", "-m", "workspace", shlex.quote(recipe)]
    for number, names in enumerate(files, start=1):
        of = f"data {number}=" if len(files) > 1 else ""
        for name in names:
            parts += ["--data", shlex.quote(f"{of}{name}")]
    return " ".join([*parts, "--out", "comparison"])


def _pair_choice(stored: StoredComparison) -> tuple[str, str]:
    """Draw the choice of the two embeddings that the report looks at closely."""
    names = stored.info.names
    a, b = session.compared_pair(stored.info, stored.comparison.overlap)
    left, right = st.columns(2)
    key = stored.info.id[:12]
    first = left.selectbox(
        "Closer look at", names, index=names.index(a), key=f"compare.report.a.{key}.{a}"
    )
    others = [name for name in names if name != first]
    second = right.selectbox(
        "and",
        others,
        index=others.index(b) if b in others else 0,
        key=f"compare.report.b.{key}.{first}.{b}",
    )
    return str(first), str(second)


def _tasks_told(tasks: Sequence[TaskResult]) -> str:
    """Say which measurements the report holds, or how they come into it."""
    more = "What the Spaces, Task and Compression views measure comes into the report."
    if not tasks:
        return more
    titles = dict.fromkeys(task.title for task in tasks)
    return escaped(f"With what the Task view has measured: {', '.join(titles)}. {more}")


def _page(
    stored: StoredComparison,
    column: str | None,
    pair: tuple[str, str],
    tasks: Sequence[TaskResult],
    with_shapes: bool,
) -> str:
    workspace = session.workspace()
    k = stored.info.recipe.k
    content = report_content(
        workspace,
        stored,
        k=k,
        column=column,
        pair=pair,
        tasks=tasks,
        measure_shapes=with_shapes,
        worked_out=session.worked_out,
    )
    return render(content)
