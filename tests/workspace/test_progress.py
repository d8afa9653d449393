"""The fraction of a job never falls and the time left follows the measured rate."""

from __future__ import annotations

import pytest

from core.progress import quiet, tell_epoch
from workspace.context import StagedProgress
from workspace.jobs import Job


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_left_follows_the_rate_of_the_part_and_adds_what_is_ahead():
    said, clock = [], Clock()
    progress = StagedProgress(said.append, clock)
    progress.plan({"fit": 1.0, "vectors": 999.0, "layout": 10.0})
    progress.begin("fit", "preparing")
    clock.now = 1.0
    progress.begin("vectors", "embedding")
    for done in range(0, 3300, 100):
        progress(done, 7600, "embedding")
        clock.now += 1.0
    assert said[-1]["eta_s"] == pytest.approx(44 + 10)


def test_rows_that_were_ready_do_not_count_as_speed():
    said, clock = [], Clock()
    progress = StagedProgress(said.append, clock)
    progress.plan({"vectors": 100.0})
    progress.begin("vectors", "embedding")
    for done in range(1000, 1100, 10):
        progress(done, 2000, "embedding")
        clock.now += 1.0
    assert said[-1]["eta_s"] == pytest.approx((2000 - 1090) / 10)


def test_short_first_stage_does_not_pass_for_the_whole_part():
    said, clock = [], Clock()
    progress = StagedProgress(said.append, clock)
    progress.plan({"vectors": 100.0, "layout": 5.0})
    progress.begin("vectors", "embedding")
    for done in range(5):
        progress(done, 4, "cutting into tokens")
        clock.now += 1.0
    assert said[-1]["fraction"] < 0.1


def test_fraction_never_falls_when_a_part_turns_out_slower():
    said, clock = [], Clock()
    progress = StagedProgress(said.append, clock)
    progress.plan({"a": 1.0, "b": 1.0})
    for part in ("a", "b"):
        progress.begin(part, part)
        for done in range(1, 11):
            clock.now += 5.0
            progress(done, 10, part)
    fractions = [each["fraction"] for each in said]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 0.99


def test_no_time_left_is_told_before_it_can_be_known():
    said, clock = [], Clock()
    progress = StagedProgress(said.append, clock)
    progress.plan({"a": 1.0})
    progress.begin("a", "starting")
    clock.now = 1.5
    progress(1, 10, "a")
    assert [each["eta_s"] for each in said] == [None, None]


def test_time_left_of_steps_that_take_many_seconds_is_told_too():
    clock, seen = Clock(), []
    progress = StagedProgress(seen.append, clock)
    progress.plan({"embed": 60})
    progress.begin("embed", "embedding")
    for step in range(5):
        progress(step, 240, "training")
        clock.now += 12.0
    assert [one["eta_s"] is None for one in seen[1:]] == [True, True, False, False, False]
    assert seen[-1]["eta_s"] == pytest.approx(12.0 * 236)


def test_what_comes_before_a_training_counts_for_its_own_work_only():
    said, clock = [], Clock()
    progress = StagedProgress(said.append, clock)
    progress.plan({"fit": 2.0, "layout": 5.0})
    progress.begin("fit", "preparing", {"training": 1.0})
    progress.expect({"reading": 10.0, "training": 90.0})
    for done in range(11):
        progress(done, 10, "reading")
        clock.now += 1.0
    assert 0.05 < said[-1]["fraction"] < 0.11
    assert said[-1]["eta_s"] is None
    for done in range(50):
        progress(done, 100, "training")
        clock.now += 1.0
    done = 0.1 + 0.9 * 0.49
    assert said[-1]["fraction"] == pytest.approx(done * (60 + 51) / (60 + 51 + 5), abs=0.01)
    assert said[-1]["eta_s"] == pytest.approx(51 + 5)


def test_an_unplanned_stage_before_a_training_hardly_moves_the_bar():
    said, clock = [], Clock()
    progress = StagedProgress(said.append, clock)
    progress.plan({"fit": 2.0, "layout": 5.0})
    progress.begin("fit", "preparing", {"training": 1.0})
    for done in range(20):
        clock.now += 1.0
        progress(done, 20, "finding equal images")
    assert said[-1]["fraction"] < 0.02


def test_a_training_is_told_after_each_epoch_and_forgotten_with_the_next_fit():
    said = []
    progress = StagedProgress(said.append, Clock())
    progress.plan({"fit a": 1.0, "fit b": 1.0})
    progress.begin("fit a", "preparing", {})
    tell_epoch(progress, "training", 3, [2.0, 1.0], {"name": "accuracy", "values": [0.1, 0.5]})
    assert said[-1]["training"]["losses"] == [2.0, 1.0]
    assert said[-1]["training"]["held_out"]["values"] == [0.1, 0.5]
    assert said[-1]["stage"] == "preparing"
    progress.begin("fit b", "preparing", {})
    assert [each["training"] for each in said if "training" in each][-1] == {}


def test_who_only_counts_is_told_of_no_training():
    tell_epoch(quiet, "training", 3, [2.0])


def test_line_reads_as_a_person_would_say_it():
    job = Job("j", "w", "{}", "t", "running", "embedding", 3200, 7600, eta_s=41.0)
    assert job.text == "embedding 3,200 of 7,600, about 40 s left"
