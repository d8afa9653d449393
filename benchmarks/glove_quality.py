"""GloVe's word vectors beside those of a plain float64 loop on the same cells, seed by seed.

    python benchmarks/glove_quality.py [--seeds 0 1 2] [--methods ours plain] [--texts letters]

Answers whether float32, tiles and threads cost quality: both train 40 epochs on the co-occurrences
of ``books_english_a`` (window 10, min count 10, x_max 20, d = 100), ours in tiles, the plain loop
cell by cell in random order, one AdaGrad step per number, as the authors' program does. "letters"
takes runs of a-z across the ends of lines and books as one text (18,793 words, 14.9 M cells),
"books" the app's own tokens, a book as one text. The plain loop takes minutes per seed.
"""

from __future__ import annotations

import argparse
import gzip
import re
import sys

import glove_speed
import numpy as np
import word_vectors

from core.progress import quiet
from embedders.cooccurrence import count_cooccurrences
from embedders.corpus import Corpus, Limits
from embedders.glove_training import Cells, GloveSettings, train_glove
from ingest.tokenize import Tokenizer
from vectors.keyed import KeyedVectors

DIM, EPOCHS = 100, 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", choices=["ours", "plain"], default=["ours"])
    parser.add_argument("--texts", choices=["letters", "books"], default="letters")
    given = parser.parse_args()
    if not glove_speed.BOOKS.exists():
        sys.exit("The data is not on this machine: books_english_a.")
    corpus = Corpus.read(texts(given.texts), Tokenizer(), quiet, Limits(min_count=10))
    counted = count_cooccurrences(corpus, window=10)
    print(f"{counted.n_words:,} words, {counted.n_cells:,} cells, d = {DIM}, {EPOCHS} epochs\n")
    heads = [*word_vectors.PAIRS, "analogies"]
    print("| method | seed | last loss | cleaned | " + " | ".join(heads) + " |")
    print("|---|---|---|---|" + "---|" * len(heads))
    for method in given.methods:
        for seed in given.seeds:
            vectors, loss = {"ours": ours, "plain": plain}[method](counted, seed)
            words = KeyedVectors(corpus.vocabulary.terms, vectors, kinds="word")
            for post in ("none", "top2"):
                figures = word_vectors.judged(word_vectors.POSTPROCESSES[post](words), "3CosAdd")
                cells = " | ".join(word_vectors.decimal(figure) for figure, _ in figures)
                print(f"| {method} | {seed} | {loss:.5f} | {post} | {cells} |", flush=True)


def texts(how: str) -> list[str]:
    with gzip.open(glove_speed.BOOKS, "rt", encoding="utf-8") as file:
        lines = file.read().split("\n")
    if how == "books":
        return word_vectors.whole_books([line for line in lines if line.strip()])
    kept = (line.lower() for line in lines if not line.startswith("##### "))
    return [" ".join(" ".join(re.findall("[a-z]+", line)) for line in kept)]


def ours(counted, seed):
    settings = GloveSettings(
        DIM, glove_speed.X_MAX, glove_speed.ALPHA, EPOCHS, glove_speed.RATE, seed=seed, threads=2
    )
    learnt = train_glove(Cells.of(counted, DIM, seed), settings, quiet)
    return learnt.words + learnt.contexts, learnt.losses[-1]


def plain(counted, seed):
    indptr, indices, values = counted
    n = counted.n_words
    cells = np.empty(len(indices), glove_speed.RECORD)
    cells["word"] = np.repeat(np.arange(n), np.diff(indptr))
    cells["context"], cells["count"] = indices, values
    cells = cells[np.random.default_rng(seed).permutation(len(cells))]
    rng = np.random.default_rng([seed, 9])
    words, contexts = ((rng.random((n, DIM + 1)) - 0.5) / DIM for _ in range(2))
    squares = np.ones_like(words), np.ones_like(contexts)
    loss = 0.0
    for _ in range(EPOCHS):
        loss = glove_speed.plain_epoch(
            cells, words, contexts, *squares, DIM, glove_speed.RATE, glove_speed.ALPHA,
            glove_speed.X_MAX,
        )  # fmt: skip
    return (words[:, :DIM] + contexts[:, :DIM]).astype(np.float32), loss / len(cells)


if __name__ == "__main__":
    main()
