"""The Task view: what is offered, what is asked of the user, and the sentences about results."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from comparison.task_result import TaskResult, TaskScore
from components.compare_task_result import (
    basis_words,
    left_out_words,
    score_table,
    standing,
    verdict,
)

RNG = np.random.default_rng(0)
HITS = RNG.random(200) < 0.8


def result(**scores) -> TaskResult:
    return TaskResult(
        "label-knn", "Labels of neighbours", "accuracy", "items", 200, 0.25, "largest class",
        {"k": 10, "seed": 0}, scores, left_out={"without a label": 3, "of no class": 0},
    )  # fmt: skip


def told(found: TaskResult) -> str:
    return verdict(found, standing(found))


def test_the_best_is_named_with_those_that_cannot_be_told_from_it_and_the_next():
    few_wrong = HITS.copy()
    few_wrong[:2] = ~few_wrong[:2]
    found = result(
        far=TaskScore.of_units(RNG.random(200) < 0.4),
        near=TaskScore.of_units(few_wrong),
        best=TaskScore.of_units(HITS | few_wrong),
        none=TaskScore.refusal("It has no words."),
    )
    sentence = told(found)
    assert sentence.startswith("best has the highest accuracy")
    assert "On these 200 items it cannot be told apart from near." in sentence
    assert "above far (95 % interval of the difference" in sentence
    assert "chance" not in sentence

    frame = score_table(found)
    assert frame["embedding"].tolist() == ["best", "near", "far", "none"]
    assert frame["note"].tolist()[-1] == "It has no words."
    assert np.isnan(frame["accuracy"].iloc[-1])
    assert left_out_words(found) == "Left out: 3 without a label."
    assert basis_words(found) == "200 items · k 10 · seed 0 · chance 0.250: largest class"


def test_what_is_not_above_chance_is_said():
    weak = TaskScore.of_units(np.arange(200) % 4 == 0)
    assert "not above chance" in told(result(only=weak))
    assert "No embedding has a figure" in told(result(only=TaskScore.refusal("no")))


def page():
    from types import SimpleNamespace
    from unittest.mock import patch

    import numpy as np
    import pandas as pd
    import streamlit as st

    from comparison.compare import compare
    from comparison.task_result import TaskResult, TaskScore
    from components import compare_task, session
    from core.modality import Modality
    from ingest.dataset import Dataset
    from vectors.keyed import KeyedVectors
    from workspace.measuring import finding_id
    from workspace.recipes import Member, Recipe
    from workspace.stored_comparison import ComparisonInfo, StoredComparison

    ids = [f"d{i}" for i in range(40)]
    frame = pd.DataFrame({"topic": ["a", "b"] * 20})
    data = Dataset("t", Modality.TEXT, tuple(ids), ["x"] * 40, frame, {"topic": "label"})
    names = ("one", "two")
    spaces = {
        name: KeyedVectors(ids, np.random.default_rng(i).normal(size=(40, 3)), kinds="document")
        for i, name in enumerate(names)
    }
    recipe = Recipe("d1", tuple(Member("lsa", name=name) for name in names))
    info = ComparisonInfo("c1", recipe, ("r1", "r2"), 40, (0, 0), 1.0, 0.0)
    stored = StoredComparison(info, compare(spaces, k=5), {}, {})
    kept = st.session_state.setdefault("kept", {})
    asked = st.session_state.setdefault("asked", [])

    def measure(comparison, task, settings, files, title):
        asked.append((task, dict(settings), title))
        score = TaskScore.of_units(np.arange(40) % 2)
        kept[finding_id(comparison, task, settings, files)] = tuple(
            TaskResult("t", title, m, "items", 40, 0.5, "a coin", {}, {"one": score, "two": score})
            for m in ("V", "ARI")
        )
        return SimpleNamespace(id="j", result={"comparing": True})

    fake = SimpleNamespace(
        runs=lambda: [SimpleNamespace(id=id, kinds={"document": 40}) for id in ("r1", "r2")],
        datasets=list,
        measurements=lambda comparison, task: [],
        finding=lambda comparison, id: kept.get(id),
        open_jobs=list,
        measure=measure,
    )
    with (
        patch.object(session, "workspace", lambda: fake),
        patch.object(session, "dataset", lambda id: data),
        patch.object(session, "worked_out", lambda key, make: make()),
    ):
        compare_task.task(stored)


@pytest.fixture
def app():
    found = AppTest.from_function(page).run()
    assert not found.exception
    return found


def test_tasks_are_offered_and_the_others_say_why(app):
    offered = app.radio[0].options
    assert offered[:2] == ["Labels of neighbours", "Linear probe"]
    assert "Word pairs" not in offered
    words = " ".join(m.value for m in app.expander[0].markdown)
    assert "No space has vectors of words" in words
    assert "It is no graph" in words


def test_a_task_is_measured_once_and_then_shown(app):
    app.radio[0].set_value("label-clusters").run()
    app.button(key="compare.task.go.label-clusters").click().run()
    app.run()
    assert not app.exception
    assert app.session_state["asked"] == [
        ("label-clusters", {"column": "topic"}, "Clusters against classes")
    ]
    assert "one has the highest V, 0.500." in app.markdown[-1].value
    assert len(app.dataframe[0].value) == 2
    assert not [b for b in app.button if b.key == "compare.task.go.label-clusters"]


def test_a_file_that_is_missing_is_asked_for(app):
    app.radio[0].set_value("retrieval").run()
    assert app.button(key="compare.task.go.retrieval").disabled
    assert any("Give a file first" in c.value for c in app.caption)
