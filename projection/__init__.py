"""Layouts in two or three dimensions, and how far each may be trusted."""

from projection.layout import Layout
from projection.methods import Projection, get_projection, list_projections
from projection.project import project
from projection.quality import Quality, measure_quality

__all__ = [
    "Layout",
    "Projection",
    "Quality",
    "get_projection",
    "list_projections",
    "measure_quality",
    "project",
]
