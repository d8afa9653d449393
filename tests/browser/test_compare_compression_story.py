"""What is lost in fewer bytes, as a person asks for it: a comparison, a click, chart and table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import driving

pytestmark = pytest.mark.browser


def test_an_embedding_of_a_comparison_is_compressed(
    shared_app: Callable[..., Any], page: Any
) -> None:
    driving.open_sample(page, shared_app("app.py").url, "karate")
    driving.go(page, "Compare")
    page.get_by_role("button", name="Take").first.click()
    page.get_by_role("button", name="Build and compare").click()
    page.get_by_text("items in all").first.wait_for(timeout=driving.LONG)
    page.get_by_role("radio", name="Compression").click()
    page.get_by_role("button", name="Compress ").click()
    page.get_by_text("What is left in fewer bytes").wait_for(timeout=driving.LONG)
    page.get_by_text("of the 10 true neighbours").first.wait_for()
    page.get_by_text("Each of 34 items looked up among the others").wait_for()
    page.get_by_text("34 items are too few to train a product code").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Table as CSV").click()
    lines = saved.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("embedding,code,dimensions,bytes per vector")
    assert any(",int8," in line for line in lines)

    # What was measured is there again at once.
    page.get_by_role("radio", name="Overview").click()
    page.get_by_text("Cost and quality").wait_for()
    page.get_by_role("radio", name="Compression").click()
    page.get_by_text("What is left in fewer bytes").wait_for()
