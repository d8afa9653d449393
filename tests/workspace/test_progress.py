"""The fraction of a job never falls and the time left follows the measured rate."""

from __future__ import annotations

import pytest

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


def test_line_reads_as_a_person_would_say_it():
    job = Job("j", "w", "{}", "t", "running", "embedding", 3200, 7600, eta_s=41.0)
    assert job.text == "embedding 3,200 of 7,600, about 40 s left"
