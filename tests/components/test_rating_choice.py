"""What the forms and the recommend page say of ratings, and which ones count at first."""

from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.rating_choice import what_counts
from core.modality import Modality
from embedders.interactions import rating_scale
from ingest.dataset import Dataset, Edges
from ingest.sides import Sides


def draw(info):
    import streamlit as st

    from components.param_form import param_form
    from components.rating_choice import own_fields
    from embedders import get_embedder

    params = get_embedder("user_item_towers").params_class
    own = own_fields(params, info)
    values = param_form(params, key="k", modality=info.modality, own=own)
    st.text(str(values["least_weight"]))


@pytest.fixture
def form(monkeypatch):
    def drawn(weights, kind=""):
        m = len(weights)
        edges = Edges(
            np.arange(m, dtype=np.int32), np.full(m, m, np.int32),
            np.array(weights, np.float32), True,
        )  # fmt: skip
        sides = Sides(("user", "item"), (None, None), m)
        ids = (*(f"u{i}" for i in range(m)), "i")
        data = Dataset(
            "r", Modality.INTERACTIONS, ids, None, edges=edges, sides=sides, weight_kind=kind
        )
        monkeypatch.setattr(session, "dataset", lambda _: data)
        monkeypatch.setattr(session, "worked_out", lambda _key, make: make())
        info = SimpleNamespace(id="d" * 24, modality=Modality.INTERACTIONS)
        return AppTest.from_function(draw, args=(info,), default_timeout=30).run()

    return drawn


def test_of_ratings_those_above_the_mean_count_at_first_and_all_may(form):
    page = form([1, 2, 3, 3, 4, 4, 5])
    chosen = page.selectbox(key=f"k.least_weight.{'d' * 12}")
    assert chosen.label == "Ratings to learn from"
    assert chosen.options[0] == "every rating · 7"
    assert chosen.options[chosen.index] == "4 and more · 3 · above the mean of 3.1"
    assert page.text[0].value == "4.0"
    assert any("The 3 ratings of 4 and more speak for their items" in c.value for c in page.caption)
    chosen.set_value(0.0).run()
    assert page.text[0].value == "0.0"
    assert any("All 7 ratings count alike: 1 speaks" in c.value for c in page.caption)


def test_of_counts_all_count_and_the_form_says_so(form):
    page = form([1, 1, 1, 2, 30])
    assert page.text[0].value == "0.0"
    assert any("5 of 5 interactions count, all alike" in c.value for c in page.caption)
    page.number_input(key=f"k.least_weight.{'d' * 12}").set_value(2.0).run()
    assert any("2 of 5 interactions count" in c.value for c in page.caption)
    page = form([1, 1])
    assert page.text[0].value == "0.0"
    assert any("no weights" in c.value for c in page.caption)


def test_what_the_name_of_the_weights_says_goes_before_how_often_each_is_found(form):
    page = form([1, 2, 2, 2, 3], "count")  # plays, most of which are no 1
    assert page.text[0].value == "0.0"
    assert any("5 of 5 interactions count" in c.value for c in page.caption)
    page = form([1, 1, 1, 4, 5, 5], "rating")  # stars, most of which are the lowest
    assert page.text[0].value == "4.0"


def test_of_ratings_below_zero_those_above_the_mean_count_at_first_and_all_may(form):
    page = form([-2, -2, -1, 0, 1, 2], "rating")
    chosen = page.selectbox(key=f"k.least_weight.{'d' * 12}")
    assert chosen.options == [
        "every rating · 6",
        "-1 and more · 4",
        "0 and more · 3 · above the mean of -0.33",
        "1 and more · 2",
        "2 and more · 1",
    ]
    assert (chosen.index, page.text[0].value) == (2, "-0.5")
    assert any("The 3 ratings of 0 and more speak" in c.value for c in page.caption)
    chosen.set_value(-2.0).run()
    assert any("All 6 ratings count alike: -2 speaks" in c.value for c in page.caption)


def test_many_values_below_zero_count_above_zero_at_first(form):
    page = form(np.linspace(-10, 10, 41).tolist(), "rating")
    assert any("20 of 41 interactions count" in c.value for c in page.caption)
    page.number_input(key=f"k.least_weight.{'d' * 12}").set_value(-10.0).run()
    assert any("41 of 41 interactions count" in c.value for c in page.caption)
    page = form([0, 0, 0], "rating")
    assert any("0 of 3 interactions count" in c.value for c in page.caption)
    page.number_input(key=f"k.least_weight.{'d' * 12}").set_value(-1.0).run()
    assert any("3 of 3 interactions count" in c.value for c in page.caption)


def test_what_was_learnt_from_is_one_sentence():
    scale = rating_scale(np.array([0.5, 3, 3, 4], np.float32))
    assert what_counts(0, scale).startswith("All 4 ratings count alike: 0.5 speaks")
    assert "The 1 rating of 4 and more speaks for its item; the 3 below" in what_counts(4, scale)
    assert "The 3 ratings of 1 and more" in what_counts(1, scale)
    signed = rating_scale(np.array([-1, -1, 0, 1, 2], np.float32))
    assert "The 2 ratings of 1 and more speak" in what_counts(0, signed)
    assert "The 3 ratings of 0 and more speak" in what_counts(-0.5, signed)
