"""A click that begins work is neither lost nor counted twice."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from components.start_button import start_button

    st.session_state.setdefault("begun", 0)
    if st.session_state.pop("interrupt", False):
        st.rerun()  # as a job that ends does, before the page comes to the button
    if start_button("Begin", key="begin", about=st.session_state.get("data", "reviews")):
        st.session_state["begun"] += 1


def begun(app):
    assert not app.exception
    return app.session_state["begun"]


def test_a_click_begins_the_work_once():
    app = AppTest.from_function(page).run()
    assert begun(app) == 0
    assert begun(app.button(key="begin").click().run()) == 1
    assert begun(app.run()) == 1


def test_a_click_outlives_a_run_that_is_cut_short():
    app = AppTest.from_function(page).run()
    app.session_state["interrupt"] = True
    assert begun(app.button(key="begin").click().run()) == 1


def test_a_click_meant_for_other_data_does_not_count():
    app = AppTest.from_function(page).run()
    app.session_state["data"] = "books"  # arrived between the click and this run
    assert begun(app.button(key="begin").click().run()) == 0
    assert begun(app.button(key="begin").click().run()) == 1
