"""The line that makes a comparison again."""

from __future__ import annotations

from components.compare_report import command, datasets_of
from workspace.recipes import Member, Recipe


def test_the_command_names_the_files_that_were_read():
    assert command("reviews-recipe.json", [("reviews.csv",)]) == (
        "python -m workspace reviews-recipe.json --data reviews.csv --out comparison"
    )
    assert command("r.json", [()]) == "python -m workspace r.json --out comparison"
    two = command("r.json", [("my edges.csv", "nodes.csv"), ("words.csv",)])
    assert two == (
        "python -m workspace r.json --data 'data 1=my edges.csv' --data 'data 1=nodes.csv' "
        "--data 'data 2=words.csv' --out comparison"
    )


def test_the_data_are_numbered_as_in_the_recipe_file():
    members = (Member("lsa", dataset="d2"), Member("netmf", dataset="d1"), Member("spectral"))
    recipe = Recipe(
        "d1", tuple(m if m.dataset else Member("spectral", dataset="d1") for m in members)
    )
    assert datasets_of(recipe) == ["d1", "d2"]
