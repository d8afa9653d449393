"""One neighbour query over 100,000 x 384: ours against faiss Flat, and IVF against exact.

    python benchmarks/neighbour_query.py [--large]

Both answer the same queries in turn, in alternating order; the figure is the ratio of the medians.
``--large`` adds 300,000 rows, where the index turns approximate.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vectors import KeyedVectors, VectorIndex

DIM, K, QUERIES = 384, 10, 100


def clustered(n: int, seed: int = 0) -> np.ndarray:
    """Return unit vectors in clusters, each in its own 32-dimensional subspace."""
    rng = np.random.default_rng(seed)
    n_clusters = max(1, n // 500)
    matrix = np.empty((n, DIM), dtype=np.float32)
    for rows in np.array_split(np.arange(n), n_clusters):
        centre = rng.normal(size=DIM)
        basis = rng.normal(size=(32, DIM)) / np.sqrt(32)
        matrix[rows] = centre + rng.normal(size=(len(rows), 32)) @ basis
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix[rng.permutation(n)]


def medians(contenders: dict[str, Callable[[np.ndarray], object]], queries: np.ndarray) -> dict:
    """Return the median milliseconds per query of each contender, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for i, query in enumerate(queries):
        names = list(contenders) if i % 2 else list(contenders)[::-1]
        for name in names:
            begun = time.perf_counter()
            contenders[name](query)
            times[name].append((time.perf_counter() - begun) * 1e3)
    return {name: float(np.median(values[5:])) for name, values in times.items()}


def main() -> None:
    """Print the ratios."""
    import faiss

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    large = parser.parse_args().large
    matrix = clustered(100_000)
    rng = np.random.default_rng(1)
    queries = matrix[:QUERIES] + rng.normal(scale=0.01, size=(QUERIES, DIM)).astype(np.float32)
    flat = faiss.IndexFlatIP(DIM)
    flat.add(matrix)
    index = VectorIndex(KeyedVectors([str(i) for i in range(len(matrix))], matrix))
    found = medians(
        {
            "faiss Flat": lambda q: flat.search(q[None], K),
            "VectorIndex": lambda q: index.search(q, K),
        },
        queries,
    )
    same = np.mean(
        [set(index.search(q, K).positions) == set(flat.search(q[None], K)[1][0]) for q in queries]
    )
    print(f"100,000 x {DIM}, k = {K}, median of {QUERIES}: {found}, same answers {same:.0%}")
    print(f"ratio to faiss Flat: {found['VectorIndex'] / found['faiss Flat']:.2f} (bar: at most 1)")
    if large:
        print_large()


def print_large() -> None:
    """Print IVF against exact on 300,000 rows."""
    matrix = clustered(300_000, seed=2)
    vectors = KeyedVectors([str(i) for i in range(len(matrix))], matrix)
    del matrix
    exact, auto = VectorIndex(vectors, exact=True), VectorIndex(vectors)
    rng = np.random.default_rng(3)
    noise = rng.normal(scale=0.01, size=(QUERIES, DIM)).astype(np.float32)
    queries = vectors.matrix[1_000 : 1_000 + QUERIES] + noise
    begun = time.perf_counter()
    engine = auto.search(queries[0], K).engine
    built = time.perf_counter() - begun
    found = medians(
        {"exact": lambda q: exact.search(q, K), "auto": lambda q: auto.search(q, K)}, queries
    )
    truth, _ = exact.search_batch(queries, K)
    answers, _ = auto.search_batch(queries, K)
    recall = np.mean([np.isin(t, a).mean() for t, a in zip(truth, answers, strict=True)])
    print(f"300,000 x {DIM}: {found}, built and tuned in {built:.1f} s, {engine}")
    print(
        f"{found['exact'] / found['auto']:.1f} times faster than exact (bar: 10), "
        f"recall@10 {recall:.3f} (bar: .98)"
    )


if __name__ == "__main__":
    main()
