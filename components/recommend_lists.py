"""The lists of the recommend page: what a user has had, what suits, and what is alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from components.markdown import escaped
from components.rating_choice import shown_least
from components.recommend_data import Recommender, Side
from components.recommend_fields import item_filter, one_of
from embedders.interactions import counts
from vectors.neighbors import Neighbors
from workspace.table_files import to_csv

_MOST_HAD = 200
_HEIGHT = 520


def for_a_user(asked: Recommender) -> None:
    """Draw the choice of a user, what the user has had, and the best of what is left."""
    shop, users, items = asked.shop, asked.shop.users, asked.shop.items
    room, beside = st.columns([2.9, 1], gap="large")
    with beside:
        k = _length(len(items))
        hide = st.toggle(
            f"Hide what the {users.kind} has had",
            value=True,
            key="recommend.hide",
            persist_state="session",
            help="Whoever liked something is not helped by being told of it again.",
        )
        where = item_filter(items, f"recommend.where.{asked.run.dataset[:12]}")
    with room:
        user = one_of(users, f"recommend.user.{asked.run.dataset[:12]}", "by id")
        if user is None:
            return
        had, weights = shop.of_user(user)
        mask = np.ones(len(items), dtype=bool) if where is None else where.copy()
        if hide:
            mask[had] = False
        left, right = st.columns(2, gap="medium")
        with left:
            _had(asked, had, weights)
        with right:
            _suited(asked, user, mask, k, set() if hide else set(had.tolist()))


def like_an_item(asked: Recommender) -> None:
    """Draw the choice of an item and those nearest to it."""
    _alike(asked, asked.shop.items, "by title or id", "recommend.item")


def like_a_user(asked: Recommender) -> None:
    """Draw the choice of a user and those nearest."""
    _alike(asked, asked.shop.users, "by id", "recommend.peer")


def _length(n: int) -> int:
    most = max(1, min(100, n - 1))
    if most == 1:
        return 1
    chosen: int = st.slider(
        "How many", 1, most, min(20, most), key="recommend.k", persist_state="session"
    )
    return min(chosen, most)


def _had(asked: Recommender, had: NDArray[np.int64], weights: NDArray[np.float32]) -> None:
    items = asked.shop.items
    verb = "rated" if asked.shop.weighted else "had"
    st.markdown(f"**Has {verb} {len(had):,} {items.plural if len(had) != 1 else items.kind}**")
    if not len(had):
        st.caption("Nothing yet: the list beside suits everybody.")
        return
    frame = _frame(items, had[:_MOST_HAD])
    figure = "weight" if asked.shop.scale is None else "rating"
    if asked.shop.weighted:
        frame.insert(1, figure, weights[:_MOST_HAD].astype(float))
    _draw(frame, figure if asked.shop.weighted else None)
    order = "the heaviest first" if figure == "weight" else "the best first"
    order = order if asked.shop.weighted else "in order of the data"
    more = f", the first {_MOST_HAD:,}" if len(had) > _MOST_HAD else ""
    st.caption(f"{order.capitalize()}{more}{_how_many_count(asked, weights)}")


def _how_many_count(asked: Recommender, weights: NDArray[np.float32]) -> str:
    """Return how many of a user's ratings were learnt from; nothing where all were."""
    if asked.least is None or asked.shop.scale is None:
        return ""
    n, bar = int(counts(weights, asked.least).sum()), shown_least(asked.least, asked.shop.scale)
    if n == len(weights):
        return ""
    if n == 0:
        return f"; none is {bar:g} or more: the list beside suits everybody"
    return f"; {n:,} of {bar:g} and more count"


