"""A model of the hub: asked for by name, agreed to, downloaded, used; and what is refused."""

from __future__ import annotations

import re

import pytest

from tests.browser import driving
from tests.embedders import small_hub, small_text_models

pytestmark = pytest.mark.browser

ROWS = ["the bank of the river", "a loan of the bank", "the team and the goal", "a match, a player"]


def choose_model(page, name):
    """Type the name of a model that is in no list."""
    box = page.get_by_role("combobox", name=re.compile("Model")).first
    box.click()
    box.fill(name)
    box.press("Enter")


def test_a_model_is_looked_up_agreed_to_downloaded_and_used(page, app, tmp_path):
    files = small_hub.files_of(small_text_models.sentence_bert(tmp_path / "model"))
    rows = [f"{text} {i}" for i in range(8) for text in ROWS]
    with small_hub.small_hub() as hub:
        hub.add("tiny/bert", files)
        hub.add("tiny/gated", files, gated="manual")
        env = {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "hf"),
            "EMBEDSCOPE_WARM_UP": "false",
            "EMBEDSCOPE_SPARE_WORKERS": "0",
        }
        page.goto(app("app.py", env).url)
        csv = "text\n" + "\n".join(rows)
        driving.upload(page, {"name": "rows.csv", "mimeType": "text/csv", "buffer": csv.encode()})
        driving.add_to_workspace(page)
        driving.choose_method(page, "BERT")

        choose_model(page, "tiny/gated")
        page.get_by_role("button", name=re.compile("Look it up on 127.0.0.1")).click()
        page.get_by_text("tiny/gated is gated").wait_for(timeout=driving.LONG)
        assert page.get_by_role("button", name=re.compile("^Embed and draw")).is_disabled()

        choose_model(page, "tiny/bert")
        page.get_by_text("tiny/bert is not on this machine yet").wait_for(timeout=driving.LONG)
        page.get_by_role("button", name=re.compile("Look it up on 127.0.0.1")).click()
        page.get_by_text("licence apache-2.0").wait_for(timeout=driving.LONG)
        assert hub.files_asked() == []
        hub.pause_s = 0.8
        page.get_by_role("button", name=re.compile("Download 1 MB from 127.0.0.1")).click()
        arriving = page.locator(".st-key-model_download").get_by_text("downloading from 127.0.0.1")
        arriving.wait_for(timeout=driving.LONG)
        hub.pause_s = 0.0
        page.wait_for_selector(".st-key-model_download", state="detached", timeout=driving.LONG)

        page.get_by_role("radio", name="PCA").click()  # a cheap map: the model is the story
        driving.embed(page)
        driving.wait_for_map(page)
        page.get_by_text("32 of 32 drawn").wait_for(timeout=driving.LONG)
        page.get_by_role("button", name="How it was made").click()
        commit = hub.repos["tiny/bert"].commit
        page.get_by_text(re.compile(f"commit {commit[:12]}")).first.wait_for(timeout=driving.LONG)
