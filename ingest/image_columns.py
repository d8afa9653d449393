"""What is known about images besides their pixels: their folders, and a table beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Mapping, Sequence
from pathlib import PurePosixPath

import pandas as pd

from core.errors import ParameterError
from ingest.dataset import Role
from ingest.preview import ColumnGuess
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions, require_column
from ingest.side_table import aligned, described, key_column, path_keys, read_side_table
from ingest.source import Source, as_source

_FOLDERS = ("folder", "outer folder")


def image_columns(
    ids: Sequence[str], tables: Sequence[Source], options: ReadOptions
) -> tuple[pd.DataFrame, dict[str, Role], tuple[ColumnGuess, ...], list[str]]:
    """Return folder columns and those of the table beside the images, with roles and notes.

    Raises
    ------
    ParameterError
        If the options name a column that neither the folders nor the table have.
    """
    columns, roles = _folders(ids)
    given = [as_source(options.metadata)] if options.metadata is not None else list(tables)
    table = read_side_table(given[0], options) if given else None
    known = list(dict.fromkeys([*roles, *(table.names if table else ())]))
    notes = _not_there(options, known)
    said = {name: role for name, role in options.columns.items() if name in roles}
    if options.label in roles:
        said[str(options.label)] = "label"
    if options.label in roles or options.label not in known:
        options = dataclasses.replace(options, label=None)
    columns, roles = _as_said(columns, roles, said)
    guesses = [_guess(columns, name, role, name in said) for name, role in roles.items()]
    if table is not None:
        joined, note = _joined(table, given[0].name, ids, options)
        notes.append(note)
        if joined is not None:
            extra, extra_roles, extra_guesses = described(joined, options, where=given[0].name)
            new = [name for name in extra_roles if name not in {"width", "height", *said, *roles}]
            columns = pd.concat([columns, extra[new]], axis=1)
            # The guess of the table goes before that of the folders.
            guesses = [*(g for g in extra_guesses if g.name in new), *guesses]
    by_name = {g.name: g for g in _one_label(guesses, {*said, *options.columns, options.label})}
    guesses = [by_name[str(name)] for name in columns]
    return columns, {guess.name: guess.role for guess in guesses}, tuple(guesses), notes


def _not_there(options: ReadOptions, known: Sequence[str]) -> list[str]:
    """Refuse names that are said and not there, as in a table read for its own sake.

    Folders may be gone once what cannot be read is left out: of those a note is returned.
    """
    notes = []
    named = [("columns", name) for name in options.columns]
    named += [("label", options.label)] if options.label is not None else []
    for option, name in named:
        if name in _FOLDERS and name not in known:
            notes.append(f"{name!r} was given a role, but the images lie in no such folders.")
        elif not known:
            raise ParameterError(
                f"{option}={name!r}: these images have no such column. They lie in one folder, and "
                "no table is beside them. Leave it out, or give a table."
            )
        else:
            require_column(name, known, where="this set of images", option=option)
    return list(dict.fromkeys(notes))


def _one_label(guesses: list[ColumnGuess], said: Container[str | None]) -> list[ColumnGuess]:
    """Leave one label among the guesses, or none beside labels that the user said."""
    labels = [guess for guess in guesses if guess.role == "label"]
    kept = [guess for guess in labels if guess.name in said] or labels[:1]
    return [
        dataclasses.replace(guess, role="categorical")
        if guess.role == "label" and guess not in kept
        else guess
        for guess in guesses
    ]


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
        columns[_FOLDERS[0]], roles[_FOLDERS[0]] = inner, "label"
    if len(set(outer)) >= 2:
        columns[_FOLDERS[1]], roles[_FOLDERS[1]] = outer, "categorical"
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
