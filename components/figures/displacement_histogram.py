"""How far the items of two aligned spaces lie from each other; a range of it can be brushed."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from components.figures.ink import chance_line, faded, ink, short_number, titled

_BINS = 30
_HEIGHT = 300


def displacement_histogram(
    values: ArrayLike, *, random: tuple[float, float], shuffled: float, dark: bool = False
) -> go.Figure:
    """Return how many items moved how far, as bars that a box or a click selects.

    Parameters
    ----------
    values : array_like, (n,)
        Displacement per item; 1 = as far as a random other item.
    random : (low, high)
        Between these lie nine of ten random items.
    shuffled : float
        Median displacement between spaces that have nothing in common.
    dark : bool

    Returns
    -------
    Figure
        ``customdata`` of a bar: the lowest and the highest value it counts.
    """
    colours = ink(dark)
    moved = np.asarray(values, np.float64)
    top = max(float(moved.max()), shuffled, random[1]) * 1.02
    edges = np.linspace(0, top, _BINS + 1)
    counts, _ = np.histogram(moved, bins=edges)
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges) * 0.9,
            marker={"color": colours.accent, "line": {"width": 0}},
            customdata=np.column_stack([edges[:-1], edges[1:]]),
            hovertext=[
                f"{count:,} items ({count / len(moved):.0%})<br>moved {short_number(a)} to "
                f"{short_number(b)}"
                for count, a, b in zip(counts, edges[:-1], edges[1:], strict=True)
            ],
            hoverinfo="text",
            unselected={"marker": {"opacity": 0.35}},
        )
    )
    figure.add_vrect(
        x0=random[0],
        x1=random[1],
        fillcolor=faded(colours.missing, 0.3),
        line_width=0,
        layer="below",
    )
    median = float(np.median(moved))
    figure.add_vline(x=median, line={"color": colours.text, "width": 2})
    chance_line(figure, shuffled, colours, upright=True)
    said = (
        f"{len(moved):,} items · median {short_number(median)} (line)<br>"
        f"grey: random items · dotted: unrelated spaces {short_number(shuffled)}"
    )
    figure.update_layout(
        height=_HEIGHT,
        margin={"l": 8, "r": 12, "b": 48},
        showlegend=False,
        bargap=0,
        dragmode="select",
        selectdirection="h",
        hovermode="closest",
        xaxis={
            "title": "displacement (1 = a random other item)",
            "range": [0, top],
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
        },
        yaxis={"title": "items", "fixedrange": True, "nticks": 5, "automargin": True},
    )
    titled(figure, "Displacement of each item", said, colours)
    return figure
