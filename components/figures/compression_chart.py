"""What is left of a space in fewer bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from comparison.compression import frontier
from components.figures.ink import (
    Ink,
    chance_line,
    chance_text,
    faded,
    ink,
    label_sides,
    shortened,
    titled,
)
from components.figures.palette import class_colours

_SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "cross",
    "x",
    "star",
    "hexagon",
    "triangle-down",
    "pentagon",
    "bowtie",
)
_PANEL = 300
_WIDE = 600.0  # pixels that labels are placed for
Float64 = NDArray[np.float64]


def compression_chart(
    labels: Sequence[str],
    families: Sequence[str],
    n_bytes: ArrayLike,
    recall: tuple[ArrayLike, ArrayLike, ArrayLike],
    *,
    k: int = 10,
    chance: float | None = None,
    task: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    task_title: str = "label accuracy",
    task_chance: float | None = None,
    note: str = "",
    dark: bool = False,
) -> go.Figure:
    """Return recall of the true neighbours (and a task score below) over bytes per million items.

    In each panel the codes that nothing smaller equals are joined and labelled.

    Parameters
    ----------
    labels, families : sequence of str
        Name of each code, and of the kind it belongs to (colour, symbol, legend); eleven kinds.
    n_bytes : array_like, (m,)
        Of a million vectors.
    recall : tuple of array_like, (m,)
        Value, lowest and highest of the interval.
    k : int
    chance, task_chance : float, optional
    task : tuple of array_like, (m,), optional
        As ``recall``; NaN where there is none.
    task_title, note : str
    dark : bool

    Returns
    -------
    Figure
        ``customdata`` of a marker: the label of its code.
    """
    from plotly.subplots import make_subplots

    colours = ink(dark)
    size = np.asarray(n_bytes, np.float64)
    panels = [(recall, f"recall@{k}", chance)]
    if task is not None:
        panels.append((task, task_title, task_chance))
    figure = make_subplots(rows=len(panels), cols=1, shared_xaxes=True, vertical_spacing=0.07)
    log = np.log10(size)
    wide = [float(log.min()) - 0.3, float(log.max()) + 0.3]
    for row, (score, title, level) in enumerate(panels, 1):
        value, low, high = (np.asarray(part, np.float64) for part in score)
        least = np.concatenate([value, low])
        bounds = [float(least[np.isfinite(least)].min(initial=0.0)) - 0.02, 1.08]
        _panel(
            figure,
            row,
            labels,
            families,
            size,
            (value, low, high),
            wide,
            bounds,
            colours,
            dark,
        )
        figure.update_yaxes(
            title=title,
            range=bounds,
            fixedrange=True,
            nticks=6,
            zeroline=False,
            automargin=True,
            row=row,
            col=1,
        )
        if level is not None:
            chance_line(figure, level, colours, upright=False, row=row, col=1)
    figure.update_xaxes(
        type="log", range=wide, fixedrange=True, zeroline=False, **_byte_ticks(wide)
    )
    figure.update_xaxes(title="size of a million vectors", row=len(panels), col=1)
    parts = [note] if note else []
    parts.append("line: nothing smaller is as good")
    levels = [f"{title} {chance_text(level)}" for _, title, level in panels if level is not None]
    parts += [f"dotted: chance, {', '.join(levels)}"] if levels else []
    titled(figure, "What is left in fewer bytes", " · ".join(parts), colours)
    figure.update_layout(
        height=figure.layout.margin.t + _PANEL * len(panels) + 96,
        margin={"l": 8, "r": 12, "b": 96},
        dragmode=False,
        hovermode="closest",
        clickmode="event+select",
        legend={
            "orientation": "h",
            "x": 0,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": 12, "color": colours.text},
        },
    )
    return figure


def _panel(
    figure: go.Figure,
    row: int,
    labels: Sequence[str],
    families: Sequence[str],
    size: Float64,
    score: tuple[Float64, Float64, Float64],
    wide: list[float],
    bounds: list[float],
    colours: Ink,
    dark: bool,
) -> None:
    value, low, high = score
    best = frontier(size, value)
    stairs = sorted((size[i], value[i]) for i in np.flatnonzero(best & np.isfinite(value)))
    if stairs:
        figure.add_trace(_stairs(stairs, 10 ** wide[1], colours), row=row, col=1)
    kinds = list(dict.fromkeys(families))
    shades = class_colours(min(len(kinds), 11), dark=dark)
    printed = [shortened(label, 24) if one else "" for label, one in zip(labels, best, strict=True)]
    across = (np.log10(size) - wide[0]) / (wide[1] - wide[0]) * _WIDE
    up = (np.nan_to_num(value) - bounds[0]) / (bounds[1] - bounds[0]) * (_PANEL - 20)
    avoid = _avoid(stairs, wide, bounds)
    sides = label_sides(across.tolist(), up.tolist(), printed, avoid=avoid)
    for place, kind in enumerate(kinds):
        some = [i for i, family in enumerate(families) if family == kind]
        shade = shades[place % len(shades)]
        figure.add_trace(
            go.Scatter(
                x=size[some],
                y=value[some],
                mode="markers+text",
                name=shortened(kind, 30),
                legendgroup=kind,
                showlegend=row == 1,
                text=[printed[i] for i in some],
                textposition=[sides[i] for i in some],
                textfont={"size": 12, "color": colours.text},
                cliponaxis=False,
                marker={
                    "size": 11,
                    "color": shade,
                    "symbol": _SYMBOLS[place % len(_SYMBOLS)],
                    "line": {"width": [2 if best[i] else 0 for i in some], "color": colours.text},
                },
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": np.nan_to_num(high[some] - value[some]),
                    "arrayminus": np.nan_to_num(value[some] - low[some]),
                    "color": faded(shade, 0.7),
                    "thickness": 1.5,
                    "width": 3,
                },
                customdata=[labels[i] for i in some],
                hovertext=[_hover(labels[i], size[i], value[i], low[i], high[i]) for i in some],
                hoverinfo="text",
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 1}},
            ),
            row=row,
            col=1,
        )


def _avoid(
    stairs: list[tuple[float, float]], wide: list[float], bounds: list[float]
) -> list[tuple[float, float, float, float]]:
    """Return the boxes of the frontier line in pixels."""
    unit = (_PANEL - 20) / (bounds[1] - bounds[0])
    points = [
        ((np.log10(a) - wide[0]) / (wide[1] - wide[0]) * _WIDE, (b - bounds[0]) * unit)
        for a, b in stairs
    ]
    ends = [*points[1:], (_WIDE, points[-1][1])] if points else []
    flat = [(a, b - 1, c, b + 1) for (a, b), (c, _) in zip(points, ends, strict=True)]
    return flat + [
        (c - 1, min(b, d), c + 1, max(b, d)) for (_, b), (c, d) in zip(points, ends, strict=True)
    ]


def _stairs(stairs: list[tuple[float, float]], end: float, colours: Ink) -> go.Scatter:
    return go.Scatter(
        x=[*(x for x, _ in stairs), end],
        y=[*(y for _, y in stairs), stairs[-1][1]],
        mode="lines",
        line={"color": colours.muted, "width": 1.5, "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )


def _byte_ticks(wide: list[float]) -> dict[str, Any]:
    steps = (1, 2, 5) if wide[1] - wide[0] < 2.5 else (1, 3)
    values = [
        step * 10.0**power
        for power in range(int(np.floor(wide[0])), int(np.ceil(wide[1])) + 1)
        for step in steps
        if wide[0] <= np.log10(step * 10.0**power) <= wide[1]
    ]
    return {"tickvals": values, "ticktext": [_size(value) for value in values]}


def _size(n_bytes: float) -> str:
    for unit, step in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= step:
            return f"{n_bytes / step:.3g} {unit}"
    return f"{n_bytes:.0f} B"


def _hover(label: str, size: float, value: float, low: float, high: float) -> str:
    text = f"<b>{shortened(label, 40)}</b><br>{_size(size)} for a million vectors<br>{value:.3f}"
    if np.isfinite(low) and np.isfinite(high):
        text += f", 95 % interval {low:.3f} to {high:.3f}"
    return text
