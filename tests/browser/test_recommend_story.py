"""Who rated what, as a person meets it: two files, two towers, lists with titles, and figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return what 80 users said of the films that at least five of them rated, and the films."""
    folder = shared_data("movielens_small")
    ratings = pd.read_csv(folder / "ratings.csv")
    ratings = ratings[ratings["userId"] <= 80]
    counts = ratings["movieId"].value_counts()
    ratings = ratings[ratings["movieId"].isin(counts.index[counts >= 5])]
    films = pd.read_csv(folder / "movies.csv")
    paths = tmp_path / "ratings.csv", tmp_path / "movies.csv"
    ratings.to_csv(paths[0], index=False)
    films[films["movieId"].isin(ratings["movieId"])].to_csv(paths[1], index=False)
    return paths


def test_films_are_recommended_by_title_beside_what_a_user_rated(
    page: Any, shared_app: Callable[..., Any], files: tuple[Path, Path]
) -> None:
    page.goto(shared_app("app.py").url)
    driving.upload(page, *files)
    driving.add_to_workspace(page)
    driving.choose_method(page, "Two towers for users and items")
    page.get_by_text("PCA", exact=True).click()
    driving.embed(page)
    driving.go(page, "Recommend")  # the lists come with the vectors, before there is a map
    page.get_by_text("Recommended", exact=True).wait_for(timeout=driving.LONG)
    page.get_by_text(re.compile(r"Has rated \d+ items")).wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    listed = pd.read_csv(download.value.path())
    titles = set(pd.read_csv(files[1])["title"])
    assert len(listed) == 20
    assert set(listed["item"]) <= titles
    assert listed["score"].is_monotonic_decreasing
    page.get_by_text("How well", exact=True).click()
    page.get_by_text("What comes back of the interactions set aside").wait_for()
    body = page.inner_text("body")
    assert re.search(r"(beats|cannot be told apart)[^.]*\.", body)
    assert "Means over" in body
