"""What the recommend page knows of users and items, and the sentences it draws from figures."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from components.recommend_data import Recommender, shop_of
from components.recommend_fields import can_filter, is_list, parts_of, with_any
from components.recommend_lists import _how_many_count
from components.recommend_score import (
    figures_table,
    groups_table,
    verdicts,
    what_was_measured,
)
from core.modality import Modality
from embedders.interactions import rating_scale
from ingest.dataset import Dataset, Edges
from ingest.sides import Sides


@pytest.fixture
def shop():
    sides = Sides(("user", "item"), (None, None), 2)
    frame = pd.DataFrame(
        {
            "side": sides.kinds(5),
            "town": ["Ulm", "Bern", None, None, None],
            "title": [None, None, "Alien", "Brazil", None],
            "genres": [None, None, "Horror|Sci-Fi", "Sci-Fi", "Drama"],
        }
    )
    roles = {"side": "label", "town": "categorical", "title": "text", "genres": "categorical"}
    edges = Edges(
        np.array([0, 0, 1, 0], np.int32),
        np.array([2, 3, 3, 2], np.int32),
        np.array([3, 5, 4, 1], np.float32),
        True,
    )
    data = Dataset(
        "r", Modality.INTERACTIONS, ("1", "2", "i", "j", "k"), None, frame, roles, edges, sides
    )
    return shop_of(data)


def test_items_are_called_by_their_title_and_by_their_id_where_they_have_none(shop):
    assert shop.items.names.tolist() == ["Alien", "Brazil", "k"]
    assert shop.items.label(0) == "Alien · i"
    assert shop.items.label(2) == "k"
    assert list(shop.items.columns) == ["genres"]
    assert list(shop.users.columns) == ["town"]
    assert shop.users.names.tolist() == ["1", "2"]


def test_what_a_user_had_comes_heaviest_first_and_once(shop):
    items, weights = shop.of_user(0)
    assert items.tolist() == [1, 0]
    assert weights.tolist() == [5, 3]
    assert shop.weighted
    assert shop.items.seen.tolist() == [2, 2, 0]


def test_a_search_finds_titles_and_ids_exact_ones_first(shop):
    rows, n = shop.items.matching("bra", 10)
    assert (rows.tolist(), n) == ([1], 1)
    rows, n = shop.items.matching("I", 10)  # the id "i" before titles that contain it
    assert rows[0] == 0
    assert n == 2
    assert shop.items.matching("nothing like it", 10)[1] == 0
    assert shop.users.matching("", 1)[0].tolist() == [0]
    assert shop.users.matching("", 1)[1] == 2


def test_cells_with_several_values_are_filtered_by_any_of_them(shop):
    genres = shop.items.columns["genres"]
    assert is_list(genres)
    assert parts_of(genres) == ["Drama", "Horror", "Sci-Fi"]
    assert with_any(genres, ["Sci-Fi"]).tolist() == [True, True, False]
    assert with_any(genres, []).all()
    assert not with_any(pd.Series([None, "a"]), ["b"]).any()
    assert not is_list(pd.Series([1.5, 2.5]))
    assert not is_list(pd.Series(["one", None]))
    assert can_filter(genres, "text")
    assert not can_filter(pd.Series(["a sentence", "another"]), "text")
    assert not can_filter(pd.Series([f"{i}|{i + 1}" for i in range(500)]), "text")


def test_of_a_users_ratings_those_below_zero_are_told_apart(shop):
    scale = rating_scale(np.array([-1, 0, 1, 2], np.float32))
    rated = dataclasses.replace(shop, scale=scale)
    own = np.array([2, 0, -1], np.float32)
    for least, said in (
        (-1, ""),
        (-0.5, "; 2 of 0 and more count"),
        (0, "; 1 of 1 and more count"),
    ):
        asked = Recommender(SimpleNamespace(params={"least_weight": least}), rated)
        assert _how_many_count(asked, own) == said
    assert "none is 1 or more" in _how_many_count(asked, own[1:])


def figures(low, high):
    rows = [
        {"name": "Ours", "recall": [0.3, 0.28, 0.32], "ndcg": [0.2, 0.19, 0.21]},
        {"name": "ALS", "recall": [0.31, 0.29, 0.33], "ndcg": [0.22, 0.2, 0.24]},
    ]
    return {
        "k": 20,
        "n_users": 50,
        "n_users_with_any": 80,
        "n_held_out": 400,
        "rows": rows,
        "differences": [{"name": "ALS", "recall": [(low + high) / 2, low, high], "ndcg": []}],
        "groups": [
            {"from": 1, "to": 1, "n_users": 20, "recall": {"Ours": 0.4, "ALS": 0.3}},
            {"from": 2, "to": 1_500, "n_users": 30, "recall": {"Ours": 0.2, "ALS": 0.25}},
        ],
        "als": {"factors": 64, "regularization": 30.0, "alpha": 5.0, "tuned": True},
    }


def test_figures_are_shown_with_their_intervals_and_what_they_rest_on():
    table = figures_table(figures(-0.02, 0.01))
    assert table.iloc[0].tolist() == ["Ours", ".300", ".280 to .320", ".200", ".190 to .210"]
    said = what_was_measured(figures(0, 1))
    assert "50 users, drawn from 80" in said
    assert "400 interactions" in said
    assert "64 factors" in said
    groups = groups_table(figures(0, 1), "users")
    assert groups["users with"].tolist() == ["1 interaction", "2 to 1,500 interactions"]
    assert groups["Ours"].tolist() == [".400 ●", ".200"]
    assert groups["ALS"].tolist() == [".300", ".250 ●"]


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.01, 0.03, "Ours beats ALS by .020"),
        (-0.03, -0.01, "ALS beats Ours by .020"),
        (-0.03, 0.01, "cannot be told apart"),
    ],
)
def test_a_verdict_is_given_only_where_the_interval_leaves_out_zero(low, high, says):
    (sentence,) = verdicts(figures(low, high))
    assert says in sentence
