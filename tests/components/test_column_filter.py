"""Filters of the search page: what passes, what is missing, which steps a slider takes."""

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from components.column_filter import levels_of, numbers_of, scale_of, within


def page_of(values, name="price"):
    def draw(values, name):
        import streamlit as st

        from components.column_filter import column_filter

        mask = column_filter(values, name, "f")
        st.text(" ".join("01"[int(passes)] for passes in mask))

    return AppTest.from_function(draw, args=(values, name), default_timeout=30).run()


def passing(page):
    assert not page.exception
    return [flag == "1" for flag in page.text[0].value.split()]


def prices():
    return pd.Series([*np.linspace(0.5, 9.5, 20), np.nan, np.inf, -np.inf])


def test_a_slider_left_alone_keeps_rows_without_a_value_and_counts_them():
    page = page_of(prices())
    assert all(passing(page))
    assert page.caption[0].value.startswith("3 without a value here")


def test_a_narrowed_slider_keeps_only_values_in_its_range():
    page = page_of(prices())
    slider = page.slider[0]
    slider.set_range(slider.min, 5.0).run()
    assert passing(page) == [*(prices()[:20] <= 5.0), False, False, False]
    page.slider[0].set_range(slider.min, slider.max).run()
    assert all(passing(page))


def test_no_caption_where_nothing_is_missing():
    assert not page_of(prices()[:20]).caption


def test_the_name_of_a_column_is_shown_as_it_is():
    assert page_of(prices(), "a_b_c *x*").slider[0].label == r"a\_b\_c \*x\*"
    assert page_of(pd.Series(["x", "y"]), "a_b").multiselect[0].label == r"a\_b"


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [(0.001, 0.002, 1e-5), (0, 1, 0.01), (1.5, 9.5, 0.01), (0, 3e6, 1e4), (-1e-9, 1e-9, 1e-11)],
)
def test_a_scale_has_a_hundred_to_a_thousand_steps_and_holds_all_values(low, high, step):
    numbers = np.linspace(low, high, 50) + 0.0
    numbers[7] += (high - low) * 1e-4  # so that not all are whole
    scale = scale_of(np.append(numbers, np.nan))
    assert scale.step == pytest.approx(step)
    assert scale.low <= low
    assert scale.high >= high
    assert 99 <= (scale.high - scale.low) / scale.step <= 1_002
    assert within(numbers, (scale.low, scale.high), scale).all()


def test_whole_numbers_get_whole_steps():
    scale = scale_of(np.arange(1990.0, 2021.0))
    assert (scale.low, scale.high, scale.step, scale.format) == (1990, 2020, 1, "%.0f")


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0.1, 0.1 + 1e-12, 30),
        np.linspace(1e15, 1e15 + 100, 30),
        np.array([-1.7e308, *range(20), 1.7e308]),
        np.linspace(0, 1e-310, 30),
        np.linspace(1.7e308, 1.75e308, 30),
        np.linspace(0, 1e300, 30),
    ],
)
def test_extreme_numbers_draw_a_slider_and_all_pass(values):
    page = page_of(pd.Series(values))
    assert page.slider
    assert all(passing(page))


def test_a_value_at_the_chosen_end_passes_whatever_the_rounding():
    numbers = np.arange(0, 3.05, 0.1)
    scale = scale_of(numbers)
    for end in np.round(np.arange(0.1, 3.0, 0.1), 1):
        assert within(numbers, (scale.low, float(end)), scale).sum() == round(end * 10) + 1


def test_missing_whole_numbers_and_flags():
    nullable = pd.Series([*range(20), None], dtype="Int64")
    assert all(passing(page_of(nullable)))
    assert numbers_of(pd.Series([True, False])) is None
    assert numbers_of(pd.Series([np.nan, np.inf, 1.0])) is None


def test_a_picked_value_does_not_take_missing_ones_that_read_the_same():
    page = page_of(pd.Series(["nan", None, "null"], dtype=object))
    assert passing(page) == [True, True, True]
    assert page.caption[0].value.startswith("1 without a value here")
    page.multiselect[0].select("nan").run()
    assert passing(page) == [True, False, False]


def test_numbers_to_choose_from_are_in_order_of_size():
    assert levels_of(pd.Series([10, 9, 2, 10])) == ["2", "9", "10"]
