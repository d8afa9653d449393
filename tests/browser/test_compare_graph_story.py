"""Citations: walks and spectra of the links beside the words of the papers, joined by id."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser


def words_of_papers(folder: Path, target: Path) -> Path:
    """Write the words of each paper (they are known by number only) as a table of texts."""
    part = np.load(folder / "features_csr.npz")
    with target.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["id", "text"])
        for i, (start, stop) in enumerate(zip(part["indptr"], part["indptr"][1:], strict=False)):
            out.writerow([i, " ".join(f"w{word}" for word in part["indices"][start:stop])])
    return target


def test_links_and_words_of_the_same_papers_are_compared(
    shared_app: Callable[..., Any], page: Any, tmp_path: Path
) -> None:
    folder = shared_data("cora")
    page.goto(shared_app("app.py").url)
    driving.upload(page, words_of_papers(folder, tmp_path / "words.csv"))
    driving.add_to_workspace(page)
    driving.choose_method(page, "LSA")
    page.get_by_role("radio", name="PCA").or_(page.get_by_role("button", name="PCA")).first.click()
    driving.settled(page)
    driving.embed(page)
    driving.wait_for_map(page)
    driving.upload(page, folder / "edges.tsv", folder / "nodes.tsv")
    driving.add_to_workspace(page)

    driving.go(page, "Compare")
    driving.add_method(page, "Spectral embedding", 0)
    driving.add_method(page, "node2vec", 1)
    there = page.locator('[class*="st-key-compare-runs"] input').first
    there.click()
    there.fill("LSA")
    page.keyboard.press("Enter")
    driving.settled(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("3 embeddings").wait_for(timeout=driving.LONG)
    page.get_by_text("Noise floor", exact=True).click()  # a second node2vec takes its time
    driving.settled(page)
    page.get_by_role("button", name="Build and compare").click()
    page.get_by_text(re.compile(r"items in all 3 embeddings")).wait_for(timeout=driving.LONG)
    # Words and links of a paper are two views of it: far more in common than chance, far from all.
    said = page.get_by_text(re.compile("^Spectral embedding and LSA .*share")).first.inner_text()
    shared = float(re.search(r"share ([\d.]+) %", said).group(1))
    assert 5 < shared < 20, said
    page.get_by_text(re.compile(r"node2vec .*own class in 0\.8\d")).first.wait_for()
    chart = page.locator(".js-plotly-plot").first
    chart.get_by_text("node2vec").first.wait_for(timeout=driving.LONG)
