"""The probe of named entities: spans by hand, windows, baselines, files of words and tags."""

from __future__ import annotations

import numpy as np
import pytest

from comparison.entity_probe import BY_WORD, measure_entities, window_features
from comparison.tagged_sentences import (
    Span,
    TaggedSentences,
    f1_of,
    span_counts,
    spans,
)
from core.errors import DatasetError
from tests.conftest import shared_data
from vectors.keyed import KeyedVectors


def test_spans_as_conlleval_reads_tags():
    tags = ["B-per", "I-per", "O", "I-loc", "I-per", "B-per", "B-per", "O"]
    assert spans(tags) == [
        Span(0, 2, "per"), Span(3, 4, "loc"), Span(4, 5, "per"), Span(5, 6, "per"),
        Span(6, 7, "per"),
    ]  # fmt: skip
    assert spans(["O", "B-x", "I-x"]) == [Span(1, 3, "x")]
    assert spans([]) == []


def test_f1_by_hand():
    """Found: one of three; invented: one too long and one of another type; F1 = 2 / (2 + 2 + 2)."""
    truth = [frozenset(spans(["B-per", "I-per", "O", "B-loc", "O"])), frozenset(spans(["B-loc"]))]
    guess = [spans(["B-per", "I-per", "O", "B-loc", "I-loc"]), spans(["B-per"])]
    counts = span_counts(truth, guess)
    assert counts.tolist() == [[1, 1, 1], [0, 1, 1]]
    assert f1_of(counts.sum(axis=0)) == pytest.approx(1 / 3)
    assert f1_of(span_counts(truth, guess, "per").sum(axis=0)) == pytest.approx(2 / 3)
    assert f1_of(np.zeros(3)) == 0


def test_windows_hold_neighbours_and_end_with_the_sentence():
    matrix = np.array([[1], [2], [3]], np.float32)
    found = window_features([np.array([0, -1, 2]), np.array([1])], matrix, window=1)
    assert found.tolist() == [[0, 1, 0], [1, 0, 3], [0, 3, 0], [0, 2, 0]]


def sentences(n, names, things, seed):
    """Return "I met NAME today" and "I met THING today"; after "in" a name is a place."""
    rng = np.random.default_rng(seed)
    words, tags = [], []
    for _ in range(n):
        is_person, is_name = rng.random(2) < 0.5
        word = str(rng.choice(names if is_name else things))
        tag = ("B-person" if is_person else "B-place") if is_name else "O"
        words.append(("I", "met" if is_person else "in", word, "today"))
        tags.append(("O", "O", tag, "O"))
    return TaggedSentences("made", tuple(words), tuple(tags))


def test_a_space_that_knows_names_finds_new_ones_and_their_type_by_the_word_before():
    old, new, old_things, new_things = ([f"{c}{i}" for i in range(20)] for c in "nmst")
    rng = np.random.default_rng(0)
    words = ["i", "met", "in", "today", *old, *old_things, *new, *new_things]
    is_name = np.repeat([0, 1, -1, 1, -1], [4, 20, 20, 20, 20])[:, None]
    knows = np.hstack([is_name, np.eye(84)[:, :4], rng.normal(0, 0.1, (84, 3))])
    spaces = {
        "knows": KeyedVectors(words, knows, kinds="word"),
        "wide": KeyedVectors(words, np.hstack([knows * 5, np.zeros((84, 120))]), kinds="word"),
        "old only": KeyedVectors(words[:44], rng.normal(size=(44, 8)), kinds="word"),
        "texts": KeyedVectors(["t"], [[1.0]], kinds="document"),
    }
    train, test = sentences(120, old, old_things, 0), sentences(80, new, new_things, 1)
    found = measure_entities(spaces, train, test)
    assert found["knows"].value == 1
    assert found["wide"].value == 1, "120 dimensions more, brought to as many as words"
    assert found["old only"].value < 0.7
    assert found["old only"].extra["test words without a vector"] == pytest.approx(0.25)
    assert found[BY_WORD].value == 0, "no name of the test was seen"
    assert found.baselines == (BY_WORD,)
    assert "no vectors of words" in found["texts"].refused
    assert found["knows"].extra["F1 place"] == 1
    assert found.difference("knows", BY_WORD).tells_apart
    few = measure_entities(spaces, train, test.take(range(5)))
    assert few.refused == "2 named entities to test are too few; 20 are needed."


def test_the_usual_tag_of_a_word():
    train = TaggedSentences("t", (("Rome", "rome", "x"),) * 20, (("B-l", "O", "B-l"),) * 20)
    test = TaggedSentences("t", (("ROME", "X", "new"),) * 20, (("B-l", "B-l", "O"),) * 20)
    found = measure_entities({}, train, test)[BY_WORD]
    assert found.value == 1, "of equally frequent tags the first by name"


def test_words_with_tags_are_read():
    text = "-DOCSTART- -X- O\n\nRome NNP B-loc\nis VBZ O\n\n\n# . O\n"
    found = TaggedSentences.from_lines(text.splitlines())
    assert found.words == (("Rome", "is"), ("#",))
    assert found.n_entities == 1
    train, test = found.split(0.5, seed=1)
    assert sorted((*train.words, *test.words)) == sorted(found.words)
    with pytest.raises(DatasetError, match="Line 2 of file is no word with a BIO tag: 'is VERB'"):
        TaggedSentences.from_lines(["Rome B-loc", "is VERB"], "file")
    with pytest.raises(DatasetError, match="no tagged sentence"):
        TaggedSentences.from_lines(["", " "])


def test_wnut17_is_read():
    folder = shared_data("wnut17")
    sizes = {}
    for name in ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"):
        lines = (folder / name).read_text(encoding="utf-8").split("\n")
        found = TaggedSentences.from_lines(lines, name)
        sizes[name] = (len(found), found.n_entities)
    assert sizes == {
        "wnut17train.conll": (3394, 1975),
        "emerging.dev.conll": (1009, 836),
        "emerging.test.annotated": (1287, 1079),
    }
    assert len(found.types) == 6
