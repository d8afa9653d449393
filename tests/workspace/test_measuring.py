"""From a comparison to the results of a task, through a worker."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from comparison.bm25 import BM25_NAME
from comparison.compare import compare
from core.errors import ParameterError, WorkspaceError
from core.modality import Modality
from core.progress import quiet
from ingest import read_dataset
from ingest.dataset import Dataset, Edges
from ingest.linking import n_rated_as_no_pair
from ingest.paired_items import PairedItems
from ingest.samples import load_sample
from ingest.sides import Sides
from ingest.source import Source
from vectors.keyed import KeyedVectors
from workspace.measured_tasks import MEASURES, Asked
from workspace.recipes import Member, Recipe
from workspace.store import Store
from workspace.stored_comparison import ComparisonInfo, StoredComparison, compared_vectors
from workspace.workspace import Workspace

TEXTS = (Member("tfidf", name="TF-IDF"), Member("lsa", {"dim": 6}, name="LSA"))
NODES = (
    Member("spectral", {"dim": 4}, name="Spectral"),
    Member("netmf", {"dim": 8}, name="NetMF"),
)
WORDS = ["apple pear plum fruit", "wolf bear fox beast", "rain snow hail storm"]
CLASSES = ("fruit", "animal", "weather")


def texts() -> Dataset:
    """Return 60 texts of three topics, each topic in words of its own, four at a time."""
    rng = np.random.default_rng(0)
    topic = np.arange(60) % 3
    made = [" ".join(rng.permutation(f"{WORDS[t]} {i}word".split())) for i, t in enumerate(topic)]
    frame = pd.DataFrame({"topic": [CLASSES[t] for t in topic]})
    ids = tuple(f"d{i}" for i in range(60))
    return Dataset("texts", Modality.TEXT, ids, made, frame, {"topic": "label"})


def compared(runner, data, members):
    workspace = Workspace.create(runner)
    info = workspace.add_dataset(data)
    job = runner.wait(workspace.compare(Recipe(info.id, members, k=5, noise=False)).id, 120)
    assert job.state == "done", job.message
    return workspace, job.result["comparison"]


def measured(runner, workspace, id, asked, settings=None, files=None):
    job = runner.wait(workspace.measure(id, asked, settings, files).id, 120)
    assert job.state == "done", job.message
    assert job.result["comparing"] is True, "the run that is shown must stay"
    found = workspace.measured(id, asked, settings, files)
    assert job.result["finding"] == workspace.measurements(id, asked)[0].id
    return {result.measure: result for result in found}


def test_tasks_of_texts_are_measured_kept_found_again_or_refused(start):
    runner = start()
    workspace, id = compared(runner, texts(), TEXTS)
    chosen = {"column": "topic", "k": 3}
    assert workspace.measured(id, "label-knn", chosen) is None

    found = measured(runner, workspace, id, "label-knn", chosen)
    assert found["kNN label accuracy"]["LSA"].value == 1.0
    assert found["kNN label accuracy"].chance == pytest.approx(1 / 3)
    assert workspace.measured(id, "label-knn", {"column": "topic", "k": 4}) is None

    # Queries "fruit", "beast", "storm" 8 times each, told apart by a word that no text holds.
    lines = [f"q{i}\t{WORDS[i % 3].split()[3]} only{i}" for i in range(24)]
    queries = ("queries.tsv", "\n".join(["id\ttext", *lines]).encode())
    answers = [f"{i + 1} 0 d{j} 1" for i in range(24) for j in range(60) if i % 3 == j % 3]
    files = {"queries": queries, "judgements": ("qrels.txt", "\n".join(answers).encode())}
    search = measured(runner, workspace, id, "retrieval", {"k": 10}, files)
    assert set(search) == {"nDCG@10", "recall@10", "MRR", "MAP", "hit@10"}
    ndcg = search["nDCG@10"]
    assert list(ndcg.scores) == ["TF-IDF", "LSA", BM25_NAME]
    assert ndcg.baselines == (BM25_NAME,)
    assert (ndcg["TF-IDF"].value, ndcg[BM25_NAME].value, ndcg.n) == (1.0, 1.0, 24)
    assert search["recall@10"]["LSA"].value == pytest.approx(10 / 20)
    assert "by their numbers 1 to 24" in ndcg.warning

    for n, other in enumerate(("label-clusters", "label-probe", "label-few-shot"), start=2):
        results = measured(runner, workspace, id, other, {"column": "topic"})
        assert all(r["LSA"].value == 1.0 for r in results.values()), other
        assert len(workspace.measurements(id)) == n + 1

    stranger = Workspace.create(runner)
    with pytest.raises(WorkspaceError, match="no such comparison"):
        stranger.measured(id, "label-knn", chosen)
    with pytest.raises(WorkspaceError, match="no such comparison"):
        stranger.finding(id, workspace.measurements(id)[0].id)
    assert workspace.finding(id, "f0") is None

    # What cannot be measured is said, most of it at once.
    with pytest.raises(ParameterError, match="no setting 'depth'"):
        workspace.measure(id, "label-knn", {"depth": 3})
    with pytest.raises(ParameterError, match="no task 'magic'"):
        workspace.measure(id, "magic")
    with pytest.raises(ParameterError, match="takes no file"):
        workspace.measure(id, "label-knn", {"column": "topic"}, {"pairs": ("p", b"a b 1")})
    with pytest.raises(ParameterError, match="cannot be 'ten'"):
        workspace.measure(id, "label-knn", {"k": "ten"})
    job = runner.wait(workspace.measure(id, "retrieval", {"queries": "items"}).id, 60)
    assert job.state == "failed"
    assert "needs a file" in job.message


def test_links_of_a_graph_with_edges_held_out(start):
    runner = start()
    workspace, id = compared(runner, load_sample("karate"), NODES)
    found = measured(runner, workspace, id, "graph-links")
    assert found["reconstruction AUC"]["NetMF"].value > 0.7
    assert found["edge recall at the node's degree"]["Spectral"].value > 0.3
    new = [f"member {a},member {b}" for a in range(5, 12) for b in range(20, 26)]
    held_out = {"held out": ("new.csv", "\n".join(["source,target", *new]).encode())}
    foreseen = measured(runner, workspace, id, "graph-links", {}, held_out)["link AUC"]
    assert foreseen.n == len(new)
    assert foreseen["NetMF"].value < 0.7, "there are none such"


def pairs() -> Dataset:
    """Return 24 queries, each with the text of its topic that shares its own word, rated 2 or 1."""
    topic = np.arange(24) % 3
    asked = [f"{WORDS[t].split()[0]} {i}word" for i, t in enumerate(topic)]
    found = [f"{WORDS[t]} {i}word" for i, t in enumerate(topic)]
    place = np.arange(24, dtype=np.int32)
    weight = (1 + (place < 12)).astype(np.float32)
    sides = Sides(("query", "document"), (Modality.TEXT, Modality.TEXT), 24)
    ids = (*(f"q{i}" for i in range(24)), *(f"d{i}" for i in range(24)))
    frame = pd.DataFrame({"side": sides.kinds(48)})
    edges = Edges(place, place + np.int32(24), weight, True)
    items = PairedItems(asked, found)
    return Dataset("pairs", Modality.PAIRS, ids, items, frame, {"side": "label"}, edges, sides)


def asked_of_pairs(home, settings=None, files=None):
    """Return pairs in two spaces: in one both sides agree, in the other nothing does."""
    data, store = pairs(), Store(home)
    rng = np.random.default_rng(0)
    own = rng.normal(size=(24, 8))
    for run, matrix in (("r1", np.vstack([own, own])), ("r2", rng.normal(size=(48, 8)))):
        store.save_vectors(run, KeyedVectors(data.ids, matrix, kinds=data.sides.kinds(48)))
    recipe = Recipe("d", (Member("bert", name="same"), Member("bert", name="noise")))
    info = ComparisonInfo("c", recipe, ("r1", "r2"), 24, (0, 0), 1.0, 0.0)
    vectors = compared_vectors(info, store)
    first = {name: v.of_kind("query") for name, v in vectors.items()}
    stored = StoredComparison(info, compare(first, k=5), {}, {})
    context = SimpleNamespace(store=store, progress=quiet)
    given = {role: Source(name, data=content) for role, (name, content) in (files or {}).items()}
    return Asked(stored, data, settings or {}, given, context)


def test_pairs_are_queries_with_their_answers(home):
    found = {r.measure: r for r in MEASURES["retrieval"](asked_of_pairs(home, {"k": 1}))}
    assert found["nDCG@1"]["same"].value == 1.0
    assert found["nDCG@1"]["noise"].value < 0.3
    assert found["nDCG@1"][BM25_NAME].value == 1.0
    assert found["nDCG@1"].settings["documents"] == 24
    assert found["recall@1"].chance == pytest.approx(1 / 24)


def test_rated_pairs_come_from_the_data_or_from_a_file(home):
    asked = asked_of_pairs(home)
    assert {r.n for r in MEASURES["pairs"](asked)} == {24}
    # Sentences rated as not at all alike are no pair of the data: what is missing is told.
    table = "sentence1,sentence2,score\n" + "".join(
        f"this is number {i},that is number {i},{i % 5}\n" for i in range(1_300)
    )
    rated = read_dataset(Source("rated.csv", data=table.encode()), kind="pairs")
    assert n_rated_as_no_pair(rated.notes) == 260
    told = replace(asked, dataset=replace(asked.dataset, notes=rated.notes))
    assert all(sum(r.left_out.values()) == 260 for r in MEASURES["pairs"](told))
    lines = [f"q{i}\td{i}\t5" for i in range(12)]
    lines += [f"q{i}\td{(i + 1) % 24}\t0" for i in range(12)]
    file = {"pairs": ("rated.tsv", "\n".join([*lines, "q0\tnobody\t1"]).encode())}
    spearman, _ = MEASURES["pairs"](asked_of_pairs(home, files=file))
    assert spearman["same"].value > 0.8
    assert abs(spearman["noise"].value) < 0.5
    assert sum(spearman.left_out.values()) == 1
