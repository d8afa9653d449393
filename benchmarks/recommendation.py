"""How well two towers recommend beside implicit ALS, popularity and chance.

    python benchmarks/recommendation.py [--data DIR] [--seeds 3] [--least 4] [--large]

Prints Markdown tables. Of MovieLens (ml-latest-small, 610 users) interactions are divided per user
and per seed as the app does: a tenth to stop by, a tenth to judge by. Every method is fitted on the
same part, tuned or stopped on the same part, and judged by the same part (nothing else that a user
has rated is listed, ratings below ``--least`` included, as in the app); recall@20 and nDCG@20 are
means over users, then over seeds.

The second table asks which ratings to learn from: those to be found are always the ratings of 4 and
more of the same users; learnt from are all ratings, or those from a threshold on.

The third asks what a second training on everything is worth: a fifth of each user's ratings is
kept from the app altogether, which divides the rest as it always does.

``--large`` embeds 100,000 users and 50,000 items with a million drawn interactions instead and
prints seconds and memory.

Seconds are processor seconds of one thread, those of ALS over all the settings tried; other work on
the machine disturbs them less than seconds on the wall.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from comparison import RecommendationTest, measure_recommendation  # noqa: E402
from core.modality import Modality  # noqa: E402
from embedders import get_embedder  # noqa: E402
from ingest import read_dataset  # noqa: E402
from ingest.dataset import Dataset, Edges  # noqa: E402
from ingest.sides import Sides  # noqa: E402
from vectors.ranking import hold_out  # noqa: E402

DATA = ROOT.parent / "shared" / "data"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--least", type=float, default=4.0)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args(argv)
    if options.large:
        large()
        return
    folder = options.data / "movielens_small"
    films = read_dataset([folder / "ratings.csv", folder / "movies.csv"], kind="interactions")
    methods(films, options.least, options.seeds)
    thresholds(films, options.seeds)
    refits(films, options.least, options.seeds)


def embedded(data: Dataset, seed: int, **params: Any) -> tuple[Any, float]:
    begun = time.process_time()
    vectors = get_embedder("user_item_towers", seed=seed, **params).fit(data).vectors(data)
    return vectors, time.process_time() - begun


class Stages:
    """A progress that adds up the processor seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage, self._since = "", 0.0

    def __call__(self, done: int, total: int, stage: str = "", note: str = "") -> None:  # noqa: ARG002
        """Count the time since the last call for the stage of that call."""
        now = time.process_time()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now


def methods(films: Dataset, least: float, seeds: int) -> None:
    """Print the figures of all methods on the app's own division."""
    found: dict[str, list[list[float]]] = {}
    seconds: dict[str, list[float]] = {}
    against = []
    for seed in range(seeds):
        stages = Stages()
        embedder = get_embedder("user_item_towers", seed=seed, least_weight=least, refit=False)
        vectors = embedder.fit(films, stages).vectors(films)
        about = vectors.provenance["recommendation"]
        for row in about["rows"]:
            found.setdefault(row["name"], []).append([row["recall"][0], row["ndcg"][0]])
        seconds.setdefault(about["rows"][0]["name"], []).append(stages.seconds["training"])
        seconds.setdefault("Implicit ALS", []).append(stages.seconds["fitting implicit ALS"])
        against += [row["recall"] for row in about["differences"][:1]]
        print(f"seed {seed}: ALS with {about['als']}", file=sys.stderr)
    print(f"\nRatings of {least:g} and more, {seeds} divisions\n")
    print("| method | recall@20 | nDCG@20 | seconds |\n|---|---|---|---|")
    for name, figures in found.items():
        recall, ndcg = np.mean(figures, axis=0)
        took = f"{np.mean(seconds[name]):.1f}" if name in seconds else ""
        print(f"| {name} | {recall:.3f} | {ndcg:.3f} | {took} |")
    for mean, low, high in against:
        print(f"\nours less ALS, recall@20: {mean:+.3f} ({low:+.3f} to {high:+.3f})")


