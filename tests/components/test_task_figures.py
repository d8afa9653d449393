"""Charts of how good methods are and what that costs."""

import numpy as np
import pytest

from components.figures.compression_chart import compression_chart
from components.figures.cost_quality import cost_quality
from components.figures.ink import ink
from components.figures.task_bars import task_bars

NAN = float("nan")


def test_cost_joins_what_nothing_cheaper_equals_and_names_what_has_no_cost():
    quality = np.array([0.5, 0.9, 0.8, 0.4, 0.7])
    figure = cost_quality(
        ["cheap", "best", "dear", "free", "blank"],
        [1, 10, 100, 0, NAN],
        quality,
        quality - 0.1,
        quality + 0.1,
        cost_title="seconds",
        quality_title="accuracy",
        chance=0.25,
    )
    stairs, dots = figure.data
    assert list(stairs.y) == [0.5, 0.9, 0.9]
    assert list(dots.customdata) == ["cheap", "best", "dear"]
    accent = ink(False).accent
    assert [colour == accent for colour in dots.marker.color] == [True, True, False]
    assert dots.error_y.array == pytest.approx([0.1] * 3)
    title = figure.layout.title.text
    assert "not drawn, no figure: free, blank" in title
    assert "dotted: chance .25" in title
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.yaxis.range[0] < 0.25
    far = cost_quality(["a", "b"], [1, 2], [0.98, 0.99], [NAN] * 2, [NAN] * 2,
                       cost_title="s", quality_title="q", chance=0.1)  # fmt: skip
    assert far.layout.yaxis.range[0] > 0.9
    assert "chance .10, below" in far.layout.title.text
    assert not cost_quality(["a"], [NAN], [1], [1], [1], cost_title="s", quality_title="q").data


def test_the_best_comes_first_with_a_bracket_round_what_is_level():
    values = np.array([0.8, 0.9, NAN, 0.89])
    figure = task_bars(
        ["c", "a", "none", "b"],
        values,
        values - 0.02,
        values + 0.01,
        title="Labels",
        measure="accuracy",
        chance=0.25,
        level_with_best=["b"],
        reasons={"none": "One class only."},
        note="300 items",
    )
    bars, dots = figure.data
    assert list(dots.customdata) == ["a", "b", "c"]
    assert list(dots.text) == [".900", ".890", ".800"]
    assert list(dots.marker.symbol) == ["diamond", "circle", "circle"]
    assert bars.error_x.arrayminus == pytest.approx([0.02] * 3)
    assert list(figure.layout.yaxis.ticktext) == ["a", "b", "c", "none"]
    notes = [note.text for note in figure.layout.annotations]
    assert notes == ["One class only.", "cannot be<br>told apart"]
    assert "300 items · dotted: chance .25" in figure.layout.title.text
    alone = task_bars(["a", "b"], [0.9, 0.1], [NAN] * 2, [NAN] * 2, title="t", measure="m")
    assert not alone.layout.annotations
    nothing = task_bars(["a"], [NAN], [NAN], [NAN], title="t", measure="m", reasons={"a": "No."})
    assert [note.text for note in nothing.layout.annotations] == ["No."]


def test_compression_joins_each_panel_by_its_own_score():
    recall = np.array([1.0, 0.9, 0.5, 0.6])
    task = np.array([0.8, 0.7, 0.79, 0.6])
    figure = compression_chart(
        ["as they are", "int8", "PCA 8", "PCA 4"],
        ["full", "int8", "PCA", "PCA"],
        [4e9, 1e9, 2e9, 5e8],
        (recall, recall - 0.01, recall + 0.01),
        chance=0.001,
        task=(task, task, task),
        task_chance=0.25,
        note="300 items",
    )
    stairs = [list(trace.y) for trace in figure.data if trace.line.shape == "hv"]
    assert stairs == [[0.6, 0.9, 1.0, 1.0], [0.6, 0.7, 0.79, 0.8, 0.8]]
    named = [trace for trace in figure.data if trace.showlegend]
    assert [trace.name for trace in named] == ["full", "int8", "PCA"]
    pca = named[2]
    assert list(pca.customdata) == ["PCA 8", "PCA 4"]
    assert list(pca.text) == ["", "PCA 4"]
    assert "chance, recall@10 .001, label accuracy .25" in figure.layout.title.text
    assert "500 MB" in pca.hovertext[1]
    single = compression_chart(["a"], ["full"], [4e6], ([1.0], [NAN], [NAN]))
    assert len(single.data) == 2
