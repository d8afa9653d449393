"""What a report holds, as plain values; how it looks is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comparison.agreement import Agreement, Pair
from comparison.chance import Calibrated
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
    both : (tuple of bool, tuple of bool)
        Of each of them, whether it is among the k nearest of the other embedding too.
    displacement : float or None
        How far it moved, where 1 is a random other item; None where that was not measured.
    """

    text: str
    label: str
    overlap: float
    near: tuple[tuple[str, ...], tuple[str, ...]]
    both: tuple[tuple[bool, ...], tuple[bool, ...]]
    displacement: float | None = None


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
    rule : str
        In which order they stand.
    """

    names: tuple[str, str]
    sentences: tuple[str, ...]
    counts: tuple[int, ...]
    items: tuple[ChangedItem, ...]
    rule: str = ""


@dataclass(frozen=True)
class AgreementPart:
    """One measure of agreement.

    Attributes
    ----------
    table : Agreement
        With intervals and chance.
    says : str
        What it means.
    floors : mapping of str to float
        What a method reaches with itself under another seed, by name.
    calibrated : mapping of pair to Calibrated
        Beside random pairings of the items.
    sampled : str
        What was paired at random; "" where nothing was.
    """

    table: Agreement
    says: str
    floors: Mapping[str, float]
    calibrated: Mapping[Pair, Calibrated]
    sampled: str = ""


@dataclass(frozen=True)
class TablePart:
    """A table in words.

    Attributes
    ----------
    title, says : str
    heads : tuple of str
    rows : tuple of tuple of str
    notes : tuple of str
        Below it.
    """

    title: str
    says: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


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
    agreements : tuple of AgreementPart
    curve : TablePart or None
        Agreement over k.
    tasks : tuple of TaskResult
    pair : PairPart or None
    shapes : TablePart or None
        Of the spaces; None where they were not measured.
    compression : tuple of TablePart
        Of the members that were measured in fewer bytes.
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
    agreements: tuple[AgreementPart, ...]
    curve: TablePart | None = None
    tasks: tuple[TaskResult, ...] = ()
    pair: PairPart | None = None
    shapes: TablePart | None = None
    compression: tuple[TablePart, ...] = ()
    left_out: tuple[str, ...] = ()
    versions: Mapping[str, str] | None = None
    recipe: str = ""
