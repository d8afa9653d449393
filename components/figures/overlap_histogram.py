"""How agreement is spread over the items; a range of it can be brushed."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from components.figures.ink import chance_line, chance_text, faded, ink, short_number, titled

_BINS = 20
_MOST_BARS = 50
_HEIGHT = 300


def overlap_histogram(
    values: ArrayLike,
    *,
    measure: str,
    k: int | None = None,
    chance: float | None = None,
    noise: tuple[float, float] | None = None,
    chosen: tuple[float, float] | None = None,
    dark: bool = False,
) -> go.Figure:
    """Return how many items agree how far, as bars that a box or a click selects.

    Parameters
    ----------
    values : array_like, (n,)
        Agreement per item in 0 … 1; what is not finite is counted apart.
    measure : str
        Title of the axis, such as "overlap@10".
    k : int, optional
        Give it where values are multiples of 1/k: one bar for each.
    chance : float, optional
    noise : (low, high), optional
        Where most items lie when only the seed differs.
    chosen : (low, high), optional
        Bars whose values lie in it are in the accent colour, the others pale.
    dark : bool

    Returns
    -------
    Figure
        ``customdata`` of a bar: the lowest and the highest value it counts.
    """
    colours = ink(dark)
    every = np.asarray(values, np.float64)
    known = every[np.isfinite(every)]
    exact = k is not None and k <= _MOST_BARS
    edges = (
        (np.arange(k + 2) - 0.5) / k if k is not None and exact else np.linspace(0, 1, _BINS + 1)
    )
    counts, _ = np.histogram(np.clip(known, edges[0], edges[-1]), bins=edges)
    middles = (edges[:-1] + edges[1:]) / 2
    low, high = (middles, middles) if exact else (edges[:-1], edges[1:])
    inside = np.ones(len(middles), bool)
    if chosen is not None:
        inside = (middles >= chosen[0] - 1e-9) & (middles <= chosen[1] + 1e-9)
    figure = go.Figure(
        go.Bar(
            x=middles,
            y=counts,
            width=np.diff(edges) * 0.9,
            marker={
                "color": [colours.accent if one else faded(colours.accent, 0.3) for one in inside],
                "line": {"width": 0},
            },
            customdata=np.column_stack([low, high]),
            hovertext=[
                f"{count:,} items ({count / max(1, len(known)):.0%})<br>"
                + (
                    f"{measure} {short_number(a)}"
                    if exact
                    else f"{measure} {short_number(a)} to {short_number(b)}"
                )
                for count, a, b in zip(counts, low, high, strict=True)
            ],
            hoverinfo="text",
            unselected={"marker": {"opacity": 0.35}},
        )
    )
    parts = [f"{len(known):,} items"]
    if len(known) < len(every):
        parts.append(f"{len(every) - len(known):,} without a value")
    if noise is not None:
        figure.add_vrect(
            x0=noise[0],
            x1=noise[1],
            fillcolor=faded(colours.missing, 0.3),
            line_width=0,
            layer="below",
        )
        parts.append(
            f"grey: only the seed differs, {short_number(noise[0])} to {short_number(noise[1])}"
        )
    if len(known):
        median = float(np.median(known))
        figure.add_vline(x=median, line={"color": colours.text, "width": 2})
        parts.insert(1, f"median {short_number(median)} (line)")
    if chance is not None:
        chance_line(figure, chance, colours, upright=True)
        parts.append(f"dotted: chance {chance_text(chance)}")
    figure.update_layout(
        height=_HEIGHT,
        margin={"l": 8, "r": 12, "b": 48},
        showlegend=False,
        bargap=0,
        dragmode="select",
        selectdirection="h",
        hovermode="closest",
        xaxis={
            "title": measure,
            "range": [float(edges[0]) - 0.01, float(edges[-1]) + 0.01],
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
            "nticks": 11,
        },
        yaxis={"title": "items", "fixedrange": True, "nticks": 5, "automargin": True},
    )
    titled(figure, "Agreement of each item", " · ".join(parts), colours)
    return figure
