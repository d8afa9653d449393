"""Exported tables open safely in spreadsheets and lose nothing."""

import io

import pandas as pd
import pytest

from components.export import to_csv, to_parquet


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
