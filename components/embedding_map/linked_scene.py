"""What several views of the same items show: texts once, places and neighbours once per view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.embedding_map.sampling import draw_limit, draw_sample
from components.embedding_map.scene import MapScene, counted_words, rows_among
from components.embedding_map.wire import digest
from core.errors import ParameterError

__all__ = ["VIEWS_AT_MOST", "LinkedScene"]

VIEWS_AT_MOST = 4  # each takes two of the sixteen WebGL contexts that a browser gives a page


@dataclass(frozen=True, eq=False)
class LinkedScene:
    """One to four layouts of the same items, each with its own true neighbours.

    Keep the object (in a cache) and hand over the same one on every rerun.

    Parameters
    ----------
    views : sequence of MapScene
        Row ``i`` is the same item in each. Texts, pictures, keys and identity are those of the
        first view; the others may leave them out.
    titles : sequence of str, optional
        Name of each view; by default the titles of the scenes.
    details : sequence of str, optional
        What is written after each name: projection, trustworthiness.

    Raises
    ------
    ParameterError
        If there are no or too many views, they hold different items, or one has edges.
    """

    views: Sequence[MapScene]
    titles: Sequence[str] = ()
    details: Sequence[str] = ()

    def __post_init__(self) -> None:
        count = len(self.views)
        if not 1 <= count <= VIEWS_AT_MOST:
            raise ParameterError(
                f"{count} views cannot be shown beside each other; give 1 to {VIEWS_AT_MOST}."
            )
        sizes = [view.n for view in self.views]
        if len(set(sizes)) > 1:
            raise ParameterError(
                f"The views have {', '.join(f'{n:,}' for n in sizes)} points. "
                "Join them first: row i has to be the same item in each."
            )
        for name, texts in (("titles", self.titles), ("details", self.details)):
            if len(texts) not in {0, count}:
                raise ParameterError(f"{len(texts)} {name} were given for {count} views.")
        for at, view in enumerate(self.views):
            self._check(at, view)

    def _check(self, at: int, view: MapScene) -> None:
        own, first = view.keys, self.views[0].keys
        if own is not None and own is not first and (first is None or list(own) != list(first)):
            raise ParameterError(
                f"View {at + 1} has other keys than view 1. "
                "Join the views first: row i has to be the same item in each."
            )
        if len(self.views) > 1 and view.edges is not None:
            raise ParameterError(
                f"View {at + 1} has edges, which only a map that stands alone draws. "
                "Leave them out of the scenes of linked views."
            )

    @property
    def n(self) -> int:
        """Number of items, drawn or not."""
        return self.views[0].n

    @cached_property
    def drawn(self) -> NDArray[np.int64]:
        """Positions of the items that are drawn: the same in all views, which share the limit."""
        limit = min(draw_limit(view.dims) for view in self.views) // len(self.views)
        return draw_sample(self.n, limit, 0)

    @cached_property
    def items(self) -> str:
        """Signature of which items are drawn."""
        return self.views[0].items_among(self.drawn)

    @property
    def caption(self) -> str:
        """Say "n of n drawn"; what else is missing stands below each view."""
        return counted_words(len(self.drawn), self.n)

    def to_drawn(self, positions: Any) -> NDArray[np.int64]:
        """Translate positions among all items to rows among the drawn (-1: not drawn)."""
        return rows_among(positions, self.drawn, self.n)

    def title_of(self, at: int) -> str:
        """Return the name of a view."""
        return self.titles[at] if self.titles else self.views[at].title

    def detail_of(self, at: int) -> str:
        """Return what is written after a view's name."""
        return self.details[at] if self.details else ""

    @cached_property
    def alone(self) -> MapScene:
        """The first view as a map of its own, under its whole heading."""
        heading = " · ".join(words for words in (self.title_of(0), self.detail_of(0)) if words)
        first = self.views[0]
        return first if heading == first.title else replace(first, title=heading)

    @cached_property
    def body(self) -> tuple[dict[str, Any], dict[str, dict[str, NDArray[Any]]]]:
        """Header entries, and blocks by the signature of the part that they belong to.

        The parts are what the views have in common and each view's layout: another layout in one
        view does not send the others again.
        """
        parts: dict[str, dict[str, NDArray[Any]]] = {}
        sprites, blocks = self.views[0].only(self.drawn).item_blocks()
        common = digest(self.items.encode(), *blocks.values()) if blocks else ""
        if blocks:
            parts[common] = blocks
        views = []
        for at, view in enumerate(self.views):
            k, blocks = view.only(self.drawn).layout_blocks()
            part = digest(bytes([view.dims, k % 256]), *blocks.values())
            parts[part] = blocks
            views.append(
                {
                    "sig": part,
                    "dims": view.dims,
                    "k": k,
                    "title": self.title_of(at),
                    "detail": self.detail_of(at),
                    "caption": view.own_caption,
                }
            )
        header = {
            "n": len(self.drawn),
            "items": self.items,
            "caption": self.caption,
            "common": {"sig": common, "sprites": sprites},
            "views": views,
        }
        return header, parts
