"""The model of an earlier run on other data of the workspace; and as a file."""

from __future__ import annotations

import pandas as pd
import pytest

from core.errors import ModalityMismatch, ParameterError, WorkspaceError
from core.modality import Modality
from embedders.saved_model import read_model
from ingest.dataset import Dataset
from workspace.workspace import Workspace

OLD = [f"the {a} of the {b}" for a in ("bank", "loan", "river") for b in ("town", "shore", "king")]
NEW = ["the bank of the king", "a loan", "zork"]


def texts(items, name, labels=None):
    columns = {} if labels is None else {"topic": labels}
    roles = {} if labels is None else {"topic": "label"}
    ids = tuple(f"{name} {i}" for i in range(len(items)))
    return Dataset(name, Modality.TEXT, ids, items, pd.DataFrame(columns), roles)


@pytest.fixture
def workspace(start):
    return Workspace.create(start())


def embed(workspace, dataset, method, **params):
    job = workspace.embed(dataset.id, method, params, layout=None)
    done = workspace._runner.wait(job.id, 120)
    assert done.state == "done", done.message
    return workspace.run(done.result["run"])


def test_a_model_trained_here_embeds_other_data_and_outlives_its_run(workspace, tmp_path):
    old, new = workspace.add_dataset(texts(OLD, "old")), workspace.add_dataset(texts(NEW, "new"))
    trained = embed(workspace, old, "lsa", dim=3, min_df=1)
    run = embed(workspace, new, "earlier", run=trained.id)
    assert run.provenance["datasets"] == {"run": "LSA of old"}
    assert "fitted on old" in run.provenance["notes"][0]
    said = run.provenance["notes"][1:]
    variance = next(note for note in trained.provenance["notes"] if "of the variance" in note)
    assert f"From its own run, on old: {variance}" in said
    assert variance not in said
    assert any(note.startswith("1 of 3") for note in said)  # "zork" is known to nobody
    assert run.dim == trained.dim
    again = embed(workspace, new, "earlier", run=trained.id)
    assert again.id == run.id
    query = workspace.embed_query(trained.id, "bank and river").tolist()
    assert workspace.embed_query(run.id, "bank and river").tolist() == query
    path = tmp_path / "model.safetensors"
    path.write_bytes(workspace.model_file(trained.id))
    saved = read_model(path)
    assert saved.trained_on == "old"
    assert saved.embedder.embed_query("bank and river").tolist() == query
    assert workspace.model_bytes(trained.id) > 0
    workspace.remove_dataset(old.id)
    with pytest.raises(WorkspaceError):
        workspace.run(trained.id)
    assert workspace.embed_query(run.id, "bank and river").tolist() == query


def test_what_is_no_run_of_this_workspace_is_refused_at_once(workspace, tmp_path):
    new = workspace.add_dataset(texts(NEW, "new"))
    with pytest.raises(ParameterError, match="needs a run"):
        workspace.embed(new.id, "earlier")
    with pytest.raises(WorkspaceError, match="no such run"):
        workspace.embed(new.id, "earlier", {"run": str(tmp_path / "secret")})
    other = Workspace.create(workspace._runner)
    theirs = embed(other, other.add_dataset(texts(OLD, "old")), "tfidf", min_df=1)
    with pytest.raises(WorkspaceError, match="no such run"):
        workspace.embed(new.id, "earlier", {"run": theirs.id})


def test_a_test_set_may_be_chosen_or_left_out(workspace):
    labels = ["money"] * 6 + ["water"] * 3
    old = workspace.add_dataset(texts(OLD, "old", labels))
    new = workspace.add_dataset(texts(NEW[:2], "new", ["money", "money"]))
    params = {"start": "scratch", "new_layers": 0, "new_width": 16, "epochs": 1}
    assert "test" not in embed(workspace, old, "two_towers", **params).provenance
    tested = embed(workspace, old, "two_towers", test=new.id, **params)
    assert tested.provenance["test"]["n"] == 1  # the other one is trained on
    assert tested.provenance["datasets"] == {"test": "new"}
    numbers = pd.DataFrame({"x": [1.0, 2.0]})
    table = Dataset("rows", Modality.TABLE, ("a", "b"), numbers, numbers, {"x": "numeric"})
    with pytest.raises(ModalityMismatch, match="rows is table data"):
        workspace.embed(old.id, "two_towers", {"test": workspace.add_dataset(table).id})
