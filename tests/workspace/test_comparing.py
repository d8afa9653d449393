"""From a recipe to a stored comparison, through a worker."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core.errors import Cancelled, DatasetError, ParameterError, WorkspaceError
from ingest.samples import load_sample
from workspace import comparing
from workspace.catalog import Catalog
from workspace.context import Context, StagedProgress
from workspace.embedding import make_run
from workspace.linking import link_dataset
from workspace.recipes import Member, Recipe
from workspace.store import Store
from workspace.stored_comparison import info_of, open_comparison, refused_told
from workspace.workspace import Workspace

WALKS = {"dim": 16, "epochs": 1, "walks": 4, "walk_length": 20, "threads": 1}
MEMBERS = (
    Member("deepwalk", WALKS, name="DeepWalk"),
    Member("spectral", {"dim": 4}, name="Spectral"),
    Member("netmf", {"dim": 8}, name="NetMF"),
)


def test_a_recipe_is_built_kept_found_again_and_goes_with_its_data(start):
    runner = start()
    workspace = Workspace.create(runner)
    data = workspace.add_dataset(load_sample("karate"))
    recipe = Recipe(data.id, MEMBERS, k=5)
    job = runner.wait(workspace.compare(recipe).id, 120)
    assert job.state == "done", job.message
    (info,) = workspace.comparisons(data.id)
    assert info.names == ("DeepWalk", "Spectral", "NetMF")
    assert info.n == 34
    # Three members, and the one that a seed changes once more.
    assert len(workspace.runs(data.id)) == 4

    stored = workspace.comparison(info.id)
    found = stored.comparison
    assert found.k == 5
    assert found.depth == 33
    # What was stored is what comparing the stored vectors gives.
    from comparison import compare

    spaces = {name: workspace.vectors(run) for name, run in zip(info.names, info.runs, strict=True)}
    fresh = compare(spaces, k=5)
    np.testing.assert_array_equal(found.overlap.values, fresh.overlap.values)
    np.testing.assert_array_equal(found.cka.values, fresh.cka.values)
    for name in fresh.whole._fields:
        kept, made = getattr(found.whole, name), getattr(fresh.whole, name)
        np.testing.assert_array_equal(kept.values, made.values)
        assert kept.refused == made.refused
    for kept, made in zip((*found.ties, *found.blank), (*fresh.ties, *fresh.blank), strict=True):
        np.testing.assert_array_equal(kept, made)
    assert found.remarks_on("DeepWalk", "NetMF") == fresh.remarks_on("DeepWalk", "NetMF")
    assert found.per_item("DeepWalk", "NetMF").min() >= 0
    everything = found.at(33)  # all are neighbours of all
    assert everything.per_item("DeepWalk", "NetMF") == pytest.approx(1.0)
    assert "34 items are too few for 33 neighbours" in everything.overlap.refused[0, 1]
    assert "34 items are too few" in found.cca.refused[0, 2]

    assert set(stored.floors) == {"DeepWalk"}
    floor = stored.floors["DeepWalk"]
    assert floor.seeds == (0, 1)
    twin = next(run for run in workspace.runs(data.id) if run.seed == 1)
    pair = compare({"a": spaces["DeepWalk"], "b": workspace.vectors(twin.id)}, k=5)
    assert floor.local("overlap", 5) == pytest.approx(pair.overlap.values[0, 1])
    assert floor.cka == pytest.approx(pair.cka.values[0, 1])
    assert 0 < stored.calibrated["overlap"][0, 1].p <= 1

    again = runner.wait(workspace.compare(recipe).id, 60)
    assert again.result["comparison"] == info.id
    assert len(workspace.comparisons()) == 1

    other = Workspace.create(runner)
    assert other.comparisons() == []
    with pytest.raises(WorkspaceError, match="no such comparison"):
        other.comparison(info.id)

    assert runner.wait(workspace.profile_spaces(info.id).id, 60).state == "done"
    entries = runner.store.entries
    assert len(list(entries.ids("findings"))) == 3
    workspace.remove_dataset(data.id)
    assert workspace.comparisons() == []
    assert not list(entries.ids("comparisons"))
    assert not list(entries.ids("findings"))


def test_what_cannot_be_compared_is_said_at_once(start):
    workspace = Workspace.create(start())
    data = workspace.add_dataset(load_sample("karate"))
    with pytest.raises(ParameterError, match="2 to 8"):
        workspace.compare(Recipe(data.id, MEMBERS[:1]))
    with pytest.raises(Exception, match="takes"):
        workspace.compare(Recipe(data.id, (Member("lsa"), *MEMBERS)))
    assert workspace.jobs() == []


@pytest.fixture
def asked(home):
    """A store, its context and a recipe, without a worker."""
    store, catalog = Store(home), Catalog(home / "catalog.sqlite")
    data = link_dataset(store, catalog, "w1", load_sample("karate"))
    context = Context(store, catalog, "w1", StagedProgress(lambda told: None), lambda **told: None)
    return Recipe(data.id, MEMBERS, k=5), context


def failing(monkeypatch, error, *wanted):
    """Let embedding fail for methods and seeds."""

    def make(task, context):
        if (task.embedder, task.seed) in wanted:
            raise error
        return make_run(task, context)

    monkeypatch.setattr(comparing, "make_run", make)


def test_a_method_that_fails_is_left_out_and_named_with_its_reason(asked, monkeypatch):
    recipe, context = dataclasses.replace(asked[0], noise=False), asked[1]
    failing(monkeypatch, DatasetError("It has too few nodes."), ("spectral", 0))
    made = comparing.build(comparing.CompareTask(recipe), context)["comparison"]
    stored = open_comparison(made, context.store)
    assert stored.info.names == stored.comparison.names == ("DeepWalk", "NetMF")
    assert stored.info.refused == (("Spectral", "It has too few nodes."),)
    assert refused_told(stored.info) == (
        "Spectral could not be embedded and is left out. It has too few nodes."
    )
    monkeypatch.undo()  # what failed is tried again, and that is another comparison
    whole = comparing.build(comparing.CompareTask(recipe), context)["comparison"]
    assert whole != made
    assert refused_told(open_comparison(whole, context.store).info) == ""
    meta = context.store.comparison_meta(whole)
    del meta["info"]["refused"], meta["info"]["without_floor"]  # as before there were these
    assert info_of(meta).refused == ()


@pytest.mark.parametrize(
    ("failed", "told"),
    [
        ({"spectral", "netmf"}, "Only DeepWalk could be made.* Spectral: No. NetMF: No."),
        ({"deepwalk", "spectral", "netmf"}, "None .* DeepWalk: No. Spectral: No. NetMF: No."),
    ],
)
def test_with_fewer_than_two_left_every_reason_is_told(asked, monkeypatch, failed, told):
    recipe, context = asked
    failing(monkeypatch, DatasetError("No."), *((embedder, 0) for embedder in failed))
    with pytest.raises(WorkspaceError, match=told):
        comparing.build(comparing.CompareTask(recipe), context)


def test_another_seed_that_fails_costs_the_noise_floor_only(asked, monkeypatch):
    recipe, context = asked
    failing(monkeypatch, DatasetError("It broke."), ("deepwalk", 1))
    made = comparing.build(comparing.CompareTask(recipe), context)["comparison"]
    stored = open_comparison(made, context.store)
    assert stored.info.names == ("DeepWalk", "Spectral", "NetMF")
    assert stored.floors == {}
    assert refused_told(stored.info) == "DeepWalk has no noise floor: it broke."


def test_a_cancel_ends_it_and_is_no_failure_of_a_method(asked, monkeypatch):
    recipe, context = asked
    failing(monkeypatch, Cancelled(), ("spectral", 0))
    with pytest.raises(Cancelled):
        comparing.build(comparing.CompareTask(recipe), context)
