"""``RawTable``: columns as they stand in a file, before anything is guessed about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ingest.dataset import Dropped


@dataclass(frozen=True, eq=False)
class RawTable:
    """Columns of one length with distinct names.

    Attributes
    ----------
    names : tuple of str
    columns : tuple of pyarrow.ChunkedArray
        ``large_string`` where the format knows only texts, else the format's own types.
    format : str
        In words: "CSV, comma, UTF-8".
    written : tuple of str or None
        Header cells as written; None without a header.
    options : mapping
        What the reading used (delimiter, encoding, header, sheet).
    notes, warnings : tuple of str
    dropped : tuple of Dropped
    n_dropped : int
    is_complete : bool
        False if only the first rows were asked for and there are more.
    """

    names: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    format: str
    written: tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    n_dropped: int = 0
    is_complete: bool = True

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns[0]) if self.columns else 0

    def column(self, name: str) -> pa.ChunkedArray:
        """Return the column called ``name``."""
        return self.columns[self.names.index(name)]
