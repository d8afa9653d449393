"""How a person drives the app, step by step; used by the story tests and the benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
DRAWN = '[data-drawn="true"]'
LONG = 180_000  # a machine may be slow, and jobs of other stories may come first


def open_sample(page: Any, url: str, sample: str) -> None:
    """Open the start page, click a sample's card, and wait for the drawn map."""
    page.goto(url)
    page.locator(f".st-key-card_{sample} button").click(timeout=LONG)
    wait_for_map(page)


def wait_for_map(page: Any, *, finished: bool = True) -> None:
    """Wait until a map is drawn (and, by default, until no job is running any more)."""
    page.wait_for_selector(DRAWN, timeout=LONG)
    if finished:
        page.wait_for_selector(".st-key-job_panel", state="detached", timeout=LONG)
        page.wait_for_selector(DRAWN, timeout=LONG)


def settled(page: Any) -> None:
    """Wait until the page has answered the last click: what is pressed meanwhile may be lost."""
    page.wait_for_timeout(300)
    page.wait_for_selector('[data-test-script-state="notRunning"]', timeout=LONG)


def eventually(page: Any, look: Callable[[], T], fits: Callable[[T], bool], tries: int = 60) -> T:
    """Look until what is seen fits (the page may be about to be drawn anew); return it."""
    for _ in range(tries):
        seen = look()
        if fits(seen):
            break
        page.wait_for_timeout(500)
    return seen


def go(page: Any, title: str) -> None:
    """Follow a link of the navigation."""
    page.locator('[data-testid="stSidebarNav"]').get_by_role("link", name=title, exact=True).click()


def upload(page: Any, *files: Path | dict[str, Any], exact: bool = True) -> None:
    """Give files to the uploader of the data page and wait for what was recognised."""
    go(page, "Data")
    page.locator('input[type="file"]').first.set_input_files(list(files))
    page.get_by_role("button", name="Add to workspace").wait_for(timeout=LONG)
    if len(files) > 1:  # the preview of the first may be there before the others have arrived
        settled(page)


def add_to_workspace(page: Any) -> None:
    """Accept the preview; the app goes on to the methods."""
    page.get_by_role("button", name="Add to workspace").click()
    page.get_by_role("heading", name="Embed").wait_for(timeout=LONG)
    settled(page)


def choose_method(page: Any, title: str) -> None:
    """Choose a method on the embed page."""
    page.get_by_role("radiogroup").get_by_text(title, exact=True).first.click()
    settled(page)


def embed(page: Any) -> None:
    """Start the chosen method."""
    page.get_by_role("button", name="Embed and draw the map").click()


def add_method(page: Any, title: str, place: int) -> None:
    """Choose a method on the Compare page and add it as the next in place."""
    box = page.locator('[class*="st-key-compare-method"] input').first
    add = page.get_by_role("button", name=f"Add {title}", exact=True)
    box.wait_for(timeout=LONG)
    settled(page)
    if not add.count():
        box.click()
        box.fill(title)
        page.get_by_role("option", name=title, exact=True).click()  # another may stand first
    add.click(timeout=LONG)
    page.locator('[class*="st-key-compare-out-"]').nth(place).wait_for(timeout=LONG)


def choose_row(page: Any, told: Any) -> None:
    """Click the first row of the first table until the page tells what was chosen."""
    table = page.get_by_test_id("stDataFrame").first
    table.wait_for(timeout=LONG)
    for _ in range(5):  # what is drawn above the table may still push it down
        table.scroll_into_view_if_needed()
        table.click(position={"x": 150, "y": 52})
        settled(page)
        if told.count():
            break
    told.wait_for(timeout=LONG)


def click_point(page: Any, position: int) -> None:
    """Click the point of an item on the map."""
    x, y = page.evaluate(
        "i => [...window.__embedscopeMaps.values()].at(-1).pointOnPage(i)", position
    )
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y)
    page.mouse.down()
    page.wait_for_timeout(160)
    page.mouse.up()


def neighbours(page: Any) -> list[str]:
    """Return the listed neighbours' texts, nearest first."""
    page.wait_for_selector('[data-testid="neighbours"] li', timeout=LONG)
    return page.locator('[data-testid="neighbours"] .es-text').all_inner_texts()
