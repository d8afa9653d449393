"""The suite that every registered method passes."""

from __future__ import annotations

import builtins
import dataclasses
import functools
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_datasets import make_texts, small, small_for, small_pairs

from core.errors import (
    Cancelled,
    EmbedscopeError,
    ModalityMismatch,
    NotFittedError,
    ParameterError,
    QueryError,
    UnknownEmbedder,
)
from core.modality import METRICS, Modality
from embedders import EMBEDDERS, get_embedder, list_embedders
from embedders.base import ItemEmbedder
from tests.conftest import shared_data
from vectors.keyed import KeyedVectors

ROOT = Path(__file__).resolve().parents[2]
QUICK = {
    "tfidf": {"min_df": 1},
    "lsa": {"dim": 4, "min_df": 1},
    "lda": {"n_topics": 3, "min_df": 1, "max_df": 1.0, "epochs": 3},
    "pca": {"dim": 3},
    "word2vec": {"dim": 8, "min_count": 1, "epochs": 2},
    "glove": {"dim": 8, "min_count": 1, "epochs": 5},
    "swivel": {"dim": 8, "min_count": 1, "epochs": 9},
    "fasttext": {"dim": 8, "min_count": 1, "epochs": 2},
    "doc2vec": {"dim": 8, "min_count": 1, "epochs": 2},
    "lookup": {"vectors": str(Path(__file__).with_name("small_words.vec"))},
    "node2vec": {"dim": 8, "walks": 3, "walk_length": 10, "epochs": 1},
    "deepwalk": {"dim": 8, "walks": 3, "walk_length": 10, "epochs": 1},
    "netmf": {"dim": 20},
    "spectral": {"dim": 20},
    "earlier": {"run": str(Path(__file__).with_name("small_towers.safetensors"))},
    "two_towers": {"start": "scratch", "new_layers": 1, "new_width": 16, "dim": 8, "epochs": 1},
    "user_item_towers": {"dim": 8, "epochs": 2, "baselines": False},
    "own_image_network": {"size": "small", "side": "28", "epochs": 1},
}
"""Settings that make a method quick on 24 items; what is not listed runs with its defaults."""
OTHER = {
    "tfidf": {"min_df": 2},
    "lsa": {"dim": 3, "min_df": 1},
    "lda": {"n_topics": 4, "min_df": 1, "max_df": 1.0, "epochs": 3},
    "pca": {"dim": 2},
    "word2vec": {"dim": 9, "min_count": 1, "epochs": 2},
    "glove": {"dim": 9, "min_count": 1, "epochs": 5},
    "swivel": {"dim": 9, "min_count": 1, "epochs": 9},
    "fasttext": {"dim": 9, "min_count": 1, "epochs": 2},
    "doc2vec": {"dim": 9, "min_count": 1, "epochs": 2},
    "static_bert": {"dim": 64},
    "lookup": {"documents": "mean"},
    "node2vec": {"dim": 9, "walks": 3, "walk_length": 10, "epochs": 1},
    "deepwalk": {"dim": 9, "walks": 3, "walk_length": 10, "epochs": 1},
    "netmf": {"dim": 19},
    "spectral": {"dim": 19},
    "earlier": {"run": str(Path(__file__).with_name("small_pca.safetensors"))},
    "two_towers": {"start": "scratch", "new_layers": 0, "new_width": 16, "dim": 8, "epochs": 1},
    "user_item_towers": {"dim": 9, "epochs": 2, "baselines": False},
    "bert": {"pooling": "max"},
    "vectors": {"centre": True},
    "api": {"model": "another"},
    "clip": {"template": "a photo of {}"},
    "colour_histogram": {"grid": 2},
    "hog": {"cells": 4},
    "image_features": {"normalise": True},
    "own_image_network": {"size": "small", "side": "32", "epochs": 1},
    "pixels": {"side": 8},
}

NO_REPEATS = {Modality.GRAPH, Modality.INTERACTIONS, Modality.PAIRS}
"""Bare nodes, users and items have no content that could repeat; a side holds a thing once."""

INPUTS = {"earlier": {Modality.TEXT, Modality.IMAGE, Modality.PAIRS}}
"""What the model that is applied takes; other kinds of data are in test_earlier_model.py."""

