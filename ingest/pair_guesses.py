"""What the names and values of columns say of pairs: sides, users and items, weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ingest.roles import mean_lengths
from ingest.values import Values


def _names(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(f"(?i)(?:{pattern})") for pattern in patterns)


# Left and right of one row; names that are used for pairs and for nothing else.
CLEAR_PAIRS = (
    _names(r"(?:search[ _-]?)?quer(?:y|ies)", r"doc(?:ument)?s?|passages?|positives?|pos"),
    _names(r"questions?|qtext", r"answers?|atext|responses?"),
    _names(r"anchors?", r"positives?|pos"),
    _names(r"(sentence|sent|text|question)[ _-]?[1a]", r"(sentence|sent|text|question)[ _-]?[2b]"),
)
# More of them than two: a survey.
_THIRD = re.compile(r"(?i)(?:sentence|sent|text|question|answer|response)s?[ _-]?(?:[3c]|0?3)")
_ENOUGH_ROWS = 10
LIKELY_PAIRS = (
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
RATING = re.compile(r"(?i)(?:.*[ _-])?(?:ratings?|scores?|stars|grade|value|preference|vote)")
COUNT = re.compile(
    r"(?i)(?:.*[ _-])?(?:weights?|counts?|n|plays?|play_?count|listens?|clicks?|views?|quantity|"
    r"qty|times(?:[ _-]\w+)?|hours|freq(?:uency)?|purchases?|purchased|bought|orders|visits|units|"
    r"transactions|occurrences|amount|strength)"
)
_NO_COUNT = re.compile(
    r"(?i)(?:.*[ _-])?(?:id|no|nr|number|name|key|idx|index|code|rank|position|place|row|line|age|"
    r"year|month|week|day|hour|price|cost|zip|postcode|class|category|type|group|level|version)s?"
)
_LOOKED_AT = 100_000  # rows
_MATCH = re.compile(r"(?i)labels?|(?:is_?)?(?:duplicate|match|relevan(?:t|ce)|paraphrase)|gold|y")
_SCORE = re.compile(
    r"(?i)(?:.*[ _-])?(?:scores?|similarity|sim|relevance|relatedness|weights?|ratings?|grade)"
)
TIME = re.compile(r"(?i)(?:.*[ _-])?(?:timestamp|time|date|datetime|unix.*|ts|created|at|when)")


Found = tuple[str, str, str, bool]
"""Left, right, why, and whether the names leave no doubt."""


class Column(NamedTuple):
    """A column of a table and what its cells are."""

    name: str
    values: Values

    @property
    def is_string(self) -> bool:
        """Tell whether it holds texts."""
        return self.values.kind == "string"

    @property
    def n_words(self) -> float:
        """Return the mean number of words of some values; 0 where they are no texts."""
        return mean_lengths(self.values.sample)[0] if self.is_string else 0.0

    @property
    def n_present(self) -> int:
        """Return how many cells are filled."""
        return len(self.values) - self.values.n_missing

    @property
    def repeats(self) -> bool:
        """Tell whether a value stands in it twice."""
        return self.values.n_distinct < self.n_present

    @property
    def mostly_differs(self) -> bool:
        """Tell whether more than half of its cells are values of their own."""
        return self.values.n_distinct > 0.5 * self.n_present

    @property
    def is_key(self) -> bool:
        """Tell whether it may hold ids or names: short texts or whole numbers."""
        if self.is_string:
            return self.n_words < 4
        if self.values.kind != "number":
            return False  # whole floats are integers of which some are missing
        return all(float(value).is_integer() for value in self.values.sample[:200])


def is_of_answers(columns: Sequence[Column]) -> bool:
    """Tell whether columns are those of a survey or of a quiz rather than of texts that belong."""
    if any(_THIRD.fullmatch(column.name) for column in columns):
        return True
    answers = [c for c in columns if any(right.fullmatch(c.name) for _, right in CLEAR_PAIRS)]
    return any(
        column.is_string
        and column.n_words < 2
        and column.n_present >= _ENOUGH_ROWS
        and column.values.n_distinct <= 0.3 * column.n_present  # yes and no, A to D
        for column in answers
    )


def by_names(
    texts: Sequence[Column], pairs: Sequence[tuple[re.Pattern[str], ...]], *, is_clear: bool
) -> Found | None:
    """Return the first two columns that are called like the two sides of a pair."""
    for left_name, right_name in pairs:
        left = next((c.name for c in texts if left_name.fullmatch(c.name)), None)
        right = next((c.name for c in texts if right_name.fullmatch(c.name) and c.name != left), "")
        if left is not None and right:
            return left, right, "called like one side of a pair", is_clear
    return None


def longest_two(texts: Sequence[Column]) -> Found | None:
    """Return the first two columns of texts with more than one word."""
    wordy = [c for c in texts if c.n_words >= 1.5][:2]
    if len(wordy) < 2 or not any(c.n_words >= 3 and c.mostly_differs for c in wordy):
        return None
    return wordy[0].name, wordy[1].name, "one of the first two columns of texts", False


def text_and_file(texts: Sequence[Column]) -> Found | None:
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


def _holds_file_names(column: Column) -> bool:
    sample = [str(value) for value in column.values.sample[:100]]
    named = sum(bool(re.search(r"\.[A-Za-z]{3,4}$", value)) for value in sample)
    return bool(sample) and named >= 0.8 * len(sample)


def users_and_items(columns: Sequence[Column], *, is_head: bool) -> Found | None:
    """Return a column of users and one of items, by their names and by what repeats.

    ``is_head`` says that only the first rows are known.
    """
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


def two_keys(columns: Sequence[Column]) -> Found | None:
    """Return the first two columns that may be users and items though nothing is called so.

    The values of each occur again, and the two together mostly differ.
    """
    keys = [
        c
        for c in columns
        if c.is_key
        and c.repeats
        and not any(name.fullmatch(c.name) for name in (RATING, COUNT, TIME))
    ][:2]
    if len(keys) < 2 or 2 * _n_distinct(keys) <= min(len(keys[0].values), _LOOKED_AT):
        return None
    return keys[0].name, keys[1].name, "values that occur again", False


def lone_count(rest: Sequence[Column], sides: Sequence[Column]) -> str | None:
    """Return the only column of numbers beside users and items, if it may say how often.

    Those are positive whole numbers that repeat, and that do not describe the user or the item,
    as an age does: some user and some item has several.
    """
    numbers = [c for c in rest if c.values.kind == "number" and not TIME.fullmatch(c.name)]
    if len(numbers) != 1:
        return None
    (column,) = numbers
    if _NO_COUNT.fullmatch(_plain(column.name)) or not column.is_key or column.mostly_differs:
        return None
    if _least(column.values) <= 0 or any(_describes(column, side) for side in sides):
        return None
    return column.name


def _describes(column: Column, side: Column) -> bool:
    """Tell whether a column has one value for each thing of a side, and things occur again."""
    n_things = _n_distinct([side])
    return _n_distinct([side, column]) == n_things < min(len(side.values), _LOOKED_AT)


def _n_distinct(columns: Sequence[Column]) -> int:
    """Return how many rows differ in some columns, among the first ones."""
    names = [str(i) for i in range(len(columns))]
    cells = [c.values.data.slice(0, _LOOKED_AT) for c in columns]
    return int(pa.table(cells, names=names).group_by(names).aggregate([]).num_rows)


def side_called(*names: str) -> int | None:
    """Return 0 if a word of ``names`` says users, 1 if items, None if neither or both."""
    words = [word for name in names for word in re.split(r"[^A-Za-z]+", _plain(name)) if word]
    called = tuple(any(map(side.fullmatch, words)) for side in (_USER, _ITEM))
    return None if called[0] == called[1] else called.index(True)


def _plain(name: str) -> str:
    """Return ``movieId`` as ``movie id``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip())


def pair_weight(columns: Sequence[Column]) -> str | None:
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
