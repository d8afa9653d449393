"""Ranked neighbours: a bar for the score, the text or picture, and how many share the class."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Sequence, Set
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from components.items import RunItems
from ingest.images import thumbnail
from vectors.neighbors import Neighbors

_MAX_TEXT = 180
_LINKED = '<span class="es-tag es-linked">linked</span>'
_PAIR = '<span class="es-tag es-linked">pair</span>'
_NOT_LINKED = '<span class="es-tag es-not-linked">not linked</span>'


class Partner(NamedTuple):
    """What an item belongs with.

    Attributes
    ----------
    side : str
        What the partner is called: answer, picture.
    text : str
    image : bytes or None
        An encoded image.
    n_more : int
        How many further partners the item has.
    """

    side: str
    text: str
    image: bytes | None
    n_more: int


def partner_html(partner: Partner | None, limit: int = 120) -> str:
    """Return a line on what an item belongs with; empty where it belongs with nothing."""
    if partner is None:
        return ""
    picture = "" if partner.image is None else f'<img src="{image_uri(partner.image)}" alt="">'
    more = f"<b> + {partner.n_more:,} more</b>" if partner.n_more else ""
    text = html.escape(shorten(partner.text, limit))
    whole = html.escape(shorten(partner.text, 2_000), quote=True)
    return (
        f'<span class="es-partner" title="{whole}"><i>{html.escape(partner.side)}</i> {picture}'
        f"{text}{more}</span>"
    )


PARTNER_STYLE = """
.es-partner{display:block;font-size:.82rem;line-height:1.35;margin-top:.25rem;padding-left:.5rem;
border-left:2px solid #2b87b366;overflow-wrap:anywhere}
.es-partner i{font-style:normal;opacity:.65;margin-right:.25rem}
.es-partner b{font-weight:400;opacity:.65;white-space:nowrap}
.es-partner.es-partner img{width:28px;height:28px;object-fit:contain;
vertical-align:middle;border-radius:3px;image-rendering:auto;margin-right:.35rem}
"""


def neighbour_list(
    found: Neighbors,
    items: RunItems,
    *,
    label: str | None = None,
    linked: Set[int] | None = None,
    partner: Callable[[str], Partner | None] | None = None,
) -> None:
    """Draw ``found`` as a ranked list with bars.

    Parameters
    ----------
    found : Neighbors
        Positions refer to the rows of ``items``.
    items : RunItems
    label : str or None
        Column whose value is shown beside each neighbour.
    linked : set of int or None
        Rows that the graph links to the item; each neighbour is told to be one of them or not.
    partner : callable, optional
        Takes an id and returns what that item belongs with, which is drawn below it.
    """
    bars = bar_lengths(found.scores, higher_is_nearer=found.higher_is_nearer)
    rows = [
        _row(
            rank,
            int(position),
            float(score),
            bar,
            items,
            label,
            linked,
            partner_html(partner(items.keys[int(position)])) if partner else "",
        )
        for rank, (position, score, bar) in enumerate(
            zip(found.positions, found.scores, bars, strict=True), start=1
        )
    ]
    st.html(_STYLE + f'<ol class="es-neighbours" data-testid="neighbours">{"".join(rows)}</ol>')


def bar_lengths(scores: Sequence[float] | np.ndarray, *, higher_is_nearer: bool) -> list[float]:
    """Return a length in 0..1 per score; the nearest possible is the longest.

    Similarities are drawn from 0 to the larger of 1 and the best (dot products exceed 1),
    distances from the farthest shown (a quarter bar) down to 0 (a full bar).
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.size == 0:
        return []
    if higher_is_nearer:
        return np.clip(values / max(1.0, float(values.max())), 0.0, 1.0).tolist()
    worst = float(values.max())
    return (1.0 - 0.75 * values / worst).tolist() if worst > 0 else [1.0] * len(values)


def class_agreement(found: Neighbors, items: RunItems, position: int, label: str) -> str | None:
    """Return "9 of 10 share its topic (chance .08)", or None where the item has no label.

    Chance is the share of the other items that carry the same label.
    """
    values = items.columns[label]
    own = values.iloc[position]
    if pd.isna(own) or len(values) < 2:
        return None
    same = values.iloc[found.positions] == own
    chance = (int((values == own).sum()) - 1) / (len(values) - 1)
    shown = f"{chance:.2f}".removeprefix("0")
    return f"{int(same.sum())} of {len(same)} share its {label} (chance {shown})"


def shorten(text: str, limit: int = _MAX_TEXT) -> str:
    """Return one line of at most ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def image_uri(data: bytes, side: int = 48) -> str:
    """Return a small picture as a data URI."""
    return "data:image/png;base64," + base64.b64encode(thumbnail(data, side=side)).decode()


def _row(
    rank: int,
    position: int,
    score: float,
    bar: float,
    items: RunItems,
    label: str | None,
    linked: Set[int] | None,
    below: str,
) -> str:
    picture = ""
    image = items.image(position)
    if image is not None:
        picture = f'<img src="{image_uri(image)}" alt="">'
    tag = ""
    if label is not None and not pd.isna(value := items.columns[label].iloc[position]):
        tag = f'<span class="es-tag">{html.escape(shorten(str(value), 40))}</span>'
    if linked is not None and items.sides is not None:
        tag += _PAIR if position in linked else ""
    elif linked is not None:
        tag += _LINKED if position in linked else _NOT_LINKED
    text = html.escape(shorten(items.texts[position]))
    shown = f"{score:.2f}" if abs(score) < 100 else f"{score:,.0f}"
    return (
        f'<li data-position="{position}"><span class="es-rank">{rank}</span>{picture}'
        f'<span class="es-body"><span class="es-bar"><i style="width:{bar * 100:.1f}%"></i></span>'
        f'<span class="es-text">{text}</span>{tag}{below}</span>'
        f'<span class="es-score">{shown}</span></li>'
    )


_STYLE = (
    """<style>
.es-neighbours.es-neighbours{list-style:none;margin:0;padding:0}
.es-neighbours.es-neighbours li{margin:0;display:flex;gap:.6rem;
align-items:flex-start;padding:.38rem 0;border-bottom:1px solid #8883}
.es-rank{min-width:1.2rem;font-size:.9rem;opacity:.65;font-variant-numeric:tabular-nums}
.es-neighbours img{width:40px;height:40px;object-fit:contain;image-rendering:pixelated;
border-radius:4px;background:#8881}
.es-body{flex:1;min-width:0}
.es-bar{display:block;height:5px;border-radius:3px;background:#8882;margin:.42rem 0 .3rem}
.es-bar i{display:block;height:100%;border-radius:3px;background:#2b87b3}
.es-text{display:block;font-size:.9rem;line-height:1.35;overflow-wrap:anywhere}
.es-tag{display:inline-block;font-size:.75rem;padding:0 .4rem;margin-top:.2rem;border-radius:.6rem;
background:#8882}
.es-linked{background:#e5772533;border:1px solid #d9651a99}
.es-not-linked{background:none;border:1px dashed #8886;opacity:.75}
.es-tag + .es-tag{margin-left:.3rem}
.es-score{font-variant-numeric:tabular-nums;font-size:.9rem;min-width:2.6rem;text-align:right}
"""
    + PARTNER_STYLE
    + "</style>"
)
