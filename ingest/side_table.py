"""A table beside the items: node labels, vector metadata, image captions. It is joined by id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from core.errors import UnreadableSource
from ingest.dataset import Role
from ingest.limits import Limits
from ingest.plain_table import PlainTable, numbers, read_plain_table
from ingest.reader import ReadOptions, require_column
from ingest.source import Source

_LABEL_NAMES = frozenset({
    "label", "labels", "class", "category", "target", "group", "community", "department",
    "cluster", "topic", "species", "type", "y",
})  # fmt: skip
_BINARY = (".parquet", ".feather", ".arrow")


@dataclass(frozen=True, eq=False)
class SideTable:
    """Rows that describe items.

    Attributes
    ----------
    name : str
    frame : pandas.DataFrame
        As read; cells of text files are text.
    has_header : bool
    notes : tuple of str
    """

    name: str
    frame: pd.DataFrame
    has_header: bool = True
    notes: tuple[str, ...] = ()


def read_side_table(
    source: Source, limits: Limits, *, header: int | str | None = None
) -> SideTable:
    """Read CSV, TSV, Parquet or Feather.

    Raises
    ------
    UnreadableSource
    """
    if source.suffix in _BINARY:
        read = pd.read_parquet if source.suffix == ".parquet" else pd.read_feather
        try:
            return SideTable(source.name, read(source.open()).rename(columns=str))
        except (OSError, ValueError) as error:
            raise UnreadableSource(
                f"{source.name} is not a readable {source.suffix[1:]} file. Write it again."
            ) from error
    table: PlainTable = read_plain_table(source, limits, comments=False, header=header)
    frame = table.frame.astype(object).where(table.frame.notna(), None)
    return SideTable(source.name, frame, table.has_header, table.notes)


def key_column(table: SideTable, ids: Sequence[str], *, said: str | None = None) -> str | None:
    """Return the column that names the items, or None if none names half of its rows.

    A column counts by the share of its cells that are ids; the first of equals wins.
    """
    if said is not None:
        require_column(said, list(table.frame.columns), where=table.name, option="id")
        return said
    known = set(ids)
    best, best_share = None, 0.5
    for name in table.frame.columns:
        cells = [_text(cell) for cell in table.frame[name]]
        if len(set(cells)) < 0.9 * len(cells):  # a label, not a name
            continue
        share = float(np.mean([cell in known for cell in cells])) if cells else 0.0
        if share >= best_share and (best is None or share > best_share):
            best, best_share = str(name), share
    return best


def aligned(table: SideTable, key: str, ids: Sequence[str]) -> tuple[pd.DataFrame, int, int]:
    """Return the other columns in the order of ``ids``, and how many ids and rows had no partner.

    Of rows with the same id the first counts.
    """
    keys = pd.Index([_text(cell) for cell in table.frame[key]])
    rest = table.frame.drop(columns=[key])
    first = ~keys.duplicated()
    rows = keys[first].get_indexer(pd.Index(list(ids)))
    taken = rest[first].reset_index(drop=True).reindex(rows).reset_index(drop=True)
    n_missing = int((rows < 0).sum())
    return taken, n_missing, int(first.sum()) - (len(ids) - n_missing)


def path_keys(ids: Sequence[str]) -> list[tuple[str, ...]]:
    """Return other names under which files are known: without folders, without suffix."""
    ways: tuple[Callable[[str], str], ...] = (
        str,
        lambda path: PurePosixPath(path).name,
        lambda path: PurePosixPath(path).stem,
    )
    return [tuple(way(path) for path in ids) for way in ways]


def typed(
    frame: pd.DataFrame, options: ReadOptions, *, only_column_is_label: bool = True
) -> tuple[pd.DataFrame, dict[str, Role]]:
    """Return columns as numbers or texts, and the role of each.

    Roles said in ``options`` win; ``options.label`` names the label column.
    """
    columns: dict[str, pd.Series] = {}
    roles: dict[str, Role] = {}
    said: Mapping[str, Role] = options.columns
    label = _label_column(frame, options, only_column_is_label=only_column_is_label)
    for name in map(str, frame.columns):
        role = said.get(name) or ("label" if name == label else None)
        if role == "ignored":
            continue
        series = frame[name].map(_text, na_action="ignore").replace({"": pd.NA})
        values = numbers(series)
        is_number = bool((np.isfinite(values) == series.notna().to_numpy()).all())
        is_number = is_number and bool(series.notna().any())
        roles[name] = role or ("numeric" if is_number else _text_role(series))
        numeric = is_number and roles[name] == "numeric"
        columns[name] = pd.Series(values) if numeric else series.astype(pd.StringDtype())
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame))), roles


def _label_column(
    frame: pd.DataFrame, options: ReadOptions, *, only_column_is_label: bool
) -> str | None:
    names = [str(name) for name in frame.columns]
    if options.label is not None:
        require_column(options.label, names, where="the table of labels", option="label")
        return options.label
    if "label" in options.columns.values():
        return None
    n = len(frame)
    grouping = [c for c in names if 2 <= frame[c].nunique() < n and frame[c].nunique() <= n / 2 + 1]
    for name in grouping:
        if name.casefold() in _LABEL_NAMES:
            return name
    return grouping[0] if only_column_is_label and len(names) == 1 and grouping else None


def _text_role(series: pd.Series) -> Role:
    present = series.dropna().astype(str)
    if present.nunique() <= max(50, len(present) // 20):
        return "categorical"
    is_prose = present.str.contains(" ").mean() > 0.5 or present.str.len().mean() > 20
    return "text" if is_prose else "categorical"


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # an integer column with a gap is read as floats
    return str(cell).strip()
