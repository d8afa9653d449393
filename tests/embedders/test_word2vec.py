"""What Word2Vec vectors mean."""

from __future__ import annotations

import numpy as np
import pytest
from small_datasets import make_texts, small

from core.errors import Cancelled, DatasetError, UnknownKey
from core.modality import Modality
from embedders import get_embedder

ANIMALS, FOODS = ("cat", "dog", "horse", "cow"), ("bread", "rice", "cheese", "soup")
EATS, COOKS = ("eats", "chews", "swallows"), ("cooks", "burns", "fries")


def grammar(n=1_500):
    """Return sentences in which words of one class are interchangeable."""
    rng = np.random.default_rng(0)
    pick = rng.choice
    made = []
    for _ in range(n):
        if rng.random() < 0.5:
            made.append(f"the {pick(ANIMALS)} {pick(EATS)} grass on green meadows")
        else:
            made.append(f"my aunt {pick(COOKS)} {pick(FOODS)} inside her kitchen")
    return make_texts(made)


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("training", ["negative sampling", "hierarchical softmax"])
@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_interchangeable_words_lie_together(objective, training):
    embedder = get_embedder(
        "word2vec", dim=20, objective=objective, training=training, epochs=10, sample=0.0
    )
    words = embedder.fit(grammar()).vocabulary
    for group, other in ((ANIMALS, FOODS), (EATS, COOKS)):
        within = [cosine(words[a], words[b]) for a in group for b in group if a < b]
        across = [cosine(words[a], words[b]) for a in group for b in other]
        assert min(within) > max(across)


def test_documents_come_first_and_words_after():
    data = small(Modality.TEXT)
    vectors = get_embedder("word2vec", dim=8, epochs=2).fit(data).vectors(data)
    assert vectors.kind_names == ("document", "word")
    assert vectors.keys[: len(data)] == data.ids
    assert vectors.has("bank", "word")


def test_the_plain_mean_is_the_mean_of_the_words():
    data = make_texts(["a b b", "b c", "a c zzz"])
    vectors = get_embedder("word2vec", dim=4, documents="mean", epochs=1).fit(data).vectors(data)
    a, b, c = (vectors.matrix[vectors.position(w, "word")] for w in "abc")
    expected = [(a + 2 * b) / 3, (b + c) / 2, (a + c) / 2]
    np.testing.assert_allclose(vectors.matrix[:3], expected, rtol=1e-5)


def test_tfidf_weighs_rare_words_more():
    data = make_texts(["a b", "a c", "a b", "a c"])
    vectors = get_embedder("word2vec", dim=4, documents="tfidf", epochs=1).fit(data).vectors(data)
    a, b = (vectors.matrix[vectors.position(w, "word")].astype(float) for w in "ab")
    idf_a, idf_b = np.log(5 / 5) + 1, np.log(5 / 3) + 1
    expected = (idf_a * a + idf_b * b) / (idf_a + idf_b)
    np.testing.assert_allclose(vectors.matrix[0], expected, rtol=1e-5)


def test_sif_follows_its_algorithm():
    data = make_texts(["a b", "a c c", "b b a"])
    vectors = get_embedder("word2vec", dim=4, documents="sif", epochs=1).fit(data).vectors(data)
    word = {w: vectors.matrix[vectors.position(w, "word")].astype(float) for w in "abc"}
    counts = {"a": 3, "b": 3, "c": 2}
    weight = {w: 1e-3 / (1e-3 + n / 8) for w, n in counts.items()}
    raw = np.array([np.mean([weight[w] * word[w] for w in t.split()], axis=0) for t in data.items])
    u = np.linalg.svd(raw)[2][0]
    np.testing.assert_allclose(vectors.matrix[:3], raw - np.outer(raw @ u, u), atol=1e-7)


def test_texts_without_known_words_are_zero_and_counted():
    data = make_texts(["a b a b", "b a", "unique words only"])
    vectors = get_embedder("word2vec", dim=4, min_count=2).fit(data).vectors(data)
    assert not vectors.matrix[2].any()
    assert vectors.provenance["n_zero"] == 1
    assert "1 of 3 texts hold no word with a vector" in " ".join(vectors.provenance["notes"])


def test_an_unknown_word_says_how_often_it_occurs():
    data = make_texts(["gray green gray green", "grey gray"])
    embedder = get_embedder("word2vec", dim=4, min_count=2).fit(data)
    with pytest.raises(UnknownKey, match="occurs once, min_count is 2") as caught:
        embedder.embed_query("grey")
    assert caught.value.suggestions[0] == "gray"
    with pytest.raises(UnknownKey, match="not among the learnt words"):
        embedder.embed_query("purple haze")
    again = get_embedder("word2vec", dim=4).restore(embedder.state())
    with pytest.raises(UnknownKey, match="occurs once"):
        again.embed_query("grey")