def thresholds(films: Dataset, seeds: int) -> None:
    """Print how well ratings of 4 and more are found, by what was learnt from."""
    print("\nFinding held-out ratings of 4 and more\n")
    print("| learnt from | recall@20 | nDCG@20 |\n|---|---|---|")
    for least in (0.0, 3.0, 4.0):
        figures = []
        for seed in range(seeds):
            known, test = divided(films, seed, relevant=4.0)
            vectors, _ = embedded(known, seed, least_weight=least, baselines=False)
            score = measure_recommendation({"ours": vectors}, test).scores["ours"]
            figures.append([score.recall.mean, score.ndcg.mean])
        recall, ndcg = np.mean(figures, axis=0)
        name = "all ratings" if least == 0 else f"ratings of {least:g} and more"
        print(f"| {name} | {recall:.3f} | {ndcg:.3f} |", flush=True)


def refits(films: Dataset, least: float, seeds: int) -> None:
    """Print what a second training on everything is worth on ratings the app never saw."""
    print(f"\nRatings of {least:g} and more that were kept from the app\n")
    print("| vectors of | recall@20 | nDCG@20 |\n|---|---|---|")
    for refit in (False, True):
        figures = []
        for seed in range(seeds):
            known, test = divided(films, seed, relevant=least)
            vectors, _ = embedded(known, seed, least_weight=least, refit=refit, baselines=False)
            score = measure_recommendation({"ours": vectors}, test).scores["ours"]
            figures.append([score.recall.mean, score.ndcg.mean])
        recall, ndcg = np.mean(figures, axis=0)
        name = "a second training on everything" if refit else "the training that was judged"
        print(f"| {name} | {recall:.3f} | {ndcg:.3f} |", flush=True)


def divided(films: Dataset, seed: int, relevant: float) -> tuple[Dataset, RecommendationTest]:
    """Return the dataset without a fifth of each user's ratings, and the good ones among those."""
    edges, n_users = films.edges, films.sides.n_left
    out = hold_out(edges.source.astype(np.int64), 0.2, 1_000 + seed) > 0
    wanted = out & (edges.weight >= relevant)
    known = Edges(edges.source[~out], edges.target[~out], edges.weight[~out], True)
    data = Dataset(
        films.name,
        films.modality,
        films.ids,
        None,
        films.columns,
        films.roles,
        edges=known,
        sides=films.sides,
    )
    test = RecommendationTest.of(
        films,
        hidden=np.stack([known.source, known.target - n_users], axis=1),
        relevant=np.stack([edges.source[wanted], edges.target[wanted] - n_users], axis=1),
    )
    return data, test


def large() -> None:
    """Embed a million drawn interactions and print seconds and memory."""
    rng, n_users, n_items, m = np.random.default_rng(0), 100_000, 50_000, 1_000_000
    users = rng.integers(0, n_users, m).astype(np.int32)
    taste = rng.integers(0, 50, n_users)
    items = ((rng.random(m) ** 2 * 1_000).astype(np.int64) + 1_000 * taste[users]).astype(np.int32)
    sides = Sides(("user", "item"), (None, None), n_users)
    data = Dataset(
        "drawn",
        Modality.INTERACTIONS,
        tuple([f"u{i}" for i in range(n_users)] + [f"i{i}" for i in range(n_items)]),
        None,
        edges=Edges(users, items + np.int32(n_users), np.ones(m, np.float32), True),
        sides=sides,
    )
    import torch  # noqa: F401 -- loaded before memory is measured

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    vectors, took = embedded(data, 0, dim=64, epochs=3, refit=False, baselines=False)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{len(vectors):,} vectors, 3 epochs: {took:.0f} processor seconds, {grown:,.0f} MB more")
    for row in vectors.provenance["recommendation"]["rows"]:
        print(f"  {row['name']}: recall@20 {row['recall'][0]:.3f}")


if __name__ == "__main__":
    main()
