"""Exported tables open safely in spreadsheets and lose nothing."""

import io

import pandas as pd
import pytest

from workspace.table_files import to_csv, to_parquet


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_run_is_defused(cell):
    read = pd.read_csv(io.BytesIO(to_csv(pd.DataFrame({"text": [cell]}))), keep_default_na=False)
    assert read["text"][0].startswith("'")


def test_a_column_name_that_a_spreadsheet_would_run_is_defused():
    assert to_csv(pd.DataFrame({"=1+1": ["a"]})).decode("utf-8-sig").startswith("'=1+1")


def test_negative_numbers_stay_numbers():
    read = pd.read_csv(io.BytesIO(to_csv(pd.DataFrame({"x": [-1.5, 2.0]}))))
    assert read["x"].tolist() == [-1.5, 2.0]


def test_csv_starts_with_a_byte_order_mark_and_keeps_unicode():
    data = to_csv(pd.DataFrame({"text": ["Größe, “quoted”\nsecond line 🦩"]}))
    assert data.startswith(b"\xef\xbb\xbf")
    assert pd.read_csv(io.BytesIO(data))["text"][0] == "Größe, “quoted”\nsecond line 🦩"


def test_parquet_keeps_cells_verbatim():
    frame = pd.DataFrame({"id": ["=1"], "n": [3]})
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(to_parquet(frame))), frame)


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        ([1, "a", None, 2.5], ["1", "a", None, "2.5"]),
        ([[1], ["a"], {"b": 1}, 3], ["[1]", "['a']", "{'b': 1}", "3"]),
        ([2**70, -1, None, 0], [str(2**70), "-1", None, "0"]),
        (["\ud800x", "b", None, "c"], ["?x", "b", None, "c"]),
        ([1, None, 2.5, 3], [1, None, 2.5, 3]),
    ],
)
def test_a_column_of_mixed_values_becomes_texts_in_parquet(cells, read):
    frame = pd.DataFrame({"x": pd.Series(cells, dtype="object", index=[4, 7, 1, 0]), "n": range(4)})
    found = pd.read_parquet(io.BytesIO(to_parquet(frame)))
    assert [None if pd.isna(value) else value for value in found["x"]] == read
    assert found["n"].tolist() == [0, 1, 2, 3]
    assert len(pd.read_csv(io.BytesIO(to_csv(frame)))) == 4


def test_times_are_written_as_they_are():
    frame = pd.DataFrame({"t": pd.to_datetime(["2020-01-01", None])})
    assert to_csv(frame).decode("utf-8-sig").splitlines() == ["t", "2020-01-01", '""']
