"""What LDA vectors mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from small_datasets import FINANCE, SPORT, make_texts, small

from core.errors import Cancelled, DatasetError, UnknownKey
from core.modality import Modality
from embedders import get_embedder, lda
from embedders.topics import Topic, coherence


def generated(n=400, words=30, seed=0):
    """Return texts drawn from LDA's own story, with the share of finance in each."""
    rng = np.random.default_rng(seed)
    share = rng.beta(0.3, 0.3, n)
    texts = [
        " ".join(
            rng.choice(FINANCE) if rng.random() < s else rng.choice(SPORT) for _ in range(words)
        )
        for s in share
    ]
    return make_texts(texts), share


@pytest.mark.parametrize("online", [False, True])
def test_topics_that_made_the_texts_are_found_again(online, monkeypatch):
    if online:
        monkeypatch.setattr(lda, "ONLINE_ABOVE", 0)
        monkeypatch.setattr(lda, "BATCH", 64)
    data, share = generated()
    vectors = get_embedder("lda", n_topics=2, max_df=1.0, seed=1).fit(data).vectors(data)
    found = vectors.of_kind("document").matrix
    column = int(np.argmax([np.corrcoef(found[:, j], share)[0, 1] for j in range(2)]))
    # Thirty words tell the share to about sqrt(.25 / 30) = .09.
    assert np.abs(found[:, column] - share).mean() < 0.1
    topics = vectors.provenance["topics"]
    assert {word for word, _ in topics[column]["words"][:8]} == set(FINANCE)
    assert topics[column]["share"] == pytest.approx(share.mean(), abs=0.03)


def test_mixtures_sum_to_one_and_topics_are_the_corners():
    data, _ = generated(60)
    vectors = get_embedder("lda", n_topics=3, max_df=1.0, epochs=3).fit(data).vectors(data)
    assert vectors.kind_names == ("document", "topic", "word")
    np.testing.assert_allclose(vectors.of_kind("document").matrix.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(vectors.of_kind("word").matrix.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(vectors.of_kind("topic").matrix, np.eye(3))
    assert vectors.of_kind("topic").keys[0].startswith("topic 1: ")


def test_a_word_belongs_to_the_topic_it_heads():
    data, _ = generated()
    embedder = get_embedder("lda", n_topics=2, max_df=1.0).fit(data)
    vectors = embedder.vectors(data)
    for i, topic in enumerate(vectors.provenance["topics"]):
        word = topic["words"][0][0]
        assert vectors.matrix[vectors.position(word, "word")][i] > 0.9
        assert embedder.embed_query(f"{word} {word} {word}")[i] > 0.8


def test_the_perplexity_is_that_of_the_formula():
    data, _ = generated(50)
    embedder = get_embedder("lda", n_topics=2, max_df=1.0, epochs=4).fit(data)
    about = embedder.vectors(data).provenance
    model, index = embedder._model, embedder._index
    topics = model.components_ / model.components_.sum(axis=1, keepdims=True)
    total, n = 0.0, 0
    for text in data.items:
        row = np.zeros((1, len(index)))
        for word in text.split():
            row[0, index[word]] += 1
        share = model.transform(csr_matrix(row))[0]
        total += sum(np.log(share @ topics[:, index[word]]) for word in text.split())
        n += len(text.split())
    assert about["perplexity"] == pytest.approx(np.exp(-total / n), abs=0.06)
    assert about["losses"][-1] == pytest.approx(-total / n, rel=1e-3)
    assert len(about["losses"]) == 4


def test_coherence_is_mean_npmi_worked_by_hand():
    # a and b share 2 of 4 texts, each is in 3; c is in one text, with neither.
    counts = csr_matrix(np.array([[1, 2, 0], [3, 1, 0], [1, 0, 0], [0, 1, 1.0]]))
    topic = Topic(1, (("a", 0.5), ("b", 0.3), ("c", 0.2)), 1.0)
    ab = np.log(0.5 / (0.75 * 0.75)) / -np.log(0.5)
    bc = np.log(0.25 / (0.75 * 0.25)) / -np.log(0.25)
    assert coherence([topic], counts, {"a": 0, "b": 1, "c": 2}) == [round((ab - 1 + bc) / 3, 4)]


def test_function_words_head_no_topic():
    data = make_texts(["the bank of the town", "the team of the town", "the bank", "a team"] * 5)
    topics = (
        get_embedder("lda", n_topics=2, max_df=1.0).fit(data).vectors(data).provenance["topics"]
    )
    assert not {"the", "of", "a"} & {word for topic in topics for word, _ in topic["words"]}


def test_texts_without_kept_words_are_zero_and_counted():
    data = make_texts(["bank money bank", "money bank", "unheard of"])
    vectors = get_embedder("lda", n_topics=2, max_df=1.0, epochs=2).fit(data).vectors(data)
    assert not vectors.matrix[2].any()
    assert vectors.provenance["n_zero"] == 1
    assert "1 of 3 texts hold no kept term" in " ".join(vectors.provenance["notes"])


def test_a_restored_model_answers_alike():
    data, _ = generated(60)
    embedder = get_embedder("lda", n_topics=3, max_df=1.0, epochs=3).fit(data)
    again = get_embedder("lda", n_topics=3, max_df=1.0, epochs=3).restore(embedder.state())
    query = "bank loan team"
    np.testing.assert_allclose(again.embed_query(query), embedder.embed_query(query), atol=1e-5)
    np.testing.assert_allclose(again.vectors(data).matrix, embedder.vectors(data).matrix, atol=1e-5)
    with pytest.raises(UnknownKey, match="not among the kept terms"):
        again.embed_query("zebra")


def test_cancel_takes_effect_within_an_epoch():
    def stop(done, total, stage="", note=""):
        if stage == "finding topics" and done:
            assert done < total
            raise Cancelled

    with pytest.raises(Cancelled):
        get_embedder("lda", max_df=1.0, epochs=50).fit(generated(60)[0], stop)


def test_one_text_or_one_word_gives_a_result_or_a_sentence():
    one = make_texts(["bank bank bank"])
    vectors = get_embedder("lda", n_topics=2, min_df=1, max_df=1.0).fit(one).vectors(one)
    assert np.isfinite(vectors.matrix).all()
    with pytest.raises(DatasetError, match="min_df"):
        get_embedder("lda").fit(one)
    assert len(small(Modality.TEXT)) > 1
