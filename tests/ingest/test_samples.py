"""The bundled samples: what their cards promise is what loads."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import DatasetError
from core.modality import Modality
from ingest.samples import list_samples, load_sample

ROOT = Path(__file__).resolve().parents[2]
IDS = [sample.id for sample in list_samples()]


@pytest.fixture(scope="module")
def topics() -> list[dict[str, str]]:
    with (ROOT / "data" / "topics.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def words(text: str) -> list[str]:
    return re.findall(r"[\w'’-]+", text.lower())


# --- every sample -------------------------------------------------------------------------------


def test_one_sample_per_kind_is_offered_at_least():
    kinds = {sample.modality for sample in list_samples()}
    assert kinds == {Modality.TEXT, Modality.IMAGE, Modality.TABLE, Modality.GRAPH}
    assert len(IDS) == len(set(IDS)) == 7


@pytest.mark.parametrize("sample", list_samples(), ids=lambda sample: sample.id)
def test_a_sample_is_what_its_card_says(sample):
    dataset = load_sample(sample.id)
    assert len(dataset) == sample.n_items
    assert dataset.modality is sample.modality
    assert dataset.name == sample.title
    assert dataset.label == sample.colour
    assert dataset.columns[sample.colour].notna().all()
    assert dataset.columns[sample.colour].nunique() >= 2
    assert set(dataset.roles) == set(dataset.columns)
    assert sample.summary.endswith((".", "?"))
    assert sample.licence
    assert sample.origin.endswith(".")
    assert f"| {sample.id} |" in (ROOT / "data" / "SOURCES.md").read_text(encoding="utf-8")


def test_fingerprints_are_the_same_in_every_process():
    code = (
        "import json; from ingest.samples import *; "
        "print(json.dumps({s.id: load_sample(s.id).fingerprint for s in list_samples()}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},  # sets of text iterate in another order
        capture_output=True,
        check=True,
        text=True,
    )
    here = {id: load_sample(id).fingerprint for id in IDS}
    assert json.loads(answer.stdout) == here
    assert len(set(here.values())) == len(here)


def test_listing_samples_loads_no_library_that_only_a_sample_needs():
    code = (
        "import sys; from ingest.samples import list_samples; list_samples(); "
        "print({'sklearn', 'networkx', 'torch'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert answer.stdout.strip() == "set()"


def test_an_unknown_sample_is_answered_with_the_known_ones():
    with pytest.raises(DatasetError, match=r"'topic'.*topics, digits.*mean 'topics'"):
        load_sample("topic")


# --- topics -------------------------------------------------------------------------------------


def test_topics_are_balanced(topics):
    counts = Counter(row["topic"] for row in topics)
    assert len(topics) >= 800
    assert len(counts) >= 12
    assert min(counts.values()) >= 50
    assert max(counts.values()) <= 60


def test_sentences_are_short_enough_for_a_tooltip_and_clean(topics):
    for row in topics:
        assert 8 <= len(row["text"].split()) <= 30, row["text"]
        assert row["text"] == row["text"].strip()
        assert row["text"][-1] in ".!?", row["text"]
        assert "  " not in row["text"]


def test_no_sentence_is_nearly_another(topics):
    bags = [(row["text"], set(words(row["text"]))) for row in topics]
    assert len({text.lower() for text, _ in bags}) == len(topics)
    for (one, a), (other, b) in combinations(bags, 2):
        assert len(a & b) / len(a | b) < 0.5, (one, other)


def test_sentences_do_not_follow_a_template(topics):
    openings = Counter(tuple(words(row["text"])[:3]) for row in topics)
    assert openings.most_common(1)[0][1] <= 2
    starts = Counter(tuple(words(row["text"])[:2]) for row in topics)
    assert starts.most_common(1)[0][1] <= 4


def test_each_homonym_has_several_senses_with_enough_sentences(topics):
    senses: dict[str, Counter[str]] = defaultdict(Counter)
    for row in topics:
        if row["word"]:
            senses[row["word"]][row["sense"]] += 1
    assert len(senses) >= 10
    assert {"bank", "spring", "crane", "python"} <= set(senses)
    for word, counts in senses.items():
        assert len(counts) >= 2, word
        assert min(counts.values()) >= 4, (word, counts)
        assert 8 <= sum(counts.values()) <= 12, (word, counts)


def test_a_homonym_stands_in_its_sentence_unchanged(topics):
    for row in topics:
        assert bool(row["word"]) == bool(row["sense"])
        if row["word"]:
            assert row["word"] in words(row["text"]), row["text"]
            assert row["sense"].startswith(f"{row['word']} ("), row["sense"]


def test_a_sense_belongs_to_one_topic_and_senses_of_a_word_differ_in_it(topics):
    topic_of: dict[str, set[str]] = defaultdict(set)
    for row in topics:
        if row["word"]:
            topic_of[row["sense"]].add(row["topic"])
    assert all(len(found) == 1 for found in topic_of.values())
    for word in {row["word"] for row in topics} - {""}:
        found = [t for sense, t in topic_of.items() if sense.startswith(f"{word} (")]
        assert len(set.union(*found)) == len(found), word


def test_words_and_senses_of_other_sentences_are_missing_not_empty():
    columns = load_sample("topics").columns
    assert columns["word"].isna().equals(columns["sense"].isna())
    assert columns["word"].notna().sum() == 174
    assert not (columns == "").any().any()


# --- digits, tables, graphs ---------------------------------------------------------------------


def test_digits_are_pngs_whose_pixels_are_scikit_learns_up_to_scale():
    from sklearn.datasets import load_digits

    dataset, bunch = load_sample("digits"), load_digits()
    for row in (0, 1, 900, 1_796):
        image = Image.open(io.BytesIO(dataset.items[row]))
        assert (image.format, image.size, image.mode) == ("PNG", (8, 8), "L")
        assert np.array_equal((255 - np.asarray(image).astype(int)) / 15, bunch.images[row])
    assert dataset.columns["digit"].tolist() == [str(t) for t in bunch.target]


def test_tables_keep_their_features_in_the_columns_for_colouring():
    for id, n_features, sizes in (("wine", 13, {59, 71, 48}), ("iris", 4, {50})):
        dataset = load_sample(id)
        assert dataset.items.shape[1] == n_features
        assert dataset.label not in dataset.items
        assert dataset.columns[list(dataset.items)].equals(dataset.items)
        assert set(dataset.columns[dataset.label].value_counts()) == sizes


def test_graphs_keep_every_edge_and_its_weight():
    novel, club = load_sample("les-miserables"), load_sample("karate")
    assert (len(novel.edges), novel.edges.weight.sum()) == (254, 820)
    assert (len(club.edges), club.edges.weight.sum()) == (78, 231)
    for dataset in (novel, club):
        assert not dataset.edges.directed
        assert (dataset.edges.source < dataset.edges.target).all()
    pairs = zip(novel.edges.source, novel.edges.target, novel.edges.weight, strict=True)
    ids = novel.ids
    assert ({"Valjean", "Cosette"}, 31.0) in [({ids[a], ids[b]}, w) for a, b, w in pairs]


def test_communities_are_named_after_a_member_and_known_friends_share_one():
    dataset = load_sample("les-miserables")
    community = dict(zip(dataset.ids, dataset.columns["community"], strict=True))
    assert {name.removeprefix("around ") for name in community.values()} <= set(dataset.ids)
    assert community["Enjolras"] == community["Gavroche"] == community["Combeferre"]
    assert community["Enjolras"] != community["Myriel"]
    assert "modularity" in dataset.notes[0]


def test_karate_club_splits_in_halves():
    assert sorted(load_sample("karate").columns["club"].value_counts()) == [17, 17]


# --- what a click on the card starts --------------------------------------------------------------


@pytest.mark.parametrize("sample", list_samples(), ids=lambda sample: sample.id)
def test_the_suggested_method_takes_the_sample_and_its_settings(sample):
    from core.errors import UnknownEmbedder
    from embedders import get_embedder

    try:
        embedder = get_embedder(sample.embedder, **dict(sample.params))
    except UnknownEmbedder as error:
        pytest.skip(str(error))
    assert sample.modality in embedder.accepts
