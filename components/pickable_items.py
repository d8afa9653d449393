"""A table of items with figures; a click anywhere in a row picks its item."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from components import session
from components.items import RunItems
from components.neighbour_list import image_uri, shorten

_MOST_TEXT = 160


class Column(NamedTuple):
    """One column beside the items.

    Attributes
    ----------
    title : str
    values : sequence
        One per row.
    format : str
        How numbers are written, as ``NumberColumn`` takes it; "" for texts.
    help : str or None
        What it says.
    width : {"small", "medium", "large"} or None
    """

    title: str
    values: Sequence[object]
    format: str = ""
    help: str | None = None
    width: Any = None


def pickable_items(
    items: RunItems,
    rows: Sequence[int],
    columns: Sequence[Column],
    *,
    key: str,
    on_pick: Callable[[str], None],
    height: Any = "auto",
    text_width: Any = "large",
) -> None:
    """Draw items of ``rows`` with their columns; ``on_pick`` is called with the id of a click.

    Parameters
    ----------
    items : RunItems
    rows : sequence of int
        Positions in ``items``.
    columns : sequence of Column
    key : str
        Of the table; another one for other rows.
    on_pick : callable
        Runs before the page does.
    height : int or "auto" or "content"
    text_width : {"small", "medium", "large"} or int
        Of the items' texts.
    """
    # Columns are named by their place: titles come from the user and may be equal.
    values: dict[str, object] = {}
    config: dict[str, Any] = {}
    if items.images is not None:
        values["picture"] = [_picture(items, row) for row in rows]
        config["picture"] = st.column_config.ImageColumn("", width=52)
    values["item"] = [shorten(items.texts[row], _MOST_TEXT) for row in rows]
    config["item"] = st.column_config.TextColumn("item", width=text_width)
    for place, column in enumerate(columns):
        name = f"column {place}"
        values[name] = list(column.values)
        config[name] = (
            st.column_config.NumberColumn(
                column.title, format=column.format, help=column.help, width=column.width
            )
            if column.format
            else st.column_config.TextColumn(column.title, help=column.help, width=column.width)
        )
    st.dataframe(
        pd.DataFrame(values),
        hide_index=True,
        column_config=config,
        key=key,
        on_select=partial(_take, key, [items.keys[row] for row in rows], on_pick),
        selection_mode="single-cell",
        height=height,
    )


def _picture(items: RunItems, row: int) -> str | None:
    data = items.image(row)
    return None if data is None else image_uri(data)


def _take(key: str, ids: Sequence[str], on_pick: Callable[[str], None]) -> None:
    chosen = session.event_of(key, "selection")
    cells = chosen.get("cells") if isinstance(chosen, Mapping) else None
    if cells:
        on_pick(ids[int(cells[0][0])])
