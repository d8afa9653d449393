"""What a task says of several spaces: figures with intervals, chance, and whether two differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from comparison.chance import paired_difference
from comparison.resampling import Floats, middle
from core.errors import ParameterError
from vectors.bootstrap import Interval, bootstrap_mean

Setting = str | int | float | bool | None
_ARRAYS = ("per_unit", "draws")


class Difference(NamedTuple):
    """The figure of one space less that of another, on the same units.

    Attributes
    ----------
    first, second : str
    interval : Interval
        The difference with its 95 % bootstrap interval.
    tells_apart : bool
        Whether the interval leaves 0 out; else these units do not tell the two apart.
    n : int
        Units.
    """

    first: str
    second: str
    interval: Interval
    tells_apart: bool
    n: int


@dataclass(frozen=True, eq=False)
class TaskScore:
    """The figure of one space.

    Attributes
    ----------
    value : float or None
        None where there is none; ``refused`` says why.
    low, high : float or None
        95 % bootstrap interval over units.
    per_unit : (n,) float64 or None
        What the figure is the mean of.
    draws : (n_resamples,) float64 or None
        The figure under resampled units, the same for every space, where it is no mean.
    extra : mapping of str to float
        Further figures of the same measurement.
    note : str
        What to know about this figure.
    refused : str
        Why there is no figure; empty where there is one.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    per_unit: Floats | None = None
    draws: Floats | None = None
    extra: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    refused: str = ""

    @classmethod
    def of_units(
        cls,
        per_unit: NDArray[Any],
        *,
        seed: int = 0,
        extra: Mapping[str, float] | None = None,
        note: str = "",
    ) -> Self:
        """Return the mean of ``(n,)`` finite values, one per unit, with its interval."""
        values = np.asarray(per_unit, np.float64)
        mean, low, high = bootstrap_mean(values, seed=seed)
        return cls(mean, low, high, values, None, dict(extra or {}), note)

    @classmethod
    def of_draws(
        cls,
        value: float,
        draws: Floats,
        *,
        extra: Mapping[str, float] | None = None,
        note: str = "",
    ) -> Self:
        """Return a figure that is no mean, with the interval of its resampled values."""
        low, high = middle(draws)
        return cls(value, low, high, None, draws, dict(extra or {}), note)

    @classmethod
    def refusal(cls, reason: str) -> Self:
        """Return a score without a figure and why."""
        return cls(None, refused=reason)


@dataclass(frozen=True, eq=False)
class TaskResult:
    """One measure of one task for every space.

    Attributes
    ----------
    task : str
        Id, such as "label-knn".
    title, measure : str
        For people: what was asked, and the name of the figure.
    unit : str
        What is counted and resampled: "items", "queries", "pairs", "edges", "sentences".
    n : int
        Units behind each figure.
    chance : float or None
        What a space that knows nothing would reach; None where it is not known.
    chance_how : str
        How chance was computed.
    settings : mapping
        Such as k, folds, seed, metric.
    scores : mapping of str to TaskScore
        By name of the space, in the order given, then the baselines.
    baselines : tuple of str
        Which of the names are no space.
    left_out : mapping of str to int
        How many were left out, by reason.
    higher_is_better : bool
    warning : str
        What must stand beside the figures.
    refused : str
        Why nothing was measured; empty where something was.
    """

    task: str
    title: str
    measure: str
    unit: str
    n: int
    chance: float | None = None
    chance_how: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    scores: Mapping[str, TaskScore] = field(default_factory=dict)
    baselines: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    higher_is_better: bool = True
    warning: str = ""
    refused: str = ""

    def __getitem__(self, name: str) -> TaskScore:
        """Return the score of one space or baseline.

        Raises
        ------
        ParameterError
            For a name that was not measured.
        """
        if name not in self.scores:
            have = ", ".join(self.scores) or "none"
            raise ParameterError(f"{self.title} has no figure of {name!r}; there are: {have}.")
        return self.scores[name]

    def ranked(self) -> tuple[str, ...]:
        """Return the names with a figure, best first; equal ones in the order given."""
        values = {name: s.value for name, s in self.scores.items() if s.value is not None}
        return tuple(sorted(values, key=lambda name: values[name], reverse=self.higher_is_better))

    def best(self) -> str | None:
        """Return the name with the best figure, or None where there is none."""
        return next(iter(self.ranked()), None)

    def difference(self, first: str, second: str) -> Difference | None:
        """Return how far ``first`` lies above ``second``, unit by unit.

        None where one has no figure or there is nothing to resample.

        Raises
        ------
        ParameterError
            For a name that was not measured.
        """
        a, b = self[first], self[second]
        seed = int(self.settings.get("seed") or 0)
        if a.per_unit is not None and b.per_unit is not None:
            interval = paired_difference(a.per_unit, b.per_unit, seed=seed)
        elif a.draws is not None and b.draws is not None:
            low, high = middle(a.draws - b.draws)
            interval = Interval(float(a.value or 0) - float(b.value or 0), low, high)
        else:
            return None
        apart = interval.low > 0 or interval.high < 0
        return Difference(first, second, interval, apart, self.n)

    def tied_with_best(self) -> tuple[str, ...]:
        """Return the names that these units do not tell from the best, best of them first."""
        best, *others = self.ranked() or ("",)
        tied = []
        for name in others:
            found = self.difference(best, name)
            if found is not None and not found.tells_apart:
                tied.append(name)
        return tuple(tied)

    def arrays(self) -> dict[str, Floats]:
        """Return the values per unit and per draw, by "<place of the score>/<which>"."""
        return {
            f"{place}/{which}": values
            for place, score in enumerate(self.scores.values())
            for which in _ARRAYS
            if (values := getattr(score, which)) is not None
        }

    def to_dict(self, *, with_arrays: bool = True) -> dict[str, Any]:
        """Return plain values for JSON; without arrays where these are kept elsewhere."""
        plain = asdict(replace(self, scores={}))
        plain["scores"] = [
            {"name": name, **_plain(score, with_arrays)} for name, score in self.scores.items()
        ]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> Self:
        """Return what ``to_dict`` was made of.

        Parameters
        ----------
        plain : mapping
        arrays : mapping, optional
            From ``arrays``, where ``to_dict`` left them out.
        """
        scores = {}
        for place, stored in enumerate(plain["scores"]):
            fields = {key: value for key, value in stored.items() if key != "name"}
            for which in _ARRAYS:
                values = (arrays or {}).get(f"{place}/{which}", fields.get(which))
                fields[which] = None if values is None else np.asarray(values, np.float64)
            scores[stored["name"]] = TaskScore(**fields)
        others = {**plain, "scores": scores, "baselines": tuple(plain["baselines"])}
        return cls(**others)


def _plain(score: TaskScore, with_arrays: bool) -> dict[str, Any]:
    """Return a score as JSON can hold it: JSON knows no NaN."""
    fields: dict[str, Any] = {
        key: getattr(score, key) for key in ("value", "low", "high", "note", "refused")
    }
    for key in ("low", "high"):
        if fields[key] is not None and not np.isfinite(fields[key]):
            fields[key] = None
    fields["extra"] = dict(score.extra)
    for which in _ARRAYS if with_arrays else ():
        values = getattr(score, which)
        fields[which] = (
            None if values is None else [float(v) if np.isfinite(v) else None for v in values]
        )
    return fields
