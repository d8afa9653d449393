"""One small dataset per modality, for the contract suite and the meaning tests."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
import pandas as pd

from core.modality import Modality
from ingest.dataset import Dataset, Edges

FINANCE = ["bank", "loan", "rate", "credit", "money", "interest", "account", "deposit"]
SPORT = ["team", "goal", "match", "player", "coach", "league", "score", "season"]
N = 24


def texts() -> list[str]:
    """Return 24 different texts: 12 on money, 12 on sport, with a few shared words."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(N):
        topic = FINANCE if i < N // 2 else SPORT
        made.append(" ".join(rng.choice(topic, 6)) + f" the {topic[i % 8]} today")
    assert len(set(made)) == N
    return made


def make_texts(items: list[str] | None = None, name: str = "texts") -> Dataset:
    items = texts() if items is None else items
    return Dataset(name, Modality.TEXT, tuple(f"t{i}" for i in range(len(items))), items)


def image_dataset() -> Dataset:
    """Return 24 PNG files of 8 x 8 random pixels, every third one in colour."""
    from PIL import Image

    rng = np.random.default_rng(1)
    files = []
    for i in range(N):
        pixels = rng.integers(0, 255, (8, 8, 3) if i % 3 == 0 else (8, 8), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        files.append(buffer.getvalue())
    return Dataset("images", Modality.IMAGE, tuple(f"i{i}" for i in range(N)), files)


def table_dataset() -> Dataset:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "height": rng.normal(170, 10, N),
            "weight": np.where(np.arange(N) % 7 == 0, np.nan, rng.normal(70, 9, N)),
            "town": [("Ulm", "Bern", "Graz")[i % 3] for i in range(N)],
            "seen": pd.date_range("2020-01-01", periods=N, freq="D"),
        }
    )
    roles = {"height": "numeric", "weight": "numeric", "town": "categorical", "seen": "time"}
    return Dataset(
        "rows", Modality.TABLE, tuple(f"r{i}" for i in range(N)), frame, columns=frame, roles=roles
    )


def graph_dataset() -> Dataset:
    """Return two cliques of 12 nodes joined by one edge."""
    pairs = [(a, b) for s in (0, 12) for a in range(s, s + 12) for b in range(a + 1, s + 12)]
    source, target = np.array([*pairs, (11, 12)], np.int32).T
    edges = Edges(source.copy(), target.copy(), np.ones(len(source), np.float32))
    return Dataset("graph", Modality.GRAPH, tuple(f"n{i}" for i in range(N)), None, edges=edges)


def vectors_dataset() -> Dataset:
    matrix = np.random.default_rng(3).normal(size=(N, 6)).astype(np.float32)
    return Dataset("vectors", Modality.VECTORS, tuple(f"v{i}" for i in range(N)), matrix)


MAKERS = {
    Modality.TEXT: make_texts,
    Modality.IMAGE: image_dataset,
    Modality.TABLE: table_dataset,
    Modality.GRAPH: graph_dataset,
    Modality.VECTORS: vectors_dataset,
}


@lru_cache
def small(modality: Modality) -> Dataset:
    """Return the small dataset of ``modality``."""
    return MAKERS[modality]()
