"""How far every two methods agree, as a matrix whose cells can be clicked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from comparison.agreement import Agreement
from components.figures.ink import (
    CHAR,
    Ink,
    chance_text,
    ink,
    short_number,
    shortened,
    titled,
    wrapped,
    wrapped_hover,
)
from components.figures.palette import interpolate

_STEPS = 64
_LABEL_CHARS = 18
_ROWS_PX, _HEADS_PX = 150, 44
_LEAST_PX = 400  # of the whole figure, so that the line below the title has room
_HALF = 0.475  # of a cell that is filled, from its middle; the rest is the gap


def agreement_matrix(
    agreement: Agreement,
    *,
    other_seed: Mapping[str, float] | None = None,
    random_pairs: tuple[float, float] | None = None,
    chosen: tuple[str, str] | None = None,
    dark: bool = False,
) -> go.Figure:
    """Return one measure between every two methods as squares with numbers.

    Squares are shapes in units of the axes, so that they fill their places whatever the width.
    What is clicked are markers in their middles, because a click on a heat map selects nothing in
    Streamlit; the nearest counts from anywhere in a cell. Each carries the names of its pair as
    ``customdata``. The figure has a width of its own.

    Parameters
    ----------
    agreement : Agreement
    other_seed : mapping of str to float, optional
        Agreement of a method with itself under another seed, shown on the diagonal.
    random_pairs : (float, float), optional
        The least and the most of two methods whose items are paired at random, told where there
        is no chance level that holds for all.
    chosen : tuple of str, optional
        A pair to outline.
    dark : bool
    """
    colours, names = ink(dark), agreement.names
    m = len(names)
    cell = 76 if m <= 6 else 64
    figure = go.Figure()
    figure.add_trace(_cells(agreement, colours, dark))
    figure.add_trace(_diagonal(names, other_seed or {}, colours))
    labels = [wrapped(name, _LABEL_CHARS if m <= 6 else 14) for name in names]
    longest = max(len(line) for label in labels for line in label.split("<br>"))
    rows_px = min(_ROWS_PX, round(CHAR * longest) + 16)
    heads = [wrapped(name, 11 if m <= 6 else 9, 3) for name in names]
    axis = {
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "ticks": "",
        "tickvals": [*range(m)],
        "tickfont": {"size": 12, "color": colours.text},
    }
    figure.update_layout(
        width=max(rows_px + 16 + cell * m, _LEAST_PX),
        height=130 + cell * m,
        margin={"l": rows_px, "r": max(16, _LEAST_PX - rows_px - cell * m), "b": 12},
        shapes=_squares(agreement, chosen, colours, dark),
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        hoverdistance=-1,
        clickmode="event+select",
        xaxis={**axis, "side": "top", "ticktext": heads, "range": [-0.5, m - 0.5], "tickangle": 0},
        yaxis={**axis, "ticktext": labels, "range": [m - 0.5, -0.5], "automargin": False},
    )
    titled(
        figure,
        agreement.measure,
        _subtitle(agreement, other_seed, random_pairs),
        colours,
        top=_HEADS_PX + 12,
    )
    figure.update_layout(height=figure.layout.margin.t + 12 + cell * m)
    return figure


def _subtitle(
    agreement: Agreement,
    other_seed: Mapping[str, float] | None,
    random_pairs: tuple[float, float] | None,
) -> str:
    parts = [f"{agreement.n_used:,} items"]
    if agreement.chance is not None:
        parts.append(f"chance {chance_text(agreement.chance)}")
    elif random_pairs is not None:
        low, high = (chance_text(value) for value in random_pairs)
        parts.append(f"random pairings {low if low == high else f'{low} to {high}'}")
    if np.isfinite(agreement.low).any():
        parts.append("± half of the 95 % interval")
    text = " · ".join(parts)
    return text + ("<br>diagonal: the same method with another seed" if other_seed else "")


def _squares(
    agreement: Agreement, chosen: tuple[str, str] | None, colours: Ink, dark: bool
) -> list[dict[str, Any]]:
    """Return the squares off the diagonal, those of the chosen pair outlined."""
    names = agreement.names
    squares = []
    for i, j in _off_diagonal(len(names)):
        is_chosen = chosen is not None and {names[i], names[j]} == set(chosen)
        squares.append(
            {
                "type": "rect",
                "x0": j - _HALF,
                "x1": j + _HALF,
                "y0": i - _HALF,
                "y1": i + _HALF,
                "layer": "below",
                "fillcolor": _fill(float(agreement.values[i, j]), colours, dark),
                "line": {"color": colours.second, "width": 3 if is_chosen else 0},
            }
        )
    return squares


def _off_diagonal(m: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(m) for j in range(m) if i != j]


def _fill(value: float, colours: Ink, dark: bool) -> str:
    if not np.isfinite(value):
        return colours.hairline
    ends = ("#1d2a35", "#2f5f9e", "#7db4ff") if dark else ("#eef3f8", "#8fb4dc", "#1f5697")
    return interpolate(ends, _STEPS)[round(float(np.clip(value, 0, 1)) * (_STEPS - 1))]


def _cells(agreement: Agreement, colours: Ink, dark: bool) -> go.Scatter:
    """Return the numbers off the diagonal, and what is clicked."""
    names = agreement.names
    pairs = _off_diagonal(len(names))
    inks, texts, hovers = [], [], []
    for i, j in pairs:
        value = float(agreement.values[i, j])
        known = bool(np.isfinite(value))
        inks.append(_on(_fill(value, colours, dark)) if known else colours.muted)
        texts.append(_text(agreement, i, j) if known else "–")
        hovers.append(_hover(agreement, i, j))
    return go.Scatter(
        x=[j for _, j in pairs],
        y=[i for i, _ in pairs],
        mode="markers+text",
        marker={"size": 6, "opacity": 0},
        text=texts,
        textfont={"size": 14, "color": inks},
        customdata=[[names[i], names[j]] for i, j in pairs],
        hovertext=hovers,
        hoverinfo="text",
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
    )


def _diagonal(names: tuple[str, ...], other_seed: Mapping[str, float], colours: Ink) -> go.Scatter:
    texts = [
        f"seed<br>{short_number(other_seed[name])}" if name in other_seed else "1" for name in names
    ]
    hovers = [
        f"{shortened(name, 40)} with another seed: {other_seed[name]:.3f}"
        if name in other_seed
        else f"{shortened(name, 40)}: the same vectors"
        for name in names
    ]
    return go.Scatter(
        x=list(range(len(names))),
        y=list(range(len(names))),
        mode="text",
        text=texts,
        textfont={"size": 12.5, "color": colours.muted},
        hovertext=hovers,
        hoverinfo="text",
    )


def _text(agreement: Agreement, i: int, j: int) -> str:
    value = short_number(float(agreement.values[i, j]))
    half = float(agreement.high[i, j] - agreement.low[i, j]) / 2
    if not np.isfinite(half):
        return value
    margin = short_number(half, 2 if half >= 0.005 else 3)
    return f"{value}<br><span style='font-size:11px'>±{margin}</span>"


def _hover(agreement: Agreement, i: int, j: int) -> str:
    a, b = (shortened(agreement.names[at], 40) for at in (i, j))
    reason = agreement.refused.get((i, j)) or agreement.refused.get((j, i))
    value = float(agreement.values[i, j])
    if not np.isfinite(value):
        return f"<b>{a} · {b}</b><br>{wrapped_hover(reason or 'Not measured.')}"
    text = f"<b>{a} · {b}</b><br>{value:.3f}"
    if np.isfinite(agreement.low[i, j]):
        text += f", 95 % interval {agreement.low[i, j]:.3f} to {agreement.high[i, j]:.3f}"
    return text


def _on(fill: str) -> str:
    """Return black or white, whichever can be read on a colour."""
    red, green, blue = (int(fill[at : at + 2], 16) / 255 for at in (1, 3, 5))
    light = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    return "#10181f" if luminance > 0.18 else "#ffffff"
