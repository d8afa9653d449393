"""How much memory it takes to read and embed many images from a zip: peak above the vectors.

    python benchmarks/image_memory.py [--images 100000] [--side 32] [--methods pixels,hog]

Writes a zip of small PNG files into a temporary folder, reads it as the app does, and embeds it by
each method in a process of its own. Images stay on disk where ``ingest`` leaves them; what is
printed is the highest resident memory above that of the process before it read anything, less the
vectors themselves.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

METHODS = "colour_histogram,pixels,own_image_network,pca"
QUICK = {
    "pixels": {"side": 8},
    "own_image_network": {"size": "small", "side": "28", "epochs": 1},
    "colour_histogram": {"grid": 1},
}
N_TAUGHT = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        measure(given.one, given.folder)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        start = time.process_time()
        n_bytes = write(folder / "images.zip", given.images, given.side)
        seconds = time.process_time() - start
        print(
            f"{given.images:,} PNG files of {given.side} x {given.side}, "
            f"{n_bytes / 1e6:.0f} MB as a zip, written in {seconds:.0f} s of CPU"
        )
        print(
            f"{'method':20} {'vectors MB':>10} {'reading MB':>10} {'embedding MB':>12} {'CPU s':>7}"
        )
        for method in given.methods.split(","):
            command = [sys.executable, __file__, "--one", method, "--folder", str(folder)]
            subprocess.run(command, check=True)


def write(path: Path, n: int, side: int) -> int:
    """Write a zip of ``n`` different PNG files in ten folders; return its size."""
    from ingest.images import encode_png

    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for i in range(n):
            small = rng.integers(0, 255, (4, 4, 3), np.uint8)
            pixels = small.repeat(side // 4, 0).repeat(side // 4, 1)
            archive.writestr(f"c{i % 10}/{i:06d}.png", encode_png(pixels))
    return path.stat().st_size


class Peak:
    """The highest resident memory of this process since ``start``, looked at every 50 ms."""

    def __init__(self) -> None:
        self.now = resident()
        self.highest, self._stop = self.now, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def grown(self) -> float:
        """Return by how many MB it grew."""
        return (self.highest - self.now) / 1e6

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.highest = max(self.highest, resident())


def resident() -> int:
    """Return the resident memory in bytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(method: str, folder: Path) -> None:
    """Read, store as the workspace does, embed; print one line."""
    import torch  # noqa: F401 -- its own memory is no part of the question

    from embedders import get_embedder
    from ingest.image_items import ImageFolderItems
    from ingest.read import read_dataset

    store = folder / "store"
    with Peak() as reading:
        data = read_dataset(folder / "images.zip")
    import dataclasses

    stored = ImageFolderItems.save(data.items, store)
    data = dataclasses.replace(data, items=stored)
    embedder = get_embedder(method, **QUICK.get(method, {}))
    if method == "own_image_network":  # taught on a few, then restored as a run is
        taught = embedder.fit(data.subset(np.arange(N_TAUGHT)))
        embedder = get_embedder(method, **QUICK[method]).restore(taught.state())
    start = time.process_time()
    with Peak() as embedding:
        if not embedder.is_fitted:
            embedder.fit(data)
        vectors = embedder.vectors(data)
    size = vectors.matrix.nbytes / 1e6
    seconds = time.process_time() - start
    grown = embedding.grown - size
    print(
        f"{method:20} {size:10.0f} {reading.grown:10.0f} {grown:12.0f} {seconds:7.0f}", flush=True
    )


if __name__ == "__main__":
    main()
