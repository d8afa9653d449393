"""From a dataset to vectors, graph and layouts; equal work once; no look into other workspaces."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from job_waiting import ended, wait_for
from toy_tasks import ToyTask

from core.errors import (
    ModalityMismatch,
    ParameterError,
    QueryError,
    TooLarge,
    UnknownEmbedder,
    WorkspaceError,
)
from core.modality import Modality
from ingest.dataset import Dataset
from projection import get_projection
from projection.umap_layout import PRESETS
from workspace.identity import GRAPH_K
from workspace.tasks import LayoutSpec
from workspace.workspace import Workspace

PCA = LayoutSpec(method="pca")


def _dataset(n: int = 40, name: str = "words") -> Dataset:
    rng = np.random.default_rng(0)
    items = [" ".join("x" * k for k in rng.integers(1, 9, 3)) + f" {i:05d}" for i in range(n)]
    return Dataset(
        name,
        Modality.TEXT,
        tuple(f"t{i}" for i in range(n)),
        items,
        pd.DataFrame({"group": ["a", "b"] * (n // 2)}),
        {"group": "label"},
    )


@pytest.fixture
def tally(tmp_path, monkeypatch):
    """Return how many items the toy method embedded so far, in all processes."""
    path = tmp_path / "tally"
    path.touch()
    monkeypatch.setenv("TOY_TALLY", str(path))
    return lambda: sum(int(line) for line in path.read_text().split())


def test_embedding_leaves_vectors_graph_and_two_layouts(start, tally):
    workspace = Workspace.create(start())
    dataset = _dataset()
    info = workspace.add_dataset(dataset)
    assert (info.n, info.label, info.modality) == (40, "group", Modality.TEXT)
    job = workspace.embed(info.id, "toy", {"dim": 4}, layout=LayoutSpec())
    predicted = job.result["run"]
    job = ended(workspace, job)
    assert (job.state, job.message) == ("done", "")
    (run,) = workspace.runs(info.id)
    assert run.id == predicted
    assert (run.n, run.dim, run.title, run.seed) == (40, 4, "Toy lengths", 0)
    vectors = workspace.vectors(run.id)
    expected = [[len(word) for word in text.split()] for text in dataset.items]
    np.testing.assert_array_equal(vectors.matrix, np.array(expected, np.float32))
    graph = workspace.graph(run.id, "document")
    assert graph is not None
    assert graph.ids.shape == (40, 39)
    first, second = workspace.layouts(run.id)
    assert (first.method, second.method) == ("pca", "umap")
    assert job.result["layouts"] == [first.id, second.id]
    assert job.result["layout"] == second.id
    layout = workspace.layout(second.id)
    assert layout.coordinates.shape == (40, 2)
    assert layout.quality is not None
    assert workspace.layout(first.id).quality is not None
    assert set(job.result["qualities"]) == {first.id, second.id}
    assert tally() == 40


def test_nothing_is_encoded_twice_when_only_the_layout_changes(start, tally):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_dataset())
    run = ended(workspace, workspace.embed(info.id, "toy", layout=PCA)).result["run"]
    again = ended(workspace, workspace.embed(info.id, "toy", layout=LayoutSpec("pca", 3)))
    flat = ended(workspace, workspace.project(run, LayoutSpec("pca", 3)))
    assert (again.state, flat.state) == ("done", "done")
    assert again.result["layout"] == flat.result["layout"]
    assert [each.n_components for each in workspace.layouts(run)] == [2, 3]
    assert tally() == 40


def test_layout_with_its_defaults_written_out_is_found_instead_of_drawn_again(start):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_dataset())
    run = ended(workspace, workspace.embed(info.id, "toy", layout=LayoutSpec("tsne"))).result["run"]
    written = get_projection("tsne").params_class().to_dict()
    assert written
    ended(workspace, workspace.project(run, LayoutSpec("tsne", params=written)))
    ended(workspace, workspace.project(run, LayoutSpec("pca", seed=7)))
    layouts = workspace.layouts(run)
    assert [(each.method, each.seed) for each in layouts] == [("pca", 0), ("tsne", 0)]
    assert layouts[1].params == written
    with pytest.raises(ParameterError):
        workspace.project(run, LayoutSpec("tsne", params={"perplexitty": 3}))
    with pytest.raises(ParameterError):
        workspace.embed(info.id, "toy", layout=LayoutSpec("no such"))


def test_graph_serves_every_preset_of_umap():
    assert max(neighbours for neighbours, *_ in PRESETS.values()) - 1 <= GRAPH_K


def test_two_users_share_the_work_but_see_only_their_own(start, tally):
    runner = start(workers=2)
    ann, ben = Workspace.create(runner), Workspace.create(runner)
    for_ann, for_ben = ann.add_dataset(_dataset()), ben.add_dataset(_dataset(name="mine"))
    jobs = [
        w.embed(i.id, "toy", {"delay_ms": 300}, layout=PCA)
        for w, i in ((ann, for_ann), (ben, for_ben))
    ]
    jobs = [ended(runner, job) for job in jobs]
    assert [job.state for job in jobs] == ["done", "done"]
    assert tally() == 40
    assert (ann.datasets()[0].name, ben.datasets()[0].name) == ("words", "mine")
    ann.remove_dataset(for_ann.id)
    assert ann.runs() == []
    assert len(ben.vectors(jobs[1].result["run"])) == 40


def test_workspace_opens_nothing_that_was_not_given_to_it(start):
    runner = start()
    ann, eve = Workspace.create(runner), Workspace.create(runner)
    info = ann.add_dataset(_dataset())
    job = ended(ann, ann.embed(info.id, "toy", layout=PCA))
    run, layout = job.result["run"], job.result["layout"]
    attempts = [
        lambda: eve.dataset(info.id),
        lambda: eve.rename_dataset(info.id, "x"),
        lambda: eve.remove_dataset(info.id),
        lambda: eve.embed(info.id, "toy"),
        lambda: eve.run(run),
        lambda: eve.vectors(run),
        lambda: eve.graph(run, "document"),
        lambda: eve.layout(layout),
        lambda: eve.project(run, PCA),
        lambda: eve.embed_query(run, "a b"),
        lambda: eve.job(job.id),
        lambda: eve.cancel(job.id),
        lambda: eve.restart(job.id),
        lambda: eve.preview(job.id),
        lambda: eve.dismiss(job.id),
        lambda: Workspace.open(runner, "guess"),
    ]
    for attempt in attempts:
        with pytest.raises(WorkspaceError):
            attempt()
    assert (eve.datasets(), eve.runs(), eve.layouts(run), eve.jobs()) == ([], [], [], [])
    assert len(ann.id) >= 22


def test_removing_the_last_copy_deletes_the_files(start, home):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_dataset())
    ended(workspace, workspace.embed(info.id, "toy", layout=PCA))
    workspace.remove_dataset(info.id)
    for kind in ("datasets", "vectors", "states", "graphs", "layouts"):
        assert list((home / kind).glob("??/*")) == [], kind


def test_dataset_loaded_again_while_another_user_removes_it_is_whole(start, monkeypatch):
    runner = start()
    ann, ben = Workspace.create(runner), Workspace.create(runner)
    info = ann.add_dataset(_dataset())
    save, saved, removed = runner.store.save_dataset, threading.Event(), threading.Event()

    def slow(dataset):
        id = save(dataset)
        saved.set()
        removed.wait(0.5)  # the removal comes between keeping and linking, if it can
        return id

    monkeypatch.setattr(runner.store, "save_dataset", slow)
    adding = threading.Thread(target=ben.add_dataset, args=(_dataset(),))
    adding.start()
    saved.wait(5)
    ann.remove_dataset(info.id)
    removed.set()
    adding.join()
    assert len(ben.dataset(info.id)) == 40


def test_job_of_a_dataset_that_was_removed_ends_with_a_sentence_and_no_scraps(start, home):
    runner = start()
    workspace = Workspace.create(runner)
    info = workspace.add_dataset(_dataset())
    job = workspace.embed(info.id, "toy", {"delay_ms": 1_500}, layout=None)
    wait_for(lambda: workspace.job(job.id).stage == "embedding")
    runner.catalog.unlink_dataset(workspace.id, info.id)  # as another server does
    job = ended(workspace, job)
    assert job.state == "failed"
    assert "no longer in the workspace" in job.message
    assert workspace.runs() == []
    for kind in ("vectors", "states"):
        assert list((home / kind).glob("??/*")) == [], kind


def test_layout_of_a_run_that_was_removed_is_not_linked(start):
    runner = start()
    workspace = Workspace.create(runner)
    info = workspace.add_dataset(_dataset())
    ended(workspace, workspace.embed(info.id, "toy", layout=PCA))
    (run,) = workspace.runs()
    (layout,) = workspace.layouts(run.id)
    workspace.remove_dataset(info.id)
    with pytest.raises(WorkspaceError, match="no longer in the workspace"):
        runner.catalog.link_layout(workspace.id, layout)
    assert runner.catalog.known_layout(layout.id) is None


def test_jobs_that_need_the_users_eye_stay_until_dismissed_across_servers(start):
    runner = start()
    workspace, other = Workspace.create(runner), Workspace.create(runner)
    for each in (workspace, other):
        runner.submit(each.id, ToyTask("refuse"))
    info = workspace.add_dataset(_dataset())
    done = ended(workspace, workspace.embed(info.id, "toy", layout=None))
    first, second = (ended(workspace, runner.submit(workspace.id, ToyTask("refuse"))) for _ in "12")
    busy = runner.submit(workspace.id, ToyTask("count", seconds=30))
    stopped = workspace.cancel(runner.submit(workspace.id, ToyTask("print")).id)
    (oldest,) = [job for job in workspace.jobs() if job.created < done.created]
    ids = [job.id for job in workspace.open_jobs()]
    assert ids == [busy.id, second.id, first.id, oldest.id]
    assert stopped.state == "cancelled"
    workspace.dismiss(second.id)
    workspace.dismiss(oldest.id)
    workspace.dismiss(busy.id)  # it runs: there is nothing to dismiss yet
    assert [job.id for job in workspace.open_jobs()] == [busy.id, first.id]
    assert len(other.open_jobs()) == 1
    runner.shutdown()
    later = Workspace.open(start(), workspace.id)
    assert [(job.id, job.state) for job in later.open_jobs()] == [
        (busy.id, "interrupted"),
        (first.id, "failed"),
    ]
    ended(later, later.restart(second.id))
    assert second.id in [job.id for job in later.open_jobs()]
    assert len(later.jobs()) == 6


def test_large_dataset_shows_a_first_picture_and_encodes_nothing_twice(start, tally):
    workspace = Workspace.create(start())
    dataset = _dataset(2_400)
    info = workspace.add_dataset(dataset)
    job = workspace.embed(info.id, "toy", {"delay_ms": 40}, layout=PCA)
    seen = wait_for(lambda: workspace.preview(job.id))
    assert not workspace.runs()
    assert (len(seen.rows), seen.of, seen.coordinates.shape) == (1_000, 2_400, (1_000, 2))
    later = wait_for(
        lambda: (j := workspace.job(job.id)).result.get("preview") and j.done > 1_000 and j
    )
    assert later.total == 2_400
    job = ended(workspace, job)
    assert job.state == "done"
    vectors = workspace.vectors(job.result["run"])
    np.testing.assert_array_equal(vectors.matrix[seen.rows], seen.matrix)
    expected = [[len(word) for word in text.split()][:3] for text in dataset.items]
    np.testing.assert_array_equal(vectors.matrix, np.array(expected, np.float32))
    assert tally() == 2_400


def test_damaged_vectors_are_told_and_made_again(start, home):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_dataset())
    run = ended(workspace, workspace.embed(info.id, "toy", layout=PCA)).result["run"]
    (matrix,) = (home / "vectors").glob("*/*/matrix.npy")
    matrix.write_bytes(b"")
    with pytest.raises(WorkspaceError, match="missing or damaged"):
        workspace.vectors(run)
    ended(workspace, workspace.embed(info.id, "toy", layout=PCA))
    assert len(workspace.vectors(run)) == 40


def test_finished_parts_survive_a_killed_server(start, home, tally):
    code = (
        "import sys, time; from pathlib import Path; import toy_tasks; toy_tasks.register()\n"
        "from test_workspace import _dataset\n"
        "from workspace.runner import JobRunner; from workspace.settings import Settings\n"
        "from workspace.workspace import Workspace\n"
        "r = JobRunner(Settings(home=Path(sys.argv[1]), warm_up=False, spare_workers=0))\n"
        "w = Workspace.create(r); d = w.add_dataset(_dataset())\n"
        "a = w.embed(d.id, 'toy', layout=None)\n"
        "while r.job(a.id).active: time.sleep(0.02)\n"
        "b = w.embed(d.id, 'toy', {'delay_ms': 9000})\n"
        "while r.job(b.id).state != 'running': time.sleep(0.02)\n"
        "print(w.id, d.id, a.result['run'], b.id, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        id, dataset, run, job = server.stdout.readline().split()
        server.send_signal(signal.SIGKILL)
    workspace = Workspace.open(start(), id)
    assert [each.id for each in workspace.runs(dataset)] == [run]
    assert len(workspace.vectors(run)) == 40
    assert workspace.job(job).state == "interrupted"
    assert workspace.restart(job).active
    workspace.cancel(job)


def test_query_is_embedded_while_a_job_runs(start):
    runner = start()
    workspace = Workspace.create(runner)
    info = workspace.add_dataset(_dataset())
    run = ended(workspace, workspace.embed(info.id, "toy", layout=None)).result["run"]
    busy = workspace.embed(info.id, "toy", {"delay_ms": 5_000})
    wait_for(lambda: workspace.job(busy.id).state == "running")
    np.testing.assert_array_equal(workspace.embed_query(run, "aa b cccc"), [2, 1, 4])
    workspace.prepare_queries(run)  # nothing is waited for, and nothing else held up
    both = workspace.embed_queries(run, ["a b c", "aa b cccc"])
    np.testing.assert_array_equal(both, [[1, 1, 1], [2, 1, 4]])
    assert workspace.job(busy.id).active
    workspace.cancel(busy.id)


def test_query_process_that_dies_is_started_again_and_told(start):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_dataset())
    run = ended(workspace, workspace.embed(info.id, "toy", layout=None)).result["run"]
    with pytest.raises(QueryError, match="ended twice"):
        workspace.embed_query(run, "die")
    assert workspace.embed_query(run, "a b c").tolist() == [1, 1, 1]


def test_query_that_takes_too_long_is_told_and_does_not_block_the_next(start):
    workspace = Workspace.create(start(query_timeout_s=8))
    info = workspace.add_dataset(_dataset())
    run = ended(workspace, workspace.embed(info.id, "toy", layout=None)).result["run"]
    workspace.embed_query(run, "a")
    with pytest.raises(QueryError, match="within 8 seconds"):
        workspace.embed_query(run, "sleep")
    assert workspace.embed_query(run, "a b c").tolist() == [1, 1, 1]


def test_upload_is_read_in_a_worker_and_its_file_removed(start, home):
    workspace = Workspace.create(start())
    data = b"text,group\n" + b"".join(
        b"some words %d,%s\n" % (i, b"ab"[i % 2 :][:1]) for i in range(9)
    )
    job = ended(workspace, workspace.read_upload(("my file.csv", data), text="text", label="group"))
    assert job.state == "done", job.message
    dataset = workspace.dataset(job.result["dataset"])
    assert (len(dataset), dataset.label) == (9, "group")
    assert list((home / "uploads").glob("*")) == []


def test_upload_above_the_limit_is_refused_before_it_is_kept(start, home):
    workspace = Workspace.create(start(max_upload_mb=1))
    with pytest.raises(TooLarge, match="at most 1 MB"):
        workspace.read_upload(("big.csv", bytes(1_100_000)))
    assert list((home / "uploads").glob("*")) == []


def test_what_cannot_be_is_refused_at_once(start):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_dataset())
    table = pd.DataFrame({"x": [1.0, 2.0]})
    other = workspace.add_dataset(Dataset("t", Modality.TABLE, ("a", "b"), table, table))
    with pytest.raises(UnknownEmbedder):
        workspace.embed(info.id, "toi")
    with pytest.raises(ParameterError):
        workspace.embed(info.id, "toy", {"dim": 1})
    with pytest.raises(ModalityMismatch):
        workspace.embed(other.id, "toy")
    with pytest.raises(ParameterError):
        workspace.rename_dataset(info.id, "  ")
    assert workspace.rename_dataset(info.id, " new ").name == "new"
    assert workspace.jobs() == []


def test_same_dataset_added_again_stays_one_and_keeps_its_runs(start):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_dataset())
    ended(workspace, workspace.embed(info.id, "toy", layout=None))
    workspace.rename_dataset(info.id, "mine")
    again = workspace.add_dataset(_dataset(name="words (2)"))
    assert (again.id, again.name, again.created) == (info.id, "mine", info.created)
    workspace.add_dataset(_dataset(), name="ours")
    assert [each.name for each in workspace.datasets()] == ["ours"]
    assert len(workspace.runs(info.id)) == 1


def test_full_disk_during_a_job_fails_it_with_a_sentence(start, home):
    workspace = Workspace.create(start())
    info = workspace.add_dataset(_dataset())
    (home / "vectors").write_text("in the way")
    job = ended(workspace, workspace.embed(info.id, "toy", layout=None))
    assert job.state == "failed"
    assert "could not be saved" in job.message
    assert str(home) not in job.message
    os.unlink(home / "vectors")
    assert ended(workspace, workspace.restart(job.id)).state == "done"
