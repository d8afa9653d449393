"""Word vectors learnt from tweets: do they tell names from other words?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser
N_SENTENCES = 300


def tagged_sentences() -> list[str]:
    """Return the first tagged sentences of WNUT 2017, a block of lines each."""
    text = (shared_data("wnut17") / "emerging.dev.conll").read_text(encoding="utf-8")
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text.replace("\r", ""))]
    return [block for block in blocks if block][:N_SENTENCES]


def a_file(name: str, lines: str) -> dict[str, Any]:
    return {"name": name, "mimeType": "text/plain", "buffer": lines.encode()}


def test_word_vectors_are_asked_for_names_beside_a_plain_baseline(
    shared_app: Callable[..., Any], page: Any
) -> None:
    tagged = tagged_sentences()
    plain = [" ".join(line.split("\t")[0] for line in block.splitlines()) for block in tagged]
    page.goto(shared_app("app.py").url)
    driving.upload(page, a_file("tweets.txt", "\n".join(plain)))
    driving.add_to_workspace(page)
    driving.go(page, "Compare")
    driving.add_method(page, "BERT word vectors", 0)
    driving.add_method(page, "Word2Vec", 1)
    page.get_by_text("Noise floor", exact=True).click()
    driving.settled(page)
    page.get_by_role("button", name="Build and compare").click()
    page.get_by_text("in both embeddings").wait_for(timeout=driving.LONG)
    page.get_by_role("radio", name="Task").click()
    page.get_by_role("radiogroup").get_by_text("Named entities").click()
    page.get_by_text("Give a file first: tagged sentences").wait_for(timeout=driving.LONG)
    page.locator('input[type="file"]').first.set_input_files(
        a_file("tagged.conll", "\n\n".join(tagged))
    )
    page.get_by_text("Give a file first").wait_for(state="detached", timeout=driving.LONG)
    driving.settled(page)
    page.get_by_role("button", name="Measure", exact=True).click()
    page.get_by_text("has the highest entity F1").wait_for(timeout=driving.LONG)
    page.get_by_text("no word is said to be part of an entity").first.wait_for()  # chance
    chart = page.locator(".js-plotly-plot")
    for name in ("usual tag of the word", "BERT word vectors", "Word2Vec"):
        chart.get_by_text(name, exact=True).wait_for()
