"""How the clusters of one method are divided among those of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from components.figures.ink import faded, ink, shortened, titled
from components.figures.palette import class_colours

_ROW_PX = 34


def cluster_flows(
    left: Sequence[str],
    right: Sequence[str],
    counts: ArrayLike,
    *,
    titles: tuple[str, str],
    partners: Sequence[int | None] | None = None,
    note: str = "",
    dark: bool = False,
) -> go.Figure:
    """Return a Sankey diagram of items from clusters of one method to clusters of another.

    Parameters
    ----------
    left, right : sequence of str
        Names of the clusters.
    counts : array_like, (a, b)
        Items in both. Empty flows are not drawn.
    titles : tuple of str
        Names of the methods.
    partners : sequence of int or None, optional
        Of each cluster on the right the place of its partner on the left, whose colour it has;
        None where it has none. By default the one that most of its items come from.
    note : str
    dark : bool
    """
    colours = ink(dark)
    table = np.asarray(counts, np.float64)
    rows, columns = np.nonzero(table > 0)
    shades = class_colours(min(max(len(left), 1), 22), dark=dark)
    own = [shades[i % len(shades)] for i in range(len(left))]
    if partners is None:
        partners = [
            int(table[:, j].argmax()) if table[:, j].any() else None for j in range(len(right))
        ]
    theirs = [colours.missing if place is None else own[place] for place in partners]
    total = max(float(table.sum()), 1.0)
    names = [
        f"{shortened(name, 26)} · {int(size):,}"
        for name, size in zip(
            [*left, *right], [*table.sum(axis=1), *table.sum(axis=0)], strict=True
        )
    ]
    hover = [
        f"<b>{shortened(left[i], 50)}</b> → <b>{shortened(right[j], 50)}</b><br>"
        f"{int(table[i, j]):,} items: {table[i, j] / table[i].sum():.0%} of the left, "
        f"{table[i, j] / table[:, j].sum():.0%} of the right, {table[i, j] / total:.1%} of all"
        for i, j in zip(rows, columns, strict=True)
    ]
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            textfont={"size": 12, "color": colours.text, "shadow": "none"},
            node={
                "label": names,
                "color": [*own, *theirs],
                "pad": 10,
                "thickness": 14,
                "line": {"width": 0},
                "hovertemplate": "%{label}<extra></extra>",
            },
            link={
                "source": rows,
                "target": columns + len(left),
                "value": table[rows, columns],
                "color": [faded(own[i], 0.35) for i in rows],
                "customdata": hover,
                "hovertemplate": "%{customdata}<extra></extra>",
            },
        )
    )
    titled(figure, "Clusters against clusters", note, colours, top=26)
    for x, anchor, name in ((0, "left", titles[0]), (1, "right", titles[1])):
        figure.add_annotation(
            x=x,
            y=1,
            xref="paper",
            yref="paper",
            yshift=16,
            xanchor=anchor,
            text=f"<b>{shortened(name, 40)}</b>",
            showarrow=False,
            font={"size": 13, "color": colours.text},
        )
    height = figure.layout.margin.t + _ROW_PX * max(len(left), len(right), 4) + 16
    figure.update_layout(height=height, margin={"l": 8, "r": 8, "b": 16})
    return figure
