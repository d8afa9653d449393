"""Two towers on captions of emoji and on queries of a bank: before and after training.

Run with ``python benchmarks/two_towers.py [--only captions|queries] [--rows PART …]``.

Captions: 186 drawings with their Unicode names, a seventh held out with both sides unseen; recall
and MRR of held-out captions that look for their drawings, mean over seeds. Queries: banking77's
10,003 training texts, two of one intent being a pair; share of its 3,080 test texts whose 5 nearest
training texts vote for the true intent. The last column is CPU seconds of training and measuring,
with MiniLM's reading of every text in it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from embedders import get_embedder  # noqa: E402
from ingest import read_dataset  # noqa: E402

CAPTIONS = {
    "MiniLM + edges and colours": {"images": "descriptors"},
    "MiniLM + a small CNN": {"images": "network"},
    "MiniLM + the bundled CLIP": {"images": "clip"},
    "from scratch + edges and colours": {"images": "descriptors", "start": "scratch"},
}
QUERIES = {
    "a projection": {"train": "projection"},
    "its last 2 layers, 1 epoch": {"train": "last", "epochs": 1},
    "its last 2 layers, 3 epochs": {"train": "last", "epochs": 3},
    "all its layers, 1 epoch": {"train": "all", "epochs": 1},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", choices=("captions", "queries"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", nargs="*", help="parts of the names of rows to run")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    if given.only != "queries":
        captions(given.data / "emoji_captions", given.seeds, given.rows)
    if given.only != "captions":
        queries(given.data / "banking77", given.rows)


def chosen(rows: dict[str, dict], parts: list[str] | None) -> dict[str, dict]:
    return {n: s for n, s in rows.items() if not parts or any(part in n for part in parts)}


def captions(folder: Path, seeds: int, parts: list[str] | None) -> None:
    data = read_dataset([folder / "emoji.zip", folder / "captions.csv"], kind="pairs")
    print(f"{data!r}, {seeds} seeds")
    names = ("recall@1", "recall@5", "recall@10", "mrr")
    print(f"{'':42}" + "".join(f"{name:>11}" for name in names) + f"{'CPU s':>9}")
    for title, settings in chosen(CAPTIONS, parts).items():
        before, after, begun = [], [], time.process_time()
        for seed in range(seeds):
            embedder = get_embedder("two_towers", seed=seed, **settings).fit(data)
            told = embedder.vectors(data).provenance["held_out"]
            before.append([told["figures_before"][name] for name in names])
            after.append([told["figures_after"][name] for name in names])
        spent = (time.process_time() - begun) / seeds
        for when, figures, cost in (("before", before, ""), ("after", after, f"{spent:9.1f}")):
            shown = "".join(f"{f:11.3f}" for f in np.mean(figures, axis=0))
            print(f"{title + ', ' + when:42}" + shown + cost, flush=True)
    print(f"chance of recall@5 {told['chance']:.3f}, {told['n']} held out\n")


def queries(folder: Path, parts: list[str] | None) -> None:
    train, test = (
        read_dataset(folder / f"{part}.csv", text="text", label="category")
        for part in ("train", "test")
    )
    print(f"{train!r}, tested on {len(test):,}")
    print(f"{'trained of MiniLM':34}{'before':>9}{'after':>9}{'epochs':>9}{'CPU s':>9}")
    for title, settings in chosen(QUERIES, parts).items():
        begun = time.process_time()
        embedder = get_embedder("two_towers", held_out=0.05, **settings)
        embedder.supply("test", test)
        embedder.fit(train)
        told = embedder._about
        figures = told["test"]
        spent = time.process_time() - begun
        print(
            f"{title:34}{figures['before']:9.3f}{figures['after']:9.3f}"
            f"{len(told['losses']):9d}{spent:9.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
