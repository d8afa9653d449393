"""How many neighbours count: one slider per view, one k per comparison."""

from __future__ import annotations

from typing import Any

from components import session
from workspace.stored_comparison import StoredComparison


def k_slider(
    stored: StoredComparison,
    place: Any,
    *,
    view: str,
    label: str = "k, neighbours per item",
    help: str | None = None,
    disabled: bool = False,
) -> int:
    """Draw the slider of a view; return k, which all views of the comparison share.

    Parameters
    ----------
    stored : StoredComparison
    place : st or one of its containers
        Where the slider is drawn.
    view : str
        Tells the sliders of a comparison apart.
    label, help : str
    disabled : bool
    """
    name = f"compare.k.{stored.info.id[:12]}"
    key = f"{name}.{view}"
    depth = stored.comparison.depth
    session.preset(key, min(int(session.recall(name, stored.comparison.k)), depth))
    return int(
        place.slider(
            label,
            1,
            depth,
            key=key,
            help=help,
            disabled=disabled,
            on_change=_keep,
            args=(name, key),
        )
    )


def _keep(name: str, key: str) -> None:
    session.remember(name, session.value_of(key))
