"""Members of a comparison kept in fewer bytes, by a worker, and what is kept of that."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from comparison.compression import compress
from core.errors import ParameterError, WorkspaceError
from core.modality import Modality
from ingest.dataset import Dataset
from workspace.compressing import CompressTask, result_of, told_of
from workspace.recipes import Member, Recipe
from workspace.tasks import task_from_json
from workspace.workspace import Workspace


def texts() -> Dataset:
    """Return 40 texts of two classes, each in words of its own, and ids that are no classes."""
    words = (["apple", "pear", "plum", "fig"], ["wolf", "bear", "fox", "owl"])
    rng = np.random.default_rng(0)
    made = [" ".join(rng.permutation(words[i % 2])[:3]) + f" w{i % 7}" for i in range(40)]
    frame = pd.DataFrame({"kind": ["fruit", "animal"] * 20, "name": [f"n{i}" for i in range(40)]})
    ids = tuple(f"t{i}" for i in range(40))
    return Dataset("texts", Modality.TEXT, ids, made, frame, {"kind": "label"})


def test_figures_come_back_as_they_were_kept():
    x = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    found = compress(x, "euclidean", k=3, labels=[*"ab" * 29, None, None])
    assert found.refused, "a product code needs more items"
    assert result_of(json.loads(json.dumps(told_of(found)))).__dict__ == found.__dict__


def test_members_are_compressed_kept_and_found_again(start):
    runner = start()
    workspace = Workspace.create(runner)
    data = workspace.add_dataset(texts())
    members = (Member("lsa", {"dim": 6}, name="LSA"), Member("tfidf", name="TF-IDF"))
    recipe = Recipe(data.id, members, k=5, noise=False)
    id = runner.wait(workspace.compare(recipe).id, 120).result["comparison"]
    task = CompressTask(id, ("LSA", "TF-IDF"), "kind", 5)
    assert task_from_json(task.to_json()) == task
    assert workspace.compressed(id, "LSA", "kind", 5) is None

    job = runner.wait(workspace.compress_run(task).id, 120)
    assert job.state == "done", job.message
    assert job.result["comparing"] is True, "the run that is shown must stay"
    assert workspace.compressions(id) == [task]
    for name in task.members:
        found = workspace.compressed(id, name, "kind", 5)
        stored = workspace.comparison(id).comparison
        labels = [str(v) for v in texts().columns["kind"]]
        place = stored.names.index(name)
        matrix, metric = stored.items.matrices[place], stored.items.metrics[place]
        fresh = compress(matrix, metric, k=5, labels=labels)
        assert [row.label for row in found.rows] == [row.label for row in fresh.rows]
        # Threads may change the last digits, so that at most some equal neighbours change places.
        np.testing.assert_allclose(
            [row.recall.mean for row in found.rows],
            [row.recall.mean for row in fresh.rows],
            atol=0.02,
        )
        assert found.rows[0].task.mean == 1.0
        assert found.chance_task == 0.5
    # The same question has its answer already; another one has none.
    assert workspace.compressed(id, "LSA", "kind", 4) is None
    assert workspace.compressed(id, "LSA", None, 5) is None

    named = runner.wait(workspace.compress_run(CompressTask(id, ("LSA",), "name", 5)).id, 60)
    assert named.state == "done", named.message
    refused = workspace.compressed(id, "LSA", "name", 5)
    assert "All 40 labels are different" in refused.no_task
    assert refused.rows[0].task is None

    with pytest.raises(ParameterError, match=r"no embedding 'BERT'.*LSA, TF-IDF"):
        workspace.compress_run(CompressTask(id, ("BERT",)))
    with pytest.raises(ParameterError, match=r"\[1, 39\].*k = 40"):
        workspace.compress_run(CompressTask(id, ("LSA",), None, 40))
    with pytest.raises(WorkspaceError, match="no such comparison"):
        Workspace.create(runner).compressed(id, "LSA", "kind", 5)
