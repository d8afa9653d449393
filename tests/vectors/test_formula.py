import numpy as np
import pytest

from core.errors import QueryError, UnknownKey
from vectors import KeyedVectors, VectorIndex, is_formula, parse_formula, search_formula
from vectors.formula import is_plain_sum

# Columns: royal, male, female, place. Lengths differ, so that normalising matters.
WORDS = {
    "king": [3, 3, 0, 0],
    "queen": [5, 0, 5, 0],
    "man": [0, 2, 0, 0],
    "woman": [0, 0, 7, 0],
    "palace": [1, 0, 0, 1],
    "new york": [0, 0, 0, 4],
    "york": [0, 1, 0, 4],
    "state": [1, 0, 1, 1],
    "state-of-the-art": [0, 1, 1, 1],
    "art": [1, 1, 1, 0],
    "C++": [0, 1, 0, 1],
}


def words(metric="cosine"):
    return KeyedVectors(list(WORDS), np.array(list(WORDS.values()), float), metric=metric)


def unit(key):
    vector = np.array(WORDS[key], dtype=float)
    return vector / np.linalg.norm(vector)


def test_king_minus_man_plus_woman_is_queen():
    index = VectorIndex(words())
    found = search_formula(index, "king - man + woman", 3)
    assert found.keys[0] == "queen"
    assert not {"king", "man", "woman"} & set(found.keys)


def test_words_are_scaled_to_unit_length_under_cosine_only():
    formula = parse_formula("king - man + woman", words())
    expected = unit("king") - unit("man") + unit("woman")
    np.testing.assert_allclose(formula.vector, expected, atol=1e-6)
    assert formula.used_keys == ("king", "man", "woman")
    raw = parse_formula("king - man + woman", words("euclidean"))
    assert raw.vector.tolist() == [3, 1, 7, 0]


@pytest.mark.parametrize("metric", ["dot", "euclidean"])
def test_the_metric_of_the_search_decides_about_scaling_not_that_of_the_vectors(metric):
    raw = parse_formula("king - man + woman", words("cosine"), metric=metric)
    assert raw.vector.tolist() == [3, 1, 7, 0]
    scaled = parse_formula("king - man + woman", words(metric), metric="cosine")
    expected = unit("king") - unit("man") + unit("woman")
    np.testing.assert_allclose(scaled.vector, expected, atol=1e-6)


def test_a_formula_as_text_is_computed_under_the_metric_of_the_index():
    rows = [[8, 0, 0], [0, 1, 0], [8, -1, 0], [1, -1, 0]]
    vectors = KeyedVectors(["far", "one", "difference", "of units"], np.array(rows, float))
    found = search_formula(VectorIndex(vectors, metric="euclidean"), "far - one", 2)
    assert found.keys == ("difference", "of units")
    assert found.scores[0] == 0


def numbered():
    """Return two documents and the words "1" and "king"; only the word "1" points upwards."""
    return KeyedVectors(
        ["1", "2", "1", "king"],
        [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 1]],
        kinds=["document", "document", "word", "word"],
        metric="dot",
    )


def test_a_key_that_is_a_word_and_a_document_is_the_word():
    formula = parse_formula("king + 1", numbered())
    assert formula.vector.tolist() == [1, 1, 1]
    assert formula.used_kinds == ("word", "word")
    assert parse_formula("2", numbered()).used_kinds == ("document",)
    assert parse_formula('"1"', numbered()).vector.tolist() == [0, 1, 0]


