"""Search with judgements: hand-computed figures, forms of judgement files, BM25 on Cranfield."""

from __future__ import annotations

import math
import re
from itertools import permutations

import numpy as np
import pytest

from comparison.bm25 import bm25_scores
from comparison.judged_queries import JudgedQueries
from comparison.judgements import Judgements
from comparison.retrieval_quality import (
    MEASURES,
    TIES,
    chance_figures,
    measure_retrieval,
    query_figures,
    space_scores,
)
from core.errors import DatasetError, ParameterError
from tests.conftest import shared_data

ROWS = [("q1", "a", 1.0), ("q1", "b", 2.0), ("q2", "c", 1.0), ("q2", "a", 0.0)]


def figures(ranks, gains, k, depth=1000):
    found = query_figures(np.array(ranks) - 1, np.array(gains, float), k, depth)
    return dict(zip(MEASURES, found.tolist(), strict=True))


def test_figures_by_hand():
    """Relevant at ranks 2 and 3 of a list, two asked for: ½, ½, and nDCG (.6309 + ½) / 1.6309."""
    found = figures([3, 2], [1, 1], k=2)
    assert found["recall"] == 0.5
    assert found["MRR"] == 0.5
    assert found["hit"] == 1, "a hit is not recall"
    assert found["MAP"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert figures([3, 2], [1, 1], k=3)["nDCG"] == pytest.approx(0.6934, abs=5e-5)
    graded = figures([1, 2], [1, 3], k=5)["nDCG"]
    assert graded == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))
    late = figures([11], [1], k=10, depth=10)
    assert set(late.values()) == {0}
    assert figures([11], [1], k=10)["MRR"] == pytest.approx(1 / 11)


def test_chance_is_the_mean_over_all_orders():
    gains = np.array([2.0, 1.0])
    orders = [query_figures(np.array(r), gains, 3, 4) for r in permutations(range(5), 2)]
    assert chance_figures(gains, 5, 3, 4) == pytest.approx(np.mean(orders, axis=0))


@pytest.mark.parametrize(("k", "depth"), [(1, 6), (3, 4), (4, 3), (6, 6)])
def test_ties_give_the_mean_over_all_their_orders(k, depth):
    """One alone, two of a tie of three after it, one of a tie of two at the end."""
    gains = np.array([1.0, 3.0, 2.0, 1.0])
    orders = [
        query_figures(np.array([0, *middle, last]), gains, k, depth)
        for middle in permutations((1, 2, 3), 2)
        for last in (4, 5)
    ]
    found = query_figures(np.array([0, 1, 1, 4]), gains, k, depth, np.array([1, 3, 3, 2]))
    assert found == pytest.approx(np.mean(orders, axis=0))
    lost = query_figures(np.array([-1, 1, 1, -1]), gains, k, depth, np.array([1, 3, 3, 1]))
    assert lost[1] == pytest.approx(min(max(k - 1, 0), 3) * 2 / 3 / 4), "two are never found"


def joined(rows=ROWS, queries=("q1", "q2"), documents=tuple("abcd"), **how):
    return JudgedQueries.of(Judgements.of_pairs(rows), queries, documents, **how)


def test_ranks_by_metric_and_ties():
    """q1 lies at (1, 0); b and its copy d come before a; c lies across."""
    documents = np.array([[3, 3], [1, 0], [0, 1], [1, 0]], np.float32)
    queries = np.array([[1, 0], [0, 1]], np.float32)
    test = joined()

    def found(metric, **how):
        scores = {"x": space_scores(queries, documents, metric)}
        return measure_retrieval(scores, test, k=1, least_queries=1, **how)

    assert found("cosine")["MRR"]["x"].per_unit.tolist() == [0.75, 1], "b or its copy d first"
    assert found("cosine")["MRR"]["x"].extra[TIES] == 0.5
    b_or_d = (1 + 1 / 2) / 2
    assert found("cosine")["MAP"]["x"].per_unit[0] == pytest.approx((b_or_d + 2 / 3) / 2)
    # The long a comes first, then b and d: precision 1, and at b 2/2 or 2/3.
    by_length = ((1 + (1 + 2 / 3) / 2) / 2, 0.5)
    assert found("dot")["MAP"]["x"].per_unit.tolist() == pytest.approx(by_length)
    assert found("euclidean")["MAP"]["x"].per_unit[0] == pytest.approx((b_or_d + 2 / 4) / 2)
    assert found("dot", among="judged")["MAP"]["x"].per_unit.tolist() == [1, 0.5]
    assert found("cosine", among="judged")["MAP"]["x"].value == 1, "d and c are no candidates"
    assert found("cosine", among="judged")["recall"].chance == pytest.approx(0.5)


