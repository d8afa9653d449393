"""Recipes that leave the workspace: with what is needed to find or read their data again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.errors import DatasetError, ParameterError
from ingest.dataset import Dataset
from workspace.recipes import Recipe

if TYPE_CHECKING:
    from workspace.records import HowRead
    from workspace.stored_comparison import ComparisonInfo
    from workspace.workspace import Workspace

FORMAT = 1
_OPTIONS = frozenset((
    "text", "label", "id", "columns", "ignore", "numeric", "categorical", "time",
    "delimiter", "encoding", "quotechar", "header", "sheet", "dim",
    "source", "target", "weight", "directed", "left", "right", "user", "item",
))  # fmt: skip
"""Options of ``ingest.read_dataset`` that a recipe may hold; never one that names a file."""


def portable_recipe(workspace: Workspace, info: ComparisonInfo) -> dict[str, Any]:
    """Return a comparison's recipe with names and fingerprints of its data, for JSON.

    Data is called "data 1", "data 2" …; the recipe names it so.
    """
    wanted = info.recipe.datasets
    called = {id: f"data {number}" for number, id in enumerate(wanted, start=1)}
    members = tuple(
        dataclasses.replace(member, dataset=called[member.dataset])
        for member in info.recipe.members
    )
    recipe = dataclasses.replace(info.recipe, dataset=called[info.recipe.dataset], members=members)
    runs = [workspace.run(run) for run in info.runs]
    return {
        "embedscope": FORMAT,
        "recipe": recipe.to_dict(),
        "data": {called[id]: _told(workspace.dataset(id), workspace.how_read(id)) for id in wanted},
        "versions": {name: v for run in runs for name, v in run.versions.items()},
    }


def _told(data: Dataset, how: HowRead) -> dict[str, Any]:
    return {
        "name": data.name,
        "kind": str(data.modality),
        "items": len(data),
        "left_out": data.n_dropped,
        "fingerprint": data.fingerprint,
        "columns": dict(data.roles),
        "notes": list(data.notes),
        "files": list(how.files),
        "options": {name: value for name, value in how.options.items() if name in _OPTIONS},
    }


def read_recipe(text: str) -> tuple[Recipe, dict[str, dict[str, Any]]]:
    """Return the recipe of a file and what it says of its data, by name.

    Raises
    ------
    ParameterError
        If it is no such file, or of another version.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ParameterError(f"The recipe is no JSON: {error}.") from error
    if not isinstance(values, Mapping) or "recipe" not in values:
        raise ParameterError('The file holds no recipe. It begins with {"embedscope": 1, …}.')
    if values.get("embedscope") != FORMAT:
        raise ParameterError(
            f"The recipe is of version {values.get('embedscope')!r}; this program reads {FORMAT}."
        )
    told = values.get("data", {})
    if not isinstance(values["recipe"], Mapping) or not isinstance(told, Mapping):
        raise ParameterError('"recipe" and "data" of the file must be objects in braces.')
    for name, about in told.items():
        _check_told(name, about)
    recipe, data = Recipe.from_dict(values["recipe"]), dict(told)
    lacking = {recipe.dataset, *(m.dataset for m in recipe.members if m.dataset)} - set(data)
    if lacking:
        raise ParameterError(f"The recipe does not describe {', '.join(sorted(lacking))}.")
    return recipe, data


def _check_told(name: str, about: object) -> None:
    """Refuse a description of data that does not say which data it is."""
    wanted = {"name": str, "kind": str, "items": int, "fingerprint": str}
    fits = isinstance(about, Mapping) and all(
        isinstance(about.get(part), kind) for part, kind in wanted.items()
    )
    if not fits:
        raise ParameterError(
            f"The recipe does not say which data {name!r} is: name, kind and fingerprint as text "
            "and the number of items belong there."
        )
    options = about.get("options", {}) if isinstance(about, Mapping) else {}
    if not isinstance(options, Mapping):
        raise ParameterError(f"The recipe: the options of {name!r} must be an object in braces.")
    for option, value in options.items():
        if option not in _OPTIONS or not _is_plain(value):
            raise ParameterError(
                f"The recipe: {option!r} with {value!r} is no option that {name!r} can be read "
                f"with. These are: {', '.join(sorted(_OPTIONS))}."
            )


def _is_plain(value: object) -> bool:
    """Tell whether a value is text, a number, a flag, a list of texts or texts by name."""
    several: list[object] = []
    if isinstance(value, Mapping):
        several = list(value.values())
    elif isinstance(value, list | tuple):
        several = list(value)
    else:
        return value is None or isinstance(value, str | int)
    return all(isinstance(each, str) for each in several)


def options_of(about: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    """Return the options to read the data of a recipe with.

    Parameters
    ----------
    about : mapping
        What the recipe says of the data.
    said : mapping of role to column
        What goes before the roles of the recipe.
    """
    options = {name: value for name, value in about.get("options", {}).items() if value is not None}
    roles = dict(options.pop("columns", {}))
    kept = {name: role for name, role in roles.items() if role not in said}
    return {**options, **({"columns": kept} if kept else {}), **said}


def placed(recipe: Recipe, ids: Mapping[str, str]) -> Recipe:
    """Return the recipe with the ids that its data has in a workspace."""
    members = tuple(
        dataclasses.replace(member, dataset=ids[member.dataset or recipe.dataset])
        for member in recipe.members
    )
    return dataclasses.replace(recipe, dataset=ids[recipe.dataset], members=members)


def check_same(data: Dataset, told: Mapping[str, Any]) -> None:
    """Refuse data that is not what the recipe was made with.

    Raises
    ------
    DatasetError
        If the fingerprints differ.
    """
    if data.fingerprint != told["fingerprint"]:
        raise DatasetError(
            f"{data.name} is not the data of the recipe: {len(data):,} items of {data.modality} "
            f"data with fingerprint {data.fingerprint[:12]}…, wanted are {told['items']:,} of "
            f"{told['kind']} data with {told['fingerprint'][:12]}… ({told['name']}). Give the same "
            "file, read the same way, or pass --other-data to compare on it all the same."
        )
