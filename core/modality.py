"""The kinds of data and the geometries that Embedscope knows."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, get_args


class Modality(StrEnum):
    """What the items of a Dataset are."""

    TEXT = "text"
    IMAGE = "image"
    TABLE = "table"
    GRAPH = "graph"
    VECTORS = "vectors"
    PAIRS = "pairs"
    INTERACTIONS = "interactions"


Metric = Literal["cosine", "dot", "euclidean"]
METRICS: tuple[Metric, ...] = get_args(Metric)
