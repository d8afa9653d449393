"""The bert method against SentenceTransformer.encode: seconds, ratio, largest difference.

    python benchmarks/encode.py [--texts 1500] [--rounds 3] [--data PATH/TO/test.csv]

News texts of mixed length (title alone, or title and description), of which 20 % more are repeated.
Both load the same packaged model, run in this process with the same threads, and are warmed up;
rounds alternate in order, and the ratio is that of each one's fastest round, since other work on
the machine only ever adds time.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.modality import Modality  # noqa: E402
from embedders import get_embedder, minilm  # noqa: E402
from embedders.torchvision_schemas import declare_missing  # noqa: E402
from ingest.dataset import Dataset  # noqa: E402

NEWS = ROOT.parent / "shared" / "data" / "ag_news" / "test.csv"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=1_500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=NEWS)
    given = parser.parse_args()
    distinct = mixed_length(given.data, given.texts)
    rng = np.random.default_rng(0)
    again = [distinct[i] for i in rng.integers(len(distinct), size=given.texts // 5)]
    for name, items in (("distinct", distinct), ("with 20 % repeated", distinct + again)):
        compare(name, [items[i] for i in rng.permutation(len(items))], given.rounds)


def mixed_length(path: Path, n: int) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row[1:3] for row in csv.reader(file)]
    rng = np.random.default_rng(1)
    chosen = [rows[i] for i in rng.permutation(len(rows))[:n]]
    return [title if rng.random() < 0.3 else f"{title}. {rest}" for title, rest in chosen]


def compare(name: str, items: list[str], rounds: int) -> None:
    import torch

    declare_missing()
    from sentence_transformers import SentenceTransformer

    data = Dataset("news", Modality.TEXT, tuple(map(str, range(len(items)))), items)
    ours = get_embedder("bert").fit(data)
    peer = SentenceTransformer(str(minilm.model_folder()), device="cpu")
    calls = {
        "ours": lambda: ours.vectors(data).matrix,
        "encode": lambda: peer.encode(items, show_progress_bar=False),
    }
    results = {key: call() for key, call in calls.items()}
    seconds: dict[str, list[float]] = {key: [] for key in calls}
    for i in range(rounds):
        for key in sorted(calls, reverse=bool(i % 2)):
            begun = time.perf_counter()
            calls[key]()
            seconds[key].append(time.perf_counter() - begun)
    best = {key: min(times) for key, times in seconds.items()}
    difference = np.abs(results["ours"] - results["encode"]).max()
    print(
        f"{name}: {len(items):,} texts, {torch.get_num_threads()} threads: "
        f"ours {best['ours']:.1f} s, SentenceTransformer.encode {best['encode']:.1f} s, "
        f"{best['encode'] / best['ours']:.2f} times as fast, "
        f"largest difference {difference:.1e}",
        flush=True,
    )


if __name__ == "__main__":
    main()
