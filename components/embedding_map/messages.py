"""What a map tells the browser (colours, highlights, points) and what it hears back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from components.embedding_map.colouring import Colouring
from components.embedding_map.wire import pack, pack_bits, unpack_bits
from components.session import event_of
from core.errors import ParameterError

__all__ = [
    "DrawnItems",
    "MapEvents",
    "drawn_rows",
    "events_of",
    "look_bytes",
    "paint_bytes",
    "tell_clear",
    "tell_click",
]


class DrawnItems(Protocol):
    """Which of ``n`` items a map draws; one view and several have this in common."""

    @property
    def n(self) -> int:
        """Number of items, drawn or not."""

    @property
    def items(self) -> str:
        """Signature of which items are drawn."""

    @property
    def drawn(self) -> NDArray[np.int64]:
        """Positions of the drawn items, ascending."""

    def to_drawn(self, positions: Any) -> NDArray[np.int64]:
        """Translate positions among all items to rows among the drawn (-1: not drawn)."""


@dataclass(frozen=True)
class MapEvents:
    """What the user did on the map, as positions among all points of the scene.

    Parameters
    ----------
    clicked : int or None
        The point clicked in this very rerun.
    selected : (m,) int64 ndarray
        The selection, ascending; it lasts until it is cleared.
    cleared : bool
        Whether the focus was dismissed (Esc) in this very rerun.
    """

    clicked: int | None = None
    selected: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    cleared: bool = False


def paint_bytes(scene: DrawnItems, colouring: Colouring | None, key: str) -> bytes:
    """Pack the colours of the drawn points.

    Raises
    ------
    ParameterError
        If the colouring is about another number of points.
    """
    if colouring is None:
        colouring = Colouring("", "none", np.zeros(len(scene.drawn), np.uint8), (), ())
    elif len(colouring.codes) != scene.n:
        raise ParameterError(
            f"The colours are for {len(colouring.codes):,} points, the map has {scene.n:,}."
        )
    elif len(scene.drawn) < scene.n:
        colouring = colouring.take(scene.drawn)
    header, blocks = colouring.body
    return pack({**header, "name": key, "kind": "paint", "items": scene.items}, blocks)


def look_bytes(
    scene: DrawnItems, key: str, found: Any, focus: int | None, own: dict[str, Any]
) -> bytes:
    """Pack the highlights: search hits, the focus, and the ``own`` header entries of the map."""
    at = drawn_rows(scene, [] if focus is None else [focus])
    hits = drawn_rows(scene, found)
    # One bit per point, unless a list is shorter; the browser flies to these, or to the focus.
    few = 32 * len(hits) < len(scene.drawn)
    block = np.asarray(hits, np.int32) if few else pack_bits(hits, len(scene.drawn))
    head = {"name": key, "kind": "look", "items": scene.items, "focus": at[0] if at else None}
    return pack({**head, **own}, {"foundAt" if few else "foundBits": block})


def drawn_rows(scene: DrawnItems, positions: Any) -> list[int]:
    """Return the rows of those positions that are drawn, in the given order."""
    if positions is None:
        return []
    drawn = scene.to_drawn(positions)
    return [int(i) for i in drawn[drawn >= 0]]


def events_of(scene: DrawnItems, result: Any) -> MapEvents:
    """Read what the browser has reported about the items on the map."""
    chosen = _own(scene.items, result.get("selected"))
    positions = unpack_bits(str(chosen.get("bits", "")), len(scene.drawn))
    return MapEvents(
        clicked=_position(scene.items, scene.drawn, result.get("clicked")),
        selected=scene.drawn[positions],
        cleared=bool(_own(scene.items, result.get("cleared"))),
    )


def _position(items: str, drawn: NDArray[np.int64], event: Any) -> int | None:
    """Return the clicked point's position among all points."""
    point = _own(items, event).get("point")
    return int(drawn[point]) if isinstance(point, int) and 0 <= point < len(drawn) else None


def _own(items: str, event: Any) -> dict[str, Any]:
    """Return an event's content if it is about the items on the map, else nothing."""
    return event if isinstance(event, dict) and event.get("items") == items else {}


# Streamlit keeps the callbacks of each session: they hold no whole scene.
def tell_click(
    key: str, items: str, drawn: NDArray[np.int64], on_click: Callable[[int], None] | None
) -> None:
    """Pass a click on to the page."""
    position = _position(items, drawn, event_of(key, "clicked"))
    if on_click is not None and position is not None:
        on_click(position)


def tell_clear(key: str, items: str, on_clear: Callable[[], None] | None) -> None:
    """Pass a dismissed focus on to the page."""
    if on_clear is not None and _own(items, event_of(key, "cleared")):
        on_clear()
