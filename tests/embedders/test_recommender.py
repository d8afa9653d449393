"""Two towers for users and items: what they learn, what they say of it, and odd interactions."""

from __future__ import annotations

import dataclasses
import resource

import numpy as np
import pandas as pd
import pytest
from small_datasets import small

from core.errors import DatasetError, EmbedscopeError, UnknownKey
from core.modality import Modality
from core.progress import quiet
from embedders import get_embedder
from embedders.interactions import (
    counts,
    rating_scale,
    read_interactions,
    read_item_features,
)
from embedders.recommendation_baselines import AlsSettings, fit_als, popularity
from embedders.recommendation_trial import Trial
from embedders.tower_training import Recipe, Towers
from ingest.dataset import Dataset, Edges
from ingest.sides import Sides
from vectors.ranking import ItemSets


def interactions(users, items, weights=None, *, n_users=None, n_items=None, columns=None):
    users, items = np.asarray(users), np.asarray(items)
    n_users = n_users or int(users.max()) + 1
    n_items = n_items or int(items.max()) + 1
    sides = Sides(("user", "item"), (None, None), n_users)
    n = n_users + n_items
    frame = pd.DataFrame({"side": sides.kinds(n)})
    roles = {"side": "label"}
    for name, (role, values) in (columns or {}).items():
        frame[name] = [None] * n_users + list(values)
        roles[name] = role
    weights = np.ones(len(users)) if weights is None else np.asarray(weights, float)
    return Dataset(
        "clicks",
        Modality.INTERACTIONS,
        tuple([f"u{i}" for i in range(n_users)] + [f"i{i}" for i in range(n_items)]),
        None,
        frame,
        roles,
        edges=Edges(
            users.astype(np.int32),
            (items + n_users).astype(np.int32),
            weights.astype(np.float32),
            True,
        ),
        sides=sides,
    )


def two_tastes(seed=0, n_users=60, n_items=40, each=10):
    """Return users of two tastes, who choose among the items of their half alone."""
    rng = np.random.default_rng(seed)
    half = n_items // 2
    pairs = [
        (user, item + half * (user % 2))
        for user in range(n_users)
        for item in rng.permutation(half)[:each]
    ]
    return interactions(*np.array(pairs).T)


def towers(**params):
    return get_embedder("user_item_towers", **{"dim": 16, "baselines": False, **params})


def test_users_lie_near_the_items_of_their_taste_and_recommendations_are_better_than_popular():
    data = two_tastes(n_items=160, each=24)
    vectors = towers(baselines=True, epochs=12).fit(data).vectors(data)
    assert vectors.kind_names == ("user", "item")
    np.testing.assert_allclose(np.linalg.norm(vectors.matrix, axis=1), 1, atol=1e-5)
    scores = vectors.of_kind("user").matrix @ vectors.of_kind("item").matrix.T
    of_taste = np.arange(60)[:, None] % 2 == (np.arange(160) >= 80)
    assert scores[of_taste].mean() > scores[~of_taste].mean() + 0.3
    about = vectors.provenance["recommendation"]
    recall = {row["name"]: row["recall"][0] for row in about["rows"]}
    ours = recall[about["rows"][0]["name"]]
    assert ours > recall["Most popular"] + 0.1
    assert recall["Implicit ALS"] > recall["Most popular"] + 0.1
    assert recall["Most popular"] > recall["Chance"]
    assert about["n_users"] == 60
    assert about["als"]["tuned"]
    low, high = about["rows"][0]["recall"][1:]
    assert low <= ours <= high
    against = {row["name"]: row["recall"][0] for row in about["differences"]}
    assert against["Most popular"] == pytest.approx(ours - recall["Most popular"], abs=2e-5)
    assert sum(group["n_users"] for group in about["groups"]) == 60


def test_the_held_out_recall_begins_before_training_and_tells_the_epoch_that_was_kept():
    data = two_tastes()
    about = towers(epochs=30).fit(data).vectors(data).provenance
    held = about["held_out"]
    assert held["values"][0] == held["before"]
    assert len(held["values"]) == len(about["losses"]) + 1
    assert held["values"][held["kept"]] == max(held["values"][1:])
    assert max(held["values"]) > held["before"]
    assert 0 < held["chance"] < 1
    assert about["losses"][-1] < about["losses"][0]


