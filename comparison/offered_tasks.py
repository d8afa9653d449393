"""Which tasks a dataset and the spaces made of it allow, and why the others are not offered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from comparison.class_labels import ClassLabels
from comparison.label_probe import PER_CLASS
from comparison.link_quality import LEAST_EDGES
from comparison.pair_quality import LEAST_PAIRS
from comparison.retrieval_quality import LEAST_QUERIES
from core.modality import Modality
from ingest.dataset import Dataset
from ingest.sides import SIDE_COLUMN

MOST_NUMBERS = 30
"""A column of more different whole numbers is a measurement, not a class."""


@dataclass(frozen=True)
class LabelColumn:
    """A column of a dataset as the classes of a task.

    Attributes
    ----------
    name : str
    n_classes, n_items : int
        That can be used.
    smallest : int
        Items of the smallest class used.
    reason : str
        Why it cannot serve; empty where it can.
    note : str
        What to know when it does.
    """

    name: str
    n_classes: int = 0
    n_items: int = 0
    smallest: int = 0
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class OfferedTask:
    """A task, offered or not.

    Attributes
    ----------
    id, title : str
    question : str
        What it asks, in one sentence.
    reason : str
        Why it is not offered; empty where it is.
    asks_for : str
        What the user has to give first; empty where the dataset suffices.
    spaces : tuple of str
        Which of the spaces can take part.
    columns : tuple of LabelColumn
        Columns to choose from, the likeliest first.
    """

    id: str
    title: str
    question: str
    reason: str = ""
    asks_for: str = ""
    spaces: tuple[str, ...] = ()
    columns: tuple[LabelColumn, ...] = ()

    @property
    def is_offered(self) -> bool:
        """Tell whether the task can be done, perhaps after something was given."""
        return not self.reason


def offered_tasks(dataset: Dataset, kinds: Mapping[str, Sequence[str]]) -> tuple[OfferedTask, ...]:
    """Return every task with the reason where it is not offered.

    Parameters
    ----------
    dataset : Dataset
    kinds : mapping of str to sequence of str
        By name of the space, the kinds of its keys ("document", "word", …).
    """
    columns = tuple(c for c in label_columns(dataset) if not c.reason)
    every = tuple(kinds)
    with_words = tuple(name for name, found in kinds.items() if "word" in found)
    return (
        *_of_labels(dataset, columns, every),
        _retrieval(dataset, every),
        _pairs(dataset, every),
        *_of_words(with_words),
        _links(dataset, every),
        _recommendation(dataset, kinds),
    )


def label_columns(dataset: Dataset) -> tuple[LabelColumn, ...]:
    """Return every column as classes, the usable ones first, of these the label first."""
    found = [_column(dataset, str(name)) for name in dataset.columns]
    label = dataset.label
    return tuple(sorted(found, key=lambda c: (bool(c.reason), c.name != label, c.n_classes)))


def _column(dataset: Dataset, name: str) -> LabelColumn:
    values, role = dataset.columns[name], dataset.roles.get(name, "ignored")
    if name == SIDE_COLUMN and dataset.sides is not None:
        return LabelColumn(name, reason="It tells the two sides apart, which are no classes.")
    if role in {"text", "id", "time"}:
        what = {"text": "texts", "id": "names of single items", "time": "times"}[role]
        return LabelColumn(name, reason=f"It holds {what}, not classes.")
    if role != "label" and pd.api.types.is_numeric_dtype(values) and _is_measured(values):
        return LabelColumn(name, reason="It holds measured numbers, not classes.")
    labels = ClassLabels.of(values.tolist())
    if labels.refused:
        return LabelColumn(name, reason=labels.refused)
    features = dataset.items.columns if isinstance(dataset.items, pd.DataFrame) else ()
    note = "It is one of the features that vectors are made of." if name in features else ""
    counts = labels.counts
    return LabelColumn(name, len(counts), int(counts.sum()), int(counts.min()), "", note)


def _is_measured(values: pd.Series) -> bool:
    present = values.dropna().to_numpy(np.float64)
    different = np.unique(present)
    return len(different) > MOST_NUMBERS or bool((different != np.round(different)).any())


def _of_labels(
    dataset: Dataset, columns: tuple[LabelColumn, ...], spaces: tuple[str, ...]
) -> Iterable[OfferedTask]:
    tasks = (
        ("label-knn", "Labels of neighbours", "Do the nearest items share an item's class?"),
        ("label-probe", "Linear probe", "Can a linear classifier read the class off the vector?"),
        ("label-clusters", "Clusters against classes", "Does k-means find the classes again?"),
        ("label-silhouette", "Silhouette of the classes", "Are the classes apart and compact?"),
        ("label-few-shot", "Few examples", f"What do {PER_CLASS} examples per class teach?"),
    )
    nothing = (
        "It has no column of classes with 5 or more items each."
        if len(dataset.columns.columns)
        else "It has no column beside its items."
    )
    for id, title, question in tasks:
        usable, reason = columns, nothing
        if id == "label-few-shot" and columns:
            usable = tuple(c for c in columns if c.smallest > PER_CLASS)
            reason = f"No column has more than {PER_CLASS} items in every class."
        yield OfferedTask(
            id, title, question, "" if usable else reason, spaces=spaces, columns=usable
        )


def _retrieval(dataset: Dataset, spaces: tuple[str, ...]) -> OfferedTask:
    def task(reason: str = "", asks_for: str = "") -> OfferedTask:
        question = "Do queries find the documents that were judged relevant?"
        return OfferedTask(
            "retrieval", "Search with judgements", question, reason, asks_for, spaces
        )

    if dataset.modality is Modality.PAIRS and dataset.edges is not None:
        n = len(np.unique(dataset.edges.source))
        side = dataset.sides.names[0] if dataset.sides else "left item"
        if n < LEAST_QUERIES:
            return task(f"It has {n} {side} items with a pair; {LEAST_QUERIES} are needed.")
        return task()
    if dataset.modality in {Modality.TEXT, Modality.IMAGE, Modality.VECTORS}:
        return task(asks_for="judgements: which items answer which query")
    return task(f"Items of a {dataset.modality} are not searched with queries.")


def _pairs(dataset: Dataset, spaces: tuple[str, ...]) -> OfferedTask:
    def task(reason: str = "", asks_for: str = "") -> OfferedTask:
        question = "Are pairs as similar as people say?"
        return OfferedTask("pairs", "Similarity of pairs", question, reason, asks_for, spaces)

    if dataset.modality is Modality.INTERACTIONS:
        return task("Users and items are not rated for similarity.")
    if dataset.modality is Modality.PAIRS and dataset.edges is not None:
        if len(dataset.edges) < LEAST_PAIRS:
            return task(f"It has {len(dataset.edges)} pairs; {LEAST_PAIRS} are needed.")
        if np.ptp(dataset.edges.weight) > 0:
            return task()
    return task(asks_for="pairs of ids with ratings")


def _of_words(spaces: tuple[str, ...]) -> Iterable[OfferedTask]:
    reason = (
        ""
        if spaces
        else "No space has vectors of words; add Word2Vec, GloVe, fastText or static BERT."
    )
    tasks = (
        ("word-pairs", "Word pairs", "Are words as similar as people say?", "rated word pairs"),
        ("analogies", "Analogies", "Is Paris to France as Rome to Italy?", "analogy questions"),
        (
            "entities",
            "Named entities",
            "Do word vectors tell names of people, places and products?",
            "sentences whose words carry BIO tags",
        ),
    )
    for id, title, question, needed in tasks:
        yield OfferedTask(id, title, question, reason, "" if reason else needed, spaces)


def _links(dataset: Dataset, spaces: tuple[str, ...]) -> OfferedTask:
    reason = ""
    if dataset.modality is not Modality.GRAPH or dataset.edges is None:
        reason = "It is no graph."
    elif len(dataset.edges) < LEAST_EDGES:
        reason = f"It has {len(dataset.edges)} edges; {LEAST_EDGES} are needed."
    question = "Are linked nodes near each other?"
    return OfferedTask("graph-links", "Links", question, reason, spaces=spaces)


def _recommendation(dataset: Dataset, kinds: Mapping[str, Sequence[str]]) -> OfferedTask:
    def task(reason: str = "", spaces: tuple[str, ...] = ()) -> OfferedTask:
        question = "Are items that users chose later among the first?"
        return OfferedTask("recommendation", "Recommendation", question, reason, spaces=spaces)

    if dataset.modality is not Modality.INTERACTIONS or dataset.sides is None:
        return task("It holds no choices of users.")
    wanted = set(dataset.sides.names)
    spaces = tuple(name for name, found in kinds.items() if wanted <= set(found))
    if not spaces:
        return task(f"No space has vectors of both: {' and '.join(dataset.sides.names)}.")
    return task(spaces=spaces)
