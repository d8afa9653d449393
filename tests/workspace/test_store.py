"""What is kept comes back equal, whole or not at all, from many writers and failing disks."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from core.errors import WorkspaceError
from core.modality import Modality
from ingest.dataset import Dataset, Dropped, Edges
from vectors.keyed import KeyedVectors
from workspace.linking import link_dataset
from workspace.store import Store

TOLD = {"name": "toys"}


@pytest.fixture
def store(home) -> Store:
    return Store(home)


def _texts(n: int = 4) -> Dataset:
    columns = pd.DataFrame(
        {
            "label": pd.Categorical(["a", "b"] * (n // 2)),
            "score": np.arange(n) / 3,
            "day": pd.date_range("2026-01-01", periods=n),
            "mixed": [1, "two", None, 4.5][:n] * (n // 4),
        }
    )
    return Dataset(
        name="toys",
        modality=Modality.TEXT,
        ids=tuple(f"t{i}" for i in range(n)),
        items=[f"text {i} é \U0001f600" for i in range(n)],
        columns=columns,
        roles={"label": "label", "score": "numeric"},
    )


def _datasets() -> list[Dataset]:
    ids = ("a", "b", "c")
    table = pd.DataFrame({"x": [1.0, np.nan, 3.0], "c": pd.Categorical(["u", "v", "u"])})
    edges = Edges(
        np.array([0, 1], np.int32), np.array([1, 2], np.int32), np.array([1, 2], np.float32), True
    )
    return [
        _texts(),
        Dataset("t", Modality.TABLE, ids, table, table, {"x": "numeric"}),
        Dataset("i", Modality.IMAGE, ids, [b"one", b"two", b"one"]),
        Dataset("v", Modality.VECTORS, ids, np.arange(6, dtype=np.float32).reshape(3, 2)),
        Dataset("g", Modality.GRAPH, ids, None, edges=edges),
    ]


@pytest.mark.parametrize("dataset", _datasets(), ids=lambda dataset: str(dataset.modality))
def test_dataset_comes_back_with_content_and_identity(store, dataset):
    id = store.save_dataset(dataset)
    back = Store(store.root).dataset(id, TOLD)
    assert back is not None
    assert back.fingerprint == dataset.fingerprint
    assert (back.ids, back.modality, back.name) == (dataset.ids, dataset.modality, "toys")
    assert dict(back.roles) == dict(dataset.roles)
    assert list(back.columns) == list(dataset.columns)
    if isinstance(dataset.items, pd.DataFrame):
        pd.testing.assert_frame_equal(back.items, dataset.items)
    elif isinstance(dataset.items, np.ndarray):
        np.testing.assert_array_equal(back.items, dataset.items)
    elif dataset.items is not None:
        assert list(back.items) == list(dataset.items)
    if dataset.edges is not None:
        assert back.edges is not None
        assert back.edges.directed
        np.testing.assert_array_equal(back.edges.weight, dataset.edges.weight)


def test_column_types_survive_and_mixed_ones_become_texts(store):
    back = store.dataset(store.save_dataset(_texts()), TOLD)
    assert back is not None
    assert back.columns["day"].dtype.kind == "M"
    assert back.columns["score"].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    mixed = back.columns["mixed"]
    assert mixed[[0, 1, 3]].tolist() == ["1", "two", "4.5"]
    assert pd.isna(mixed[2])


def test_name_notes_and_dropped_rows_belong_to_whoever_loaded_them(start):
    runner = start()
    first = _texts()
    second = Dataset(
        **{
            **{name: getattr(first, name) for name in ("modality", "ids", "items", "columns")},
            "name": "other",
            "roles": first.roles,
            "dropped": (Dropped("row 7", "empty text"),),
            "n_dropped": 1,
            "notes": ("read as cp1252",),
        }
    )
    a = link_dataset(runner.store, runner.catalog, "a", first)
    b = link_dataset(runner.store, runner.catalog, "b", second)
    assert a.id == b.id
    told = runner.catalog.told("a", a.id)
    assert runner.store.dataset(a.id, told).dropped == ()
    back = runner.store.dataset(b.id, runner.catalog.told("b", b.id))
    assert (back.name, back.n_dropped, back.notes) == ("other", 1, ("read as cp1252",))
    assert back.dropped == (Dropped("row 7", "empty text"),)


def _vectors() -> KeyedVectors:
    return KeyedVectors(
        ["1", "1", "ü"],
        np.arange(9).reshape(3, 3),
        kinds=["word", "document", "word"],
        metric="dot",
        provenance={"n": np.int64(3), "notes": ["cut"]},
    )


def test_vectors_come_back_memory_mapped_with_keys_of_two_kinds(store):
    meta = store.save_vectors("r1", _vectors())
    assert meta["kinds"] == {"word": 2, "document": 1}
    back = store.vectors("r1")
    assert back is not None
    assert (back.keys, back.kinds.tolist()) == (("1", "1", "ü"), ["word", "document", "word"])
    assert (back.metric, back.provenance["n"]) == ("dot", 3)
    np.testing.assert_array_equal(back.matrix, _vectors().matrix)
    base = back.matrix
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


@pytest.mark.parametrize("damage", ["truncate", "zero", "delete", "meta"])
def test_damaged_entry_reads_as_missing_and_can_be_written_again(store, damage):
    store.save_vectors("r1", _vectors())
    folder = store.entries.path("vectors", "r1")
    matrix = folder / "matrix.npy"
    if damage == "truncate":
        matrix.write_bytes(matrix.read_bytes()[:-1])
    elif damage == "zero":
        matrix.write_bytes(bytes(matrix.stat().st_size))
    elif damage == "delete":
        matrix.unlink()
    else:
        (folder / "meta.json").write_text("{")
    assert store.vectors("r1") is None
    assert store.vectors_meta("r1") is None
    store.save_vectors("r1", _vectors())
    np.testing.assert_array_equal(store.vectors("r1").matrix, _vectors().matrix)


def test_state_holds_plain_arrays_only(store):
    store.save_state("r1", {"any / name": np.array(["ä"]), "n": np.array(3)})
    back = store.state("r1")
    assert back is not None
    assert back["any / name"].tolist() == ["ä"]
    with pytest.raises(WorkspaceError, match="never kept"):
        store.save_state("r2", {"objects": np.array([{}])})


def test_writers_at_the_same_time_leave_one_whole_entry(store):
    threads = [threading.Thread(target=store.save_vectors, args=("r1", _vectors())) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.vectors("r1") is not None
    assert list((store.root / "tmp").glob("*")) == []


def test_writer_killed_half_way_leaves_nothing_that_can_be_read(store):
    code = (
        "import os, signal, sys; from pathlib import Path; from workspace.store import Store\n"
        "def fill(folder):\n"
        "    (folder / 'matrix.npy').write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
        "Store(Path(sys.argv[1])).entries.write('vectors', 'r1', fill)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.root)], check=False)
    assert done.returncode < 0
    assert store.vectors("r1") is None
    store.save_vectors("r1", _vectors())
    assert store.vectors("r1") is not None


def test_full_disk_is_told_in_a_sentence_and_leaves_no_scraps(store, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(WorkspaceError, match="disk is full") as caught:
        store.save_vectors("r1", _vectors())
    assert str(store.root) not in str(caught.value)
    assert list((store.root / "tmp").glob("*")) == []


def test_home_that_cannot_be_used_is_told_in_a_sentence(tmp_path):
    from workspace.catalog import Catalog

    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(WorkspaceError, match="EMBEDSCOPE_HOME"):
        Catalog(tmp_path / "file" / "catalog.sqlite")
    with pytest.raises(WorkspaceError, match="could not be saved"):
        Store(tmp_path / "file").save_vectors("r1", _vectors())


def test_ids_cannot_name_paths(store):
    for id in ("../../etc", "a/b", "", "a.b"):
        with pytest.raises(WorkspaceError):
            store.vectors(id)


def test_removing_a_dataset_keeps_images_that_another_one_shows(store):
    one = store.save_dataset(Dataset("i", Modality.IMAGE, ("a", "b"), [b"one", b"two"]))
    two = store.save_dataset(Dataset("i", Modality.IMAGE, ("a", "b"), [b"two", b"three"]))
    store.remove_dataset(one)
    assert store.dataset(one, TOLD) is None
    assert list(store.dataset(two, TOLD).items) == [b"two", b"three"]
    assert len([p for p in store.images.glob("??/*") if p.is_file()]) == 2
