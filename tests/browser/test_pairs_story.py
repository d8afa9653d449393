"""Ratings with their movies, and images with their captions, as a person loads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser


@pytest.fixture
def url(shared_app: Callable[..., Any]) -> str:
    return shared_app("app.py").url


def test_ratings_with_movies_and_images_with_captions_are_added(
    url: str, page: Any, tmp_path: Path
) -> None:
    folder = shared_data("movielens_small")
    ratings = tmp_path / "ratings.csv"
    lines = (folder / "ratings.csv").read_text(encoding="utf-8").splitlines()[:2_001]
    ratings.write_text("\n".join(lines), encoding="utf-8")
    page.goto(url)
    driving.upload(page, ratings, folder / "movies.csv")
    page.get_by_text("recognised as interactions").wait_for()
    page.get_by_text("movies.csv is joined to the items by 'movieId': title").wait_for()
    driving.add_to_workspace(page)
    n_users = len({line.split(",")[0] for line in lines[1:]})
    page.get_by_text(f"ratings · {n_users} users × ").first.wait_for()
    page.get_by_text("2,000 interactions").first.wait_for()

    driving.go(page, "Data")
    page.get_by_text("Paste text instead").wait_for()
    emoji = shared_data("emoji_captions")
    driving.upload(page, emoji / "emoji.zip", emoji / "captions.csv")
    page.get_by_role("radio", name="pairs").click()
    page.get_by_text("186 pairs of 186 texts and 186 images").wait_for()
    driving.add_to_workspace(page)
    page.get_by_text("emoji · 186 texts × 186 images, 186 pairs").first.wait_for()
    methods = page.get_by_role("radiogroup").first.inner_text()
    assert "CLIP" in methods  # takes both sides
    assert "TF-IDF" not in methods
