"""Charts of neighbours, classes and clusters."""

import numpy as np
import pytest

from components.figures.class_matrix import class_difference, class_matrix
from components.figures.cluster_flows import cluster_flows
from components.figures.ink import ink
from components.figures.neighbour_slopes import neighbour_slopes


def test_slopes_hold_every_neighbour_where_it_ranks_and_stress_what_is_shared():
    lists = {"LSA": ["a", "b", "c", "d"], "BERT": ["b", "a", "e", "c"], "W2V": ["a", "f", "b", "g"]}
    texts = {key: f"text <i>{key}" for key in "abcdefg"}
    figure = neighbour_slopes(lists, texts, k=3, chosen="c")
    dots = [trace for trace in figure.data if trace.customdata is not None]
    ranks = {
        tuple(data): y for trace in dots for data, y in zip(trace.customdata, trace.y, strict=True)
    }
    assert ranks == {(key, name): at for name, ids in lists.items()
                     for at, key in enumerate(ids[:3], 1)}  # fmt: skip
    colour = {trace.customdata[0][0]: trace.marker.color for trace in dots}
    colours = ink(False)
    assert colour["a"] == colour["b"] == colours.accent
    assert colour["c"] == colours.second
    assert colour["e"] == colours.muted
    about_c = next(t.hovertext[0] for t in dots if t.customdata[0][0] == "c")
    assert "BERT: 4" in about_c  # beyond k, but known
    assert "W2V: not among" in about_c
    assert "&lt;i&gt;" in about_c
    written = [note.text for note in figure.layout.annotations]
    assert "beyond 3" in written
    assert len(written) == 3 + 3 + 1
    assert "2 of 5 neighbours" in figure.layout.title.text
    neighbour_slopes({"only": ["a"]}, texts)


@pytest.mark.parametrize("dark", [False, True])
def test_no_change_has_the_colour_of_the_page_and_both_ends_reach_as_far(dark):
    change = np.array([[0.1, -0.3], [0, np.nan]])
    figure = class_difference(["x", "<b>"], change, title="t", minus="LSA", plus="BERT", dark=dark)
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (-0.3, 0.3)
    middle = dict(heat.colorscale)[0.5]
    assert middle == ("#161d23" if dark else "#ffffff")
    assert [list(row) for row in heat.text] == [["+.10", "−.30"], ["", ""]]
    assert "-0.300" in heat.hovertext[0][1]
    assert "no items" in heat.hovertext[1][1]
    assert figure.layout.xaxis.ticktext[1] == "&lt;b&gt;"


def test_eighty_classes_keep_their_names_and_lose_their_numbers():
    names = [f"a class with a long name {i}" for i in range(80)]
    figure = class_matrix(names, np.eye(80), title="t")
    assert len(figure.layout.xaxis.ticktext) == 80
    assert figure.data[0].text is None
    assert figure.layout.xaxis.tickfont.size >= 7
    assert figure.layout.width < 1100
    assert class_matrix(["x", "y"], np.full((2, 2), np.nan), title="t").data[0].zmax > 0


def test_flows_carry_all_items_and_say_shares():
    counts = np.array([[30, 10], [0, 60]])
    figure = cluster_flows(["a", "b"], ["c", "d"], counts, titles=("LSA", "BERT"))
    link = figure.data[0].link
    assert list(zip(link.source, link.target, link.value, strict=True)) == [
        (0, 2, 30), (0, 3, 10), (1, 3, 60),
    ]  # fmt: skip
    assert list(figure.data[0].node.label) == ["a · 40", "b · 60", "c · 30", "d · 70"]
    assert "10 items: 25% of the left, 14% of the right" in link.customdata[1]
    node = figure.data[0].node.color
    assert node[3] == node[1]  # most of d comes from b
