"""Word pairs and analogies of several spaces, on the questions that all of them can answer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from comparison.dyadic_error import spearman
from comparison.pair_quality import correlation_scores
from comparison.task_result import TaskResult, TaskScore
from comparison.word_analogies import AnalogyQuestions, AnalogyScores, measure_analogies
from comparison.word_pairs import WordPairs, WordPairScore, measure_word_pairs
from core.progress import Progress, quiet
from vectors.keyed import KeyedVectors

LEAST = 20
"""Fewer pairs or questions that all spaces know give no figure."""
NO_WORDS = "This space has no vectors of words."
_NOT_COMMON = "with a word that some space lacks"


def word_pairs_result(
    spaces: Mapping[str, KeyedVectors],
    pairs: WordPairs,
    *,
    seed: int = 0,
    progress: Progress = quiet,
) -> TaskResult:
    """Return Spearman's correlation of cosine and rating, on the pairs that all spaces know.

    A space that knows fewer than 20 of the pairs is refused and does not narrow the others.
    ``extra`` holds how many pairs a space knows by itself and its correlation on those; intervals
    count that pairs with a word in common are not independent.

    Parameters
    ----------
    spaces : mapping of str to KeyedVectors
        With keys of the kind "word"; a space without is refused.
    pairs : WordPairs
    seed : int
        Of the draws behind the intervals.
    progress : Progress
        Called once per space.

    References
    ----------
    As ``measure_word_pairs``.
    """
    found: dict[str, WordPairScore] = {}
    for i, (name, vectors) in enumerate(spaces.items()):
        progress(i, len(spaces), "word pairs", name)
        if "word" in vectors.kind_names:
            found[name] = measure_word_pairs(vectors, pairs)
    progress(len(spaces), len(spaces), "word pairs")
    knows = {name: np.isfinite(score.similarity) for name, score in found.items()}
    usable = [name for name, known in knows.items() if known.sum() >= LEAST]
    common = _common([knows[name] for name in usable], len(pairs))
    refused = _refusal(int(common.sum()), len(pairs), bool(usable), "pairs")
    scores = {name: _too_few(knows.get(name), "pairs") for name in spaces if name not in usable}
    if not refused:
        scores |= _pair_scores({name: found[name] for name in usable}, pairs, common, seed)
        scores = {name: scores[name] for name in spaces}
    return TaskResult(
        "word-pairs",
        f"Word pairs: {pairs.name}",
        "Spearman's correlation of cosine and rating",
        "pairs",
        int(common.sum()),
        None if refused else 0.0,
        "vectors that have nothing to do with the ratings",
        {"metric": "cosine", "pairs in the file": len(pairs), "seed": seed},
        scores,
        left_out=_left_out("pairs", len(pairs) - int(common.sum())) if usable else {},
        refused=refused,
    )


def analogies_result(
    spaces: Mapping[str, KeyedVectors],
    questions: AnalogyQuestions,
    *,
    seed: int = 0,
    progress: Progress = quiet,
) -> TaskResult:
    """Return the share of right answers (3CosAdd), on the questions that all spaces can try.

    A space that can try fewer than 20 is refused and does not narrow the others. ``extra`` holds
    how many questions a space can try by itself, its share of right answers on those, and of all
    questions, where one it cannot try counts as wrong. Chance is a blind guess among the words of
    the smallest vocabulary.

    Parameters
    ----------
    spaces : mapping of str to KeyedVectors
        With keys of the kind "word"; a space without is refused.
    questions : AnalogyQuestions
    seed : int
        Of the bootstrap over questions.
    progress : Progress
        Called once per block of questions.

    References
    ----------
    As ``measure_analogies``.
    """
    found: dict[str, AnalogyScores] = {}
    for name, vectors in spaces.items():
        if "word" in vectors.kind_names:

            def said(
                done: int, total: int, stage: str = "", note: str = "", of: str = name
            ) -> None:
                progress(done, total, f"{stage}: {of}", note)

            found[name] = measure_analogies(vectors, questions, progress=said)
    usable = [name for name, score in found.items() if score.is_scored.sum() >= LEAST]
    common = _common([found[name].is_scored for name in usable], len(questions))
    refused = _refusal(int(common.sum()), len(questions), bool(usable), "questions")
    scores = {}
    for name in spaces:
        if name not in usable:
            known = found[name].is_scored if name in found else None
            scores[name] = _too_few(known, "questions")
        elif not refused:
            total = found[name].total
            extra = {
                "questions it can try": float(total.n_scored),
                "right of those": float(total.accuracy or 0.0),
                "right of all questions": float(total.accuracy_of_all or 0.0),
            }
            right = found[name].is_correct[common]
            scores[name] = TaskScore.of_units(right, seed=seed, extra=extra)
    chances = [found[name].chance for name in usable]
    return TaskResult(
        "analogies",
        f"Analogies: {questions.name}",
        "share of right answers",
        "questions",
        int(common.sum()),
        None if refused else max((c for c in chances if c is not None), default=None),
        "a blind guess among the words of the smallest vocabulary",
        {"rule": "3CosAdd", "questions in the file": len(questions), "seed": seed},
        scores,
        left_out=_left_out("questions", len(questions) - int(common.sum())) if usable else {},
        refused=refused,
    )


def _common(known: list[NDArray[np.bool_]], n: int) -> NDArray[np.bool_]:
    return np.logical_and.reduce(known) if known else np.zeros(n, bool)


def _left_out(what: str, n: int) -> dict[str, int]:
    return {f"{what} {_NOT_COMMON}": n} if n else {}


def _too_few(known: NDArray[np.bool_] | None, what: str) -> TaskScore:
    if known is None:
        return TaskScore.refusal(NO_WORDS)
    return TaskScore.refusal(
        f"It has all words of {int(known.sum()):,} of {len(known):,} {what}; {LEAST} are needed."
    )


def _refusal(n_common: int, n: int, has_usable: bool, what: str) -> str:
    if not has_usable:
        return f"No space has the words of {LEAST} or more of the {n:,} {what}."
    if n_common < LEAST:
        return (
            f"The spaces have all words of {n_common:,} of {n:,} {what} in common; {LEAST} are "
            "needed."
        )
    return ""


def _pair_scores(
    found: Mapping[str, WordPairScore], pairs: WordPairs, common: NDArray[np.bool_], seed: int
) -> dict[str, TaskScore]:
    """Return Spearman's correlation of each space on the common pairs."""
    rated = pairs.ratings[common]
    if np.ptp(rated) == 0:
        return {name: TaskScore.refusal("All pairs have the same rating.") for name in found}
    extras = {}
    for name, score in found.items():
        extras[name] = {"pairs it knows": float(score.n_scored)}
        if score.spearman is not None:
            extras[name]["Spearman on those"] = score.spearman
    words = [word for pair in pairs.pairs for word in pair]
    ends = np.unique(words, return_inverse=True)[1].reshape(-1, 2)[common]
    cosines = {name: score.similarity[common] for name, score in found.items()}
    return correlation_scores(spearman, cosines, extras, rated, ends, seed)
