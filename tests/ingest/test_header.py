"""Where tables start, and which row names their columns."""

from __future__ import annotations

import pytest

from core.errors import ParameterError
from ingest.header import find_layout, unique_names


def grid(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.strip("\n").split("\n")]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("name,age\nAnna,31\nBob,45\n", ("name", "age")),
        ("3,World news of the day\n4,Other news\n3,And more\n", None),
        ("cat\ndog\nbird\n", None),
        ("word\ncat\ndog\nbird\n", ("word",)),
        ("foo\nfoo\nfoo\n", None),
        ("pos,a lovely film\nneg,a dull film\npos,great\n", None),
        ("Year,2000,2001\nTimber,5,6\nSteel,7,8\n", ("Year", "2000", "2001")),
        ("2000,2001\n1,2\n3,4\n", None),
        ("1.5,2.5\n3.5,4.5\n", None),
        ("0001,x\n0002,y\n", None),
        (",a,b\n1,5,6\n2,7,8\n", ("", "a", "b")),
        ("city,country\nParis,France\nRome,Italy\n", ("city", "country")),
        ("28/01/2018,00:00,2\n29/01/2018,00:15,3\n", None),
    ],
)
def test_a_header_is_told_from_a_first_row(text, header):
    assert find_layout(grid(text)).header == header


def test_two_header_rows_that_complete_each_other_are_joined():
    layout = find_layout(grid("day,travel,,total\n,air,rail,\n1/2/14,5,6,11\n2/2/14,7,8,15\n"))
    assert layout.header == ("day", "travel air", "travel rail", "total")
    assert layout.first_row == 2


def test_a_repeated_header_is_skipped_and_said():
    layout = find_layout(grid("a,b\na,b\n1,2\n3,4\n"))
    assert (layout.header, layout.first_row) == (("a", "b"), 2)
    assert any("more than once" in note for note in layout.notes)


def test_a_title_as_wide_as_the_table_is_no_header():
    layout = find_layout(grid("Made by,Sample 12\ncm-1,A\n4000,0.1\n3999,0.2\n3998,0.2\n"))
    assert layout.header == ("cm-1", "A")


def test_the_header_row_that_the_user_gives_is_taken():
    rows = grid("x,y\n1,2\nname,age\n3,4\n")
    assert find_layout(rows, header=2).header == ("name", "age")
    assert find_layout(rows, header=2).first_row == 3
    assert find_layout(rows, header="none").header is None
    with pytest.raises(ParameterError, match=r"header=9 must be 'none' or a row from 0 to 3"):
        find_layout(rows, header=9)


def test_names_stay_distinct_whatever_they_were():
    names, notes = unique_names(["a", "a", "a (2)", "", "\ufeffb", "c\nd"], 7)
    assert names == ("a", "a (3)", "a (2)", "column_4", "b", "c d", "column_7")
    assert len(notes) == 2
