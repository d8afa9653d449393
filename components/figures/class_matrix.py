"""Which classes have which for neighbours, and what changes from one method to the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from components.figures.ink import Ink, ink, short_number, shortened, titled

_NUMBERS_UP_TO = 10  # classes whose cells have room for a number
_LARGEST_PX = 820
_ENDS_LIGHT = ("#b35806", "#f1a340", "#fddfb3", "#ffffff", "#c5dcf0", "#67a1d1", "#1f5697")
_ENDS_DARK = ("#f5a545", "#a8671f", "#4f371f", "#161d23", "#20394f", "#3a72ad", "#7db4ff")
_RISE_LIGHT = ("#ffffff", "#c5dcf0", "#67a1d1", "#1f5697", "#0c2f5c")
_RISE_DARK = ("#161d23", "#20394f", "#3a72ad", "#7db4ff", "#dcebff")


def class_matrix(
    names: Sequence[str],
    shares: ArrayLike,
    *,
    title: str,
    note: str = "",
    dark: bool = False,
) -> go.Figure:
    """Return shares of class by class, each row one class.

    Parameters
    ----------
    names : sequence of str
        Up to about 80 stay legible; beyond, names are on hover only.
    shares : array_like, (c, c)
        0 … 1: row the class of an item, column that of its neighbours. NaN where there is none.
    title, note : str
    dark : bool
    """
    values = np.asarray(shares, np.float64)
    top = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
    colours = _RISE_DARK if dark else _RISE_LIGHT
    texts = [[_share(v) for v in row] for row in values]
    return _figure(names, values, texts, (0.0, max(top, 1e-9)), colours, title, note, "share", dark)


def class_difference(
    names: Sequence[str],
    difference: ArrayLike,
    *,
    title: str,
    minus: str,
    plus: str,
    note: str = "",
    dark: bool = False,
) -> go.Figure:
    """Return how shares of class by class differ between two methods; no change has no colour.

    Parameters
    ----------
    names : sequence of str
    difference : array_like, (c, c)
        Second method minus first, -1 … 1.
    title : str
    minus, plus : str
        Names of the methods that have more at the orange and at the blue end.
    note : str
    dark : bool
    """
    values = np.asarray(difference, np.float64)
    top = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    top = max(top, 1e-9)
    ends = f"orange: more under {shortened(minus, 30)} · blue: more under {shortened(plus, 30)}"
    texts = [[_signed(v) for v in row] for row in values]
    colours = _ENDS_DARK if dark else _ENDS_LIGHT
    whole = f"{ends}<br>{note}" if note else ends
    return _figure(names, values, texts, (-top, top), colours, title, whole, "difference", dark)


def _figure(
    names: Sequence[str],
    values: NDArray[np.float64],
    texts: list[list[str]],
    bounds: tuple[float, float],
    scale: Sequence[str],
    title: str,
    note: str,
    what: str,
    dark: bool,
) -> go.Figure:
    colours, c = ink(dark), len(names)
    with_numbers = c <= _NUMBERS_UP_TO
    cell = 52 if with_numbers else max(_LARGEST_PX // c, 8)
    steps = [[i / (len(scale) - 1), colour] for i, colour in enumerate(scale)]
    long = [shortened(name, 60) for name in names]
    hover = [
        [_hover(long[i], long[j], float(values[i, j]), what) for j in range(c)] for i in range(c)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            zmin=bounds[0],
            zmax=bounds[1],
            colorscale=steps,
            text=texts if with_numbers else None,
            texttemplate="%{text}" if with_numbers else None,
            textfont={"size": 12},
            xgap=1 if cell > 12 else 0,
            ygap=1 if cell > 12 else 0,
            hovertext=hover,
            hoverinfo="text",
            colorbar={
                "thickness": 10,
                "outlinewidth": 0,
                "len": 1,
                "nticks": 5,
                "tickfont": {"size": 11, "color": colours.muted},
            },
        )
    )
    most = 22
    labels = [shortened(name, most) for name in names] if c <= 100 else []
    room = round(6.4 * max((len(label) for label in labels), default=2)) + 16
    size = 12 if cell >= 14 else max(7, cell - 1)
    room = round(room * size / 12) + 4
    titled(figure, title, note, colours, top=room)
    axis = _axis(c, labels, size, colours)
    side = cell * c
    figure.update_layout(
        width=max(room + side + 76, 480),
        height=figure.layout.margin.t + side + 12,
        margin={"l": room, "r": max(76, 480 - room - side), "b": 12, "autoexpand": False},
        dragmode=False,
        xaxis={**axis, "side": "top", "tickangle": -90 if c > 3 or side < 300 else 0},
        yaxis={**axis, "autorange": "reversed"},
    )
    return figure


def _axis(c: int, labels: list[str], size: int, colours: Ink) -> dict[str, Any]:
    return {
        "tickvals": list(range(c)) if labels else [],
        "ticktext": labels,
        "tickfont": {"size": size, "color": colours.text},
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "rgba(0,0,0,0)",
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "fixedrange": True,
        "automargin": False,
    }


def _hover(row: str, column: str, value: float, what: str) -> str:
    figure = f"{value:+.3f}" if what == "difference" else f"{value:.3f}"
    shown = f"{what} {figure}" if np.isfinite(value) else "no items"
    return f"<b>{row}</b> has <b>{column}</b> for neighbours<br>{shown}"


def _share(value: float) -> str:
    return short_number(value) if np.isfinite(value) and value >= 0.005 else ""


def _signed(value: float) -> str:
    if not np.isfinite(value) or abs(value) < 0.005:
        return ""
    return ("+" if value > 0 else "−") + short_number(abs(value))
