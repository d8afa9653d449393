"""Word vectors distilled from BERT: our variant beside the published recipe, by human judgement.

Run with ``python benchmarks/static_words.py [--package]``. WordSim-353, SimLex-999 and MEN
(Spearman x 1000, all pairs), and STS-B's test part for vectors of sentences.

The published recipe is reproduced over the same weights: every word piece alone between the marks,
mean over all tokens, PCA to 256, weights a / (a + p) with a = 1e-4 and Zipf's p over ranks; a word
or sentence is the mean of its pieces. ``--package`` adds the model2vec package itself where it and
its distillation extra can be imported; it is no dependency, as that extra asks for
transformers < 5.4.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.modality import Modality  # noqa: E402
from embedders import get_embedder, minilm  # noqa: E402
from embedders.torchvision_schemas import declare_missing  # noqa: E402
from ingest.dataset import Dataset  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
WORDSIM = {"WS353": "EN-WS-353-ALL", "SimLex": "EN-SIMLEX-999", "MEN": "EN-MEN-TR-3k"}
Row = tuple[str, str, float]
Vectorise = Callable[[list[str]], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", action="store_true", help="also run model2vec itself")
    given = parser.parse_args()
    tests = {name: word_pairs(file) for name, file in WORDSIM.items()} | {"STS-B": sentences()}
    rows: list[tuple[str, Vectorise]] = [("recipe over word pieces", pieces())]
    for how in ("mean", "tfidf", "sif"):
        rows.append((f"ours, documents={how}", lambda texts, how=how: ours(texts, how)))
    if given.package:
        rows.append(("model2vec package", package()))
    print(f"{'':26}" + "".join(f"{name:>8}" for name in tests) + f"{'CPU s':>8}")
    for title, vectorise in rows:
        begun = time.process_time()
        scores = [spearman(vectorise, pairs) for pairs in tests.values()]
        spent = time.process_time() - begun
        print(f"{title:26}" + "".join(f"{1000 * s:8.0f}" for s in scores) + f"{spent:8.1f}")


def word_pairs(file: str) -> list[Row]:
    lines = (DATA / "wordsim" / f"{file}.txt").read_text(encoding="utf-8").splitlines()
    split = [line.lower().split("\t") for line in lines if line.strip()]
    return [(a, b, float(score)) for a, b, score in split]


def sentences() -> list[Row]:
    with (DATA / "stsb_en" / "stsb-en-test.csv").open(encoding="utf-8", newline="") as file:
        return [(a, b, float(score)) for a, b, score in csv.reader(file)]


def spearman(vectorise: Vectorise, pairs: list[Row]) -> float:
    from scipy.stats import spearmanr

    texts = [text for a, b, _ in pairs for text in (a, b)]
    matrix = vectorise(texts)
    a, b = matrix[0::2], matrix[1::2]
    norm = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = (a * b).sum(axis=1) / np.maximum(norm, 1e-12)
    return float(spearmanr(cosine, [score for *_, score in pairs]).statistic)


def ours(texts: list[str], documents: str) -> np.ndarray:
    alone = all(len(text.split()) == 1 for text in texts)
    how = "mean" if alone else documents  # of words themselves nothing is weighted or removed
    data = Dataset("texts", Modality.TEXT, tuple(map(str, range(len(texts)))), texts)
    embedder = get_embedder("static_bert", documents=how).fit(data)
    return embedder.vectors(data).of_kind("document").matrix


def pieces() -> Vectorise:
    """Return the recipe with the model's word pieces as its vocabulary."""
    import torch

    tokenizer, model = minilm.load()
    names = {i: name for name, i in tokenizer.get_vocab().items()}
    ids = np.array([i for i in sorted(names) if not names[i].startswith("[unused")])
    first, last = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    parts = []
    for start in range(0, len(ids), 512):
        block = torch.tensor([[first, int(i), last] for i in ids[start : start + 512]])
        with torch.inference_mode():
            parts.append(model(input_ids=block).last_hidden_state.mean(dim=1).numpy())
    table = np.concatenate(parts)
    table = table - table.mean(axis=0)
    table = table @ np.linalg.eigh(table.T @ table)[1][:, ::-1][:, :256]
    share = 1 / np.arange(2, len(ids) + 2)
    share /= share.sum()
    table *= (1e-4 / (1e-4 + share))[:, np.newaxis]
    row = {int(i): r for r, i in enumerate(ids)}

    def vectorise(texts: list[str]) -> np.ndarray:
        cut = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        return np.stack([table[[row[i] for i in each]].mean(axis=0) for each in cut])

    return vectorise


def package() -> Vectorise:
    declare_missing()
    from model2vec.distill import distill_from_model
    from transformers import AutoModel, AutoTokenizer

    folder = str(minilm.model_folder())
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    static = distill_from_model(model, tokenizer, pca_dims=256, quantize_to="float32")
    return lambda texts: np.asarray(static.encode(texts))


if __name__ == "__main__":
    main()
