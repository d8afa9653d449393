"""How well a run recommends: its figures beside the baselines, and where it wins or loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from components.markdown import escaped
from components.rating_choice import shown_least
from components.recommend_data import Recommender


def how_well(asked: Recommender) -> None:
    """Draw the table of figures, the differences and the groups; or why there are none."""
    figures = asked.run.provenance.get("recommendation")
    if not figures:
        st.info(
            f"{escaped(asked.run.title)} set nothing aside in this run: it has seen every "
            "interaction, so there is nothing left to judge it by. Train “Two towers for users "
            "and items” with a held-out share above 0."
        )
        return
    k = figures["k"]
    st.markdown(f"##### What comes back of the interactions set aside, among the first {k}")
    st.dataframe(
        figures_table(figures),
        hide_index=True,
        column_config={"method": st.column_config.TextColumn(width="medium")},
    )
    wanted = ""
    if asked.least is not None and asked.shop.scale is not None:
        bar = shown_least(asked.least, asked.shop.scale)
        if bar > asked.shop.scale.values[0]:
            wanted = f" To be found: ratings of {bar:g} and more."
    st.caption(escaped(what_was_measured(figures) + wanted))
    for sentence in verdicts(figures):
        st.markdown(f"- {escaped(sentence)}")
    groups = figures.get("groups", [])
    if len(groups) > 1:
        st.markdown(f"##### Recall@{k} by how much is known of a {asked.shop.users.kind}")
        st.dataframe(groups_table(figures, asked.shop.users.plural), hide_index=True)
        st.caption("Interactions learnt from; the best of a line is marked with ●.")


def figures_table(figures: Mapping[str, Any]) -> pd.DataFrame:
    """Return one line per method: recall and nDCG with their 95 % intervals, as texts."""
    k = figures["k"]
    return pd.DataFrame(
        {
            "method": [row["name"] for row in figures["rows"]],
            f"recall@{k}": [_shown(row["recall"][0]) for row in figures["rows"]],
            f"recall@{k}, 95 % interval": [_interval(row["recall"]) for row in figures["rows"]],
            f"nDCG@{k}": [_shown(row["ndcg"][0]) for row in figures["rows"]],
            f"nDCG@{k}, 95 % interval": [_interval(row["ndcg"]) for row in figures["rows"]],
        }
    )


def what_was_measured(figures: Mapping[str, Any]) -> str:
    """Return the sentence that says on what the figures rest."""
    users = f"{figures['n_users']:,}"
    if figures["n_users"] < figures["n_users_with_any"]:
        users += f" users, drawn from {figures['n_users_with_any']:,}"
    else:
        users += " users"
    text = (
        f"Means over {users} with {figures['n_held_out']:,} interactions set aside; what else "
        "a user has had, counted or not, is not listed. Intervals: 1,000 bootstrap resamples of "
        "the users."
    )
    als = figures.get("als")
    if als:
        how = "tuned on the interactions that say when to stop" if als["tuned"] else "not tuned"
        text += (
            f" Implicit ALS was {how}: "
            f"{als['factors']} factors, regularisation {als['regularization']:g}, "
            f"alpha {als['alpha']:g}."
        )
    return text


def verdicts(figures: Mapping[str, Any]) -> list[str]:
    """Return a sentence per baseline: whether it is beaten, and whether that may be chance."""
    own, k = figures["rows"][0]["name"], figures["k"]
    sentences = []
    for row in figures["differences"]:
        mean, low, high = row["recall"]
        size = (
            f"{_shown(abs(mean))} recall@{k} (95 % interval of the difference, user by user: "
            f"{_interval(row['recall'])})"
        )
        if low > 0:
            sentences.append(f"{own} beats {row['name']} by {size}.")
        elif high < 0:
            sentences.append(f"{row['name']} beats {own} by {size}.")
        else:
            side = "ahead" if mean > 0 else "behind"
            sentences.append(f"{own} and {row['name']} cannot be told apart: {side} by {size}.")
    return sentences


def groups_table(figures: Mapping[str, Any], users: str) -> pd.DataFrame:
    """Return one line per group of users and one column per method; the best is marked."""
    groups = figures["groups"]
    frame = pd.DataFrame(
        {
            f"{users} with": [_range(group["from"], group["to"]) for group in groups],
            users: [group["n_users"] for group in groups],
        }
    )
    for name in groups[0]["recall"]:
        frame[name] = [
            _shown(group["recall"][name])
            + (" ●" if group["recall"][name] == max(group["recall"].values()) else "")
            for group in groups
        ]
    return frame


def _range(low: int, high: int) -> str:
    one = "interaction" if low == 1 else "interactions"
    return f"{low:,} {one}" if low == high else f"{low:,} to {high:,} interactions"


def _shown(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


def _interval(figures: Sequence[float]) -> str:
    return f"{_shown(figures[1])} to {_shown(figures[2])}"
