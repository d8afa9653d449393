"""Runs and layouts are called by what sets them apart; quality says what it rests on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from components.compare_runs import newest
from components.projection_panel import layout_name, quality_words
from components.run_table import chosen_run, run_name, settings_text, table_key
from projection.layout import Layout
from projection.quality import Quality
from workspace.records import LayoutInfo

QUALITY = Quality(
    trustworthiness=0.941,
    continuity=0.95,
    overlap_at_10=0.41,
    rank_correlation=0.5,
    k=12,
    overlap_k=10,
    n_used=2_000,
    n_total=12_001,
    n_pairs=5_000,
    metric="cosine",
    seed=0,
)


def run(embedder="bert", title="BERT", dim=384, seed=0, dataset="d", **params):
    return SimpleNamespace(
        id="r",
        embedder=embedder,
        title=title,
        dim=dim,
        seed=seed,
        params=params,
        dataset=dataset,
        provenance={},
    )


def replace_params(one, **params):
    one.params = params
    return one


def layout_info(method, **params):
    return LayoutInfo("i", "r", "document", method, 2, 0, params, 10, 1.0, 0.0)


def with_quality(quality):
    return Layout(np.zeros((30, 2), np.float32), "pca", 2, {}, 0, quality)


def test_a_run_is_called_by_the_settings_that_differ_from_the_defaults():
    assert run_name(run(pooling="cls", max_length=0)) == "BERT · cls pooling · 384-d"
    assert run_name(run(pooling="model", normalise=False)) == "BERT · not normalise · 384-d"
    assert (
        run_name(replace_params(run("lsa", "LSA", 50), dim=50, min_df=3)) == "LSA · min df 3 · 50-d"
    )
    assert run_name(run("gone", "Gone", 5, x=1)) == "Gone · 5-d"


def test_a_run_that_looked_words_up_is_called_by_the_name_of_its_file():
    one = run("lookup", "Your word vectors", 3, vectors="d" + "0" * 24)
    one.provenance = {"datasets": {"vectors": "tiny.vec"}}
    assert run_name(one) == "Your word vectors · tiny.vec · 3-d"
    assert settings_text(one) == "Word vectors: tiny.vec"


def test_what_was_left_to_the_method_is_no_setting_and_a_test_set_is_called_one():
    one = run("two_towers", "Two towers", 384, epochs=0, pretraining="auto", test="d1")
    one.provenance = {"datasets": {"test": "bank test"}}
    assert settings_text(one) == "Test texts: bank test"
    assert run_name(one) == "Two towers · test: bank test · 384-d"
    assert "Epochs: 7" in settings_text(replace_params(one, epochs=7))


def test_a_run_that_was_made_anew_is_told_from_the_one_before_and_stands_for_it_in_comparisons():
    before, anew, other = run(), run(), run(pooling="cls")
    anew.provenance = {"generation": 1}
    assert run_name(anew) == "BERT · made anew · 384-d"
    assert settings_text(anew) == "made anew"
    assert newest([before, other, anew]) == [other, anew]
    twice = run(pooling="cls")
    twice.provenance = {"generation": 2}
    assert settings_text(twice) == "Pooling: first token (CLS) · made anew (2)"


def test_a_layout_shows_its_preset_and_unusual_settings():
    assert layout_name(layout_info("umap")) == "UMAP balanced · 2-D · seed 0"
    local = layout_info("umap", preset="local", n_neighbors=40)
    assert layout_name(local) == "UMAP local · n neighbors 40 · 2-D · seed 0"
    assert layout_name(layout_info("tsne", perplexity=50.0)) == (
        "t-SNE · perplexity 50 · 2-D · seed 0"
    )
    assert layout_name(layout_info("pca")) == "PCA · 2-D"


def test_quality_states_sample_pairs_and_chance():
    assert quality_words(with_quality(QUALITY)) == [
        "trustworthiness@12 .94",
        "continuity@12 .95",
        "overlap@10 .41 (chance <.01), judged at 2,000 of 12,001 items",
        "distance rank correlation .50 (5,000 pairs)",
    ]


def test_quality_of_small_data_uses_its_own_number_of_neighbours():
    small = replace(QUALITY, overlap_k=4, n_used=21, n_total=21, rank_correlation=None)
    assert quality_words(with_quality(small))[2:] == ["overlap@4 .41 (chance .20)"]
    smaller = replace(small, k=9, n_used=20, n_total=20)
    assert quality_words(with_quality(smaller))[-1] == (
        "@9 and not @12, as trustworthiness needs fewer neighbours than half of the 20 points"
    )


@pytest.mark.parametrize("other", [[run(dataset="e")], [run(), run()]])
def test_a_row_chosen_in_one_table_means_nothing_in_another(other):
    assert table_key(other) != table_key([run()])


def test_a_stale_row_number_chooses_nothing():
    assert chosen_run([run()], [3]) is None
    assert chosen_run([run()], []) is None
    assert chosen_run([run()], [0]).id == "r"
