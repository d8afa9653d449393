"""From the overview to the pair that differs most, its linked maps, and an item that moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import driving

pytestmark = pytest.mark.browser

MAPS = "[...window.__embedscopeMaps.values()].at(-1)"


def leave_out(page: Any, name: str, left: int) -> None:
    """Take a member out of the recipe that is being put together."""
    rows = page.locator('[class*="st-key-compare-out-"] button')
    names = page.locator('[data-testid="stMain"]').inner_text()
    assert name in names
    rows.nth(left).click()
    driving.settled(page)


def test_the_pair_that_differs_most_is_followed_down_to_an_item_that_moved(
    shared_app: Callable[..., Any], page: Any, console_errors: list[str]
) -> None:
    driving.open_sample(page, shared_app("app.py").url, "topics")
    driving.go(page, "Compare")
    page.get_by_role("button", name="Take").first.click()
    page.get_by_text("MiniLM, layer 3").first.wait_for(timeout=driving.LONG)
    leave_out(page, "MiniLM, layer 3", 4)
    leave_out(page, "Word2Vec", 2)
    page.get_by_text("Noise floor", exact=True).click()
    page.get_by_role("button", name="Build and compare").click()
    page.get_by_text("items in all 3 embeddings").wait_for(timeout=driving.LONG)
    page.get_by_role("button", name="Look at this pair").click()

    page.get_by_text("Agreement of each item").wait_for(timeout=driving.LONG)
    page.get_by_text("Displacement, where 1 is a random other item").wait_for(timeout=driving.LONG)
    page.get_by_text("UMAP of each, seed 0").wait_for(timeout=driving.LONG)
    page.wait_for_selector(".st-key-job_panel", state="detached", timeout=driving.LONG)
    page.wait_for_selector(driving.DRAWN, timeout=driving.LONG)
    assert page.locator(".em-host").count() == 2
    page.wait_for_function(f"{MAPS}.panes.length === 2")
    assert page.evaluate(f"{MAPS}.state.focus ?? null") is None

    # The first of the items that changed most, by a click anywhere in its row.
    table = page.get_by_test_id("stDataFrame").first
    told = page.get_by_text("Chosen:")
    for _ in range(5):  # what is drawn above the table may still push it down
        table.scroll_into_view_if_needed()
        table.click(position={"x": 150, "y": 52})
        driving.settled(page)
        if told.count():
            break
    told.wait_for(timeout=driving.LONG)
    page.get_by_role("button", name="Look at this item").wait_for()
    page.wait_for_function(f"{MAPS}.state.focus !== null", timeout=driving.LONG)

    page.get_by_role("radio", name="Groups").click()
    page.get_by_text("groups beyond chance").wait_for(timeout=driving.LONG)
    page.get_by_text("keeps together").first.wait_for()
    assert console_errors == []