def test_too_high_a_minimum_is_one_sentence():
    with pytest.raises(DatasetError, match="the most frequent one occurs 3 times"):
        get_embedder("word2vec", min_count=9).fit(make_texts(["a a b", "a c"]))


def test_epochs_follow_the_amount_of_text_unless_given():
    data = make_texts(["a b c d"] * 5)
    auto = get_embedder("word2vec", dim=2).fit(data).vocabulary.provenance
    given = get_embedder("word2vec", dim=2, epochs=3).fit(data).vocabulary.provenance
    assert (auto["epochs"], given["epochs"]) == (100, 3)
    assert len(given["losses"]) == 3


def test_loss_falls_while_training():
    losses = get_embedder("word2vec", dim=20, epochs=5).fit(grammar(500)).vocabulary.provenance
    assert losses["losses"][-1] < losses["losses"][0]


def first_loss(**settings):
    """Return the loss after an epoch so slow that nothing is learnt."""
    embedder = get_embedder("word2vec", dim=4, epochs=1, sample=0.0, alpha=0.001, **settings)
    return embedder.fit(grammar(300)).vocabulary.provenance["losses"][0]


def test_the_loss_of_an_untrained_model_is_that_of_chance():
    # One true and five drawn words, each a coin toss; about one draw in 20 hits the true word.
    assert first_loss(objective="cbow") == pytest.approx(6 * np.log(2), rel=0.06)
    lengths = [len(text.split()) for text in grammar(300).items]
    # With a window of 1 a word has as many contexts as neighbours.
    pairs = 2 * sum(n - 1 for n in lengths) / sum(lengths)
    assert first_loss(window=1) == pytest.approx(pairs * 6 * np.log(2), rel=0.06)
    # Down a tree: one coin toss per turn, between the entropy of the words and one bit more.
    words = np.unique([w for t in grammar(300).items for w in t.split()], return_counts=True)[1]
    share = words / words.sum()
    entropy = -(share * np.log(share)).sum()
    tree = first_loss(objective="cbow", training="hierarchical softmax")
    assert entropy * 0.97 < tree < entropy + np.log(2)


def test_the_loss_of_a_long_epoch_is_not_cut_off():
    # gensim's own sum is one float32: beyond 2^22 every log 2 adds a half only. Here it is 8.7e6.
    rng = np.random.default_rng(0)
    text = " ".join(rng.choice([f"w{i}" for i in range(100)], 300_000))
    settings = {"dim": 2, "epochs": 1, "alpha": 0.001, "sample": 0.0, "window": 20, "negative": 1}
    about = get_embedder("word2vec", **settings).fit(make_texts([text])).vocabulary.provenance
    contexts, questions = 21, 1 + 99 / 100  # a draw of the true word is skipped
    # gensim looks σ up in a coarse table, which alone adds 2 %; its float32 sum is 12 % low.
    assert about["losses"][0] == pytest.approx(contexts * questions * np.log(2), rel=0.04)


def test_one_word_is_too_few_for_a_tree():
    data = make_texts(["same same", "same"])
    with pytest.raises(DatasetError, match="needs two to choose between"):
        get_embedder("word2vec", training="hierarchical softmax").fit(data)


def test_several_threads_learn_the_same_classes_and_say_what_they_cost():
    embedder = get_embedder("word2vec", dim=20, epochs=10, sample=0.0, threads=2)
    words = embedder.fit(grammar()).vocabulary
    within = [cosine(words[a], words[b]) for a in ANIMALS for b in ANIMALS if a < b]
    assert min(within) > max(cosine(words[a], words[b]) for a in ANIMALS for b in FOODS)
    assert words.provenance["losses"][-1] < words.provenance["losses"][0]
    note = "Trained with 2 threads: not reproducible bit by bit."
    assert note in words.provenance["notes"]


@pytest.mark.parametrize("threads", [1, 2])
def test_cancel_takes_effect_within_an_epoch(threads, monkeypatch):
    monkeypatch.setattr("embedders.word2vec.WORDS_PER_BATCH", 100)
    notes = []

    def stop(done, total, stage="", note=""):
        notes.append(note)
        if stage == "training" and done > 0:
            assert done < total / 5
            raise Cancelled

    with pytest.raises(Cancelled):
        get_embedder("word2vec", dim=4, epochs=5, threads=threads).fit(grammar(200), stop)
    assert notes[-1].startswith("epoch 1 of 5, loss ")


def test_words_beyond_gensims_sentence_limit_are_learnt():
    text = " ".join(["left right"] * 5_000 + ["up down"] * 200)
    words = get_embedder("word2vec", dim=8, epochs=5, sample=0.0).fit(make_texts([text])).vocabulary
    # Untrained vectors have components within 0.5 / dim.
    assert np.abs(words["up"]).max() > 0.5 / 8
