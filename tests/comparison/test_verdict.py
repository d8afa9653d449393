"""The verdict says what the figures say, and no more."""

from __future__ import annotations

import numpy as np

from comparison.agreement import Agreement
from comparison.task_result import TaskResult, TaskScore
from comparison.verdict import verdict
from vectors.bootstrap import Interval

NAMES = ("MiniLM", "LSA", "Word2Vec")


def overlap(values):
    cells = {pair: Interval(v, v - 0.01, v + 0.01) for pair, v in values.items()}
    return Agreement.of("overlap@10", NAMES, cells, n_used=500, chance=0.02)


def task(**right):
    scores = {name: TaskScore.of_units(np.asarray(hits, float)) for name, hits in right.items()}
    return TaskResult(
        "label-knn", "Labels", "kNN label accuracy", "items", 500, 0.1, "", {"k": 10}, scores
    )


def hits(n):
    return np.arange(500) < n


def test_the_best_is_named_with_its_interval_and_what_it_costs():
    found = verdict(
        "these 500 texts",
        overlap({(0, 1): 0.1, (0, 2): 0.2, (1, 2): 0.6}),
        10,
        floors={"Word2Vec": 0.8},
        seconds={"MiniLM": 40.0, "LSA": 1.0, "Word2Vec": 20.0},
        task=task(MiniLM=hits(450), LSA=hits(400), Word2Vec=hits(300)),
    )
    text = " ".join(found.sentences)
    assert "For these 500 texts, MiniLM does best: the 10 nearest vote for an item's own" in text
    assert "in 0.90 (0.87 to 0.9" in text
    assert "naming the largest class: 0.10" in text
    assert "LSA 0.80" in text
    assert "LSA takes 1/40 of the time" in text
    assert "do not tell" not in text
    assert "MiniLM and LSA differ most: of an item's 10 nearest they share 10 %" in text
    assert "LSA and Word2Vec agree most: 60 %" in text
    assert "Word2Vec with another seed shares 80 % with itself, more than with any" in text


def test_what_cannot_be_told_apart_is_not_ranked():
    near = hits(450).copy()
    near[[0, 460]] = near[[460, 0]]
    near[1] = False
    found = verdict(
        "these 500 texts",
        overlap({(0, 1): 0.79, (0, 2): 0.2, (1, 2): 0.015}),
        10,
        floors={"MiniLM": 0.8},
        seconds={"MiniLM": 40.0, "LSA": 4.0},
        task=task(MiniLM=hits(450), LSA=near, Word2Vec=hits(52)),
    )
    text = " ".join(found.sentences)
    assert "do not tell LSA from it, and LSA takes a tenth of its time" in text
    assert "Word2Vec cannot be told from chance" in text
    assert "no more than unrelated spaces" in text
    assert "from LSA it differs no more than from itself" in text
