"""Methods laid out by how little they agree, on a plane and as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from components.figures.ink import ink, label_sides, short_number, shortened, titled

Float64 = NDArray[np.float64]
_PLANE = (340.0, 260.0)  # pixels that labels are placed for
_LEAF_PX = 30


class Scaled(NamedTuple):
    """Points on a plane and how badly their distances fit.

    Attributes
    ----------
    points : (m, 2) float64
    stress : float
        0 (distances fit) … ; above .2 the picture misleads (Kruskal 1964).
    """

    points: Float64
    stress: float


def classical_scaling(distances: ArrayLike) -> Scaled:
    """Return points on a plane whose distances come near to ``(m, m)`` given ones.

    Torgerson 1952, "Multidimensional scaling: I"; stress-1 of Kruskal 1964, equation 6, against
    the given distances. Of each axis the largest coordinate is positive.
    """
    d = np.asarray(distances, np.float64)
    m = len(d)
    centring = np.eye(m) - 1 / m
    values, vectors = np.linalg.eigh(-0.5 * centring @ d**2 @ centring)
    points = np.zeros((m, 2))
    width = min(2, m)
    points[:, :width] = vectors[:, ::-1][:, :width] * np.sqrt(
        np.clip(values[::-1][:width], 0, None)
    )
    points[np.abs(points) < 1e-12] = 0
    for axis in range(2):
        largest = np.abs(points[:, axis]).argmax()
        points[:, axis] *= -1 if points[largest, axis] < 0 else 1
    drawn = np.linalg.norm(points[:, None] - points[None], axis=2)
    total = float((d**2).sum())
    return Scaled(points, float(np.sqrt(((d - drawn) ** 2).sum() / total)) if total else 0.0)


def method_plane(
    names: Sequence[str], agreement: ArrayLike, *, measure: str, dark: bool = False
) -> go.Figure:
    """Return methods as points whose distances stand for ``1 - agreement``.

    Parameters
    ----------
    names : sequence of str
    agreement : array_like, (m, m)
        Symmetric, 1 on the diagonal. Methods with a value that is missing are left out and named.
    measure : str
        What the agreement is, such as "overlap@10".
    dark : bool
    """
    colours = ink(dark)
    kept, values = _complete(agreement)
    points, stress = classical_scaling(1 - values)
    shown = [names[i] for i in kept]
    reach = max(float(np.ptp(points, axis=0).max(initial=0.0)), 1e-9)
    scale = min(
        _PLANE[0] / max(float(np.ptp(points[:, 0], axis=0)) if len(points) else 0, 1e-9),
        _PLANE[1] / max(float(np.ptp(points[:, 1])), 1e-9, reach / 3),
    )
    labels = [shortened(name, 26) for name in shown]
    sides = label_sides(
        (points[:, 0] * scale).tolist(), (points[:, 1] * scale).tolist(), labels, room=170
    )
    figure = go.Figure(
        go.Scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="markers+text",
            text=labels,
            textposition=sides,
            textfont={"size": 13, "color": colours.text},
            cliponaxis=False,
            marker={"size": 12, "color": colours.accent},
            customdata=shown,
            hovertext=[_nearest(shown, values, i) for i in range(len(shown))],
            hoverinfo="text",
        )
    )
    blank = {"visible": False, "fixedrange": True}
    middle = (points.max(axis=0) + points.min(axis=0)) / 2 if len(points) else np.zeros(2)
    half = 0.5 * _PLANE[0] / scale + 180 / scale, 0.5 * _PLANE[1] / scale + 30 / scale
    figure.update_layout(
        height=390,
        margin={"l": 8, "r": 8, "b": 8},
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        xaxis={**blank, "range": [middle[0] - half[0], middle[0] + half[0]]},
        yaxis={
            **blank,
            "range": [middle[1] - half[1], middle[1] + half[1]],
            "scaleanchor": "x",
            "scaleratio": 1,
        },
    )
    fit = "fits well" if stress < 0.1 else "fits roughly" if stress < 0.2 else "fits badly"
    note = (
        f"distance stands for 1 − {measure}; directions mean nothing · stress {stress:.2f}, {fit}"
    )
    titled(figure, "Near methods agree", _with_missing(note, names, kept), colours)
    return figure


def method_tree(
    names: Sequence[str], agreement: ArrayLike, *, measure: str, dark: bool = False
) -> go.Figure:
    """Return methods joined step by step, those that agree most first (average linkage).

    Parameters are those of ``method_plane``. Fewer than two complete methods have no tree.
    """
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    colours = ink(dark)
    kept, values = _complete(agreement)
    figure = go.Figure()
    order = list(range(len(kept)))
    top = 1.0
    if len(kept) > 1:
        distances = np.clip(1 - values, 0, None)
        np.fill_diagonal(distances, 0)
        tree = linkage(squareform((distances + distances.T) / 2, checks=False), "average")
        plan = dendrogram(tree, no_plot=True)
        order = [int(leaf) for leaf in plan["leaves"]]
        top = max(float(tree[:, 2].max()), 0.05)
        for rows, depths in zip(plan["icoord"], plan["dcoord"], strict=True):
            # scipy puts leaf i at 10 i + 5
            figure.add_trace(
                go.Scatter(
                    x=depths,
                    y=[(row - 5) / 10 for row in rows],
                    mode="lines",
                    line={"color": colours.accent, "width": 2},
                    hovertext=f"joined at a mean agreement of {1 - depths[1]:.2f}",
                    hoverinfo="text",
                )
            )
    figure.update_layout(
        height=110 + _LEAF_PX * max(2, len(kept)),
        margin={"l": 8, "r": 16, "b": 48},
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        xaxis={
            "title": f"1 − {measure}",
            "range": [-0.01 * top, 1.04 * top],
            "fixedrange": True,
            "zeroline": False,
            "nticks": 6,
        },
        yaxis={
            "tickvals": list(range(len(order))),
            "ticktext": [shortened(names[kept[i]], 30) for i in order],
            "tickfont": {"size": 12.5, "color": colours.text},
            "range": [-0.6, max(len(order), 2) - 0.4],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
    )
    note = _with_missing("average linkage: the shorter the arms, the more they agree", names, kept)
    titled(figure, "Families of methods", note, colours)
    return figure


def n_complete(agreement: ArrayLike) -> int:
    """Return how many methods have a value with every other of them, as many as can be kept."""
    return len(_complete(agreement)[0])


def _complete(agreement: ArrayLike) -> tuple[list[int], Float64]:
    """Return the methods that are left once the ones with most missing values have gone."""
    values = np.array(agreement, np.float64)
    kept = list(range(len(values)))
    while kept and np.isnan(values[np.ix_(kept, kept)]).any():
        missing = np.isnan(values[np.ix_(kept, kept)]).sum(axis=1)
        kept.pop(int(missing.argmax()))
    return kept, values[np.ix_(kept, kept)]


def _with_missing(note: str, names: Sequence[str], kept: Sequence[int]) -> str:
    gone = [shortened(name, 24) for i, name in enumerate(names) if i not in set(kept)]
    return f"{note}<br>left out, not measured with all: {', '.join(gone)}" if gone else note


def _nearest(names: Sequence[str], values: Float64, i: int) -> str:
    order = sorted((j for j in range(len(names)) if j != i), key=lambda j: -values[i, j])
    lines = [f"{short_number(float(values[i, j]))} {shortened(names[j], 40)}" for j in order]
    return "<br>".join([f"<b>{shortened(names[i], 40)}</b>", *lines])
