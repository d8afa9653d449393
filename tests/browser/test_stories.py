"""The main job as a person does it: file, method, map, neighbours, in a real browser."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser


@pytest.fixture
def url(shared_app: Callable[..., Any]) -> str:
    return shared_app("app.py").url


def legend(page: Any) -> dict[str, str]:
    rows = page.locator('[data-testid^="legend-row"]')
    texts = [text.split("\n") for text in rows.all_inner_texts()]
    return {parts[0].strip(): parts[-1].strip() for parts in texts}


def test_a_sample_card_leads_to_a_coloured_map_and_a_click_to_neighbours(page, url):
    driving.open_sample(page, url, "topics")
    assert len(legend(page)) >= 12
    assert "trustworthiness" in page.inner_text("body")
    driving.click_point(page, 5)
    assert len(driving.neighbours(page)) == 10
    body = page.inner_text("body")
    assert "share its topic" in body
    assert "chance" in body


def test_news_are_embedded_cancelled_run_again_and_searched(page, url):
    driving.open_sample(page, url, "iris")
    # The shortest that are enough for a first picture on the way: all 7,600 cost minutes.
    every = (shared_data("ag_news") / "test.csv").read_text(encoding="utf-8").splitlines()
    some = sorted(every, key=len)[:2_040]
    n = f"{len(some):,}"
    file = {"name": "news.csv", "mimeType": "text/csv", "buffer": "\n".join(some).encode()}
    driving.upload(page, file)
    body = page.inner_text("body")
    assert n in body
    driving.add_to_workspace(page)
    driving.choose_method(page, "BERT")
    driving.embed(page)
    panel = page.locator(".st-key-job_panel")
    panel.get_by_text("embedding").first.wait_for(timeout=driving.LONG)
    panel.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled").first.wait_for(timeout=60_000)
    panel.get_by_role("button", name="Start again").click()
    page.wait_for_selector(driving.DRAWN, timeout=driving.LONG)  # the first 1,000 texts
    page.get_by_text(f"{n} of {n} drawn").wait_for(timeout=400_000)
    driving.wait_for_map(page)
    classes = {name: f"{sum(line[1] == name for line in some):,}" for name in "1234"}
    shown = driving.eventually(
        page, lambda: legend(page), lambda seen: classes.items() <= seen.items()
    )
    assert classes.items() <= shown.items()
    driving.go(page, "Search")
    box = page.get_by_label("Query")
    box.fill("the central bank raises its key interest rate")
    box.press("Enter")
    found = driving.neighbours(page)
    assert any("rate" in text.lower() for text in found[:3])
    assert page.locator('[data-testid="neighbours"] .es-tag').first.inner_text() == "3"


def test_penguins_are_mapped_and_their_missing_values_explained(page, url):
    page.goto(url)
    driving.upload(page, shared_data("penguins") / "penguins.csv")
    warning = page.locator('[data-testid="stAlert"]').first.inner_text()
    assert "Missing values, of 344 rows" in warning
    assert "sex 11" in warning
    driving.add_to_workspace(page)
    driving.embed(page)
    driving.wait_for_map(page)
    body = page.inner_text("body")
    assert "344 of 344 drawn" in body
    assert legend(page)["Adelie"] == "152"
    page.get_by_role("button", name="How it was made").click()
    page.get_by_text("missing").first.wait_for(timeout=60_000)


def test_a_citation_graph_is_mapped_by_class(page, url):
    page.goto(url)
    cora = shared_data("cora")
    driving.upload(page, cora / "edges.tsv", cora / "nodes.tsv")
    assert "graph" in page.inner_text("body")
    driving.add_to_workspace(page)
    driving.embed(page)
    driving.wait_for_map(page)
    assert "2,708 of 2,708 drawn" in page.inner_text("body")
    assert len(legend(page)) == 7
    driving.click_point(page, 3)
    assert len(driving.neighbours(page)) == 10


def image_zip() -> bytes:
    buffer = io.BytesIO()
    colours = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (30, 60, 200)}
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(buffer, "w") as archive:
        for folder, colour in colours.items():
            for i in range(8):
                noise = rng.integers(-25, 25, (24, 24, 3))
                pixels = np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)
                picture = io.BytesIO()
                Image.fromarray(pixels).save(picture, "PNG")
                archive.writestr(f"{folder}/{i}.png", picture.getvalue())
        archive.writestr("red/broken.png", b"\x89PNG\r\n\x1a\n" + b"0" * 40)
    return buffer.getvalue()


def test_a_zip_of_images_shows_thumbnails_and_folder_labels(page, url):
    page.goto(url)
    file = {"name": "colours.zip", "mimeType": "application/zip", "buffer": image_zip()}
    driving.upload(page, file)
    page.locator(".es-strip img").nth(8).wait_for(timeout=60_000)
    driving.add_to_workspace(page)
    page.get_by_text("1 left out").click()
    page.get_by_text("red/broken.png").first.wait_for(timeout=60_000)
    driving.embed(page)
    driving.wait_for_map(page)
    assert legend(page) == {"red": "8", "green": "8", "blue": "8"}


def glove_file() -> bytes:
    """Return 304 words, four of them on planted axes: royalty in one, gender in another."""
    rng = np.random.default_rng(7)
    royal, female, base = rng.standard_normal((3, 50))
    planted = {
        "king": base + royal,
        "queen": base + royal + female,
        "man": base,
        "woman": base + female,
    }
    words = {**planted, **{f"word{i}": rng.standard_normal(50) for i in range(300)}}
    lines = [f"{w} " + " ".join(f"{x:.5f}" for x in v) for w, v in words.items()]
    return ("\n".join(lines) + "\n").encode()


def test_a_glove_file_becomes_a_word_map_that_answers_formulas(page, url):
    page.goto(url)
    file = {"name": "vectors.txt", "mimeType": "text/plain", "buffer": glove_file()}
    driving.upload(page, file)
    assert "304" in page.inner_text("body")
    driving.add_to_workspace(page)
    driving.embed(page)
    driving.wait_for_map(page)
    driving.go(page, "Search")
    box = page.get_by_label("Query")
    box.fill("king - man + woman")
    box.press("Enter")
    assert driving.neighbours(page)[0] == "queen"


BROKEN = {
    "table.csv": b"",
    "words.txt": b"   \n \n",
    "sheet.xlsx": b"PK\x03\x04 not really a workbook",
    "picture.png": b"\x89PNG\r\n\x1a\n broken",
    "graph.gml": b"graph [ node [ id 1 ",
    "vectors.npy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (9,",
    "model.pkl": b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94.",
    "escape.zip": None,
    "film.mp4": b"\x00\x00\x00\x18ftypmp42" + bytes(64),
}


def escaping_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../outside.txt", "x")
    return buffer.getvalue()


def test_a_broken_file_of_each_kind_gives_one_sentence_and_costs_nothing(page, url):
    driving.open_sample(page, url, "iris")
    for name, data in BROKEN.items():
        driving.go(page, "Start")
        driving.go(page, "Data")
        content = escaping_zip() if data is None else data
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        page.locator('input[type="file"]').first.set_input_files([file])
        alert = page.locator('[data-testid="stAlert"]').first
        alert.wait_for(timeout=60_000)
        sentence = alert.inner_text()
        assert name.split(".")[0] in sentence or "file" in sentence, (name, sentence)
        assert "Traceback" not in page.inner_text("body")
        assert "Something went wrong" not in sentence, (name, sentence)
    driving.go(page, "Map")
    driving.wait_for_map(page)
    assert "150 of 150 drawn" in page.inner_text("body")


def test_two_browsers_do_not_see_each_others_data(open_page, url):
    one, other = open_page(), open_page()
    driving.open_sample(one, url, "wine")
    other.goto(url)
    other.get_by_role("heading", name="Open a sample").wait_for(timeout=driving.LONG)
    assert "In this workspace" not in other.inner_text("body")
    assert "In this workspace" in text_of_start(one)


def text_of_start(page: Any) -> str:
    driving.go(page, "Start")
    page.get_by_role("heading", name="In this workspace").wait_for(timeout=driving.LONG)
    return page.inner_text("body")


def test_a_reload_brings_the_same_map_back(page, url, console_errors):
    driving.open_sample(page, url, "karate")
    page.reload()
    driving.wait_for_map(page)
    assert "34 of 34 drawn" in page.inner_text("body")
    # Opened below the root, Streamlit first asks for its own health route beside the page.
    console_errors[:] = [line for line in console_errors if "404" not in line]


def test_a_lasso_becomes_a_table_with_files(page, url, tmp_path: Path):
    driving.open_sample(page, url, "wine")
    page.get_by_role("button", name="Box").first.click()
    box = page.locator(driving.DRAWN).bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + box["height"] - 60, steps=8)
    page.mouse.up()
    page.get_by_text("of 178 items").wait_for(timeout=60_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    target = tmp_path / "selection.csv"
    download.value.save_as(target)
    header = target.read_text(encoding="utf-8-sig").splitlines()[0]
    assert "id" in header.split(",")


def test_a_copied_link_opens_the_same_run_and_colour_in_another_browser(open_page, url):
    one, other = open_page(), open_page()
    driving.open_sample(one, url, "wine")
    one.get_by_role("combobox", name="Colour").click()
    one.get_by_role("option", name="one colour").click()
    one.wait_for_function("location.search.includes('colour=one')", timeout=60_000)
    other.goto(one.url)
    driving.wait_for_map(other)
    assert "178 of 178 drawn" in other.inner_text("body")
    assert legend(other) == {}
    assert other.url.split("?")[1].split("&")[0] == one.url.split("?")[1].split("&")[0]


def test_the_words_of_a_word2vec_run_have_a_map_of_their_own(page, url):
    driving.open_sample(page, url, "topics")
    driving.go(page, "Embed")
    driving.choose_method(page, "Word2Vec")
    driving.embed(page)
    page.get_by_text("810 of 810 drawn").wait_for(timeout=driving.LONG)
    page.get_by_text("words ·").first.click()
    page.wait_for_function(
        "() => { const map = [...window.__embedscopeMaps.values()].at(-1);"
        " return map && map.scene && map.scene.n !== 810; }",
        timeout=driving.LONG,
    )
    driving.wait_for_map(page)
    assert "trustworthiness" in page.inner_text("body")
