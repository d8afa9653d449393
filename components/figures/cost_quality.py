"""What a method costs against how good it is."""

from __future__ import annotations

from collections.abc import Sequence

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

_ROOM = (560.0, 270.0)  # pixels that labels are placed for
_HEIGHT = 400
_DECADES = (1, 2, 5)


def cost_quality(
    names: Sequence[str],
    cost: ArrayLike,
    quality: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    cost_title: str,
    quality_title: str,
    chance: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """Return methods by cost (logarithmic) and quality, with the ones that nothing beats joined.

    Parameters
    ----------
    names : sequence of str
    cost : array_like, (m,)
        Seconds, megabytes or dimensions. What is not positive or not known cannot be drawn and is
        named below the title.
    quality, low, high : array_like, (m,)
        A score with its interval; NaN where there is none.
    cost_title, quality_title : str
        Titles of the axes, with the unit.
    chance : float, optional
    dark : bool
    """
    colours = ink(dark)
    x, y, least, most = (np.asarray(v, np.float64) for v in (cost, quality, low, high))
    drawn = np.isfinite(x) & (x > 0) & np.isfinite(y)
    gone = [
        shortened(name, 24) for name, is_drawn in zip(names, drawn, strict=True) if not is_drawn
    ]
    rows = np.flatnonzero(drawn)
    best = frontier(x[rows], y[rows])
    figure = go.Figure()
    is_far = False
    if len(rows):
        bounds = _range(np.concatenate([y[rows], least[rows], most[rows]]))
        is_far = chance is not None and chance < bounds[0] - 2 * (bounds[1] - bounds[0])
        if chance is not None and not is_far:
            bounds = _range(np.array([chance, *bounds]), 0.03)
        log = np.log10(x[rows])
        wide = _range(log, 0.12, 0.15)
        if best.any():
            figure.add_trace(_steps(x[rows][best], y[rows][best], 10 ** wide[1], colours))
        figure.add_trace(
            _points(
                [names[i] for i in rows],
                log,
                y[rows],
                least[rows],
                most[rows],
                best,
                wide,
                bounds,
                cost_title,
                colours,
            )
        )
        figure.update_xaxes(type="log", range=wide, **_ticks(wide))
        figure.update_yaxes(range=bounds)
        if chance is not None and not is_far:
            chance_line(figure, chance, colours, upright=False)
    figure.update_layout(
        height=_HEIGHT,
        margin={"l": 8, "r": 16, "b": 52},
        showlegend=False,
        dragmode=False,
        hovermode="closest",
    )
    figure.update_xaxes(title=cost_title, fixedrange=True, zeroline=False, automargin=True)
    figure.update_yaxes(title=quality_title, fixedrange=True, nticks=6, zeroline=False)
    note = "joined: nothing cheaper is as good<br>bars: 95 % interval"
    if chance is not None:
        note += f" · {'chance' if is_far else 'dotted: chance'} {chance_text(chance)}"
        note += ", below" if is_far else ""
    note += f"<br>not drawn, no figure: {', '.join(gone)}" if gone else ""
    titled(figure, "What quality costs", note, colours)
    return figure


def _range(values: NDArray[np.float64], share: float = 0.1, least: float = 0.02) -> list[float]:
    known = values[np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    room = max(share * (high - low), least)
    return [low - room, high + room]


def _ticks(wide: list[float]) -> dict[str, object]:
    """Return plain numbers at 1, 2, 5 of each decade: Plotly would print "2" for 20."""
    many = wide[1] - wide[0] > 3
    values = [
        step * 10.0**power
        for power in range(int(np.floor(wide[0])), int(np.ceil(wide[1])) + 1)
        for step in ((1,) if many else _DECADES)
        if wide[0] <= np.log10(step * 10.0**power) <= wide[1]
    ]
    return {"tickvals": values, "ticktext": [f"{value:,.10g}" for value in values]}


def _steps(x: NDArray[np.float64], y: NDArray[np.float64], end: float, colours: Ink) -> go.Scatter:
    order = np.argsort(x, kind="stable")
    return go.Scatter(
        x=[*x[order], end],
        y=[*y[order], float(y[order][-1])],
        mode="lines",
        line={"color": faded(colours.accent, 0.6), "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )


def _points(
    names: list[str],
    log: NDArray[np.float64],
    y: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    best: NDArray[np.bool_],
    wide: list[float],
    bounds: list[float],
    cost_title: str,
    colours: Ink,
) -> go.Scatter:
    """Return the methods with intervals and labels that keep apart."""
    labels = [shortened(name, 24) for name in names]
    across = (log - wide[0]) / (wide[1] - wide[0]) * _ROOM[0]
    up = (y - bounds[0]) / (bounds[1] - bounds[0]) * _ROOM[1]
    shades = [colours.accent if one else colours.muted for one in best]
    stairs = sorted(zip(across[best].tolist(), up[best].tolist(), strict=True))
    ends = [*stairs[1:], (_ROOM[0], stairs[-1][1])] if stairs else []
    avoid = [(a, b - 1, c, b + 1) for (a, b), (c, _) in zip(stairs, ends, strict=True)]
    avoid += [(c - 1, b, c + 1, d) for (_, b), (c, d) in zip(stairs, ends, strict=True)]
    unit = _ROOM[1] / (bounds[1] - bounds[0])
    spreads = zip(across, (low - bounds[0]) * unit, (high - bounds[0]) * unit, strict=True)
    avoid += [(a - 1, b, a + 1, c) for a, b, c in spreads if np.isfinite(b) and np.isfinite(c)]
    spans = [
        f", 95 % interval {a:.3f} to {b:.3f}" if np.isfinite(a) and np.isfinite(b) else ""
        for a, b in zip(low, high, strict=True)
    ]
    return go.Scatter(
        x=10**log,
        y=y,
        mode="markers+text",
        text=labels,
        textposition=label_sides(across.tolist(), up.tolist(), labels, avoid=avoid),
        textfont={"size": 12.5, "color": colours.text},
        cliponaxis=False,
        marker={
            "size": 11,
            "color": shades,
            "symbol": ["circle" if b else "circle-open" for b in best],
            "line": {"width": 2, "color": shades},
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": np.nan_to_num(high - y),
            "arrayminus": np.nan_to_num(y - low),
            "color": colours.muted,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=names,
        hovertext=[
            f"<b>{label}</b><br>{value:.3f}{span}<br>{shortened(cost_title, 40)}: {price:,.3g}"
            for label, value, span, price in zip(labels, y, spans, 10**log, strict=True)
        ],
        hoverinfo="text",
    )
