"""What fastText vectors mean, those of unseen words included."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from small_datasets import make_texts

from core.errors import Cancelled, ParameterError, UnknownKey
from embedders import get_embedder

COMPANY = {
    "jump": ("high", "far", "over", "fence"),
    "bake": ("oven", "flour", "bread", "cake"),
    "swim": ("water", "pool", "lake", "wave"),
    "drive": ("road", "car", "wheel", "traffic"),
}


def verbs(n=600):
    """Return texts in which each of four verbs, in two forms, has its own company."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(n):
        verb = str(rng.choice(list(COMPANY)))
        made.append(" ".join([verb + str(rng.choice(["", "s"])), *rng.choice(COMPANY[verb], 3)]))
    return make_texts(made)


@pytest.fixture(scope="module")
def fitted():
    return get_embedder("fasttext", dim=20, epochs=10, sample=0.0).fit(verbs())


def nearest(words, query, among):
    rows = [words.position(word) for word in among]
    matrix = words.matrix[rows]
    return among[int(np.argmax(matrix @ query / np.linalg.norm(matrix, axis=1)))]


@pytest.mark.parametrize(
    ("unseen", "stem"),
    [("jumping", "jump"), ("baked", "bake"), ("swimmer", "swim"), ("drivers", "drive")],
)
def test_an_unseen_inflection_lies_nearest_its_stem(fitted, unseen, stem):
    assert not fitted.vocabulary.has(unseen)
    assert nearest(fitted.vocabulary, fitted.embed_query(unseen), list(COMPANY)) == stem


def test_a_misspelt_word_is_understood_inside_a_text_too(fitted):
    data = make_texts(["jmping ovr fences", "zzz"])
    vectors = fitted.vectors(data)
    assert nearest(fitted.vocabulary, vectors.matrix[0], list(COMPANY)) == "jump"
    assert not vectors.matrix[1].any()
    assert "1 of 2 texts hold no word with a vector" in " ".join(vectors.provenance["notes"])


def gensims_vectors(embedder):
    """Return gensim's own vectors over the n-grams that were learnt."""
    from gensim.models.fasttext import FastTextKeyedVectors

    p = embedder.params
    theirs = FastTextKeyedVectors(p.dim, p.min_n, p.max_n, p.buckets)
    theirs.vectors_ngrams = np.zeros((p.buckets, p.dim), np.float32)
    state = embedder.state()
    theirs.vectors_ngrams[state["buckets"]] = state["ngrams"]
    return theirs


def test_unseen_words_have_gensims_vectors():
    data = make_texts(["große Straßen führen", "naïve café straße", "東京 का हिन्दी भाषा", "größer"])
    embedder = get_embedder("fasttext", dim=6, min_count=1, epochs=2, buckets=5_000).fit(data)
    theirs = gensims_vectors(embedder)
    for word in ("großen", "straßenbahn", "cafés", "हिन्दीभाषा", "führend"):
        np.testing.assert_allclose(
            embedder.embed_query(word), theirs.get_vector(word), rtol=1e-5, atol=1e-8
        )


def test_training_on_the_rows_in_use_is_gensims_training():
    # With the same start values, the same draws and one job, gensim's own loop over a matrix of all
    # buckets must learn the same vectors.
    from gensim.models import FastText

    p = {"epochs": 1, "window": 2, "min_n": 3, "max_n": 4, "negative": 3, "sample": 0.0}
    data = verbs(100)
    ours = get_embedder("fasttext", dim=8, min_count=1, buckets=3_000, **p).fit(data)
    terms = ours.vocabulary.keys
    theirs = FastText(
        vector_size=8, min_count=1, sg=1, workers=1, seed=0, bucket=3_000, sorted_vocab=0, **p
    )
    counts = Counter(word for text in data.items for word in text.split())
    theirs.build_vocab_from_freq({word: counts[word] for word in terms})
    buckets = ours.state()["buckets"]
    start = np.random.default_rng(1).random((len(buckets), 8), dtype=np.float32)
    theirs.wv.vectors_ngrams[buckets] = (2 * start - 1) / 8
    dice = np.random.SeedSequence(0).spawn(1)[0].generate_state(8)
    theirs.random = np.random.RandomState(dice)
    theirs.train(
        [text.split() for text in data.items],
        total_words=sum(counts.values()),
        epochs=1,
        start_alpha=ours.params.alpha,
    )
    np.testing.assert_allclose(ours.vocabulary.matrix, theirs.wv[terms], atol=1e-6)


