"""The line that makes a comparison again."""

from __future__ import annotations

from components.compare_report import command


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
