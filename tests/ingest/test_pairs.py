"""Pairs of texts and of texts and images: which columns, which pairs, what is left out."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import ParameterError, UnreadableSource
from core.modality import Modality
from ingest import inspect_source, read_dataset
from tests.conftest import shared_data


def png(shade: int, mode: str = "L") -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new(mode, (4, 4), shade).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(**files: bytes) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_png", ".png"), data)
    return "pictures.zip", buffer.getvalue()


def csv(*lines: str, name: str = "t.csv") -> tuple[str, bytes]:
    return name, "\n".join(lines).encode()


def pairs(dataset):
    """Return the pairs by their items, as text."""
    ends = zip(dataset.edges.source, dataset.edges.target, strict=True)
    return [(dataset.items[int(a)], dataset.items[int(b)]) for a, b in ends]


QUESTIONS = csv(
    "question,answer,topic",
    "how old is it,it is ten years old,age",
    "how big is it,it is two metres tall,size",
    "how old is it,about ten,age",
    "how wide is it,it is two metres tall,size",
)


def test_columns_called_question_and_answer_are_pairs_and_the_reader_says_why():
    data = read_dataset(QUESTIONS)
    assert data.modality is Modality.PAIRS
    assert data.sides.names == ("question", "answer")
    assert data.sides.modalities == (Modality.TEXT, Modality.TEXT)
    assert data.items[: data.sides.n_left] == ["how old is it", "how big is it", "how wide is it"]
    assert pairs(data)[2] == ("how old is it", "about ten")
    assert len(data.edges) == 4
    assert data.edges.weight.tolist() == [1, 1, 1, 1]
    assert data.ids[:3] == ("question 1", "question 2", "question 4")
    assert any("called 'question' and 'answer'" in note for note in data.notes)


def test_a_column_goes_to_the_side_on_which_it_has_one_value():
    data = read_dataset(QUESTIONS)
    assert data.columns["side"].tolist() == ["question"] * 3 + ["answer"] * 3
    assert data.columns["topic"].tolist() == ["age", "size", "size", "age", "size", "age"]
    mixed = read_dataset(
        csv("query,document,rank", "q one,d one,1", "q one,d two,2", "q two,d two,3")
    )
    assert "rank" not in mixed.columns
    assert any("'rank'" in note for note in mixed.notes)


def test_the_label_of_pairs_is_their_side():
    assert read_dataset(QUESTIONS).label == "side"


def test_other_columns_of_two_texts_stay_texts_and_pairs_are_offered():
    table = csv(
        "remark,reply",
        *(f"a long remark about number {i},and some reply to number {i}" for i in range(9)),
    )
    preview = inspect_source(table)
    assert preview.kind is Modality.TEXT
    assert Modality.PAIRS in preview.other_kinds
    asked = inspect_source(table, kind="pairs")
    assert {c.name: c.role for c in asked.columns} == {"remark": "left", "reply": "right"}
    assert read_dataset(table, kind="pairs").sides.names == ("remark", "reply")


def test_texts_that_are_said_are_texts_whatever_the_columns_are_called():
    data = read_dataset(QUESTIONS, text="question", label="topic")
    assert data.modality is Modality.TEXT
    assert data.items[0] == "how old is it"
    assert data.label == "topic"
    assert read_dataset(QUESTIONS, columns={"answer": "text"}).items[1] == "it is two metres tall"


def test_sides_that_are_said_make_pairs_or_interactions_without_a_kind():
    table = csv("remark,reply,who", "a long remark,a long reply,ann", "another one,and a reply,bob")
    assert read_dataset(table, left="remark", right="reply").sides.names == ("remark", "reply")
    roles = {"remark": "right", "reply": "left"}
    assert read_dataset(table, columns=roles).sides.names == ("reply", "remark")
    said = read_dataset(table, user="who", item="reply")
    assert said.modality is Modality.INTERACTIONS
    assert said.ids[:2] == ("ann", "bob")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("question_1,question_2,question_3,age", "{agree},{yes},{agree},{i}"),
        ("question,passage,answer", "is the thing {i} big,a passage about the thing {i},{yes}"),
        ("question,A,B,C,answer", "which thing is number {i},one {i},two {i},three,{letter}"),
    ],
)
def test_surveys_and_quizzes_are_no_pairs_unless_asked_for(header, row):
    words = [
        {"i": i, "agree": ("agree", "disagree")[i % 2], "yes": ("yes", "no")[i % 3 == 0]}
        | {"letter": "ABCD"[i % 4]}
        for i in range(40)
    ]
    table = csv(header, *(row.format(**each) for each in words))
    preview = inspect_source(table)
    assert preview.kind is not Modality.PAIRS
    assert Modality.PAIRS in preview.other_kinds


def test_captions_called_as_their_files_are_texts():
    archive = zipped(dog_png=png(1), cat_png=png(2), cow_png=png(3))
    captions = csv("file,caption", "dog.png,dog", "cat.png,cat", "cow.png,cow", name="c.csv")
    data = read_dataset([archive, captions], kind="pairs")
    assert data.sides.modalities == (Modality.TEXT, Modality.IMAGE)
    assert pairs(data)[1] == ("cat", png(2))


@pytest.mark.parametrize("prefix", ["images/", "./images/", "images\\", "data/images/"])
def test_images_are_found_by_the_end_of_their_path(prefix):
    archive = zipped(
        data__images__x_png=png(1), data__other__x_png=png(2), data__images__y_png=png(3)
    )
    captions = csv("file_name,text", f"{prefix}y.png,a y", f"{prefix}x.png,an x", name="m.csv")
    data = read_dataset([archive, captions], kind="pairs")
    assert pairs(data) == [("a y", png(3)), ("an x", png(1))]


def test_captions_in_the_archive_of_their_images_are_found():
    table = b"file_name,text\nimages/x.png,an x\nimages/y.png,a y\n"
    files = {"data__images__x_png": png(1), "data__images__y_png": png(3)}
    archive = zipped(**files, **{"data__metadata.csv": table})
    preview = inspect_source(archive)
    assert preview.kind is Modality.IMAGE
    assert Modality.PAIRS in preview.other_kinds
    data = read_dataset(archive, kind="pairs")
    assert pairs(data) == [("an x", png(1)), ("a y", png(3))]
    assert data.n_dropped == 0
    assert read_dataset(archive).n_dropped == 0


@pytest.mark.parametrize(("name", "content"), [("about.json", b"{broken"), ("empty.csv", b"")])
def test_what_is_no_table_beside_images_does_not_stop_them(name, content):
    data = read_dataset(zipped(x_png=png(1), y_png=png(3), **{name: content}))
    assert data.ids == ("x.png", "y.png")
    assert [d.where for d in data.dropped] == [name]


LISTED = [
    {"query": "first query", "pos": ["one passage", "two passages"]},
    {"query": "second query", "pos": []},
    {"query": "third query", "pos": ["one passage"]},
]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_each_passage_of_a_list_is_a_pair_of_its_own(form):
    if form == "jsonl":
        content = "\n".join(map(json.dumps, LISTED)).encode()
    else:
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(LISTED), buffer)
        content = buffer.getvalue()
    assert inspect_source((f"p.{form}", content)).kind is Modality.PAIRS
    data = read_dataset((f"p.{form}", content))
    assert pairs(data) == [
        ("first query", "one passage"),
        ("first query", "two passages"),
        ("third query", "one passage"),
    ]
    assert [(d.where, d.reason) for d in data.dropped] == [("row 2", "no 'pos'")]
    assert any("'pos' holds lists" in note and "3 rows became 4" in note for note in data.notes)


def test_columns_that_are_no_texts_are_refused_in_one_sentence():
    table = pa.table(
        {"caption": ["one dot", "two dots"], "image": [{"bytes": b"x"}, {"bytes": b""}]}
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    with pytest.raises(UnreadableSource, match="'image' holds struct"):
        read_dataset(("p.parquet", buffer.getvalue()), left="caption", right="image")
    with pytest.raises(UnreadableSource, match="'image' holds struct"):
        read_dataset(("p.parquet", buffer.getvalue()), user="caption", item="image")


def test_column_names_that_hold_markup_do_not_name_the_sides():
    data = read_dataset(csv("[a](//e.co),![b](//e.co)", "one two,three", "two,one"), kind="pairs")
    assert data.sides.names == ("left", "right")


def test_sides_that_are_said_win_over_the_guess():
    data = read_dataset(QUESTIONS, kind="pairs", left="answer", right="topic")
    assert data.sides.names == ("answer", "topic")
    roles = {"question": "right", "answer": "left", "topic": "ignored"}
    swapped = read_dataset(QUESTIONS, kind="pairs", columns=roles)
    assert swapped.sides.names == ("answer", "question")
    assert list(swapped.columns) == ["side"]
    half = read_dataset(QUESTIONS, kind="pairs", left="topic")
    assert half.sides.names[0] == "topic"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"left": "nothing"}, "no such column"),
        ({"left": "answer", "right": "answer"}, "both sides"),
        ({"columns": {"question": "left", "answer": "left"}}, "both have the role left"),
    ],
)
def test_impossible_sides_are_refused(options, words):
    with pytest.raises(ParameterError, match=words):
        read_dataset(QUESTIONS, kind="pairs", **options)


def test_a_missing_side_is_left_out_with_its_row():
    data = read_dataset(csv("query,document", "a b,c d", " ,e f", "g h,", "a b,i j"))
    assert [(d.where, d.reason) for d in data.dropped] == [
        ("row 2", "no 'query'"),
        ("row 3", "no 'document'"),
    ]
    assert data.n_dropped == 2
    assert pairs(data) == [("a b", "c d"), ("a b", "i j")]


def test_nothing_but_halves_is_refused_in_one_sentence():
    with pytest.raises(UnreadableSource, match="no row has both sides"):
        read_dataset(csv("query,document", "a b,", ",c d", "e f,", ",g h"), kind="pairs")


def test_repeated_pairs_are_merged_and_the_largest_weight_counts():
    data = read_dataset(csv("query,document,score", "a,b,2", "a,b,5", "a,b,3", "a,c,1"))
    assert data.edges.weight.tolist() == [5, 1]
    assert any("2 rows repeating a pair merged" in note for note in data.notes)


def test_a_weight_of_zero_is_no_pair_but_its_texts_stay():
    data = read_dataset(csv("query,document,label", "a,b,1", "a,c,0", "d,e,1", "f,c,0"))
    assert data.edges.weight.tolist() == [1, 1]
    assert data.items[:] == ["a", "d", "f", "b", "c", "e"]
    assert data.n_dropped == 0
    assert any("2 rows with a weight of 0" in note for note in data.notes)


def test_classes_that_look_like_weights_are_not_taken_for_them():
    data = read_dataset(csv("sentence1,sentence2,label", "a b,c d,0", "e f,g h,1", "i j,k l,2"))
    assert len(data.edges) == 3
    assert "label" in data.columns


@pytest.mark.parametrize("bad", ["", "nan", "inf", "much", "-1", "1e-60"])
def test_a_weight_that_is_no_positive_number_makes_no_pair(bad):
    lines = [f"a{i},b{i},1" for i in range(40)]
    data = read_dataset(
        csv("query,document,score", *lines, f"x,y,{bad}"), kind="pairs", weight="score"
    )
    assert len(data.edges) == 40
    assert np.isfinite(data.edges.weight).all()
    assert any("weight" in note for note in (*data.notes, *(d.reason for d in data.dropped)))


def test_a_text_on_both_sides_is_an_item_of_either():
    data = read_dataset(csv("sentence1,sentence2", "a cat,a dog", "a dog,a cat", "a cow,a cow"))
    assert len(data) == 6
    assert len(set(data.ids)) == 6
    assert any("3 texts on both sides" in note for note in data.notes)
    assert any("1 pair of a text with itself" in note for note in data.notes)


def test_one_row_all_rows_alike_and_any_script():
    one = read_dataset(csv("query,document", "only,one"))
    assert (len(one), len(one.edges)) == (2, 1)
    same = read_dataset(csv("query,document", *["same,same too"] * 50))
    assert (len(same), len(same.edges)) == (2, 1)
    odd = read_dataset(csv("query,document", "東京,😀 naïve", "עברית,a\u200db"))
    assert pairs(odd)[0] == ("東京", "😀 naïve")


def test_pairs_are_read_from_other_formats_alike():
    rows = [{"query": "a b", "document": "c d"}, {"query": "e f", "document": "g h"}]
    lines = "\n".join(map(json.dumps, rows)).encode()
    semicolons = csv("query;document", "a b;c d", "e f;g h")
    prints = {
        read_dataset(source).fingerprint
        for source in (
            ("t.jsonl", lines),
            semicolons,
            ("t.tsv", semicolons[1].replace(b";", b"\t")),
        )
    }
    assert len(prints) == 1


def test_a_workbook_with_clear_columns_is_pairs_too():
    import pandas as pd

    buffer = io.BytesIO()
    pd.DataFrame({"query": ["a b"], "document": ["c d"]}).to_excel(buffer, index=False)
    assert inspect_source(("t.xlsx", buffer.getvalue())).kind is Modality.PAIRS


PICTURES = zipped(a_png=png(10), b_png=png(20), c_png=png(30))


def test_images_with_captions_are_images_unless_pairs_are_asked_for():
    captions = csv("file,caption", "a.png,dark grey", "b.png,grey", "a.png,nearly black")
    preview = inspect_source([PICTURES, captions])
    assert preview.kind is Modality.IMAGE
    assert Modality.PAIRS in preview.other_kinds
    data = read_dataset([PICTURES, captions], kind="pairs")
    assert data.sides.names == ("text", "image")
    assert data.sides.modalities == (Modality.TEXT, Modality.IMAGE)
    assert pairs(data) == [("dark grey", png(10)), ("grey", png(20)), ("nearly black", png(10))]
    assert data.ids[data.sides.n_left :] == ("a.png", "b.png")


def test_an_image_that_is_missing_and_one_in_no_pair_are_listed():
    captions = csv("file,caption", "a.png,dark", "lost.png,gone", "b.png,", "c.png,light")
    data = read_dataset([PICTURES, captions], kind="pairs", left="caption")
    told = {(d.where, d.reason) for d in data.dropped}
    assert told == {
        ("row 2", "no such image in 'file'"),
        ("row 3", "no 'caption'"),
        ("b.png", "in no pair"),
    }


def test_a_broken_image_is_listed_and_so_is_its_pair():
    broken = zipped(a_png=png(10), b_png=b"\x89PNG\r\n\x1a\n broken")
    captions = csv("file,caption", "a.png,dark grey", "b.png,also grey")
    data = read_dataset([broken, captions], kind="pairs")
    assert pairs(data) == [("dark grey", png(10))]
    assert {d.where for d in data.dropped} == {"row 2", "b.png"}


def test_images_in_folders_are_paired_with_the_names_of_the_folders():
    folders = zipped(red_fox__1_png=png(1), red_fox__2_png=png(2), owl__3_png=png(3))
    data = read_dataset(folders, kind="pairs")
    assert {text for text, _ in pairs(data)} == {"red fox", "owl"} or len(pairs(data)) == 3
    assert data.sides.names == ("text", "image")


def test_two_columns_of_file_names_are_pairs_of_images():
    table = csv("before,after", "a.png,b.png", "a.png,c.png")
    data = read_dataset([PICTURES, table], kind="pairs", left="before", right="after")
    assert data.sides.modalities == (Modality.IMAGE, Modality.IMAGE)
    assert pairs(data) == [(png(10), png(20)), (png(10), png(30))]


def test_images_with_a_table_that_names_none_are_refused():
    table = csv("file,caption", "x.png,one thing", "y.png,another thing")
    with pytest.raises(UnreadableSource, match="names the images"):
        read_dataset([PICTURES, table], kind="pairs")


def test_real_pairs():
    emoji = shared_data("emoji_captions")
    data = read_dataset([emoji / "emoji.zip", emoji / "captions.csv"], kind="pairs")
    assert (data.sides.n_left, len(data), len(data.edges)) == (186, 372, 186)
    questions = read_dataset(shared_data("trecqa_wang") / "dev.csv")
    assert questions.sides.names == ("question", "answer")
    assert (questions.sides.n_left, len(questions) - 81, len(questions.edges)) == (81, 1038, 222)
    rated = read_dataset(shared_data("stsb_en") / "stsb-en-dev.csv", kind="pairs")
    assert rated.sides.names == ("left", "right")
    assert rated.edges.weight.max() == 5
    assert any("31 texts on both sides" in note for note in rated.notes)
