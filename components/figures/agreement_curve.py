"""How agreement grows with the number of neighbours that count."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from components.figures.ink import (
    CHAR,
    Ink,
    chance_text,
    faded,
    ink,
    shortened,
    spread,
    titled,
)
from components.figures.palette import class_colours

_HEIGHT, _LABEL = 360, 34
_DASHES = ("solid", "dash", "dot", "dashdot")


def agreement_curve(
    curves: Mapping[str, Mapping[int, float]],
    *,
    chance: Mapping[int, float],
    bands: Mapping[str, Mapping[int, tuple[float, float]]] | None = None,
    k: int | None = None,
    measure: str = "overlap",
    dark: bool = False,
) -> go.Figure:
    """Return one line per pair over k, with chance and with what another seed alone does.

    Parameters
    ----------
    curves : mapping of str to mapping of int to float
        Label of a pair to its agreement at each k; up to eleven can be told apart.
    chance : mapping of int to float
    bands : mapping of str to mapping of int to (low, high), optional
        Label of a method to its agreement with itself under other seeds.
    k : int, optional
        The one in use, marked.
    measure : str
    dark : bool
    """
    colours = ink(dark)
    figure = go.Figure()
    ends: list[tuple[str, float, str]] = []
    for name, band in (bands or {}).items():
        ends.append((f"other seed: {name}", float(np.mean(band[max(band)])), colours.muted))
        figure.add_trace(_band(name, band, colours))
    steps = sorted(chance)
    figure.add_trace(
        go.Scatter(
            x=steps,
            y=[chance[step] for step in steps],
            mode="lines",
            line={"color": colours.muted, "width": 1.5, "dash": "dot"},
            hovertext=[f"chance at k = {step}: {chance_text(chance[step])}" for step in steps],
            hoverinfo="text",
        )
    )
    ends.append(("chance", float(chance[steps[-1]]), colours.muted))
    shades = class_colours(min(max(len(curves), 1), 11), dark=dark)
    for place, (pair, curve) in enumerate(curves.items()):
        shade = shades[place % len(shades)]
        ks = sorted(curve)
        figure.add_trace(
            go.Scatter(
                x=ks,
                y=[curve[step] for step in ks],
                mode="lines+markers",
                line={"color": shade, "width": 2.5, "dash": _DASHES[place % 4]},
                marker={"size": 7},
                cliponaxis=False,
                customdata=[pair] * len(ks),
                hovertext=[f"{shortened(pair, 60)}<br>k = {s}: {curve[s]:.3f}" for s in ks],
                hoverinfo="text",
            )
        )
        ends.append((pair, float(curve[ks[-1]]), shade))
    _lay_out(figure, ends, steps, k, measure, colours)
    return figure


def _band(name: str, band: Mapping[int, tuple[float, float]], colours: Ink) -> go.Scatter:
    ks = sorted(band)
    return go.Scatter(
        x=[*ks, *ks[::-1]],
        y=[*(band[s][0] for s in ks), *(band[s][1] for s in ks[::-1])],
        fill="toself",
        mode="lines",
        fillcolor=faded(colours.missing, 0.35),
        line={"color": faded(colours.missing, 0.9), "width": 1},
        hoveron="fills",
        hoverinfo="text",
        text=f"{shortened(name, 40)} with other seeds",
    )


def _lay_out(
    figure: go.Figure,
    ends: list[tuple[str, float, str]],
    steps: list[int],
    k: int | None,
    measure: str,
    colours: Ink,
) -> None:
    """Set axes and put the names at the ends of the lines, where they do not cover each other."""
    top = min(1.02, 1.12 * max(max(trace.y) for trace in figure.data) + 0.02)
    low = min(0.0, 1.1 * min(min(trace.y) for trace in figure.data))
    names = [shortened(name, _LABEL) for name, _, _ in ends]
    is_banded = any(name.startswith("other seed: ") for name, _, _ in ends)
    note = "grey band: the same method with other seeds" if is_banded else ""
    title = f"{measure[:1].upper()}{measure[1:]} by number of neighbours"
    titled(figure, title, note, colours)
    height = max(_HEIGHT, 110 + 18 * len(ends))
    room = height - figure.layout.margin.t - 48
    pixel = (top - low) / room
    lifted = spread([value for _, value, _ in ends], 16 * pixel)
    over = max(0.0, max(lifted) - top) or min(0.0, min(lifted) - low)
    for name, value, (_, _, shade) in zip(names, lifted, ends, strict=True):
        figure.add_annotation(
            x=1.0,
            xref="paper",
            xshift=8,
            y=value - over,
            text=name,
            showarrow=False,
            xanchor="left",
            font={"size": 12, "color": shade},
        )
    if k is not None:
        figure.add_vline(x=k, line={"color": colours.hairline, "width": 3}, layer="below")
    edge = 1.06
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": round(20 + CHAR * max(map(len, names))), "b": 48},
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        xaxis={
            "title": "k nearest neighbours",
            "type": "log",
            "tickvals": steps,
            "ticktext": [str(step) for step in steps],
            "range": [np.log10(steps[0] / edge), np.log10(steps[-1] * edge)],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={
            "title": measure,
            "range": [low, top],
            "nticks": 6,
            "fixedrange": True,
            "automargin": True,
        },
    )
