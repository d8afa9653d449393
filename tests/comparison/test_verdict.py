"""The verdict says what the figures say, and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from comparison.agreement import Agreement
from comparison.task_result import TaskResult, TaskScore
from comparison.verdict import verdict
from vectors.bootstrap import Interval

NAMES = ("MiniLM", "LSA", "Word2Vec")


def overlap(values, *, within=0.01, names=NAMES):
    cells = {pair: Interval(v, v - within, v + within) for pair, v in values.items()}
    return Agreement.of("overlap@10", names, cells, n_used=500, chance=0.02)


def task(baselines=(), chance=0.1, **right):
    scores = {name: TaskScore.of_units(np.asarray(hits, float)) for name, hits in right.items()}
    return TaskResult(
        "label-knn", "Labels", "kNN label accuracy", "items", 500, chance, "", {"k": 10}, scores,
        baselines,
    )  # fmt: skip


def said(values, *, floors=None, **how):
    found = verdict("these 500 texts", overlap(values, **how), 10, floors=floors or {}, seconds={})
    return " ".join(found.agreement)


def judged(**how):
    found = overlap({(0, 1): 0.3}, names=("A", "B"))
    judge = task(**how)
    return " ".join(verdict("these", found, 10, floors={}, seconds={}, task=judge).quality)


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
    assert "LSA takes 1/40 of the time of MiniLM" in text
    assert "do not tell" not in text
    assert "MiniLM and LSA differ most: they share 10 % of an item's 10 nearest" in text
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
    assert "do not tell LSA from MiniLM, and LSA takes a tenth of the time of MiniLM" in text
    assert "Word2Vec cannot be told from chance" in text
    assert "LSA and Word2Vec differ most: they share 1.5 %" in text
    assert "cannot be told from what unrelated spaces of these 500 texts would share" in text
    assert "whether it differs more from LSA these items do not tell" in text


def test_spaces_are_compared_with_the_best_space_though_a_baseline_is_first():
    one, two = hits(400), np.roll(hits(400), 40)
    text = judged(baselines=("BM25",), A=one, B=two, BM25=hits(480))
    assert "These 500 items do not tell B from A." in text
    assert "Below it" not in text
    assert "BM25, which needs no vectors, does better: 0.96" in text
    text = judged(baselines=("BM25",), A=one, B=hits(300), BM25=np.roll(hits(402), 40))
    assert "Below it: B 0.60" in text
    assert "Even BM25, which needs no vectors, cannot be told from A." in text
    assert "do not tell" not in text


def test_a_figure_below_chance_is_told_from_chance():
    text = judged(chance=0.5, A=hits(150), B=hits(250), C=hits(400))
    assert "B cannot be told from chance." in text
    assert "A lies below chance." in text


def test_the_best_of_those_that_chance_equals_is_not_recommended():
    text = judged(chance=0.34, A=hits(120), B=hits(110))
    assert text.startswith("None of them finds the classes of these better than naming the largest")
    assert "(0.34): the best, A, reaches 0.24 (0.2" in text
    assert "does best" not in text
    assert "time" not in text
    assert "None of them is shown to find" in judged(chance=0.34, A=hits(175), B=hits(110))
    better = judged(chance=0.34, A=hits(250), B=hits(110))
    assert better.startswith("For these, A does best")
    judge = replace(task(A=hits(120)), chance=0.34, task="links", left_out={"without a label": 1})
    cells = overlap({(0, 1): 0.3}, names=("A", "B"))
    text = " ".join(verdict("these", cells, 10, floors={}, seconds={}, task=judge).quality)
    assert text.startswith("In kNN label accuracy none of them does better on these than chance")
    assert text.endswith("Judged by 500 items; left out: 1 without a label.")


def test_figures_that_are_not_tested_are_not_called_lower():
    found = judged(A=hits(400))
    assert "Not tested" not in found
    judge = task(A=hits(400))
    judge.scores["B"] = TaskScore(0.5)
    cells = overlap({(0, 1): 0.3}, names=("A", "B"))
    text = " ".join(verdict("these", cells, 10, floors={}, seconds={}, task=judge).quality)
    assert "Not tested against it: B 0.50." in text
    assert "Below" not in text


def test_pairs_whose_intervals_meet_are_not_ranked():
    text = said({(0, 1): 0.300, (0, 2): 0.301, (1, 2): 0.302}, within=0.03)
    assert "differ most" not in text
    assert "agree most" not in text
    assert "the least, though with other items MiniLM and Word2Vec (30 %);" in text
    assert "might share less." in text
    alone = said({(0, 1): 0.3}, names=("A", "B"))
    assert alone == "A and B share 30 % of an item's 10 nearest on average, where chance is 2.0 %."


def test_a_method_is_as_near_to_another_as_to_itself_only_if_the_interval_says_so():
    two = ("A", "B")
    assert "with itself, more than with any" in said({(0, 1): 0.81}, names=two, floors={"A": 0.825})
    low = said({(0, 1): 0.011}, names=two, within=0.002, floors={"A": 0.03})
    assert "less than unrelated spaces" in low
    assert "more than with any of the others" in low
    assert "from B it differs no more than from itself" in said(
        {(0, 1): 0.85}, names=two, floors={"A": 0.83}
    )


def test_a_pair_without_a_value_is_not_spoken_of():
    assert said({}, names=("A", "B"), floors={"A": 0.8}) == ""
    text = said({(0, 1): 0.3, (0, 2): float("nan")}, floors={"Word2Vec": 0.8, "LSA": 0.8})
    assert "Word2Vec with another seed shares 80 % with itself." in text
    assert "LSA with another seed shares 80 % with itself, more than with MiniLM." in text
