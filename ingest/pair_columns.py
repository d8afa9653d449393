"""Which columns of a table hold the two sides of pairs, or users and items, and their weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import ParameterError, UnreadableSource
from core.modality import Modality
from ingest.listed_cells import first_of_lists, holds_lists
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions, require_column
from ingest.roles import mean_lengths
from ingest.values import Values, as_numbers, understand

PAIR_ROLES = ("left", "right", "weight", "ignored")
_SIDES = {"left": "left", "user": "left", "right": "right", "item": "right"}


def _names(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(f"(?i)(?:{pattern})") for pattern in patterns)


# Left and right of one row; names that are used for pairs and for nothing else.
_CLEAR_PAIRS = (
    _names(r"(?:search[ _-]?)?quer(?:y|ies)", r"doc(?:ument)?s?|passages?|positives?|pos"),
    _names(r"questions?|qtext", r"answers?|atext|responses?"),
    _names(r"anchors?", r"positives?|pos"),
    _names(r"(sentence|sent|text|question)[ _-]?[1a]", r"(sentence|sent|text|question)[ _-]?[2b]"),
)
# More of them than two: a survey.
_THIRD = re.compile(r"(?i)(?:sentence|sent|text|question|answer|response)s?[ _-]?(?:[3c]|0?3)")
_ENOUGH_ROWS = 10
_LIKELY_PAIRS = (
    _names(r".*quer(?:y|ies).*", r".*(?:text|title|product|context|answer|url|item|name).*"),
    _names(r".*question.*", r".*(?:context|document|passage|reply|text|comment).*"),
    _names(r"premise", r"hypothesis"),
    _names(r"source|src|original|input|prompt", r"target|tgt|translation|output|completion"),
    _names(r"title|headline|summary|caption|keywords?", r"body|abstract|article|text|description"),
)
_FILE_NAME = re.compile(r"(?i).*(?:file|image|img|photo|picture|path|url).*")
_TEXT_NAME = re.compile(
    r"(?i).*(?:caption|description|text|prompt|comment|label|title|sentence|alt|tags?|name).*"
)
_USER = re.compile(
    r"(?i)(?:user|customer|reviewer|member|visitor|client|person|reader|listener|account|buyer|"
    r"session|student|player|author)s?(?:[ _-]?(?:id|no|nr|number|name|key|idx|index))?"
)
_ITEM = re.compile(
    r"(?i)(?:item|movie|film|product|book|song|track|artist|album|article|asin|isbn|game|show|"
    r"restaurant|business|course|recipe|anime|news|video|playlist|beer|wine|hotel|place|venue|"
    r"joke|sku|app|podcast|stock[ _-]?code)s?(?:[ _-]?(?:id|no|nr|number|name|key|idx|index))?"
)
# Names that tell of users or items beside others, but of other things as often.
_MAKER = re.compile(r"(?i)authors?(?:[ _-]?name)?")
_RANK = re.compile(r"(?i)places?")
_RATING = re.compile(r"(?i)(?:.*[ _-])?(?:ratings?|scores?|stars|grade|value|preference|vote)")
_COUNT = re.compile(
    r"(?i)(?:.*[ _-])?(?:weights?|counts?|n|plays?|play_?count|listens?|clicks?|views?|quantity|"
    r"qty|times|hours|freq(?:uency)?|purchases?|amount|strength)"
)
_MATCH = re.compile(r"(?i)labels?|(?:is_?)?(?:duplicate|match|relevan(?:t|ce)|paraphrase)|gold|y")
_SCORE = re.compile(
    r"(?i)(?:.*[ _-])?(?:scores?|similarity|sim|relevance|relatedness|weights?|ratings?|grade)"
)
_TIME = re.compile(r"(?i)(?:.*[ _-])?(?:timestamp|time|date|datetime|unix.*|ts|created|at|when)")


_NO_NOUN = re.compile(r"[^\w ()'’,]")  # markup or an address: a side is named in many sentences


class _Column(NamedTuple):
    name: str
    values: Values

    @property
    def is_string(self) -> bool:
        return self.values.kind == "string"

    @property
    def n_words(self) -> float:
        """Return the mean number of words of some values; 0 where they are no texts."""
        return mean_lengths(self.values.sample)[0] if self.is_string else 0.0

    @property
    def n_present(self) -> int:
        return len(self.values) - self.values.n_missing

    @property
    def repeats(self) -> bool:
        return self.values.n_distinct < self.n_present

    @property
    def mostly_differs(self) -> bool:
        return self.values.n_distinct > 0.5 * self.n_present

    @property
    def is_key(self) -> bool:
        """Tell whether it may hold ids or names: short texts or whole numbers."""
        if self.is_string:
            return self.n_words < 4
        if self.values.kind != "number":
            return False  # whole floats are integers of which some are missing
        return all(float(value).is_integer() for value in self.values.sample[:200])


@dataclass(frozen=True)
class PairColumns:
    """The columns that make pairs.

    Attributes
    ----------
    left, right : str
    weight, time : str or None
    is_clear : bool
        The names leave no doubt; otherwise it is a guess that the user has to ask for.
    is_count : bool
        The weight counts something (plays, clicks), so that repeated pairs add up.
    others : tuple of str
        Columns that are left, in order, those excepted that are to be ignored.
    reasons : dict of str to str
        Why each column plays its part.
    """

    left: str
    right: str
    weight: str | None = None
    time: str | None = None
    is_clear: bool = False
    is_count: bool = False
    others: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)


def pair_columns(
    table: RawTable, options: ReadOptions, *, where: str, with_images: bool = False
) -> PairColumns | None:
    """Return the columns of text pairs, or of a text and the name of its image; None if none.

    Raises
    ------
    ParameterError
        If the options name a column that does not exist, or one side twice.
    """
    said = said_sides(table, options, where)
    free = _free(table, options, said)
    texts = [column for column in free if column.is_string]
    named: _Found | None = None
    if with_images:
        named = _text_and_file(texts)
    found = named or _by_names(texts, _CLEAR_PAIRS, is_clear=not _is_of_answers(free))
    found = found or _by_names(texts, _LIKELY_PAIRS, is_clear=False) or _longest_two(texts)
    weight = _pair_weight([c for c in free if not found or c.name not in found[:2]])
    rest = [c for c in free if not c.is_string and c.values.kind != "other"]
    names = [c.name for c in (*texts, *rest)]
    return _settled(table, options, said, found, names, weight, None)


def interaction_columns(table: RawTable, options: ReadOptions, *, where: str) -> PairColumns | None:
    """Return the columns of users, items, weights and times; None if there are no two for them.

    Raises
    ------
    ParameterError
        As ``pair_columns``.
    """
    said = said_sides(table, options, where)
    free = _free(table, options, said)
    found = _users_and_items(free, is_head=not table.is_complete)
    rest = [c for c in free if not found or c.name not in found[:2]]
    numbers = [c for c in rest if c.values.kind == "number"]
    weight = next((c.name for c in numbers if _RATING.fullmatch(c.name)), None)
    weight = weight or next((c.name for c in numbers if _COUNT.fullmatch(c.name)), None)
    dated = [c.name for c in rest if c.values.kind == "time" or _TIME.fullmatch(c.name)]
    if found and weight is None and "column" in found[2] and numbers:
        weight = numbers[0].name  # user, item, rating, time without a header
        dated = dated or [c.name for c in numbers[1:2]]
    times = [name for name in dated if name != weight]
    return _settled(
        table,
        options,
        said,
        found,
        [c.name for c in free if c.values.kind != "other"],
        weight,
        next(iter(times), None),
    )


def _is_of_answers(columns: Sequence[_Column]) -> bool:
    """Tell whether columns are those of a survey or of a quiz rather than of texts that belong."""
    if any(_THIRD.fullmatch(column.name) for column in columns):
        return True
    answers = [c for c in columns if any(right.fullmatch(c.name) for _, right in _CLEAR_PAIRS)]
    return any(
        column.is_string
        and column.n_words < 2
        and column.n_present >= _ENOUGH_ROWS
        and column.values.n_distinct <= 0.3 * column.n_present  # yes and no, A to D
        for column in answers
    )


_Found = tuple[str, str, str, bool]
"""Left, right, why, and whether the names leave no doubt."""


def said_sides(table: RawTable, options: ReadOptions, where: str) -> dict[str, str]:
    """Return the columns that the user gives a part: left, right, weight, time.

    Raises
    ------
    ParameterError
    """
    said: dict[str, str] = {}
    for option in ("left", "right", "weight"):
        name = getattr(options, option)
        if name is not None:
            require_column(name, table.names, where=where, option=option)
            said[option] = name
    for name, role in options.columns.items():
        part = _SIDES.get(role, role if role in {"weight", "time"} else None)
        if part is None or name not in table.names:
            continue
        if said.get(part, name) != name and part != "time":
            raise ParameterError(
                f"{where}: {said[part]!r} and {name!r} both have the role {role}. "
                "Give it to one column, and another role to the other."
            )
        said.setdefault(part, name)
    if "left" in said and said["left"] == said.get("right"):
        raise ParameterError(
            f"{where}: {said['left']!r} cannot be both sides of a pair. Choose two columns."
        )
    return said


def _free(table: RawTable, options: ReadOptions, said: dict[str, str]) -> list[_Column]:
    """Return the columns whose part is still open."""
    taken = {*said.values(), *options.columns}
    return [
        _Column(name, understand(first_of_lists(data)))
        for name, data in zip(table.names, table.columns, strict=True)
        if name not in taken
    ]


def _settled(
    table: RawTable,
    options: ReadOptions,
    said: dict[str, str],
    found: _Found | None,
    free: Sequence[str],
    weight: str | None,
    time: str | None,
) -> PairColumns | None:
    """Return what was said, and what was found for the rest."""
    left, right = said.get("left"), said.get("right")
    is_asked = options.kind in {Modality.PAIRS, Modality.INTERACTIONS}
    if found is None and left is None and right is None and not is_asked:
        return None
    open_ = [name for name in (found[:2] if found else free) if name not in {left, right}]
    if left is None or right is None:
        # One side said: the other is the guess for its own side, else whatever guess is left.
        guess = dict(zip(("left", "right"), found or (), strict=False))
        for side in ("left", "right"):
            if side in said:
                continue
            name = guess.get(side)
            name = name if name in open_ else next(iter(open_), None)
            name = name or next((n for n in free if n not in {left, right}), None)
            if name is None:
                return None
            open_ = [other for other in open_ if other != name]
            left, right = (name, right) if side == "left" else (left, name)
    if left is None or right is None:
        return None
    for name in (left, right):
        _require_cells(table, name)
    weight = said.get("weight", weight if weight not in {left, right} else None)
    time = said.get("time", time if time not in {left, right, weight} else None)
    why = found[2] if found else "the first columns of the file"
    parts = {"left": left, "right": right, "weight": weight, "time": time}
    reasons = {
        name: "as you said" if name in said.values() else why if part in _SIDES else f"a {part}"
        for part, name in parts.items()
        if name is not None
    }
    used = {name for name in parts.values() if name is not None}
    ignored = {name for name, role in options.columns.items() if role == "ignored"}
    others = tuple(name for name in table.names if name not in used | ignored)
    is_count = weight is not None and not _RATING.fullmatch(weight)
    is_count = is_count and bool(_COUNT.fullmatch(weight or ""))
    is_clear = bool(found and found[3]) or {"left", "right"} <= set(said)
    return PairColumns(left, right, weight, time, is_clear, is_count, others, reasons)


def _require_cells(table: RawTable, name: str) -> None:
    kind = table.column(name).type
    if holds_lists(table.column(name)):
        return
    if pa.types.is_nested(kind) or understand(table.column(name).slice(0, 1)).kind == "other":
        raise UnreadableSource(
            f"Column {name!r} holds {kind} values, not texts or ids. Choose another one, or write "
            "them as text; images belong into files of their own, named in a column."
        )


def _by_names(
    texts: Sequence[_Column], pairs: Sequence[tuple[re.Pattern[str], ...]], *, is_clear: bool
) -> _Found | None:
    for left_name, right_name in pairs:
        left = next((c.name for c in texts if left_name.fullmatch(c.name)), None)
        right = next((c.name for c in texts if right_name.fullmatch(c.name) and c.name != left), "")
        if left is not None and right:
            return left, right, "called like one side of a pair", is_clear
    return None


def _longest_two(texts: Sequence[_Column]) -> _Found | None:
    """Return the first two columns of texts with more than one word."""
    wordy = [c for c in texts if c.n_words >= 1.5][:2]
    if len(wordy) < 2 or not any(c.n_words >= 3 and c.mostly_differs for c in wordy):
        return None
    return wordy[0].name, wordy[1].name, "one of the first two columns of texts", False


def _text_and_file(texts: Sequence[_Column]) -> _Found | None:
    """Return a column of texts and one of file names (the right side)."""
    files = [c.name for c in texts if _holds_file_names(c) or _FILE_NAME.fullmatch(c.name)]
    files.sort(key=lambda name: not _holds_file_names(next(c for c in texts if c.name == name)))
    for file in files:
        others = [c for c in texts if c.name not in files]
        best = next((c for c in others if _TEXT_NAME.fullmatch(c.name)), None)
        best = best or max(others, key=lambda c: c.n_words, default=None)
        if best is not None:
            return best.name, file, "texts and the names of images", True
    return None


def _holds_file_names(column: _Column) -> bool:
    sample = [str(value) for value in column.values.sample[:100]]
    named = sum(bool(re.search(r"\.[A-Za-z]{3,4}$", value)) for value in sample)
    return bool(sample) and named >= 0.8 * len(sample)


def _users_and_items(columns: Sequence[_Column], *, is_head: bool) -> _Found | None:
    keys = [c for c in columns if c.is_key]
    user = next((c for c in keys if _USER.fullmatch(_plain(c.name))), None)
    item = next((c for c in keys if _ITEM.fullmatch(_plain(c.name)) and c is not user), None)
    if user and item:
        wordy = any(c.n_words >= 8 for c in columns)
        repeats = user.repeats or (is_head and item.repeats)  # else a table of users
        is_other = bool(_MAKER.fullmatch(_plain(user.name)) or _RANK.fullmatch(_plain(item.name)))
        is_clear = repeats and len(columns) <= 8 and not wordy and not is_other
        return user.name, item.name, "called like users and items", is_clear
    if user or item:
        known = user or item
        other = next((c for c in keys if c is not known and (c.is_string or c.repeats)), None)
        if other is None or known is None or not known.repeats:
            return None
        names = (user.name, other.name) if user else (other.name, item.name if item else "")
        return *names, "one side is called like users or items", False
    filled = [c for c in columns if c.values.kind != "none"]
    unnamed = all(c.name.startswith("column_") for c in columns) and len(filled) <= 4
    if unnamed and len(keys) >= 2 and keys[0].repeats and keys[1].repeats:
        return keys[0].name, keys[1].name, "the first columns of a file without names", False
    return None


def side_called(*names: str) -> int | None:
    """Return 0 if a word of ``names`` says users, 1 if items, None if neither or both."""
    words = [word for name in names for word in re.split(r"[^A-Za-z]+", _plain(name)) if word]
    called = tuple(any(map(side.fullmatch, words)) for side in (_USER, _ITEM))
    return None if called[0] == called[1] else called.index(True)


def _plain(name: str) -> str:
    """Return ``movieId`` as ``movie id``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip())


