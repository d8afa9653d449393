"""One column as a filter: a range of numbers, or a choice of values.

What has no value passes as long as nothing is asked of the column.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from components.markdown import escaped

_LEVELS = 12  # numbers with more distinct values get a slider
_LARGEST = 8e307  # so that the span of a scale is finite; also Streamlit's own limit is near


@dataclass(frozen=True)
class Scale:
    """The ends and steps of a slider; ends are whole numbers of steps."""

    low: float
    high: float
    step: float
    format: str


def column_filter(values: pd.Series, name: str, key: str) -> NDArray[np.bool_]:
    """Draw the filter of one column; return the ``(n,) bool`` mask of the rows that pass."""
    numbers = numbers_of(values)
    if numbers is None:
        return _choice(values, name, key)
    scale = scale_of(numbers)
    chosen = st.slider(
        escaped(name),
        scale.low,
        scale.high,
        (scale.low, scale.high),
        step=scale.step,
        format=scale.format,
        key=f"{key}.{name}",
    )
    _tell_missing(int((~np.isfinite(numbers)).sum()), "only at the full range")
    return within(numbers, chosen, scale)


def numbers_of(values: pd.Series) -> NDArray[np.float64] | None:
    """Return a column as ``(n,) float64`` if a slider suits it, else None."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return None
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    distinct = np.unique(numbers[np.isfinite(numbers)])
    return numbers if len(distinct) > _LEVELS else None


def scale_of(numbers: NDArray[np.float64]) -> Scale:
    """Return a scale of a hundred to a thousand round steps over the finite numbers."""
    finite = np.clip(numbers[np.isfinite(numbers)], -_LARGEST, _LARGEST)
    low, high = float(finite.min()), float(finite.max())
    exponent = math.floor(math.log10(max(high - low, 5e-322))) - 2
    if bool((finite == np.round(finite)).all()):
        exponent = max(exponent, 0)
    # Beyond 15 digits, steps are lost in the rounding of the numbers themselves.
    largest = max(abs(low), abs(high))
    exponent = max(exponent, math.floor(math.log10(largest)) - 15, -300)
    step = 10.0**exponent
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    low, high = (min(max(round(end, max(-exponent, 0)), -1e308), 1e308) for end in (low, high))
    if low >= high:  # only where all numbers lie beyond the largest
        high = low + step
    if exponent >= -9 and largest < 1e15:
        return Scale(low, high, step, f"%.{max(-exponent, 0)}f")
    return Scale(low, high, step, "%.4g")


def within(
    numbers: NDArray[np.float64], chosen: tuple[float, float], scale: Scale
) -> NDArray[np.bool_]:
    """Return which numbers lie in a range; an end left where it was bounds nothing."""
    slack = scale.step * 1e-6  # a step's position is rounded, the number is not
    mask = np.ones(len(numbers), dtype=bool)
    at_low, at_high = chosen[0] <= scale.low + slack, chosen[1] >= scale.high - slack
    if at_low and at_high:
        return mask
    mask &= np.isfinite(numbers)
    if not at_low:
        mask &= numbers >= chosen[0] - slack
    if not at_high:
        mask &= numbers <= chosen[1] + slack
    return mask


def _choice(values: pd.Series, name: str, key: str) -> NDArray[np.bool_]:
    present = values.notna().to_numpy(dtype=bool)
    picked = st.multiselect(
        escaped(name), levels_of(values), key=f"{key}.{name}", placeholder="any value"
    )
    _tell_missing(int((~present).sum()), "only while nothing is picked")
    if not picked:
        return np.ones(len(values), dtype=bool)
    # A missing value reads "nan" as text, which may also be a word of the column.
    return values.astype(str).isin(picked).to_numpy(dtype=bool) & present


def levels_of(values: pd.Series) -> list[str]:
    """Return the distinct values as texts, numbers by size."""
    distinct = values.dropna().drop_duplicates()
    if pd.api.types.is_numeric_dtype(values):
        distinct = distinct.sort_values()
        return distinct.astype(str).tolist()
    return sorted(distinct.astype(str).unique().tolist())


def _tell_missing(n: int, when: str) -> None:
    if n:
        st.caption(f"{n:,} without a value here; kept {when}")
