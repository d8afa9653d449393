"""Some pictures of one's own data in equal tiles, with their names."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from components.neighbour_list import image_uri


def picture_strip(pictures: Sequence[tuple[str, bytes]], *, side: int = 96) -> None:
    """Draw pictures in a row that goes on below; a long name is cut, and told under the pointer.

    They are part of the page: a file of its own may be gone before a browser asks for it.

    Parameters
    ----------
    pictures : sequence of (str, bytes)
        Name and encoded image of each.
    side : int
        Pixels of a tile.
    """
    tiles = "".join(
        f'<figure title="{html.escape(name, quote=True)}">'
        f'<span><img alt="" src="{image_uri(data, side)}"></span>'
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for name, data in pictures
    )
    st.html(_STYLE.replace("SIDE", str(side)) + f'<div class="es-strip">{tiles}</div>')


# The end of a name tells more than its folder does: it is cut at its beginning.
_STYLE = """<style>
.es-strip{display:flex;flex-wrap:wrap;gap:.6rem}
.es-strip figure{width:SIDEpx;margin:0}
.es-strip figure span{display:flex;width:SIDEpx;height:SIDEpx;align-items:center;
justify-content:center;background:#8881;border:1px solid #8883;border-radius:6px;overflow:hidden}
.es-strip img{width:100%;height:100%;object-fit:contain}
.es-strip figcaption{font-size:.8rem;opacity:.75;white-space:nowrap;overflow:hidden;
text-overflow:ellipsis;direction:rtl;text-align:center}
</style>"""