every = pytest.mark.parametrize("cls", EMBEDDERS, ids=lambda c: c.id)
every_input = pytest.mark.parametrize(
    ("cls", "modality"),
    [(c, m) for c in EMBEDDERS for m in sorted(INPUTS.get(c.id, c.accepts))],
    ids=lambda v: getattr(v, "id", v),
)
every_item_input = pytest.mark.parametrize(
    ("cls", "modality"),
    [(c, m) for c in EMBEDDERS if issubclass(c, ItemEmbedder) for m in sorted(c.accepts)],
    ids=str,
)


def quick(cls, seed=0, **params):
    return get_embedder(cls.id, seed=seed, **{**QUICK.get(cls.id, {}), **params})


@functools.cache
def trained(cls, modality):
    """Return a method fitted on its small data, and the vectors; for tests that change neither."""
    data = small_for(cls, modality)
    embedder = quick(cls, seed=5).fit(data)
    return embedder, embedder.vectors(data)


def query_for(dataset, i):
    """Return the item of row ``i`` as a user would hand it over; in a graph, the node's id."""
    if dataset.modality in {Modality.GRAPH, Modality.INTERACTIONS}:
        return dataset.ids[i]
    if dataset.modality is Modality.TABLE:
        return dataset.items.iloc[i].to_dict()
    return dataset.items[i]


def ranks_first(vectors: KeyedVectors, query, row):
    """Tell whether no vector is more similar to ``query`` than that of ``row``."""
    m = vectors.matrix.astype(np.float64)
    q = query.astype(np.float64)
    if vectors.metric == "euclidean":
        score = -((m - q) ** 2).sum(1)
    else:
        score = m @ q
        if vectors.metric == "cosine":
            score /= np.linalg.norm(m, axis=1) * np.linalg.norm(q) + 1e-12
    return score[row] >= score.max() - 1e-5


class Log:
    """A progress that keeps its calls and can cancel."""

    def __init__(self, cancel_at=None):
        self.calls, self.cancel_at = [], cancel_at
        self.trainings, self.expected = [], {}

    def trained(self, training):
        self.trainings.append(training)

    def expect(self, stages):
        self.expected = dict(stages)

    def __call__(self, done, total, stage="", note=""):
        self.calls.append((done, total, stage))
        if self.cancel_at is not None and len(self.calls) >= self.cancel_at:
            raise Cancelled


@every
def test_a_method_tells_what_it_is(cls):
    assert cls.id.isidentifier()
    assert cls.title
    assert cls.summary.endswith(".")
    assert len(cls.summary) <= 120
    assert cls.source
    assert cls.metric in METRICS
    assert cls.accepts
    assert cls.queries or cls.accepts <= {Modality.GRAPH, Modality.INTERACTIONS}
    assert cls.availability(quick(cls).params).state == "ready"
    at_first = cls.availability(cls.params_class())
    assert at_first.state == "ready" or at_first.hint.endswith(".")


@every
def test_every_setting_explains_itself_simple_ones_first(cls):
    specs = list(cls.params_class.specs().values())
    advanced = [spec.advanced for spec in specs]
    assert advanced == sorted(advanced)
    for spec in specs:
        assert spec.help.endswith((".", ")."))
        assert len(spec.help) > 20
        assert not spec.labels or len(spec.labels) == len(spec.options)


@every
def test_a_default_that_stands_for_something_else_says_for_what(cls):
    words = re.compile(r"\b0(:| takes| chooses| for (as|a fitting|the model|0\.)| keeps all)")
    for name, spec in cls.params_class.specs().items():
        if spec.kind in {"integer", "real"} and spec.default == spec.low == 0:
            assert bool(spec.automatic) == bool(words.search(spec.help)), name
        elif spec.automatic:
            assert spec.default in {-1, ""}, name


@every
def test_a_value_out_of_range_is_refused(cls):
    for name, spec in cls.params_class.specs().items():
        with pytest.raises(ParameterError, match=name):
            get_embedder(cls.id, **{name: spec.invalid_value()})


@every
def test_an_unknown_setting_is_refused(cls):
    with pytest.raises(ParameterError, match="no_such_setting"):
        get_embedder(cls.id, no_such_setting=1)


@every_input
def test_vectors_are_finite_float32_and_aligned_with_the_ids(cls, modality):
    data = small_for(cls, modality)
    _, vectors = trained(cls, modality)
    assert vectors.keys[: len(data)] == data.ids
    assert vectors.matrix.dtype == np.float32
    assert vectors.matrix.shape == (len(vectors.keys), vectors.dim)
    assert np.isfinite(vectors.matrix).all()
    assert len(np.unique(vectors.matrix[: len(data)].round(5), axis=0)) > len(data) // 2
    sides = data.sides.kinds(len(data)) if data.sides else [vectors.kinds[0]] * len(data)
    assert vectors.kinds[: len(data)].tolist() == sides


