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
from embedders.interactions import RatingScale, rating_scale
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
    if low == high:
        st.caption("These interactions have no weights: each counts alike.")
        return 0.0
    chosen = st.number_input(
        "Least weight that counts",
        min_value=0.0,
        value=0.0,
        format="%g",
        key=key,
        persist_state="session",
        help="Only interactions with this weight or more count.",
    )
    kept = int(np.count_nonzero((weights > 0) & (weights >= chosen)))
    st.caption(
        f"{kept:,} of {len(weights):,} interactions count, all alike: a weight of {high:g} says no "
        "more than the least one."
    )
    return float(chosen)


def _rating(key: str, scale: RatingScale) -> float:
    n_from = dict(zip(scale.values, scale.n_from, strict=True))
    options = [0.0, *scale.values[1:]]
    chosen = st.selectbox(
        "Ratings to learn from",
        options,
        index=options.index(scale.good) if scale.good in options else 0,
        format_func=lambda least: _option(least, scale, n_from),
        key=key,
        persist_state="session",
        help="A rating that counts says that the item suits the user, however high it is; one that "
        "does not count says nothing. At first those above the mean count.",
    )
    st.caption(what_counts(float(chosen), scale))
    return float(chosen)


def _option(least: float, scale: RatingScale, n_from: Mapping[float, int]) -> str:
    if least == 0:
        return f"every rating · {scale.n_from[0]:,}"
    mean = f" · above the mean of {scale.mean:.2g}" if least == scale.good else ""
    return f"{least:g} and more · {n_from[least]:,}{mean}"


def what_counts(least: float, scale: RatingScale) -> str:
    """Return the sentence that says which ratings speak for an item and what the others do."""
    low, high, total = scale.values[0], scale.values[-1], scale.n_from[0]
    kept = next((n for v, n in zip(scale.values, scale.n_from, strict=True) if v >= least), 0)
    if kept == total:
        return (
            f"All {total:,} ratings count alike: {low:g} speaks for an item as much as {high:g} "
            "does."
        )
    which = (
        f"The 1 rating of {least:g} and more speaks for its item"
        if kept == 1
        else f"The {kept:,} ratings of {least:g} and more speak for their items, all alike"
    )
    return f"{which}; the {total - kept:,} below are not learnt from."
