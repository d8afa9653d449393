"""Word tests of several spaces rest on the questions that all can answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from comparison.recommendation_task import recommendation_results
from comparison.word_analogies import AnalogyQuestions
from comparison.word_pairs import WordPairs
from comparison.word_tasks import NO_WORDS, analogies_result, word_pairs_result
from core.modality import Modality
from ingest.dataset import Dataset, Edges
from ingest.sides import Sides
from vectors.keyed import KeyedVectors

RNG = np.random.default_rng(0)
NAMES = [f"w{i}" for i in range(40)]


def space(names=NAMES, kinds="word", matrix=None):
    matrix = RNG.normal(size=(len(names), 6)) if matrix is None else matrix
    return KeyedVectors(names, matrix, kinds=kinds)


def test_word_pairs_are_scored_where_all_spaces_know_both_words():
    lines = [f"w{i} w{i + 1} {RNG.random():.6f}" for i in range(39)]
    pairs = WordPairs.from_lines(lines, "mine")
    whole, part = space(), space(NAMES[:30])
    few, none = space(NAMES[:10]), space(kinds="document")
    found = word_pairs_result({"whole": whole, "part": part, "few": few, "none": none}, pairs)
    assert found.n == 29
    assert found.left_out == {"pairs with a word that some space lacks": 10}
    unit = whole.matrix / np.linalg.norm(whole.matrix, axis=1, keepdims=True)
    cosines = (unit[:-1] * unit[1:]).sum(axis=1)
    expected = spearmanr(cosines[:29], pairs.ratings[:29]).statistic
    assert found["whole"].value == pytest.approx(expected, abs=1e-6)
    assert found["whole"].low < found["whole"].value < found["whole"].high
    assert found["whole"].extra["pairs it knows"] == 39
    own = spearmanr(cosines, pairs.ratings).statistic
    assert found["whole"].extra["Spearman on those"] == pytest.approx(own, abs=1e-6)
    assert "9 of 39 pairs; 20 are needed" in found["few"].refused
    assert found["none"].refused == NO_WORDS
    assert word_pairs_result({"none": none}, pairs).refused


def test_analogies_are_counted_alike_and_over_all_questions():
    """On a grid the step from a to b is that from c to d; one space has its last words wrong."""
    grid = np.array([[x, y, 1] for x in range(6) for y in range(6)], np.float32)
    words = [f"g{x}{y}" for x in range(6) for y in range(6)]
    lines = [f"g{x}0 g{x}{y} g{x + 1}0 g{x + 1}{y}" for x in range(5) for y in range(1, 6)]
    questions = AnalogyQuestions.from_lines(lines, "grid")
    noise = RNG.normal(size=(36, 60))
    good = np.hstack([np.eye(6)[grid[:, 0].astype(int)], np.eye(6)[grid[:, 1].astype(int)]])
    spaces = {"good": space(words, matrix=good), "noise": space(words, matrix=noise)}
    found = analogies_result(spaces, questions)
    assert found["good"].value == 1.0
    assert found["noise"].value < 0.5
    assert found.n == 25
    assert found.chance == pytest.approx(1 / 33)
    assert found.tied_with_best() == ()
    assert found["good"].extra["right of all questions"] == 1.0


def shop(n=30):
    """Return users who each chose two items of their own half."""
    sides = Sides(("user", "item"), (None, None), n)
    ids = (*(f"u{i}" for i in range(n)), *(f"i{j}" for j in range(20)))
    source = np.repeat(np.arange(n), 2).astype(np.int32)
    target = np.array([n + (i % 2) * 10 + j for i in range(n) for j in (0, 1)], np.int32)
    edges = Edges(source, target, np.ones(2 * n, np.float32), True)
    return Dataset("shop", Modality.INTERACTIONS, ids, None, edges=edges, sides=sides)


def test_what_was_rated_low_is_neither_looked_for_nor_listed():
    """Each user likes the first item of a half and dislikes the second, which is nearer."""
    data = shop()
    low = replace(data.edges, weight=np.tile([2, -1], 30).astype(np.float32))
    data = replace(data, edges=low)
    scores = np.tile([2.0, 3.0, *[1.0] * 8], 2)[:, None]
    spaces = {
        "one": KeyedVectors(
            data.ids,
            np.vstack([np.ones((30, 1)), scores]).astype(np.float32),
            kinds=data.sides.kinds(50),
            metric="dot",
        )
    }
    found = recommendation_results(spaces, data, k=3)["recall"]
    assert found["one"].value == 1.0, "the first of either half, as one of them is hidden"
    assert found.left_out == {"ratings of 0 or less": 30}
    assert found.settings["choices to find"] == 30
    assert found.chance == pytest.approx(3 / 19)


def test_later_choices_are_looked_for_among_what_a_user_has_not():
    data = shop()
    half = np.array([[1, 0], [0, 1]], np.float32)
    matrix = np.vstack([half[np.arange(30) % 2], np.repeat(half, 10, axis=0)])
    spaces = {"halves": KeyedVectors(data.ids, matrix, kinds=data.sides.kinds(50))}
    later = [(i, 30 + (i % 2) * 10 + 2) for i in range(30)]
    found = recommendation_results(spaces, data, later=later, k=8)
    assert found["recall"]["halves"].value == 1.0, "8 of the own half are left"
    assert found["recall"].chance == pytest.approx(8 / 18)
    assert found["recall"].baselines == ("most popular",)
    assert not found["recall"].warning
    again = recommendation_results(spaces, data, k=10)
    assert again["recall"]["halves"].value == 1.0
    assert list(again["recall"].scores) == ["halves"]
    assert "may have been seen" in again["recall"].warning
    few = recommendation_results(spaces, data, later=later[:5])
    assert few["recall"].refused
    only = {"items": KeyedVectors(data.ids[30:], matrix[30:], kinds="item")}
    assert recommendation_results(only, data)["nDCG"]["items"].refused
