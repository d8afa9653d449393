"""What a file turns out to be, before anything is computed on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from core.modality import Modality
from ingest.dataset import Role


@dataclass(frozen=True)
class ColumnGuess:
    """One column and the role it would play.

    Attributes
    ----------
    name : str
    role : Role
    reason : str
        Why that role, in a few words ("312 distinct long texts").
    n_missing, n_distinct : int
        Counted over ``Preview.n_inspected`` rows.
    examples : tuple of str
        Up to three values.
    """

    name: str
    role: Role
    reason: str = ""
    n_missing: int = 0
    n_distinct: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Preview:
    """The guess about a source; every part of it can be overridden when reading.

    Attributes
    ----------
    kind : Modality
    format : str
        In words: "CSV, comma, UTF-8", "word2vec text, 10,000 x 100", "zip of 120 images".
    n_items : int or None
        Exact where it is cheap to know, else None.
    n_inspected : int
        Rows that the guesses rest on.
    rows : pandas.DataFrame
        The first rows, as they would be read (up to 20).
    columns : tuple of ColumnGuess
    options : mapping
        What ``read_dataset`` would use (delimiter, encoding, header, sheet, directed …).
    notes : tuple of str
        Facts about the reading.
    warnings : tuple of str
        What the user should look at (missing values, duplicates, skipped files).
    thumbnails : tuple of (str, bytes)
        Name and small PNG of the first images, for IMAGE.
    other_kinds : tuple of Modality
        Kinds that the same source could be read as instead.
    """

    kind: Modality
    format: str
    n_items: int | None = None
    n_inspected: int = 0
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    columns: tuple[ColumnGuess, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    thumbnails: tuple[tuple[str, bytes], ...] = ()
    other_kinds: tuple[Modality, ...] = ()
