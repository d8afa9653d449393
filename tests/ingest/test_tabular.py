"""Tables of every format become text or table datasets, with nothing lost in silence."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from core.errors import ParameterError, TooLarge, UnreadableSource, UnsafeSource
from core.modality import Modality
from ingest import Limits, inspect_source, read_dataset
from tests.conftest import shared_data

FRAME = pd.DataFrame(
    {
        "key": [f"k{i}" for i in range(30)],
        "size": np.arange(30) * 1.5,
        "count": np.arange(30) * 3,
        "colour": ["red", "green", "blue"] * 10,
        "when": pd.date_range("2024-01-01", periods=30),
        "ok": [True, False] * 15,
    }
)
TEXTS = "text,label\n" + "".join(f"sentence number {i} about things,{i % 3}\n" for i in range(12))


def written(suffix: str) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    if suffix == ".csv":
        FRAME.to_csv(buffer, index=False)
    elif suffix == ".tsv":
        FRAME.to_csv(buffer, index=False, sep="\t")
    elif suffix == ".parquet":
        FRAME.to_parquet(buffer, index=False)
    elif suffix == ".feather":
        FRAME.to_feather(buffer)
    elif suffix == ".xlsx":
        FRAME.to_excel(buffer, index=False)
    elif suffix == ".jsonl":
        FRAME.to_json(buffer, orient="records", lines=True, date_format="iso")
    else:
        FRAME.to_json(buffer, orient="records", date_format="iso")
    return f"data{suffix}", buffer.getvalue()


@pytest.mark.parametrize(
    "suffix", [".csv", ".tsv", ".parquet", ".feather", ".xlsx", ".json", ".jsonl"]
)
def test_every_format_gives_the_same_table(suffix):
    data = read_dataset(written(suffix))
    assert data.modality is Modality.TABLE
    assert data.ids == tuple(FRAME["key"])
    assert dict(data.roles) == {
        "size": "numeric", "count": "numeric", "colour": "categorical", "when": "time",
        "ok": "categorical",
    }  # fmt: skip
    assert data.items["size"].tolist() == FRAME["size"].tolist()
    assert data.items["count"].dtype.kind == "i"
    assert data.items["when"].tolist() == FRAME["when"].tolist()
    assert [value.lower() for value in data.items["ok"]] == ["true", "false"] * 15


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx", ".jsonl"])
def test_the_content_decides_whatever_the_suffix_says(suffix):
    name, data = written(suffix)
    disguised = "data.dat" if suffix == ".csv" else "data.csv"
    assert read_dataset((disguised, data)).ids == tuple(FRAME["key"]), name


def test_the_preview_promises_what_reading_keeps():
    preview = inspect_source(written(".csv"))
    data = read_dataset(written(".csv"), kind=preview.kind, **preview.options)
    guessed = {c.name: c.role for c in preview.columns if c.role not in {"id", "ignored"}}
    assert guessed == dict(data.roles)
    assert preview.n_items == len(data) == preview.n_inspected
    assert len(preview.rows) == 20
    assert preview.format == "CSV, comma, UTF-8"
    as_edited = {c.name: c.role for c in preview.columns}
    assert read_dataset(written(".csv"), columns=as_edited).fingerprint == data.fingerprint


def test_ag_news_has_no_header_and_joins_title_and_description():
    data = read_dataset(shared_data("ag_news") / "test.csv")
    assert len(data) == 7600
    assert data.columns["column_1"].value_counts().to_dict() == dict.fromkeys("1234", 1900)
    assert data.items[0].startswith("Fears for T N pension after talks\nUnions representing")
    assert "second\\team of rocketeers" in data.items[1]
    assert data.n_dropped == 0


def test_columns_of_text_that_the_user_names_are_joined_in_that_order():
    path = shared_data("ag_news") / "test.csv"
    data = read_dataset(path, text=["column_3", "column_2"], label="column_1")
    assert data.items[0].endswith("\nFears for T N pension after talks")
    assert read_dataset(path, text="column_2").items[0] == "Fears for T N pension after talks"


def test_penguins_have_species_as_label_and_state_what_is_missing():
    data = read_dataset(shared_data("penguins") / "penguins.csv")
    assert (data.modality, len(data), data.label) == (Modality.TABLE, 344, "species")
    assert "species" not in data.items
    assert data.items["bill_length_mm"].isna().sum() == 2
    assert any("sex 11" in note for note in data.notes)


def test_empty_texts_are_dropped_and_listed_by_row():
    data = read_dataset(("a.csv", TEXTS.replace("sentence number 4 about things", "  ").encode()))
    assert len(data) == 11
    assert [(d.where, d.reason) for d in data.dropped] == [("row 5", "empty text")]
    assert data.n_dropped == 1
    assert "5" not in data.ids
    assert data.ids[4] == "6"
    assert data.columns["label"].tolist()[4] == "2"
    assert "1 row without a text dropped." in data.notes


def test_duplicate_texts_are_kept_and_counted():
    data = read_dataset(("a.csv", (TEXTS + "sentence number 4 about things,1\n").encode()))
    assert len(data) == 13
    assert "1 text repeating an earlier one kept." in data.notes


def test_duplicate_and_missing_ids_are_renamed_by_a_stated_rule():
    rows = "".join(f"{key},{i}.5,{i * 7 % 5}\n" for i, key in enumerate(["a", "b", "a", "", "a"]))
    data = read_dataset(("a.csv", f"id,x,y\n{rows}".encode()), id="id")
    assert data.ids == ("a", "b", "a (2)", "row 4", "a (3)")
    assert any("the second “x” is called “x (2)”" in note for note in data.notes)
    assert any("1 id of 'id' missing" in note for note in data.notes)


def test_cells_that_a_spreadsheet_would_run_are_kept_verbatim():
    data = read_dataset(shared_data("csv_injection") / "injection.csv", text="text")
    assert data.items[0] == "=2+5+cmd|' /C calc'!A0"
    assert data.items[3] == '=IMPORTXML(""http://example.invalid/csv"", ""//a/@href"")'.replace(
        '""', '"'
    )


def test_json_of_texts_of_wrapped_records_and_with_broken_lines():
    texts = json.dumps(["first text here", "second text", ""]).encode()
    assert read_dataset(("a.json", texts)).items == ["first text here", "second text"]
    wrapped = json.dumps({"version": 1, "data": [{"x": i, "y": i * 2.5} for i in range(5)]})
    assert len(read_dataset(("a.json", wrapped.encode()))) == 5
    lines = "\n".join(json.dumps({"text": f"some text {i}", "n": {"a": i}}) for i in range(5))
    data = read_dataset(("a.jsonl", (lines + "\n{broken\n").encode()))
    assert len(data) == 5
    assert [d.where for d in data.dropped] == ["line 6"]
    assert data.n_dropped == 1


def test_records_with_missing_and_mixed_fields_keep_every_value():
    records = [{"text": "one text", "n": 1}, {"text": "two texts", "n": "many"}, {"text": "three"}]
    body = "\n".join(map(json.dumps, records)).encode()
    data = read_dataset(("a.jsonl", body), kind="text", text="text", categorical="n")
    assert data.columns["n"].tolist()[:2] == ["1", "many"]
    assert data.columns["n"].isna().tolist() == [False, False, True]


def test_a_sheet_can_be_chosen_and_is_named_otherwise():
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer) as writer:
        pd.DataFrame().to_excel(writer, sheet_name="empty")
        FRAME.to_excel(writer, sheet_name="first", index=False)
        FRAME.head(5).to_excel(writer, sheet_name="small", index=False)
    source = ("book.xlsx", buffer.getvalue())
    assert inspect_source(source).options["sheet"] == "first"
    assert len(read_dataset(source, sheet="small")) == 5
    with pytest.raises(ParameterError, match=r"sheet='third'.*'empty', 'first', 'small'"):
        read_dataset(source, sheet="third")


@pytest.mark.parametrize(
    ("file", "n"),
    [("simple.xls", 6), ("simple.xlsx", 6), ("loffice-4.4.1.2.ods", 3), ("simple.ssv", 6),
     ("simple.psv", 28), ("excel_pasting.csv", 16), ("utf-16le_encoded.csv", 327),
     ("spanish_chars.csv", 114), ("characters.csv", 382)],
)  # fmt: skip
def test_real_spreadsheets_load(file, n):
    assert len(read_dataset(shared_data("messytables_horror") / file)) == n


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("encrypted_no_password.xls", "cannot be read as a workbook; it is damaged, encrypted"),
        ("complex.html", "is a web page"),
    ],
)
def test_real_files_that_cannot_be_read_are_refused(file, sentence):
    with pytest.raises(UnreadableSource, match=sentence):
        read_dataset(shared_data("messytables_horror") / file)


def test_a_web_page_called_xls_is_refused_for_what_it_is():
    with pytest.raises(UnreadableSource, match="web page"):
        read_dataset(
            ("report.xls", b"<html><body><table><tr><td>1</td></tr></table></body></html>")
        )


def test_a_workbook_that_unpacks_to_too_much_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 5_000_000)
    with pytest.raises(UnsafeSource, match="more than is allowed"):
        read_dataset(("bomb.xlsx", buffer.getvalue()), limits=Limits(max_zip_ratio=2))


def test_damaged_parquet_is_refused():
    name, data = written(".parquet")
    with pytest.raises(UnreadableSource, match="is damaged"):
        read_dataset((name, data[: len(data) // 2]))


def test_one_row_is_allowed_and_says_what_cannot_be_done():
    data = read_dataset(("a.csv", b"x,y\n1.5,2.5\n"))
    assert len(data) == 1
    assert any("no neighbours" in note for note in data.notes)


def test_a_table_without_any_feature_is_refused():
    with pytest.raises(UnreadableSource, match="no column that can serve as a feature"):
        read_dataset(("a.csv", b"x,y\n1,2\n3,4\n"), ignore=["x", "y"], kind="table")


def test_kind_text_takes_the_longest_column_and_kind_table_leaves_texts_out():
    as_text = read_dataset(written(".csv"), kind="text")
    assert as_text.modality is Modality.TEXT
    as_table = read_dataset(("a.csv", TEXTS.encode()), kind="table", numeric="label")
    assert list(as_table.items) == ["label"]


def test_limits_are_kept_and_named():
    with pytest.raises(TooLarge, match="max_rows"):
        read_dataset(written(".parquet"), limits=Limits(max_rows=10))
    with pytest.raises(TooLarge, match="max_rows"):
        read_dataset(written(".xlsx"), limits=Limits(max_rows=10))
    with pytest.raises(TooLarge, match="max_columns"):
        read_dataset(("a.csv", b"a,b,c\n1,2,3\n"), limits=Limits(max_columns=2))
    with pytest.raises(TooLarge, match="max_text_chars"):
        read_dataset(("a.csv", TEXTS.encode()), limits=Limits(max_text_chars=5))
    with pytest.raises(TooLarge, match="max_json_mb"):
        read_dataset(("a.json", b'[{"a": 1}]' + b" " * 2_000_000), limits=Limits(max_json_mb=1))


def test_reading_twice_gives_the_same_fingerprint_and_rows_matter():
    source = written(".csv")
    assert read_dataset(source).fingerprint == read_dataset(source).fingerprint
    assert read_dataset(source).fingerprint != read_dataset(source, ignore="colour").fingerprint


def test_hundreds_of_columns_are_read():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 800)).round(3)).add_prefix("f")
    data = read_dataset(("wide.csv", frame.to_csv(index=False).encode()), kind="table")
    assert data.items.shape == (60, 800)
    np.testing.assert_allclose(data.items.to_numpy(), frame.to_numpy())
