"""Queries, documents and judgements: does an embedding find more than counting words does?"""

from __future__ import annotations

import csv
import re

import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser
N_DOCUMENTS = 300


def parts(text, *tags):
    found = [re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in tags]
    return [[" ".join(part.split()) for part in row] for row in zip(*found, strict=True)]


def table(path, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["id", "text"], *rows])
    return path


def test_search_with_judgements_beside_bm25(shared_app, page, console_errors, tmp_path):
    folder = shared_data("cranfield")
    documents = parts((folder / "cran.all.1400.xml").read_text(), "docno", "title", "text")
    queries = parts((folder / "cran.qry.xml").read_text(), "num", "title")
    page.goto(shared_app().url)
    driving.upload(page, table(tmp_path / "queries.csv", queries))
    driving.add_to_workspace(page)
    rows = [[id, f"{title} {text}"] for id, title, text in documents[:N_DOCUMENTS]]
    driving.upload(page, table(tmp_path / "papers.csv", rows))
    driving.add_to_workspace(page)

    driving.go(page, "Compare")
    for place, title in enumerate(("TF-IDF", "LSA")):
        driving.add_method(page, title, place)
    page.get_by_role("button", name="Build and compare").click()
    page.get_by_text("in both embeddings").wait_for(timeout=driving.LONG)
    page.get_by_role("radio", name="Task").click()
    page.get_by_role("radiogroup").get_by_text("Search with judgements").click()
    measure = page.get_by_role("button", name="Measure", exact=True)
    page.get_by_text("Give a file first: judgements.").wait_for()
    assert measure.is_disabled()
    page.locator('input[type="file"]').set_input_files(folder / "cranqrel.trec.txt")
    page.get_by_text("Give a file first").wait_for(state="detached")
    measure.click()

    page.get_by_text("has the highest nDCG").wait_for(timeout=driving.LONG)
    chart = page.locator(".js-plotly-plot")
    for name in ("TF-IDF", "LSA", "BM25"):
        chart.get_by_text(name, exact=True).wait_for()
    page.get_by_text("in the order given, not by their ids").wait_for()
    assert "judgements of documents that are not among" in page.inner_text("body")
    assert "chance .0" in chart.inner_text()
    page.get_by_role("radio", name="MAP").click()
    page.get_by_text("has the highest MAP").wait_for(timeout=driving.LONG)

    # Once measured it is there without the file.
    page.get_by_role("radio", name="Overview").click()
    page.get_by_text("Look at this pair").wait_for(timeout=driving.LONG)
    page.reload()
    page.get_by_text("in both embeddings").wait_for(timeout=driving.LONG)
    page.get_by_role("radio", name="Task").click()
    page.get_by_text("Measured before: cranqrel.trec.txt").wait_for(timeout=driving.LONG)
    page.get_by_text("has the highest nDCG").wait_for(timeout=driving.LONG)
    # Opened below the root, Streamlit first asks for its own routes beside the page.
    console_errors[:] = [line for line in console_errors if "404" not in line]
