"""From data to an answer: a ready-made comparison, its overview, and the report opened offline."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser

N_INTENTS, PER_INTENT = 10, 20


def queries_of_a_few_intents() -> dict[str, Any]:
    """Return the first queries of ten intents of banking77, as a file."""
    with (shared_data("banking77") / "test.csv").open(encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file)
    taken: dict[str, list[list[str]]] = {}
    for row in rows:
        taken.setdefault(row[1], []).append(row)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heading)
    for intent in sorted(taken)[:N_INTENTS]:
        writer.writerows(taken[intent][:PER_INTENT])
    return {"name": "queries.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()}


def test_a_ready_made_comparison_ends_in_a_report_that_opens_offline(
    page, open_page, shared_app, tmp_path: Path
):
    page.goto(shared_app("app.py").url)
    driving.upload(page, queries_of_a_few_intents())
    driving.add_to_workspace(page)
    driving.go(page, "Compare")
    page.get_by_role("button", name="Take").first.click()  # classic and contextual
    page.get_by_text("5 to be computed").wait_for(timeout=driving.LONG)
    page.get_by_role("button", name="Build and compare").click()
    page.get_by_text(re.compile("200 items in all 5 embeddings")).wait_for(timeout=driving.LONG)
    body = page.get_by_text(re.compile(r"For these 200 texts, .* does best"))
    body.wait_for(timeout=driving.LONG)
    assert re.search(r"in 0\.\d\d \(0\.\d\d to [01]\.\d\d\)", body.inner_text())
    page.get_by_text("Word2Vec with another seed shares").first.wait_for(timeout=driving.LONG)
    page.get_by_text(re.compile(r"unrelated spaces: 0\.050")).wait_for(timeout=driving.LONG)

    # Down to the pair that differs most, and to an item that moved.
    page.get_by_role("button", name="Look at this pair").click()
    page.get_by_text("Agreement of each item").first.wait_for(timeout=driving.LONG)
    page.get_by_text("Displacement, where 1 is a random other item").wait_for(timeout=driving.LONG)
    driving.choose_row(page, page.get_by_text("Chosen:"))
    page.get_by_role("button", name="Look at this item").wait_for()

    page.get_by_text("Report", exact=True).first.click()
    button = page.get_by_test_id("stDownloadButton").get_by_role("button", name="Report")
    with page.expect_download(timeout=driving.LONG) as download:
        button.click()
    target = tmp_path / "report.html"
    download.value.save_as(target)
    reader = open_page(offline=True)
    reader.set_content(target.read_text(encoding="utf-8"))
    assert reader.get_by_role("heading", level=1).inner_text().endswith("5 embeddings compared")
    assert reader.locator("table.matrix").count() == 5
    assert reader.get_by_role("heading", name="How well they do").is_visible()
    text = reader.inner_text("body")
    assert "overlap@10" in text
    assert "chance" in text

    # The recipe is taken up again: every embedding of it is there.
    with page.expect_download(timeout=driving.LONG) as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button", name="Recipe").click()
    recipe = tmp_path / "recipe.json"
    download.value.save_as(recipe)
    page.get_by_role("button", name="New").click()
    page.get_by_text("Nothing yet").or_(page.get_by_text("5 embeddings")).first.wait_for()
    while page.locator('[class*="st-key-compare-out-"] button').count():
        page.locator('[class*="st-key-compare-out-"] button').first.click()
        driving.settled(page)
    page.get_by_text("A recipe file").click()
    page.locator('input[type="file"]').first.set_input_files(recipe)
    page.get_by_text("The same data are in this workspace").wait_for(timeout=driving.LONG)
    page.get_by_role("button", name="Take", exact=True).last.click()
    page.get_by_text("5 embeddings · 200 items").wait_for(timeout=driving.LONG)
