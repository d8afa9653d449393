"""The Pair view: what its tables and sentences say, and when a job takes over."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from comparison.changed_items import movers_words
from comparison.class_moves import class_moves
from comparison.class_neighbours import class_neighbours
from comparison.cluster_match import match_clusters
from comparison.group_captions import Caption, GroupCaptions, LabelShare, Term
from comparison.movers import Movers
from components import compare_pair_findings, session
from components.compare_pair_classes import confusion_frame, moves_frame, moves_words
from components.compare_pair_clusters import (
    cluster_names,
    default_clusters,
    flows_frame,
    match_words,
    short_caption,
)
from components.compare_pair_elsewhere import elsewhere_words
from components.compare_pair_findings import Pair, pair_movers
from components.compare_pair_groups import caption_words, percent
from components.compare_pair_items import brushed_rows, movers_help
from components.compare_pair_list import SHOWN, ListedItems, listed
from components.compare_pair_maps import drawn_views, maps_words
from components.figures.displacement_histogram import displacement_histogram
from projection.align import AlignedLayout
from workspace.identity import layout_id
from workspace.tasks import LayoutSpec

PAIR = Pair(
    SimpleNamespace(
        info=SimpleNamespace(id="c123", names=("one", "two"), n=8),
        comparison=SimpleNamespace(seed=3),
    ),
    "one",
    "two",
    2,
)


def moved(relative):
    relative = np.asarray(relative, np.float64)
    return Movers(
        relative + 1, relative, np.array([0.8, 1, 1.2]), 1.01, (3, 4), (0.5, 0.6),
        "Reduced to 2 components.", 2, len(relative), 3,
    )  # fmt: skip


def test_items_are_listed_by_neighbours_or_by_place_the_other_breaks_ties():
    overlap = np.array([1.0, 0.0, 0.5, 0.0])
    items = ListedItems(overlap, moved([0.1, 0.2, 0.9, 0.3]), by_place=False)
    assert listed(items, None, most=True)[0].tolist() == [3, 1, 2, 0]
    assert listed(items, None, most=False)[0].tolist() == [0, 2, 1, 3]
    by_place = ListedItems(overlap, items.moved, by_place=True)
    rows, words = listed(by_place, None, most=True)
    assert rows.tolist() == [2, 3, 1, 0]
    assert words.startswith("4 items, the most changed first by displacement")
    assert listed(by_place, np.array([0, 3]), most=True)[0].tolist() == [3, 0]
    many = ListedItems(np.zeros(200), None, by_place=False)
    rows, words = listed(many, None, most=False)
    assert len(rows) == SHOWN
    assert words.startswith(f"{SHOWN} of 200 items, the least changed")


def test_a_brush_takes_the_items_of_its_bars_whichever_way_numbers_arrive():
    values = np.array([0.0, 0.1, 0.2, 0.3])
    points = [{"customdata": [0.1, 0.1]}, {"customdata": {"0": 0.25, "1": 0.35}}]
    event = {"selection": {"points": points}}
    assert brushed_rows(values, event).tolist() == [1, 3]
    assert len(brushed_rows(values, {"selection": {"points": []}})) == 0


def test_displacement_is_told_with_unit_null_reduction_and_basis():
    words = movers_words(moved(np.zeros(8)))
    assert "1 is a random other item: the median item moved 1.00" in words
    assert "0.80 to 1.20" in words
    assert "would move 1.01. Reduced to 2 components." in words
    assert "Held out, 8 items, 3 and 4 dimensions, seed 3" in words
    assert "its 2 neighbours in one and in two" in movers_help(moved(np.zeros(8)), PAIR)
    figure = displacement_histogram(
        moved([-0.5, 0, 0, 0.4]).displacement, random=(0.8, 1.2), shuffled=1.01
    )
    (bars,) = figure.data
    assert sum(bars.y) == 4
    assert "unrelated spaces 1.01" in figure.layout.title.text
    low, high = bars.customdata[int(np.argmax(bars.y))]
    assert low <= 1 <= high


def test_further_maps_are_those_made_as_the_first_two_and_their_fit_is_told(monkeypatch):
    def run(id):
        return SimpleNamespace(id=id, kinds={"text": 8}, n=8)

    drawn = {("r1", "umap"), ("r2", "umap"), ("r3", "pca"), ("r4", "umap"), ("r4", "pca")}
    workspace = SimpleNamespace(
        run=run,
        layouts=lambda id: [
            SimpleNamespace(id=layout_id(id, "text", LayoutSpec(method)), method=method, seed=0)
            for one, method in sorted(drawn)
            if one == id
        ],
    )
    monkeypatch.setattr(session, "workspace", lambda: workspace)
    runs = {"one": "r1", "two": "r2", "three": "r3", "four": "r4"}
    pair = Pair(
        SimpleNamespace(
            info=SimpleNamespace(run_of=runs.get), comparison=SimpleNamespace(depth=50)
        ),
        "one",
        "two",
        2,
    )
    views = drawn_views(pair, ("three", "four"))
    assert views.names == ("one", "two", "four")
    assert {layout.method for layout in views.layouts} == {"umap"}
    assert views.missing == ("three",)
    fits = [AlignedLayout(np.zeros((8, 2), np.float32), fit, 8) for fit in (0.5, 0.25)]
    words = maps_words(pair, views.names, views.layouts[0], fits)
    assert "onto that of one over 8 items: they fit by .50 (two), .25 (four)" in words
    assert "The right picture" in maps_words(pair, ("one", "two"), views.layouts[0], fits[:1])


def test_classes_are_counted_against_chance_and_confusions_that_changed_come_first():
    labels = ["x"] * 20 + ["y"] * 20
    own = np.array([[(i // 20) * 20 + (i + s) % 20 for s in (1, 2)] for i in range(40)])
    other = (own + 20) % 40
    sides = tuple(class_neighbours(graph, labels, 2) for graph in (own, other))
    moves = class_moves(*sides, seed=3)
    words = moves_words(PAIR, "kind", sides, moves)
    assert "2 of 2 classes of kind" in words
    assert "1 of the time in one and 0 in two" in words
    assert "40 items, k = 2, seed 3." in words
    frame = moves_frame(moves)
    assert frame["moved"].tolist() == pytest.approx([1, 1])
    assert frame["now more of"].tolist() == ["y +1.00", "x +1.00"]
    confused = confusion_frame(sides, "one", "two")
    assert confused.values.tolist() == [["x", "y", 0, 20], ["y", "x", 0, 20]]
    assert confusion_frame((sides[0], sides[0]), "one", "two").empty


def test_classes_of_other_items_are_told_as_such():
    labels = ["x"] * 20 + ["y"] * 20
    own = np.array([[(i // 20) * 20 + (i + s) % 20 for s in (1, 2)] for i in range(40)])
    other = class_neighbours((own + 20) % 40, ["y" if one == "y" else "x" for one in labels], 2)
    moves = class_moves(class_neighbours(own, labels, 2), other, paired=False, seed=3)
    words = elsewhere_words(moves, "one", "News · LSA")
    assert words.startswith("Label-level comparison only, items are not matched: 2 of 2 classes")
    assert "in News · LSA than in one" in words
    assert words.endswith("k = 2, seed 3.")


def test_groups_and_clusters_are_called_by_labels_above_their_share_and_by_words():
    caption = Caption(
        (
            LabelShare("law", 9, 0.9, 6.0),
            LabelShare("all", 5, 0.5, 1.0),
            LabelShare("z", 1, 0.1, 9),
        ),
        (Term("court", 8, 0.8, 5.0, 1.2), Term("judge", 4, 0.4, 4.0, 0.5)),
    )
    assert caption_words(caption) == "law .90 (6.0×) · court, judge"
    assert caption_words(Caption((), ())) == ""
    assert short_caption(caption) == "law"
    assert short_caption(Caption((), caption.terms)) == "court, judge"
    assert (percent(0.998), percent(1.0), percent(0.42)) == ("over 99 %", "100 %", "42 %")

    first, second = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 0, 0])
    match = match_clusters(first, second)
    captions = GroupCaptions(["p", "p", "q", "q", "q", "q"])
    names = [cluster_names(each, captions) for each in (match.first, match.second)]
    assert names == [{0: "1 p", 1: "2 q"}, {0: "1 p", 1: "2 q"}]
    (flow,) = match.regroupings
    frame = flows_frame((flow,), *names, match, captions)
    assert frame.iloc[0].tolist()[:4] == ["1 p", "2 q", 1, "q"]
    words = match_words(match, PAIR, 2)
    assert "83% of 6 items stay" in words
    assert "seed 3" in words
    assert [default_clusters(n) for n in (5, 34, 810, 50_000)] == [2, 2, 10, 10]


@pytest.mark.parametrize("light", [True, False])
def test_few_items_are_measured_now_and_many_by_one_job(monkeypatch, light):
    kept, asked, told = {}, [], []
    answer = moved(np.zeros(8))
    finished = {}
    job = SimpleNamespace(id="j1", active=True)
    workspace = SimpleNamespace(
        pair_finding=lambda task: finished.get(task.finding),
        measure_pair=lambda task: asked.append(task) or job,
        open_jobs=lambda: [job] if asked else [],
    )
    for name, value in {
        "workspace": lambda: workspace,
        "recall": lambda name, default=None: kept.get(name, default),
        "remember": kept.__setitem__,
        "follow": lambda _: None,
        "worked_out": lambda _, make: make(),
    }.items():
        monkeypatch.setattr(session, name, value)
    monkeypatch.setattr(compare_pair_findings, "is_light", lambda *_: light)
    monkeypatch.setattr(compare_pair_findings, "measure", lambda *_: answer)
    monkeypatch.setattr(compare_pair_findings.st, "rerun", lambda: None)
    monkeypatch.setattr(compare_pair_findings.st, "info", told.append)
    pair = Pair(
        SimpleNamespace(
            info=SimpleNamespace(
                id="c123", names=("one", "two"), n=8, recipe=SimpleNamespace(dataset="d")
            )
        ),
        "one",
        "two",
        2,
    )
    first, second = pair_movers(pair), pair_movers(pair)
    if light:
        assert first is second is answer
        assert asked == []
        return
    assert first is second is None
    assert [(task.part, task.first, task.second) for task in asked] == [("movers", "one", "two")]
    assert "Measuring 8 items" in told[0]
    finished[asked[0].finding] = answer
    assert pair_movers(pair) is answer
