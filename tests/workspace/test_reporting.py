"""From a stored comparison to a report, a table and a recipe that makes it again."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from comparison.report import render
from core.errors import DatasetError, ParameterError
from ingest.samples import load_sample
from workspace.__main__ import main
from workspace.portable import check_same, placed, portable_recipe, read_recipe
from workspace.recipes import Member, Recipe
from workspace.reporting import item_table, report_content
from workspace.workspace import Workspace

TEXTS = "text,topic\n" + "\n".join(
    f"{word} {place} {'<b>grows</b>' if i % 2 else 'falls'},{word}"
    for i, (word, place) in enumerate(
        (w, p) for w in ("wheat", "oil", "gold", "=rain") for p in "abcdefghijklmno"
    )
)
MEMBERS = (
    Member("tfidf", {"min_df": 1}, name="TF-IDF"),
    Member("lsa", {"dim": 4, "min_df": 1}, name="LSA & co"),
)


@pytest.fixture
def made(start, tmp_path):
    (tmp_path / "texts.csv").write_text(TEXTS, encoding="utf-8")
    runner = start()
    workspace = Workspace.create(runner)
    read = runner.wait(workspace.read_upload(tmp_path / "texts.csv", label="topic").id, 60)
    data = workspace.dataset_info(read.result["dataset"])
    job = runner.wait(workspace.compare(Recipe(data.id, MEMBERS, k=5)).id, 120)
    assert job.state == "done", job.message
    return workspace, workspace.comparison(job.result["comparison"])


def test_a_report_is_one_page_that_loads_nothing_and_runs_nothing(made):
    workspace, stored = made
    content = report_content(workspace, stored, k=5, column="topic")
    page = render(content)
    assert not re.search(r"<script|<link|<img|@import|url\(|https?://[^<]*\.(js|css|woff)", page)
    assert "<b>grows" not in page  # texts are no markup
    assert "&lt;b&gt;grows" in page
    assert "LSA &amp; co" in page
    assert content.tasks[0].scores["TF-IDF"].value is not None
    assert any("nearest vote for an item's own class" in sentence for sentence in content.verdict)
    assert any("TF-IDF and LSA & co" in sentence for sentence in content.verdict)
    assert sum(content.pair.counts) == 60
    assert json.loads(content.recipe)["recipe"]["k"] == 5


def test_the_table_has_the_agreement_of_every_item(made):
    workspace, stored = made
    data = workspace.dataset(stored.info.recipe.dataset)
    table = item_table(stored, data, 5)
    assert len(table) == 60
    assert table["overlap@5: TF-IDF | LSA & co"].mean() == pytest.approx(
        stored.comparison.overlap.values[0, 1]
    )
    assert list(table["topic"]) == data.columns["topic"].tolist()


def test_the_command_line_makes_the_same_comparison_from_recipe_and_file(
    made, tmp_path, monkeypatch, capsys
):
    workspace, stored = made
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(portable_recipe(workspace, stored.info)), encoding="utf-8")
    monkeypatch.setenv("EMBEDSCOPE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("EMBEDSCOPE_WARM_UP", "false")
    out = tmp_path / "out"
    asked = [str(recipe), "--out", str(out)]
    assert main(asked) == 1
    assert "--data 'data 1=FILE'" in capsys.readouterr().err
    assert main([*asked, "--data", str(tmp_path / "texts.csv")]) == 0
    assert "TF-IDF and LSA & co" in capsys.readouterr().out
    items = pd.read_csv(out / "items.csv", dtype={"id": str})
    data = workspace.dataset(stored.info.recipe.dataset)
    wanted = item_table(stored, data, 5)
    parquet = pd.read_parquet(out / "items.parquet")
    pd.testing.assert_frame_equal(parquet, wanted, check_dtype=False)
    for column in ("text", "topic"):  # a spreadsheet would take them for formulas
        wanted[column] = wanted[column].str.replace("^=", "'=", regex=True)
    pd.testing.assert_frame_equal(items, wanted, check_dtype=False, check_exact=False)
    assert "<h1>" in (out / "report.html").read_text(encoding="utf-8")
    again, told = read_recipe((out / "recipe.json").read_text(encoding="utf-8"))
    first, told_first = read_recipe(recipe.read_text(encoding="utf-8"))
    assert again == first
    assert told == told_first
    assert told["data 1"]["options"] == {"label": "topic"}
    assert told["data 1"]["files"] == ["texts.csv"]


def test_other_data_is_refused_by_its_fingerprint(made):
    workspace, stored = made
    recipe, told = read_recipe(json.dumps(portable_recipe(workspace, stored.info)))
    check_same(workspace.dataset(stored.info.recipe.dataset), told["data 1"])
    with pytest.raises(DatasetError, match="not the data of the recipe"):
        check_same(load_sample("karate"), told["data 1"])
    assert placed(recipe, {"data 1": "d7"}).members[0].dataset == "d7"
    without = '{"embedscope": 1, "recipe": {"dataset": "a"}, "data": {"a": {}}}'
    for broken, why in (
        ("{", "no JSON"),
        ("{}", "no recipe"),
        ('{"recipe": {}}', "version None"),
        ('{"embedscope": 1, "recipe": [], "data": {}}', "objects in braces"),
        (without, "does not say which data 'a' is"),
    ):
        with pytest.raises(ParameterError, match=why):
            read_recipe(broken)
