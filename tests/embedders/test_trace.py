"""How a text's way through each method is told."""

from __future__ import annotations

import numpy as np
import pytest
from small_datasets import make_texts, small_pairs
from test_contract import quick

from core.errors import QueryError
from core.modality import Modality
from embedders import EMBEDDERS, get_embedder
from embedders.trace import Trace, sum_of

TEXT = "the bank bank gave zzzq credit today"
SILENT = {"api", "earlier"}
"""A service does not tell its tokens, an earlier model asks the method that it was."""
READERS = [e for e in EMBEDDERS if Modality.TEXT in e.accepts and e.id not in SILENT]
LINEAR = [e for e in READERS if e.id not in {"tfidf", "lda", "doc2vec"}]


def data():
    return make_texts([f"the bank gave credit {i} today" for i in range(12)] + ["a team won"] * 3)


@pytest.mark.parametrize("cls", READERS, ids=lambda c: c.id)
def test_every_method_that_reads_texts_tells_how(cls):
    embedder = quick(cls).fit(data())
    trace = embedder.trace(TEXT)
    np.testing.assert_array_equal(trace.vector, embedder.embed_query(TEXT))
    assert [t.text for t in trace.tokens if t.text == "bank"] == ["bank", "bank"]
    assert trace.rule.endswith(".")
    for token in trace.tokens:
        assert token.row is None or np.isfinite(trace.matrix[token.row]).all()
        assert token.id is not None or token.note
    again = Trace.from_arrays(trace.to_arrays())
    assert again.tokens == trace.tokens


@pytest.mark.parametrize("cls", LINEAR, ids=lambda c: c.id)
def test_weights_and_vectors_of_the_tokens_add_up_to_the_texts(cls):
    # SIF takes what is common to all texts off the sum: tested with the other ways to weigh.
    plain = {"documents": "tfidf"} if hasattr(cls.params_class, "documents") else {}
    embedder = quick(cls, **plain).fit(data())
    trace = embedder.trace(TEXT)
    total, vector = sum_of(trace), trace.vector.astype(np.float64)
    if cls.id in {"bert", "clip", "two_towers"}:  # scaled to length 1 afterwards
        total /= np.linalg.norm(total)
    np.testing.assert_allclose(total, vector, atol=1e-5)


def test_the_weights_of_tfidf_are_the_numbers_in_its_dimensions():
    embedder = get_embedder("tfidf", min_df=1).fit(data())
    trace = embedder.trace("bank bank credit unheard")
    filled = np.zeros(len(trace.vector))
    for token in trace.tokens:
        if token.id is not None:
            filled[token.id] += token.weight
    np.testing.assert_allclose(filled, trace.vector, rtol=1e-5)
    assert trace.tokens[-1].note == "not in the vocabulary"


def test_words_left_out_are_shown_with_the_reason():
    embedder = get_embedder("tfidf", min_df=1, stop_words="english", numbers="drop").fit(data())
    notes = {t.text: t.note for t in embedder.trace("The bank in 1999 gave credit").tokens}
    assert notes["the"] == "function word, left out"
    assert notes["1999"] == "number, left out"
    assert notes["credit"] == ""


def test_bert_shows_word_pieces_and_their_published_numbers():
    tokens = get_embedder("bert").fit(data()).trace("Embeddings!").tokens
    assert [t.text for t in tokens] == ["[CLS]", "em", "##bed", "##ding", "##s", "!", "[SEP]"]
    # The ids of bert-base-uncased's vocabulary.
    assert [t.id for t in tokens] == [101, 7861, 8270, 4667, 2015, 999, 102]


def test_pieces_of_one_word_differ_with_the_text_around_them():
    trace = get_embedder("bert").fit(data()).trace("the bank of the river, the bank of england")
    rows = [t.row for t in trace.tokens if t.text == "bank"]
    assert not np.allclose(trace.matrix[rows[0]], trace.matrix[rows[1]], atol=0.05)


def test_a_text_without_a_known_word_is_told_as_such():
    trace = get_embedder("word2vec", dim=4, epochs=1).fit(data()).trace("unheard of")
    assert not trace.vector.any()
    assert [t.note for t in trace.tokens] == ["not among the learnt words"] * 2


def test_a_method_without_tokens_says_so():
    with pytest.raises(QueryError, match="does not show tokens"):
        get_embedder("pca").trace("text")


def test_tokens_that_bert_does_not_read_are_told_from_those_not_listed():
    long = "bank " * 700
    read = get_embedder("bert", max_length=16).fit(data()).trace(long)
    assert (len(read.tokens), read.n_cut, read.is_read_whole) == (16, 686, False)
    listed = get_embedder("tfidf", min_df=1).fit(data()).trace(long)
    assert (len(listed.tokens), listed.n_cut, listed.is_read_whole) == (512, 188, True)
    assert Trace.from_arrays(read.to_arrays()).is_read_whole is False


def test_clip_tells_its_tokens_what_it_cut_and_which_one_stands_for_the_text():
    embedder = get_embedder("clip", template="a photo of {}").fit(data())
    trace = embedder.trace("a red circle")
    words = ["[CLS]", "a", "photo", "of", "a", "red", "circle", "[SEP]"]
    assert [t.text for t in trace.tokens] == words
    assert [t.weight for t in trace.tokens] == [0.0] * 7 + [1.0]
    last = trace.matrix[-1]
    np.testing.assert_allclose(last / np.linalg.norm(last), trace.vector, atol=1e-5)
    assert "the last token" in trace.rule
    assert "“a photo of {}”" in trace.rule
    long = embedder.trace("red " * 700)
    assert (len(long.tokens), long.n_cut, long.is_read_whole) == (24, 681, False)


def test_a_tower_from_scratch_tells_which_pieces_it_has_not_seen():
    embedder = get_embedder("two_towers", start="scratch", epochs=1, max_length=8).fit(data())
    trace = embedder.trace("the bank zebra gave credit to me today")
    assert (len(trace.tokens), trace.n_cut, trace.is_read_whole) == (8, 2, False)
    assert [(t.text, t.id) for t in trace.tokens if "unknown piece" in t.note][:1] == [
        ("zebra", None)
    ]
    mean = trace.matrix.mean(axis=0)
    np.testing.assert_allclose(mean / np.linalg.norm(mean), trace.vector, atol=1e-5)


def test_towers_of_images_have_no_tokens():
    embedder = get_embedder("two_towers", images="descriptors", epochs=1)
    pairs = small_pairs(Modality.IMAGE, Modality.IMAGE)
    with pytest.raises(QueryError, match="reads texts"):
        embedder.fit(pairs).trace("a text")