@pytest.mark.parametrize("cls", list_embedders(Modality.TEXT), ids=lambda c: c.id)
def test_a_method_has_vectors_of_words_where_it_says_so(cls):
    data = small(Modality.TEXT)
    vectors = quick(cls, **dict(cls.words_with or ())).fit(data).vectors(data)
    assert ("word" in vectors.kind_names) == (cls.words_with is not None)


@every_input
def test_provenance_says_how_the_vectors_came_about(cls, modality):
    data = small_for(cls, modality)
    embedder, vectors = trained(cls, modality)
    about = vectors.provenance
    assert about["method"] == cls.id
    assert about["params"] == embedder.params.to_dict()
    assert about["seed"] == 5
    assert about["n_items"] == len(data)
    assert all(isinstance(note, str) and note.endswith(".") for note in about["notes"])


@every_input
def test_same_seed_gives_the_same_bytes(cls, modality):
    data = small_for(cls, modality)
    again = quick(cls, seed=5).fit(data).vectors(data)
    assert again.matrix.tobytes() == trained(cls, modality)[1].matrix.tobytes()


@every_input
def test_another_seed_changes_stochastic_methods_only(cls, modality):
    data = small_for(cls, modality)
    other = quick(cls, seed=2).fit(data).vectors(data)
    same = other.matrix.tobytes() == trained(cls, modality)[1].matrix.tobytes()
    assert same != cls.stochastic


