"""What the values of one column are: numbers, times, or texts; which of them are missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ingest.wording import count

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NaT", "NULL", "null", "?")
"""Texts that mean "no value" in a column of short values; in long texts only the empty one does."""

_MISSING_NUMBERS = (*MISSING, "None", "none", "-", "--", ".", "N.A.", "missing", "inf", "-inf")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NUMBER_RE2 = r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$"
_INTEGER_RE2 = r"^[-+]?\d{1,18}$"
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+]?\d{1,3}(?:\.\d+)?")
_THOUSANDS_RE2 = r"^\s*[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*$"
_DECIMAL_COMMA = re.compile(r"[-+]?\d+(?:,\d+)?(?:[eE][-+]?\d+)?")
_LONG = re.compile(r"[-+]?\d{19,}")  # beyond 64 bits: a name, too
_CODE = re.compile(r"[-+]?0\d+")  # 007 is a name, not the number 7
_TIMES = (
    ("%d/%m/%Y", "day/month/year"), ("%m/%d/%Y", "month/day/year"), ("%d.%m.%Y", "day.month.year"),
    ("%d-%m-%Y", "day-month-year"), ("%Y/%m/%d", ""), ("%d-%b-%Y", ""), ("%d %b %Y", ""),
    ("%b %d, %Y", ""), ("%d %B %Y", ""), ("%B %d, %Y", ""), ("%d/%m/%y", "day/month/year"),
    ("%m/%d/%y", "month/day/year"), ("%d.%m.%y", "day.month.year"), ("%d-%b-%y", ""),
    ("%d/%m/%Y %H:%M", "day/month/year"), ("%m/%d/%Y %H:%M", "month/day/year"),
    ("%d/%m/%Y %H:%M:%S", "day/month/year"), ("%m/%d/%Y %H:%M:%S", "month/day/year"),
    ("%d.%m.%Y %H:%M", "day.month.year"),
)  # fmt: skip
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}.*)?")
_SAMPLE = 200
_MOSTLY = 0.95


@dataclass(frozen=True, eq=False)
class Values:
    """The values of one column in their own type.

    Attributes
    ----------
    kind : {"number", "time", "string", "other", "none"}
        ``other`` are lists and binary, ``none`` is a column without any value.
    data : pyarrow.ChunkedArray
        int64, float64, timestamp or large_string; missing values are null.
    note : str
        What was done to understand them, or empty.
    """

    kind: str
    data: pa.ChunkedArray
    note: str = ""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.data)

    @property
    def n_missing(self) -> int:
        """Return the number of missing values."""
        return int(self.data.null_count)

    @cached_property
    def n_distinct(self) -> int:
        """Return the number of distinct values, missing ones not counted."""
        if self.kind in {"other", "none"}:
            return 0
        return int(pc.count_distinct(self.data).as_py())

    @cached_property
    def sample(self) -> list[Any]:
        """Return the first values that are not missing, at most a thousand."""
        return first_values(self.data, 1000)

    @property
    def is_integer(self) -> bool:
        """Tell whether all values are whole numbers."""
        return bool(pa.types.is_integer(self.data.type))

    def as_series(self) -> pd.Series[Any]:
        """Return the values as pandas keeps them: int64, float64, datetime64 or str."""
        if self.kind == "number" and self.n_missing:
            return pd.Series(to_float(self))
        series: pd.Series[Any] = self.data.to_pandas()
        return series.astype("str") if self.kind in {"string", "none"} else series

    def as_strings(self) -> Values:
        """Return the same values as texts (labels, categories, ids)."""
        if self.kind == "string":
            return self
        return Values("string", pc.cast(self.data, pa.large_string()), self.note)


def first_values(data: pa.ChunkedArray, n: int) -> list[Any]:
    """Return the first ``n`` values that are not null."""
    head = data.slice(0, 4 * n).drop_null().slice(0, n)
    return list((head if len(head) else data.drop_null().slice(0, n)).to_pylist())


def understand(data: pa.ChunkedArray) -> Values:
    """Return the values of a column in the type that fits them."""
    kind = data.type
    if pa.types.is_dictionary(kind):
        return understand(pc.cast(data, kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _understand_texts(pc.cast(data, pa.large_string()))
    if pa.types.is_boolean(kind):
        return Values("string", pc.cast(data, pa.large_string()))
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return Values("number", pc.cast(data, pa.int64()))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or kind == pa.uint64():
        return Values("number", *_finite(pc.cast(data, pa.float64(), safe=False)))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Values("time", pc.cast(data, pa.timestamp("us"), safe=False))
    if pa.types.is_time(kind):
        return Values("string", pc.cast(data, pa.large_string()))
    if pa.types.is_null(kind):
        return Values("none", pc.cast(data, pa.large_string()))
    return Values("other", data)


def as_numbers(data: pa.ChunkedArray) -> Values:
    """Return texts as numbers; what is none becomes missing and is counted in the note."""
    known = understand(data)
    if known.kind == "number":
        return known
    return _numbers(_without_missing(pc.cast(data, pa.large_string()), _MISSING_NUMBERS))


def as_times(data: pa.ChunkedArray) -> Values:
    """Return texts as times; what is none becomes missing and is counted in the note."""
    known = understand(data)
    if known.kind in {"time", "none"}:
        return known
    texts = _without_missing(pc.cast(data, pa.large_string()), MISSING)
    fmt, said = _time_format(first_values(texts, 50)) or ("mixed", "")
    return _times(texts, fmt, said)


def verbatim(data: pa.ChunkedArray) -> Values:
    """Return texts with only the empty one missing (long texts, ids)."""
    if not (pa.types.is_string(data.type) or pa.types.is_large_string(data.type)):
        return understand(data).as_strings()
    texts = pc.cast(data, pa.large_string())
    return Values("string", _blank_to_null(texts))


def _understand_texts(texts: pa.ChunkedArray) -> Values:
    short = _without_missing(texts, _MISSING_NUMBERS)
    sample = first_values(short, _SAMPLE)
    if not sample:
        plain = _blank_to_null(texts)
        empty = not first_values(_without_missing(texts, MISSING), 1)
        return Values("none" if empty else "string", plain if not empty else short)
    found = _maybe_numbers(short, sample) or _maybe_times(short, sample)
    if found:
        return found
    return Values("string", _words_missing(texts))


def _maybe_numbers(texts: pa.ChunkedArray, sample: list[str]) -> Values | None:
    stripped = [value.strip() for value in sample]
    if any(_CODE.fullmatch(value) for value in stripped):
        return None
    enough = _MOSTLY * len(sample)
    if any(_LONG.fullmatch(value) for value in stripped):
        return None
    plain, note = texts, ""
    if sum(bool(_NUMBER.fullmatch(v) or _THOUSANDS.fullmatch(v)) for v in stripped) >= enough:
        quick = _cast(texts)
        if quick is not None:
            return None if _has_codes(texts, quick) else quick
        grouped = pc.match_substring_regex(texts, _THOUSANDS_RE2)
        if pc.any(grouped).as_py():
            plain = pc.if_else(grouped, pc.replace_substring(texts, ",", ""), texts)
            note = "commas read as thousands separators"
    elif sum(_DECIMAL_COMMA.fullmatch(v) is not None for v in stripped) >= enough:
        plain = pc.replace_substring(texts, ",", ".")
        note = "commas read as decimal points"
    else:
        return None
    found = _if_mostly_numbers(_numbers(plain), texts)
    return found and Values("number", found.data, "; ".join(filter(None, [note, found.note])))


def _if_mostly_numbers(found: Values, texts: pa.ChunkedArray) -> Values | None:
    present = len(texts) - texts.null_count
    if len(found) - found.n_missing < _MOSTLY * present:
        return None
    return None if _has_codes(texts, found) else found


def _has_codes(texts: pa.ChunkedArray, found: Values) -> bool:
    if not found.is_integer or not pc.any(pc.starts_with(texts, "0")).as_py():
        return False
    return bool(pc.any(pc.match_substring_regex(texts, r"^\s*0\d+\s*$")).as_py())


def _cast(texts: pa.ChunkedArray) -> Values | None:
    """Return plain numbers fast, or None if anything else is among them."""
    for kind in (pa.int64(), pa.float64()):
        try:
            numbers = pc.cast(texts, kind)
        except pa.ArrowInvalid:
            continue
        return (
            Values("number", numbers) if kind == pa.int64() else Values("number", *_finite(numbers))
        )
    return None


def _numbers(texts: pa.ChunkedArray) -> Values:
    trimmed = pc.utf8_trim_whitespace(texts)
    is_number = pc.match_substring_regex(trimmed, _NUMBER_RE2)
    note = ""
    if pc.any(pc.invert(is_number)).as_py():
        odd = trimmed.filter(pc.fill_null(pc.invert(is_number), False))
        examples = ", ".join(repr(v[:30]) for v in odd.slice(0, 3).to_pylist())
        note = f"{count(len(odd), 'value')} not a number ({examples}), taken as missing"
        trimmed = pc.if_else(is_number, trimmed, pa.scalar(None, pa.large_string()))
    trimmed = pc.replace_substring_regex(trimmed, r"^\+", "")
    whole = pc.match_substring_regex(trimmed, _INTEGER_RE2)
    if pc.all(whole).as_py():
        return Values("number", pc.cast(trimmed, pa.int64()), note)
    data, finite_note = _finite(pc.cast(trimmed, pa.float64()))
    return Values("number", data, "; ".join(filter(None, [note, finite_note])))


def _finite(data: pa.ChunkedArray) -> tuple[pa.ChunkedArray, str]:
    """Return floats with NaN and infinity as missing."""
    is_finite = pc.is_finite(data)
    if pc.all(is_finite).as_py() is not False:
        return data, ""
    endless = int(pc.sum(pc.is_inf(data)).as_py() or 0)
    note = f"{count(endless, 'infinite value')} taken as missing" if endless else ""
    return pc.if_else(is_finite, data, pa.scalar(None, pa.float64())), note


def _maybe_times(texts: pa.ChunkedArray, sample: list[str]) -> Values | None:
    found = _time_format(sample[:50])
    if found is None:
        return None
    times = _times(texts, *found)
    present = len(texts) - texts.null_count
    return times if len(times) - times.n_missing >= _MOSTLY * present else None


def _time_format(sample: list[str]) -> tuple[str, str] | None:
    values = [value.strip() for value in sample]
    if not values or not all(re.match(r"[\dA-Z]", v) and re.search(r"\d", v) for v in values):
        return None
    if all(_ISO.fullmatch(value) for value in values):
        return "ISO8601", ""
    if max(map(len, values)) > 30:
        return None
    for fmt, said in _TIMES:
        parsed = pd.to_datetime(pd.Series(values), format=fmt, errors="coerce")
        if parsed.notna().mean() >= _MOSTLY:
            return fmt, said
    return None


def _times(texts: pa.ChunkedArray, fmt: str, said: str) -> Values:
    series = pc.utf8_trim_whitespace(texts).to_pandas()
    parsed = _parse_times(series, fmt)
    swapped = fmt.replace("%d", "#").replace("%m", "%d").replace("#", "%m")
    if said.startswith("day") and "/" in fmt:
        other = _parse_times(series, swapped)
        if other.notna().sum() > parsed.notna().sum():
            parsed, said = other, said.replace("day/month", "month/day")
    odd = int((parsed.isna() & series.notna()).sum())
    notes = [f"read as {said}"] if said else []
    if odd:
        notes.append(f"{count(odd, 'value')} not a date, taken as missing")
    array = pa.chunked_array([pa.array(parsed.astype("datetime64[us]"))])
    return Values("time", array, "; ".join(notes))


def _parse_times(series: pd.Series[Any], fmt: str) -> pd.Series[Any]:
    parsed: pd.Series[Any] = pd.to_datetime(series, format=fmt, errors="coerce", utc=True)
    plain: pd.Series[Any] = parsed.dt.tz_localize(None)
    return plain


def _without_missing(texts: pa.ChunkedArray, missing: tuple[str, ...]) -> pa.ChunkedArray:
    words = pc.is_in(pc.utf8_trim_whitespace(texts), value_set=pa.array(missing, pa.large_string()))
    if not pc.any(words).as_py():
        return texts
    return pc.if_else(words, pa.scalar(None, pa.large_string()), texts)


def _blank_to_null(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    blank = pc.equal(pc.utf8_trim_whitespace(texts), "")
    return pc.if_else(blank, pa.scalar(None, pa.large_string()), texts)


def _words_missing(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return short values without those that mean "none"; "NA" among two-letter codes stays."""
    sample = first_values(texts, 1000)
    codes = sum(bool(re.fullmatch(r"[A-Z]{2}", v)) and v != "NA" for v in sample)
    others = sum(v not in MISSING for v in sample)
    is_code = codes >= 0.9 * max(others, 1)
    return _without_missing(texts, tuple(m for m in MISSING if not (is_code and m == "NA")))


def to_float(values: Values) -> np.ndarray[Any, Any]:
    """Return numbers as float64 with NaN for missing."""
    return np.asarray(pc.cast(values.data, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
