"""The neighbours of one item or query in every method, side by side, joined where they agree."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from comparison.item_view import JoinedNeighbours
from components.items import RunItems
from components.neighbour_list import image_uri, shorten

_MOST_TEXT = 150
_SMALL_TEXT = 90  # with more methods than fit beside each other


@dataclass(frozen=True)
class Side:
    """The column of one method.

    Attributes
    ----------
    name : str
    note : str
        Metric and dimensions, and what else is known of its answer.
    refused : str
        Why it has no answer; "" where it has one.
    """

    name: str
    note: str
    refused: str = ""


def neighbour_columns(
    found: JoinedNeighbours, sides: Sequence[Side], items: RunItems, *, label: str | None = None
) -> None:
    """Draw one column per method; what several methods name lights up together."""
    st.html(columns_html(found, sides, items, label=label))


def columns_html(
    found: JoinedNeighbours, sides: Sequence[Side], items: RunItems, *, label: str | None = None
) -> str:
    """Return the columns as HTML.

    Parameters
    ----------
    found : JoinedNeighbours
        Rows refer to ``items``.
    sides : sequence of Side
        In the order of the methods of ``found``.
    items : RunItems
    label : str, optional
        Column whose value is shown with each neighbour.
    """
    shared = set(found.shared.tolist()) if sum(found.asked) > 1 else set()
    n_having = found.within_k.sum(axis=1)
    alone = set(found.rows[n_having == 1].tolist()) if sum(found.asked) > 1 else set()
    short = _MOST_TEXT if len(sides) <= 5 else _SMALL_TEXT
    every = "all" if all(found.asked) else f"all {sum(found.asked)} that answered"
    drawn = {
        int(row): _body(int(row), items, label, short, every if row in shared else "", row in alone)
        for row in found.rows.tolist()
    }
    columns = "".join(_column(found, at, side, drawn) for at, side in enumerate(sides))
    several = [str(row) for row in found.rows[n_having > 1].tolist()]
    return (
        f"<style>{_STYLE}{_lit(several)}</style>"
        f'<div class="es-sides" data-testid="sides" style="--sides:{len(sides)}">{columns}</div>'
    )


def _lit(rows: Sequence[str]) -> str:
    """Return rules that light up an item in all columns while the pointer is on one of them."""
    return "".join(
        f'.es-sides:has([data-row="{row}"]:hover) [data-row="{row}"]{{background:#0b6e9933}}'
        for row in rows
    )


def _column(found: JoinedNeighbours, at: int, side: Side, drawn: dict[int, str]) -> str:
    head = (
        f'<header><b>{html.escape(side.name)}</b><span class="es-note">{html.escape(side.note)}'
        "</span></header>"
    )
    if side.refused:
        return f'<section>{head}<p class="es-refused">{html.escape(side.refused)}</p></section>'
    ranks = found.ranks[:, at]
    mine = np.flatnonzero(found.within_k[:, at])
    lines = "".join(
        f'<li data-row="{found.rows[i]}" title="{_score(float(found.scores[i, at]))}">'
        f'<span class="es-rank">{ranks[i]}</span>{drawn[int(found.rows[i])]}</li>'
        for i in mine[np.argsort(ranks[mine])]
    )
    return f"<section>{head}<ol>{lines}</ol></section>"


def _score(score: float) -> str:
    return f"score {score:.3f}" if abs(score) < 100 else f"score {score:,.0f}"


def _body(
    row: int, items: RunItems, label: str | None, short: int, named_by: str, is_alone: bool
) -> str:
    data = items.image(row)
    picture = f'<img src="{image_uri(data)}" alt="">' if data is not None else ""
    whole = html.escape(items.texts[row], quote=True)
    text = html.escape(shorten(items.texts[row], short))
    tags = ""
    if label is not None and not pd.isna(value := items.columns[label].iloc[row]):
        tags += f'<span class="es-tag">{html.escape(shorten(str(value), 40))}</span>'
    if named_by:
        tags += f'<span class="es-tag es-all">{named_by}</span>'
    elif is_alone:
        tags += '<span class="es-tag es-alone">only here</span>'
    return f'{picture}<span class="es-body"><span title="{whole}">{text}</span>{tags}</span>'


_STYLE = """
.es-sides{display:grid;grid-template-columns:repeat(var(--sides),minmax(150px,1fr));gap:1.1rem;
overflow-x:auto;padding-bottom:.5rem}
.es-sides header{min-height:3.1rem;padding:0 .3rem .4rem;border-bottom:2px solid #8884}
.es-sides header b{display:block;line-height:1.3;overflow-wrap:anywhere}
.es-sides .es-note{display:block;font-size:.8rem;opacity:.7;line-height:1.35}
.es-sides.es-sides ol{list-style:none;margin:0;padding:0}
.es-sides.es-sides li{margin:0;display:flex;gap:.45rem;align-items:flex-start;
padding:.4rem .3rem;border-bottom:1px solid #8883;border-radius:3px}
.es-sides .es-rank{min-width:1.15rem;font-size:.85rem;opacity:.65;
font-variant-numeric:tabular-nums}
.es-sides img{width:44px;height:44px;object-fit:contain;border-radius:4px;background:#8881;
image-rendering:pixelated}
.es-sides .es-body{flex:1;min-width:0;font-size:.88rem;line-height:1.35;overflow-wrap:anywhere}
.es-sides .es-body>span,.es-sides header b,.es-sides .es-note{unicode-bidi:isolate}
.es-sides .es-tag{display:inline-block;max-width:100%;
font-size:.72rem;padding:0 .4rem;margin:.15rem 0 0 .3rem;
border-radius:.6rem;background:#8882}
.es-sides .es-all{background:#0b6e99;color:#fff}
.es-sides .es-alone{background:none;border:1px dashed #8888;opacity:.85}
.es-sides .es-refused{font-size:.88rem;opacity:.75;padding:.5rem .3rem;line-height:1.4}
"""
