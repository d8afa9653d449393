"""Which item is looked at in all methods: searched for, drawn at random, or where they differ."""

from __future__ import annotations

import secrets

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import session
from components.compare_items import compared_items
from components.items import RunItems
from components.neighbour_list import shorten
from core.fingerprint import fingerprint
from workspace.stored_comparison import StoredComparison

ONE = "One item"
_FIND = "compare.item.find"
_MOST_HITS = 100


def turn_to(dataset: str) -> None:
    """Look at the item that was last looked at in these data; that of other data is kept for them.

    An id of one dataset may stand for quite another item in the next.
    """
    last = session.recall("compare.item.of")
    if last == dataset:
        return
    if last is not None:
        session.remember(f"compare.item.of.{last}", session.recall("compare.item"))
        session.preset(_FIND, "")
        session.remember("compare.item.found", "")
    session.remember("compare.item", session.recall(f"compare.item.of.{dataset}"))
    session.remember("compare.item.of", dataset)
    session.remember("compare.item.seen", session.recall("compare.item"))


def look_at(id: str) -> None:
    """Show an item in all methods; to be called in a callback, before the page is drawn."""
    _choose(id)
    session.preset("compare.view", "Item")
    session.preset("compare.item.mode", ONE)


def mean_overlap(stored: StoredComparison, k: int) -> NDArray[np.float64]:
    """Return the overlap@k of each item, the mean over the pairs of methods, ``(n,)`` in 0 … 1.

    Over those in which it has a vector; NaN where it has none in all but one.
    """

    def make() -> NDArray[np.float64]:
        made, names = stored.comparison.at(k), stored.info.names
        pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
        total, known = np.zeros(stored.info.n), np.zeros(stored.info.n)
        for a, b in pairs:
            each = made.per_item(a, b)
            total += np.nan_to_num(each)
            known += np.isfinite(each)
        return np.divide(total, known, out=np.full(len(total), np.nan), where=known > 0)

    return session.worked_out(("mean overlap", stored.info.id, str(k)), make)


def item_choice(stored: StoredComparison, k: int) -> int:
    """Draw the ways to choose an item; return its row."""
    items = compared_items(stored)
    find, random, differ = st.columns([3.2, 1.3, 1.9], vertical_alignment="bottom")
    wanted = find.text_input(
        "Find an item",
        key=_FIND,
        placeholder="part of its text, its id or its label",
        icon=":material/search:",
        persist_state="session",
    ).strip()
    random.button(
        "Any item",
        key="compare.item.random",
        icon=":material/casino:",
        width="stretch",
        help="An item drawn at random.",
        on_click=_take_any,
        args=(items,),
    )
    differ.button(
        "Where they differ",
        key="compare.item.differ",
        icon=":material/call_split:",
        width="stretch",
        help="The item whose neighbours the methods agree on least; the next one with every click.",
        on_click=_take_hardest,
        args=(stored, items, k),
    )
    if wanted:
        _hits(items, wanted, stored.info.recipe.dataset)
    session.remember("compare.item.found", wanted)
    asked = session.recall("compare.item")
    row = items.position(asked) if asked else None
    if asked and row is None:
        st.caption("The item looked at before is not among these; here is another.")
    if row is not None:
        return row
    # Neither the most nor the least agreed on, and the same one for every k.
    return _hardest_first(stored, stored.comparison.k, len(items) // 2)


def _hits(items: RunItems, wanted: str, dataset: str) -> None:
    """Take the first item that is found, and offer the others."""
    rows = items.containing(wanted).tolist()
    exact = items.position(wanted)
    if exact is not None:
        rows = [exact, *(row for row in rows if row != exact)]
    if not rows:
        st.caption("No item contains this in its text, id or label. Try a shorter part of it.")
        return
    if session.recall("compare.item.found") != wanted:
        session.remember("compare.item", items.keys[rows[0]])
    if len(rows) == 1:
        return
    now = items.position(session.recall("compare.item") or "")
    shown = rows[:_MOST_HITS]
    more = f", the first {_MOST_HITS} of which are listed" if len(rows) > len(shown) else ""
    key = f"compare.item.hit.{fingerprint(dataset, wanted)[:8]}"
    picked = st.selectbox(
        f"{len(rows):,} items found{more}",
        shown,
        index=shown.index(now) if now in shown else None,
        placeholder="choose another of them",
        format_func=lambda row: shorten(items.texts[row], 110),
        key=key,
    )
    if picked is not None and picked != session.recall(key):
        if session.recall(key) is not None:
            session.remember("compare.item", items.keys[picked])
        session.remember(key, picked)


def _take_any(items: RunItems) -> None:
    _choose(items.keys[secrets.randbelow(len(items))])


def _take_hardest(stored: StoredComparison, items: RunItems, k: int) -> None:
    last = session.recall("compare.item.hardest")
    place = last[1] + 1 if last and last[0] == stored.info.id else 0
    place %= len(items)
    if items.keys[_hardest_first(stored, k, place)] == session.recall("compare.item"):
        place = (place + 1) % len(items)
    session.remember("compare.item.hardest", (stored.info.id, place))
    _choose(items.keys[_hardest_first(stored, k, place)])


def _choose(id: str) -> None:
    session.remember("compare.item", id)
    session.preset(_FIND, "")


def _hardest_first(stored: StoredComparison, k: int, place: int) -> int:
    return int(np.argsort(mean_overlap(stored, k), kind="stable")[place])
