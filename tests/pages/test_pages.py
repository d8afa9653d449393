"""The pages' wiring, without a browser: what is shown when, and what a click starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app(tmp_path, monkeypatch):
    import streamlit as st

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("EMBEDSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EMBEDSCOPE_WARM_UP", "false")
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(ROOT))
    st.cache_resource.clear()
    yield AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    from components.session import runner

    runner().shutdown()
    st.cache_resource.clear()


def shown(app) -> str:
    parts = [*app.markdown, *app.title, *app.subheader, *app.info, *app.caption, *app.error]
    return "\n".join(str(element.value) for element in parts)


def test_the_start_page_offers_a_card_per_sample(app):
    from ingest.samples import list_samples

    app.run()
    assert not app.exception
    assert not app.error
    buttons = [b.key for b in app.button if b.key and b.key.startswith("start.open.")]
    assert buttons == [f"start.open.{s.id}" for s in list_samples()]
    assert app.title[0].value == "Which embedding fits your data?"


@pytest.mark.parametrize(
    "page", ["build/embed", "explore/map", "explore/search", "explore/words", "explore/recommend"]
)
def test_a_page_that_needs_data_says_so_and_offers_the_way(app, page):
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert not app.error
    assert "Open a sample" in shown(app) or "Load a file" in shown(app)
    assert any("start page" in b.label for b in app.button)


def test_an_unknown_workspace_link_gives_a_notice_and_an_empty_workspace(app):
    app.query_params["ws"] = "no-such-workspace-id"
    app.run()
    assert not app.exception
    assert any("no workspace" in w.value for w in app.warning)
    assert app.query_params["ws"] != ["no-such-workspace-id"]


def test_opening_a_card_adds_the_dataset_and_starts_its_job(app):
    app.run()
    app.button(key="start.open.iris").click().run()
    assert not app.exception
    from components.session import runner
    from workspace.workspace import Workspace

    workspace = Workspace.open(runner(), app.session_state["embedscope.workspace"])
    assert [d.name for d in workspace.datasets()] == ["Iris flowers"]
    (job,) = workspace.jobs()
    assert job.title.startswith("PCA")
    done = runner().wait(job.id, 80)
    assert done.state == "done", done.message
    assert workspace.runs()[0].n == 150


def test_a_click_that_comes_together_with_another_method_starts_that_method(app):
    app.run()
    app.button(key="start.open.karate").click().run()
    app.switch_page("pages/build/embed.py").run()
    app.radio(key="embed.method.graph").set_value("spectral")
    app.button(key="embed.go").click().run()
    from components.session import runner
    from workspace.workspace import Workspace

    jobs = Workspace.open(runner(), app.session_state["embedscope.workspace"]).jobs()
    assert sum(job.title.startswith("Spectral") for job in jobs) == 1


def test_an_error_is_one_sentence_without_a_traceback(app, monkeypatch):
    import components.sample_cards

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(components.sample_cards, "list_samples", broken)
    app.run()
    assert not app.exception
    (error,) = app.error
    assert "secret detail" not in error.value
    assert "log" in error.value
