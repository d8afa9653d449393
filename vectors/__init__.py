"""Mathematics on finished vectors: keyed matrices, the in-memory index, similarity, formulas."""

from vectors.keyed import KeyedVectors

__all__ = ["KeyedVectors"]
