"""What LSA vectors mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_datasets import FINANCE, SPORT, N, make_texts, small

from benchmarks.published_figures import lee_pearson
from core.errors import DatasetError, UnknownKey
from core.modality import Modality
from embedders import get_embedder


def unit(m):
    return m / np.linalg.norm(m, axis=-1, keepdims=True)


def test_two_topics_lie_apart_even_without_shared_words():
    data = small(Modality.TEXT)
    embedder = get_embedder("lsa", dim=3).fit(data)
    money, sport = (unit(embedder.embed_query(w)) for w in ("loan", "goal"))
    m = unit(embedder.vectors(data).matrix)
    no_loan = [i for i in range(N // 2) if "loan" not in data.items[i]]
    assert no_loan
    assert (m[no_loan] @ money).min() > (m[N // 2 :] @ money).max()
    assert (m[N // 2 :] @ sport).min() > (m[: N // 2] @ sport).max()


def test_words_lie_among_the_texts_of_their_topic():
    data = small(Modality.TEXT)
    vectors = get_embedder("lsa", dim=3, words=True).fit(data).vectors(data)
    assert vectors.kind_names == ("document", "word")
    words = vectors.of_kind("word")
    centre = [unit(vectors.matrix[:N][s].mean(axis=0)) for s in (slice(N // 2), slice(N // 2, N))]
    for topic, near, far in ((FINANCE, *centre), (SPORT, *centre[::-1])):
        for word in topic:
            assert words[word] @ near > words[word] @ far


def test_a_word_asked_for_points_at_the_word():
    data = small(Modality.TEXT)
    embedder = get_embedder("lsa", dim=4, words=True).fit(data)
    words = embedder.vectors(data).of_kind("word")
    for word in ("bank", "coach"):
        assert unit(words[word]) @ unit(embedder.embed_query(word)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("weighting", ["tfidf", "log-entropy", "count"])
def test_weights_equal_a_worked_example(weighting):
    data = make_texts(["cat cat dog", "dog bird", "dog cat"])
    # Terms by frequency, then alphabet: cat (3), dog (3), bird (1).
    counts = np.array([[2, 1, 0], [0, 1, 1], [1, 1, 0]], float)
    with np.errstate(divide="ignore"):
        if weighting == "count":
            x = counts
        elif weighting == "tfidf":
            idf = [math.log(4 / 3) + 1, 1, math.log(4 / 2) + 1]
            x = unit(np.where(counts > 0, 1 + np.log(counts), 0) * idf)
        else:
            entropy = [(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)), -math.log(3), 0]
            x = unit(np.log1p(counts) * (1 + np.array(entropy) / math.log(3)))
    u, s, _ = np.linalg.svd(x)
    lsa = get_embedder("lsa", dim=2, min_df=1, weighting=weighting)
    ours = lsa.fit(data).vectors(data).matrix
    np.testing.assert_allclose(np.abs(ours), np.abs(u[:, :2] * s[:2]), atol=1e-5)


def test_fewer_dimensions_than_asked_for_are_told():
    data = make_texts(["a b", "b c", "c a", "a b c"])
    about = get_embedder("lsa", dim=50, min_df=1).fit(data).vectors(data).provenance
    assert "50 dimensions were asked for; the texts allow 2." in about["notes"]
    assert len(about["explained_variance_ratio"]) == 2


def test_a_query_without_known_terms_names_near_ones():
    with pytest.raises(UnknownKey, match="interest"):
        get_embedder("lsa").fit(small(Modality.TEXT)).embed_query("intrest")


def test_too_little_text_is_one_sentence():
    with pytest.raises(DatasetError, match="at least two texts"):
        get_embedder("lsa", min_df=1).fit(make_texts(["only one text"]))


def test_lee_documents_agree_with_people_as_published():
    # Lee, Pincombe & Welsh 2005 report .60.
    assert lee_pearson() == pytest.approx(0.606, abs=0.006)
