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
    "class_colours",
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

# Eleven more, found by the same search beside the first eleven and the greys; with 22 colours the
# smallest distance is 11 under normal vision (of 15 with eleven) and 4 to 5 under the others.
_MORE_LIGHT: tuple[str, ...] = (
    "#c864dc",
    "#00bee6",
    "#e64678",
    "#468cfa",
    "#d2b400",
    "#64643c",
    "#46aa46",
    "#825adc",
    "#b43ca0",
    "#78006e",
    "#a07832",
)
_MORE_DARK: tuple[str, ...] = (
    "#fa7864",
    "#64fa96",
    "#326400",
    "#0a6ee6",
    "#b4d2a0",
    "#8c148c",
    "#00968c",
    "#bed200",
    "#fa78c8",
    "#fac8c8",
    "#be645a",
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


# Classes that are called after colours: "red" drawn in blue reads wrong. Light page, dark page.
OF_COLOUR_WORDS: dict[str, tuple[str, str]] = {
    "red": ("#d1192c", "#ff4d4f"),
    "green": ("#2b8a3e", "#3fb950"),
    "blue": ("#2459c9", "#4d8dff"),
    "yellow": ("#c99a00", "#ffdd33"),
    "orange": ("#f0730a", "#ff9a3c"),
    "purple": ("#7b3fb5", "#a974e6"),
    "violet": ("#7b3fb5", "#a974e6"),
    "pink": ("#ee7fb4", "#ffb0d4"),
    "brown": ("#7a4a2b", "#a9714b"),
    "black": ("#1c1c1c", "#5d6670"),
    "white": ("#a5b1bd", "#f5f5f5"),
    "grey": ("#7d858d", "#98a1ab"),
    "gray": ("#7d858d", "#98a1ab"),
    "cyan": ("#0d9fb3", "#3fd2e6"),
    "turquoise": ("#0d9fb3", "#3fd2e6"),
}


def colours_of_words(names: Sequence[str], *, dark: bool = False) -> tuple[str, ...] | None:
    """Return the colours that classes are called after; None where one is called otherwise."""
    words = [name.strip().lower() for name in names]
    if len(words) < 2 or any(word not in OF_COLOUR_WORDS for word in words):
        return None
    shades = tuple(OF_COLOUR_WORDS[word][dark] for word in words)
    return shades if len(set(shades)) == len(shades) else None


def class_colours(n: int, *, dark: bool = False) -> tuple[str, ...]:
    """Return the first ``n`` categorical colours of a page.

    Up to eleven can be told apart with any kind of colour vision, up to 22 with the common one.

    Raises
    ------
    ValueError
        If ``n`` is more than 22.
    """
    colours = CATEGORICAL_DARK + _MORE_DARK if dark else CATEGORICAL_LIGHT + _MORE_LIGHT
    if n > len(colours):
        raise ValueError(f"{n} classes asked for, there are {len(colours)} colours")
    return colours[:n]


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
