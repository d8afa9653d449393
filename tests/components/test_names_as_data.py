"""Names of files and datasets are data: where they are drawn, no markup comes of them."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.markdown import escaped
from core.modality import Modality
from ingest import Dataset
from workspace.records import DatasetInfo

NAME = "*a* [b](http://e.co) :smile:"


def test_the_embed_page_shows_the_name_of_a_dataset_verbatim(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    info = DatasetInfo("d", NAME, Modality.TEXT, 2, 0, None, {}, 1, 0.0)

    def nothing_more(_dataset: Dataset) -> None:
        import streamlit as st

        st.stop()

    monkeypatch.setattr(session, "current_dataset", lambda: info)
    monkeypatch.setattr(session, "dataset", lambda _id: None)
    monkeypatch.setattr("components.dataset_view.left_out", nothing_more)
    page = AppTest.from_file(str(Path(__file__).parents[2] / "pages/build/embed.py")).run()
    assert page.caption[0].value == escaped(f"{NAME} · 2 texts")


def test_a_preview_of_pairs_shows_file_names_verbatim_and_counts_its_sides_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from PIL import Image

    picture, archive = io.BytesIO(), io.BytesIO()
    Image.new("L", (4, 4)).save(picture, "PNG")
    with zipfile.ZipFile(archive, "w") as members:
        for name in ("*x*.png", "*y*.png"):
            members.writestr(name, picture.getvalue())
        members.writestr("captions.csv", "file,text\n*x*.png,one text\n*y*.png,two texts\n")
    kept: dict[str, object] = {"data.stamp": "s", "data.kind.s": Modality.PAIRS}
    monkeypatch.setattr(session, "recall", kept.get)
    monkeypatch.setattr(session, "remember", kept.__setitem__)

    def draw(content: bytes) -> None:
        from components.data_loading import read_with_preview
        from ingest.source import Source

        read_with_preview([Source("p.zip", data=content)])

    page = AppTest.from_function(draw, args=(archive.getvalue(),), default_timeout=30).run()
    assert not page.exception
    strip = "".join(html.proto.body for html in page.get("html"))
    assert re.findall("<figcaption>(.*?)</figcaption>", strip) == ["*x*.png", "*y*.png"]
    assert any(c.value.startswith("2 pairs of 2 texts and 2 images") for c in page.caption)
    assert page.button_group[0].label == "read as"
