"""A comparison of 4 x 50,000 x 384: seconds of each part and the memory it takes.

    python benchmarks/compare_scale.py [--items 50000] [--dims 384] [--methods 4]

The spaces are mixtures of clusters that share a part of their structure; every method counts as
one that a seed changes, so that each has its noise floor. Vectors exist beforehand, neighbours do
not; libraries are loaded, as in a worker that waits. Peak memory is that of the process, the
vectors included.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import scipy.stats  # noqa: F401 -- loading takes two seconds

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from comparison.calibration import calibrated_agreement  # noqa: E402
from comparison.compare import compare  # noqa: E402
from comparison.noise_floor import noise_floor  # noqa: E402
from vectors.index import VectorIndex  # noqa: E402
from vectors.keyed import KeyedVectors  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--dims", type=int, default=384)
    parser.add_argument("--methods", type=int, default=4)
    given = parser.parse_args()
    spaces, twins = made(given.items, given.dims, given.methods)
    peak = memory()
    print(f"{given.methods} x {given.items:,} x {given.dims}; vectors and twins: {peak:.1f} GiB\n")
    print("| part | wall s | processor s | peak GiB |\n|---|---:|---:|---:|")
    graphs = {}
    with Part("neighbours, exact, k = 50"):
        for name, space in spaces.items():
            graphs[name] = VectorIndex(space).knn_graph(50)
    with Part("overlap, CKA, distances, Procrustes"):
        found = compare(spaces, k=10, graphs=graphs)
        _ = found.overlap.values, found.rank_biased_overlap.values
    with Part("noise floors"):
        for place, name in enumerate(spaces):
            noise_floor(
                name, found.items.matrices[place], twins[name], "cosine", found.graphs[place],
                seeds=(0, 1),
            )  # fmt: skip
    with Part("calibration"):
        calibrated_agreement(found.items, 10)
    with Part("another k"):
        _ = found.at(25).overlap.values
    Part.total()


def made(n, d, methods):
    rng = np.random.default_rng(0)
    clusters = rng.integers(0, n // 200, n)
    spaces, twins = {}, {}
    keys = [str(i) for i in range(n)]
    for m in range(methods):
        centres = rng.normal(size=(n // 200, d)).astype(np.float32)
        matrix = centres[clusters] + rng.normal(size=(n, d)).astype(np.float32)
        spaces[f"method {m}"] = KeyedVectors(keys, matrix)
        twins[f"method {m}"] = matrix + 0.5 * rng.normal(size=(n, d)).astype(np.float32)
    return spaces, twins


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


class Part:
    """Prints what one part took."""

    spent: ClassVar = [0.0, 0.0]

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_):
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        Part.spent[0] += wall
        Part.spent[1] += cpu
        print(f"| {self.name} | {wall:.1f} | {cpu:.1f} | {memory():.1f} |", flush=True)

    @classmethod
    def total(cls):
        """Print what all parts took together."""
        print(f"| together | {cls.spent[0]:.1f} | {cls.spent[1]:.1f} | {memory():.1f} |")


if __name__ == "__main__":
    main()
