"""Recipes: named, checked, and the same after a way through JSON."""

from __future__ import annotations

import json

import pytest

from core.errors import ParameterError
from core.modality import Modality
from workspace.presets import presets
from workspace.recipes import Member, Recipe, checked


@pytest.mark.parametrize("modality", list(Modality))
def test_presets_are_recipes_that_json_brings_back(modality):
    for preset in presets(modality):
        recipe = checked(Recipe("d1", preset.members))
        assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
        assert len({member.name for member in recipe.members}) == len(preset.members)


def test_members_are_named_by_what_is_unusual_and_told_apart():
    members = (Member("lsa", {"dim": 50}), Member("lsa", {"dim": 50, "min_df": 1}), Member("lsa"))
    names = [member.name for member in checked(Recipe("d1", members)).members]
    assert names == ["LSA, dim 50", "LSA, dim 50, min df 1", "LSA"]
    twice = checked(Recipe("d1", (Member("lsa", name="x"), Member("tfidf", name="x"))))
    assert [member.name for member in twice.members] == ["x", "x (2)"]


def test_a_seed_counts_only_where_it_changes_something():
    with pytest.raises(ParameterError, match="same method with the same settings"):
        checked(Recipe("d1", (Member("tfidf", seed=0), Member("tfidf", seed=1))))
    seeds = checked(Recipe("d1", (Member("word2vec", seed=0), Member("word2vec", seed=1))))
    assert [member.seed for member in seeds.members] == [0, 1]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"members": []}, "names no dataset"),
        ({"dataset": "d"}, "no list of members"),
        ({"dataset": "d", "members": [{"seed": 1}]}, "Member 1 .* names no embedder"),
        ({"dataset": "d", "members": [], "depth": 3}, "'depth' is unknown"),
        ({"dataset": "d", "members": [{"embedder": "lsa", "dim": 3}]}, "Member 1 .* 'dim'"),
    ],
)
def test_a_broken_recipe_is_told_by_its_fault(values, told):
    with pytest.raises(ParameterError, match=told):
        Recipe.from_dict(values)


@pytest.mark.parametrize("n", [1, 9])
def test_two_to_eight_members_are_compared(n):
    members = tuple(Member("lsa", {"dim": 10 + i}) for i in range(n))
    with pytest.raises(ParameterError, match="2 to 8"):
        checked(Recipe("d1", members))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"k": "ten"}, "k must be an integer"),
        ({"k": 0}, "at least 1"),
        ({"k": True}, "k must be an integer"),
        ({"noise": 1}, "true or false"),
        ({"members": [{"embedder": "tfidf", "seed": "0"}]}, "Member 1 of the recipe: seed"),
        ({"members": [{"embedder": ["tfidf"]}]}, "embedder must be text"),
        ({"members": [{"embedder": "tfidf", "params": [1]}]}, "params must be settings by name"),
        ({"dataset": 3}, "dataset must be text"),
    ],
)
def test_values_of_another_kind_are_told_by_name(changed, told):
    good = {"dataset": "d1", "members": [{"embedder": "tfidf"}, {"embedder": "lsa"}]}
    Recipe.from_dict(good)
    with pytest.raises(ParameterError, match=told):
        Recipe.from_dict({**good, **changed})


def test_the_data_are_named_once_with_those_that_are_compared_first():
    members = (Member("lsa", dataset="d2"), Member("netmf", dataset="d1"), Member("spectral"))
    assert Recipe("d1", members).datasets == ("d1", "d2")
