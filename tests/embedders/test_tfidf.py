"""What TF-IDF vectors mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_datasets import make_texts, small

from core.errors import DatasetError, TooLarge, UnknownKey
from core.modality import Modality
from embedders import base, get_embedder


def test_weights_equal_a_worked_example():
    data = make_texts(["cat cat dog", "dog bird", "dog"])
    embedder = get_embedder("tfidf", min_df=1, sublinear=False).fit(data)
    # Terms by frequency, then alphabet: dog (3), cat (2), bird (1). idf = ln(4 / (1 + df)) + 1.
    dog, cat, bird = (math.log(4 / (1 + df)) + 1 for df in (3, 1, 1))
    expected = [[dog, 2 * cat, 0], [dog, 0, bird], [dog, 0, 0]]
    np.testing.assert_allclose(embedder.vectors(data).matrix, expected, rtol=1e-6)


def test_sublinear_counts_grow_with_the_logarithm():
    data = make_texts(["cat cat cat", "cat"])
    matrix = get_embedder("tfidf", min_df=1).fit(data).vectors(data).matrix
    assert matrix[0, 0] / matrix[1, 0] == pytest.approx(1 + math.log(3))


def test_it_agrees_with_scikit_learn():
    from sklearn.feature_extraction.text import TfidfVectorizer

    data = small(Modality.TEXT)
    ours = get_embedder("tfidf", min_df=2, ngrams=2).fit(data).vectors(data).matrix
    theirs = TfidfVectorizer(min_df=2, ngram_range=(1, 2), sublinear_tf=True, norm=None)
    other = theirs.fit_transform(data.items).toarray()
    np.testing.assert_allclose(ours @ ours.T, other @ other.T, rtol=1e-4)


def test_the_vocabulary_is_cut_by_frequency_and_says_so():
    words = [f"w{i}" for i in range(40)]
    data = make_texts([" ".join(words[: i + 1]) for i in range(40)])
    vectors = get_embedder("tfidf", min_df=1, max_features=10).fit(data).vectors(data)
    assert vectors.dim == 10
    assert "10 of 40 distinct terms were kept." in vectors.provenance["notes"]


def test_texts_without_known_terms_are_counted():
    data = make_texts(["cat dog", "dog cat", "unique"])
    about = get_embedder("tfidf", min_df=2).fit(data).vectors(data).provenance
    assert about["n_zero"] == 1
    assert any("1 of 3 texts" in note for note in about["notes"])


def test_a_query_without_known_terms_names_near_ones():
    embedder = get_embedder("tfidf", min_df=1).fit(make_texts(["colour of money", "money"]))
    with pytest.raises(UnknownKey, match="colour") as caught:
        embedder.embed_query("color")
    assert caught.value.suggestions == ("colour",)


def test_too_high_a_minimum_says_what_would_do():
    with pytest.raises(DatasetError, match=r"min_df") as caught:
        get_embedder("tfidf", min_df=5).fit(make_texts(["a b", "a c", "d"]))
    assert "2 of 3 texts" in str(caught.value)


def test_vectors_that_would_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr(base, "MAX_MATRIX_BYTES", 20)
    with pytest.raises(TooLarge, match="max_features"):
        get_embedder("tfidf", min_df=1).fit(make_texts(["a b c", "d e f"]))


def test_a_phrase_tells_new_york_from_york_new():
    data = make_texts(["new york", "york new", "new york"])
    single = get_embedder("tfidf", min_df=1).fit(data).vectors(data).matrix
    pairs = get_embedder("tfidf", min_df=1, ngrams=2).fit(data).vectors(data).matrix
    assert (single[0] == single[1]).all()
    assert (pairs[0] != pairs[1]).any()
    assert (pairs[0] == pairs[2]).all()
