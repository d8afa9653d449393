"""One layout laid onto another: what is undone exactly, what is never bent."""

import numpy as np
import pytest

from core.errors import ParameterError
from projection.align import align_layout


def a_layout(n=60, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_mirrored_scaled_and_shifted_copy_comes_back(dims, mirrored):
    onto = a_layout(d=dims)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(dims, dims)))[0]
    turn[:, 0] *= -1 if mirrored == (np.linalg.det(turn) > 0) else 1
    assert (np.linalg.det(turn) < 0) == mirrored
    aligned = align_layout(onto @ turn * 7.5 + 3, onto)
    np.testing.assert_allclose(aligned.coordinates, onto, atol=1e-4)
    assert aligned.similarity == pytest.approx(1)


def test_distances_keep_their_proportions_and_the_size_is_that_of_the_other():
    layout, onto = a_layout(seed=2), 40 * a_layout(seed=3)
    aligned = align_layout(layout, onto)
    before = np.linalg.norm(layout[1:] - layout[0], axis=1)
    after = np.linalg.norm(aligned.coordinates[1:] - aligned.coordinates[0], axis=1)
    np.testing.assert_allclose(after / before, (after / before)[0], rtol=1e-4)
    assert aligned.coordinates.std(axis=0).sum() == pytest.approx(onto.std(axis=0).sum(), rel=0.2)
    np.testing.assert_allclose(
        ((aligned.coordinates - aligned.coordinates.mean(0)) ** 2).sum(),
        ((onto - onto.mean(0)) ** 2).sum(),
        rtol=1e-4,
    )
    assert aligned.similarity < 0.5


def test_no_other_turn_fits_better():
    layout, onto = a_layout(seed=4), a_layout(seed=5)
    aligned = align_layout(layout, onto).coordinates
    best = ((aligned - onto) ** 2).sum()
    for angle in np.linspace(0.1, 6.2, 25):
        c, s = np.cos(angle), np.sin(angle)
        turned = (aligned - aligned.mean(0)) @ [[c, -s], [s, c]] + aligned.mean(0)
        assert ((turned - onto) ** 2).sum() > best


def test_shared_items_decide_and_the_others_go_along():
    onto = a_layout()
    layout = np.vstack([5 * onto[::-1], [[100, 0]]]) @ [[0, 1], [1, 0]]
    here, there = np.arange(60), np.arange(60)[::-1]
    aligned = align_layout(layout, onto, (here, there))
    np.testing.assert_allclose(aligned.coordinates[:60], onto[::-1], atol=1e-4)
    np.testing.assert_allclose(aligned.coordinates[60], [20, 0], atol=1e-4)
    assert aligned.n_shared == 60


def test_one_point_and_misfits():
    aligned = align_layout(np.full((5, 2), 3.0), a_layout(5))
    np.testing.assert_allclose(
        aligned.coordinates, a_layout(5).mean(0)[None].repeat(5, 0), atol=1e-6
    )
    assert aligned.similarity == 0
    with pytest.raises(ParameterError, match="common frame"):
        align_layout(a_layout(), a_layout(d=3))
    with pytest.raises(ParameterError, match="which are the same"):
        align_layout(a_layout(5), a_layout(6))
    with pytest.raises(ParameterError, match="at least one"):
        align_layout(a_layout(5), a_layout(6), (np.array([], int), np.array([], int)))
