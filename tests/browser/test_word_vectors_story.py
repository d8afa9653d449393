"""Word vectors of one's own, looked up for texts; and what is offered where there are none."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import numpy as np
import pytest

from ingest.tokenize import tokenize
from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser

MISSING = {"card", "top"}


def two_files(n: int = 300) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return n queries of banking77 as CSV, and a .vec file of their words but ``MISSING``."""
    with (shared_data("banking77") / "test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    out = io.StringIO()
    csv.writer(out).writerows([rows[0], *rows[1::10][:n]])
    words = sorted({w for row in rows[1::10][:n] for w in tokenize(row[0])} - MISSING)
    numbers = np.random.default_rng(0).normal(size=(len(words), 20)).round(3)
    lines = [f"{w} {' '.join(map(str, v))}" for w, v in zip(words, numbers.tolist(), strict=True)]
    vec = f"{len(words)} 20\n" + "\n".join(lines) + "\n"
    return (
        {"name": "queries.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()},
        {"name": "tiny.vec", "mimeType": "text/plain", "buffer": vec.encode()},
    )


def test_words_are_looked_up_in_an_uploaded_file(page, shared_app):
    texts, vectors = two_files()
    page.goto(shared_app("app.py").url)
    driving.upload(page, texts)
    driving.add_to_workspace(page)
    driving.choose_method(page, "Your word vectors")
    page.get_by_text("no dataset of vectors in this workspace yet").wait_for(timeout=driving.LONG)

    page.get_by_text("Download well-known word vectors").click()
    button = page.get_by_role("button", name="Download", exact=True)
    button.wait_for(timeout=driving.LONG)
    assert button.is_disabled()
    page.get_by_text("Download 69 MB from github.com").click()
    page.wait_for_function(
        "[...document.querySelectorAll('button')].some(b => b.innerText === 'Download' && "
        "!b.disabled)",
        timeout=driving.LONG,
    )

    driving.upload(page, vectors)
    driving.add_to_workspace(page)
    page.get_by_role("combobox", name=re.compile("Dataset")).first.click()
    page.get_by_role("option", name=re.compile(r"queries")).first.click()
    driving.go(page, "Embed")
    driving.choose_method(page, "Your word vectors")
    box = page.get_by_role("combobox", name=re.compile("Word vectors"))
    box.wait_for(timeout=driving.LONG)
    assert re.fullmatch(r"tiny · \d+ vectors", box.input_value())
    driving.embed(page)
    driving.wait_for_map(page)
    page.get_by_text(re.compile(r"300 of 300 drawn")).wait_for(timeout=driving.LONG)
    page.get_by_role("button", name="How it was made").click()
    page.get_by_text(re.compile(r"Out of vocabulary: 2 of \d+ distinct words")).wait_for()
    page.get_by_text(re.compile(r"Most frequent without a vector: card \(\d+\), top")).wait_for()
