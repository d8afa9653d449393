"""A 2-D map of 50,000 x 384 against seeded umap-learn, in one process, everything compiled.

    python benchmarks/projection_speed.py [rows]

Also prints the seconds of the first map of 6,000 x 64 in a fresh process (``--first`` alone).
"""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbour_query import clustered

from projection import measure_quality, project
from vectors import KeyedVectors


def keyed(matrix: np.ndarray) -> KeyedVectors:
    """Return the rows under their numbers."""
    return KeyedVectors([str(i) for i in range(len(matrix))], matrix)


def peer(matrix: np.ndarray) -> np.ndarray:
    """Return umap-learn's map with a seed, as a user calls it."""
    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return umap.UMAP(random_state=0, metric="cosine").fit_transform(matrix)


def first_map() -> None:
    """Print how long the first map of this process takes."""
    begun = time.perf_counter()
    rng = np.random.default_rng(0)
    layout = project(keyed(rng.normal(size=(6_000, 64))), "umap", with_quality=False)
    print(f"first map of a fresh process, 6,000 x 64: {time.perf_counter() - begun:.1f} s", end=" ")
    print(f"({layout.notes[-1]})", flush=True)


def main() -> None:
    """Print seconds, trustworthiness and the ratio."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    for _ in range(2):  # the first may fill the cache on disk
        subprocess.run([sys.executable, __file__, "--first"], check=True)
    small = clustered(6_000, seed=9)
    peer(small)
    vectors = keyed(clustered(n))
    for reproducible in (True, False):
        project(keyed(small), "umap", reproducible=reproducible, with_quality=False)
    runs = {
        "umap-learn, seed": lambda: peer(np.asarray(vectors.matrix)),
        "ours, seed": lambda: project(vectors, "umap", with_quality=False).coordinates,
        "ours, all threads": lambda: (
            project(vectors, "umap", with_quality=False, reproducible=False).coordinates
        ),
    }
    base = None
    for name, run in runs.items():
        begun, spent = time.perf_counter(), time.process_time()
        coordinates = run()
        seconds, busy = time.perf_counter() - begun, time.process_time() - spent
        base = base or (seconds, busy)
        quality = measure_quality(vectors, coordinates)
        assert quality is not None
        print(
            f"{name}: {seconds:.1f} s, ratio {seconds / base[0]:.2f}; processor {busy:.1f} s, "
            f"ratio {busy / base[1]:.2f}; "
            f"trustworthiness {quality.trustworthiness:.4f}, overlap@10 "
            f"{quality.overlap_at_10:.3f} ({quality.n_used:,} of {quality.n_total:,} points)",
            flush=True,
        )


if __name__ == "__main__":
    first_map() if "--first" in sys.argv else main()
