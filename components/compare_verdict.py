"""The comparison in short: what the figures allow to say."""

from __future__ import annotations

import streamlit as st

from comparison.label_quality import knn_label_accuracy
from comparison.task_result import TaskResult
from components import session
from components.compare_items import classes, label_columns
from components.markdown import escaped
from core.modality import Modality
from workspace.reporting import verdict_of
from workspace.stored_comparison import StoredComparison

_NOUNS = {Modality.TEXT: "texts", Modality.IMAGE: "images", Modality.GRAPH: "nodes"}


def in_short(stored: StoredComparison) -> None:
    """Draw the verdict, judged by the first column of classes where there is one."""
    k = stored.info.recipe.k
    columns = label_columns(stored)
    task = label_accuracy(stored, columns[0], k) if columns else None
    workspace = session.workspace()
    runs = {run.id: run.seconds for run in workspace.runs()}
    seconds = {name: runs[id] for name, id in zip(stored.info.names, stored.info.runs, strict=True)}
    noun = _NOUNS.get(workspace.dataset_info(stored.info.recipe.dataset).modality, "items")
    said = verdict_of(stored, seconds, k, noun=noun, task=task)
    with st.container(border=True):
        st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in said.sentences))


def label_accuracy(stored: StoredComparison, column: str, k: int) -> TaskResult:
    """Return how often the neighbours vote for an item's own class."""

    def make() -> TaskResult:
        found = stored.comparison
        return knn_label_accuracy(
            found.items, found.graphs, classes(stored, column), k=k, seed=found.seed
        )

    return session.worked_out(("label accuracy", stored.info.id, column, str(k)), make)