def test_a_document_called_like_a_word_of_the_formula_is_still_found():
    documents = VectorIndex(numbered().of_kind("document"))
    formula = parse_formula("king + 1", numbered())
    assert set(search_formula(documents, formula, 2).keys) == {"1", "2"}
    everything = search_formula(VectorIndex(numbered()), formula, 4)
    assert list(zip(everything.keys, everything.kinds, strict=True)) == [
        ("1", "document"),
        ("2", "document"),
    ]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Fed raises rates - markets fall", True),
        ("king-man+woman", True),
        ("2*king - man", False),
        ("king - 0.5 * man", False),
        ("king - (man + woman)", False),
        ('"new york" - king', False),
    ],
)
def test_a_sum_without_weights_parentheses_and_quotes_is_plain(text, plain):
    assert is_plain_sum(text) is plain


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("king", {"king": 1}),
        ("-king", {"king": -1}),
        ("king−man", {"king": 1, "man": -1}),
        ("king-man+woman", {"king": 1, "man": -1, "woman": 1}),
        ("0.5*king - 2 * man", {"king": 0.5, "man": -2}),
        (".5·king", {"king": 0.5}),
        ("2*(king - man) - (woman - queen)", {"king": 2, "man": -2, "woman": -1, "queen": 1}),
        ("king + king", {"king": 2}),
        ("new york - king", {"new york": 1, "king": -1}),
        ('"new york"-king', {"new york": 1, "king": -1}),
        ("“new york” + man", {"new york": 1, "man": 1}),
        ("state-of-the-art - art", {"state-of-the-art": 1, "art": -1}),
        ("state-art", {"state": 1, "art": -1}),
        ("king - C++", {"king": 1, "C++": -1}),
        ("C+++man", {"C++": 1, "man": 1}),
    ],
)
def test_formula_is_read_as_written(text, weights):
    formula = parse_formula(text, words())
    expected = sum(weight * unit(key) for key, weight in weights.items())
    np.testing.assert_allclose(formula.vector, expected, atol=1e-6)
    assert set(formula.used_keys) == set(weights)


@pytest.mark.parametrize("text", ['0.5*king - man + "new york"', "king", "-king + 2*woman"])
def test_the_text_of_a_formula_is_the_same_formula(text):
    formula = parse_formula(text, words())
    again = parse_formula(formula.text, words())
    np.testing.assert_array_equal(again.vector, formula.vector)
    assert again.text == formula.text


def test_unknown_word_names_near_misses():
    with pytest.raises(UnknownKey, match=r'"quen" has no vector. Similar: queen') as error:
        parse_formula("king - quen", words())
    assert error.value.suggestions == ("queen",)
    with pytest.raises(UnknownKey, match='"old york"'):
        parse_formula('"old york" - king', words())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a word is missing at position 1"),
        ("king -", "a word is missing"),
        ("king - + man", "a word is missing"),
        ("(king - man", "parenthesis is not closed"),
        ("king) - man", "unexpected “\\)”"),
        ("king man", "unexpected “m”"),
        ("king - king", "cancel out"),
        ("(" * 30 + "king" + ")" * 30, "too many parentheses"),
        ("king + " * 400 + "man", "1,000 characters"),
    ],
)
def test_what_cannot_be_read_is_said(text, message):
    with pytest.raises(QueryError, match=message):
        parse_formula(text, words())


@pytest.mark.parametrize(
    "text",
    [
        "king - man + woman",
        "king+queen",
        "0.5*king",
        "-king + man",
        "a −  b",
        "2 * (x - y)",
        "(a) - b",
    ],
)
def test_arithmetic_is_recognised(text):
    assert is_formula(text)


@pytest.mark.parametrize(
    "text",
    [
        "king",
        "state-of-the-art",
        "",
        "slow delivery",
        "-",
        "a well-known trick",
        "price 3-5 EUR",
        "C++",
    ],
)
def test_ordinary_texts_are_no_formula(text):
    assert not is_formula(text)


def test_search_respects_a_filter_and_keeps_the_words_out():
    index = VectorIndex(words())
    mask = np.isin(list(WORDS), ["king", "palace", "york"])
    found = search_formula(index, parse_formula("king - man", words()), 5, where=mask)
    assert set(found.keys) == {"palace", "york"}
    with pytest.raises(QueryError, match="Only the words of the formula"):
        search_formula(index, "king - man", 5, where=np.isin(list(WORDS), ["king"]))


def test_formula_over_words_searches_documents():
    documents = KeyedVectors(["d1", "d2"], [[1, 0, 1, 0], [0, 0, 0, 1]])
    found = search_formula(VectorIndex(documents), parse_formula("king - man + woman", words()), 2)
    assert found.keys == ("d1", "d2")


def test_approximate_index_leaves_the_words_out_too():
    rng = np.random.default_rng(0)
    vectors = KeyedVectors([f"w{i}" for i in range(3_000)], rng.normal(size=(3_000, 8)))
    found = search_formula(VectorIndex(vectors, exact=False), "w1 + w2", 10)
    assert len(found) == 10
    assert not {"w1", "w2"} & set(found.keys)
    assert not found.exact
