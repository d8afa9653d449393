"""What a job that ended early leaves behind is said of the very job, not of all alike."""

from __future__ import annotations

import pytest

from workspace import kept_parts
from workspace.jobs import Job
from workspace.kept_parts import what_a_failure_leaves, what_is_kept
from workspace.tasks import EmbedTask, LayoutTask, ReadTask, Task

ALL = kept_parts.ALL_VECTORS


def stopped(task: Task, **values: object) -> Job:
    return Job("j1", "w1", task.to_json(), "a job", "running", **{"started": 1.0, **values})


@pytest.mark.parametrize(
    ("method", "kept"),
    [
        ("two_towers", kept_parts.NO_TRAINING),
        ("own_image_network", kept_parts.NO_TRAINING),
        ("glove", kept_parts.NO_TRAINING),
        ("tfidf", kept_parts.NO_VECTORS),
        ("bert", kept_parts.SOME_VECTORS),
        ("clip", kept_parts.SOME_VECTORS),
        ("api", kept_parts.SOME_VECTORS),
    ],
)
def test_a_training_keeps_nothing_and_what_goes_item_by_item_keeps_its_vectors(method, kept):
    assert what_is_kept(stopped(EmbedTask("d1", method))) == kept


def test_finished_vectors_are_kept_whatever_made_them():
    job = stopped(EmbedTask("d1", "two_towers"), result={"run_ready": True})
    assert what_is_kept(job) == kept_parts.ALL_VECTORS


@pytest.mark.parametrize(
    ("values", "has_vectors", "kept"),
    [
        ({}, False, ""),
        ({}, True, kept_parts.SOME_VECTORS),
        ({"training": {"losses": [1.0]}}, False, kept_parts.NO_TRAINING),
        ({"result": {"run_ready": True}, "training": {"losses": [1.0]}}, False, ALL),
    ],
    ids=["at once", "some vectors", "in training", "while drawing"],
)
def test_a_failure_tells_what_it_leaves_where_it_had_made_something(values, has_vectors, kept):
    job = stopped(EmbedTask("d1", "two_towers"), **values)
    assert what_a_failure_leaves(job, has_vectors=has_vectors) == kept
    assert what_a_failure_leaves(stopped(LayoutTask("r1")), has_vectors=False) == ""


def test_other_jobs_say_what_they_leave():
    assert what_is_kept(stopped(LayoutTask("r1"))) == kept_parts.PARTS
    assert what_is_kept(stopped(ReadTask("u1", ("a.csv",)))) == kept_parts.NO_DATA
    waiting = stopped(EmbedTask("d1", "bert"), started=None)
    assert what_is_kept(waiting) == kept_parts.NOT_BEGUN
    foreign = Job("j1", "w1", '{"task": "nowhere:Nothing"}', "a job", "running", started=1.0)
    assert what_is_kept(foreign) == kept_parts.PARTS
