"""Which part each column of a table plays, and why.

The guess is only a guess: it is shown with its reason and can be overridden column by column.
"""

from __future__ import annotations

import dataclasses
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from core.errors import ParameterError
from core.modality import Modality
from ingest.dataset import Role
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions, require_column
from ingest.values import Values, as_numbers, as_times, understand, verbatim

ROLES: tuple[Role, ...] = ("text", "numeric", "categorical", "label", "id", "time", "ignored")

_LABEL = re.compile(
    r"(?i)(?:.*[ _-])?(?:labels?|class(?:es)?|category|categories|target|topic|intent|sentiment|"
    r"species|genre|variety|stars|rating|survived|outcome|diagnosis|cuisine|polarity|emotion|y)"
)
_ID = re.compile(
    r"(?i)(?:.*[ _-])?(?:id|ids|uuid|guid|key|index|idx|identifier|rowid|row|no\.?|nr)"
)
_ID_CAMEL = re.compile(r".*[a-z](?:Id|ID)|unnamed: ?0|__index_level_0__")
_TEXT = re.compile(
    r"(?i)(?:.*[ _-])?(?:texts?|body|contents?|review|reviews|sentence\d?|comments?|description|"
    r"descriptions|tweet|message|abstract|headline|question\d?|utterance|document|passage|lyrics|"
    r"premise|hypothesis|query|caption|prompt|post|paragraph)"
)
_WEAK_TEXT = re.compile(r"(?i)(?:.*[ _-])?(?:title|summary|subject|name|note|notes|answer|value)")
_CJK = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_CONSTANT = "the same value in every row"
_MAX_CLASSES = 100
_MAX_CATEGORIES = 1000


@dataclass(frozen=True, eq=False)
class Column:
    """One column with its role.

    Attributes
    ----------
    name : str
    role : Role
    reason : str
    values : Values
    is_said : bool
        The user gave the role.
    """

    name: str
    role: Role
    reason: str
    values: Values
    is_said: bool = False


@dataclass(frozen=True)
class Plan:
    """What becomes of a table.

    Attributes
    ----------
    kind : Modality
        TEXT or TABLE.
    columns : tuple of Column
    texts : tuple of str
        Columns that make the items of a text dataset, in order.
    """

    kind: Modality
    columns: tuple[Column, ...]
    texts: tuple[str, ...]

    def named(self, role: Role) -> list[Column]:
        """Return the columns of one role."""
        return [column for column in self.columns if column.role == role]


def plan(table: RawTable, options: ReadOptions, *, where: str) -> Plan:
    """Return the role of each column of ``table`` and the kind of dataset it makes.

    Raises
    ------
    ParameterError
        If the options name a column or a role that does not exist.
    """
    said = _said_roles(table, options, where)
    columns = [
        _as_said(name, data, said[name]) if name in said else _guess(name, i, data, table)
        for i, (name, data) in enumerate(zip(table.names, table.columns, strict=True))
    ]
    columns = _one_id(columns)
    columns = _settle_texts(columns, options)
    kind = options.kind or _kind(columns, options)
    columns = _need_text(columns) if kind is Modality.TEXT else _need_features(columns)
    columns = _one_label(columns, kind)
    if kind is not Modality.TEXT:
        return Plan(kind, tuple(columns), ())
    texts = _chosen_texts(columns, options)
    return Plan(kind, tuple(_set_aside(columns, texts)), texts)


def _said_roles(table: RawTable, options: ReadOptions, where: str) -> dict[str, Role]:
    said: dict[str, Role] = {}
    for name, role in options.columns.items():
        require_column(name, table.names, where=where, option="columns")
        if role not in ROLES:
            raise ParameterError(
                f"columns[{name!r}]={role!r} is no role; the roles are {', '.join(ROLES)}."
            )
        said[name] = role
    named: list[tuple[str | None, Role]] = [(name, "text") for name in options.text]
    named += [(options.label, "label"), (options.id, "id")]
    for column, role in named:
        if column is not None:
            require_column(column, table.names, where=where, option=role)
            said[column] = role
    return said


