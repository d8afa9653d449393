"""A recipe file: taken up again in the app, on the same data or on others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from components import session
from components.boundary import explained
from components.markdown import escaped
from core.errors import ParameterError
from ingest.wording import many
from workspace.identity import id_of_fingerprint
from workspace.portable import placed, read_recipe
from workspace.recipes import Recipe, checked
from workspace.workspace import DatasetInfo

_MOST_MB = 5


def recipe_file(info: DatasetInfo) -> Recipe | None:
    """Draw the uploader of a recipe; return the recipe when the user takes it, else None."""
    with st.expander("A recipe file", icon=":material/receipt_long:"):
        given = st.file_uploader(
            "Recipe of an earlier comparison",
            type=["json"],
            key="compare.recipe",
            max_upload_size=_MOST_MB,
            help="The recipe.json that the Report view of a comparison gives.",
        )
        if given is None:
            return None
        with explained():
            return _taken(info, given.getvalue())
    return None


def _taken(info: DatasetInfo, content: bytes) -> Recipe | None:
    """Say what the recipe holds and whether its data are here; return it when it is taken."""
    try:
        recipe, told = read_recipe(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParameterError(
            "The recipe is no UTF-8 text. Give the file that the Report view has written."
        ) from error
    here = {one.id for one in session.workspace().datasets()}
    ids = {name: id_of_fingerprint(one["fingerprint"]) for name, one in told.items()}
    lacking = [name for name, id in ids.items() if id not in here]
    names = ", ".join(member.name or member.embedder for member in recipe.members)
    st.caption(escaped(f"{many(len(recipe.members), 'embedding')}: {names}"))
    if not lacking:
        label, ids_here = "Take", ids
        st.caption(":material/check: The same data are in this workspace.")
    elif len(ids) == 1:
        label, ids_here = "Take for these data", dict.fromkeys(ids, info.id)
        st.warning(escaped(_other_data(info, told[lacking[0]])), icon=":material/info:")
    else:
        wanted = ", ".join(_data_told(told[name]) for name in lacking)
        st.warning(
            escaped(f"Not in this workspace: {wanted}. Load the same files first."),
            icon=":material/info:",
        )
        return None
    complete = checked(placed(recipe, ids_here))  # refuses what cannot be before it is taken
    return complete if st.button(label, key="compare.recipe.take") else None


def _data_told(told: Mapping[str, Any]) -> str:
    return f"{told['name']} ({many(told['items'], 'item')}, {told['kind']})"


def _other_data(info: DatasetInfo, told: Mapping[str, Any]) -> str:
    return (
        f"The recipe was made on other data: {_data_told(told)}. Load the same file, read the same "
        f"way, to repeat the comparison; or take its methods and settings for {info.name} as it is "
        "here."
    )
