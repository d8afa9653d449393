"""The comparison in a few sentences, none of which claims more than its interval allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from comparison.agreement import Agreement
from comparison.task_result import TaskResult

_MOST_PAIRS = 3  # named one by one
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
        Of the k nearest. Of two pairs one is said to differ more, and a pair to differ more than
        a method from itself, only where the intervals leave no doubt; a pair without a value is
        not spoken of.
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
    """Compare the spaces with the best of them; a baseline is no space, and is judged last."""
    if task.refused:
        return (f"{task.title} cannot judge them: {task.refused}",)
    ranked = [name for name in task.ranked() if name not in task.baselines]
    if not ranked:
        return ()
    best = ranked[0]
    if _none_beats_chance(task, ranked):
        return _no_better_than_chance(what, task, ranked), *_beside_baselines(task, best)
    # What does as well without vectors comes first: beside it no embedding is worth its cost.
    said = [*_beside_baselines(task, best), _best(what, task, best)]
    gaps = {name: task.difference(best, name) for name in ranked[1:]}
    tied = [name for name, gap in gaps.items() if gap is not None and not gap.tells_apart]
    if tied:
        said.append(
            f"These {task.n:,} {task.unit} do not tell {_listed(tied)} from {best}"
            f"{_cheapest(best, tied, seconds)}."
        )
    behind = [name for name, gap in gaps.items() if gap is not None and gap.tells_apart]
    if behind:
        said.append(f"Below it: {_figures(task, behind)}{_cost_of(behind[0], best, seconds)}.")
    untold = [name for name, gap in gaps.items() if gap is None]
    if untold:
        said.append(f"Not tested against it: {_figures(task, untold)}.")
    said += _beside_chance(task, ranked)
    return tuple(said)


def _none_beats_chance(task: TaskResult, ranked: list[str]) -> bool:
    """Tell whether chance is known and no interval lies on its right side."""
    sign = 1 if task.higher_is_better else -1
    for name in ranked:
        low, high = task.scores[name].low, task.scores[name].high
        if task.chance is None or low is None or high is None:
            return False
        if min(sign * low, sign * high) > sign * task.chance:
            return False
    return True


def _no_better_than_chance(what: str, task: TaskResult, ranked: list[str]) -> str:
    """Say so before any name: a best of these is nothing to recommend."""
    best, chance, value = ranked[0], task.chance, task.scores[ranked[0]].value
    assert chance is not None and value is not None  # noqa: S101, PT018 -- told to the type checker
    is_above = value > chance if task.higher_is_better else value < chance
    if task.task == "label-knn":
        does = "is shown to find" if is_above else "finds"
        head = f"None of them {does} the classes of {what} better than naming the largest class"
    else:
        does = "is shown to do" if is_above else "does"
        head = f"In {task.measure} none of them {does} better on {what} than chance"
    return (
        f"{head} ({chance:.2f}): the best, {best}, reaches {_figure(task, best)}.{_judged_by(task)}"
    )


def _judged_by(task: TaskResult) -> str:
    """Say how many were judged, where others were left out."""
    if not task.left_out or not task.n:
        return ""
    without = "; ".join(f"{n:,} {reason}" for reason, n in task.left_out.items())
    return f" Judged by {task.n:,} {task.unit}; left out: {without}."


def _beside_baselines(task: TaskResult, best: str) -> list[str]:
    said = []
    for name in task.baselines:
        score = task.scores.get(name)
        gap = None if score is None or score.value is None else task.difference(best, name)
        if gap is not None and not gap.tells_apart:
            said.append(f"Even {name}, which needs no vectors, cannot be told from {best}.")
        elif gap is not None and (gap.interval.mean > 0) != task.higher_is_better:
            said.append(f"{name}, which needs no vectors, does better: {_figure(task, name)}.")
    return said


def _beside_chance(task: TaskResult, ranked: list[str]) -> list[str]:
    """Say which figures reach chance, and which lie on the wrong side of it."""
    level, worse = [], []
    for name in ranked:
        low, high = task.scores[name].low, task.scores[name].high
        if task.chance is None or low is None or high is None:
            continue
        if low <= task.chance <= high:
            level.append(name)
        elif high < task.chance if task.higher_is_better else low > task.chance:
            worse.append(name)
    said = []
    if level:
        said.append(f"{_listed(level)} cannot be told from chance.")
    if worse:
        side = "below" if task.higher_is_better else "above"
        said.append(f"{_listed(worse)} {'lies' if len(worse) == 1 else 'lie'} {side} chance.")
    return said


def _best(what: str, task: TaskResult, best: str) -> str:
    k = task.settings.get("k")
    if task.task == "label-knn" and k:
        chance = "" if task.chance is None else f"; naming the largest class: {task.chance:.2f}"
        return (
            f"For {what}, {best} does best: the {k} nearest vote for an item's own class in "
            f"{_figure(task, best)} of all cases{chance}.{_judged_by(task)}"
        )
    chance = "" if task.chance is None else f", where chance is {task.chance:.2f}"
    return (
        f"For {what}, {best} does best in {task.measure}: {_figure(task, best)}{chance}."
        f"{_judged_by(task)}"
    )


def _agreement(
    what: str, overlap: Agreement, k: int, floors: Mapping[str, float]
) -> tuple[str, ...]:
    pairs = _pairs(overlap)
    if not pairs:
        return ()
    least, most = pairs[0], pairs[-1]
    chance = "" if overlap.chance is None else f", where chance is {_percent(overlap.chance)}"
    share = f"{_percent(least.value)} of an item's {k} nearest on average{chance}"
    a, b = least.names
    level = [pair for pair in pairs[1:] if pair.low <= least.high]
    if len(pairs) == 1:
        said = [f"{a} and {b} share {share}."]
    elif not level:
        said = [f"{a} and {b} differ most: they share {share}."]
    else:
        said = [
            f"{a} and {b} share {share}: the least, though with other items {_named(level)} might "
            "share less."
        ]
    if overlap.chance is not None and least.high < overlap.chance:
        said.append(f"That is less than unrelated spaces of {what} would share.")
    elif overlap.chance is not None and least.low <= overlap.chance:
        said.append(
            f"That cannot be told from what unrelated spaces of {what} would share by chance."
        )
    if len(pairs) > 1 and all(pair.high < most.low for pair in pairs[:-1]):
        said.append(f"{most.names[0]} and {most.names[1]} agree most: {_percent(most.value)}.")
    for name, floor in floors.items():
        said.append(_beside_floor(name, floor, pairs, len(overlap.names) - 1))
    return tuple(said)


def _beside_floor(name: str, floor: float, pairs: list[_Pair], n_others: int) -> str:
    """Say which others a method cannot be told from, as far as from itself under another seed."""
    told = f"{name} with another seed shares {_percent(floor)} with itself"
    own = [(pair.other(name), pair) for pair in pairs if name in pair.names]
    within = [other for other, pair in own if pair.low >= floor]
    level = [other for other, pair in own if pair.low < floor <= pair.high]
    parts = []
    if within:
        parts.append(f"from {_listed(within)} it differs no more than from itself")
    if level:
        parts.append(f"whether it differs more from {_listed(level)} these items do not tell")
    if not parts and own:
        others = "any of the others" if len(own) == n_others else _listed([o for o, _ in own])
        return f"{told}, more than with {others}."
    return f"{told}: {', and '.join(parts)}." if parts else f"{told}."


class _Pair(NamedTuple):
    """Two spaces and what they share, with its interval."""

    value: float
    low: float
    high: float
    names: tuple[str, str]

    def other(self, name: str) -> str:
        return self.names[1] if self.names[0] == name else self.names[0]


def _pairs(overlap: Agreement) -> list[_Pair]:
    """Return the pairs that have a value and an interval, least alike first."""
    names = overlap.names
    pairs = [
        _Pair(
            float(overlap.values[i, j]),
            float(overlap.low[i, j]),
            float(overlap.high[i, j]),
            (names[i], names[j]),
        )
        for i, j in combinations(range(len(names)), 2)
    ]
    kept = [pair for pair in pairs if all(map(math.isfinite, pair[:3]))]
    return sorted(kept, key=lambda pair: pair.value)


def _named(pairs: list[_Pair]) -> str:
    """Return "A and B (30 %)" of each; of many pairs how many."""
    if len(pairs) > _MOST_PAIRS:
        return f"{len(pairs)} other pairs"
    return "; ".join(f"{p.names[0]} and {p.names[1]} ({_percent(p.value)})" for p in pairs)


def _figures(task: TaskResult, names: list[str]) -> str:
    return _listed([f"{name} {_figure(task, name)}" for name in names])


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
    return f", and {name} takes {share} of the time of {best}" if share else ""


def _cost_of(name: str, best: str, seconds: Mapping[str, float]) -> str:
    if name not in seconds or best not in seconds:
        return ""
    share = _share(seconds[name], seconds[best])
    return f"; {name} takes {share} of the time of {best}" if share else ""


def _share(less: float, more: float) -> str:
    """Return "a tenth" or "1/40"; "" where it is not much less."""
    if less <= 0 or more / less < 1.8:
        return ""
    times = round(more / less)
    times = times if times < 20 else round(times, -1)
    return _FRACTIONS.get(times, f"1/{times:,}")


def _percent(value: float) -> str:
    percent = 100 * value
    return f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