def _pair_weight(columns: Sequence[_Column]) -> str | None:
    """Return a column that says how well the sides belong together.

    Labels count only where they are 0 and 1: other numbers name classes.
    """
    numbers = [c for c in columns if c.values.kind == "number"]
    is_yes_no = _all_in({0, 1})
    for column in numbers:
        if _MATCH.fullmatch(column.name) and is_yes_no(column.values):
            return column.name
    for column in numbers:
        if _SCORE.fullmatch(column.name) and _least(column.values) >= 0:
            return column.name
    rest = list(columns)
    unnamed = len(rest) == 1 and rest[0].name.startswith("column_")
    if unnamed and rest[0].values.kind == "number" and _least(rest[0].values) >= 0:
        return rest[0].name
    return None


def _all_in(allowed: set[int]) -> Callable[[Values], bool]:
    return lambda values: set(pc.unique(values.data.drop_null()).slice(0, 3).to_pylist()) <= allowed


def _least(values: Values) -> float:
    least = pc.min(values.data).as_py()
    return -1.0 if least is None else float(least)


def weights_of(table: RawTable, column: str) -> tuple[pa.ChunkedArray, str]:
    """Return a weight column as float64 (missing where no finite number), and what was mended."""
    values = as_numbers(table.column(column))
    return pc.cast(values.data, pa.float64(), safe=False), values.note


def side_names(columns: PairColumns, kinds: tuple[Modality, Modality]) -> tuple[str, str]:
    """Return what the two sides are called: by their kinds, by the column names, or left, right."""
    if kinds[0] is not kinds[1]:
        return str(kinds[0]), str(kinds[1])
    if kinds[0] is Modality.TEXT:
        left, right = (_called(name) for name in (columns.left, columns.right))
        if left and right and left.lower() != right.lower():
            return left, right
    return "left", "right"


def _called(name: str) -> str:
    plain = re.sub(r"[ _-]+", " ", name).strip()
    known = {"qtext": "question", "atext": "answer", "pos": "positive", "doc": "document"}
    plain = known.get(plain.lower(), plain)
    if name.startswith("column_") or len(plain) > 24 or _NO_NOUN.search(plain):
        return ""
    return plain
