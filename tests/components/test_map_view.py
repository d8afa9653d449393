"""What a click on the map does, however the browser happens to send it."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from components import map_view, session
from components.embedding_map import MapScene, component
from components.items import RunItems

KEYS = ("a", "b", "c", "d")


@pytest.fixture
def page(monkeypatch):
    """Return the page of a drawn run of four items; its inspector says which one is shown."""
    scene = MapScene(np.eye(4, 2), keys=KEYS, identity="items")
    columns = pd.DataFrame(index=range(4))
    items = RunItems(keys=KEYS, texts=KEYS, images=None, columns=columns, roles={})
    found = SimpleNamespace(positions=[1])

    def inspector(_items, focus, _found, _among):
        import streamlit as st

        st.caption(f"shown: {KEYS[focus]}")

    stand_ins = {
        "kind_control": lambda _: "document",
        "current_layout": lambda *_: SimpleNamespace(id="layout"),
        "_controls": lambda *_: (None, None, "", False),
        "trust_line": lambda _: None,
        "neighbour_controls": lambda *_: SimpleNamespace(metric="cosine", among="all"),
        "neighbours_of": lambda *_: found,
        "map_scene": lambda *_: scene,
        "inspector": inspector,
        "selection_panel": lambda *_: None,
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(map_view, name, stand_in)
    monkeypatch.setattr(session, "share", lambda **_: None)
    monkeypatch.setattr(session, "items", lambda *_: items)
    monkeypatch.setattr(session, "has_neighbours", lambda *_: np.ones(4, bool))
    monkeypatch.setattr(component, "_serve_static_files", lambda: None)

    def draw():
        from types import SimpleNamespace

        from components.map_view import map_view

        map_view(SimpleNamespace(id="run"))

    return AppTest.from_function(draw, default_timeout=30).run()


def sent(page, event, value):
    """Return the page after an event of the map that came with a run of everything."""
    states = page._tree.get_widget_states()
    trigger = states.widgets.add()
    map_id = page.get("bidi_component")[2].proto.id
    trigger.id = f"$$STREAMLIT_INTERNAL_KEY_{map_id}__events"
    trigger.json_trigger_value = json.dumps([{"event": event, "value": value}])
    return page._run(states)


def said(page):
    assert not page.exception
    assert not page.error
    return [caption.value for caption in page.caption]


def items_id():
    """Return the name of the items on the map, which every event carries."""
    return map_view.map_scene(None, "document", "layout").items


def test_a_click_that_comes_with_a_full_rerun_shows_the_point(page):
    assert said(page) == ["Click a point to see what this method thinks is nearest to it."]
    page = sent(page, "clicked", {"point": 2, "items": items_id()})
    assert said(page) == ["shown: c"]
    page = sent(page, "clicked", {"point": 3, "items": items_id()})
    assert said(page) == ["shown: d"]


def test_the_shown_point_can_be_dismissed_in_a_full_rerun(page):
    page = sent(page, "clicked", {"point": 2, "items": items_id()})
    page = sent(page, "cleared", {"items": items_id()})
    assert said(page) == ["Click a point to see what this method thinks is nearest to it."]


@pytest.mark.parametrize(
    "event", [{"point": 2, "items": "others"}, {"point": 99}, {"point": "b"}, None, "c"]
)
def test_a_click_on_what_is_no_longer_drawn_is_ignored(page, event):
    if isinstance(event, dict):
        event = {"items": items_id(), **event}
    page = sent(page, "clicked", event)
    assert said(page) == ["Click a point to see what this method thinks is nearest to it."]
