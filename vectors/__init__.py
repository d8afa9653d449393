"""Mathematics on finished vectors: keyed matrices, the in-memory index, similarity, formulas."""

from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors
from vectors.neighbors import KnnGraph, Neighbors

__all__ = ["KeyedVectors", "KnnGraph", "Neighbors", "VectorIndex"]
