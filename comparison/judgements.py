"""Which documents answer which query, and how well: TREC qrels, BEIR tables, plain tables."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from core.errors import DatasetError

EXAMPLE = (
    "Give TREC lines (query 0 document gain) or a table with the columns query, document, gain."
)
_QUERY = re.compile(r"^(q|qid|query|question|topic)s?([ _-]?(id|no|number|text))?$", re.IGNORECASE)
_DOCUMENT = re.compile(
    r"^(d|did|doc|document|corpus|passage|answer|item|target)s?([ _-]?(id|no|number|text))?$",
    re.IGNORECASE,
)
_GAIN = re.compile(
    r"^(gain|score|rel|relevance|relevant|label|grade|judge?ment|rating)s?$", re.IGNORECASE
)


class _Form(NamedTuple):
    """Where query, document and gain stand in a row (gain None: 1), and the name of the form."""

    query: int
    document: int
    gain: int | None
    name: str


@dataclass(frozen=True, eq=False)
class Judgements:
    """Graded answers to queries.

    Attributes
    ----------
    name : str
    gains : mapping of str to (mapping of str to float)
        ``{query: {document: gain}}``; above 0 means relevant.
    form : str
        What the source was taken for.
    notes : tuple of str
        Sentences about what was found on the way.
    """

    name: str
    gains: Mapping[str, Mapping[str, float]]
    form: str = "pairs"
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of judgements."""
        return sum(map(len, self.gains.values()))

    @classmethod
    def of_pairs(
        cls,
        pairs: Iterable[tuple[str, str, float]],
        name: str = "judgements",
        *,
        form: str = "pairs",
    ) -> Self:
        """Return judgements from (query, document, gain); of repeats the largest gain counts.

        Raises
        ------
        DatasetError
            If there is none.
        """
        gains: dict[str, dict[str, float]] = {}
        n_repeated = 0
        for query, document, gain in pairs:
            of_query = gains.setdefault(query, {})
            n_repeated += document in of_query
            of_query[document] = max(gain, of_query.get(document, -math.inf))
        if not gains:
            raise DatasetError(f"{name} holds no judgement. {EXAMPLE}")
        notes = (f"{n_repeated:,} repeated judgements; the largest gain counts.",)
        return cls(name, gains, form, notes if n_repeated else ())

    @classmethod
    def from_lines(cls, lines: Iterable[str], name: str = "judgements") -> Self:
        """Read TREC qrels, a BEIR table or a plain table, told apart by their first line.

        TREC: four columns (query, iteration, document, gain), no heading. BEIR: tabs and the
        heading ``query-id corpus-id score``. Plain: commas, semicolons or tabs; columns by their
        headings or else query, document and, where there is one, gain (without it every pair is
        relevant).

        Raises
        ------
        DatasetError
            Naming the line that is no judgement, or if there is none.
        """
        rows = _rows(lines)
        if not rows:
            raise DatasetError(f"{name} is empty. {EXAMPLE}")
        form = _form_of_heading(rows[0][1])
        body = rows[1:] if form else rows
        form = form or _form_without_heading(rows[0], name)
        return cls.of_pairs((_pair(row, form, name) for row in body), name, form=form.name)


def _rows(lines: Iterable[str]) -> list[tuple[int, list[str]]]:
    """Return the number and the fields of each line that holds something."""
    kept = [
        (number, line.lstrip("\ufeff").rstrip("\r\n"))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not kept:
        return []
    first = kept[0][1]
    separator = next((s for s in "\t,;" if s in first), None)
    if separator is None:
        return [(number, line.split()) for number, line in kept]
    # One line at a time, so that a stray quote spoils no more than its own line.
    return [
        (number, [cell.strip() for cell in next(csv.reader([line], delimiter=separator))])
        for number, line in kept
    ]


def _form_of_heading(fields: Sequence[str]) -> _Form | None:
    """Return where things stand if the first line names query and document."""

    def place(pattern: re.Pattern[str]) -> int | None:
        return next((i for i, field in enumerate(fields) if pattern.match(field)), None)

    query, document, gain = place(_QUERY), place(_DOCUMENT), place(_GAIN)
    if query is None or document is None:
        return None
    is_beir = [field.lower() for field in fields] == ["query-id", "corpus-id", "score"]
    return _Form(query, document, gain, "BEIR table" if is_beir else "table with headings")


def _form_without_heading(row: tuple[int, list[str]], name: str) -> _Form:
    number, fields = row
    if len(fields) == 4:
        return _Form(0, 2, 3, "TREC qrels")
    if len(fields) in {2, 3}:
        return _Form(0, 1, 2 if len(fields) == 3 else None, "table without headings")
    hint = " Six columns look like the answers of a search system." if len(fields) == 6 else ""
    raise DatasetError(
        f"Line {number} of {name} has {len(fields)} columns; judgements have 2 to 4.{hint} "
        f"{EXAMPLE}"
    )


def _pair(row: tuple[int, list[str]], form: _Form, name: str) -> tuple[str, str, float]:
    number, fields = row
    try:
        query, document = fields[form.query], fields[form.document]
        gain = 1.0 if form.gain is None else float(fields[form.gain])
    except (IndexError, ValueError):
        query = document = ""
        gain = math.nan
    if not query or not document or not math.isfinite(gain):
        shown = " | ".join(fields)[:80]
        raise DatasetError(
            f"Line {number} of {name}, taken as {form.name}, is no judgement: {shown!r}. It needs "
            "a query, a document and a number."
        )
    return query, document, gain
