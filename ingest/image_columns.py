"""What is known about images besides their pixels: their folders, and a table beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import pandas as pd

from core.errors import ParameterError
from ingest.dataset import Role
from ingest.preview import ColumnGuess
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions
from ingest.side_table import aligned, described, key_column, path_keys, read_side_table
from ingest.source import Source, as_source


def image_columns(
    ids: Sequence[str], tables: Sequence[Source], options: ReadOptions
) -> tuple[pd.DataFrame, dict[str, Role], tuple[ColumnGuess, ...], list[str]]:
    """Return folder columns and those of the table beside the images, with roles and notes."""
    columns, roles = _folders(ids)
    said = {name: role for name, role in options.columns.items() if name in roles}
    columns, roles = _as_said(columns, roles, said)
    guesses = tuple(_guess(columns, name, role, name in said) for name, role in roles.items())
    given = [as_source(options.metadata)] if options.metadata is not None else list(tables)
    if not given:
        return columns, roles, guesses, []
    joined, note = _joined(read_side_table(given[0], options), given[0].name, ids, options)
    if joined is None:
        return columns, roles, guesses, [note]
    extra, extra_roles, extra_guesses = described(joined, options, where=given[0].name)
    if "label" in extra_roles.values() and roles.get("folder") == "label" and not said:
        roles["folder"] = "categorical"
        guesses = tuple(dataclasses.replace(guess, role="categorical") for guess in guesses)
    new = [name for name in extra_roles if name not in {"width", "height", *columns}]
    return (
        pd.concat([columns, extra[new]], axis=1),
        {**roles, **{name: extra_roles[name] for name in new}},
        (*guesses, *(guess for guess in extra_guesses if guess.name in new)),
        [note],
    )


def _joined(
    table: RawTable, name: str, ids: Sequence[str], options: ReadOptions
) -> tuple[RawTable | None, str]:
    for names in path_keys(ids):
        key = key_column(table, name, names, said=options.id)
        if len(set(names)) == len(names) and key is not None:
            joined, n_missing, n_over = aligned(table, key, names)
            if n_missing < len(ids):
                over = f"; {n_over:,} rows name no image" if n_over else ""
                return joined, (
                    f"Columns of {name} were joined by {key!r}: {len(ids) - n_missing:,} of "
                    f"{len(ids):,} images have a row{over}."
                )
    return None, f"{name} was left out: no column of it names the images."


def _folders(ids: Sequence[str]) -> tuple[pd.DataFrame, dict[str, Role]]:
    """Return the innermost folder as label, and the outermost where there are two levels."""
    paths = [PurePosixPath(name).parts[:-1] for name in ids]
    while paths and all(paths) and len({path[0] for path in paths}) == 1:
        paths = [path[1:] for path in paths]  # a folder that holds everything tells nothing
    columns: dict[str, list[str]] = {}
    roles: dict[str, Role] = {}
    inner = [path[-1] if path else "" for path in paths]
    outer = [path[0] if len(path) > 1 else "" for path in paths]
    if len(set(inner)) >= 2:
        columns["folder"], roles["folder"] = inner, "label"
    if len(set(outer)) >= 2:
        columns["outer folder"], roles["outer folder"] = outer, "categorical"
    return pd.DataFrame(columns, index=pd.RangeIndex(len(ids))), roles


def _as_said(
    columns: pd.DataFrame, roles: dict[str, Role], said: Mapping[str, Role]
) -> tuple[pd.DataFrame, dict[str, Role]]:
    """Return the folder columns with the roles that the user gives them.

    Raises
    ------
    ParameterError
        For a role that names of folders cannot have.
    """
    for name, role in said.items():
        if role not in {"label", "categorical", "text", "ignored"}:
            raise ParameterError(
                f"columns[{name!r}]={role!r}: names of folders may be label, categorical, text or "
                "ignored."
            )
    named = {name: said.get(name, role) for name, role in roles.items()}
    kept: dict[str, Role] = {name: role for name, role in named.items() if role != "ignored"}
    return columns[list(kept)], kept


def _guess(columns: pd.DataFrame, name: str, role: Role, is_said: bool) -> ColumnGuess:
    names, reason = columns[name].unique(), "as you said" if is_said else "name of the folder"
    return ColumnGuess(name, role, reason, n_distinct=len(names), examples=tuple(names[:3]))
