"""A layout: where each vector lies in the picture, and how that came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.arrays import FloatMatrix
from projection.quality import Quality


@dataclass(frozen=True, eq=False)
class Layout:
    """Coordinates of all vectors, in their order, with the settings that made them.

    Attributes
    ----------
    coordinates : (n, 2 or 3) float32
        Read-only, finite, centred on the origin.
    method : str
        Id of the projection.
    n_components : {2, 3}
    params : dict
        Settings as plain values.
    seed : int
    quality : Quality or None
        How far the picture agrees with the vectors; None if there are too few to tell, or if it
        was not asked for.
    elapsed_s : float
        Seconds of wall time without the quality.
    notes : tuple of str
        What a reader of the picture should know: settings that were resolved or reduced,
        fallbacks, explained variance.
    """

    coordinates: FloatMatrix
    method: str
    n_components: int
    params: Mapping[str, Any]
    seed: int
    quality: Quality | None = None
    elapsed_s: float = 0.0
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Freeze the coordinates; accept the parts as they come back from JSON."""
        self.coordinates.setflags(write=False)
        object.__setattr__(self, "notes", tuple(self.notes))
        if isinstance(self.quality, Mapping):
            object.__setattr__(self, "quality", Quality(**self.quality))

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.coordinates)
