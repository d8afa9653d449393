"""A graph on the map as a person meets it: edges below the points, links under the pointer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser

MAP = "[...window.__embedscopeMaps.values()].at(-1)"


@pytest.fixture
def url(shared_app: Callable[..., Any]) -> str:
    return shared_app("app.py").url


def caption(page: Any) -> str:
    return page.get_by_test_id("map-caption").inner_text()


def hover(page: Any, position: int) -> str:
    """Move to a node; return what the tooltip says."""
    x, y = page.evaluate(f"i => {MAP}.pointOnPage(i)", position)
    page.mouse.move(x - 40, y - 40)
    page.mouse.move(x, y)
    page.wait_for_function(f"i => {MAP}.state.hovered === i", arg=position)
    return page.get_by_test_id("map-tip").inner_text()


def clear_of_others(page: Any) -> int:
    """Return a linked node with no other within a few pixels, so that a hover can mean only it."""
    return page.evaluate(
        f"""(() => {{ const m = {MAP};
        const q = Array.from({{length: m.scene.n}}, (_, i) => m.view.pixel(i));
        const gap = q.map(([x, y], i) => Math.min(...q.map(([a, b], j) =>
          i === j || !m.scene.links.of(i).length ? Infinity : Math.hypot(a - x, b - y))));
        const rated = gap.map((g, i) => [Number.isFinite(g) ? g : -1, i]);
        return rated.sort((a, b) => b[0] - a[0])[0][1]; }})()"""
    )


def toggle_edges(page: Any) -> None:
    page.locator('[class*="st-key-map-edges"] label').first.click()


def test_edges_of_a_sample_graph_are_drawn_lit_and_switched_off(page, url):
    driving.open_sample(page, url, "les-miserables")
    assert "254 of 254 edges drawn, thicker is heavier (1 to 31)" in caption(page)
    page.wait_for_function(f"{MAP}.edgePainter?.own?.length === 254")
    node = clear_of_others(page)
    degree = len(page.evaluate(f"i => {MAP}.scene.links.of(i)", node))
    assert f"linked to {degree} node" in hover(page, node)
    driving.click_point(page, node)
    driving.neighbours(page)
    body = page.inner_text("body")
    assert f"Linked to {degree} node" in body
    assert "nearest are linked (chance" in body
    tags = page.locator(".es-linked").count() + page.locator(".es-not-linked").count()
    assert tags == 10
    toggle_edges(page)
    page.wait_for_function(f"!{MAP}.look.showEdges")
    assert "edges" not in caption(page)
    assert "linked to" in hover(page, node)  # a node's own links are still lit


def test_a_large_directed_graph_shows_its_edges_only_when_asked(page, url):
    page.goto(url)
    mail = shared_data("email_eu_core")
    driving.upload(page, mail / "email-Eu-core.txt", mail / "email-Eu-core-department-labels.txt")
    driving.add_to_workspace(page)
    driving.embed(page)
    driving.wait_for_map(page)
    assert "1,005 of 1,005 drawn" in caption(page)
    assert "edges" not in caption(page)
    toggle_edges(page)
    page.wait_for_function(f"{MAP}.edgePainter?.own?.length === 24929", timeout=driving.LONG)
    assert "24,929 of 25,571 edges drawn, 642 from a node to itself not shown" in caption(page)
    driving.click_point(page, clear_of_others(page))
    driving.neighbours(page)
    assert " out, " in page.get_by_text("Linked to ").first.inner_text()


def test_a_map_of_texts_offers_no_edges(page, url):
    driving.open_sample(page, url, "topics")
    assert page.locator('[class*="st-key-map-edges"]').count() == 0
    assert not page.get_by_test_id("map-lines").is_visible()
