"""Groups and clusters of a pair: how weak a group is, and which regroupings are worth a row."""

from types import SimpleNamespace

import numpy as np

from comparison.cluster_match import match_clusters
from components.compare_pair_clusters import beyond_chance, regroups_words
from components.compare_pair_groups import groups_words, is_weak, strength_words
from components.figures.cluster_flows import cluster_flows


def group(inside, outside):
    return SimpleNamespace(percentile=(inside, outside))


def test_a_group_hardly_more_alike_in_one_embedding_is_called_weak():
    mode = SimpleNamespace(together_in=0, beyond_chance=True, groups=[group(0.84, 0.58)])
    other = SimpleNamespace(together_in=1, beyond_chance=True, groups=[group(0.5, 0.99)])
    assert is_weak(mode.groups[0], mode)
    assert strength_words(mode.groups[0], mode).startswith("A weak difference")
    assert not is_weak(other.groups[0], other)
    torn = SimpleNamespace(modes=(mode, other), n=400, n_permutations=19, seed=0)
    assert groups_words(torn).startswith("2 groups beyond chance, 1 of them weak.")
    torn.modes = (other,)
    assert groups_words(torn).startswith("1 group beyond chance. ")


def test_only_groups_that_independent_clusters_would_not_give_regroup():
    rng = np.random.default_rng(0)
    first = rng.integers(5, size=400)
    match = match_clusters(first, rng.integers(5, size=400))
    n = len(match.regroupings)
    assert n == 20
    assert len(beyond_chance(match.regroupings)) <= 2
    second = first.copy()
    second[np.flatnonzero(first == 0)[:30]] = 1  # thirty go from the first cluster to the second
    flows = beyond_chance(match_clusters(first, second).regroupings)
    assert [(flow.first, flow.second, flow.n) for flow in flows] == [(0, 1, 30)]
    assert "1 of 4 such groups" in regroups_words(1, 4)
    assert "every cluster has its partner" in regroups_words(0, 0)
    assert "No group that stands out: the 4" in regroups_words(0, 4)


def test_partners_have_one_colour():
    counts = np.array([[30, 10, 0], [0, 60, 5]])
    figure = cluster_flows(
        ["a", "b"], ["c", "d", "e"], counts, titles=("LSA", "BERT"), partners=[1, 0, None]
    )
    node = figure.data[0].node.color
    assert node[2] == node[1]
    assert node[3] == node[0]
    assert node[4] not in node[:2]