def _as_said(name: str, data: pa.ChunkedArray, role: Role) -> Column:
    convert = {"numeric": as_numbers, "time": as_times, "text": verbatim, "id": verbatim}
    make = convert.get(role, understand)
    values = make(data)
    if role in {"label", "categorical"}:
        values = values.as_strings() if values.kind != "other" else verbatim(data)
    return Column(name, role, "as you said", values, is_said=True)


def _guess(name: str, position: int, data: pa.ChunkedArray, table: RawTable) -> Column:
    values = understand(data)
    role, reason = _role(name, position, values, len(table))
    if reason == _CONSTANT and not table.is_complete:
        # The first rows of a sorted file hold one class; the others come later.
        role = "numeric" if values.kind == "number" else "categorical"
        role, reason = "label" if _LABEL.fullmatch(name) else role, "one value in the first rows"
    if role in {"text", "id"}:
        values = verbatim(data)
    elif role in {"categorical", "label"}:
        values = values.as_strings()
    return Column(name, role, reason, values)


def _role(name: str, position: int, values: Values, n: int) -> tuple[Role, str]:
    if values.kind == "none":
        return "ignored", "no value in any row"
    if values.kind == "other":
        return "ignored", f"{values.data.type} values are not used"
    if values.kind == "time":
        return "time", "dates or times"
    if values.kind == "number":
        return _number_role(name, position, values, n)
    return _string_role(name, position, values, n)


