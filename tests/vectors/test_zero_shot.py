"""Labels by words: the most similar class wins, and chance is told beside the accuracy."""

import numpy as np
import pytest

from core.errors import ParameterError
from vectors.zero_shot import agreement, zero_shot

CLASSES = np.array([[1, 0], [0, 2]], np.float32)


def test_the_class_of_the_largest_cosine_wins_whatever_the_lengths():
    found = zero_shot(np.array([[9, 1], [0.1, 0.2], [5, 5]], np.float32), CLASSES, scale=1)
    assert found.best.tolist() == [0, 1, 0]  # a tie goes to the class that was named first
    cosines = np.array([9, 1]) / np.sqrt(82)
    expected = np.exp(cosines[0]) / np.exp(cosines).sum()
    assert found.probability[0] == pytest.approx(expected, rel=1e-5)
    assert found.margin[0] == pytest.approx(cosines[0] - cosines[1], rel=1e-5)
    assert found.probability[2] == pytest.approx(0.5)


def test_many_rows_give_what_one_matrix_product_gives():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(20_000, 8)).astype(np.float32)
    classes = rng.normal(size=(5, 8)).astype(np.float32)
    found = zero_shot(vectors, classes, scale=30)
    units = [m / np.linalg.norm(m, axis=1, keepdims=True) for m in (vectors, classes)]
    logits = 30 * units[0] @ units[1].T
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(found.best, soft.argmax(axis=1))
    np.testing.assert_allclose(found.probability, soft.max(axis=1), rtol=1e-4)


def test_one_class_a_zero_vector_and_a_steep_softmax_give_finite_numbers():
    found = zero_shot(np.zeros((3, 2), np.float32), CLASSES[:1])
    assert found.probability.tolist() == [1, 1, 1]
    steep = zero_shot(np.array([[1, 0]], np.float32), CLASSES, scale=1e6)
    assert steep.probability[0] == 1
    for n in (0, 201):
        with pytest.raises(ParameterError, match=f"got {n}"):
            zero_shot(CLASSES, np.ones((n, 2), np.float32))


def test_agreement_counts_items_whose_label_is_a_class_and_tells_chance():
    given = ["Cat", "cat", "dog", "dog", "dog", "cat"]
    own = ["cat", "CAT ", "cat", "dog", None, "bird"]
    found = agreement(given, own, ["Cat", "dog"])
    assert (found.n, found.accuracy) == (4, 0.75)
    assert found.chance == pytest.approx(0.5 * 0.75 + 0.5 * 0.25)
    assert found.most_frequent == 0.75
    assert agreement(given, ["x"] * 6, ["Cat", "dog"]) is None