def test_what_knows_nothing_of_a_query_finds_nothing():
    """Wherever the answer stands: before, equal scores came in order of position."""
    rng = np.random.default_rng(0)
    documents, zeros = rng.normal(size=(40, 4)).astype(np.float32), np.zeros((30, 4), np.float32)
    ids = [f"q{i}" for i in range(30)], [f"d{i}" for i in range(40)]
    test = joined([(q, "d0", 1.0) for q in ids[0]], *ids)
    alike = np.ones_like(documents)
    for metric in ("cosine", "dot", "euclidean"):
        methods = {
            "zeros": space_scores(zeros, documents, metric),
            "alike": space_scores(documents[:30], alike, metric),
        }
        for result in measure_retrieval(methods, test, k=5).values():
            assert result["zeros"].value == 0
            assert result["alike"].value == pytest.approx(result.chance)
            assert (result["zeros"].extra[TIES], result["alike"].extra[TIES]) == (0, 1)


def test_a_query_is_not_its_own_answer():
    rows = [("a", "a", 1.0), ("a", "b", 1.0), ("b", "b", 1.0)]
    ids = ("a", "b", "c")
    test = joined(rows, ids, ids, same_items=True)
    assert test.left_out == {
        "judgements of a query as its own answer": 2,
        "queries without a relevant document": 1,
        "queries without a judgement": 1,
    }
    x = np.array([[1, 0], [1, 0.1], [0, 1]], np.float32)
    scores = {"x": space_scores(x, x, "cosine")}
    found = measure_retrieval(scores, test, k=1, least_queries=1)
    assert found["MRR"]["x"].value == 1
    assert found["recall"].chance == 0.5, "two candidates are left"


def test_too_few_queries_are_refused_with_the_reason():
    found = measure_retrieval({}, joined())
    assert all("2 queries with a relevant document are too few; 20" in r.refused
               for r in found.values())  # fmt: skip
    with pytest.raises(ParameterError, match="got 0"):
        measure_retrieval({}, joined(), k=0)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("q1 0 a 1\nq1 0 b 2\n\nq2 0 c 1\nq2 0 a 0\n", "TREC qrels"),
        ("q1\tQ0\ta\t1\nq1\tQ0\tb\t2\nq2\tQ0\tc\t1\nq2\tQ0\ta\t0", "TREC qrels"),
        ("query-id\tcorpus-id\tscore\nq1\ta\t1\nq1\tb\t2\nq2\tc\t1\nq2\ta\t0", "BEIR table"),
        ("\ufeffgain;doc;note;qid\n1;a;;q1\n2;b;;q1\n1;c;;q2\n0;a;;q2", "table with headings"),
        ("q1,a,1\nq1,b,2\nq1,b,0.5\nq2,c,1\nq2,a,0", "table without headings"),
    ],
)
def test_forms_of_judgements(text, form):
    found = Judgements.from_lines(text.splitlines(), "file")
    assert found.gains == {"q1": {"a": 1, "b": 2}, "q2": {"c": 1, "a": 0}}
    assert found.form == form
    assert bool(found.notes) == (text.count("b") > 1 and "0.5" in text)


def test_quoted_texts_and_pairs_without_a_gain():
    found = Judgements.from_lines(['"who, me?",yes', "what,no"])
    assert found.gains == {"who, me?": {"yes": 1}, "what": {"no": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 0 a 1\nq1 0 b\n", "Line 2 of file, taken as TREC qrels"),
        ("q1,a,good\n", "Line 1 of file"),
        ("q1,a,nan\n", "Line 1 of file"),
        ("1 Q0 a 1 3.2 run\n", "Six columns look like the answers of a search system"),
        ("", "file is empty"),
        ("query,document\n", "holds no judgement"),
    ],
)
def test_lines_that_are_no_judgements_are_named(text, message):
    with pytest.raises(DatasetError, match=re.escape(message)):
        Judgements.from_lines(text.splitlines(), "file")


