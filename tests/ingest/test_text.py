"""Plain texts: an item per line, or per file with its folder as label."""

from __future__ import annotations

import io
import zipfile

import pytest

from core.errors import TooLarge, UnreadableSource
from core.modality import Modality
from ingest import Limits, inspect_source, read_dataset
from tests.conftest import shared_data


def zipped(files: dict[str, str | bytes]) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return "texts.zip", buffer.getvalue()


def test_each_line_is_an_item_called_by_its_line_number():
    data = read_dataset(("a.txt", "First, this.\n\n  Then that.  \r\nAnd más\n".encode()))
    assert data.modality is Modality.TEXT
    assert data.items == ["First, this.", "Then that.", "And más"]
    assert data.ids == ("1", "3", "4")
    assert [(d.where, d.reason) for d in data.dropped] == [("line 2", "empty text")]
    assert data.n_dropped == 1


def test_pasted_sentences_are_lines_and_a_pasted_table_is_a_table():
    sentences = b"Dogs, cats, and birds\nCats, dogs, and fish\nBirds, fish, and dogs\n"
    assert read_dataset(("pasted.txt", sentences)).items[0] == "Dogs, cats, and birds"
    pasted = "text\tlabel\n" + "".join(f"a sentence number {i}\t{i % 2}\n" for i in range(8))
    data = read_dataset(("pasted.txt", pasted.encode()))
    assert data.items[0] == "a sentence number 0"
    assert data.label == "label"
    numbers = "height,weight,sex\n1.8,75,m\n1.7,63,f\n1.6,59,f\n"
    assert read_dataset(("pasted.txt", numbers.encode())).modality is Modality.TABLE


def test_prose_with_a_comma_in_every_line_is_not_a_table():
    prose = "".join(f"On day {i} we went out, and it rained a little.\n" for i in range(20))
    assert inspect_source(("diary.txt", prose.encode())).format == "text, an item per line"


def test_kind_text_reads_a_table_like_txt_by_columns_when_it_is_one():
    preview = inspect_source(("a.txt", b"one\ttwo\nthree\tfour\nfive\tsix\n"))
    assert preview.format.startswith("TSV")


def test_line_ends_of_all_systems_and_a_mark_at_the_start():
    data = read_dataset(("a.txt", "\ufeffone\rtwo\r\nthree\nfour".encode()))
    assert data.items == ["one", "two", "three", "four"]


def test_files_of_a_zip_are_items_and_folders_are_labels():
    source = zipped({"pos/1.txt": "good\nfilm", "pos/2.txt": "fine film", "neg/1.txt": "dull"})
    data = read_dataset(source)
    assert data.items == ["good\nfilm", "fine film", "dull"]
    assert data.ids == ("pos/1.txt", "pos/2.txt", "neg/1.txt")
    assert data.columns["folder"].tolist() == ["pos", "pos", "neg"]
    assert data.label == "folder"
    assert inspect_source(source).n_items == 3


def test_other_files_of_the_zip_and_empty_ones_are_listed():
    source = zipped({"a.txt": "one", "b.txt": " \n", "c.txt": "three", "d.bin": b"\x00\x01" * 99})
    data = read_dataset(source)
    assert data.items == ["one", "three"]
    assert {(d.where, d.reason) for d in data.dropped} == {
        ("b.txt", "empty text"), ("d.bin", "not a .txt file"),
    }  # fmt: skip
    assert data.label is None


def test_many_text_files_are_items():
    data = read_dataset([("a.txt", b"one text"), ("b.txt", b"another"), ("a.txt", b"third")])
    assert data.ids == ("a.txt", "b.txt", "a.txt (2)")
    assert data.items == ["one text", "another", "third"]


def test_languages_of_the_world_are_read_from_a_zip():
    data = read_dataset(shared_data("udhr_languages") / "udhr2.zip")
    assert len(data) > 300
    assert not any("\ufffd" in text for text in data.items)


def test_only_blank_lines_are_refused():
    with pytest.raises(UnreadableSource, match="is empty"):
        read_dataset(("a.txt", b" \n\n \t\n"))


def test_a_single_line_is_one_item_and_says_what_cannot_be_done():
    data = read_dataset(("a.txt", b"just one line"))
    assert len(data) == 1
    assert any("no neighbours" in note for note in data.notes)


def test_limits_of_rows_and_length():
    with pytest.raises(TooLarge, match="max_rows"):
        read_dataset(("a.txt", b"x y\n" * 11), limits=Limits(max_rows=10))
    with pytest.raises(TooLarge, match=r"line 2.*max_text_chars"):
        read_dataset(("a.txt", b"ab\nabcdef\n"), limits=Limits(max_text_chars=5))


def test_hostile_strings_survive_verbatim():
    import json

    path = shared_data("naughty_strings") / "blns_half.json"
    wanted = [text for text in json.loads(path.read_text("utf-8")) if text.strip()]
    assert read_dataset(path).items == wanted
