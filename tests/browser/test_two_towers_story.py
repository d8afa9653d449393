"""Captions and drawings become one space; the page says how well held-out ones are found."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser


def test_captions_learn_to_find_their_drawings(page: Any, shared_app: Any) -> None:
    emoji = shared_data("emoji_captions")
    page.goto(shared_app("app.py").url)
    driving.upload(page, emoji / "emoji.zip", emoji / "captions.csv")
    page.get_by_role("radio", name="pairs").click()
    page.get_by_text("186 pairs of 186 texts and 186 images").wait_for(timeout=driving.LONG)
    driving.add_to_workspace(page)
    driving.choose_method(page, "Two towers")
    page.get_by_role("radio", name="PCA").or_(page.get_by_role("button", name="PCA")).first.click()
    driving.embed(page)
    driving.wait_for_map(page)
    page.get_by_role("button", name="How it was made").click()
    held_out = page.get_by_text(re.compile(r"^Held out, 28 queries among 28"))
    held_out.wait_for(timeout=driving.LONG)
    found = re.search(
        r"recall@\W?5 [\d.]+ before, ([\d.]+) after \(chance ([\d.]+)\)", held_out.inner_text()
    )
    assert found is not None
    after, chance = float(found[1]), float(found[2])
    assert chance == pytest.approx(5 / 28, abs=0.001)
    assert after > 2.5 * chance
    page.get_by_text("on held-out items after each epoch; dotted: chance").wait_for()
    with page.expect_download() as coming:
        page.get_by_role("button", name=re.compile("Download the model")).click()
    assert coming.value.suggested_filename.startswith("two_towers-")