def test_only_n_grams_in_use_are_kept(fitted):
    state = fitted.state()
    n_words = len(fitted.vocabulary)
    assert len(state["buckets"]) < 20 * n_words
    assert sum(array.nbytes for array in state.values()) < 100_000


def test_a_word_of_strange_letters_is_refused_in_one_sentence(fitted):
    with pytest.raises(UnknownKey, match="no part of it occurs"):
        fitted.embed_query("qqq")
    again = get_embedder("fasttext", dim=20).restore(fitted.state())
    assert again.embed_query("jumping").tobytes() == fitted.embed_query("jumping").tobytes()


def test_words_too_short_for_an_n_gram_keep_their_own_vector():
    data = make_texts(["a b c", "b a", "c a b"])
    embedder = get_embedder("fasttext", dim=4, min_n=6, max_n=6, epochs=2).fit(data)
    assert np.abs(embedder.vocabulary["a"]).max() > 0
    with pytest.raises(UnknownKey, match="no part of it"):
        embedder.embed_query("abcdefg")
    again = get_embedder("fasttext", dim=4, min_n=6, max_n=6).restore(embedder.state())
    assert again.embed_query("a").tobytes() == embedder.embed_query("a").tobytes()


def test_the_shortest_run_may_not_exceed_the_longest():
    with pytest.raises(ParameterError, match="min_n must be at most max_n, got 5 and 4"):
        get_embedder("fasttext", min_n=5, max_n=4)


@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_the_measured_loss_starts_at_chance_and_falls(objective):
    notes = []

    def keep(done, total, stage="", note=""):
        notes.append(note)

    embedder = get_embedder("fasttext", dim=20, epochs=6, objective=objective, sample=0.0)
    about = embedder.fit(verbs(), keep).vocabulary.provenance
    chance = 6 * np.log(2)  # six yes-or-no questions, one true and five false
    assert len(about["losses"]) == 6
    assert about["losses"][-1] < 0.8 * chance
    assert about["losses"][-1] < about["losses"][0] < 1.01 * chance
    assert notes[-1] == f"epoch 6 of 6, loss {about['losses'][-2]:.3f} after epoch 5"
    assert "Loss was measured after each epoch on" in " ".join(about["notes"])


@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_the_loss_is_that_of_what_gensim_trains_and_words_are_what_it_returns(
    objective, monkeypatch
):
    from gensim.models.fasttext import FastTextKeyedVectors

    from embedders import fasttext
    from embedders.sampled_loss import LossSample

    seen = {}

    def train(model, *args, **kwargs):
        seen["losses"] = trained(model, *args, **kwargs)
        seen["model"] = model
        return seen["losses"]

    def loss(self, hidden, output):
        seen["sample"], seen["hidden"] = self, np.asarray(hidden)
        return 1.0

    trained = fasttext.train_in_jobs
    monkeypatch.setattr(fasttext, "train_in_jobs", train)
    monkeypatch.setattr(LossSample, "negative_loss", loss)
    data = make_texts(["jumps over a fence", "a fence over", "bakes a cake", "cake jumps"] * 5)
    settings = {"dim": 5, "epochs": 1, "min_n": 4, "objective": objective}
    embedder = get_embedder("fasttext", **settings).fit(data)
    wv, sample = seen["model"].wv, seen["sample"]
    sizes = np.array([len(rows) for rows in wv.buckets_word])
    assert sizes.min() == 0  # "<a>" has no part of four letters
    sums = np.array(
        [
            wv.vectors_vocab[i] + wv.vectors_ngrams[rows].sum(axis=0)
            for i, rows in enumerate(wv.buckets_word)
        ]
    )
    for row, guess in enumerate(sample.context.toarray()):
        around = guess.nonzero()[0]
        if objective == "skip-gram":
            expected = sums[around[0]] / max(sizes[around[0]], 1) if len(around) else 0
        else:
            expected = guess @ sums / max(guess @ (sizes + 1), 1)
        np.testing.assert_allclose(seen["hidden"][row], expected, atol=1e-6)
    FastTextKeyedVectors.adjust_vectors(wv)
    terms = list(embedder.vocabulary.keys)
    np.testing.assert_allclose(
        embedder.vocabulary.matrix, [wv.get_vector(t) for t in terms], atol=1e-6
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_cancel_takes_effect_within_an_epoch(threads, monkeypatch):
    monkeypatch.setattr("embedders.gensim_training.WORDS_PER_JOB", 50)

    def stop(done, total, stage="", note=""):
        if stage == "training" and done > 0:
            assert done < total / 5
            raise Cancelled

    with pytest.raises(Cancelled):
        get_embedder("fasttext", dim=4, epochs=5, threads=threads).fit(verbs(), stop)
