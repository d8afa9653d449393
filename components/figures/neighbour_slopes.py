"""The neighbours of one item under several methods: who is near to whom, and who drops out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from components.figures.ink import CHAR, Ink, faded, ink, shortened, titled, wrapped

_ROW_PX = 26


def neighbour_slopes(
    lists: Mapping[str, Sequence[str]],
    texts: Mapping[str, str],
    *,
    k: int = 10,
    chosen: str | None = None,
    dark: bool = False,
) -> go.Figure:
    """Return ranks of one item's neighbours over up to eight methods, joined by item.

    Parameters
    ----------
    lists : mapping of str to sequence of str
        Method to the ids of its neighbours, nearest first. Lists may be longer than ``k``: ranks
        beyond it are then known and shown on hover.
    texts : mapping of str to str
        What an item is, by id.
    k : int
        Neighbours that count; all others share the lane below.
    chosen : str, optional
        The id of a neighbour to stress.
    dark : bool

    Returns
    -------
    Figure
        ``customdata`` of a marker: id of the item, name of the method.
    """
    colours, methods = ink(dark), list(lists)
    ranks = {name: {key: at + 1 for at, key in enumerate(ids)} for name, ids in lists.items()}
    items = list(dict.fromkeys(key for ids in lists.values() for key in ids[:k]))
    in_all = {key for key in items if all(ranks[name].get(key, k + 1) <= k for name in methods)}
    figure = go.Figure()
    lane = k + 1.6
    figure.add_hrect(
        y0=k + 0.9, y1=k + 2.3, fillcolor=faded(colours.missing, 0.18), line_width=0, layer="below"
    )
    for key in sorted(items, key=lambda key: (key == chosen, key in in_all)):
        places = [ranks[name].get(key) for name in methods]
        heights = [at if at is not None and at <= k else lane for at in places]
        shade = (
            colours.second if key == chosen else colours.accent if key in in_all else colours.muted
        )
        is_strong = key == chosen or key in in_all
        figure.add_trace(_line(heights, shade, 2.5 if is_strong else 1.0, k, is_strong))
        figure.add_trace(
            _dots(key, texts.get(key, key), methods, places, heights, shade, k, colours)
        )
    _lay_out(figure, lists, texts, in_all, chosen, k, colours)
    n_all = len(in_all)
    note = f"blue: among the {k} nearest of every method ({n_all} of {len(items)} neighbours)"
    titled(figure, "Ranks of the neighbours", note, colours, top=44)
    figure.update_layout(height=figure.layout.margin.t + 16 + round(_ROW_PX * (k + 2)))
    return figure


def _line(
    heights: Sequence[float], shade: str, width: float, k: int, is_strong: bool
) -> go.Scatter:
    """Return the line of one item; parts that lie in the lane are left out."""
    x: list[float | None] = []
    y: list[float | None] = []
    for at in range(len(heights) - 1):
        if min(heights[at], heights[at + 1]) <= k:
            x += [at, at + 1, None]
            y += [heights[at], heights[at + 1], None]
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": shade if is_strong else faded(shade, 0.45), "width": width},
        hoverinfo="skip",
    )


def _dots(
    key: str,
    text: str,
    methods: Sequence[str],
    places: Sequence[int | None],
    heights: Sequence[float],
    shade: str,
    k: int,
    colours: Ink,
) -> go.Scatter:
    """Return the markers of one item, with its rank inside; the lane has none."""
    shown = [at for at, height in enumerate(heights) if height <= k]
    story = [
        f"{shortened(name, 30)}: {place if place is not None else 'not among those looked at'}"
        for name, place in zip(methods, places, strict=True)
    ]
    hover = f"<b>{wrapped(text, 56, 4)}</b><br>" + "<br>".join(story)
    return go.Scatter(
        x=shown,
        y=[heights[at] for at in shown],
        mode="markers+text",
        text=[str(places[at]) for at in shown],
        textfont={"size": 10.5, "color": colours.ground},
        marker={"size": 19, "color": shade, "opacity": 1},
        cliponaxis=False,
        customdata=[[key, methods[at]] for at in shown],
        hovertext=[hover] * len(shown),
        hoverinfo="text",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _lay_out(
    figure: go.Figure,
    lists: Mapping[str, Sequence[str]],
    texts: Mapping[str, str],
    in_all: set[str],
    chosen: str | None,
    k: int,
    colours: Ink,
) -> None:
    """Write the texts beside the first and the last method, and the methods above."""
    methods = list(lists)
    last = len(methods) - 1
    most = 30 if last < 5 else 20  # letters of a text
    for at, side, anchor in ((0, -1, "right"), (last, 1, "left"))[: 2 if last else 1]:
        for rank, key in enumerate(lists[methods[at]][:k], 1):
            shade = (
                colours.second
                if key == chosen
                else colours.text
                if key in in_all
                else colours.muted
            )
            figure.add_annotation(
                x=at,
                y=rank,
                xshift=side * 15,
                text=shortened(texts.get(key, key), most),
                showarrow=False,
                xanchor=anchor,
                font={"size": 12, "color": shade},
            )
    figure.add_annotation(
        x=0,
        y=k + 1.6,
        xshift=-15,
        text=f"beyond {k}",
        showarrow=False,
        xanchor="right",
        font={"size": 12, "color": colours.muted},
    )
    room = round(CHAR * (most + 1)) + 18
    heads = [wrapped(name, 14 if last < 5 else 8, 3) for name in methods]
    figure.update_layout(
        margin={"l": room, "r": room if last else 24, "b": 16},
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        clickmode="event+select",
        xaxis={
            "tickvals": list(range(len(methods))),
            "ticktext": heads,
            "tickangle": 0,
            "tickfont": {"size": 12.5 if last < 5 else 11, "color": colours.text},
            "side": "top",
            "range": [-0.04 * max(last, 1), last + 0.04 * max(last, 1)],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={"visible": False, "range": [k + 2.3, 0.3], "fixedrange": True},
    )
