"""Table rows as numbers: filling, scaling and one-hot columns, each explained in a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DatasetError
from ingest.dataset import Role

OTHER = "other"
_DAY = pd.Timedelta(days=1)
_EPOCH = pd.Timestamp("1970-01-01", tz="UTC")


@dataclass(frozen=True)
class Column:
    """How one column becomes numbers.

    Attributes
    ----------
    name : str
    kind : {"numeric", "time", "categorical"}
        Times count as days since 1970.
    fill : float or str
        What stands in for a missing value.
    flagged : bool
        Whether a column of 0 and 1 tells where a value was missing.
    centre, scale : float
        Subtracted and divided by; 0 and 1 for unscaled and categorical columns.
    levels : tuple of str
        Levels that get a column of their own.
    grouped : bool
        Whether all other levels share a column.
    """

    name: str
    kind: Literal["numeric", "time", "categorical"]
    fill: float | str
    flagged: bool = False
    centre: float = 0.0
    scale: float = 1.0
    levels: tuple[str, ...] = ()
    grouped: bool = False

    @property
    def names(self) -> list[str]:
        """Return the names of the number columns this one becomes."""
        own = [self.name]
        if self.kind == "categorical":
            own = [f"{self.name} = {level}" for level in self.levels]
            own += [f"{self.name} = {OTHER}"] if self.grouped else []
        return [*own, f"{self.name} missing"] if self.flagged else own

    def encode(self, values: pd.Series[Any]) -> NDArray[np.float64]:
        """Return ``(n, len(names)) float64``."""
        known, missing = (
            self._levels(values) if self.kind == "categorical" else self._number(values)
        )
        return np.column_stack([*known, missing] if self.flagged else known)

    def _levels(
        self, values: pd.Series[Any]
    ) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
        texts, missing = _levels_of(values)
        filled = texts.where(~missing, str(self.fill))
        parts: list[NDArray[np.float64]] = [
            np.asarray(filled == level, np.float64) for level in self.levels
        ]
        if self.grouped:
            parts.append(np.asarray(~filled.isin(list(self.levels)), np.float64))
        return parts, np.asarray(missing, np.float64)

    def _number(
        self, values: pd.Series[Any]
    ) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
        numbers = _numbers_of(values, self.kind)
        missing = np.isnan(numbers)
        filled = np.where(missing, float(self.fill), numbers)
        return [(filled - self.centre) / self.scale], missing.astype(np.float64)


@dataclass(frozen=True)
class FeatureOptions:
    """What the user chose about columns."""

    standardise: bool = True
    fill: Literal["median", "mean"] = "median"
    missing_flags: bool = False
    max_levels: int = 20
    min_share: float = 0.01


class TableFeatures:
    """The encoding of a table's columns, learnt from one table and applied to any with the same.

    One-hot columns stay 0 and 1: a categorical column then varies by less than 1 in all, so that
    it weighs at most as much as one standardised number.
    """

    def __init__(self, columns: Sequence[Column], notes: Sequence[str] = ()) -> None:
        self.columns = tuple(columns)
        self.notes = tuple(notes)

    @classmethod
    def learn(
        cls, frame: pd.DataFrame, roles: Mapping[str, Role], options: FeatureOptions
    ) -> TableFeatures:
        """Decide for every column of ``frame`` how it becomes numbers.

        Raises
        ------
        DatasetError
            If no column is left that varies.
        """
        columns: list[Column] = []
        notes: list[str] = []
        for name in map(str, frame.columns):
            kind = _kind(frame[name], roles.get(name))
            learn = _learn_levels if kind == "categorical" else _learn_numbers
            column, said = learn(frame[name], name, kind, options)
            notes += said
            if column is not None:
                columns.append(column)
        if not columns:
            reasons = " ".join(notes[:3])
            raise DatasetError(
                f"No column is left to compare rows by. {reasons} "
                "Give at least one column whose values differ."
            )
        scaled = sum(c.kind != "categorical" for c in columns) if options.standardise else 0
        if scaled:
            notes.append(
                f"{_count(scaled, 'numeric or time column')} scaled to mean 0 and standard "
                "deviation 1."
            )
        return cls(columns, notes)

    @property
    def names(self) -> list[str]:
        """Return the names of all number columns."""
        return [name for column in self.columns for name in column.names]

    def encode(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return the ``(n, d) float64`` numbers of ``frame``; columns it lacks count as missing."""
        blank = pd.Series([None] * len(frame), dtype=object, index=frame.index)
        parts = [c.encode(frame.get(c.name, blank)) for c in self.columns]
        return np.concatenate(parts, axis=1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"columns": [asdict(c) for c in self.columns], "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make the encoding that ``to_dict`` described."""
        columns = [Column(**{**c, "levels": tuple(c["levels"])}) for c in values["columns"]]
        return cls(columns, values["notes"])


def _kind(values: pd.Series[Any], role: Role | None) -> Literal["numeric", "time", "categorical"]:
    if role in ("numeric", "time", "categorical"):
        return role
    if pd.api.types.is_datetime64_any_dtype(values):
        return "time"
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return "numeric" if is_number else "categorical"


def _numbers_of(values: pd.Series[Any], kind: str) -> NDArray[np.float64]:
    """Return ``(n,) float64``; what is missing, infinite or no number is NaN."""
    if kind == "time":
        times = pd.to_datetime(values, errors="coerce", utc=True)
        numbers = ((times - _EPOCH) / _DAY).to_numpy(np.float64, na_value=np.nan)
    else:
        plain = pd.to_numeric(values, errors="coerce")
        numbers = plain.to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _levels_of(values: pd.Series[Any]) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return the levels as texts, and where they are missing."""
    return values.astype(object).map(str), values.isna()


def _learn_numbers(
    values: pd.Series[Any], name: str, kind: Any, options: FeatureOptions
) -> tuple[Column | None, list[str]]:
    numbers = _numbers_of(values, kind)
    missing = np.isnan(numbers)
    known = numbers[~missing]
    if not len(known):
        return None, [f'Column "{name}" has no value and was left out.']
    if known.min() == known.max() and not (missing.any() and options.missing_flags):
        return None, [f'Column "{name}" has the same value in all rows and was left out.']
    fill = float(np.median(known) if options.fill == "median" else known.mean())
    filled = np.where(missing, fill, numbers)
    scale = float(filled.std()) if options.standardise else 1.0
    column = Column(
        name,
        kind,
        fill,
        flagged=bool(missing.any()) and options.missing_flags,
        centre=float(filled.mean()) if options.standardise else 0.0,
        scale=scale if scale > 0 and math.isfinite(scale) else 1.0,
    )
    shown = str((_EPOCH + fill * _DAY).date()) if kind == "time" else f"{fill:,.6g}"
    notes = [f'Column "{name}" counts as days.'] if kind == "time" else []
    return column, notes + _filled_note(column, int(missing.sum()), f"{options.fill}, {shown}")


def _learn_levels(
    values: pd.Series[Any], name: str, kind: Any, options: FeatureOptions
) -> tuple[Column | None, list[str]]:
    texts, missing = _levels_of(values)
    counts = texts[~missing].value_counts()
    if counts.empty:
        return None, [f'Column "{name}" has no value and was left out.']
    flagged = bool(missing.any()) and options.missing_flags
    if len(counts) == 1 and not flagged:
        return None, [f'Column "{name}" has the same value in all rows and was left out.']
    ordered = sorted(counts.index, key=lambda level: (-counts[level], level))
    common = [lv for lv in ordered if counts[lv] >= options.min_share * len(texts)]
    kept = tuple(common[: options.max_levels])
    rare = len(ordered) - len(kept)
    if rare and not kept:
        return None, [
            f'Column "{name}" has {rare:,} values, none in at least {options.min_share:.1%} of the '
            "rows, and was left out."
        ]
    column = Column(name, kind, ordered[0], flagged=flagged, levels=kept, grouped=rare > 0)
    width = len(kept) + (rare > 0)
    notes = [f'Column "{name}" became {width} columns of 0 and 1, one per value.']
    if rare:
        notes[0] = (
            f'Column "{name}" became {width} columns of 0 and 1: one for each of {len(kept)} '
            f'frequent values and one, "{OTHER}", for {rare:,} rare ones.'
        )
    said = f'most frequent value, "{ordered[0]}"'
    return column, notes + _filled_note(column, int(missing.sum()), said)


def _filled_note(column: Column, n_missing: int, with_what: str) -> list[str]:
    if not n_missing:
        return []
    more = " and marked in a column of 0 and 1" if column.flagged else ""
    was = "missing value was" if n_missing == 1 else "missing values were"
    return [f'Column "{column.name}": {n_missing:,} {was} filled with the {with_what}{more}.']


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun} was" if n == 1 else f"{n:,} {noun}s were"
