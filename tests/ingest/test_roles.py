"""Each column gets the part that a person would give it, with a reason."""

from __future__ import annotations

import csv
import io

import pytest

from core.errors import ParameterError
from core.modality import Modality
from ingest import inspect_source, read_dataset
from tests.conftest import shared_data


def csv_of(columns: dict[str, list], name: str = "t.csv") -> tuple[str, bytes]:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return name, stream.getvalue().encode()


def roles(table: dict[str, list], **options) -> dict[str, str]:
    return {c.name: c.role for c in inspect_source(csv_of(table), **options).columns}


N = 40
NUMBERS = [f"{i * 0.37:.2f}" for i in range(N)]
OTHER = [f"{i * i}" for i in range(N)]
COLOURS = [["red", "green", "blue"][i % 3] for i in range(N)]
SENTENCES = [f"this is the {i}th of many rather long sentences in here" for i in range(N)]


@pytest.mark.parametrize(
    ("name", "values", "role"),
    [
        ("weight", NUMBERS, "numeric"),
        ("colour", COLOURS, "categorical"),
        ("id", [str(i) for i in range(N)], "id"),
        ("userId", [f"u{i}" for i in range(N)], "id"),
        ("zip", [f"0{i % 7:03d}" for i in range(N)], "categorical"),
        ("day", [f"2024-01-{i % 28 + 1:02d}" for i in range(N)], "time"),
        ("day", [f"{i % 28 + 1:02d}/03/2024" for i in range(N)], "time"),
        ("day", [f"{i % 28 + 1:02d}.03.2024 12:30" for i in range(N)], "time"),
        ("stamp", [f"2024-01-{i % 28 + 1:02d}T10:00:00Z" for i in range(N)], "time"),
        ("flag", ["True", "False"] * (N // 2), "categorical"),
        ("sales", [f"{i + 1},{i:03d}" for i in range(N)], "numeric"),
        ("grows", [f"{i},5" for i in range(N)], "numeric"),
        ("species", COLOURS, "label"),
        ("class", [str(i % 4) for i in range(N)], "label"),
        ("body", SENTENCES, "text"),
        ("code", [f"AX-{i:04d}-{i * 7 % 13}" for i in range(N)], "ignored"),
        ("same", ["x"] * N, "ignored"),
        ("void", [""] * N, "ignored"),
        ("void", ["NA", ""] * (N // 2), "ignored"),
        ("same", ["3"] * N, "ignored"),
        ("tweet_nr", [f"9{i:019d}" for i in range(N)], "id"),
    ],
)
def test_role_of_a_column_beside_numbers(name, values, role):
    guessed = inspect_source(csv_of({"a": NUMBERS, name: values, "b": OTHER, "c": OTHER}))
    found = next(c for c in guessed.columns if c.name == name)
    assert (found.role, bool(found.reason)) == (role, True)


def test_ids_with_leading_zeros_stay_as_written():
    data = read_dataset(csv_of({"id": [f"{i:03d}" for i in range(N)], "a": NUMBERS, "b": OTHER}))
    assert data.ids[:3] == ("000", "001", "002")


def test_a_list_of_words_keeps_the_words_that_elsewhere_mean_missing():
    words = ["null", "nan", "NA", *(f"word{i}" for i in range(400))]
    source = csv_of(
        {"word": words, "a": [str(i % 9) for i in range(403)], "b": ["1", "2", "3"] * 134 + ["4"]}
    )
    assert read_dataset(source).ids[:3] == ("null", "nan", "NA")


def test_classes_with_leading_zeros_are_not_numbers():
    data = read_dataset(csv_of({"plz": ["01067", "10115"] * 20, "a": NUMBERS, "b": OTHER}))
    assert set(data.columns["plz"]) == {"01067", "10115"}


def test_missing_words_count_as_missing_and_are_stated():
    sex = ["male", "female", "NA", "", "nan"] * 8
    data = read_dataset(csv_of({"sex": sex, "a": ["?", *NUMBERS[1:]], "b": OTHER}))
    assert data.columns["sex"].isna().sum() == 24
    assert data.columns["a"].isna().sum() == 1
    assert "Missing values, of 40 rows: sex 24, a 1." in data.notes


def test_the_country_code_of_namibia_is_no_missing_value():
    data = read_dataset(csv_of({"land": ["NA", "DE", "FR", "ZA"] * 10, "a": NUMBERS, "b": OTHER}))
    assert set(data.columns["land"]) == {"NA", "DE", "FR", "ZA"}


def test_a_few_words_among_numbers_become_missing_and_are_shown():
    values = [*NUMBERS[:-1], "about five"]
    data = read_dataset(csv_of({"x": values, "y": OTHER}))
    assert data.roles["x"] == "numeric"
    assert any("1 value not a number ('about five')" in note for note in data.notes)


def test_thousands_among_plain_numbers_are_numbers():
    data = read_dataset(csv_of({"x": ["7", "1,338", *OTHER[2:]], "y": NUMBERS}))
    assert data.columns["x"].tolist()[:2] == [7, 1338]


def test_infinite_values_become_missing_and_are_counted():
    data = read_dataset(csv_of({"x": ["inf", "-inf", *NUMBERS[2:]], "y": OTHER}))
    assert data.columns["x"].isna().sum() == 2


def test_day_and_month_are_told_apart_by_the_days_beyond_twelve():
    us = read_dataset(csv_of({"d": [f"03/{i % 28 + 1:02d}/2024" for i in range(N)], "x": NUMBERS}))
    eu = read_dataset(csv_of({"d": [f"{i % 28 + 1:02d}/03/2024" for i in range(N)], "x": NUMBERS}))
    assert set(us.columns["d"].dt.month) == set(eu.columns["d"].dt.month) == {3}
    assert any("month/day/year" in note for note in us.notes)


def test_whole_numbers_stay_whole_and_classes_stay_texts():
    data = read_dataset(csv_of({"label": ["1", "2"] * 20, "n": OTHER, "x": NUMBERS}))
    assert data.columns["n"].dtype.kind == "i"
    assert data.columns["label"].tolist()[:2] == ["1", "2"]
    assert data.label == "label"


def test_the_user_decides_over_every_guess():
    columns = {"a": NUMBERS, "colour": COLOURS, "body": SENTENCES, "n": OTHER}
    assert roles(columns, columns={"n": "id"}, ignore=["a"]) == {
        "a": "ignored", "colour": "label", "body": "text", "n": "id",
    }  # fmt: skip
    assert roles(columns, categorical="n", label="colour")["n"] == "categorical"
    data = read_dataset(csv_of(columns), kind="table", label="n")
    assert data.label == "n"
    assert list(data.items) == ["a", "colour"]


def test_unknown_columns_and_roles_are_refused_with_what_exists():
    columns = {"a": NUMBERS, "b": OTHER}
    with pytest.raises(ParameterError, match=r"label='c'.*no such column.*'a', 'b'"):
        read_dataset(csv_of(columns), label="c")
    with pytest.raises(ParameterError, match=r"columns\['a'\]='colour' is no role"):
        read_dataset(csv_of(columns), columns={"a": "colour"})


@pytest.mark.parametrize(
    ("folder", "file", "kind", "label"),
    [
        ("penguins", "penguins.csv", "table", "species"),
        ("penguins", "penguins_raw.csv", "table", "Species"),
        ("seaborn_tables", "titanic.csv", "table", "class"),
        ("seaborn_tables", "titanic_raw.csv", "table", "survived"),
        ("seaborn_tables", "mpg.csv", "table", None),
        ("seaborn_tables", "taxis.csv", "table", None),
        ("ag_news", "test.csv", "text", "column_1"),
        ("banking77", "test.csv", "text", "category"),
        ("stsb_en", "stsb-en-test.csv", "text", None),
        ("stsb_multilingual", "stsb-zh-test.csv", "text", None),
        ("stsb_multilingual", "stsb-ru-test.csv", "text", None),
        ("movielens_small", "movies.csv", "text", None),
        ("emoji_captions", "captions.csv", "text", None),
    ],
)
def test_kind_and_label_of_real_files(folder, file, kind, label):
    preview = inspect_source(shared_data(folder) / file)
    assert preview.kind == Modality(kind)
    assert preview.options.get("label") == label


def test_a_sorted_file_is_not_judged_by_the_one_class_it_begins_with():
    n = 30_000
    labels = ["spam"] * (n - 100) + ["ham"] * 100
    source = csv_of({"text": [f"message number {i} of the day" for i in range(n)], "label": labels})
    preview = inspect_source(source)
    assert preview.n_items is None
    assert preview.options["label"] == "label"
    assert read_dataset(source).columns["label"].nunique() == 2
