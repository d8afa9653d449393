"""Two members of a comparison, measured and drawn by a worker, and what is kept of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from comparison.group_captions import GroupCaptions
from comparison.movers import movers
from comparison.torn_groups import torn_groups
from core.errors import WorkspaceError
from ingest.samples import load_sample
from workspace.finding_parts import groups_of, groups_parts, movers_of, movers_parts
from workspace.linked_layouts import same_layouts
from workspace.pair_findings import PairTask, is_light, measure
from workspace.recipes import Member, Recipe
from workspace.workspace import Workspace

MEMBERS = (
    Member("spectral", {"dim": 4}, name="Spectral"),
    Member("netmf", {"dim": 8}, name="NetMF"),
)


def same(a, b, rtol=0.0):
    """Compare frozen results part by part, arrays included; threads may change the last digits."""
    if isinstance(a, np.ndarray | float):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
    elif hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            same(getattr(a, name), getattr(b, name), rtol)
    elif isinstance(a, tuple):
        assert type(a) is type(b)
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other, rtol)
    elif not isinstance(a, float):
        assert a == b


def through_json(parts):
    arrays, told = parts
    return arrays, json.loads(json.dumps(told))


def test_torn_groups_and_movers_come_back_as_they_were_kept():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 6)).astype(np.float32)
    y = x.copy()
    x[:20] = x[0] + 0.05 * x[:20]
    texts = ["red apple" if i < 20 else "green pear" for i in range(120)]
    labels = ["fruit" if i % 3 else None for i in range(120)]
    torn = torn_groups(x, y, captions=GroupCaptions(labels, texts))
    assert any(mode.groups for mode in torn.modes)
    same(groups_of(*through_json(groups_parts(torn))), torn)
    graphs = tuple(rng.integers(0, 120, (120, 10)) for _ in range(2))
    moved = movers(x, y, ("cosine", "cosine"), graphs)
    same(movers_of(*through_json(movers_parts(moved))), moved)


def test_a_worker_measures_and_draws_a_pair_for_those_who_may_see_it(start):
    runner = start()
    workspace = Workspace.create(runner)
    data = workspace.add_dataset(load_sample("karate"))
    assert runner.wait(workspace.compare(Recipe(data.id, MEMBERS, k=5)).id, 120).state == "done"
    (info,) = workspace.comparisons(data.id)
    stored = workspace.comparison(info.id)
    task = PairTask(info.id, "Spectral", "NetMF", "movers")
    assert is_light(stored, task)
    assert workspace.pair_finding(task) is None
    job = runner.wait(workspace.measure_pair(task).id, 60)
    assert job.state == "done", job.message
    assert job.result["comparing"]  # or the page would leave the comparison
    same(workspace.pair_finding(task), measure(stored, task, lambda: data), 1e-9)

    clusters = PairTask(info.id, "Spectral", "NetMF", "clusters", n_clusters=3)
    assert runner.wait(workspace.measure_pair(clusters).id, 60).state == "done"
    kept = workspace.pair_finding(clusters)
    same(kept, measure(stored, clusters, lambda: data), 1e-9)
    assert kept.table.sum() == 34

    refused = PairTask(info.id, "Spectral", "NetMF", "groups")
    job = runner.wait(workspace.measure_pair(refused).id, 60)
    assert job.state == "failed"
    assert "at least 50" in job.message

    job = runner.wait(workspace.draw_linked(info.id, info.runs, "pca").id, 60)
    assert job.state == "done", job.message
    assert "run_ready" not in job.result
    infos = [workspace.run(run) for run in info.runs]
    drawn = [(run.id, next(iter(run.kinds)), workspace.layouts(run.id)) for run in infos]
    assert [(one.run, one.method) for one in same_layouts(drawn)] == [
        (run, "pca") for run in info.runs
    ]
    assert same_layouts([drawn[0], (*drawn[1][:2], [])]) == []

    other = Workspace.create(runner)
    with pytest.raises(WorkspaceError, match="no such comparison"):
        other.pair_finding(task)
    with pytest.raises(WorkspaceError, match="no such comparison"):
        other.measure_pair(task)


def test_only_what_matters_decides_which_answer_it_is():
    task = PairTask("c1", "a", "b", "movers", column="topic", n_clusters=4)
    assert task.finding == PairTask("c1", "a", "b", "movers").finding
    ids = {
        PairTask("c1", *pair, part, column, n).finding
        for pair in (("a", "b"), ("b", "a"))
        for part, column, n in (
            ("movers", None, 0),
            ("groups", None, 0),
            ("groups", "topic", 0),
            ("clusters", None, 4),
            ("clusters", None, 5),
        )
    }
    assert len(ids) == 10
