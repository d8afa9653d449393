"""What a rating says: from which one on it speaks for its item, on the forms and on Recommend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import session
from core.modality import Modality
from core.params import Params
from embedders.interactions import RatingScale, counts, rating_scale
from workspace.workspace import DatasetInfo

LEAST = "least_weight"
"""The setting of methods that learn from interactions of some weight on."""


def own_fields(params_class: type[Params], info: DatasetInfo) -> Mapping[str, Callable[[str], Any]]:
    """Return the fields of a form that depend on the data: from which weight on it counts.

    Each takes the prefix of the form's keys, draws itself and returns the value.
    """
    if info.modality is not Modality.INTERACTIONS or LEAST not in params_class.specs():
        return {}
    return {LEAST: lambda key: _least(f"{key}.{LEAST}.{info.id[:12]}", info.id)}


def scale_of(dataset: str) -> RatingScale | None:
    """Return the scale of the ratings of a dataset, by its id; None where its weights are none."""
    return session.worked_out(
        ("ratings", dataset),
        lambda: rating_scale(_weights(dataset), session.dataset(dataset).weight_kind),
    )


def _weights(dataset: str) -> NDArray[np.float32]:
    edges = session.dataset(dataset).edges
    return np.empty(0, np.float32) if edges is None else edges.weight


def _least(key: str, dataset: str) -> float:
    weights, scale = _weights(dataset), scale_of(dataset)
    if scale is not None:
        return _rating(key, scale)
    low, high = (float(weights.min()), float(weights.max())) if len(weights) else (1.0, 1.0)
    if low == high and low > 0:
        st.caption("These interactions have no weights: each counts alike.")
        return 0.0
    chosen = st.number_input(
        "Least weight that counts",
        min_value=low if low < 0 else -1.0 if low == 0 else 0.0,  # below 0, zeros count too
        value=0.0,
        format="%g",
        key=key,
        persist_state="session",
        help="Only interactions with this weight or more count."
        + (" At 0 all above zero do; below it, those of zero and less too." if low <= 0 else ""),
    )
    kept = int(np.count_nonzero(counts(weights, chosen)))
    st.caption(
        f"{kept:,} of {len(weights):,} interactions count, all alike: a weight of {high:g} says no "
        "more than the least one."
    )
    return float(chosen)


def _rating(key: str, scale: RatingScale) -> float:
    options = [scale.least_from(value) for value in scale.values]
    chosen = st.selectbox(
        "Ratings to learn from",
        options,
        index=scale.values.index(scale.good),
        format_func=lambda least: _option(least, scale),
        key=key,
        persist_state="session",
        help="A rating that counts says that the item suits the user, however high it is; one that "
        "does not count says nothing. At first those above the mean count.",
    )
    st.caption(what_counts(float(chosen), scale))
    return float(chosen)


def _option(least: float, scale: RatingScale) -> str:
    value = scale.lowest(least)
    if value is None or value == scale.values[0]:
        return f"every rating · {scale.n_from[0]:,}"
    mean = f" · above the mean of {scale.mean:.2g}" if value == scale.good else ""
    return f"{value:g} and more · {scale.n_from[scale.values.index(value)]:,}{mean}"


def shown_least(least: float, scale: RatingScale) -> float:
    """Return the rating to name for a least weight: itself, or the lowest that counts with it."""
    lowest = scale.lowest(least)
    return least if least > 0 or lowest is None else lowest


def what_counts(least: float, scale: RatingScale) -> str:
    """Return the sentence that says which ratings speak for an item and what the others do."""
    low, high, total = scale.values[0], scale.values[-1], scale.n_from[0]
    lowest = scale.lowest(least)
    kept = 0 if lowest is None else scale.n_from[scale.values.index(lowest)]
    bar = shown_least(least, scale)
    if kept == total:
        return (
            f"All {total:,} ratings count alike: {low:g} speaks for an item as much as {high:g} "
            "does."
        )
    which = (
        f"The 1 rating of {bar:g} and more speaks for its item"
        if kept == 1
        else f"The {kept:,} ratings of {bar:g} and more speak for their items, all alike"
    )
    return f"{which}; the {total - kept:,} below are not learnt from."
