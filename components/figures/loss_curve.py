"""How the loss fell, and how well held-out items were told apart, while a method was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from components.figures.palette import CATEGORICAL_LIGHT

MOST_MARKERS = 30


def loss_curve(losses: Sequence[float], *, n_epochs: int = 0) -> go.Figure:
    """Return a small line chart of one loss per epoch; ``n_epochs`` leaves room for as many."""
    figure = _chart(_line(losses, start=1, colour=CATEGORICAL_LIGHT[0]), "loss")
    if n_epochs:
        _leave_room(figure, 1, n_epochs)
    return figure


def _leave_room(figure: go.Figure, start: int, n_epochs: int) -> None:
    edge = 0.02 * max(1, n_epochs - start)
    figure.update_xaxes(range=[start - edge, n_epochs + edge])
    figure.update_layout(height=150)


def held_out_curve(held_out: Mapping[str, Any], *, n_epochs: int = 0) -> go.Figure:
    """Return a small line chart of a figure measured on held-out items after each epoch.

    Parameters
    ----------
    held_out : mapping
        As the provenance of a trained method holds it: ``name`` ("accuracy", "recall@5"),
        ``values`` in [0, 1] per epoch, ``chance`` (what guessing reaches; drawn as a dotted line),
        and optionally ``start`` (the epoch of the first value, 1 by default; 0 for a value from
        before training) and ``kept`` (the epoch whose weights were kept; marked).
    n_epochs : int
        Leaves room for as many epochs, while they are still run.
    """
    values, start = list(held_out["values"]), int(held_out.get("start", 1))
    figure = _chart(_line(values, start=start, colour=CATEGORICAL_LIGHT[1]), str(held_out["name"]))
    chance, kept = held_out.get("chance"), held_out.get("kept")
    if chance is not None:
        figure.add_hline(y=float(chance), line={"color": "#888888", "width": 1, "dash": "dot"})
    if kept is not None and start <= kept < start + len(values):
        figure.add_trace(
            go.Scatter(
                x=[kept],
                y=[values[kept - start]],
                mode="markers",
                cliponaxis=False,
                marker={
                    "color": CATEGORICAL_LIGHT[1],
                    "size": 12,
                    "symbol": "circle-open",
                    "line": {"width": 2},
                },
                hovertemplate="kept: epoch %{x}, %{y:.4g}<extra></extra>",
            )
        )
    figure.update_yaxes(range=[0, max(1.02 * max([*values, chance or 0]), 0.05)])
    if n_epochs:
        _leave_room(figure, start, n_epochs)
    return figure


def held_out_caption(held_out: Mapping[str, Any]) -> str:
    """Return the sentence above the chart: what was measured, chance, and which epoch was kept."""
    name = str(held_out["name"])
    parts = [f"{name[:1].upper()}{name[1:]} on held-out items after each epoch"]
    if held_out.get("chance") is not None:
        parts.append(f"dotted: chance, {share_words(held_out['chance'])}")
    if held_out.get("kept") is not None:
        parts.append(f"circled: epoch {held_out['kept']}, which was kept")
    return "; ".join(parts) + "."


def held_out_words(held_out: Mapping[str, Any], n_of: str = "items") -> str:
    """Return what training reached in one line: "accuracy .65 on 160 held-out items · chance .10".

    The figure is that of the epoch whose weights were kept. Where there was a choice of epochs it
    was made by this very figure, which flatters it, and the line says so.
    """
    values, start = held_out["values"], int(held_out.get("start", 1))
    kept = int(held_out.get("kept", start + len(values) - 1))
    n = f"{held_out['n']:,} " if held_out.get("n") else ""
    line = f"{held_out['name']} {_figure(values[kept - start])} on {n}held-out {n_of}"
    if held_out.get("kept") is not None and len(values) > 1:
        line += " after the best epoch" if kept else " before training, which no epoch bettered"
    if held_out.get("chance") is not None:
        line += f" · chance {_figure(held_out['chance'])}"
    return line


def _figure(value: float) -> str:
    """Return a share with two digits that say something, without a nought: .65, .012, 1.00."""
    words = share_words(value, 3 if 0 < value < 0.05 else 2)
    return words.replace("0.", ".", 1) if value < 1 else words


def share_words(value: float, digits: int = 3) -> str:
    """Return a share of 0 to 1 rounded, but never to all or to nothing: 0.652, < 0.001, > 0.999."""
    words, step = f"{value:.{digits}f}", 10.0**-digits
    if value > 0 and float(words) == 0:
        return f"< {step:.{digits}f}"
    return f"> {1 - step:.{digits}f}" if value < 1 and float(words) == 1 else words


def _line(values: Sequence[float], *, start: int, colour: str) -> go.Scatter:
    return go.Scatter(
        x=list(range(start, start + len(values))),
        y=list(values),
        mode="lines+markers" if len(values) <= MOST_MARKERS else "lines",
        cliponaxis=False,
        line={"color": colour, "width": 2},
        hovertemplate="epoch %{x}: %{y:.4g}<extra></extra>",
    )


def _chart(line: go.Scatter, title: str) -> go.Figure:
    figure = go.Figure(line)
    figure.update_layout(
        height=180,
        showlegend=False,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "epoch", "showgrid": False, "rangemode": "normal", "automargin": True},
        yaxis={"title": title, "automargin": True, "nticks": 4},
    )
    return figure
