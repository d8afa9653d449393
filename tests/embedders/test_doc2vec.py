"""What doc2vec vectors mean."""

from __future__ import annotations

import numpy as np
import pytest
from small_datasets import FINANCE, SPORT, make_texts, small

from core.errors import Cancelled, DatasetError, UnknownKey
from core.modality import Modality
from embedders import get_embedder

ARCHITECTURES = ["dbow and words", "dbow", "dm"]


def topics(n=200):
    """Return texts of 12 words each, every other one on money or on sport."""
    rng = np.random.default_rng(0)
    pools = ([*FINANCE, "today", "the"], [*SPORT, "today", "the"])
    return make_texts([" ".join(rng.choice(pools[i % 2], 12)) for i in range(n)])


def near(matrix, query):
    """Return the rows of ``matrix``, nearest to ``query`` first."""
    return np.argsort(-(matrix @ query) / np.linalg.norm(matrix, axis=1))


@pytest.mark.parametrize("training", ["negative sampling", "hierarchical softmax"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_texts_on_one_topic_lie_together(architecture, training):
    data = topics()
    embedder = get_embedder(
        "doc2vec",
        dim=20,
        epochs=40,
        # PV-DM guesses from the words around too, which here leave nothing for the text to tell.
        sample=1e-3 if architecture == "dm" else 0.0,
        architecture=architecture,
        training=training,
    ).fit(data)
    matrix = embedder.vectors(data).of_kind("document").matrix
    for row in range(10):
        neighbours = near(matrix, matrix[row])[1:11]
        assert (neighbours % 2 == row % 2).mean() >= 0.9
    losses = embedder.vectors(data).provenance["losses"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_new_text_is_placed_among_its_like(architecture):
    data = topics()
    embedder = get_embedder(
        "doc2vec",
        dim=20,
        epochs=40,
        sample=1e-3 if architecture == "dm" else 0.0,
        architecture=architecture,
    ).fit(data)
    matrix = embedder.vectors(data).of_kind("document").matrix
    for query, side in (("credit loan bank rate money", 0), ("coach goal team player match", 1)):
        rows = near(matrix, embedder.embed_query(query))[:10]
        assert (rows % 2 == side).all()


def test_the_inferred_vector_of_a_training_text_finds_that_text():
    rng = np.random.default_rng(1)
    words = [f"word{i}" for i in range(400)]
    data = make_texts([" ".join(rng.choice(words, 40)) for _ in range(60)])
    embedder = get_embedder("doc2vec", dim=40, epochs=60, min_count=1).fit(data)
    matrix = embedder.vectors(data).of_kind("document").matrix
    # One word more makes the text a new one, which is inferred and not looked up.
    found = [near(matrix, embedder.embed_query(t + " word0"))[0] for t in data.items]
    assert (np.array(found) == np.arange(60)).mean() >= 0.95


def test_a_training_text_keeps_its_trained_vector_however_it_is_written():
    data = topics(40)
    embedder = get_embedder("doc2vec", dim=8, epochs=3).fit(data)
    row = embedder.vectors(data).matrix[5]
    assert embedder.embed_query(data.items[5]).tobytes() == row.tobytes()
    assert embedder.embed_query(data.items[5].upper() + ", zebras!").tobytes() == row.tobytes()


def test_a_new_text_has_one_vector_whatever_was_asked_before():
    data = topics(40)
    embedder = get_embedder("doc2vec", dim=8, epochs=3).fit(data)
    first = embedder.embed_query("bank team today")
    embedder.embed_query("coach player")
    again = get_embedder("doc2vec", dim=8, epochs=3).restore(embedder.state())
    for vector in (
        embedder.embed_query("bank team today"),
        again.embed_query("bank team today"),
        embedder.vectors(make_texts(["coach", "bank team today"])).matrix[1],
    ):
        assert vector.tobytes() == first.tobytes()
    assert embedder.embed_query("team bank today").tobytes() != first.tobytes()


def test_inferring_leaves_the_trained_weights_alone():
    data = topics(40)
    embedder = get_embedder("doc2vec", dim=8, epochs=3, architecture="dm").fit(data)
    before = {name: array.copy() for name, array in embedder.state().items()}
    embedder.embed_query("bank team today")
    for name, array in embedder.state().items():
        assert array.tobytes() == before[name].tobytes()


def test_new_datasets_are_inferred_and_that_is_said():
    embedder = get_embedder("doc2vec", dim=8, epochs=3).fit(topics(40))
    new = make_texts(["bank loan", "xyzzy", topics(40).items[0]])
    vectors = embedder.vectors(new)
    assert vectors.keys[:3] == new.ids
    assert not vectors.matrix[1].any()
    notes = " ".join(vectors.provenance["notes"])
    assert "1 distinct texts were not there in training" in notes
    assert "1 of 3 texts hold no word that was learnt" in notes


def test_words_have_vectors_where_they_are_trained():
    data = topics(40)
    for architecture, has_words in (("dbow and words", True), ("dm", True), ("dbow", False)):
        embedder = get_embedder("doc2vec", dim=8, epochs=3, architecture=architecture)
        vectors = embedder.fit(data).vectors(data)
        assert ("word" in vectors.kind_names) == has_words
        assert vectors.keys[:40] == data.ids


def test_equal_texts_share_a_vector_and_are_counted():
    data = make_texts(["bank loan rate", "Bank, loan: rate!", "goal team coach", "goal team"])
    vectors = get_embedder("doc2vec", dim=4, min_count=1, epochs=2).fit(data).vectors(data)
    assert vectors.matrix[0].tobytes() == vectors.matrix[1].tobytes()
    assert "1 texts have the words of an earlier one" in " ".join(vectors.provenance["notes"])


def test_all_pieces_of_a_long_text_are_read():
    text = " ".join(["left right"] * 5_500 + ["up down"] * 500)
    data = make_texts([text, "left up"])
    embedder = get_embedder("doc2vec", dim=8, epochs=5, sample=0.0, min_count=1).fit(data)
    words = embedder.vectors(data).of_kind("word")
    # Untrained vectors have components within 1 / dim.
    assert np.abs(words["up"]).max() > 1 / 8
    assert np.isfinite(embedder.embed_query(text + " left")).all()


def test_an_unknown_text_is_refused_with_similar_words():
    embedder = get_embedder("doc2vec", dim=4, epochs=2).fit(topics(40))
    with pytest.raises(UnknownKey, match="no vector") as caught:
        embedder.embed_query("leagues")
    assert caught.value.suggestions == ("league",)


def test_one_word_is_too_few_for_a_tree():
    data = make_texts(["same same", "same"])
    with pytest.raises(DatasetError, match="needs two to choose between"):
        get_embedder("doc2vec", training="hierarchical softmax").fit(data)
    assert get_embedder("doc2vec", dim=4, epochs=2).fit(data).vectors(data).matrix.any()


def test_several_threads_learn_too_and_say_what_they_cost():
    data = topics()
    embedder = get_embedder("doc2vec", dim=20, epochs=40, threads=2).fit(data)
    vectors = embedder.vectors(data)
    matrix = vectors.of_kind("document").matrix
    assert (near(matrix, matrix[0])[1:11] % 2 == 0).mean() >= 0.9
    notes = vectors.provenance["notes"]
    assert "Trained with 2 threads: not reproducible bit by bit." in notes


@pytest.mark.parametrize("threads", [1, 2])
def test_cancel_takes_effect_within_an_epoch(threads, monkeypatch):
    monkeypatch.setattr("embedders.gensim_training.WORDS_PER_JOB", 50)
    calls = []

    def stop(done, total, stage="", note=""):
        if stage == "training" and done > 0:
            calls.append((done, total, note))
            raise Cancelled

    with pytest.raises(Cancelled):
        get_embedder("doc2vec", dim=4, epochs=5, threads=threads).fit(topics(), stop)
    [(done, total, note)] = calls
    assert done < total / 5
    assert note.startswith("epoch 1 of 5")


def test_the_state_holds_no_word_vectors_where_none_were_trained():
    embedder = get_embedder("doc2vec", dim=4, epochs=1, architecture="dbow")
    state = embedder.fit(small(Modality.TEXT)).state()
    assert state["word_vectors"].shape == (0, 4)
