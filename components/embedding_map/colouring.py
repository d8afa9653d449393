"""Colours of a map: a code per point, and what the codes mean."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from components.embedding_map.wire import digest
from components.figures import palette
from core.errors import ParameterError

__all__ = ["Colouring", "categorical", "continuous"]

_STEPS = 100  # colours of a continuous scale; more cannot be told apart on points
_TOP = 2 * len(palette.CATEGORICAL_LIGHT)


@dataclass(frozen=True, eq=False)
class Colouring:
    """A colour for each point. Made by :func:`categorical` or :func:`continuous`.

    Parameters
    ----------
    title : str
        The column's name.
    scale : {"categorical", "continuous", "none"}
        How the legend reads.
    codes : (n,) uint8 ndarray
        Position of each point's colour in ``palette``.
    palette, palette_dark : tuple of str
        Colours for light and dark pages. A continuous scale ends with the colour of missing
        values.
    names : tuple of str
        Class names, by code; empty for a continuous scale.
    counts : tuple of int
        Points per class.
    vmin, vmax : float
        Ends of a continuous scale.
    low, high : str
        How the legend writes the ends.
    missing : int
        Points without a value on a continuous scale.
    """

    title: str
    scale: str
    codes: NDArray[np.uint8]
    palette: tuple[str, ...]
    palette_dark: tuple[str, ...]
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    vmin: float = 0.0
    vmax: float = 0.0
    low: str = ""
    high: str = ""
    missing: int = 0

    @cached_property
    def body(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Header entries and blocks for the browser (see ``wire.pack``)."""
        header = {
            "title": self.title,
            "scale": self.scale,
            "names": self.names,
            "counts": self.counts,
            "light": self.palette,
            "dark": self.palette_dark,
            "low": self.low,
            "high": self.high,
            "missing": self.missing,
        }
        signature = digest(repr(sorted(header.items())).encode(), self.codes)
        return {**header, "sig": signature}, {"codes": self.codes}

    def take(self, positions: NDArray[np.int64]) -> Colouring:
        """Return the colours of some points; counts stay those of all."""
        return replace(self, codes=np.ascontiguousarray(self.codes[positions]))


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    try:
        return bool(value != value)  # NaN and NaT differ from themselves
    except TypeError:  # pandas' NA refuses to be true or false
        return True


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _written(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def categorical(
    values: Sequence[Any] | NDArray[Any],
    *,
    title: str = "",
    order: Sequence[str] | None = None,
    top: int = _TOP,
) -> Colouring:
    """Give each of the most frequent classes a colour of its own; "red", "blue" … get theirs.

    Parameters
    ----------
    values : sequence of length n
        Class of each point; None, NaN and empty text count as missing.
    title : str
        The column's name. A single class without a title is drawn without a legend.
    order : sequence of str, optional
        Order of the classes; by default numbers by value, names most frequent first.
    top : int
        Classes with a colour of their own (at most 22, of which the first 11 can be told apart by
        colour-blind readers); the rest share the grey "other".

    Returns
    -------
    Colouring
        With names and counts; "other" and "missing" come last, where they occur.
    """
    texts = [None if _is_missing(value) else _written(value) for value in values]
    found = Counter(text for text in texts if text is not None)
    ranked = sorted(found, key=lambda name: (-found[name], name))
    kept = ranked[: max(1, min(top, _TOP))]
    if order is not None:
        place = {name: at for at, name in enumerate(order)}
        kept.sort(key=lambda name: place.get(name, len(place)))
    elif all(_is_number(name) for name in kept):
        kept.sort(key=float)
    names = list(kept)
    light = list(palette.colours_of_words(kept) or palette.class_colours(len(kept)))
    dark = list(
        palette.colours_of_words(kept, dark=True) or palette.class_colours(len(kept), dark=True)
    )
    code_of: dict[str | None, int] = {name: at for at, name in enumerate(kept)}
    others = ranked[len(kept) :] if order is None else [r for r in ranked if r not in code_of]
    if others:
        code_of.update(dict.fromkeys(others, len(names)))
        names.append(f"other ({len(others):,} classes)")
        light.append(palette.OTHER_LIGHT)
        dark.append(palette.OTHER_DARK)
    if None in texts:
        code_of[None] = len(names)
        names.append("missing")
        light.append(palette.MISSING_LIGHT)
        dark.append(palette.MISSING_DARK)
    codes = np.fromiter((code_of[text] for text in texts), np.uint8, len(texts))
    counts = np.bincount(codes, minlength=len(names)).tolist()
    plain = len(names) == 1 and not title
    return Colouring(
        title=title,
        scale="none" if plain else "categorical",
        codes=codes,
        palette=tuple(light),
        palette_dark=tuple(dark),
        names=tuple(names),
        counts=tuple(counts),
    )


def continuous(
    values: ArrayLike, *, title: str = "", vmin: float | None = None, vmax: float | None = None
) -> Colouring:
    """Colour points by a number, dark to bright on light pages.

    Parameters
    ----------
    values : (n,) array of numbers
        NaN and infinity count as missing.
    title : str
        The column's name.
    vmin, vmax : float, optional
        Ends of the scale. By default the smallest and largest value; where a few extreme values
        would take up nine tenths of the scale, the 1st and 99th percentile, marked "≤" and "≥".

    Returns
    -------
    Colouring

    Raises
    ------
    ParameterError
        If ``vmin`` is not below ``vmax``.
    """
    numbers = np.asarray(values, dtype=np.float64).reshape(-1)
    known = np.isfinite(numbers)
    low, high, below, above = _ends(numbers[known])
    low, below = (low, below) if vmin is None else (vmin, bool((numbers[known] < vmin).any()))
    high, above = (high, above) if vmax is None else (vmax, bool((numbers[known] > vmax).any()))
    if low > high:
        raise ParameterError(f"The colour scale runs from {low:g} to {high:g}; swap its ends.")
    span = (high - low) or 1.0
    scaled = np.clip((np.where(known, numbers, low) - low) / span, 0, 1)
    codes = np.where(known, np.round(scaled * (_STEPS - 1)), _STEPS).astype(np.uint8)
    return Colouring(
        title=title,
        scale="continuous",
        codes=codes,
        palette=(*palette.interpolate(palette.SEQUENTIAL_LIGHT, _STEPS), palette.MISSING_LIGHT),
        palette_dark=(*palette.interpolate(palette.SEQUENTIAL_DARK, _STEPS), palette.MISSING_DARK),
        vmin=float(low),
        vmax=float(high),
        low=("≤ " if below else "") + _rounded(low, span),
        high=("≥ " if above else "") + _rounded(high, span),
        missing=int((~known).sum()),
    )


def _ends(known: NDArray[np.float64]) -> tuple[float, float, bool, bool]:
    if not len(known):
        return 0.0, 0.0, False, False
    low, high = float(known.min()), float(known.max())
    inner_low, inner_high = (float(q) for q in np.quantile(known, [0.01, 0.99]))
    if inner_high > inner_low and high - low > 10 * (inner_high - inner_low):
        return inner_low, inner_high, low < inner_low, high > inner_high
    return low, high, False, False


def _rounded(value: float, span: float) -> str:
    """Write a number to about three digits of the scale it belongs to."""
    digits = max(0, 2 - math.floor(math.log10(span)))
    text = f"{value:.{min(digits, 12)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    # Years and small whole numbers carry no thousands separator.
    return f"{float(text):,.0f}" if "." not in text and abs(value) >= 10_000 else text
