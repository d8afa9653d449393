"""Groups that one space keeps together: planted ones, laws, noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparison.group_captions import GroupCaptions
from comparison.kernel_difference import ExchangeTest, difference_modes, kernel_features
from comparison.torn_groups import torn_groups
from core.errors import ParameterError

N, D = 300, 16
GROUP = np.arange(N) % 6


def noise(n, d, seed):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def clusters(of, seed):
    return (6 * noise(8, D, 0)[of] + noise(N, D, seed)).astype(np.float32)


def split(group=0, into=6):
    """Return the clusters with half of one of them elsewhere."""
    of = GROUP.copy()
    of[np.flatnonzero(group == GROUP)[25:]] = into
    return of


def test_a_group_that_the_second_space_splits_is_found_with_its_parts_and_words():
    texts = [f"word{g} thing the" for g in GROUP]
    torn = np.flatnonzero(GROUP == 0)
    for row in torn[25:]:
        texts[row] += " extra"
    captions = GroupCaptions([f"class {g}" for g in GROUP], texts)
    found = torn_groups(clusters(GROUP, 1), clusters(split(), 2), captions=captions)
    mode = found.kept_by(0)[0]
    assert mode.eigenvalue > 0
    assert mode.beyond_chance
    group = mode.groups[0]
    assert set(group.rows) >= set(torn)
    assert len(group.rows) <= 55
    assert group.cosine[0] > group.cosine[1] + 0.2
    assert group.percentile[0] > group.percentile[1]
    halves = [set(torn[:25]), set(torn[25:])]
    assert all(any(len(set(part) & half) >= 24 for part in group.parts) for half in halves)
    assert group.caption.labels[0].label == "class 0"
    assert group.caption.labels[0].lift > 5
    assert group.caption.terms[0].term == "word0"
    # The parts are told apart from each other, not from all items.
    assert [[t.term for t in c.terms] for c in group.part_captions].count(["extra"]) == 1


def test_the_other_way_round_the_direction_turns():
    one = torn_groups(clusters(GROUP, 1), clusters(split(), 2), n_permutations=1)
    other = torn_groups(clusters(split(), 2), clusters(GROUP, 1), n_permutations=1)
    assert one.kept_by(0)[0].eigenvalue == pytest.approx(-other.kept_by(1)[0].eigenvalue, rel=1e-4)
    assert set(one.kept_by(0)[0].groups[0].rows) == set(other.kept_by(1)[0].groups[0].rows)


def test_two_differences_are_both_found_real():
    merged = clusters(split(), 2)
    merged[GROUP == 3] = clusters(np.full(N, 2), 3)[GROUP == 3]
    found = torn_groups(clusters(GROUP, 1), merged)
    real = [mode for mode in found.modes if mode.beyond_chance]
    kept = [set(np.unique(GROUP[g.rows])) for m in real for g in m.groups if m.together_in == 1]
    assert {2, 3} in kept
    torn = [g.rows for m in real for g in m.groups if m.together_in == 0]
    assert any((GROUP[rows] == 0).mean() > 0.9 for rows in torn)


@given(st.integers(0, 1_000), st.floats(0.1, 30), st.floats(-9, 9))
@settings(max_examples=6, deadline=None)
def test_a_turned_shifted_scaled_space_has_no_modes(seed, scale, shift):
    turn = np.linalg.qr(noise(D + 3, D + 3, seed))[0]
    x = clusters(GROUP, seed)
    y = (np.hstack([x, np.zeros((N, 3))]) @ turn * scale + shift).astype(np.float32)
    assert torn_groups(x, y).modes == ()


def test_modes_of_jitter_and_of_noise_are_called_so():
    x = clusters(GROUP, 1)
    for one, other in (
        (x + noise(N, D, 5), x + noise(N, D, 6)),
        (noise(N, 20, 1), noise(N, 20, 2)),
        (noise(60, 40, 3), noise(60, 40, 4)),
    ):
        found = torn_groups(one, other)
        assert found.modes
        assert not any(mode.beyond_chance for mode in found.modes)


def test_a_space_that_is_merely_noisier_tears_nothing():
    """By plain exchanges of places all three would count; a torn group still does."""
    n, d, n_found = 400, 20, 0
    for seed in (0, 1, 2):
        base = noise(n, d, seed) * np.linspace(2, 0.3, d) + 2 * noise(8, d, seed + 9)[
            np.random.default_rng(seed).integers(8, size=n)
        ]  # fmt: skip
        x, y = (base + s * noise(n, d, seed + i) for i, s in ((20, 0.3), (30, 1.5)))
        n_found += any(mode.beyond_chance for mode in torn_groups(x, y, seed=seed).modes)
        test = ExchangeTest(x, y, seed=seed)
        assert test.weight < 0.25, "nearly all noise is in the second"
        assert test.scale == pytest.approx(1, abs=0.2)
    assert n_found == 0
    found = torn_groups(clusters(GROUP, 1), clusters(split(), 2) + noise(N, D, 7))
    assert any(mode.beyond_chance and mode.groups for mode in found.kept_by(0))


def test_modes_are_those_of_the_full_matrix():
    x, y = (kernel_features(noise(40, d, d)) for d in (5, 7))
    found = difference_modes(x, y, 5)
    full = (x.astype(float) @ x.T - y.astype(float) @ y.T) / 40
    values = np.linalg.eigvalsh(full)
    np.testing.assert_allclose(found.values[:3], values[::-1][:3], atol=1e-6)
    np.testing.assert_allclose(found.values[-3:], values[:3][::-1], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found.loadings, axis=0), 1, atol=1e-4)
    np.testing.assert_allclose(
        full @ found.loadings[:, 0], found.values[0] * found.loadings[:, 0], atol=1e-5
    )


def test_equal_items_leave_nothing_to_exchange():
    x = kernel_features(noise(60, 5, 0))
    assert ExchangeTest(x, x, n_permutations=3)(np.ones(60, bool)).observed < 1e-6
    nothing = np.zeros((60, 5), np.float32)
    test = ExchangeTest(nothing, nothing, n_permutations=3)
    assert test(np.ones(60, bool))[:3] == (0, 0, 1)
    assert test(np.zeros(60, bool)).p == 1


def test_order_of_items_does_not_matter():
    x, y = clusters(GROUP, 1), clusters(split(), 2)
    order = np.random.default_rng(0).permutation(N)
    one = torn_groups(x, y, n_permutations=1).kept_by(0)[0]
    other = torn_groups(x[order], y[order], n_permutations=1).kept_by(0)[0]
    assert other.eigenvalue == pytest.approx(one.eigenvalue, rel=1e-4)
    assert set(order[other.groups[0].rows]) == set(one.groups[0].rows)


def test_captions_count_texts_and_leave_out_what_says_nothing():
    texts = ["red apple", "red pear", "red plum 7", "blue sea", "blue sky", "the blue of red"]
    labels = ["fruit", "fruit", None, "sky", "sky", "sky"]
    caption = GroupCaptions(labels, texts).of(np.array([0, 1, 2]))
    assert [term.term for term in caption.terms] == ["red"]
    assert caption.terms[0][1:4] == (3, 1.0, pytest.approx(1.5))
    assert caption.labels == (("fruit", 2, 1.0, 2.5),)
    assert GroupCaptions().of(np.array([0])) == ((), ())
    assert GroupCaptions([None] * 2, [""] * 2).of(np.array([0, 1])) == ((), ())


def test_too_few_items_are_told():
    with pytest.raises(ParameterError, match="at least 50"):
        torn_groups(noise(49, 3, 0), noise(49, 3, 1))
    with pytest.raises(ParameterError, match="same items"):
        torn_groups(noise(60, 3, 0), noise(59, 3, 1))
