"""A button that begins work: its click outlives the run of the page that it came with."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components import session


def start_button(label: str, *, key: str, about: str, **options: Any) -> bool:
    """Draw a button and tell, once, whether it was clicked.

    ``st.button`` is true in one run only. Where something restarts the page before that run comes
    to the button (a job that ended, another file that arrived), the click is lost. A callback runs
    before the page does, so what it remembers is found by whichever run gets that far.

    Parameters
    ----------
    label, key : str
    about : str
        What the click is for (the id of the data, say): for anything else it does not count.
    **options
        As ``st.button`` takes them.
    """
    clicked = f"clicked.{key}"
    st.button(label, key=key, on_click=session.remember, args=(clicked, about), **options)
    if session.recall(clicked) is None:
        return False
    meant = session.recall(clicked) == about
    session.remember(clicked, None)
    return bool(meant)
