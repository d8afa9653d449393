"""Results of tasks: which of two is better, what is tied, and that they survive JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from comparison.resampling import resampled
from comparison.task_result import TaskResult, TaskScore
from core.errors import ParameterError

RNG = np.random.default_rng(0)
BASE = RNG.random(400)


def result(**scores):
    return TaskResult(
        "t", "A task", "accuracy", "items", 400, 0.5, "largest class", {"seed": 0, "k": 10}, scores
    )


@pytest.fixture
def three():
    return result(
        worse=TaskScore.of_units(BASE - 0.2 + RNG.normal(0, 0.1, 400)),
        best=TaskScore.of_units(BASE, extra={"macro-F1": 0.3}),
        close=TaskScore.of_units(BASE + np.tile([0.1, -0.102], 200)),
        none=TaskScore.refusal("no vectors of words"),
    )


def test_ranked_best_and_tied(three):
    assert three.ranked() == ("best", "close", "worse"), "what has no figure is not ranked"
    assert three.best() == "best"
    assert three.tied_with_best() == ("close",)
    assert result().best() is None
    assert result().tied_with_best() == ()


def test_difference_tells_apart_where_the_interval_leaves_zero_out(three):
    apart = three.difference("best", "worse")
    assert apart.tells_apart
    assert apart.interval.mean == pytest.approx(
        float(np.mean(three["best"].per_unit - three["worse"].per_unit))
    )
    assert apart.interval.low < 0.2 < apart.interval.high
    assert not three.difference("best", "close").tells_apart
    assert three.difference("best", "none") is None
    with pytest.raises(ParameterError, match="'other'"):
        three.difference("best", "other")


def test_lower_is_better_turns_the_order():
    low, high = TaskScore(0.1), TaskScore(0.9)
    turned = TaskResult("t", "T", "error", "items", 3, higher_is_better=False, scores={
        "high": high, "low": low
    })  # fmt: skip
    assert turned.ranked() == ("low", "high")


def test_figures_that_are_no_means_are_paired_draw_by_draw():
    """Both follow the scores; the noise of one is added to that of the other."""
    people = RNG.random(300)
    near = people + RNG.normal(0, 0.2, 300)
    far = near + RNG.normal(0, 0.4, 300)
    scores = {}
    for name, values in {"near": near, "far": far}.items():

        def figure(counts, values=values):
            drawn = [np.repeat(np.arange(300), count) for count in counts]
            return np.array([np.corrcoef(values[rows], people[rows])[0, 1] for rows in drawn])

        draws = resampled(figure, 300, seed=3)
        scores[name] = TaskScore.of_draws(float(np.corrcoef(values, people)[0, 1]), draws)
    found = result(**scores)
    gap = found.difference("near", "far")
    assert gap.tells_apart
    assert gap.interval.low < gap.interval.mean < gap.interval.high
    assert found["near"].low < found["near"].value < found["near"].high


def test_every_draw_holds_n_units():
    seen = resampled(lambda counts: counts.sum(axis=1).astype(float), 7, n_resamples=5)
    assert seen.tolist() == [7.0] * 5


@pytest.mark.parametrize("apart", [False, True])
def test_json_round_trip(three, apart):
    plain = json.loads(json.dumps(three.to_dict(with_arrays=not apart), allow_nan=False))
    back = TaskResult.from_dict(plain, three.arrays() if apart else None)
    assert back.to_dict() == three.to_dict()
    assert back.difference("best", "worse") == three.difference("best", "worse")
    assert np.array_equal(back["best"].per_unit, BASE)
    assert back["none"].refused == "no vectors of words"
