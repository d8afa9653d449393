"""What is lost in fewer bytes, as a person asks for it: a comparison, a click, chart and table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser
N = 400


def test_an_embedding_of_a_comparison_is_compressed(
    shared_app: Callable[..., Any], page: Any
) -> None:
    every = (shared_data("ag_news") / "test.csv").read_text(encoding="utf-8").splitlines()
    some = "\n".join(sorted(every, key=len)[:N])
    page.goto(shared_app("app.py").url)
    driving.upload(page, {"name": "news.csv", "mimeType": "text/csv", "buffer": some.encode()})
    driving.add_to_workspace(page)
    driving.go(page, "Compare")
    driving.add_method(page, "BERT", 0)
    driving.add_method(page, "LSA", 1)
    page.get_by_role("button", name="Build and compare").click()
    page.get_by_text("400 items in both embeddings").wait_for(timeout=driving.LONG)
    page.get_by_role("radio", name="Compression").click()
    page.get_by_role("button", name="Compress ").click()
    page.get_by_text("What is left in fewer bytes").wait_for(timeout=driving.LONG)
    page.get_by_text("of the 10 true neighbours").first.wait_for()
    page.get_by_text("Each of 400 items looked up among the others").wait_for()
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
