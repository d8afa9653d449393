"""An embedding service asked from a job: what workers may ask, and what stays on disk."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import EmbedderUnavailable, ParameterError
from core.modality import Modality
from core.progress import quiet
from embedders import get_embedder
from ingest.dataset import Dataset
from tests.embedders import small_service
from workspace.catalog import Catalog
from workspace.embedding import _generation
from workspace.identity import run_id
from workspace.item_vectors import StoredItems
from workspace.kept_parts import SOME_VECTORS
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


def other(model):
    """Return the answers of another model that bears a name."""
    return 200, {}, lambda body: small_service.other_answer(body, model)


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
    assert "kept" not in failed.message, "there is nothing yet"
    service.script = [None, None, (400, {}, b"")]  # the word of fit, a text, and no more
    broken = embed(workspace, data, service, batch_size=1)
    assert broken.message.endswith(f"and no dimensions of your own. {SOME_VECTORS}")
    done = embed(workspace, data, service)
    assert done.state == "done", done.message
    assert sum(len(body["input"]) for body in service.bodies[-2:]) == 4, "the word and three texts"
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


def test_after_the_model_was_replaced_embedding_again_makes_a_run_that_answers(start, service, key):
    runner = start()
    workspace = Workspace.create(runner)
    ids = tuple(f"t{i}" for i in range(len(TEXTS)))
    data = workspace.add_dataset(Dataset("fruit", Modality.TEXT, ids, TEXTS))
    old = embed(workspace, data, service).result["run"]
    service.forever = other("tiny-1")
    with pytest.raises(EmbedderUnavailable, match="Embed the data again"):
        workspace.embed_query(old, TEXTS[0])

    job = embed(workspace, data, service)
    new = job.result["run"]
    assert (job.state, new == old) == ("done", False), job.message
    found = workspace.embed_query(new, TEXTS[0])
    np.testing.assert_array_equal(found, workspace.vectors(new).matrix[0])
    np.testing.assert_array_equal(found, small_service.vector(TEXTS[0])[::-1])
    assert [run.id for run in workspace.runs()] == [old, new], "the earlier one stays"
    told = [note for note in workspace.run(new).provenance["notes"] if "Made anew" in note]
    assert len(told) == 1
    assert workspace.run(new).provenance["generation"] == 1

    service.bodies.clear()
    assert embed(workspace, data, service).result["run"] == new
    assert [body["input"] for body in service.bodies] == [["embedding"]], "nothing is paid twice"
    service.forever = None  # the first model is back: so is its run
    assert embed(workspace, data, service).result["run"] == old
    service.bodies.clear()
    service.forever = (401, {}, b"")  # nobody can ask: what is there is taken
    assert embed(workspace, data, service).result["run"] == new

    service.bodies.clear()
    context = SimpleNamespace(
        catalog=runner.catalog, store=runner.store, workspace=workspace.id, progress=quiet
    )
    method = get_embedder("api", **workspace.run(old).params)
    dataset = workspace.dataset(data.id)
    assert _generation(method, dataset, context, check=False) == 1, "a comparison asks nobody"
    assert service.bodies == []


@pytest.mark.parametrize(
    ("linked", "outdated", "check", "taken"),
    [
        ((0, 1), (), True, 1),
        ((0, 1), (1,), True, 0),
        ((0, 1), (0, 1), True, 2),
        ((0, 1), (0, 1), False, 1),
        ((0,), (), False, 0),
        ((), (), False, 1),
    ],
)
def test_the_newest_run_of_the_present_model_is_taken_those_of_the_workspace_first(
    linked, outdated, check, taken
):
    dataset = Dataset("fruit", Modality.TEXT, ("a", "b"), TEXTS[:2])
    method = get_embedder("tfidf")
    runs = [run_id(method, dataset, generation) for generation in range(3)]
    there = set(runs[:2])
    method.is_outdated = lambda state, progress: runs.index(state["run"]) in outdated
    context = SimpleNamespace(
        workspace="w",
        progress=quiet,
        store=SimpleNamespace(
            vectors_meta=lambda run: {} if run in there else None, state=lambda run: {"run": run}
        ),
        catalog=SimpleNamespace(
            known_run=lambda run: run if run in there else None,
            runs=lambda _, id: [id] if runs.index(id) in linked else [],
        ),
    )
    assert _generation(method, dataset, context, check=check) == taken


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


@pytest.fixture
def made(tmp_path, service):
    """Return how to embed texts in a run of a store, as a job does."""
    store, catalog = Store(tmp_path), Catalog(tmp_path / "catalog.sqlite")
    finished = []
    catalog.runs_of_method = lambda _: finished

    def make(texts, run, *, finish=True):
        data = Dataset("fruit", Modality.TEXT, tuple(f"t{i}" for i in range(len(texts))), texts)
        embedder = get_embedder("api", url=service.url, model="tiny", batch_size=2).fit(data)
        service.bodies.clear()
        known = StoredItems(store, catalog, embedder, run)
        vectors = embedder.vectors(data, known=known)
        if finish:
            store.save_state(run, embedder.state())
            store.save_vectors(run, vectors)
            known.finish()
            finished.append(run)
        asked = [text for body in service.bodies for text in body["input"]]
        return vectors, known.n_earlier, asked

    return make


def test_vectors_of_a_model_that_the_service_has_replaced_are_not_used_again(made, service):
    made(TEXTS, "old")
    assert made([*TEXTS, "plum"], "new", finish=False)[1:] == (4, ["plum"])
    service.forever = other("tiny-1")  # what the job above left unfinished is of the first model
    vectors, n_earlier, asked = made([*TEXTS, "plum"], "new")
    assert (n_earlier, len(asked)) == (0, 5)
    why = "the vector of the word “embedding” has cosine"
    assert any(why in note for note in vectors.provenance["notes"])
    np.testing.assert_array_equal(vectors.matrix[0], small_service.vector(TEXTS[0])[::-1])


def test_a_new_name_for_the_same_model_throws_no_vectors_away(made, service):
    made(TEXTS, "old")
    service.forever = 200, {}, lambda body: small_service.answer(body, "tiny-1-0613")
    vectors, n_earlier, asked = made([*TEXTS, "plum"], "new")
    assert (n_earlier, asked) == (4, ["plum"])
    assert not any("has changed" in note for note in vectors.provenance["notes"])


def test_a_run_in_which_the_model_changed_gives_no_vectors_to_others(made, service):
    service.script = [None, None]  # the word of fit and the first two texts
    service.forever = other("tiny-2")
    vectors, _, asked = made([*TEXTS, "plum"], "mixed")
    assert asked.count("embedding") == 1, "a new name is looked into once"
    assert any("do not belong together" in note for note in vectors.provenance["notes"])
    service.forever = None
    assert made(TEXTS, "new")[1:] == (0, ["green pear", "red cherry", "red apple", "blue plum"])
