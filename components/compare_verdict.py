"""The comparison in short: what the figures allow to say."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from comparison.copies import groups_of_copies, n_copies
from comparison.label_quality import knn_label_accuracy
from comparison.task_result import TaskResult
from components import session
from components.compare_items import classes, compared_items, label_columns
from components.markdown import escaped
from core.modality import Modality
from workspace.reporting import verdict_of
from workspace.stored_comparison import StoredComparison

NOTHING_TO_JUDGE_BY = (
    "These data hold no classes, so this page says how the embeddings differ, not which is better. "
    "The Task view measures quality by other answers."
)
_MANY_COPIES = 0.05
_NOUNS = {Modality.TEXT: "texts", Modality.IMAGE: "images", Modality.GRAPH: "nodes"}


def in_short(stored: StoredComparison) -> None:
    """Draw the verdict, judged by the first column of classes where one can judge."""
    k = stored.info.recipe.k
    columns = [c for c in label_columns(stored) if not classes(stored, c).refused]
    task = label_accuracy(stored, columns[0], k) if columns else None
    workspace = session.workspace()
    runs = {run.id: run.seconds for run in workspace.runs()}
    seconds = {name: runs[id] for name, id in zip(stored.info.names, stored.info.runs, strict=True)}
    modality = workspace.dataset_info(stored.info.recipe.dataset).modality
    noun = _NOUNS.get(modality, "items")
    said = verdict_of(stored, seconds, k, noun=noun, task=task)
    sentences = said.sentences if columns else (*said.sentences, NOTHING_TO_JUDGE_BY)
    sentences += copies_words(_n_copies(stored, modality), stored.info.n, noun)
    with st.container(border=True):
        st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in sentences))


def label_accuracy(stored: StoredComparison, column: str, k: int) -> TaskResult:
    """Return how often the neighbours vote for an item's own class."""

    def make() -> TaskResult:
        found = stored.comparison
        return knn_label_accuracy(
            found.items, found.graphs, classes(stored, column), k=k, seed=found.seed
        )

    return session.worked_out(("label accuracy", stored.info.id, column, str(k)), make)


def copies_words(with_copy: int, n: int, noun: str) -> tuple[str, ...]:
    """Say that copies make embeddings agree, where they are enough to matter."""
    if with_copy <= _MANY_COPIES * n:
        return ()
    return (
        f"{with_copy:,} of these {n:,} {noun} have an exact copy among them. Copies are neighbours "
        "in every embedding, so the agreement is higher than it would be without them.",
    )


def _n_copies(stored: StoredComparison, modality: Modality) -> int:
    """Return how many items have a copy: equal texts, else equal vectors; nodes never are one."""
    if modality in (Modality.GRAPH, Modality.INTERACTIONS):
        return 0

    def make() -> int:
        if modality is Modality.TEXT:
            texts = Counter(compared_items(stored).texts)
            return sum(n for n in texts.values() if n > 1)
        return n_copies(groups_of_copies(stored.comparison.items))

    return session.worked_out(("copies", stored.info.id), make)
