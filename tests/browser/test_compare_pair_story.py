"""From the overview to the pair that differs most, its linked maps, and an item that moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import driving

pytestmark = pytest.mark.browser

MAPS = "[...window.__embedscopeMaps.values()].at(-1)"


def test_the_pair_that_differs_most_is_followed_down_to_an_item_that_moved(
    shared_app: Callable[..., Any], page: Any, console_errors: list[str]
) -> None:
    driving.open_sample(page, shared_app("app.py").url, "topics")
    driving.go(page, "Compare")
    for place, title in enumerate(("TF-IDF", "BERT word vectors", "BERT")):
        driving.add_method(page, title, place)
    page.get_by_text("Noise floor", exact=True).click()
    page.get_by_role("button", name="Build and compare").click()
    page.get_by_text("items in all 3 embeddings").wait_for(timeout=driving.LONG)
    page.get_by_role("button", name="Look at this pair").click()

    page.get_by_text("Agreement of each item").first.wait_for(timeout=driving.LONG)
    page.get_by_text("Displacement, where 1 is a random other item").wait_for(timeout=driving.LONG)
    page.get_by_text("UMAP of each, seed 0").wait_for(timeout=driving.LONG)
    page.wait_for_selector(".st-key-job_panel", state="detached", timeout=driving.LONG)
    page.wait_for_selector(driving.DRAWN, timeout=driving.LONG)
    assert page.locator(".em-host").count() == 2
    page.wait_for_function(f"{MAPS}.panes.length === 2")
    assert page.evaluate(f"{MAPS}.state.focus ?? null") is None

    # The first of the items that changed most, by a click anywhere in its row.
    driving.choose_row(page, page.get_by_text("Chosen:"))
    page.get_by_role("button", name="Look at this item").wait_for()
    page.wait_for_function(f"{MAPS}.state.focus !== null", timeout=driving.LONG)

    page.get_by_role("radio", name="Groups").click()
    page.get_by_text("groups beyond chance").wait_for(timeout=driving.LONG)
    page.get_by_text("keeps together").first.wait_for()
    page.get_by_role("radio", name="Items and maps").click()
    page.get_by_role("button", name="Look at this item").click()
    page.locator(".st-key-compare-item-head").wait_for(timeout=driving.LONG)
    columns = page.locator('[data-testid="sides"] section')
    columns.first.wait_for(timeout=driving.LONG)
    assert columns.count() == 3

    # The sample's homonyms: which sense does a sentence have? A model that reads it knows more.
    page.get_by_role("radio", name="Labels only one finds").click()
    driving.settled(page)
    for label, option in (
        ("Finds the label", "BERT"),
        ("Does not", "BERT word vectors"),
        ("Classes", "sense"),
    ):
        page.get_by_label(label, exact=True).last.click()
        page.get_by_role("option", name=option, exact=True).click()
        driving.settled(page)
    page.get_by_text("always naming the most frequent sense").wait_for(timeout=driving.LONG)
    counts = {
        lines[0]: int(lines[1])
        for text in page.get_by_test_id("stMetric").all_inner_texts()
        if len(lines := [line for line in text.splitlines() if line.strip()]) > 1
    }
    assert counts["only BERT"] > 3 * counts["only BERT word vectors"]
    assert console_errors == []