@every
def test_the_constructor_reads_nothing(cls, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a file was opened")

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    loaded = set(sys.modules)
    quick(cls)
    assert set(sys.modules) == loaded


@every
def test_queries_and_vectors_need_a_fit(cls):
    data = small_for(cls, sorted(cls.accepts)[0])
    with pytest.raises(NotFittedError, match="fit"):
        quick(cls).embed_query(query_for(data, 0))
    with pytest.raises(NotFittedError, match="fit"):
        quick(cls).vectors(data)


@every_input
def test_progress_never_falls_and_reaches_its_total(cls, modality):
    data, log = small_for(cls, modality), Log()
    embedder = quick(cls)
    about = embedder.fit(data, log).vectors(data, log).provenance
    assert log.calls
    stages = {}
    for done, total, stage in log.calls:
        assert 0 <= done <= total
        assert stages.get(stage, (0, total)) <= (done, total)
        stages[stage] = (done, total)
    assert all(done == total for done, total in stages.values()), stages
    is_of_this = about.get("losses") and cls.id != "earlier"
    assert bool(log.trainings) == bool(is_of_this)
    if not log.trainings:
        return
    first = [told for told in log.trainings if told["stage"] == log.trainings[0]["stage"]]
    assert [len(told["losses"]) for told in first] == list(range(1, len(first) + 1))
    awaited = log.expected or embedder.fit_stages
    assert set(awaited) & set(stages), "the bar would wait for a stage that never comes"
    if about.get("held_out"):
        values = [told for told in log.trainings if told["held_out"]][-1]["held_out"]["values"]
        assert values == about["held_out"]["values"]


@every_input
def test_cancel_stops_at_the_call_that_asks_for_it(cls, modality):
    data, log = small_for(cls, modality), Log()
    quick(cls).fit(data, log).vectors(data, log)
    for cancel_at in {1, (len(log.calls) + 1) // 2, len(log.calls)}:
        cut = Log(cancel_at)
        with pytest.raises(Cancelled):
            quick(cls).fit(data, cut).vectors(data, cut)
        assert len(cut.calls) == cancel_at


@every_input
def test_an_item_asked_for_is_its_own_nearest(cls, modality):
    data = small_for(cls, modality)
    embedder, vectors = trained(cls, modality)
    for row in (0, 7, len(data) - 1):
        items = vectors.of_kind(str(vectors.kinds[row]))
        query = embedder.embed_query(query_for(data, row))
        assert query.shape == (vectors.dim,)
        assert query.dtype == np.float32
        assert ranks_first(items, query, items.position(data.ids[row]))


@every_item_input
def test_an_item_method_gives_a_query_the_vector_of_the_item(cls, modality):
    data = small_for(cls, modality)
    embedder, vectors = trained(cls, modality)
    np.testing.assert_allclose(
        embedder.embed_query(query_for(data, 5)), vectors.matrix[5], atol=2e-5, rtol=1e-4
    )


class Remembered:
    """Known items in memory: two that are known from the start, and what is made."""

    def __init__(self, keys, vectors):
        self.keys, self.vectors = keys, vectors
        self.made = 0

    def find(self, keys):
        rows = [row for row, key in enumerate(keys) if (self.keys == key).all(1).any()]
        places = [int((self.keys == keys[row]).all(1).argmax()) for row in rows]
        return np.array(rows, np.int64), self.vectors[places]

    def keep(self, keys, vectors):
        assert len(keys) == len(vectors)
        self.made += len(keys)

    def complete(self, keys, rows):
        self.all_keys, self.rows = keys, rows


@every_item_input
def test_items_that_are_known_are_not_embedded_again(cls, modality):
    data = small_for(cls, modality)
    embedder, _ = trained(cls, modality)
    first = Remembered(np.empty((0, 16), np.uint8), np.empty((0, 1), np.float32))
    whole = embedder.vectors(data, known=first)
    assert first.made == len(first.all_keys) == whole.provenance["n_unique"]
    if not first.all_keys.any():
        pytest.skip("this method cannot tell its items apart")
    places = [0, len(first.rows) // 2]
    rows = first.rows[places]
    marked = whole.matrix[rows] + 1
    again = Remembered(first.all_keys[places], marked)
    vectors = embedder.vectors(data, known=again)
    np.testing.assert_array_equal(vectors.matrix[rows], marked)
    assert again.made == first.made - 2
    others = ~(first.all_keys == again.keys[:, None]).all(2).any(0)
    rest = first.rows[others]
    np.testing.assert_allclose(vectors.matrix[rest], whole.matrix[rest], atol=2e-5)


def test_known_vectors_of_another_length_are_left_out():
    data = small(Modality.IMAGE)
    embedder = get_embedder("colour_histogram").fit(data)
    first = Remembered(np.empty((0, 16), np.uint8), np.empty((0, 1), np.float32))
    whole = embedder.vectors(data, known=first)
    other = Remembered(first.all_keys[:2], np.ones((2, whole.dim + 1), np.float32))
    vectors = embedder.vectors(data, known=other)
    np.testing.assert_array_equal(vectors.matrix, whole.matrix)
    assert len(other.all_keys) == len(first.all_keys)


@every_input
def test_a_query_of_a_wrong_type_is_refused_in_one_sentence(cls, modality):
    embedder, _ = trained(cls, modality)
    for wrong in (3.5, None, object()):
        with pytest.raises(QueryError, match="takes"):
            embedder.embed_query(wrong)


@every_input
def test_a_restored_state_answers_queries_alike(cls, modality):
    data = small_for(cls, modality)
    embedder, vectors = trained(cls, modality)
    state = embedder.state()
    assert all(isinstance(a, np.ndarray) and not a.dtype.hasobject for a in state.values())
    again = quick(cls, seed=5).restore(state)
    assert again.is_fitted
    query = query_for(data, 4)
    assert again.embed_query(query).tobytes() == embedder.embed_query(query).tobytes()
    assert again.vectors(data).matrix.tobytes() == vectors.matrix.tobytes()


@every
def test_other_kinds_of_data_are_refused(cls):
    for modality in set(Modality) - cls.accepts:
        with pytest.raises(ModalityMismatch, match=cls.title):
            quick(cls).fit(small(modality))


@pytest.mark.parametrize("cls", list_embedders(Modality.PAIRS), ids=lambda c: c.id)
def test_pairs_need_a_method_for_both_sides(cls):
    sides = [Modality.TEXT, Modality.IMAGE]
    for left, right in itertools.product(sides, sides):
        data = small_pairs(left, right)
        if cls.takes(Modality.PAIRS, (left, right)):
            assert list(quick(cls).fit(data).vectors(data).kinds) == list(data.columns["side"])
        else:
            with pytest.raises(ModalityMismatch, match=f"{left} and {right}"):
                quick(cls).fit(data)


@every
def test_the_fingerprint_changes_with_each_input_and_with_nothing_else(cls, monkeypatch):
    data = small_for(cls, sorted(cls.accepts)[0])
    base = quick(cls).fingerprint(data)
    assert quick(cls).fingerprint(dataclasses.replace(data, name="renamed")) == base
    assert quick(cls).fit(data).fingerprint(data) == base
    other_data = data.subset(np.arange(len(data)) > 0)
    assert quick(cls).fingerprint(other_data) != base
    assert quick(cls, **OTHER.get(cls.id, {})).fingerprint(data) != base
    assert (quick(cls, seed=9).fingerprint(data) != base) == cls.stochastic
    monkeypatch.setattr(cls, "version", cls.version + 1)
    assert quick(cls).fingerprint(data) != base


@every_input
def test_one_item_gives_a_vector_or_one_clear_sentence(cls, modality):
    data = small_for(cls, modality).subset([0])
    result_or_sentence(cls, data)


@pytest.mark.parametrize(
    ("cls", "modality"),
    [(c, m) for c in EMBEDDERS for m in sorted(c.accepts - NO_REPEATS)],
    ids=lambda v: getattr(v, "id", v),
)
def test_the_same_item_many_times_gives_equal_vectors_or_one_sentence(cls, modality):
    data = repeated(small_for(cls, modality), [0, 1, 2, 0, 0])
    vectors = result_or_sentence(cls, data)
    if vectors is not None:
        assert vectors.matrix[0].tobytes() == vectors.matrix[3].tobytes()


@pytest.mark.parametrize("cls", list_embedders(Modality.TEXT), ids=lambda c: c.id)
@pytest.mark.parametrize(
    "items",
    [
        [" ", "", "\t"],
        ["…", "!!!", "—"],
        ["", "a word", "another word", "a word again"],
        ["हिन्दी भाषा", "東京タワー 東京", "naïve café", "😀 😀", "עברית שפה", "a\x00b \ud83d"],
        ["x" * 5_000, "word " * 3_000, "word two"],
    ],
    ids=["blank", "punctuation", "one empty", "unicode", "long"],
)
def test_odd_texts_give_vectors_or_one_clear_sentence(cls, items):
    result_or_sentence(cls, make_texts(items))


@pytest.mark.parametrize("cls", list_embedders(Modality.TEXT), ids=lambda c: c.id)
def test_hostile_strings_all_get_a_finite_vector(cls):
    path = shared_data("naughty_strings") / "blns_half.json"
    items = json.loads(path.read_text(encoding="utf-8"))
    assert len(items) > 200
    data = make_texts(items)
    vectors = quick(cls).fit(data).vectors(data)
    assert vectors.keys[: len(data)] == data.ids


def repeated(data, rows):
    """Return a dataset of the given rows, some of them more than once, with new ids."""
    ids = tuple(f"copy{i}" for i in range(len(rows)))
    if modality_is_frame := data.modality is Modality.TABLE:
        items = data.items.iloc[rows].reset_index(drop=True)
    elif isinstance(data.items, np.ndarray):
        items = data.items[rows]
    else:
        items = [data.items[i] for i in rows]
    columns = items if modality_is_frame else data.columns.iloc[rows].reset_index(drop=True)
    return dataclasses.replace(data, ids=ids, items=items, columns=columns)


def result_or_sentence(cls, data):
    """Return the vectors, or None after checking that the refusal reads well."""
    try:
        vectors = quick(cls).fit(data).vectors(data)
    except EmbedscopeError as error:
        text = str(error)
        assert text.endswith(".")
        assert len(text) < 400
        assert "Traceback" not in text
        return None
    assert vectors.keys[: len(data)] == data.ids
    assert np.isfinite(vectors.matrix).all()
    return vectors


def test_an_unknown_id_lists_those_that_exist():
    with pytest.raises(UnknownEmbedder, match="tfidf") as caught:
        get_embedder("tfdif")
    assert all(cls.id in str(caught.value) for cls in EMBEDDERS)
    assert "Did you mean 'tfidf'" in str(caught.value)


def test_methods_are_listed_by_what_they_take():
    assert list_embedders() == EMBEDDERS
    assert len({cls.id for cls in EMBEDDERS}) == len(EMBEDDERS)
    for modality in Modality:
        assert all(modality in cls.accepts for cls in list_embedders(modality))


def test_a_seed_must_be_a_whole_number():
    for seed in (-1, 1.5, True, 2**32):
        with pytest.raises(ParameterError, match="seed"):
            get_embedder("tfidf", seed=seed)


def test_importing_the_methods_loads_no_heavy_library():
    heavy = "torch transformers sentence_transformers gensim umap sklearn numba scipy"
    code = f"import sys, embedders; print(*sorted(set({heavy!r}.split()) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
