"""Delimited files come out as they were meant, with every repair stated."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import TooLarge, UnreadableSource
from ingest import Limits
from ingest.delimited import read_delimited
from ingest.reader import ReadOptions
from ingest.source import Source
from tests.conftest import shared_data

SPECTRUM = (
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "newlines",
    "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
)  # fmt: skip


def table(text: str | bytes, name: str = "a.csv", **options):
    data = text.encode() if isinstance(text, str) else text
    return read_delimited(Source(name, data=data), ReadOptions(**options))


def rows(loaded) -> list[list[str]]:
    return [list(row) for row in zip(*(c.to_pylist() for c in loaded.columns), strict=True)]


@pytest.mark.parametrize("case", SPECTRUM)
def test_csv_spectrum_equals_its_json(case):
    folder = shared_data("csv_spectrum")
    data = (folder / f"{case}.csv").read_bytes()
    if "crlf" in case and b"\r" not in data:  # the collection went through a CRLF-less transport
        data = data.replace(b"\n", b"\r\n")
    loaded = table(data)
    records = [dict(zip(loaded.names, row, strict=True)) for row in rows(loaded)]
    assert records == json.loads((folder / f"{case}.json").read_text("utf-8"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_encoding_and_line_end_are_recognised(delimiter, codec, end):
    lines = [["id", "stadt", "größe"], *[[str(i), f"Köln é {i}", f"{i}.5"] for i in range(30)]]
    text = end.join(delimiter.join(line) for line in lines) + end
    loaded = table(text.encode(codec))
    assert loaded.names == ("id", "stadt", "größe")
    assert rows(loaded) == lines[1:]


_dialects = st.tuples(
    st.sampled_from([",", ";", "\t", "|", ":", "^"]),
    st.sampled_from(['"', "'"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
# No controls (NUL and the C1 block are cleaned, which is stated); at least one cell of each row
# has content, since blank rows are skipped, which is stated, too.
_cells = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), include_characters="\n\t"), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(
    dialect=_dialects,
    grid=st.integers(1, 5).flatmap(
        lambda width: st.lists(
            st.lists(_cells, min_size=width, max_size=width).filter(any), min_size=1, max_size=8
        )
    ),
)
def test_whatever_csv_writes_reads_back_under_the_same_dialect(dialect, grid):
    delimiter, quote, end, quoting = dialect
    stream = io.StringIO(newline="")
    csv.writer(
        stream, delimiter=delimiter, quotechar=quote, lineterminator=end, quoting=quoting
    ).writerows(grid)
    data = stream.getvalue().encode("utf-8")
    loaded = table(data, delimiter=delimiter, quotechar=quote, header="none", encoding="utf-8")
    assert rows(loaded) == grid
    assert loaded.warnings == ()


def test_a_backslash_that_ends_the_last_cell_escapes_nothing():
    assert rows(table(b"'a','b\\'\n", quotechar="'", header="none")) == [["a", "b\\"]]
    escaped = b"'it\\'s','b'\n'c','d\\'e'\n"
    assert rows(table(escaped, quotechar="'", header="none")) == [["it's", "b"], ["c", "d'e"]]


_words = (
    st.text("abcdefghijklmnopqrstuvwxyzäéß ", min_size=3, max_size=12)
    .map(str.strip)
    .filter(lambda word: len(word) > 2)
)
_records = st.lists(
    st.tuples(st.integers(0, 10**6).map(str), _words, st.floats(0, 1e3).map("{:.3f}".format)),
    min_size=5,
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    records=_records,
)
def test_the_dialect_of_plain_records_is_guessed(delimiter, quoting, records):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=quoting)
    writer.writerows([("number", "word", "share"), *records])
    loaded = table(stream.getvalue())
    assert loaded.names == ("number", "word", "share")
    assert rows(loaded) == [list(record) for record in records]


def test_short_rows_are_padded_and_counted():
    loaded = table("a,b,c\n1,2,3\n4,5\n7,8,9\n" + "1,1,1\n" * 20)
    assert rows(loaded)[1] == ["4", "5", ""]
    assert any("1 row with fewer than 3 cells" in w for w in loaded.warnings)


def test_cells_beyond_the_header_are_cut_and_listed_with_their_row():
    loaded = table("a,b\n1,2\n3,4,surplus\n" + "5,6\n" * 30)
    assert loaded.names == ("a", "b")
    assert [(d.where, "surplus" in d.reason) for d in loaded.dropped] == [("row 2", True)]
    assert any("1 row with more than 2 cells" in w for w in loaded.warnings)


def test_columns_that_many_rows_have_are_kept_although_the_header_lacks_them():
    loaded = table("a,b\n" + "1,2,3\n" * 20)
    assert loaded.names == ("a", "b", "column_3")
    assert rows(loaded)[0] == ["1", "2", "3"]


def test_blank_rows_and_nul_bytes_are_removed_and_counted():
    loaded = table("a,b\n1,x\x00y\n\n,\n2,z\n")
    assert rows(loaded) == [["1", "xy"], ["2", "z"]]
    assert "2 blank rows skipped." in loaded.notes
    assert "1 NUL character removed." in loaded.notes


def test_windows_signs_decoded_as_latin1_are_read_as_meant():
    loaded = table("a,b\n1,“ok” \x96 \x80 5\n2,x\n")
    assert rows(loaded)[0][1] == "“ok” – € 5"
    assert any("2 control characters" in note for note in loaded.notes)


def test_lines_above_the_table_are_skipped_and_quoted_in_a_note():
    text = "Sales of 2019\nsource: the office\n\nname;units;price\n" + "\n".join(
        f"item {i};{i};{i}.5" for i in range(10)
    )
    loaded = table(text)
    assert loaded.names == ("name", "units", "price")
    assert loaded.notes[0] == "2 lines above the table skipped (“Sales of 2019”)."


def test_a_header_with_other_delimiters_than_the_rows_is_split_by_its_own():
    loaded = table("id name size\n" + "\n".join(f"{i},n{i},{i}.5" for i in range(10)))
    assert loaded.names == ("id", "name", "size")


def test_a_stray_quote_in_the_header_does_not_swallow_its_neighbours():
    loaded = table('id,"name,"size",kind\n' + "\n".join(f'{i},"n, {i}",{i},k' for i in range(10)))
    assert loaded.written == ("id", '"name', "size", "kind")


def test_backslash_escapes_are_recognised():
    loaded = table('id,said\n1,"he said \\"go, now\\" twice"\n2,"plain"\n3,"a \\"b\\""\n')
    assert rows(loaded)[0] == ["1", 'he said "go, now" twice']


def test_backslashes_that_escape_nothing_stay():
    loaded = table('1,"a\\team of","say ""x"""\n2,"line\\break","y"\n' * 3)
    assert rows(loaded)[0] == ["1", "a\\team of", 'say "x"']


