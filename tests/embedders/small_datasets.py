"""One small dataset per modality, for the contract suite and the meaning tests."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
import pandas as pd

from core.modality import Modality
from ingest.dataset import Dataset, Edges
from ingest.paired_items import PairedItems
from ingest.sides import Sides

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
    """Return 24 PNG files of 8 x 8 random pixels, every third one in colour; two labels."""
    from PIL import Image

    rng = np.random.default_rng(1)
    files = []
    for i in range(N):
        pixels = rng.integers(0, 255, (8, 8, 3) if i % 3 == 0 else (8, 8), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        files.append(buffer.getvalue())
    columns = pd.DataFrame({"kind": ["odd" if i % 2 else "even" for i in range(N)]})
    ids = tuple(f"i{i}" for i in range(N))
    return Dataset("images", Modality.IMAGE, ids, files, columns, {"kind": "label"})


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


def pairs_dataset(left=Modality.TEXT, right=Modality.TEXT) -> Dataset:
    """Return 12 left and 12 right items of the given kinds: left i belongs to right i.

    Pairs of texts are on one topic, six on money and six on sport.
    """
    texts_of = [*texts()[:6], *texts()[12:18]], [*texts()[6:12], *texts()[18:]]
    images = image_dataset().items
    images_of = images[:12], images[12:]
    kinds = (left, right)
    items = [texts_of[side] if kinds[side] is Modality.TEXT else images_of[side] for side in (0, 1)]
    names = ("query", "document") if left is right is Modality.TEXT else (f"{left}", f"{right}")
    names = names if names[0] != names[1] else ("left", "right")
    return sided(Modality.PAIRS, names, kinds, 12, [(i, i) for i in range(12)], items)


def interactions_dataset() -> Dataset:
    """Return 10 users and 14 items; a user rates four items of their half 5 and one other 2."""
    rng = np.random.default_rng(4)
    pairs, weights = [], []
    for user in range(10):
        own = np.arange(7) + 7 * (user % 2)
        liked = [own[user // 2], *rng.choice(np.delete(own, user // 2), 3, replace=False)]
        pairs += [(user, int(item)) for item in liked]
        pairs.append((user, int(rng.choice(np.setdiff1d(np.arange(14), own)))))
        weights += [5.0] * 4 + [2.0]
    missing = sorted(set(range(14)) - {item for _, item in pairs})
    pairs += [(item // 7, item) for item in missing]
    weights += [5.0] * len(missing)
    return sided(Modality.INTERACTIONS, ("user", "item"), (None, None), 10, pairs, None, weights)


def sided(modality, names, kinds, n_left, pairs, items, weights=None) -> Dataset:
    """Return a dataset of ``N`` things on two sides; ``pairs`` count each side from 0."""
    source, target = np.array(pairs, np.int32).T
    weight = np.ones(len(pairs)) if weights is None else np.array(weights)
    sides = Sides(names, kinds, n_left)
    ids = [f"{names[0]} {i}" for i in range(n_left)] + [
        f"{names[1]} {i}" for i in range(N - n_left)
    ]
    return Dataset(
        str(modality),
        modality,
        tuple(ids),
        None if items is None else PairedItems(*items),
        pd.DataFrame({"side": sides.kinds(N)}),
        {"side": "label"},
        edges=Edges(source.copy(), target + np.int32(n_left), weight.astype(np.float32), True),
        sides=sides,
    )


MAKERS = {
    Modality.TEXT: make_texts,
    Modality.IMAGE: image_dataset,
    Modality.TABLE: table_dataset,
    Modality.GRAPH: graph_dataset,
    Modality.VECTORS: vectors_dataset,
    Modality.PAIRS: pairs_dataset,
    Modality.INTERACTIONS: interactions_dataset,
}


@lru_cache
def small(modality: Modality) -> Dataset:
    """Return the small dataset of ``modality``."""
    return MAKERS[modality]()


@lru_cache
def small_pairs(left: Modality, right: Modality) -> Dataset:
    """Return the small dataset of pairs of two kinds."""
    return pairs_dataset(left, right)


def small_for(method, modality: Modality) -> Dataset:
    """Return the small dataset of ``modality`` that ``method`` takes: pairs of what it embeds."""
    if modality is Modality.PAIRS and not method.takes(modality, (Modality.TEXT, Modality.TEXT)):
        return small_pairs(Modality.IMAGE, Modality.IMAGE)
    return small(modality)
