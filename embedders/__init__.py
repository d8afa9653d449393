"""Embedding methods: each turns a Dataset into KeyedVectors and a query into one vector."""

from embedders.base import Availability, Embedder
from embedders.registry import EMBEDDERS, get_embedder, list_embedders

__all__ = ["EMBEDDERS", "Availability", "Embedder", "get_embedder", "list_embedders"]
