"""How small each of several spaces can be kept, and what is then left of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from comparison.compression import frontier
from components.figures.ink import chance_line, chance_text, ink, shortened, titled
from components.figures.palette import class_colours

_PANEL = 300


@dataclass(frozen=True)
class Codes:
    """The codes of one space.

    Attributes
    ----------
    labels : sequence of str
    n_bytes : sequence of float
        Of a million vectors.
    recall, task : sequence of float
        ``task`` is empty where there is none.
    """

    labels: Sequence[str]
    n_bytes: Sequence[float]
    recall: Sequence[float]
    task: Sequence[float] = ()


def compression_frontiers(
    spaces: Mapping[str, Codes],
    *,
    k: int = 10,
    chance: float | None = None,
    task_title: str = "label accuracy",
    task_chance: float | None = None,
    note: str = "",
    dark: bool = False,
) -> go.Figure:
    """Return one line per space through the codes that none of its smaller ones equals.

    Each space has its own true neighbours, so recall says what it loses of itself; the task score
    below is the same question for all.

    Parameters
    ----------
    spaces : mapping of str to Codes
        At most 11.
    k : int
    chance, task_chance : float, optional
    task_title, note : str
    dark : bool

    Returns
    -------
    Figure
        ``customdata`` of a marker: the space and the label of its code.
    """
    from plotly.subplots import make_subplots

    colours = ink(dark)
    panels = [(f"recall@{k}", chance)]
    if any(len(codes.task) for codes in spaces.values()):
        panels.append((task_title, task_chance))
    figure = make_subplots(rows=len(panels), cols=1, shared_xaxes=True, vertical_spacing=0.07)
    shades = class_colours(len(spaces), dark=dark)
    for row, (title, level) in enumerate(panels, 1):
        for (name, codes), shade in zip(spaces.items(), shades, strict=False):
            score = np.asarray(codes.recall if row == 1 else codes.task, np.float64)
            if len(score):
                figure.add_trace(_line(name, codes, score, shade, row == 1), row=row, col=1)
        figure.update_yaxes(title=title, fixedrange=True, zeroline=False, automargin=True, row=row)
        if level is not None:
            chance_line(figure, level, colours, upright=False, row=row, col=1)
    figure.update_xaxes(
        type="log", dtick=1, tickformat="~s", ticksuffix="B", fixedrange=True, zeroline=False
    )
    figure.update_xaxes(title="size of a million vectors", row=len(panels), col=1)
    levels = [f"{title} {chance_text(level)}" for title, level in panels if level is not None]
    parts = [part for part in (note, "per embedding, what nothing smaller equals") if part]
    parts += [f"dotted: chance, {', '.join(levels)}"] if levels else []
    titled(figure, "What is left of each embedding", " · ".join(parts), colours)
    figure.update_layout(
        height=figure.layout.margin.t + _PANEL * len(panels) + 96,
        margin={"l": 8, "r": 12, "b": 96},
        dragmode=False,
        hovermode="closest",
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


def _line(name: str, codes: Codes, score: np.ndarray, shade: str, is_first: bool) -> go.Scatter:
    size = np.asarray(codes.n_bytes, np.float64)
    best = np.flatnonzero(frontier(size, score))
    best = best[np.argsort(size[best], kind="stable")]
    shown = shortened(name, 30)
    return go.Scatter(
        x=[*size[best], size.max()],  # beyond its last point nothing is better
        y=[*score[best], score[best][-1]],
        mode="lines+markers",
        name=shown,
        legendgroup=name,
        showlegend=is_first,
        line={"color": shade, "width": 2, "shape": "hv"},
        marker={"size": [8] * len(best) + [0], "color": shade, "opacity": 1},
        customdata=[[name, codes.labels[i]] for i in best],
        hovertext=[
            f"<b>{shown}</b><br>{shortened(codes.labels[i], 40)}<br>"
            f"{size[i] / 1e6:,.0f} MB for a million vectors<br>{score[i]:.3f}"
            for i in best
        ],
        hoverinfo="text",
    )
