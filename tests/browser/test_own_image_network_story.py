"""Training a network on one's own labelled images, from the page to the map: photos and digits."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from tests.browser import driving
from tests.conftest import shared_data

pytestmark = pytest.mark.browser

CLASSES = ("airplane", "automobile", "frog", "ship")
PER_CLASS = 40


def some_photos() -> bytes:
    """Return a zip of the first photos of four classes, a folder each."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(shared_data("cifar10_4000") / "cifar10_4000.zip") as whole,
        zipfile.ZipFile(out, "w") as part,
    ):
        for name in CLASSES:
            inside = [n for n in whole.namelist() if f"{name}/" in n and n.endswith(".jpg")]
            for path in sorted(inside)[:PER_CLASS]:
                part.writestr("/".join(path.split("/")[-2:]), whole.read(path))
    return out.getvalue()


def some_digits() -> bytes:
    """Return a zip of the first digits 0 to 3 of the sprite, cut into tiles, a folder each."""
    folder, out = shared_data("mnist_sprite_10k"), io.BytesIO()
    labels = (folder / "mnist_10k_784d_labels.tsv").read_text(encoding="ascii").split()
    sprite = Image.open(folder / "mnist_10k_sprite.png").convert("L")
    with zipfile.ZipFile(out, "w") as part:
        for digit in "0123":
            for at in [i for i, label in enumerate(labels) if label == digit][:PER_CLASS]:
                x, y, tile = 28 * (at % 100), 28 * (at // 100), io.BytesIO()
                sprite.crop((x, y, x + 28, y + 28)).save(tile, "PNG")
                part.writestr(f"{digit}/{at:05d}.png", tile.getvalue())
    return out.getvalue()


@pytest.mark.parametrize(("images", "at_least"), [(some_photos, 0.3), (some_digits, 0.7)])
def test_a_network_is_trained_on_images_and_says_how_well_it_knows_new_ones(
    page: Any, shared_app: Any, images: Callable[[], bytes], at_least: float
) -> None:
    page.goto(shared_app("app.py").url)
    upload = {"name": "images.zip", "mimeType": "application/zip", "buffer": images()}
    driving.upload(page, upload)
    driving.add_to_workspace(page)
    page.wait_for_selector('[data-test-script-state="notRunning"]', timeout=driving.LONG)
    driving.choose_method(page, "Your own CNN or ViT")
    page.get_by_text("Learns 4 classes of 'folder' from 160 images.").wait_for(timeout=driving.LONG)
    epochs = page.get_by_label("Epochs", exact=True)
    epochs.fill("8")
    epochs.press("Enter")
    # "PCA" is a method for images too: the projection is meant.
    page.get_by_test_id("stButtonGroup").get_by_text("PCA", exact=True).click()
    driving.embed(page)
    driving.wait_for_map(page)
    page.get_by_text(re.compile(r"^160 of 160 drawn")).wait_for(timeout=driving.LONG)
    page.get_by_role("button", name="How it was made").click()
    sentence = page.get_by_text(re.compile(r"Accuracy on 32 held-out images: 0\.\d\d"))
    sentence.wait_for(timeout=driving.LONG)
    assert float(re.search(r"images: (0\.\d\d)", sentence.inner_text()).group(1)) > at_least
    page.get_by_text("Accuracy on held-out items after each epoch").wait_for(timeout=driving.LONG)
    charts = page.get_by_test_id("stPlotlyChart")
    charts.nth(1).wait_for(timeout=driving.LONG)
    assert charts.count() == 2  # the loss and the held-out accuracy
