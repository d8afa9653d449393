"""What a report says beside the overview: calibration, curve, shapes, codes, changed items."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from comparison.compression import compress
from comparison.report import ChangedItem, PairPart, ReportContent, render
from components.compare_pair_list import ListedItems
from ingest import read_dataset
from workspace.compressing import CompressTask
from workspace.recipes import Member, Recipe
from workspace.report_pair import known_movers
from workspace.report_tables import compression_tables
from workspace.reporting import item_table, report_content, text_of_items
from workspace.workspace import Workspace

TEXTS = "text,topic\n" + "\n".join(
    f"{word} {place} {'grows' if i % 2 else 'falls'},{word}"
    for i, (word, place) in enumerate(
        (w, p) for w in ("wheat", "oil", "gold", "rain") for p in "abcdefghijklmno"
    )
)
NAMES = ("TF-IDF", "LSA")
MEMBERS = (
    Member("tfidf", {"min_df": 1}, name="TF-IDF"),
    Member("lsa", {"dim": 4, "min_df": 1}, name="LSA"),
)


def test_a_report_holds_every_figure_beside_chance_and_lists_items_as_the_pair_view(
    start, tmp_path
):
    (tmp_path / "texts.csv").write_text(TEXTS, encoding="utf-8")
    runner = start()
    workspace = Workspace.create(runner)
    data = workspace.add_dataset(read_dataset(tmp_path / "texts.csv"))
    job = runner.wait(workspace.compare(Recipe(data.id, MEMBERS, k=5)).id, 120)
    assert job.state == "done", job.message
    stored = workspace.comparison(job.result["comparison"])
    content = report_content(workspace, stored, k=5, column="topic")
    told = re.sub(r"<[^>]+>", " ", render(content))
    assert "rank-biased overlap@5" in told
    assert f"{stored.comparison.overlap.low[0, 1]:.2f} to " in told
    assert f"cal. {stored.calibrated['overlap'][0, 1].calibrated:.2f}" in told
    assert content.curve.heads[1:] == ("k = 1", "k = 5", "k = 10")
    assert content.curve.rows[-1][:3] == ("unrelated spaces", "0.017", "0.085")
    assert content.shapes.heads[1:3] == NAMES
    assert content.compression == ()
    assert "Displacement, where 1 is a random other item" in content.pair.sentences[-1]

    moved = known_movers(workspace, stored, NAMES)
    order = ListedItems(stored.comparison.per_item(*NAMES), moved, by_place=False).order(most=True)
    dataset = workspace.dataset(data.id)
    texts = text_of_items(dataset, stored.comparison.items.ids)
    assert [item.text for item in content.pair.items] == [texts[row] for row in order[:8]]
    assert "then displacement beyond the surroundings" in content.pair.rule
    lists = [graph[order[0], :5].tolist() for graph in stored.comparison.graphs]
    assert content.pair.items[0].both == (
        tuple(near in lists[1] for near in lists[0]),
        tuple(near in lists[0] for near in lists[1]),
    )

    table = item_table(stored, dataset, 5, "topic")
    assert table["in lists@5: TF-IDF"].sum() == 60 * 5
    for name, score in content.tasks[0].scores.items():
        assert table[f"own topic@5: {name}"].mean() == pytest.approx(score.value)


def test_copies_of_a_text_are_marked_by_row():
    twins = ChangedItem("x", "", 0.5, (("copy", "copy"), ("copy",)), ((False, True), (False,)))
    page = render(ReportContent("", {}, (), (), (), pair=PairPart(NAMES, (), (1, 0), (twins,))))
    assert page.count("<li>copy</li>") == 2
    assert page.count("<li class=both>copy</li>") == 1


def test_codes_that_were_measured_come_into_the_report_each_member_once():
    x = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    found = compress(x, k=5, labels=["a", "b"] * 30)
    asked = [CompressTask("c", ("two",), "kind", 5), CompressTask("c", ("two", "one"), "kind", 5)]
    workspace = SimpleNamespace(compressions=lambda _: asked, compressed=lambda *_: found)
    stored = SimpleNamespace(info=SimpleNamespace(id="c", names=("one", "two", "three")))
    one, two = compression_tables(workspace, stored)
    assert (one.title, two.title) == ("one in fewer bytes", "two in fewer bytes")
    assert "unrelated lists keep 0.085" in one.says
    assert "always naming the largest class: 0.500" in one.says
    assert one.heads[2:4] == ("true neighbours kept @5", "own kind by vote")
    assert one.rows[0][:3] == ("as they are", "32", "1.000 (1.000 to 1.000)")
