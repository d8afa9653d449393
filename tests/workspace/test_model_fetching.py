"""A model downloaded by a job, and used by the workers and queries of any workspace."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from types import SimpleNamespace

import pytest
import toy_hub
from job_waiting import ended, wait_for

from core.errors import EmbedderUnavailable, ParameterError, WorkspaceError
from core.modality import Modality
from embedders import registry
from embedders.hub_download import fetch
from embedders.hub_model import HubModel
from ingest.dataset import Dataset
from tests.embedders import small_hub
from workspace import model_fetching
from workspace.context import StagedProgress
from workspace.downloads import clean
from workspace.model_fetching import FetchModelTask
from workspace.tasks import task_from_json
from workspace.workspace import Workspace

TEXTS = ["a cab", "a bad cab", "dab", "cad"]


@pytest.fixture
def hub(home, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "EMBEDDERS", (*registry.EMBEDDERS, toy_hub.ToyHubEmbedder))
    monkeypatch.setenv("EMBEDSCOPE_HOME", str(home))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for name in ("http_proxy", "HTTP_PROXY", "HF_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    with small_hub.small_hub() as one:
        monkeypatch.setenv("HF_ENDPOINT", one.url)
        one.add("org/tiny", small_hub.text_model_files(size=2_000_000))
        yield one


def texts():
    return Dataset("cabs", Modality.TEXT, tuple(f"t{i}" for i in range(len(TEXTS))), TEXTS)


def test_a_model_comes_once_and_serves_every_workspace(start, home, hub):
    runner = start()
    workspace = Workspace.create(runner)
    data = workspace.add_dataset(texts())
    early = ended(runner, workspace.embed(data.id, "toy-hub", layout=None))
    assert early.state == "failed"
    assert "org/tiny is not on this machine" in early.message
    assert hub.asked == []

    hub.corrupts = True
    job = ended(runner, workspace.fetch_model("toy-hub", {}, data.id, agreed_mb=2))
    assert (job.title, job.state) == ("Downloading org/tiny", "failed")
    assert "not the published org/tiny (model.safetensors)" in job.message
    hub.corrupts, hub.pause_s = False, 0.7
    job = workspace.restart(job.id)
    seen = wait_for(lambda: [j for j in runner.jobs(workspace.id) if "megabyte" in j.stage])
    assert seen[0].result == {"dataset": data.id, "model": "org/tiny"}
    workspace.cancel(job.id)
    begun = time.monotonic()
    assert ended(runner, job).state == "cancelled"
    assert time.monotonic() - begun < 10
    assert not (home / "models").exists()
    hub.pause_s = 0.0
    job = ended(runner, workspace.restart(job.id))
    assert job.state == "done", job.message
    assert job.result == {"dataset": data.id, "model": "org/tiny"}
    assert list((home / "downloads").iterdir()) == []

    other = Workspace.create(runner)
    other.add_dataset(texts())
    n_asked = len(hub.asked)
    run = ended(runner, other.embed(data.id, "toy-hub", layout=None))
    assert run.state == "done", run.message
    assert other.embed_query(run.result["run"], "a bad cab").shape == (4,)
    told = other.run(run.result["run"]).provenance
    assert told["model_commit"] == hub.repos["org/tiny"].commit
    again = ended(runner, other.fetch_model("toy-hub", {}, data.id))
    assert again.state == "done", again.message
    assert len(hub.asked) == n_asked


def test_two_models_that_share_a_part_do_not_fetch_it_at_once(home, hub, monkeypatch):
    words = HubModel("org/tiny")
    context = SimpleNamespace(
        store=SimpleNamespace(root=home), progress=StagedProgress(lambda _: None), alone=None
    )
    held = set()

    @contextlib.contextmanager
    def alone(id):
        held.add(id)
        yield
        held.discard(id)

    context.alone = alone
    seen = []
    monkeypatch.setattr(model_fetching, "fetch_model", lambda *_, **__: seen.append(set(held)))
    for source in (words, HubModel("org/a", beside=(words,)), HubModel("org/tiny@main")):
        monkeypatch.setattr(toy_hub.ToyHubEmbedder, "needs", classmethod(lambda *_, s=source: s))
        model_fetching.fetch(FetchModelTask("toy-hub"), context)
    assert [len(locks) for locks in seen] == [1, 2, 1]
    assert seen[0] < seen[1]
    assert seen[2] == seen[0]
    assert not held


def test_what_cannot_be_is_said_at_once(start, hub):
    workspace = Workspace.create(start(downloads=False))
    data = workspace.add_dataset(texts())
    with pytest.raises(EmbedderUnavailable, match=r"switched off .*The toy without a hub"):
        workspace.fetch_model("toy-hub", {}, data.id)
    with pytest.raises(ParameterError, match="needs no download with these settings"):
        workspace.fetch_model("tfidf", {}, data.id)
    with pytest.raises(ParameterError, match="not the name of a model"):
        workspace.fetch_model("toy-hub", {"model": "../../etc"}, data.id)
    with pytest.raises(WorkspaceError, match="no such dataset"):
        workspace.fetch_model("toy-hub", {}, "d0")
    assert hub.asked == []


def test_vectors_of_another_version_of_a_model_are_another_run(hub):
    toy, data = toy_hub.ToyHubEmbedder(), texts()
    seen = []
    for seed in (1, 2):
        hub.add("org/tiny", small_hub.text_model_files(size=4_000, seed=seed))
        folder = fetch(toy.needs(toy.params), consent=True)
        seen += [toy.fingerprint(data), toy.recipe()]
        assert toy.fingerprint(data) == seen[-2]
        shutil.rmtree(folder)
    assert len(set(seen)) == 4


def test_the_task_names_a_method_and_its_settings_and_no_address():
    task = FetchModelTask("toy-hub", {"model": "org/tiny"}, "d1", 3)
    assert task_from_json(task.to_json()) == task
    assert "http" not in task.to_json()


def test_leftovers_of_a_week_ago_are_deleted_and_the_rest_is_kept(tmp_path):
    old = time.time() - 8 * 86_400
    for name, when in [("model-text-a-1", old), ("model-text-b-1", None), ("glove.gz.part", old),
                       ("model-text-c-1", old)]:  # fmt: skip
        path = tmp_path / name
        if name.startswith("model"):
            path.mkdir()
            (path / "config.json").write_text("{}")
            if when:
                os.utime(path / "config.json", (when, when))
        else:
            path.write_text("x")
        if when:
            os.utime(path, (when, when))
    clean(tmp_path, lambda name: name.startswith("model-text-c-"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model-text-b-1", "model-text-c-1"]