def _number_role(name: str, position: int, values: Values, n: int) -> tuple[Role, str]:
    if n > 1 and values.sample and len(set(values.sample)) == 1 and values.n_distinct == 1:
        return "ignored", _CONSTANT
    if values.is_integer and not values.n_missing:
        if _is_id_name(name) and values.n_distinct == n:
            return "id", "a different whole number in every row"
        if position == 0 and n > 2 and name in {"column_1", ""} and _counts_up(values.sample):
            return "id", "counts the rows"
        if _LABEL.fullmatch(name) and 2 <= values.n_distinct <= min(_MAX_CLASSES, max(2, n // 2)):
            return "label", f"{values.n_distinct} whole numbers, called like a label"
    return "numeric", "whole numbers" if values.is_integer else "numbers"


def _string_role(name: str, position: int, values: Values, n: int) -> tuple[Role, str]:
    distinct, present = values.n_distinct, n - values.n_missing
    if n > 1 and distinct == 1 and not values.n_missing and not _TEXT.fullmatch(name):
        return "ignored", _CONSTANT
    words, chars = mean_lengths(values.sample)
    # A remark below a table stands in its first column and does not make that one of texts.
    is_text = present >= 0.2 * n and _is_text(name, words, chars, distinct / max(present, 1))
    # In a list of words, "null" and "nan" are words: a few missing ones do not spoil an id.
    all_differ = distinct == present and values.n_missing <= 0.01 * n
    if all_differ and n > 1 and not is_text and (_is_id_name(name) or (position == 0 and n > 20)):
        return "id", "a different value in every row"
    if is_text:
        return "text", f"{distinct:,} distinct texts of about {words:.0f} words"
    classes = f"{distinct:,} classes"
    if _LABEL.fullmatch(name) and 2 <= distinct <= min(_MAX_CLASSES, max(2, n // 2)):
        return "label", f"{classes}, called like a label"
    if distinct <= 50 or (distinct <= 0.2 * present and distinct <= _MAX_CATEGORIES):
        if n > 20 and distinct > 0.8 * present:
            return "ignored", f"nearly every value differs ({distinct:,} of {present:,})"
        return "categorical", classes.replace("classes", "values")
    return "ignored", f"nearly every value differs ({distinct:,} of {present:,})"


def _is_id_name(name: str) -> bool:
    return bool(_ID.fullmatch(name) or _ID_CAMEL.fullmatch(name))


def _counts_up(sample: Sequence[int]) -> bool:
    start = sample[0] if sample else 0
    return start in {0, 1} and list(sample) == list(range(start, start + len(sample)))


def mean_lengths(sample: Sequence[str]) -> tuple[float, float]:
    """Return mean words and characters; scripts without blanks have about two signs a word."""
    if not sample:
        return 0.0, 0.0
    head = [value[:2000] for value in sample[:: max(len(sample) // 300, 1)]]
    words = [max(len(value.split()), len(_CJK.findall(value)) / 2) for value in head]
    return statistics.fmean(words), statistics.fmean(map(len, head))


def reads_like_texts(column: Column) -> bool:
    """Tell whether repeated values are sentences all the same, as captions of several images are.

    A name such as "caption" says so from two words on; without it, eleven values of six words or
    more do. Names of classes are fewer or shorter.
    """
    if column.values.kind != "string":
        return False
    words, _ = mean_lengths(column.values.sample)
    if _TEXT.fullmatch(column.name):
        return words >= 1.5
    return words >= 6 and column.values.n_distinct > 10


def _is_text(name: str, words: float, chars: float, distinct: float) -> bool:
    if distinct < 0.3:
        return False
    if _TEXT.fullmatch(name):
        return words >= 1.5
    if _WEAK_TEXT.fullmatch(name):
        return words >= 4.5
    return words >= 5 and chars >= 15 and distinct >= 0.5


def _one_id(columns: list[Column]) -> list[Column]:
    """Keep the first id that the user or a name says; others tell nothing about the items."""
    ids = [c for c in columns if c.role == "id"]
    said = [c for c in ids if c.is_said]
    keep = (said or [c for c in ids if _is_id_name(c.name)] or ids)[:1]
    return [
        c
        if c.role != "id" or c in keep
        else dataclasses.replace(c, role="ignored", reason="another id")
        for c in columns
    ]


def _settle_texts(columns: list[Column], options: ReadOptions) -> list[Column]:
    """Without any text by its own merit, take what can only be one."""
    if options.kind is Modality.TABLE or any(c.role == "text" for c in columns):
        return columns
    features = sum(c.role in {"numeric", "categorical", "time"} for c in columns)
    numbers = sum(c.role in {"numeric", "time"} for c in columns)
    if options.kind is None and features > 2:
        return columns
    candidates = [c for c in columns if c.values.kind == "string" and not c.is_said]
    least = 3 if numbers else 2
    wordy = [
        c for c in candidates if mean_lengths(c.values.sample)[0] >= least and _mostly_distinct(c)
    ]
    if numbers and options.kind is None and not wordy:
        return columns
    loose = {"id", "ignored", "categorical"} if len(columns) == 1 else {"id", "ignored"}
    alone = [c for c in candidates if len(candidates) == 1 and c.role in loose]
    best = max(wordy or alone, key=lambda c: mean_lengths(c.values.sample)[1], default=None)
    if best is None:
        return columns
    return _with_role(columns, best, "text", "the longest texts of the file")


def _mostly_distinct(column: Column) -> bool:
    return column.values.n_distinct >= 0.5 * max(len(column.values) - column.values.n_missing, 1)


def _kind(columns: list[Column], options: ReadOptions) -> Modality:
    texts = [c for c in columns if c.role == "text"]
    if options.text:
        return Modality.TEXT
    if not texts:
        return Modality.TABLE
    numbers = sum(c.role == "numeric" for c in columns)
    words = max(mean_lengths(c.values.sample)[0] for c in texts)
    named = any(c.is_said or _TEXT.fullmatch(c.name) for c in texts)
    return Modality.TEXT if named or words >= 8 or numbers <= 3 else Modality.TABLE


def _need_text(columns: list[Column]) -> list[Column]:
    if any(c.role == "text" for c in columns):
        return columns
    strings = [c for c in columns if c.values.kind == "string" and not c.is_said]
    best = max(strings, key=lambda c: mean_lengths(c.values.sample)[1], default=None)
    if best is None:
        return columns
    return _with_role(columns, best, "text", "the longest texts of the file")


def _need_features(columns: list[Column]) -> list[Column]:
    """Where nothing else can be a feature, take the numbers that were set aside."""
    if any(c.role in {"numeric", "categorical", "time"} for c in columns):
        return columns
    numbers = [c for c in columns if c.values.kind == "number" and not c.is_said]
    for column in numbers:
        columns = _with_role(columns, column, "numeric", "the only numbers of the file")
    return columns


def _set_aside(columns: list[Column], texts: tuple[str, ...]) -> list[Column]:
    """Ignore the guessed texts that are no part of the items, and say so."""
    reason = "also long texts; give it the role text to join it"
    return [
        dataclasses.replace(c, role="ignored", reason=reason)
        if c.role == "text" and not c.is_said and c.name not in texts
        else c
        for c in columns
    ]


def _chosen_texts(columns: list[Column], options: ReadOptions) -> tuple[str, ...]:
    """Return the columns whose texts are joined: those said, else the longest with its title."""
    if options.text:
        return options.text
    texts = [c for c in columns if c.role == "text"]
    said = [c for c in texts if c.is_said]
    if said:
        return tuple(c.name for c in said)
    if not texts:
        return ()
    named = [c for c in texts if _TEXT.fullmatch(c.name)]
    chars = {c.name: mean_lengths(c.values.sample)[1] for c in texts}
    longest = max(chars[c.name] for c in named or texts)
    body = next(c for c in named or texts if chars[c.name] >= 0.75 * longest)
    before = columns.index(body) - 1
    title = columns[before] if before >= 0 else None
    if title in texts and title is not None and chars[title.name] <= 0.6 * chars[body.name]:
        return (title.name, body.name)
    return (body.name,)


def _one_label(columns: list[Column], kind: Modality) -> list[Column]:
    """Choose at most one label among the guesses; a text dataset takes any column of classes."""
    if any(c.role == "label" and c.is_said for c in columns):
        return [c if c.role != "label" or c.is_said else _demoted(c) for c in columns]
    labels = [c for c in columns if c.role == "label"]
    if labels:
        # Words tell classes better than numbers, which may be grades.
        keep = next((c for c in labels if not _is_number_label(c)), labels[0])
        return [c if c.role != "label" or c is keep else _demoted(c) for c in columns]
    classes = [c for c in columns if not c.is_said and _could_be_classes(c, kind)]
    if kind is Modality.TABLE:
        strings = [c for c in columns if c.role == "categorical"]
        edge = {columns[0].name, columns[-1].name}
        classes = [c for c in classes if len(strings) == 1 and c.name in edge]
        if sum(c.role in {"numeric", "time"} for c in columns) < 2:
            return columns
    if not classes:
        return columns
    best = min(classes, key=lambda c: c.values.n_distinct)
    return _with_role(columns, best, "label", f"{best.values.n_distinct} classes")


def _could_be_classes(column: Column, kind: Modality) -> bool:
    n, distinct = len(column.values), column.values.n_distinct
    if column.role == "numeric":
        fits = kind is Modality.TEXT and column.values.is_integer and distinct <= 20
    else:
        fits = column.role == "categorical" and column.values.n_missing <= 0.5 * n
    return fits and 2 <= distinct <= min(_MAX_CLASSES, max(2, n // 3))


def _is_number_label(column: Column) -> bool:
    return all(re.fullmatch(r"-?\d+", str(v)) for v in column.values.sample[:50])


def _demoted(column: Column) -> Column:
    if _is_number_label(column):
        return dataclasses.replace(
            column, role="numeric", reason="whole numbers", values=as_numbers(column.values.data)
        )
    return dataclasses.replace(column, role="categorical", reason="classes, another is the label")


def _with_role(columns: list[Column], one: Column, role: Role, reason: str) -> list[Column]:
    values = one.values.as_strings() if role in {"label", "categorical", "text"} else one.values
    return [
        dataclasses.replace(c, role=role, reason=reason, values=values) if c is one else c
        for c in columns
    ]


def roles_of(columns: Sequence[Column]) -> Mapping[str, Role]:
    """Return name and role of each column."""
    return {column.name: column.role for column in columns}
