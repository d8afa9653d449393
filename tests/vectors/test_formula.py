"""Formulas of keys: what is understood, what is refused, and what they find."""

import numpy as np
import pytest

from core.errors import QueryError, UnknownKey
from vectors import KeyedVectors, VectorIndex
from vectors.formula import is_formula, parse_formula, search_formula

WORDS = ("king", "queen", "man", "woman", "state-of-the-art", "state", "New York")
ROWS = [[2, 1, 0], [2, -1, 0], [0.5, 1, 0], [0.5, -1, 0], [0, 0, 1], [0, 1, 1], [1, 0, 1]]
VECTORS = KeyedVectors(WORDS, ROWS, kinds="word", metric="dot")


@pytest.mark.parametrize(
    "text", ["king - man + woman", "king-man+woman", "2*king", "- man", '"New York" + king']
)
def test_arithmetic_is_seen(text):
    assert is_formula(text)


@pytest.mark.parametrize("text", ["king", "state-of-the-art", "rock-and-roll music", "C++ or Java"])
def test_ordinary_words_are_not_arithmetic(text):
    assert not is_formula(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("king - man + woman", [2, -1, 0]),
        ("king-man+woman", [2, -1, 0]),
        ("king − man + woman", [2, -1, 0]),
        ("-king", [-2, -1, 0]),
        ("0.5*king + man", [1.5, 1.5, 0]),
        ("king - (man - woman)", [2, -1, 0]),
        ("2*(king - man)", [3, 0, 0]),
        ('"New York" + king', [3, 1, 1]),
        ("state-of-the-art + king", [2, 1, 1]),
        ("state - man", [-0.5, 0, 1]),
    ],
)
def test_a_formula_is_the_sum_it_says(text, expected):
    assert parse_formula(text, VECTORS).vector == pytest.approx(expected)


def test_under_cosine_every_key_counts_with_unit_length():
    words = KeyedVectors(("long", "short"), [[10, 0], [0, 0.1]])
    assert parse_formula("long + short", words).vector == pytest.approx([1, 1])


def test_the_keys_of_the_formula_are_no_answers():
    formula = parse_formula("king - man + woman", VECTORS)
    found = search_formula(VectorIndex(VECTORS, metric="euclidean"), formula, 3)
    assert found.keys[0] == "queen"
    assert not set(found.keys) & {"king", "man", "woman"}
    assert len(found.keys) == len(found.scores) == len(found.positions) == 3


def test_a_mask_limits_the_answers():
    where = np.array([k != "queen" for k in WORDS])
    formula = parse_formula("king - man + woman", VECTORS)
    assert "queen" not in search_formula(VectorIndex(VECTORS), formula, 3, where=where).keys


def test_an_unknown_word_is_named_with_similar_ones():
    with pytest.raises(UnknownKey, match="quean") as caught:
        parse_formula("king - quean", VECTORS)
    assert "queen" in caught.value.suggestions


@pytest.mark.parametrize("text", ["king -", "king + + man", "(king", "king * man", ""])
def test_what_is_not_well_formed_is_refused_with_an_example(text):
    with pytest.raises(QueryError, match="king - man"):
        parse_formula(text, VECTORS)


def test_terms_that_cancel_out_are_refused():
    with pytest.raises(QueryError, match="cancel"):
        parse_formula("king - king", VECTORS)


def test_the_reading_is_told():
    assert parse_formula("king-man + 2*woman", VECTORS).text == "king − man + 2·woman"
