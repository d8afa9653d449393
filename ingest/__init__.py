"""Outside data becomes a Dataset: one reader per kind, each with its limits; bundled samples."""

from ingest.dataset import Dataset, Dropped, Edges, Role
from ingest.limits import Limits
from ingest.preview import ColumnGuess, Preview
from ingest.read import inspect_source, read_dataset

__all__ = [
    "ColumnGuess",
    "Dataset",
    "Dropped",
    "Edges",
    "Limits",
    "Preview",
    "Role",
    "inspect_source",
    "read_dataset",
]
