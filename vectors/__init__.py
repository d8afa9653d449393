"""Mathematics on finished vectors: keyed matrices, the in-memory index, similarity, formulas."""

from vectors.clusters import cluster
from vectors.formula import Formula, is_formula, parse_formula, search_formula
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors
from vectors.neighbors import KnnGraph, Neighbors

__all__ = [
    "Formula",
    "KeyedVectors",
    "KnnGraph",
    "Neighbors",
    "VectorIndex",
    "cluster",
    "is_formula",
    "parse_formula",
    "search_formula",
]
