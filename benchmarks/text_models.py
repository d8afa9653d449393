"""The bert method's models and settings: published figures, what settings cost, and speed.

    python benchmarks/text_models.py [--data PATH/TO/shared/data] [--model NAME_OR_FOLDER]

Banking77: ten times eight training texts of each of 77 intents, logistic regression (at most 100
iterations, as the published run), accuracy on all 3,080 test texts. STS-B: Spearman of
cosine with the human score over 1,379 pairs. Settings are compared on the same pairs; ratios of
seconds are taken in one run. Speed: the general way of loading a model (``--model``, by default the
packaged one as a folder) against ``SentenceTransformer.encode`` of the same model.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.encode import mixed_length  # noqa: E402
from benchmarks.published_figures import texts, unit  # noqa: E402
from embedders import get_embedder, minilm, precision  # noqa: E402
from embedders.torchvision_schemas import declare_missing  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
SHOTS, EXPERIMENTS = 8, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--model", default=str(minilm.model_folder()))
    parser.add_argument("--texts", type=int, default=1_000)
    given = parser.parse_args()
    os.environ["EMBEDSCOPE_MODEL_FOLDERS"] = "any"  # a folder that is named here may be read
    published(given.data)
    settings(given.data)
    speed(given.data, given.model, given.texts)


def published(data: Path) -> None:
    begun = time.perf_counter()
    scores = banking77(data / "banking77")
    print(
        f"Banking77, {SHOTS} texts per intent, {len(scores)} experiments: accuracy "
        f"{np.mean(scores):.4f} ({min(scores):.3f} to {max(scores):.3f}); published .80042 "
        f"(.789 to .813); {time.perf_counter() - begun:.0f} s"
    )
    for name in ("stsb_en", "stsb_multilingual"):
        print(f"{name}, English: Spearman {stsb(data / name)[0]:.4f}; published .8203", flush=True)


def settings(data: Path) -> None:
    tried: dict[str, dict[str, object]] = {
        "default": {},
        **{f"layer {layer}": {"layer": layer} for layer in range(6)},
        **{f"pooling {name}": {"pooling": name} for name in ("cls", "max", "last")},
        **{f"first {dim} numbers": {"dim": dim} for dim in (256, 128, 64)},
        **({"bfloat16": {"precision": "bfloat16"}} if precision.has_bfloat16() else {}),
        "8 bits": {"output": "int8"},
        "1 bit": {"output": "binary"},
    }
    print("\n| MiniLM with | STS-B Spearman | seconds of CPU | notes |")
    print("|---|---|---|---|")
    for name, params in tried.items():
        score, seconds, notes = stsb(data / "stsb_en", **params)
        print(f"| {name} | {score:.4f} | {seconds:.1f} | {' '.join(notes[2:])} |", flush=True)


def speed(data: Path, model: str, n: int) -> None:
    declare_missing()
    from sentence_transformers import SentenceTransformer

    distinct = mixed_length(data / "ag_news" / "test.csv", n)
    rng = np.random.default_rng(0)
    items = distinct + [distinct[i] for i in rng.integers(len(distinct), size=n // 5)]
    peer = SentenceTransformer(model, device="cpu")
    bfloat16 = ["bfloat16"] if precision.has_bfloat16() else []
    ours = {p: get_embedder("bert", model=model, precision=p) for p in ["float32", *bfloat16]}
    for embedder in ours.values():
        embedder.fit(texts(items[:64])).vectors(texts(items[:64]))
    peer.encode(items[:64], show_progress_bar=False)
    print()
    best: dict[str, float] = {}
    for _ in range(3):
        for name, embedder in ours.items():
            begun = time.process_time()
            made = embedder.vectors(texts(items)).matrix
            best[name] = min(best.get(name, np.inf), time.process_time() - begun)
            if name == "float32":
                exact = made
        begun = time.process_time()
        theirs = peer.encode(items, show_progress_bar=False, normalize_embeddings=True)
        best["encode"] = min(best.get("encode", np.inf), time.process_time() - begun)
    for name in ours:
        print(
            f"{name}: {len(items):,} texts, 20 % repeated: {best[name]:.1f} s of CPU, "
            f"SentenceTransformer.encode {best['encode']:.1f} s, "
            f"{best['encode'] / best[name]:.2f} times as fast"
        )
    print(f"largest difference in float32: {np.abs(exact - theirs).max():.1e}")


def banking77(
    folder: Path, experiments: int = EXPERIMENTS, intents: int = 77, step: int = 1
) -> list[float]:
    """Return the accuracy of each experiment, on the first intents and every step-th test text."""
    from sklearn.linear_model import LogisticRegression

    train, test = (read_labelled(folder / name) for name in ("train.csv", "test.csv"))
    wanted = set(sorted({label for _, label in train})[:intents])
    train, test = ([row for row in rows if row[1] in wanted] for rows in (train, test))
    test = test[::step]
    draws = [few_of_each([label for _, label in train], seed) for seed in range(experiments)]
    used = sorted({i for rows in draws for i in rows})
    place = {row: i for i, row in enumerate(used)}
    data = texts([train[i][0] for i in used] + [text for text, _ in test])
    matrix = get_embedder("bert").fit(data).vectors(data).matrix
    labels = np.array([label for _, label in test])
    scores = []
    for rows in draws:
        model = LogisticRegression(max_iter=100)
        model.fit(matrix[[place[i] for i in rows]], [train[i][1] for i in rows])
        scores.append(float(model.score(matrix[len(used) :], labels)))
    return scores


def few_of_each(labels: list[str], seed: int) -> list[int]:
    """Return positions of ``SHOTS`` random items of each label."""
    taken: dict[str, int] = {}
    chosen = []
    for i in np.random.default_rng(seed).permutation(len(labels)).tolist():
        if taken.get(labels[i], 0) < SHOTS:
            taken[labels[i]] = taken.get(labels[i], 0) + 1
            chosen.append(i)
    return chosen


def read_labelled(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row[0], row[1]) for row in list(csv.reader(file))[1:]]


def stsb(folder: Path, **params: object) -> tuple[float, float, list[str]]:
    """Return Spearman's correlation, seconds of CPU and the notes of the run."""
    from scipy.stats import spearmanr

    with (folder / "stsb-en-test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    data = texts([text for row in rows for text in row[:2]])
    begun = time.process_time()
    vectors = get_embedder("bert", **params).fit(data).vectors(data)
    seconds = time.process_time() - begun
    m = unit(vectors.matrix)
    score = spearmanr((m[0::2] * m[1::2]).sum(axis=1), [float(row[2]) for row in rows]).statistic
    return float(score), seconds, list(vectors.provenance["notes"])


if __name__ == "__main__":
    main()
