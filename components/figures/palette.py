"""Colours that colour-blind readers can tell apart, one set for light and one for dark pages.

The eleven categorical colours of each set were found by a search over the sRGB cube: the three
first were fixed (blue, orange, green), the rest maximise the smallest distance in OKLab under
normal vision and under simulated protanopia, deuteranopia and tritanopia (Machado, Oliveira and
Fernandes 2009, severity 1), with the chroma kept low enough to stay calm and a contrast of at
least 2 : 1 to the page. ``tests/components/test_palette.py`` measures those distances again.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "CATEGORICAL_DARK",
    "CATEGORICAL_LIGHT",
    "MISSING_DARK",
    "MISSING_LIGHT",
    "OTHER_DARK",
    "OTHER_LIGHT",
    "SEQUENTIAL_DARK",
    "SEQUENTIAL_LIGHT",
    "extended",
    "interpolate",
]

CATEGORICAL_LIGHT: tuple[str, ...] = (
    "#2f6db5",
    "#e08214",
    "#1b8a6b",
    "#82000a",
    "#fa8cf0",
    "#461e8c",
    "#78c88c",
    "#144646",
    "#be3c00",
    "#824678",
    "#a08cb4",
)
CATEGORICAL_DARK: tuple[str, ...] = (
    "#5b9bf0",
    "#f0a030",
    "#3fbf94",
    "#aa323c",
    "#8cfafa",
    "#f0f050",
    "#6e46be",
    "#8c8200",
    "#be6eb4",
    "#1e6e82",
    "#e6aaf0",
)

# "Other" and "missing" are greys that differ from each other and from points switched off.
OTHER_LIGHT, OTHER_DARK = "#7d848c", "#9aa1aa"
MISSING_LIGHT, MISSING_DARK = "#b3b8be", "#6b727c"

# Anchors of cividis (Nuñez, Anderton and Renslow 2018), which reads alike with and without colour
# vision deficiency. The ends that would vanish on the page are left out.
SEQUENTIAL_LIGHT: tuple[str, ...] = (
    "#00224e",
    "#35456c",
    "#666970",
    "#948e77",
    "#c8b866",
    "#f0d446",
)
SEQUENTIAL_DARK: tuple[str, ...] = (
    "#3a4a80",
    "#575d6d",
    "#7d7c78",
    "#a59c74",
    "#d2c060",
    "#fee838",
)


def extended(colours: Sequence[str], n: int) -> tuple[str, ...]:
    """Return ``n`` colours: the given ones, then each again in another shade.

    Dark colours come back halfway to white, bright ones halfway to black, so that a class beyond
    the first eleven keeps a colour of its own; neighbours in hue are told apart by the legend.

    Raises
    ------
    ValueError
        If ``n`` is more than twice the number of colours.
    """
    if n > 2 * len(colours):
        raise ValueError(f"{n} colours cannot be made of {len(colours)}")
    return (*colours, *map(_shade, colours))[:n]


def _shade(colour: str) -> str:
    channels = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    bright = 0.299 * channels[0] + 0.587 * channels[1] + 0.114 * channels[2] > 128
    return "#" + "".join(f"{round(c * 0.5 if bright else (c + 255) / 2):02x}" for c in channels)


def interpolate(anchors: Sequence[str], steps: int) -> tuple[str, ...]:
    """Spread ``steps`` colours evenly over a scale given by its anchors.

    Parameters
    ----------
    anchors : sequence of str
        Colours as ``#rrggbb``, at least two.
    steps : int
        How many colours to return, at least two.

    Returns
    -------
    tuple of str
        ``steps`` colours from the first anchor to the last, linear in sRGB between anchors.
    """
    channels = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in anchors]
    colours = []
    for step in range(steps):
        position = step / (steps - 1) * (len(channels) - 1)
        left = min(int(position), len(channels) - 2)
        share = position - left
        pairs = zip(channels[left], channels[left + 1], strict=True)
        colours.append("#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs))
    return tuple(colours)
