"""What word vectors know of named entities: a linear classifier over a window of words."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.known_words import KnownWords
from comparison.resampling import Counts, Floats, resampled
from comparison.tagged_sentences import (
    OUTSIDE,
    Span,
    TaggedSentences,
    f1_of,
    span_counts,
    spans,
)
from comparison.task_result import TaskResult, TaskScore
from core.arrays import FloatMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet
from ingest.tokenize import tokenize
from vectors.keyed import KeyedVectors

WINDOW = 2
MOST_DIMENSIONS = 100
MOST_TRAINING_WORDS = 100_000
LEAST_ENTITIES = 20
ITERATIONS = 100
BY_WORD = "usual tag of the word"
Rows = NDArray[np.int64]


def measure_entities(
    spaces: Mapping[str, KeyedVectors],
    train: TaggedSentences,
    test: TaggedSentences,
    *,
    seed: int = 0,
    progress: Progress = quiet,
) -> TaskResult:
    """Return the entity F1 of logistic regression on the vectors of a word and its neighbours.

    A word is described by the vectors of two words to either side and its own, zero where a word
    has no vector or the sentence ends. Every space gets equal room: more than 100 dimensions are
    brought to 100 by PCA, and all vectors are scaled as a whole to entries of mean square 1. An
    entity counts if start, end and type agree (CoNLL-2003). ``extra`` holds precision, recall, F1
    of each type and the shares of words without a vector. The interval is over test sentences,
    drawn alike for every space. Beside the spaces stands what the most frequent tag of each word
    in the training sentences gives.

    Parameters
    ----------
    spaces : mapping of str to KeyedVectors
        With keys of the kind "word"; a space without is refused.
    train, test : TaggedSentences
        Apart from each other. Above 100,000 training words whole sentences are drawn.
    seed : int
        Of the draw, PCA and the bootstrap.
    progress : Progress
        Called once per space.

    Raises
    ------
    ParameterError
        If a space has the name of the baseline.

    References
    ----------
    Turian, Ratinov & Bengio 2010, "Word representations", section 5.2 (windows of vectors);
    Collobert et al. 2011, "Natural Language Processing (Almost) from Scratch", section 3.3.1.
    """
    if BY_WORD in spaces:
        raise ParameterError(f"{BY_WORD!r} is the name of the baseline. Choose another name.")
    refused = _refusal(train, test)
    left_out = {}
    if train.n_words > MOST_TRAINING_WORDS:
        used = _drawn(train, seed)
        left_out["training sentences beyond a random sample"] = len(train) - len(used)
        train = used
    scores: dict[str, TaskScore] = {}
    for i, (name, vectors) in enumerate(spaces.items() if not refused else ()):
        progress(i, len(spaces), "named entities", name)
        scores[name] = _score_of_space(vectors, train, test, seed)
    if not refused:
        scores[BY_WORD] = _score(_usual_tags(train, test), test, seed)
    progress(len(spaces), len(spaces), "named entities")
    return TaskResult(
        "entities",
        "Named entities",
        "entity F1",
        "sentences",
        len(test),
        None if refused else 0.0,
        "no word is said to be part of an entity",
        {
            "window": WINDOW, "dimensions": MOST_DIMENSIONS, "training sentences": len(train),
            "entities": test.n_entities, "types": len(test.types), "seed": seed,
        },
        scores,
        (BY_WORD,) if scores else (),
        left_out,
        refused=refused,
    )  # fmt: skip


def window_features(rows: Sequence[Rows], matrix: FloatMatrix, window: int = WINDOW) -> FloatMatrix:
    """Return the vectors around each word side by side, ``(n_words, (2 window + 1) d) float32``.

    Parameters
    ----------
    rows : sequence of (w,) int64
        Per sentence the row of each word in ``matrix``; -1 where it has none.
    matrix : (n, d) float32
    window : int
    """
    d = matrix.shape[1]
    padded = np.vstack([matrix, np.zeros((1, d), np.float32)])  # row -1 is the last: zeros
    gap = np.full(window, -1, np.int64)
    line = np.concatenate([gap, *chain.from_iterable((row, gap) for row in rows)])
    lengths = np.array([len(row) for row in rows])
    skipped = np.repeat(np.arange(len(rows)) * window, lengths)
    middle = np.arange(int(lengths.sum())) + skipped + window
    features: FloatMatrix = np.empty((len(middle), (2 * window + 1) * d), np.float32)
    for i, step in enumerate(range(-window, window + 1)):
        features[:, i * d : (i + 1) * d] = padded[line[middle + step]]
    return features


def _score_of_space(
    vectors: KeyedVectors, train: TaggedSentences, test: TaggedSentences, seed: int
) -> TaskScore:
    if "word" not in vectors.kind_names:
        return TaskScore.refusal("This space has no vectors of words.")
    known = KnownWords(vectors)
    rows = [[_rows(known, words) for words in part.words] for part in (train, test)]
    flat = [np.concatenate(part) for part in rows]
    if (flat[0] < 0).all():
        return TaskScore.refusal("No word of the training sentences has a vector in this space.")
    matrix = _equal_room(known.vectors.matrix, np.unique(flat[0][flat[0] >= 0]), seed)
    tags = np.array(list(chain.from_iterable(train.tags)))
    model, is_done = _fitted(window_features(rows[0], matrix), tags)
    guess = model.predict(window_features(rows[1], matrix)).tolist()
    ends = np.cumsum([0, *map(len, test.tags)])
    found = [spans(guess[a:b]) for a, b in pairwise(ends)]
    extra = {
        "training words without a vector": float((flat[0] < 0).mean()),
        "test words without a vector": float((flat[1] < 0).mean()),
        "dimensions": float(vectors.dim),
    }
    note = "" if is_done else f"training stopped after {ITERATIONS} steps"
    return _score(found, test, seed, extra, note)


def _rows(known: KnownWords, words: Sequence[str]) -> Rows:
    """Return the row of each word as it is written, or as the tokenizer would write it."""
    found = []
    for word in words:
        row = known.row(word)
        if row < 0:
            bare = tokenize(word)
            row = known.row(bare[0]) if len(bare) == 1 else -1
        found.append(row)
    return np.array(found, np.int64)


def _equal_room(matrix: FloatMatrix, used: Rows, seed: int) -> FloatMatrix:
    """Return at most 100 dimensions of mean square 1 over the words that are used in training."""
    from sklearn.decomposition import PCA

    most = min(MOST_DIMENSIONS, len(used))
    if matrix.shape[1] > most:
        matrix = PCA(most, random_state=seed).fit(matrix[used]).transform(matrix)
    scale = float(np.sqrt(np.mean(matrix[used].astype(np.float64) ** 2))) or 1.0
    return (matrix / scale).astype(np.float32)


def _fitted(features: FloatMatrix, tags: NDArray[np.str_]) -> tuple[Any, bool]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    model = LogisticRegression(max_iter=ITERATIONS)
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(features, tags)
    return model, not any(issubclass(w.category, ConvergenceWarning) for w in caught)


def _score(
    guess: Sequence[Sequence[Span]],
    test: TaggedSentences,
    seed: int,
    extra: Mapping[str, float] | None = None,
    note: str = "",
) -> TaskScore:
    counts = span_counts(test.spans, guess)
    found, invented, missed = counts.sum(axis=0).tolist()
    figures = {
        "precision": found / max(1, found + invented),
        "recall": found / max(1, found + missed),
        **{
            f"F1 {kind}": float(f1_of(span_counts(test.spans, guess, kind).sum(axis=0)))
            for kind in test.types
        },
        **(extra or {}),
    }
    draws = resampled(_f1_of_draws(counts), len(counts), seed=seed)
    return TaskScore.of_draws(float(f1_of(counts.sum(axis=0))), draws, extra=figures, note=note)


def _f1_of_draws(counts: NDArray[np.int64]) -> Callable[[Counts], Floats]:
    return lambda drawn: f1_of(drawn @ counts)


def _usual_tags(train: TaggedSentences, test: TaggedSentences) -> list[list[Span]]:
    """Return the entities that follow from the most frequent tag of each word in training."""
    seen: dict[str, Counter[str]] = {}
    for words, tags in zip(train.words, train.tags, strict=True):
        for word, tag in zip(words, tags, strict=True):
            seen.setdefault(word.casefold(), Counter())[tag] += 1
    usual = {word: min(tags, key=lambda t: (-tags[t], t)) for word, tags in seen.items()}
    return [spans([usual.get(word.casefold(), OUTSIDE) for word in words]) for words in test.words]


def _drawn(train: TaggedSentences, seed: int) -> TaggedSentences:
    """Return sentences drawn at random up to the most training words, in order."""
    order = np.random.default_rng(seed).permutation(len(train))
    lengths = np.array([len(train.words[i]) for i in order])
    n = int(np.searchsorted(np.cumsum(lengths), MOST_TRAINING_WORDS, side="right"))
    return train.take(np.sort(order[: max(1, n)]))


def _refusal(train: TaggedSentences, test: TaggedSentences) -> str:
    for part, what in ((train, "learn from"), (test, "test")):
        if part.n_entities < LEAST_ENTITIES:
            return (
                f"{part.n_entities} named entities to {what} are too few; {LEAST_ENTITIES} are "
                "needed."
            )
    return ""