def _suited(asked: Recommender, user: int, mask: NDArray[np.bool_], k: int, had: set[int]) -> None:
    users, items = asked.shop.users, asked.shop.items
    st.markdown("**Recommended**")
    if not mask.any():
        st.info(f"No {items.kind} is left. Loosen a filter, or show what was had.")
        return
    key = users.keys[user]
    vector = asked.vectors(users).matrix[asked.vectors(users).position(key)]
    if not vector.any():
        st.info(f"The vector of {key} is zero: this method found nothing to go by.")
        return
    found = asked.index(items).search(vector, k, where=mask)
    frame = _scored(items, found)
    if had:
        frame.insert(2, "had", [int(row) in had for row in found.positions])
    _draw(frame, "score")
    _facts(asked, found, f"recommended-{key}", frame)


def _alike(asked: Recommender, side: Side, looking_for: str, key: str) -> None:
    room, beside = st.columns([2.9, 1], gap="large")
    with beside:
        k = _length(len(side))
        where = None
        if side is asked.shop.items:
            where = item_filter(side, f"recommend.where.{asked.run.dataset[:12]}")
    with room:
        row = one_of(side, f"{key}.{asked.run.dataset[:12]}", looking_for)
        if row is None:
            return
        if len(side) < 2:
            st.info(f"This is the only {side.kind}, so nothing is like it.")
            return
        mask = np.ones(len(side), dtype=bool) if where is None else where
        if not mask.any():
            st.info(f"The filters leave no {side.kind}. Loosen one of them.")
            return
        found = asked.index(side).search(side.keys[row], k, where=mask)
        if not len(found):
            st.info(f"The filters leave no other {side.kind}. Loosen one of them.")
            return
        st.markdown(f"**Like {escaped(side.label(row))}**")
        frame = _scored(side, found)
        if side is asked.shop.users:
            frame.insert(2, f"{asked.shop.items.plural} in common", _shared(asked, row, found))
        _draw(frame, "score")
        _facts(asked, found, f"like-{side.keys[row]}", frame)


def _shared(asked: Recommender, user: int, found: Neighbors) -> list[int]:
    own = asked.shop.of_user(user)[0]
    return [len(np.intersect1d(own, asked.shop.of_user(int(row))[0])) for row in found.positions]


def _frame(side: Side, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Return names, keys and columns of some rows, as they are shown and downloaded."""
    names = [str(name) for name in side.names[rows]]
    keys = [side.keys[row] for row in rows]
    frame = pd.DataFrame({side.kind: names})
    columns = side.columns.iloc[rows].reset_index(drop=True)
    for name in columns:
        frame[_free(frame, str(name))] = columns[name]
    if names != keys:
        frame[_free(frame, "id")] = keys
    frame[_free(frame, "interactions")] = side.seen[rows]
    return frame


def _scored(side: Side, found: Neighbors) -> pd.DataFrame:
    frame = _frame(side, found.positions)
    frame.insert(1, "score", found.scores.astype(float))
    return frame


def _free(frame: pd.DataFrame, name: str) -> str:
    """Return a column's name, or one beside it that is not taken."""
    while name in frame.columns or name in {"score", "weight", "rating", "had"}:
        name = f"{name} "
    return name


def _draw(frame: pd.DataFrame, figure: str | None) -> None:
    config: dict[str, object] = {str(frame.columns[0]): st.column_config.TextColumn(width="medium")}
    if figure == "score":
        most = max(1.0, float(frame["score"].max()))
        config["score"] = st.column_config.ProgressColumn(
            "score", format="%.2f", min_value=0.0, max_value=most, width="small"
        )
    elif figure is not None:
        config[figure] = st.column_config.NumberColumn(format="%g", width="small")
    height = min(_HEIGHT, 38 + 35 * len(frame))
    st.dataframe(frame, hide_index=True, height=height, column_config=config)


def _facts(asked: Recommender, found: Neighbors, name: str, frame: pd.DataFrame) -> None:
    st.caption(
        f"{len(found.keys):,} of {found.n_compared:,} · {found.metric} · {found.engine} · "
        f"{asked.run.title}, seed {asked.run.seed}"
    )
    st.download_button(
        "Download CSV",
        to_csv(frame),
        file_name=f"{''.join(c if c.isalnum() else '-' for c in name)}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"recommend.csv.{name}",
    )
