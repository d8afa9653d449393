"""What a tab shows while jobs run: never taken from under the user's hands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from components import session


@dataclass
class FakeJob:
    id: str
    state: str = "running"
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        return self.state in {"queued", "running"}


@dataclass
class Info:
    id: str
    dataset: str = ""


class FakeWorkspace:
    def __init__(self, jobs, runs):
        self._jobs, self._runs = jobs, runs

    def open_jobs(self):
        return self._jobs

    def job(self, id):
        return next(job for job in self._jobs if job.id == id)

    def runs(self, dataset=None):
        return [run for run in self._runs if dataset in (None, run.dataset)]


@pytest.fixture
def tab(monkeypatch):
    """Return a function that gives this tab a workspace with jobs and runs."""
    kept: dict[str, Any] = {}
    monkeypatch.setattr(session, "remember", kept.__setitem__)
    monkeypatch.setattr(session, "recall", lambda name, default=None: kept.get(name, default))

    def of(jobs, runs):
        workspace = FakeWorkspace(jobs, runs)
        monkeypatch.setattr(session, "workspace", lambda: workspace)
        return kept

    return of


def test_choosing_another_dataset_is_not_undone_by_a_running_job(tab):
    drawing = FakeJob("j", result={"dataset": "books", "run": "glove", "run_ready": True})
    kept = tab([drawing], [Info("glove", "books")])
    kept.update(dataset="books", run="glove")
    session.choose_dataset("trade")
    session.settle()
    session.settle()
    assert (kept["dataset"], kept["run"]) == ("trade", None)


def test_a_fresh_tab_follows_the_running_job(tab):
    drawing = FakeJob("j", result={"dataset": "books", "run": "glove", "run_ready": True})
    kept = tab([drawing], [Info("glove", "books")])
    session.settle()
    assert (kept["dataset"], kept["run"]) == ("books", "glove")


def test_a_file_that_is_being_read_leaves_the_map_and_is_shown_when_it_is_there(tab):
    reading = FakeJob("r")
    kept = tab([reading], [Info("lsa", "reviews")])
    kept.update(dataset="reviews", run="lsa")
    session.follow(reading)
    assert (kept["dataset"], kept["run"]) == ("reviews", "lsa")
    reading.state, reading.result = "done", {"dataset": "books"}
    session.settle()
    assert kept["dataset"] == "books"
    assert session.take_arrived() == "books"


def test_a_file_read_while_another_job_runs_is_what_is_shown(tab):
    drawing = FakeJob("j", result={"dataset": "books", "run": "glove", "run_ready": True})
    reading = FakeJob("r", "done", {"dataset": "trade"})
    kept = tab([drawing, reading], [Info("glove", "books")])
    kept.update(dataset="books", run="glove", awaiting="r")
    session.settle()
    session.settle()
    assert kept["dataset"] == "trade"


def test_a_new_run_of_the_shown_data_takes_over_when_it_is_ready(tab):
    job = FakeJob("j", result={"dataset": "reviews", "run": "bert"})
    kept = tab([job], [Info("lsa", "reviews"), Info("bert", "reviews")])
    kept.update(dataset="reviews", run="lsa")
    session.follow(job)
    assert kept["run"] is None
    job.result["run_ready"] = True
    session.settle()
    assert kept["run"] == "bert"


@pytest.mark.parametrize("ending", ["done", "failed", "cancelled"])
def test_a_job_that_ends_while_the_page_is_drawn_is_not_missed(tab, ending):
    job = FakeJob("j", result={"dataset": "reviews", "run": "bert"})
    tab([job], [Info("bert", "reviews")])
    session.follow(job)
    session.settle()
    assert not session.has_moved_on()
    job.state = ending
    if ending == "done":
        job.result |= {"run_ready": True, "layout": "l"}
    assert session.has_moved_on()
    session.settle()
    assert not session.has_moved_on()


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
def test_after_a_job_that_brought_nothing_the_run_before_is_shown_again(tab, ending):
    job = FakeJob("j", result={"dataset": "reviews", "run": "bert"})
    kept = tab([job], [Info("lsa", "reviews"), Info("tfidf", "reviews")])
    kept.update(dataset="reviews", run="lsa")
    session.follow(job)
    assert kept["run"] is None
    job.state = ending
    session.settle()
    assert kept["run"] == "lsa"


def test_a_run_that_is_ready_while_the_page_is_drawn_is_not_missed(tab):
    job = FakeJob("j", result={"dataset": "reviews", "run": "bert"})
    tab([job], [Info("bert", "reviews")])
    session.follow(job)
    session.settle()
    job.result["run_ready"] = True
    assert session.has_moved_on()
    session.settle()
    assert not session.has_moved_on()


def test_a_notice_of_the_page_that_starts_anew_is_kept(monkeypatch):
    from components import frame

    class Rerun(Exception):
        pass

    kept: dict[str, Any] = {"notice": "The link leads to a run that is gone."}
    monkeypatch.setattr(session, "remember", kept.__setitem__)
    monkeypatch.setattr(session, "recall", lambda name, default=None: kept.get(name, default))
    monkeypatch.setattr(session, "shown_jobs", lambda: [])
    monkeypatch.setattr(session, "has_moved_on", lambda: True)

    def rerun():
        raise Rerun

    monkeypatch.setattr(frame.st, "rerun", rerun)
    with pytest.raises(Rerun):
        frame.header()
    assert kept["notice"]