def test_what_was_held_out_is_learnt_from_only_in_the_second_training():
    """A user whose one choice of the other taste is held out knows of it only after a refit."""
    data = two_tastes()
    once, again = (towers(refit=refit, seed=1).fit(data).vectors(data) for refit in (False, True))
    assert once.provenance["held_out"] == again.provenance["held_out"]
    assert once.matrix.tobytes() != again.matrix.tobytes()
    assert any("second training on all 600" in note for note in again.provenance["notes"])
    assert not any("second training" in note for note in once.provenance["notes"])


def test_without_a_held_out_share_every_epoch_is_trained_and_nothing_is_claimed():
    data = two_tastes()
    about = towers(held_out=0.0, epochs=4).fit(data).vectors(data).provenance
    assert len(about["losses"]) == 4
    assert "recommendation" not in about
    assert "held_out" not in about
    assert any("no figures" in note for note in about["notes"])


def test_a_sampled_softmax_learns_the_same_tastes():
    data = two_tastes()
    vectors = towers(softmax="sampled", epochs=40).fit(data).vectors(data)
    scores = vectors.of_kind("user").matrix @ vectors.of_kind("item").matrix.T
    of_taste = np.arange(60)[:, None] % 2 == (np.arange(40) >= 20)
    assert scores[of_taste].mean() > scores[~of_taste].mean() + 0.3


