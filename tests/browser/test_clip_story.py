"""CLIP on drawn scenes: pictures found by words and by a picture, and labelled by typed names."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ingest.samples import load_sample
from tests.browser import driving

pytestmark = pytest.mark.browser


def test_scenes_are_found_by_words_and_by_a_picture_and_labelled_by_names(page, shared_app):
    driving.open_sample(page, shared_app("app.py").url, "scenes")
    driving.go(page, "Search")
    search(page, "two red circles above a blue square")
    for caption in driving.neighbours(page)[:3]:
        assert re.fullmatch(r"two .*red circles above a .*blue square", caption), caption
    page.get_by_text("The bundled model knows drawn shapes").wait_for(timeout=driving.LONG)

    scenes = load_sample("scenes")
    search(page, "")
    page.locator('input[type="file"]').set_input_files(
        {"name": "scene.png", "mimeType": "image/png", "buffer": scenes.items[7]}
    )
    page.get_by_text("Items like this image").wait_for(timeout=driving.LONG)
    assert page.locator('[data-testid="neighbours"] li').first.get_attribute("data-position") == "7"

    page.get_by_text("Label by words", exact=True).click()
    names = page.get_by_role("textbox", name="Class names")
    names.fill("a red shape\na blue shape\na green shape")
    names.press("Control+Enter")
    page.get_by_text("nothing says how right").wait_for(timeout=driving.LONG)
    names.fill("red\nblue\ngreen\nblack\nyellow\norange\npurple\npink")
    names.press("Control+Enter")
    told = page.get_by_test_id("stMarkdown").filter(has_text="of 400 agree with colour")
    told.wait_for(timeout=driving.LONG)
    right, chance = re.findall(r"\.(\d\d)", told.inner_text())[:2]
    assert int(right) > 2 * int(chance)
    page.get_by_role("button", name="Colour the map by these").click()
    driving.wait_for_map(page)
    page.get_by_text("labels by words").first.wait_for(timeout=driving.LONG)


def search(page: Any, words: str) -> None:
    """Type a query."""
    box = page.get_by_label("Query")
    box.fill(words)
    box.press("Enter")
