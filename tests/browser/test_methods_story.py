"""Every method that reads texts, started from the page; and a text's way through some of them."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from core.modality import Modality
from embedders import list_embedders
from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser

NEEDS_A_FILE = {"lookup"}
NEEDS_A_RUN = {"earlier"}
NEEDS_A_SERVICE = {"api"}
HAVE_A_STORY = {"bert", "two_towers"}
LEFT_OUT = NEEDS_A_FILE | NEEDS_A_RUN | NEEDS_A_SERVICE | HAVE_A_STORY


def queries(step: int = 15) -> dict[str, Any]:
    """Return every 15th query of banking77's test part (or all of its 3,080), as a file."""
    with (shared_data("banking77") / "test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    out = io.StringIO()
    csv.writer(out).writerows([rows[0], *rows[1::step][: 3_000 // step]])
    return {"name": "queries.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()}


def test_every_text_method_runs_from_the_page(page, shared_app):
    page.goto(shared_app("app.py").url)
    driving.upload(page, queries())
    driving.add_to_workspace(page)
    methods = [m for m in list_embedders(Modality.TEXT) if m.id not in LEFT_OUT]
    for method in methods:
        driving.go(page, "Embed")
        driving.choose_method(page, method.title)
        page.get_by_text(f"Source: {method.source}").wait_for(timeout=driving.LONG)
        page.get_by_role("radio", name="PCA").or_(
            page.get_by_role("button", name="PCA")
        ).first.click()
        driving.embed(page)
        title = page.get_by_role("heading", name=re.compile(rf"· {re.escape(method.title)} ·"))
        title.wait_for(timeout=driving.LONG)
        page.get_by_text(re.compile(r"^200 of 200 drawn")).wait_for(timeout=driving.LONG)
    driving.go(page, "Embed")
    table = page.get_by_test_id("stDataFrame")
    table.wait_for(timeout=driving.LONG)


def test_training_shows_its_loss_and_is_cancelled_at_once(page, shared_app):
    page.goto(shared_app("app.py").url)
    driving.upload(page, queries(step=1))  # enough to train for a minute
    driving.add_to_workspace(page)
    driving.choose_method(page, "Word2Vec")
    page.get_by_text("Details").first.click()
    epochs = page.get_by_label("Epochs", exact=True)
    epochs.fill("200")
    epochs.press("Enter")
    driving.embed(page)
    panel = page.locator(".st-key-job_panel")
    panel.get_by_text(re.compile(r"epoch \d+ of 200, loss \d")).wait_for(timeout=driving.LONG)
    panel.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled").first.wait_for(timeout=60_000)


def test_a_text_is_followed_through_word_pieces_and_topics(page, shared_app):
    driving.open_sample(page, shared_app("app.py").url, "topics")
    driving.go(page, "Tokens")
    chips = page.get_by_test_id("token-chips")
    chips.wait_for(timeout=driving.LONG)
    assert chips.locator("span").first.inner_text() == "[CLS]"
    box = page.get_by_label("Text", exact=True)
    box.fill("Embeddings!")
    box.press("Control+Enter")
    chips.get_by_text("##bed").wait_for(timeout=driving.LONG)
    assert chips.locator("span").all_inner_texts() == [
        "[CLS]",
        "em",
        "##bed",
        "##ding",
        "##s",
        "!",
        "[SEP]",
    ]

    driving.go(page, "Embed")
    driving.choose_method(page, "LDA topics")
    driving.embed(page)
    driving.wait_for_map(page)
    page.get_by_role("button", name="Topics").click()
    page.get_by_text("Colour the map by “strongest topic”").wait_for(timeout=driving.LONG)
    page.keyboard.press("Escape")
    driving.go(page, "Tokens")
    box = page.get_by_label("Text", exact=True)
    box.fill("the bank of zzzq")
    box.press("Control+Enter")
    chips.get_by_text("zzzq").wait_for(timeout=driving.LONG)
    assert chips.locator("[title='function word, left out']").all_inner_texts() == ["the", "of"]
    assert chips.locator("[title='not in the vocabulary']").all_inner_texts() == ["zzzq"]
