"""What can be shown of the items of a comparison: texts, pictures, classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from comparison.class_labels import ClassLabels, labels_of
from comparison.offered_tasks import LabelColumn
from comparison.offered_tasks import label_columns as usable_columns
from components import session
from components.items import RunItems, subset_items
from components.markdown import escaped
from workspace.stored_comparison import StoredComparison


def compared_items(stored: StoredComparison) -> RunItems:
    """Return texts, pictures and columns in the order of the shared items."""
    info = stored.info

    def make() -> RunItems:
        data = session.dataset(info.recipe.dataset)
        ids = stored.comparison.items.ids
        place = {id: row for row, id in enumerate(data.ids)}
        return subset_items(data, np.array([place[id] for id in ids], np.int64))

    return session.worked_out(("compared items", info.id), make)


def label_columns(stored: StoredComparison) -> list[str]:
    """Return the columns that may serve as classes: the label first, then those of few values.

    Where none can be used, all that hold classes, so that a view can say why not.
    """
    found = _class_columns(stored)
    return [c.name for c in found if not c.reason] or [c.name for c in found]


def _class_columns(stored: StoredComparison) -> tuple[LabelColumn, ...]:
    """Return the columns of classes, the usable ones first, with the reason against the others."""
    roles = compared_items(stored).roles
    dataset = stored.info.recipe.dataset
    every = session.worked_out(
        ("label columns", dataset), lambda: usable_columns(session.dataset(dataset))
    )
    return tuple(c for c in every if roles.get(c.name) in ("label", "categorical"))


def label_choice(stored: StoredComparison, *, key: str) -> str | None:
    """Draw the choice of the column whose values are the classes; None where there is none.

    With one column there is nothing to choose, but what is left out is told all the same.
    """
    columns = label_columns(stored)
    if not columns:
        return None
    left_out = [c for c in _class_columns(stored) if c.name not in columns]
    if len(columns) == 1:
        if left_out:
            st.caption(f"Classes: {escaped(columns[0])}.{_told(left_out)}")
        return columns[0]
    return st.selectbox(
        "Classes",
        columns,
        key=f"{key}.{stored.info.recipe.dataset[:12]}",
        persist_state="session",
        help=f"The column whose values are the classes.{_told(left_out)}",
    )


def _told(left_out: Sequence[LabelColumn]) -> str:
    return "".join(f" Left out is {escaped(c.name)}: {escaped(c.reason)}" for c in left_out)


def classes(stored: StoredComparison, column: str) -> ClassLabels:
    """Return the classes of the shared items by one column."""

    def make() -> ClassLabels:
        data = session.dataset(stored.info.recipe.dataset)
        return labels_of(data, column, stored.comparison.items.ids)

    return session.worked_out(("classes", stored.info.id, column), make)


def label_list(stored: StoredComparison, column: str | None) -> list[str | None] | None:
    """Return the class of each shared item as text, None where it has none."""
    if column is None:
        return None
    labels = classes(stored, column)
    return [labels.names[code] if code >= 0 else None for code in labels.codes.tolist()]
