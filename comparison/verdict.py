"""The comparison in a few sentences, none of which claims more than its interval allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from comparison.agreement import Agreement
from comparison.task_result import TaskResult

_CLOSE = 0.02  # of a noise floor: what is as near as this counts as reaching it
_FRACTIONS = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 10: "a tenth"}


@dataclass(frozen=True)
class Verdict:
    """Sentences for a reader who reads nothing else.

    Attributes
    ----------
    quality : tuple of str
        Which embedding does best at the task, which cannot be told from it, at what cost.
    agreement : tuple of str
        How far they agree, beside chance and other seeds.
    differences : tuple of str
        On what the two that are looked at differ.
    """

    quality: tuple[str, ...]
    agreement: tuple[str, ...]
    differences: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return all sentences in the order of reading."""
        return self.quality + self.agreement + self.differences


def verdict(
    what: str,
    overlap: Agreement,
    k: int,
    *,
    floors: Mapping[str, float],
    seconds: Mapping[str, float],
    task: TaskResult | None = None,
    differences: tuple[str, ...] = (),
) -> Verdict:
    """Say what a comparison found.

    Parameters
    ----------
    what : str
        The items in words: "these 810 texts".
    overlap : Agreement
        Of the k nearest.
    k : int
    floors : mapping of str to float
        Overlap of a method with itself under another seed.
    seconds : mapping of str to float
        What embedding took.
    task : TaskResult, optional
        The task by which the embeddings are judged.
    differences : tuple of str
        Sentences on what differs, from elsewhere.
    """
    quality = () if task is None else _quality(what, task, seconds)
    return Verdict(quality, _agreement(what, overlap, k, floors), differences)


def _quality(what: str, task: TaskResult, seconds: Mapping[str, float]) -> tuple[str, ...]:
    if task.refused:
        return (f"{task.title} could not be measured: {task.refused}",)
    ranked = [name for name in task.ranked() if name not in task.baselines]
    if not ranked:
        return ()
    best = ranked[0]
    said = [_best(what, task, best)]
    tied = [name for name in task.tied_with_best() if name not in task.baselines]
    if tied:
        said.append(
            f"These {task.n:,} {task.unit} do not tell {_listed(tied)} from it"
            f"{_cheapest(best, tied, seconds)}."
        )
    behind = [name for name in ranked[1:] if name not in tied]
    if behind:
        figures = _listed([f"{name} {_figure(task, name)}" for name in behind])
        said.append(f"Below it: {figures}{_cost_of(behind[0], best, seconds)}.")
    beaten = _at_chance(task, ranked)
    if beaten:
        said.append(f"{_listed(beaten)} cannot be told from chance.")
    for name in task.baselines:
        found = task.difference(best, name) if task.scores[name].value is not None else None
        if found is not None and not found.tells_apart:
            said.append(f"Even {name}, which needs no vectors, cannot be told from {best}.")
        elif found is not None and task.ranked()[0] == name:
            said.append(f"{name}, which needs no vectors, does better: {_figure(task, name)}.")
    return tuple(said)


def _best(what: str, task: TaskResult, best: str) -> str:
    k = task.settings.get("k")
    if task.task == "label-knn" and k:
        chance = "" if task.chance is None else f"; naming the largest class: {task.chance:.2f}"
        return (
            f"For {what}, {best} does best: the {k} nearest vote for an item's own class in "
            f"{_figure(task, best)} of all cases{chance}."
        )
    chance = "" if task.chance is None else f", where chance is {task.chance:.2f}"
    return f"For {what}, {best} does best in {task.measure}: {_figure(task, best)}{chance}."


def _agreement(
    what: str, overlap: Agreement, k: int, floors: Mapping[str, float]
) -> tuple[str, ...]:
    pair = overlap.least_alike()
    if pair is None:
        return ()
    chance = "" if overlap.chance is None else f", where chance is {_percent(overlap.chance)}"
    a, b = pair
    value, low = _of(overlap, a, b)
    said = [
        f"{a} and {b} differ most: of an item's {k} nearest they share "
        f"{_percent(value)} on average{chance}."
    ]
    if overlap.chance is not None and low <= overlap.chance:
        said.append(f"That is no more than unrelated spaces of {what} would share.")
    most = _most_alike(overlap)
    if most is not None and set(most) != set(pair):
        said.append(f"{most[0]} and {most[1]} agree most: {_percent(_of(overlap, *most)[0])}.")
    for name, floor in floors.items():
        alike = [
            other
            for other in overlap.names
            if other != name and _of(overlap, name, other)[0] >= floor - _CLOSE
        ]
        told = f"{name} with another seed shares {_percent(floor)} with itself"
        if alike:
            said.append(f"{told}: from {_listed(alike)} it differs no more than from itself.")
        else:
            said.append(f"{told}, more than with any of the others.")
    return tuple(said)


def _of(overlap: Agreement, a: str, b: str) -> tuple[float, float]:
    i, j = overlap.names.index(a), overlap.names.index(b)
    return float(overlap.values[i, j]), float(overlap.low[i, j])


def _most_alike(overlap: Agreement) -> tuple[str, str] | None:
    names = overlap.names
    pairs = [
        (float(overlap.values[i, j]), i, j)
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if math.isfinite(overlap.values[i, j])
    ]
    if not pairs:
        return None
    _, i, j = max(pairs)
    return names[i], names[j]


def _figure(task: TaskResult, name: str) -> str:
    score = task.scores[name]
    assert score.value is not None  # noqa: S101 -- only names with a figure come here
    if score.low is None or score.high is None:
        return f"{score.value:.2f}"
    return f"{score.value:.2f} ({score.low:.2f} to {score.high:.2f})"


def _cheapest(best: str, tied: list[str], seconds: Mapping[str, float]) -> str:
    known = [name for name in tied if name in seconds]
    if not known or best not in seconds:
        return ""
    name = min(known, key=lambda one: seconds[one])
    share = _share(seconds[name], seconds[best])
    return f", and {name} takes {share} of its time" if share else ""


def _cost_of(name: str, best: str, seconds: Mapping[str, float]) -> str:
    if name not in seconds or best not in seconds:
        return ""
    share = _share(seconds[name], seconds[best])
    return f"; {name} takes {share} of the time" if share else ""


def _share(less: float, more: float) -> str:
    """Return "a tenth" or "1/40"; "" where it is not much less."""
    if less <= 0 or more / less < 1.8:
        return ""
    times = round(more / less)
    times = times if times < 20 else round(times, -1)
    return _FRACTIONS.get(times, f"1/{times:,}")


def _at_chance(task: TaskResult, ranked: list[str]) -> list[str]:
    if task.chance is None:
        return []
    lows = {name: task.scores[name].low for name in ranked}
    return [name for name, low in lows.items() if low is not None and low <= task.chance]


def _percent(value: float) -> str:
    percent = 100 * value
    return f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
