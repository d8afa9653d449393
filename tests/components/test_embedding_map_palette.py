"""The palettes are what they claim: apart for every kind of colour vision, visible on the page."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from components.embedding_map import categorical
from components.figures import palette

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
LEAST = {"normal": 15, "protan": 9, "deutan": 9, "tritan": 4.4}
SETS = {
    "light": (palette.CATEGORICAL_LIGHT, "#ffffff"),
    "dark": (palette.CATEGORICAL_DARK, "#0e1117"),
}


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    lms = np.clip(rgb, 0, 1) @ np.array(
        [
            [0.4122215, 0.2119035, 0.0883025],
            [0.5363325, 0.6806995, 0.2817188],
            [0.0514460, 0.1073970, 0.6299787],
        ]
    )
    return (
        100
        * np.cbrt(lms)
        @ np.array(
            [
                [0.2104543, 1.9779985, 0.0259040],
                [0.7936178, -2.4285922, 0.7827718],
                [-0.0040720, 0.4505937, -0.8086758],
            ]
        )
    )


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", SETS)
@pytest.mark.parametrize("vision", VISION)
def test_any_two_classes_can_be_told_apart(theme: str, vision: str) -> None:
    colours = [oklab(linear(c) @ np.array(VISION[vision]).T) for c in SETS[theme][0]]
    nearest = min(np.linalg.norm(a - b) for a, b in combinations(colours, 2))
    assert nearest >= LEAST[vision]


@pytest.mark.parametrize("theme", SETS)
def test_twenty_two_classes_differ_from_each_other_and_from_the_greys(theme: str) -> None:
    dark = theme == "dark"
    greys = [palette.OTHER_DARK if dark else palette.OTHER_LIGHT]
    colours = [oklab(linear(c)) for c in [*palette.class_colours(22, dark=dark), *greys]]
    assert min(np.linalg.norm(a - b) for a, b in combinations(colours, 2)) >= 8
    with pytest.raises(ValueError, match="22"):
        palette.class_colours(23)


@pytest.mark.parametrize("theme", SETS)
def test_every_class_stands_out_from_the_page(theme: str) -> None:
    page = SETS[theme][1]
    for colour in palette.class_colours(22, dark=theme == "dark"):
        low, high = sorted([luminance(colour), luminance(page)])
        assert (high + 0.05) / (low + 0.05) >= 2, colour


@pytest.mark.parametrize("theme", SETS)
def test_classes_called_after_colours_have_them_visible_and_apart(theme: str) -> None:
    words = ["red", "green", "blue", "yellow", "orange", "purple", "pink", "black"]
    shades = palette.colours_of_words(words, dark=theme == "dark")
    assert shades is not None
    red, green, blue = (linear(shade) for shade in shades[:3])
    assert (red.argmax(), green.argmax(), blue.argmax()) == (0, 1, 2)
    apart = [oklab(linear(shade)) for shade in shades]
    assert min(np.linalg.norm(a - b) for a, b in combinations(apart, 2)) >= 8
    for shade in shades:
        low, high = sorted([luminance(shade), luminance(SETS[theme][1])])
        assert (high + 0.05) / (low + 0.05) >= 2, shade


def test_only_classes_that_are_all_called_after_different_colours_have_theirs() -> None:
    assert palette.colours_of_words(["Red", "green "]) is not None
    assert palette.colours_of_words(["red", "square"]) is None
    assert palette.colours_of_words(["grey", "gray"]) is None
    coloured = categorical(["red", "blue", "red", None])
    assert coloured.palette[:2] == palette.colours_of_words(["red", "blue"])


def test_the_number_scales_run_from_dark_to_bright() -> None:
    for anchors in (palette.SEQUENTIAL_LIGHT, palette.SEQUENTIAL_DARK):
        brightness = [luminance(c) for c in palette.interpolate(anchors, 100)]
        assert np.all(np.diff(brightness) > -1e-3)
        assert brightness[-1] > 5 * brightness[0]


def test_interpolation_keeps_its_ends() -> None:
    colours = palette.interpolate(("#000000", "#ff0000", "#ffffff"), 5)
    assert colours == ("#000000", "#800000", "#ff0000", "#ff8080", "#ffffff")
