"""Outside data becomes a Dataset: one reader per kind, each with its limits; bundled samples."""

from ingest.dataset import Dataset, Dropped, Edges, Role

__all__ = ["Dataset", "Dropped", "Edges", "Role"]
