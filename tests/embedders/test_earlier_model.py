"""A fitted model on other data, and as a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_datasets import make_texts, small, small_pairs

from core.errors import ModalityMismatch, NotFittedError, ParameterError, UnreadableSource
from core.modality import Modality
from embedders import EMBEDDERS, get_embedder
from embedders.saved_model import load_model, read_model, save_model

HERE = Path(__file__).parent
NEW = make_texts(["a loan from the bank", "the coach of the team", "zork"], name="new texts")
LEARNERS = {
    "lsa": {"dim": 4, "min_df": 1},
    "tfidf": {"min_df": 1},
    "lda": {"n_topics": 3, "min_df": 1, "max_df": 1.0, "epochs": 3},
    "word2vec": {"dim": 8, "min_count": 1, "epochs": 2},
    "doc2vec": {"dim": 8, "min_count": 1, "epochs": 2},
    "lookup": {"vectors": str(HERE / "small_words.vec")},
}


def applied(model, trained_on=""):
    embedder = get_embedder("earlier", run="r" + 24 * "a")
    embedder.supply_model("run", model, trained_on)
    return embedder


@pytest.mark.parametrize("method", LEARNERS)
def test_new_texts_get_the_vectors_that_the_fitted_model_gives(method, tmp_path):
    data = small(Modality.TEXT)
    model = get_embedder(method, seed=2, **LEARNERS[method]).fit(data)
    expected = model.vectors(NEW)
    save_model(model, tmp_path / "m.safetensors", trained_on="small texts")
    from_file = get_embedder("earlier", run=str(tmp_path / "m.safetensors")).fit(NEW)
    for embedder in (applied(model).fit(NEW), from_file):
        found = embedder.vectors(NEW)
        assert found.keys == expected.keys
        assert found.matrix.tobytes() == expected.matrix.tobytes()
        assert found.metric == expected.metric
        query = "loan and credit"
        np.testing.assert_array_equal(embedder.embed_query(query), model.embed_query(query))
        assert embedder.trace(query).tokens
    note = from_file.vectors(NEW).provenance["notes"][0]
    assert note == f"The model is {model.title}, fitted on small texts; nothing was trained here."


def test_a_model_of_tables_is_applied_to_rows_it_has_not_seen(tmp_path):
    data = small(Modality.TABLE)
    first, rest = data.subset(range(12)), data.subset(range(12, 24))
    model = get_embedder("pca", dim=2).fit(first)
    found = applied(model, "first half").fit(rest).vectors(rest)
    assert found.matrix.tobytes() == model.vectors(rest).matrix.tobytes()
    assert get_embedder("pca", dim=2).fit(rest).vectors(rest).matrix.tobytes() != (
        found.matrix.tobytes()
    )


def test_the_model_survives_its_run():
    data = small_pairs(Modality.TEXT, Modality.TEXT)
    settings = {"start": "scratch", "new_layers": 0, "new_width": 16, "epochs": 2}
    model = get_embedder("two_towers", **settings).fit(data)
    embedder = applied(model, "pairs").fit(NEW)
    again = get_embedder("earlier", run="r" + 24 * "a").restore(embedder.state())
    assert again.vectors(NEW).matrix.tobytes() == embedder.vectors(NEW).matrix.tobytes()
    about = again.vectors(NEW).provenance
    assert about["model_of"]["method"] == "two_towers"
    assert about["model_of"]["trained_on"] == "pairs"
    assert "losses" not in about  # nothing was trained here


COUNTED_HERE = {  # the same sentence on the first texts as on the new ones
    "two_towers": ({"start": "scratch", "new_layers": 0, "new_width": 16, "epochs": 1}, "longer"),
    "bert": ({}, "longer"),
    "clip": ({}, "longer"),
    "tfidf": ({"min_df": 1}, "no kept term"),
    "lsa": ({"dim": 2, "min_df": 1}, "no kept term"),
    "word2vec": ({"dim": 8, "min_count": 1, "epochs": 1}, "their vectors are zero"),
    "doc2vec": ({"dim": 8, "min_count": 1, "epochs": 1}, "no word that was learnt"),
}


@pytest.mark.parametrize("method", COUNTED_HERE)
def test_what_was_counted_on_these_data_is_not_said_of_the_earlier_ones(method):
    settings, words = COUNTED_HERE[method]
    first, new = (make_texts(["one cat", "two dogs", "..."], name=name) for name in ("old", "new"))
    model = get_embedder(method, **settings).fit(first)
    own = tuple(model.vectors(first).provenance["notes"])
    (counted,) = [note for note in own if words in note]
    model.run_notes = own
    notes = applied(model, "old").fit(new).vectors(new).provenance["notes"]
    assert counted in notes
    others = set(own) - {counted}
    assert {f"From its own run, on old: {note}" for note in others} <= set(notes)
    model.run_notes = ()  # a model of a file
    notes = applied(model, "old").fit(new).vectors(new).provenance["notes"]
    assert notes[1] == counted


def test_a_model_that_was_applied_is_applied_further():
    model = get_embedder("lsa", dim=4, min_df=1).fit(small(Modality.TEXT))
    once = applied(model, "small texts").fit(NEW)
    twice = applied(once, "new texts").fit(NEW)
    about = twice.vectors(NEW).provenance["model_of"]
    assert (about["method"], about["trained_on"]) == ("lsa", "small texts")


def test_a_method_without_vectors_for_new_items_is_refused():
    graph = get_embedder("spectral", dim=5).fit(small(Modality.GRAPH))
    given = get_embedder("vectors").fit(small(Modality.VECTORS))
    for model in (graph, given):
        with pytest.raises(ModalityMismatch, match="only for the items it was fitted on"):
            applied(model).fit(NEW)


def test_every_method_says_whether_its_model_takes_new_items():
    fixed = {cls.id for cls in EMBEDDERS if not cls.transfers}
    assert {"node2vec", "deepwalk", "netmf", "spectral", "vectors"} <= fixed
    assert not fixed & {"lsa", "word2vec", "glove", "bert", "two_towers", "pca", "earlier"}


def test_data_of_another_kind_are_refused():
    model = get_embedder("lsa", dim=4, min_df=1).fit(small(Modality.TEXT))
    with pytest.raises(ModalityMismatch, match="takes text data, but rows is table data"):
        applied(model).fit(small(Modality.TABLE))


def test_no_run_or_one_that_is_gone_is_told():
    with pytest.raises(ParameterError, match="No earlier run is chosen"):
        get_embedder("earlier").fit(NEW)
    with pytest.raises(ParameterError, match="may have been removed"):
        get_embedder("earlier", run="r" + 24 * "b").fit(NEW)
    with pytest.raises(ParameterError, match=r"no model 'none\.safetensors'"):
        get_embedder("earlier", run="/nowhere/none.safetensors").fingerprint(NEW)
    with pytest.raises(ParameterError, match="no earlier run as 'x'"):
        get_embedder("lsa").supply_model("x", get_embedder("lsa"), "")


def test_a_file_counts_by_its_content(tmp_path):
    model = get_embedder("pca", dim=3).fit(small(Modality.TABLE))
    for name in ("a", "b"):
        save_model(model, tmp_path / name)
    a, b = (get_embedder("earlier", run=str(tmp_path / n)).fingerprint(NEW) for n in "ab")
    assert a == b
    save_model(get_embedder("pca", dim=2).fit(small(Modality.TABLE)), tmp_path / "b")
    assert get_embedder("earlier", run=str(tmp_path / "b")).fingerprint(NEW) != a


def test_a_saved_model_knows_method_settings_seed_and_data(tmp_path):
    model = get_embedder("word2vec", seed=7, dim=8, min_count=1, epochs=2)
    with pytest.raises(NotFittedError, match="fit"):
        save_model(model, tmp_path / "m")
    save_model(model.fit(small(Modality.TEXT)), tmp_path / "m", trained_on="größe \u2713")
    saved = read_model(tmp_path / "m")
    assert saved.trained_on == "größe \u2713"
    assert (saved.embedder.id, saved.embedder.seed) == ("word2vec", 7)
    assert saved.embedder.params == model.params


def test_what_is_no_saved_model_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "m.safetensors"
    good = (HERE / "small_pca.safetensors").read_bytes()
    for data in (b"", b"not a model", good[: len(good) // 2], good[:40] + b"\xff" * 80):
        path.write_bytes(data)
        with pytest.raises(UnreadableSource, match=r"m\.safetensors is no model"):
            load_model(path)
    with pytest.raises(UnreadableSource, match="no model"):
        load_model(tmp_path / "missing")


def test_a_model_of_another_version_or_without_a_part_is_refused(tmp_path, monkeypatch):
    from safetensors.numpy import load, save_file

    from embedders.two_towers import TwoTowers

    path = tmp_path / "m.safetensors"
    source = HERE / "small_towers.safetensors"
    from safetensors import safe_open

    with safe_open(str(source), framework="numpy") as file:
        about = file.metadata()
    arrays = load(source.read_bytes())
    assert json.loads(about["embedscope"])["id"] == "two_towers"
    del arrays["right.head.weight"]
    save_file(arrays, path, about)
    with pytest.raises(UnreadableSource, match="lacks a part"):
        load_model(path)
    monkeypatch.setattr(TwoTowers, "version", TwoTowers.version + 1)
    with pytest.raises(UnreadableSource, match="whose vectors differ"):
        load_model(source)
