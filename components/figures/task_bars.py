"""How good each method is at a task, with chance and with what cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from components.figures.ink import chance_line, chance_text, ink, short_number, shortened, titled

_ROW_PX = 34


def task_bars(
    names: Sequence[str],
    values: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    title: str,
    measure: str,
    chance: float | None = None,
    level_with_best: Sequence[str] = (),
    reasons: Mapping[str, str] | None = None,
    note: str = "",
    dark: bool = False,
) -> go.Figure:
    """Return one row per method, the best first: a dot with its interval.

    Parameters
    ----------
    names : sequence of str
    values, low, high : array_like, (m,)
        Higher is better. NaN where there is no score or no interval.
    title : str
        Name of the task.
    measure : str
        Title of the axis.
    chance : float, optional
    level_with_best : sequence of str
        Methods that a paired test does not tell from the best; bracketed with it.
    reasons : mapping of str to str, optional
        Why a method has no score.
    note : str
        Such as how many items stand behind it.
    dark : bool
    """
    colours = ink(dark)
    score, least, most = (np.asarray(v, np.float64) for v in (values, low, high))
    order = sorted(
        range(len(names)), key=lambda i: (not np.isfinite(score[i]), -np.nan_to_num(score[i]))
    )
    known = [i for i in order if np.isfinite(score[i])]
    level = {i for i in known if names[i] in set(level_with_best) | {names[known[0]]}}
    figure = go.Figure()
    bars = {
        "type": "data",
        "symmetric": False,
        "array": np.nan_to_num(most[known] - score[known]),
        "arrayminus": np.nan_to_num(score[known] - least[known]),
        "color": colours.muted,
        "thickness": 2,
        "width": 5,
    }
    rows = list(range(len(known)))
    figure.add_trace(  # below the dots
        go.Scatter(
            x=score[known],
            y=rows,
            mode="markers",
            marker={"opacity": 0},
            error_x=bars,
            hoverinfo="skip",
        )
    )
    shades = [colours.accent if i in level else colours.muted for i in known]
    figure.add_trace(
        go.Scatter(
            x=score[known],
            y=rows,
            mode="markers+text",
            text=[short_number(float(score[i]), 3) for i in known],
            textposition="top center",
            textfont={"size": 12, "color": colours.text},
            cliponaxis=False,
            marker={
                "opacity": 1,
                "size": [13 if place == 0 else 10 for place in range(len(known))],
                "color": shades,
                "symbol": ["diamond" if place == 0 else "circle" for place in range(len(known))],
            },
            customdata=[names[i] for i in known],
            hovertext=[_hover(names[i], score[i], least[i], most[i]) for i in known],
            hoverinfo="text",
        )
    )
    bounds = _range(np.concatenate([score, least, most, [np.nan if chance is None else chance]]))
    for place, i in enumerate(order):
        if i not in known:
            reason = (reasons or {}).get(names[i], "no score")
            figure.add_annotation(
                x=bounds[0],
                y=place,
                text=shortened(reason, 76),
                showarrow=False,
                xanchor="left",
                hovertext=shortened(reason, 400),
                bgcolor=colours.ground,
                xshift=6,
                font={"size": 12, "color": colours.muted},
            )
    if len(level) > 1:
        _bracket(figure, [place for place, i in enumerate(order) if i in level], colours.accent)
    parts = [note] if note else []
    if chance is not None and known:
        chance_line(figure, chance, colours, upright=True)
        parts.append(f"dotted: chance {chance_text(chance)}")
    parts += ["bars: 95 % interval"] if np.isfinite(least).any() else []
    figure.update_layout(
        margin={"l": 8, "r": 116 if len(level) > 1 else 20, "b": 48},
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        xaxis={
            "title": measure,
            "range": bounds,
            "fixedrange": True,
            "zeroline": False,
            "nticks": 7,
        },
        yaxis={
            "tickvals": list(range(len(order))),
            "ticktext": [shortened(names[i], 30) for i in order],
            "tickfont": {"size": 12.5, "color": colours.text},
            "range": [len(order) - 0.4, -0.75],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
    )
    titled(figure, title, " · ".join(parts), colours)
    figure.update_layout(height=figure.layout.margin.t + 60 + _ROW_PX * max(len(order), 2))
    return figure


def _range(values: np.ndarray) -> list[float]:  # type: ignore[type-arg]
    known = values[np.isfinite(values)]
    if not len(known):
        return [0.0, 1.0]
    room = max(0.07 * float(np.ptp(known)), 0.01)
    return [float(known.min()) - room, float(known.max()) + room]


def _bracket(figure: go.Figure, places: Sequence[int], colour: str) -> None:
    """Draw a bracket at the right of the rows that belong together."""
    first, last = min(places) - 0.2, max(places) + 0.2
    line = {"color": colour, "width": 2}
    for a, b in ((first, first), (last, last)):
        figure.add_shape(type="line", xref="paper", x0=1.005, x1=1.015, y0=a, y1=b, line=line)
    figure.add_shape(type="line", xref="paper", x0=1.015, x1=1.015, y0=first, y1=last, line=line)
    figure.add_annotation(
        xref="paper",
        x=1.015,
        xshift=6,
        y=(first + last) / 2,
        text="cannot be<br>told apart",
        showarrow=False,
        xanchor="left",
        align="left",
        font={"size": 12, "color": colour},
    )


def _hover(name: str, value: float, low: float, high: float) -> str:
    text = f"<b>{shortened(name, 60)}</b><br>{value:.4f}"
    if np.isfinite(low) and np.isfinite(high):
        text += f", 95 % interval {low:.4f} to {high:.4f}"
    return text
