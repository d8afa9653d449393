"""Outside data becomes a Dataset: one reader per kind, each with its limits; bundled samples."""

from ingest.dataset import Dataset, Dropped, Edges, Role
from ingest.limits import Limits
from ingest.paired_items import PairedItems
from ingest.preview import ColumnGuess, Preview
from ingest.read import inspect_source, read_dataset
from ingest.sides import Sides

__all__ = [
    "ColumnGuess",
    "Dataset",
    "Dropped",
    "Edges",
    "Limits",
    "PairedItems",
    "Preview",
    "Role",
    "Sides",
    "inspect_source",
    "read_dataset",
]
