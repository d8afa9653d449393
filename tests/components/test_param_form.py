"""A text setting that offers values: a list, a sentence on the chosen one, anything else typed."""

from streamlit.testing.v1 import AppTest


def draw():
    from dataclasses import dataclass

    import streamlit as st

    from components.param_form import param_form
    from core.params import Params, Suggestion, text

    def offered():
        return Suggestion("a", "The first", "It is quick."), Suggestion("b", "The second", "Slow.")

    @dataclass(frozen=True, kw_only=True)
    class Settings(Params):
        model: str = text("a", help="One of these, or any other.", suggestions=offered)

    st.text(repr(param_form(Settings, key="k")))


def test_a_suggested_value_is_chosen_by_its_label_and_explained():
    page = AppTest.from_function(draw, default_timeout=30).run()
    assert page.selectbox[0].options == ["The first", "The second"]
    assert page.caption[0].value == "It is quick."
    page.selectbox[0].set_value("b").run()
    assert page.caption[0].value == "Slow."
    assert page.text[0].value == "{'model': 'b'}"


def draw_automatic():
    from dataclasses import dataclass

    import streamlit as st

    from components.param_form import param_form
    from core.params import Params, integer, real, text

    @dataclass(frozen=True, kw_only=True)
    class Settings(Params):
        layer: int = integer(-1, low=-1, high=9, automatic="the last", help="Which layer.")
        rate: float = real(0.0, low=0, high=1, automatic="0.05", help="How fast.")
        label: str = text("", automatic="the label", help="Which column.")
        patience: int = integer(0, low=0, high=9, help="When to stop; 0 never does.")

    st.text(repr(param_form(Settings, key="k")))


def test_an_empty_field_says_what_is_taken_instead_and_gives_the_default():
    page = AppTest.from_function(draw_automatic, default_timeout=30).run()
    layer, rate, patience = page.number_input
    assert [layer.placeholder, rate.placeholder] == ["automatic: the last", "automatic: 0.05"]
    assert [layer.value, rate.value, patience.value] == [None, None, 0]
    assert page.text_input[0].placeholder == "automatic: the label"
    assert page.text[0].value == "{'layer': -1, 'rate': 0.0, 'label': '', 'patience': 0}"
    layer.set_value(3).run()
    assert "'layer': 3" in page.text[0].value


def test_a_value_that_is_not_in_the_list_is_taken_as_typed():
    page = AppTest.from_function(draw, default_timeout=30)
    page.session_state["k.model"] = " someone/else "  # what typing leaves behind
    page.run()
    assert not page.exception
    assert not page.caption
    assert page.text[0].value == "{'model': 'someone/else'}"
