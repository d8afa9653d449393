"""The words page as a person uses it: from a run without words to axes and back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser import driving

pytestmark = pytest.mark.browser


def rows(page: Any, label: str) -> list[str]:
    """Return the words of the list with a label, in the order shown."""
    page.locator(f'ol[aria-label="{label}"] li').first.wait_for(timeout=driving.LONG)
    return page.locator(f'ol[aria-label="{label}"] .word').all_inner_texts()


def tab(page: Any, name: str) -> None:
    page.locator('[data-testid="stMain"]').get_by_text(name, exact=True).first.click()


def write(page: Any, label: str, text: str) -> None:
    box = page.get_by_label(label, exact=True)
    box.fill(text)
    box.press("Enter")


def value(page: Any, label: str) -> str:
    box = page.get_by_label(label, exact=True)
    box.wait_for(timeout=driving.LONG)
    return box.input_value()


def word_vectors() -> dict[str, Any]:
    """Return a file of 304 words, four of which make an analogy."""
    from tests.browser.test_stories import glove_file

    return {"name": "vectors.txt", "mimeType": "text/plain", "buffer": glove_file()}


def test_words_of_a_text_run_from_neighbours_to_axes(page, shared_app):
    driving.open_sample(page, shared_app("app.py").url, "topics")
    driving.go(page, "Words")
    page.get_by_text("BERT gives one vector per text here and none per word").wait_for()
    page.get_by_role("button", name="Embed with Word2Vec").click()
    driving.embed(page)
    page.get_by_text("810 of 810 drawn").wait_for(timeout=driving.LONG)
    driving.wait_for_map(page)
    driving.go(page, "Words")

    first = value(page, "Word")
    near = rows(page, f"Near {first}")
    assert len(near) == 10
    assert first not in near
    page.locator(f'ol[aria-label="Near {first}"] button').nth(1).click()
    second = rows(page, f"Near {near[1]}")
    assert value(page, "Word") == near[1]
    assert near[1] not in second
    page.get_by_role("button", name=first).first.click()
    assert rows(page, f"Near {first}") == near

    write(page, "Word", "galaxiess")
    page.get_by_text("“galaxiess” has no vector").wait_for()
    page.get_by_role("button", name="galaxies", exact=True).click()
    assert len(rows(page, "Near galaxies")) == 10

    tab(page, "Analogy")
    added, multiplied = rows(page, "Answers by 3CosAdd"), rows(page, "Answers by 3CosMul")
    assert len(added) == len(multiplied) == 10
    asked = {value(page, label) for label in ("a", "is to b", "as c is to …")}
    assert not asked & {*added, *multiplied}
    assert re.search(r"([\d,]+) words, ([\d,]+) compared", page.inner_text("body"))

    tab(page, "Odd one out")
    write(page, "Words of which one does not belong", "stars, stars, galaxies, orbit, bank, qqzz")
    page.get_by_text("“qqzz” has no vector").wait_for()
    assert set(rows(page, "From the least fitting on")) == {"stars", "galaxies", "orbit", "bank"}
    body = page.inner_text("body")
    assert "Counted once though typed more often: stars" in body
    assert "4 words" in body

    tab(page, "Axes")
    write(page, "From", "stars, galaxies")
    write(page, "To", "bank, team")
    page.get_by_text(re.compile("of 4 words land on their own side")).wait_for()
    assert len(rows(page, "Low end")) == len(rows(page, "High end")) == 10
    page.get_by_text("A second axis").click()
    page.get_by_text(re.compile("drawn / [\\d,]+ words")).wait_for()
    page.locator(".js-plotly-plot").nth(2).wait_for(timeout=driving.LONG)

    driving.go(page, "Map")
    driving.wait_for_map(page)
    driving.go(page, "Words")
    assert value(page, "Across, from") == "stars, galaxies"
    tab(page, "Neighbours")
    assert value(page, "Word") == "galaxies"


def test_a_file_of_word_vectors_answers_the_textbook_analogy(page, shared_app):
    page.goto(shared_app("app.py").url)
    driving.upload(page, word_vectors())
    driving.add_to_workspace(page)
    driving.embed(page)
    driving.wait_for_map(page)
    driving.go(page, "Words")
    tab(page, "Analogy")
    for label, word in (("a", "man"), ("is to b", "woman"), ("as c is to …", "king")):
        write(page, label, word)
    page.get_by_text("man is to woman as king is to queen").wait_for(timeout=driving.LONG)
    assert rows(page, "Answers by 3CosAdd")[0] == "queen"
    assert rows(page, "Answers by 3CosMul")[0] == "queen"
