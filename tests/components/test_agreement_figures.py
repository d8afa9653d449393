"""Charts of how far methods agree: what they say, what can be clicked, what is left out."""

import numpy as np
import pytest

from comparison.agreement import Agreement
from components.figures.agreement_curve import agreement_curve
from components.figures.agreement_matrix import agreement_matrix
from components.figures.method_layout import classical_scaling, method_plane, method_tree
from components.figures.overlap_histogram import overlap_histogram
from vectors.bootstrap import Interval

NAMES = ("LSA", "<b>bold</b>", "MiniLM")


def agreement():
    return Agreement.of(
        "overlap@10",
        NAMES,
        {(0, 1): Interval(0.41, 0.40, 0.43), (1, 2): Interval(0.2, 0.19, 0.21)},
        n_used=7600,
        chance=0.0013,
        refused={(0, 2): "300 items are too few for 384 dimensions."},
    )


@pytest.mark.parametrize("dark", [False, True])
def test_every_cell_names_its_pair_its_value_and_its_margin(dark):
    figure = agreement_matrix(agreement(), other_seed={"LSA": 0.78}, chosen=NAMES[:2], dark=dark)
    cells, diagonal = figure.data
    by_pair = {tuple(p): i for i, p in enumerate(cells.customdata)}
    assert len(by_pair) == 6
    one, other = by_pair[NAMES[0], NAMES[1]], by_pair[NAMES[1], NAMES[0]]
    assert cells.text[one] == cells.text[other]
    assert cells.text[one].startswith(".41<br>")
    assert "±.01" in cells.text[one]
    assert (cells.x[one], cells.y[one]) == (1, 0)
    squares = {((s.x0 + s.x1) / 2, (s.y0 + s.y1) / 2): s for s in figure.layout.shapes}
    assert squares[1, 0].line.width == squares[0, 1].line.width == 3
    assert {s.line.width for at, s in squares.items() if at not in {(1, 0), (0, 1)}} == {0}
    # In units of the axes: none reaches its neighbour at any width.
    assert all(s.x1 - s.x0 < 1 and s.xref in (None, "x") for s in squares.values())
    refused = by_pair[NAMES[0], NAMES[2]]
    assert cells.text[refused] == "–"
    assert "too few" in cells.hovertext[refused]
    assert "&lt;b&gt;" in cells.hovertext[one]
    assert diagonal.text[0] == "seed<br>.78"
    title = figure.layout.title.text
    assert "7,600 items" in title
    assert "chance .001" in title


def test_scaling_returns_the_points_that_made_the_distances():
    points = np.array([[0.0, 0], [3, 0], [0, 4], [1, 1]])
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    scaled = classical_scaling(distances)
    drawn = np.linalg.norm(scaled.points[:, None] - scaled.points[None], axis=2)
    assert drawn == pytest.approx(distances)
    assert scaled.stress == pytest.approx(0, abs=1e-7)
    simplex = classical_scaling(1 - np.eye(4))  # no plane holds it
    assert simplex.stress > 0.1
    assert classical_scaling(np.zeros((3, 3))) == (pytest.approx(np.zeros((3, 2))), 0.0)


def test_the_tree_joins_the_nearest_first_and_names_what_is_left_out():
    values = np.array([[1, 0.8, 0.2, np.nan], [0.8, 1, 0.4, 0.5], [0.2, 0.4, 1, 0.5],
                       [np.nan, 0.5, 0.5, 1]])  # fmt: skip
    names = ["a", "b", "c", "d"]
    values[0, 3] = values[3, 0] = 0.1
    tree = method_tree(names, values, measure="overlap@10")
    heights = sorted(max(line.x) for line in tree.data)
    assert heights[0] == pytest.approx(0.2)  # a and b
    assert heights[1] == pytest.approx(0.5)  # c and d
    assert heights[2] == pytest.approx((0.8 + 0.6 + 0.9 + 0.5) / 4)
    values[2, 3] = values[3, 2] = values[0, 3] = values[3, 0] = np.nan
    plane = method_plane(names, values, measure="overlap@10")
    assert list(plane.data[0].customdata) == ["a", "b", "c"]
    assert "not measured with all: d" in plane.layout.title.text
    assert not plane.layout.xaxis.visible
    assert "stress" in plane.layout.title.text


def test_odd_numbers_of_methods_are_drawn():
    for values in ([[1.0]], [[1, 0.3], [0.3, 1]], np.ones((3, 3)), [[1, np.nan], [np.nan, 1]]):
        names = [f"m{i}" for i in range(len(values))]
        assert len(method_plane(names, values, measure="x").data) == 1
        method_tree(names, values, measure="x")


def test_the_curve_draws_chance_bands_and_names_at_the_ends():
    ks = (1, 10, 50)
    chance = {k: k / 99 for k in ks}
    figure = agreement_curve(
        {"a · b": dict.fromkeys(ks, 0.5), "a · c": dict.fromkeys(ks, 0.501)},
        chance=chance,
        bands={"Word2Vec": {k: (0.7, 0.8) for k in ks}},
        k=10,
    )
    notes = {note.text: note.y for note in figure.layout.annotations}
    assert set(notes) == {"a · b", "a · c", "chance", "other seed: Word2Vec"}
    assert notes["a · c"] - notes["a · b"] > 0.03  # lifted apart
    lines = {trace.customdata[0]: trace for trace in figure.data if trace.customdata is not None}
    assert list(lines["a · b"].y) == [0.5] * 3
    dotted = next(
        trace for trace in figure.data if trace.line.dash == "dot" and not trace.customdata
    )
    assert list(dotted.y) == [chance[k] for k in ks]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.yaxis.range[1] > 0.8  # of the band too, whose end may lie below
    falls = agreement_curve(
        {"a · b": {1: 0.9, 10: 0.3}}, chance={1: 0.01, 10: 0.1}, bands={"c": {1: (0.95, 0.95)}}, k=1
    )
    assert falls.layout.yaxis.range[1] > 0.95


def test_the_histogram_has_one_bar_per_possible_value_and_counts_all():
    values = np.array([0, 0.1, 0.1, 0.3, 1.0, np.nan])
    figure = overlap_histogram(values, measure="overlap@10", k=10, chance=0.01, noise=(0.6, 0.9))
    bars = figure.data[0]
    assert list(bars.y) == [1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert bars.customdata[3] == pytest.approx([0.3, 0.3])
    title = figure.layout.title.text
    assert all(
        part in title for part in ("5 items", "1 without a value", "median .10", "chance .01")
    )
    assert figure.layout.dragmode == "select"
    assert figure.layout.selectdirection == "h"
    smooth = overlap_histogram(np.linspace(0, 1, 100), measure="RBO", chosen=(0, 0.5))
    assert sum(smooth.data[0].y) == 100
    assert len(set(smooth.data[0].marker.color)) == 2
    assert overlap_histogram([], measure="RBO").data[0].y.sum() == 0
