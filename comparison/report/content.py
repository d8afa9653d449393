"""What a report holds, as plain values; how it looks is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comparison.agreement import Agreement
from comparison.task_result import TaskResult


@dataclass(frozen=True)
class MemberLine:
    """One embedding in words.

    Attributes
    ----------
    name, method, settings, metric : str
    seed : int or None
        None where no seed plays a part.
    dim : int
    megabytes, seconds : float
    source : str
        Paper or model with its version.
    """

    name: str
    method: str
    settings: str
    metric: str
    seed: int | None
    dim: int
    megabytes: float
    seconds: float
    source: str = ""


@dataclass(frozen=True)
class ChangedItem:
    """An item whose neighbours two embeddings see differently.

    Attributes
    ----------
    text, label : str
    overlap : float
    near : (tuple of str, tuple of str)
        Its nearest items in either embedding, nearest first.
    shared : tuple of str
        Which of them both name.
    """

    text: str
    label: str
    overlap: float
    near: tuple[tuple[str, ...], tuple[str, ...]]
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class PairPart:
    """The two embeddings that are looked at closely.

    Attributes
    ----------
    names : (str, str)
    sentences : tuple of str
        What differs: classes, groups, movers.
    counts : tuple of int
        Items by their number of shared neighbours, 0 … k.
    items : tuple of ChangedItem
    """

    names: tuple[str, str]
    sentences: tuple[str, ...]
    counts: tuple[int, ...]
    items: tuple[ChangedItem, ...]


@dataclass(frozen=True)
class ReportContent:
    """Everything a report says.

    Attributes
    ----------
    title : str
    facts : mapping of str to str
        Data, number of items, k, seed, date.
    verdict : tuple of str
    members : tuple of MemberLine
    agreements : tuple of (Agreement, str, mapping of str to float)
        Table, what it means, and the noise floor by name.
    tasks : tuple of TaskResult
    pair : PairPart or None
    left_out : tuple of str
        Sentences about rows that were dropped or not shared.
    versions : mapping of str to str
    recipe : str
        JSON.
    """

    title: str
    facts: Mapping[str, str]
    verdict: tuple[str, ...]
    members: tuple[MemberLine, ...]
    agreements: tuple[tuple[Agreement, str, Mapping[str, float]], ...]
    tasks: tuple[TaskResult, ...] = ()
    pair: PairPart | None = None
    left_out: tuple[str, ...] = ()
    versions: Mapping[str, str] | None = None
    recipe: str = ""
