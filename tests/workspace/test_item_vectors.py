"""No item is embedded twice: not in a longer dataset, not after a cancel, not after a crash."""

from __future__ import annotations

import numpy as np
import pytest
from job_waiting import ended, wait_for
from toy_tasks import ToyEmbedder

from core.modality import Modality
from ingest.dataset import Dataset
from workspace.catalog import Catalog
from workspace.item_vectors import StoredItems, _blocks
from workspace.store import Store
from workspace.workspace import Workspace


def _texts(n: int) -> Dataset:
    items = [f"{'x' * (i % 7 + 1)} {'y' * (i % 5 + 1)} {i:05d}" for i in range(n)]
    return Dataset("texts", Modality.TEXT, tuple(f"t{i}" for i in range(n)), items)


@pytest.fixture
def tally(tmp_path, monkeypatch):
    path = tmp_path / "tally"
    path.touch()
    monkeypatch.setenv("TOY_TALLY", str(path))
    return lambda: sum(int(line) for line in path.read_text().split())


def _embed(workspace, dataset, **params):
    info = workspace.add_dataset(dataset)
    job = ended(workspace, workspace.embed(info.id, "toy", params, layout=None))
    assert job.state == "done", job.message
    return workspace.run(job.result["run"]), workspace.vectors(job.result["run"])


def test_of_a_longer_dataset_only_the_new_rows_are_embedded(start, tally):
    workspace = Workspace.create(start())
    short, _ = _embed(workspace, _texts(100))
    assert tally() == 100
    longer, vectors = _embed(workspace, _texts(110))
    assert tally() == 110
    assert not any("before" in note for note in short.provenance["notes"])
    note = next(note for note in longer.provenance["notes"] if "before" in note)
    assert note.startswith("100 of 110 different items had been embedded before")
    expected = [[len(word) for word in text.split()] for text in _texts(110).items]
    np.testing.assert_array_equal(vectors.matrix, np.array(expected, np.float32))


def test_with_other_settings_every_item_is_embedded_anew(start, tally):
    workspace = Workspace.create(start())
    _embed(workspace, _texts(20))
    _, vectors = _embed(workspace, _texts(20), dim=2)
    assert tally() == 40
    assert vectors.dim == 2


def test_rows_in_another_order_get_their_own_vectors(start, tally):
    workspace = Workspace.create(start())
    _embed(workspace, _texts(30))
    turned = _texts(30).subset(np.arange(29, -1, -1))
    _, vectors = _embed(workspace, turned)
    assert tally() == 30
    expected = [[len(word) for word in text.split()] for text in turned.items]
    np.testing.assert_array_equal(vectors.matrix, np.array(expected, np.float32))


def test_a_cancelled_job_goes_on_where_it_was(start, tally, home):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_texts(600))
    slow = {"delay_ms": 200}
    job = workspace.embed(info.id, "toy", slow, layout=None)
    wait_for(lambda: tally() >= 128)
    workspace.cancel(job.id)
    ended(workspace, job)
    before = tally()
    assert before < 600
    again = ended(workspace, workspace.embed(info.id, "toy", slow, layout=None))
    assert again.state == "done"
    # The block that was being made when the process was stopped is made again.
    assert 600 <= tally() <= 600 + 64
    assert not list((home / "unfinished").glob("*"))


def test_of_blocks_of_unequal_vectors_one_length_is_taken(tmp_path):
    store = Store(tmp_path)
    items = StoredItems(store, Catalog(tmp_path / "catalog.sqlite"), ToyEmbedder(), "run")
    keys = np.arange(1, 65, dtype=np.uint8).reshape(4, 16)
    items.keep(keys[:2], np.ones((2, 3), np.float32))
    items.keep(keys[2:], np.ones((2, 4), np.float32))
    rows, vectors = items.find(keys)
    assert (rows.tolist(), vectors.shape) == ([0, 1], (2, 3))


def test_what_a_removed_dataset_held_is_embedded_again(start, tally):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_texts(20))
    ended(workspace, workspace.embed(info.id, "toy", layout=None))
    workspace.remove_dataset(info.id)
    _embed(workspace, _texts(25))
    assert tally() == 45


def test_a_block_that_was_cut_off_is_left_out_and_the_rest_kept(tmp_path):
    file = tmp_path / "run.blocks"
    keys = np.arange(64, dtype=np.uint8).reshape(4, 16)
    with file.open("ab") as stream:
        for part in (slice(0, 2), slice(2, 4)):
            np.save(stream, keys[part])
            np.save(stream, np.ones((2, 3), np.float32))
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    (found,) = _blocks(file)
    np.testing.assert_array_equal(found[0], keys[:2])
    assert file.stat().st_size == len(whole) // 2