def test_judgements_by_number_of_the_query_are_recognised_and_said():
    rows = [("1", "a", 1.0), ("2", "b", 1.0)]
    by_number = joined(rows, queries=("17", "2"))
    assert by_number.queries.tolist() == [0, 1]
    assert "numbers 1 to 2" in by_number.notes[0]
    by_id = joined([*rows, ("9", "a", 1.0)], queries=("17", "2"))
    assert by_id.queries.tolist() == [1]
    assert by_id.left_out["judged queries that are not among the queries"] == 2
    # One number that is no id does not shift all others by one.
    shifted = [(str(i), "abcd"[i % 4], 1.0) for i in range(1, 6)]
    kept = joined(shifted, queries=tuple("234567"))
    assert [documents.tolist() for documents in kept.judged] == [[2], [3], [0], [1]]
    assert kept.left_out["judged queries that are not among the queries"] == 1
    assert not kept.notes
    few = joined(shifted, queries=("x1", "x2", "x3", "x4", "x5", "x6"))
    assert few.queries.tolist() == [0, 1, 2, 3, 4]
    forced = joined(rows, queries=("17", "2"), join="id")
    assert forced.queries.tolist() == [1]
    assert not forced.notes
    with pytest.raises(DatasetError, match=r"such as '1'.*such as 'x'"):
        joined(rows, queries=("x",))


def test_bm25_by_hand():
    """idf ln(1 + (N - n + ½) / (n + ½)) times tf / (tf + 1.2 (¼ + ¾ |D| / mean |D|))."""
    documents = ["the cat", "the dog saw the dog", ""]
    scores = bm25_scores(["Dog!", "the cat", "unseen", "dog dog"], documents)(np.arange(4))
    mean = 7 / 3

    def part(n, tf, length):
        return math.log(1 + (3 - n + 0.5) / (n + 0.5)) * tf / (
            tf + 1.2 * (0.25 + 0.75 * length / mean)
        )  # fmt: skip

    assert scores[0] == pytest.approx([0, part(1, 2, 5), 0], rel=1e-5)
    assert scores[1] == pytest.approx([part(2, 1, 2) + part(1, 1, 2), part(2, 2, 5), 0], rel=1e-5)
    assert np.isneginf(scores[2]).all(), "a query of unknown words finds nothing"
    assert scores[3] == pytest.approx(2 * scores[0]), "a word asked twice counts twice"
    with pytest.raises(DatasetError, match="No document holds a word"):
        bm25_scores(["a"], ["", "!"])


def test_bm25_on_cranfield():
    """Its judgements name queries by position; measured elsewhere: MAP .277, nDCG@10 .360."""
    folder = shared_data("cranfield")

    def parts(name, *tags):
        text = (folder / name).read_text(encoding="utf-8")
        found = [re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in tags]
        return [[part.strip() for part in row] for row in zip(*found, strict=True)]

    documents = parts("cran.all.1400.xml", "docno", "title", "text")
    queries = parts("cran.qry.xml", "num", "title")
    lines = (folder / "cranqrel.trec.txt").read_text(encoding="utf-8").splitlines()
    test = JudgedQueries.of(
        Judgements.from_lines(lines, "qrels"), [q[0] for q in queries], [d[0] for d in documents]
    )
    assert len(test) == 225
    assert "numbers 1 to 225" in test.notes[0]
    score = bm25_scores([q[1] for q in queries], [f"{d[1]} {d[2]}" for d in documents])
    found = measure_retrieval({"BM25": score}, test, baselines=["BM25"])
    assert found["MAP"]["BM25"].value == pytest.approx(0.277, abs=0.01)
    assert found["nDCG"]["BM25"].value == pytest.approx(0.360, abs=0.01)
    wide = measure_retrieval({"BM25": score}, test, k=100)
    assert wide["recall"]["BM25"].value == pytest.approx(0.696, abs=0.01)
