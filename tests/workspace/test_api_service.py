"""An embedding service asked from a job: what workers may ask, and what stays on disk."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import EmbedderUnavailable, ParameterError
from core.modality import Modality
from embedders import get_embedder
from ingest.dataset import Dataset
from tests.embedders import small_service
from workspace.catalog import Catalog
from workspace.item_vectors import StoredItems
from workspace.settings import Settings
from workspace.store import Store
from workspace.workspace import Workspace

KEY = "sk-sentinel-q8Zr41vTnW0xKp"
TEXTS = ["red apple", "green pear", "blue plum", "red cherry"]


@pytest.fixture
def service():
    with small_service.running() as one:
        yield one


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("TEST_API_KEY", KEY)


def embed(workspace, dataset, service, **params):
    values = {"url": service.url, "model": "tiny", "key_variable": "TEST_API_KEY", **params}
    job = workspace.embed(dataset.id, "api", values, layout=None)
    return workspace._runner.wait(job.id, 120)


def files(home):
    return [path for path in home.rglob("*") if path.is_file()]


def test_a_job_asks_with_the_key_and_leaves_it_nowhere(start, home, service, key):
    workspace = Workspace.create(start())
    data = workspace.add_dataset(
        Dataset("fruit", Modality.TEXT, tuple(f"t{i}" for i in range(len(TEXTS))), TEXTS)
    )
    service.script = [(401, {}, {"error": {"message": f"wrong key {KEY}"}})]
    failed = embed(workspace, data, service)
    assert failed.state == "failed"
    assert "refused the key in TEST_API_KEY" in failed.message
    done = embed(workspace, data, service)
    assert done.state == "done", done.message
    run = done.result["run"]
    assert workspace.embed_query(run, "red apple").shape == (small_service.DIM,)
    assert service.headers[-1]["Authorization"] == f"Bearer {KEY}"

    service.forever = (401, {}, {"error": {"message": f"wrong key {KEY}"}})
    with pytest.raises(EmbedderUnavailable, match="refused the key in TEST_API_KEY") as caught:
        workspace.embed_query(run, "another")
    told = [str(caught.value), failed.message, json.dumps(dict(workspace.run(run).provenance))]
    assert len(files(home)) > 5
    assert not [text for text in told if KEY in text]
    assert not [path for path in files(home) if KEY.encode() in path.read_bytes()]


def test_workers_ask_only_what_the_operator_allows(start, service, key):
    workspace = Workspace.create(start(api_hosts="api.example.org"))
    data = workspace.add_dataset(Dataset("fruit", Modality.TEXT, ("a", "b"), TEXTS[:2]))
    job = embed(workspace, data, service)
    assert job.state == "failed"
    assert "this server allows api.example.org" in job.message
    assert service.connections == 0


def test_a_pasted_key_is_refused_before_a_job_is_made(start, home, service):
    workspace = Workspace.create(start())
    data = workspace.add_dataset(Dataset("fruit", Modality.TEXT, ("a", "b"), TEXTS[:2]))
    with pytest.raises(ParameterError, match="never put the key itself"):
        embed(workspace, data, service, key_variable=KEY)
    assert not [path for path in files(home) if KEY.encode() in path.read_bytes()]


def test_the_list_of_hosts_is_checked_at_the_start():
    with pytest.raises(ParameterError, match="EMBEDSCOPE_API_HOSTS"):
        Settings(api_hosts="https://api.example.org/v1")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (small_service.other_answer, "the vector of the word “embedding” has cosine"),
        (lambda body: small_service.answer(body, "tiny-2"), "called its model tiny-1 then"),
    ],
)
def test_vectors_of_a_model_that_the_service_has_replaced_are_not_used_again(
    tmp_path, service, reply, why
):
    def made(texts, run):
        data = Dataset("fruit", Modality.TEXT, tuple(f"t{i}" for i in range(len(texts))), texts)
        embedder = get_embedder("api", url=service.url, model="tiny", batch_size=2).fit(data)
        service.bodies.clear()
        known = StoredItems(store, catalog, embedder, run)
        vectors = embedder.vectors(data, known=known)
        return embedder, known, vectors

    store, catalog = Store(tmp_path), Catalog(tmp_path / "catalog.sqlite")
    catalog.runs_of_method = lambda _: ["old"]
    embedder, known, vectors = made(TEXTS, "old")
    store.save_state("old", embedder.state())
    store.save_vectors("old", vectors)
    known.finish()
    _, again, vectors = made([*TEXTS, "plum"], "new")
    assert (again.n_earlier, service.bodies[0]["input"]) == (4, ["plum"])

    service.forever = (200, {}, reply)  # what the job above left unfinished is of the first model
    _, fresh, vectors = made([*TEXTS, "plum"], "new")
    n_asked = sum(len(body["input"]) for body in service.bodies)
    assert fresh.n_earlier == 5 - n_asked
    assert n_asked == (5 if reply is small_service.other_answer else 4)  # "plum" has one vector
    assert any(why in note for note in vectors.provenance["notes"])
    np.testing.assert_array_equal(
        vectors.matrix[0], reply({"input": [TEXTS[0]]})["data"][0]["embedding"]
    )
