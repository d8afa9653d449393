"""What the catalog tells about datasets, runs and layouts; plain values for lists and menus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.modality import Metric, Modality


@dataclass(frozen=True)
class SidesInfo:
    """The two sides of a dataset of pairs or interactions.

    Attributes
    ----------
    names : (str, str)
    modalities : (Modality or None, Modality or None)
        None for bare ids.
    n_left, n_right, n_pairs : int
    """

    names: tuple[str, str]
    modalities: tuple[Modality | None, Modality | None]
    n_left: int
    n_right: int
    n_pairs: int

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SidesInfo:
        """Return the sides of plain values, as they are stored."""
        left, right = (Modality(m) if m else None for m in values["modalities"])
        names = (str(values["names"][0]), str(values["names"][1]))
        counts = (int(values[name]) for name in ("n_left", "n_right", "n_pairs"))
        return cls(names, (left, right), *counts)


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset of a workspace, without its content."""

    id: str
    name: str
    modality: Modality
    n: int
    n_dropped: int
    label: str | None
    roles: Mapping[str, str]
    bytes: int
    created: float
    sides: SidesInfo | None = None


@dataclass(frozen=True)
class HowRead:
    """How a dataset was read: with the same files and options it comes out the same.

    Attributes
    ----------
    files : tuple of str
        Names, without folders.
    options : mapping
        Plain arguments of ``ingest.read_dataset``: roles of columns, delimiter …
    """

    files: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunInfo:
    """Vectors of one dataset by one method.

    Attributes
    ----------
    kinds : mapping of str to int
        How many keys of each kind, in order of appearance.
    seconds : float
        What computing it took, whoever asked first.
    versions : mapping
        Libraries it was computed with.
    provenance : mapping
        What the method told (truncated items, explained variance …).
    """

    id: str
    dataset: str
    embedder: str
    title: str
    params: Mapping[str, Any]
    seed: int
    kinds: Mapping[str, int]
    n: int
    dim: int
    metric: Metric
    seconds: float
    bytes: int
    versions: Mapping[str, str]
    created: float
    provenance: Mapping[str, Any]


@dataclass(frozen=True)
class LayoutInfo:
    """One drawing of a run.

    Attributes
    ----------
    kind : str
        Which kind of key it shows.
    seed : int
        0 where none plays a part.
    params : mapping
        Every setting of the method, the defaults included.
    n : int
        Points drawn.
    """

    id: str
    run: str
    kind: str
    method: str
    n_components: int
    seed: int
    params: Mapping[str, Any]
    n: int
    seconds: float
    created: float
