"""Items whose label one method finds among the neighbours and another does not."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from comparison.disagreement import Disagreements, disagreements
from components import session
from components.compare_item_choice import look_at
from components.compare_items import compared_items, label_choice, label_list
from components.markdown import escaped
from components.pickable_items import Column, pickable_items
from workspace.stored_comparison import StoredComparison

_LISTED = 200


def label_disagreements(stored: StoredComparison, k: int) -> None:
    """Draw the choice of two methods, how often each finds the label, and the items."""
    names = list(stored.info.names)
    a, b = session.compared_pair(stored.info, stored.comparison.overlap)
    id = stored.info.id[:12]
    one, other, classes = st.columns(3, vertical_alignment="bottom")
    first = one.selectbox(
        "Finds the label", names, index=names.index(a), key=f"compare.item.first.{id}.{a}"
    )
    second = other.selectbox(
        "Does not", names, index=names.index(b), key=f"compare.item.second.{id}.{b}"
    )
    with classes:
        column = label_choice(stored, key="compare.item.classes")
    if column is None:
        st.info("These items have no column of classes, so there is no label to find.")
        return
    if first == second:
        st.info("Choose two different methods.")
        return
    found = _found(stored, first, second, column, k)
    known = Counter(label for label in label_list(stored, column) or [] if label is not None)
    _counts(found, first, second, column, max(known.values(), default=0))
    if not found.only_first:
        told = f"There is no item whose {column} {first} finds and {second} does not."
        st.info(escaped(told))
        return
    _listed(stored, found, first, second, column)


def _found(stored: StoredComparison, first: str, second: str, column: str, k: int) -> Disagreements:
    def make() -> Disagreements:
        made = stored.comparison
        one, other = (made.graphs[made.names.index(name)] for name in (first, second))
        return disagreements(one, other, label_list(stored, column) or [], k=k)

    key = ("disagreements", stored.info.id, first, second, column, str(k))
    return session.worked_out(key, make)


def _counts(found: Disagreements, first: str, second: str, column: str, largest: int) -> None:
    parts = (
        ("both find it", found.both),
        (f"only {first}", found.only_first),
        (f"only {second}", found.only_second),
        ("neither", found.neither),
    )
    for place, (title, count) in zip(st.columns(4), parts, strict=True):
        place.metric(escaped(title), f"{count:,}", border=True)
        place.caption(f"{count / max(1, found.n_used):.1%} of {found.n_used:,}")
    st.caption(escaped(proof_told(found, column, largest)))


def proof_told(found: Disagreements, column: str, largest: int) -> str:
    """Return the rule, chance, the test and what was left out, in words.

    Parameters
    ----------
    found : Disagreements
    column : str
    largest : int
        Items of the most frequent class.
    """
    alone = found.only_first + found.only_second
    told = [
        f"Found: {found.rule} have the item's own {column} (the most frequent one counts; of "
        "equally frequent ones the first by name, under either method)",
        f"always naming the most frequent {column} would find {largest:,} of {found.n_used:,}",
    ]
    if alone:
        p = "below .0001" if found.p < 1e-4 else f"{found.p:.4f}".removeprefix("0")
        told.append(
            f"were both methods equally good, the {alone:,} items that only one finds would split "
            f"this unevenly with probability {p} (exact test of McNemar)"
        )
    if found.n_unlabelled:
        told.append(f"{found.n_unlabelled:,} items have no {column} and are left out")
    return " · ".join(told)


def _listed(
    stored: StoredComparison, found: Disagreements, first: str, second: str, column: str
) -> None:
    items, labels = compared_items(stored), label_list(stored, column) or []
    rows = found.rows[:_LISTED].tolist()
    said = [text or "nothing" for text in found.instead[:_LISTED]]
    share = f"Share of its {found.k} labelled neighbours that have the item's own {column}."
    pickable_items(
        items,
        rows,
        [
            Column(f"its {column}", [labels[row] for row in rows], width="medium"),
            Column(
                f"{second} says",
                said,
                help="The most frequent of its neighbours; of equals the first by name.",
                width="medium",
            ),
            Column(f"share in {first}", found.first[:_LISTED].tolist(), "%.2f", share, "small"),
            Column(f"share in {second}", found.second[:_LISTED].tolist(), "%.2f", share, "small"),
        ],
        key=f"compare.item.labels.{stored.info.id[:12]}.{first}.{second}.{column}.{found.k}",
        on_pick=look_at,
    )
    most = Counter(text for text in found.instead if text).most_common(3)
    told = ", ".join(f"{text} ({count:,})" for text, count in most)
    cut = f"The first {_LISTED} of {len(found.rows):,}. " if len(found.rows) > _LISTED else ""
    st.caption(
        escaped(
            f"{cut}The largest difference first. What {second} says instead most often: "
            f"{told or 'nothing'}. A click shows the item in all methods."
        )
    )
