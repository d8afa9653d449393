"""Found pictures as a grid of cards: the picture, its rank and score, and what is known of it."""

from __future__ import annotations

import base64
import html
import struct
from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from components.items import RunItems
from components.neighbour_list import (
    PARTNER_STYLE,
    Partner,
    bar_lengths,
    image_uri,
    partner_html,
    shorten,
)
from vectors.neighbors import Neighbors

SIDE = 176
"""Pixels of a picture on screen at most, and of the copy that is sent."""
_MAX_TEXT = 90
_SMALL = 40  # pixels below which enlarging without smoothing shows more (digits, icons)


def picture_grid(
    found: Neighbors,
    items: RunItems,
    *,
    label: str | None = None,
    partner: Callable[[str], Partner | None] | None = None,
) -> None:
    """Draw ranked pictures as cards, the best first.

    Parameters
    ----------
    found : Neighbors
        Positions refer to the rows of ``items``, which all have a picture.
    items : RunItems
    label : str or None
        Column whose value is shown on each card.
    partner : callable, optional
        Takes an id and returns what that item belongs with, which stands on its card.
    """
    bars = bar_lengths(found.scores, higher_is_nearer=found.higher_is_nearer)
    cards(
        items,
        [int(position) for position in found.positions],
        [_score_text(float(score)) for score in found.scores],
        bars,
        label=label,
        partner=partner,
    )


def cards(
    items: RunItems,
    positions: Sequence[int],
    scores: Sequence[str],
    bars: Sequence[float],
    *,
    label: str | None = None,
    partner: Callable[[str], Partner | None] | None = None,
) -> None:
    """Draw items as cards with a score in words and as a bar of 0 to 1 each."""
    drawn = [
        _card(
            rank,
            position,
            score,
            bar,
            items,
            label,
            partner_html(partner(items.keys[position]), _MAX_TEXT) if partner else "",
        )
        for rank, (position, score, bar) in enumerate(
            zip(positions, scores, bars, strict=True), start=1
        )
    ]
    st.html(_STYLE + f'<ol class="es-cards" data-testid="neighbours">{"".join(drawn)}</ol>')


def _score_text(score: float) -> str:
    return f"{score:.2f}" if abs(score) < 100 else f"{score:,.0f}"


def _card(
    rank: int, position: int, score: str, bar: float, items: RunItems, label: str | None, below: str
) -> str:
    data = items.image(position)
    picture = ""
    whole = html.escape(items.texts[position], quote=True)
    text = html.escape(shorten(items.texts[position], _MAX_TEXT))
    if data is not None:
        uri = image_uri(data, SIDE)
        crisp = ' class="es-crisp"' if _edge(uri) < _SMALL else ""
        picture = f'<img src="{uri}" alt="{whole}"{crisp}>'
    tag = ""
    if label is not None and not pd.isna(value := items.columns[label].iloc[position]):
        tag = f'<span class="es-tag">{html.escape(shorten(str(value), 40))}</span>'
    return (
        f'<li data-position="{position}"><div class="es-picture">{picture}</div>'
        f'<span class="es-bar"><i style="width:{bar * 100:.1f}%"></i></span>'
        f'<span class="es-line"><span class="es-rank">{rank}</span>{tag}'
        f'<span class="es-score">{html.escape(score)}</span></span>'
        f'<span class="es-text" title="{whole}">{text}</span>{below}</li>'
    )


def _edge(uri: str) -> int:
    """Return the longer edge of a PNG data URI in pixels, from its header."""
    head = base64.b64decode(uri.partition(",")[2][:44])
    return max(struct.unpack(">II", head[16:24]))


_STYLE = (
    """<style>
.es-cards.es-cards{list-style:none;margin:0;padding:0;display:grid;gap:1rem .9rem;
grid-template-columns:repeat(auto-fill,minmax(132px,1fr))}
.es-cards.es-cards li{margin:0;min-width:0}
.es-picture{aspect-ratio:1;display:flex;align-items:center;justify-content:center;overflow:hidden;
border-radius:8px;background:#8881;border:1px solid #8883}
.es-picture img{width:100%;height:100%;object-fit:contain}
.es-picture img.es-crisp{image-rendering:pixelated}
.es-cards .es-bar{display:block;height:4px;border-radius:2px;background:#8882;margin:.45rem 0 .3rem}
.es-cards .es-bar i{display:block;height:100%;border-radius:2px;background:#2b87b3}
.es-line{display:flex;align-items:center;gap:.4rem;font-size:.85rem;
font-variant-numeric:tabular-nums}
.es-cards .es-rank{opacity:.65;font-size:.85rem;min-width:0}
.es-cards .es-tag{font-size:.75rem;padding:0 .4rem;border-radius:.6rem;background:#8882;min-width:0;
overflow:hidden;text-overflow:ellipsis;white-space:nowrap;margin:0}
.es-cards .es-score{margin-left:auto;min-width:0;font-size:.85rem}
.es-cards .es-text{font-size:.8rem;line-height:1.3;opacity:.75;margin-top:.1rem;overflow:hidden;
display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow-wrap:anywhere}
"""
    + PARTNER_STYLE
    + "</style>"
)