def test_columns_aligned_with_blanks_are_read():
    loaded = table("  1.0   2.5  3\n 10.0  12.5  4\n  7.1   1.0  5\n", name="a.dat")
    assert rows(loaded)[1] == ["10.0", "12.5", "4"]


def test_a_single_column_of_sentences_is_not_split_at_its_commas():
    loaded = table("text\nWell, this is it.\nNo commas here\nOne, two, three, four\nYes\n")
    assert loaded.names == ("text",)
    assert rows(loaded)[2] == ["One, two, three, four"]


def test_repeated_and_missing_names_become_distinct():
    loaded = table("x,x,,x (2),a\nb\n".replace("a\nb", '"two\nlines"') + "1,2,3,4,5\n" * 3)
    assert len(set(loaded.names)) == 5
    assert loaded.names[0] == "x"
    assert loaded.names[2] == "column_3"
    assert loaded.names[4] == "two lines"
    assert any("without a name" in note for note in loaded.notes)
    assert any("occur twice" in note for note in loaded.notes)


def test_names_of_r_row_numbers_shift_nothing():
    loaded = table('"x","y"\n"1",0.5,2\n"2",0.7,3\n"3",0.9,4\n')
    assert rows(loaded)[0] == ["1", "0.5", "2"]


def test_unicode_emoji_and_right_to_left_text_survive():
    cells = ["🦜🏳️‍🌈", "שלום, עולם", "مرحبا", "e\u0301", "𝔘𝔫𝔦"]
    loaded = table("id,t\n" + "\n".join(f'{i},"{c}"' for i, c in enumerate(cells)))
    assert [row[1] for row in rows(loaded)] == cells


def test_a_huge_cell_is_read_and_a_quote_that_never_closes_is_refused():
    loaded = table('a,b\n1,"' + "x" * 2_000_000 + '"\n2,y\n')
    assert len(rows(loaded)[0][1]) == 2_000_000
    late = "a,b\n" + '1,"some words"\n' * 20_000 + '2,"open\n' + "x,\n" * 5000
    with pytest.raises(UnreadableSource, match=r"row \S+ .*quote is probably never closed"):
        table(late, limits=Limits(max_cell_chars=10_000))


def test_too_many_rows_are_refused_with_the_limit():
    with pytest.raises(TooLarge, match=r"more than 100 rows.*max_rows"):
        table("a,b\n" + "1,2\n" * 101, limits=Limits(max_rows=100))
    assert len(table("a,b\n" + "1,2\n" * 100, limits=Limits(max_rows=100))) == 100


def test_a_header_alone_is_refused():
    with pytest.raises(UnreadableSource, match="header but no row"):
        table("name,age\n")


def test_options_of_the_user_win_over_the_guess():
    text = "a;b,c\n1;2,3\n4;5,6\n"
    assert table(text, delimiter=",").names == ("a;b", "c")
    assert table(text, delimiter=";").names == ("a", "b,c")
    assert table("1,2\n3,4\n", header=0).names == ("1", "2")
    assert rows(table("a,b\n3,4\n", header="none")) == [["a", "b"], ["3", "4"]]
    assert rows(table('a,b\n"1,2"\n', quotechar="", header=0)) == [['"1', '2"']]
    assert rows(table("a\né\n".encode("cp850"), encoding="cp850", header=0)) == [["é"]]


def test_most_of_the_pollock_survey_loads_as_its_clean_version():
    shared_data("pollock_csv")
    from benchmarks.csv_corpora import ours, pollock_files, score

    scores = [sum(score(ours(name, data), want)) for name, data, want in pollock_files()]
    assert sum(scores) / len(scores) > 9.7  # CleverCSV: 9.45 published
    assert sum(value > 9.999 for value in scores) >= 45