def test_a_sampled_loss_is_that_over_all_items_where_the_sample_holds_them_all():
    """The correction is the chance of being in the sample: 1 for what is always there."""
    data = two_tastes(n_users=20)
    seen = read_interactions(data, 0).sets()
    none = ItemSets(np.zeros(41, np.int64), np.empty(0, np.int32))
    losses = [
        next(Towers(seen, 40, none, 0, Recipe(8, False, 0.2, 0.0, 0.01, n, 0)).epoch())[1]
        for n in (None, 100_000)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_films_of_a_genre_help_an_item_that_nobody_has_chosen():
    data = two_tastes()
    genres = ["Comedy|Short" if i < 20 else "Drama|Long" for i in range(40)]
    keep = ~np.isin(data.edges.target - 60, [3, 23])  # of either genre, one with no user
    users, items = data.edges.source[keep], data.edges.target[keep] - 60
    data = interactions(users, items, n_items=40, columns={"genres": ("categorical", genres)})
    vectors = towers().fit(data).vectors(data).of_kind("item")
    cosines = vectors.matrix @ vectors.matrix.T
    assert cosines[3, :20].mean() > cosines[3, 20:].mean()
    assert cosines[23, 20:].mean() > cosines[23, :20].mean()


def test_features_are_the_values_of_lists_and_the_words_of_texts_that_tell_items_apart():
    data = interactions(
        [0, 0, 0],
        [0, 1, 2],
        columns={
            "genres": ("categorical", ["Drama|Comedy", "Drama", "Comedy"]),
            "title": ("text", ["Alien (1979)", "Aliens (1986)", "Manhattan (1979)"]),
            "kind": ("label", ["film", "film", "film"]),
            "price": ("numeric", [1.0, 2.0, 3.0]),
        },
    )
    found = read_item_features(data)
    assert set(found.names) == {"genres: Drama", "genres: Comedy", "title: 1979"}
    names = [{found.names[f] for f in found.of_items[item]} for item in range(3)]
    assert names[1] == {"genres: Drama"}
    assert names[2] == {"genres: Comedy", "title: 1979"}
    assert "genres, title" in found.notes[0]


def test_weights_of_zero_below_or_too_light_do_not_count_and_repeats_count_once():
    data = interactions([0, 0, 0, 1, 1, 1, 1], [0, 1, 2, 0, 0, 1, 2], [5, 0, -2, 1, 4, 3, np.nan])
    everything = read_interactions(data, 0)
    assert list(zip(everything.users, everything.items, strict=True)) == [(0, 0), (1, 0), (1, 1)]
    assert everything.notes == (
        "3 interactions with a weight of zero or below are not learnt from.",
        "1 interactions that repeat a pair were counted once.",
        "Weights from 1 to 5 count alike; a higher least weight learns from the heavier ones only.",
    )
    liked = read_interactions(data, 4)
    assert list(zip(liked.users, liked.items, strict=True)) == [(0, 0), (1, 0)]
    assert "2 interactions with a weight below 4 are not learnt from." in liked.notes
    with pytest.raises(DatasetError, match="largest is 5"):
        read_interactions(data, 6)


def test_ratings_of_zero_and_below_are_hidden_and_learnt_from_below_zero_only():
    data = interactions([0, 0, 0, 1, 1], [0, 1, 2, 0, 3], [2, 0, -1, -2, 1])
    for least, learnt, hidden in (
        (0, [(0, 0), (1, 3)], [[1, 2], [0]]),
        (-0.5, [(0, 0), (0, 1), (1, 3)], [[2], [0]]),
        (-1, [(0, 0), (0, 1), (0, 2), (1, 3)], [[], [0]]),
    ):
        found = read_interactions(data, least)
        assert list(zip(found.users, found.items, strict=True)) == learnt
        assert [found.others[user].tolist() for user in (0, 1)] == hidden
    assert read_interactions(data, -2).others is None
    disliked = interactions([0, 1], [0, 1], [-3, -2])
    with pytest.raises(DatasetError, match="must be at least -1; the largest is -2"):
        read_interactions(disliked, -1)
    with pytest.raises(DatasetError, match="above 0 and at least 0"):
        read_interactions(disliked, 0)


def test_what_a_user_rated_low_is_neither_learnt_from_nor_listed_when_recommenders_are_judged():
    """As the app hides what a user has had: two dozen known items leave no room for others."""
    low = np.arange(6, 30)
    data = interactions(
        [*[0] * 6, *[0] * 24, *[1] * 6],
        [*range(6), *low, *range(6)],
        [*[5] * 6, *[2] * 24, *[5] * 6],
        n_items=40,
    )
    counted = read_interactions(data, 4)
    assert counted.sets()[0].tolist() == list(range(6))
    assert counted.others[0].tolist() == low.tolist()
    part = np.tile([0, 0, 1, 1, 2, 2], 2).astype(np.int8)
    trial = Trial(counted, part, 0)
    best_known_first = np.where(np.isin(np.arange(40), low), 2, np.arange(40) < 6)

    def score(users):
        return np.tile(best_known_first, (len(users), 1)).astype(np.float32)

    assert trial.stopping_recall(score) == 0.5  # the second user does not know them
    vectors = np.ones((2, 1), np.float32), best_known_first[:, None].astype(np.float32)
    judged = trial.judged("ours", *vectors, quiet, with_als=False)
    assert [row["recall"][0] for row in judged["rows"][:2]] == [0.5, 1.0]
    chance = (1 + 20 / 36) / 2  # 12 items left for the first user, 36 for the other
    assert judged["rows"][2]["recall"][0] == pytest.approx(chance, abs=1e-4)


def test_a_user_and_an_item_are_asked_for_by_id_with_near_ones_for_others():
    data = small(Modality.INTERACTIONS)
    embedder = towers(epochs=2).fit(data)
    vectors = embedder.vectors(data)
    for key in (data.ids[0], data.ids[-1]):
        assert embedder.embed_query(key).tobytes() == vectors[key].tobytes()
    with pytest.raises(UnknownKey, match="Similar") as caught:
        embedder.embed_query("item 99")
    assert caught.value.suggestions


ODD = {
    "one user, one item": ([0], [0], None),
    "one interaction each": (range(6), range(6), None),
    "items nobody else has": (np.repeat(range(5), 4), range(20), None),
    "two users": ([0, 0, 0, 1, 1, 1], [0, 1, 2, 1, 2, 3], None),
    "the same pair again and again": ([0] * 9 + [1], [0] * 9 + [1], None),
    "one item for all": (range(30), [0] * 30, None),
    "everything chosen by all": (np.repeat(range(6), 5), list(range(5)) * 6, None),
    "weights all alike": (np.repeat(range(6), 5), np.arange(30) % 11, [3.5] * 30),
    "mostly not positive": ([0, 0, 1, 1], [0, 1, 0, 1], [-1, 2, 0, 3]),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("softmax", ["full", "sampled"])
def test_odd_interactions_give_unit_vectors_or_one_sentence(name, softmax):
    data = interactions(*ODD[name])
    try:
        vectors = towers(softmax=softmax, epochs=3, baselines=True).fit(data).vectors(data)
    except EmbedscopeError as error:
        if not str(error).endswith("."):
            raise
        return
    assert vectors.keys == data.ids
    np.testing.assert_allclose(np.linalg.norm(vectors.matrix, axis=1), 1, atol=1e-5)
    for row in vectors.provenance.get("recommendation", {}).get("rows", []):
        assert np.isfinite(row["recall"] + row["ndcg"]).all()


def test_no_interaction_at_all_is_refused_in_one_sentence():
    data = interactions([0], [0])
    nothing = np.empty(0, np.int32)
    empty = dataclasses.replace(data, edges=Edges(nothing, nothing, np.empty(0, np.float32), True))
    with pytest.raises(DatasetError, match="no interaction"):
        towers().fit(empty)


def test_users_and_items_without_a_counted_interaction_are_told():
    data = interactions([0, 0, 1, 2], [0, 1, 1, 2], [5, 4, 4, 1])
    about = towers(least_weight=4, epochs=2).fit(data).vectors(data).provenance
    text = " ".join(about["notes"])
    assert "1 of 3 users have no interaction that counts" in text
    assert "1 of 3 items are in no interaction that counts" in text


def test_a_user_with_very_many_items_is_drawn_from_and_memory_stays_bounded():
    """A small part of what benchmarks/recommendation.py --large does."""
    rng = np.random.default_rng(0)
    m = 40_000
    items = (rng.random(m) ** 3 * 5_000).astype(np.int64)
    users = np.concatenate([np.zeros(3_000, np.int64), rng.integers(0, 8_000, m - 3_000)])
    data = interactions(users, items, n_users=8_000, n_items=5_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    vectors = towers(epochs=1, refit=False).fit(data).vectors(data)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert len(vectors) == 13_000
    assert grown < 500  # a dense matrix of users and items alone would be 160


def test_als_tells_tastes_apart_and_popularity_counts_users():
    seen = read_interactions(two_tastes(), 0).sets()
    model = fit_als(seen, 40, AlsSettings(factors=8, regularization=1.0))
    scores = model.score(np.arange(60))
    of_taste = np.arange(60)[:, None] % 2 == (np.arange(40) >= 20)
    assert scores[of_taste].mean() > 10 * abs(scores[~of_taste].mean())
    counts = popularity(seen, 40)(np.array([0, 5]))
    assert counts.shape == (2, 40)
    assert (counts[0] == np.bincount(seen.items, minlength=40)).all()


def test_ratings_are_told_from_counts_and_speak_for_an_item_above_their_mean():
    scale = rating_scale(np.array([1, 2, 3, 3, 4, 4, 5, 0, 0], np.float32))
    assert scale.values == (1, 2, 3, 4, 5)
    assert scale.n_from == (7, 6, 5, 3, 1)
    assert scale.mean == pytest.approx(22 / 7)
    assert scale.good == 4
    plays = np.array([1, 1, 1, 2, 2, 7], np.float32)  # the least is the most frequent
    assert rating_scale(plays) is None
    assert rating_scale(np.ones(3, np.float32)) is None
    assert rating_scale(np.arange(1, 30, dtype=np.float32)) is None
    assert rating_scale(np.empty(0, np.float32)) is None
    assert rating_scale(np.array([1, 2, 2, 3], np.float32), "count") is None
    stars = rating_scale(np.array([1, 1, 1, 5, 5, 4], np.float32), "rating")
    assert stars.good == 4


@pytest.mark.parametrize(
    ("weights", "kind", "values", "good", "leasts"),
    [
        ([-2, -2, -2, -1, 0, 1, 2], "", (-2, -1, 0, 1, 2), 0, [-2, -1, -0.5, 1, 2]),
        ([0, 0, 0, 3, 5, np.nan], "rating", (0, 3, 5), 3, [-1, 3, 5]),
        ([-3, -1], "rating", (-3, -1), -1, [-3, -1]),
        ([-1, 1, 1, 2, 3], "count", None, None, None),
    ],
)
def test_a_scale_of_ratings_reaches_to_zero_and_below(weights, kind, values, good, leasts):
    weights = np.array(weights, np.float32)
    scale = rating_scale(weights, kind)
    if values is None:
        assert scale is None
        return
    assert (scale.values, scale.good) == (values, good)
    assert [scale.least_from(value) for value in values] == leasts
    for value, least, n in zip(values, leasts, scale.n_from, strict=True):
        assert scale.lowest(least) == value
        assert counts(weights, least).sum() == n == (weights >= value).sum()
    assert scale.lowest(0) == next((v for v in values if v > 0), None)
    assert scale.lowest(9) is None
