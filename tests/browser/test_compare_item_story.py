"""One item in every method, and a query typed once, as a person asks for them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import driving

pytestmark = pytest.mark.browser

_WHAT = {
    "animals": ("The otter swims in the river", "A heron waits for fish", "The badger digs a sett"),
    "cooking": ("Fry the onions in butter", "The soup needs salt", "Bake the bread for an hour"),
    "astronomy": ("The telescope saw a comet", "Saturn has icy rings", "A star collapsed"),
    "law": ("The judge heard the appeal", "The contract was void", "A witness gave evidence"),
}
_WHEN = ("today", "in the morning", "last winter", "every year", "after the rain")


def a_table() -> dict[str, Any]:
    """Return 60 short texts of four topics, as a file."""
    out = io.StringIO("topic,text\n")
    out.seek(0, io.SEEK_END)
    for when in _WHEN:
        for topic, texts in _WHAT.items():
            out.writelines(f"{topic},{text} {when}\n" for text in texts)
    return {"name": "notes.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()}


def test_an_item_and_a_query_in_all_methods(shared_app: Callable[..., Any], page: Any) -> None:
    page.goto(shared_app("app.py").url)
    driving.upload(page, a_table())
    driving.add_to_workspace(page)
    driving.go(page, "Compare")
    page.get_by_role("button", name="Take").first.click()
    page.get_by_role("button", name="Build and compare").click()
    page.get_by_text("items in all 5 embeddings").first.wait_for(timeout=driving.LONG)
    page.get_by_role("radio", name="Item").click()

    page.get_by_label("Find an item").fill("otter swims in the river last winter")
    page.get_by_label("Find an item").press("Enter")
    page.locator(".st-key-compare-item-head").get_by_text("last winter").wait_for()
    columns = page.locator('[data-testid="sides"] section')
    columns.first.wait_for()
    assert columns.count() == 5
    assert columns.locator("li").count() == 50
    assert "of 10 share its topic (chance .24)" in columns.first.inner_text()
    assert columns.locator(".es-all").count() == 5 * len(
        set(columns.locator("li:has(.es-all)").evaluate_all("all => all.map(e => e.dataset.row)"))
    )
    page.get_by_text("Ranks of the neighbours").wait_for()

    # A click on a rank tells of that neighbour, and leads to it.
    rank = page.locator(".js-plotly-plot .scatterlayer .point").first
    answer = page.get_by_role("button", name="Look at it")
    for _ in range(5):  # the chart may be drawn anew under the pointer
        rank.scroll_into_view_if_needed()
        driving.settled(page)
        box = rank.bounding_box()
        page.mouse.move(box["x"], box["y"])
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        driving.settled(page)
        if answer.count():
            break
    answer.click()
    page.get_by_text("Click a number to see what it is").wait_for()
    assert page.get_by_label("Find an item").input_value() == ""

    page.get_by_role("radio", name="A typed query").click()
    query = page.get_by_placeholder("a sentence or a few words")
    query.fill("a comet seen through the telescope")
    query.press("Enter")
    page.get_by_text("that answered").wait_for(timeout=driving.LONG)
    nearest = page.locator('[data-testid="sides"] section li:first-child').all_inner_texts()
    assert len(nearest) == 5
    assert all("telescope" in text for text in (nearest[0], nearest[3]))  # TF-IDF, MiniLM
