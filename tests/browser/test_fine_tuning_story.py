"""A text model is trained on labelled questions; the page says what new ones gained by it."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser

INTENTS = 15
PER_INTENT = {"train": 20, "test": 10}


def some_questions(part: str) -> dict[str, Any]:
    """Return a CSV file with the first questions of each of the first intents."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("text", "category"))
    with (shared_data("banking77") / f"{part}.csv").open(encoding="utf-8") as stream:
        rows = [(row["text"], row["category"]) for row in csv.DictReader(stream)]
    for intent in sorted({label for _, label in rows})[:INTENTS]:
        table.writerows([row for row in rows if row[1] == intent][: PER_INTENT[part]])
    name = f"banking {part}.csv"
    return {"name": name, "mimeType": "text/csv", "buffer": out.getvalue().encode()}


def test_a_model_trained_on_intents_names_those_of_the_test_part(
    page: Any, shared_app: Any
) -> None:
    page.goto(shared_app("app.py").url)
    for part in ("test", "train"):
        driving.upload(page, some_questions(part))
        driving.add_to_workspace(page)
    driving.choose_method(page, "Two towers")
    page.get_by_role("combobox", name=re.compile("Test texts")).click()
    page.get_by_role("option", name=re.compile("^banking test")).click()
    driving.settled(page)
    page.get_by_test_id("stButtonGroup").get_by_text("PCA", exact=True).click()
    driving.embed(page)
    driving.wait_for_map(page)
    page.get_by_role("button", name="How it was made").click()
    told = page.get_by_text(re.compile(r"^On banking test, 150 texts, the 5 nearest of 300 vote"))
    told.wait_for(timeout=driving.LONG)
    shares = re.search(r"label of ([\d.]+) before and ([\d.]+) after", told.inner_text())
    assert shares is not None
    before, after = float(shares[1]), float(shares[2])
    assert before > 0.8  # MiniLM knows much already; chance is .07
    assert after > before - 0.01  # 300 questions can gain little, and must not cost
