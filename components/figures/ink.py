"""What the charts of a comparison share: few colours, short labels, room for them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from components.figures.palette import (
    CATEGORICAL_DARK,
    CATEGORICAL_LIGHT,
    MISSING_DARK,
    MISSING_LIGHT,
)
from components.figures.word_axes import as_plain_text

CHAR, LINE = 6.9, 15.0  # width of a letter and height of a line in pixels, at size 12

Box = tuple[float, float, float, float]

_SIDES = {
    "middle right": (1, 0),
    "top center": (0, 1),
    "bottom center": (0, -1),
    "middle left": (-1, 0),
    "top right": (1, 1),
    "bottom right": (1, -1),
    "top left": (-1, 1),
    "bottom left": (-1, -1),
}


class Ink(NamedTuple):
    """Colours of a page: text, quiet text, hairlines, the accent, a second colour, the ground."""

    text: str
    muted: str
    hairline: str
    accent: str
    second: str
    ground: str
    missing: str


def ink(dark: bool) -> Ink:
    """Return the colours for a dark or a light page."""
    if dark:
        accent, second = CATEGORICAL_DARK[:2]
        return Ink("#e4ebf0", "#a3b0ba", "#33414b", accent, second, "#12181d", MISSING_DARK)
    accent, second = CATEGORICAL_LIGHT[:2]
    return Ink("#1b2730", "#5d6b76", "#d7dfe5", accent, second, "#ffffff", MISSING_LIGHT)


def faded(colour: str, alpha: float) -> str:
    """Return ``#rrggbb`` as a see-through colour."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def shortened(text: str, most: int) -> str:
    """Return one line of at most ``most`` letters, safe from markup."""
    line = " ".join(text.split())
    return as_plain_text(line if len(line) <= most else line[: most - 1].rstrip() + "…")


def wrapped(text: str, width: int = 16, lines: int = 2) -> str:
    """Return a label over at most some lines, cut with an ellipsis where even that is short."""
    parts = textwrap.wrap(" ".join(text.split()), width, max_lines=lines, placeholder="…")
    return "<br>".join(as_plain_text(part) for part in parts)


def wrapped_hover(text: str) -> str:
    """Return a sentence for a hover box, over as many lines as it needs."""
    return wrapped(text, 60, 12)


def short_number(value: float, digits: int = 2) -> str:
    """Return a share as charts print it: ".41", "1", "−.05"."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        return "0"
    if float(text) == 1:
        return "1"
    short = text.replace("0.", ".", 1) if abs(float(text)) < 1 else text
    return short.replace("-", "−")


def chance_text(chance: float) -> str:
    """Return a chance level with one figure that means something."""
    if chance == 0 or abs(chance) >= 0.005:
        return short_number(chance)
    return f"{chance:.1g}".replace("0.", ".", 1) if abs(chance) >= 1e-4 else f"{chance:.0e}"


def label_sides(
    x: Sequence[float],
    y: Sequence[float],
    labels: Sequence[str],
    *,
    avoid: Sequence[Box] = (),
    room: float = 60,
    gap: float = 8,
) -> list[str]:
    """Return on which side of its point each label stands, so that they cover little.

    Parameters
    ----------
    x, y : sequence of float
        Pixels; y grows upwards.
    labels : sequence of str
        As printed; "" for a point without one.
    avoid : sequence of (left, low, right, high)
        What else must not be covered.
    room : float
        Pixels left and right of the outermost points.
    gap : float
        Pixels between the point and its label.

    Returns
    -------
    list of str
        Plotly's ``textposition``.
    """
    boxes = [(px - 7, py - 7, px + 7, py + 7) for px, py in zip(x, y, strict=True)]
    boxes += avoid
    reach = (min(x, default=0), max(x, default=0))
    chosen: list[str] = []
    for px, py, label in zip(x, y, labels, strict=True):
        wide = len(label) * CHAR
        options = []
        for order, (side, (right, up)) in enumerate(_SIDES.items()):
            left = px + (right - 1) / 2 * wide + right * gap
            low = py + (up - 1) / 2 * LINE + up * gap * 0.6
            box = (left, low, left + wide, low + LINE)
            outside = max(0.0, reach[0] - room - box[0]) + max(0.0, box[2] - reach[1] - room)
            cost = sum(_shared(box, other) for other in boxes) + outside * LINE
            options.append((cost, order, side, box))
        best = min(options)
        chosen.append(best[2])
        if label:
            boxes.append(best[3])
    return chosen


def _shared(a: Box, b: Box) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    return wide * tall if wide > 0 and tall > 0 else 0.0


def spread(positions: Sequence[float], least: float) -> list[float]:
    """Return positions moved as little as needed to lie ``least`` apart, in the same order."""
    order = np.argsort(np.asarray(positions, np.float64), kind="stable")
    groups: list[list[Any]] = []  # [middle, members]
    for i in order:
        groups.append([float(positions[i]), [int(i)]])
        while len(groups) > 1:
            (one, first), (two, second) = groups[-2:]
            if two - one >= least * (len(first) + len(second)) / 2 - 1e-9:
                break
            members = first + second
            middle = (one * len(first) + two * len(second)) / len(members)
            groups[-2:] = [[middle, members]]
    placed = [0.0] * len(order)
    for middle, members in groups:
        for place, i in enumerate(members):
            placed[i] = middle + (place - (len(members) - 1) / 2) * least
    return placed


def titled(figure: go.Figure, title: str, subtitle: str, colours: Ink, *, top: float = 0) -> None:
    """Put a title and a quieter line below it at the left, with room above the plot.

    Parameters
    ----------
    figure : Figure
        Its height must be set.
    title, subtitle : str
        Either may be empty. The subtitle is markup; " · " is where it may be broken.
    colours : Ink
    top : float
        Pixels between the titles and the plot.
    """
    subtitle = _on_lines(subtitle)
    lines = subtitle.count("<br>") + 1 if subtitle else 0
    used = (26 if title else 0) + 17 * lines + (10 if title or subtitle else 0)
    quiet = f"<span style='font-size:12.5px;color:{colours.muted}'>{subtitle}</span>"
    text = "<br>".join(part for part in (as_plain_text(title), quiet if subtitle else "") if part)
    figure.update_layout(
        margin={"t": used + top},
        title={
            "text": text,
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 18, "l": 6},
            "font": {"size": 15, "color": colours.text},
        },
    )


def _on_lines(subtitle: str, most: int = 92) -> str:
    """Return a subtitle broken between its parts where a line would be too long."""
    lines: list[str] = []
    for line in subtitle.split("<br>"):
        lines.append("")
        for part in line.split(" · "):
            if lines[-1] and len(lines[-1]) + 3 + len(part) > most:
                lines.append(part)
            else:
                lines[-1] += (" · " if lines[-1] else "") + part
    return "<br>".join(lines)


def chance_line(
    figure: go.Figure, chance: float, colours: Ink, *, upright: bool, **where: Any
) -> None:
    """Draw the dotted line of chance across a chart."""
    line = {"color": colours.muted, "width": 1.5, "dash": "dot"}
    if upright:
        figure.add_vline(x=chance, line={**line, "color": colours.text}, **where)
    else:
        figure.add_hline(y=chance, line=line, layer="below", **where)
