"""The front door: what it takes, what it guesses, what it refuses with one sentence."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import EmbedscopeError, ParameterError, TooLarge, UnreadableSource
from core.modality import Modality
from ingest import Limits, inspect_source, read_dataset
from tests.conftest import shared_data

TABLE = b"id,height,width\n" + b"".join(b"%d,%d.5,%d\n" % (i, i, i * i % 7) for i in range(12))


def zipped(name, data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


FILM = zipped("b.mp4", b"\0\0\0\x18ftypmp42")


def test_path_bytes_and_open_file_give_the_same_dataset(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(TABLE)
    with path.open("rb") as stream:
        prints = {
            read_dataset(source).fingerprint
            for source in (path, str(path), ("t.csv", TABLE), stream, [path])
        }
    assert len(prints) == 1


def test_a_gzipped_table_and_one_alone_in_a_zip_are_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inner/t.csv", TABLE)
    plain = read_dataset(("t.csv", TABLE))
    assert read_dataset(("t.csv.gz", gzip.compress(TABLE))).fingerprint == plain.fingerprint
    inside = read_dataset(("t.zip", buffer.getvalue()))
    assert (inside.fingerprint, inside.name) == (plain.fingerprint, "t.csv")


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"\xef\xbb\xbf", "a.csv is empty"),
        ("a.txt", b"\n\n\n", "a.txt is empty"),
        ("a.csv", b"\x00" * 5000, "a.csv is empty"),
        ("a.csv", b"name,age\n", "header but no row"),
        ("a.csv", random.Random(1).randbytes(4000), "is no text|kind that is not read"),
        ("a.xlsx", b"PK\x03\x04" + random.Random(2).randbytes(500), "not read|archive"),
        ("a.json", b'{"a": [1, 2', "not valid JSON"),
        ("a.json", b"[]", "no record"),
        ("a.pdf", b"%PDF-1.7 rest", "is a PDF, which is not read"),
        ("a.mp4", b"\0\0\0\x18ftypmp42" + bytes(99), "a.mp4: video and audio are not read yet"),
        ("upload", b"RIFF\x24\x08\0\0WAVEfmt " + bytes(99), "video and audio are not read yet"),
        ("a.mkv", b"\x1a\x45\xdf\xa3" + bytes(99), "video and audio are not read yet"),
        ("a.zip", FILM, r"a.zip holds b.mp4: video and audio are not read yet\. Pack the other"),
        ("a.mm", b"%%MatrixMarket matrix\n1 1 1\n", "Matrix Market"),
        ("a.html", b"<!DOCTYPE html><html></html>", "web page"),
        ("a.gz", gzip.compress(b"", mtime=0), "is empty"),
    ],
)
def test_a_broken_source_is_refused_with_one_sentence(name, data, sentence):
    for call in (read_dataset, inspect_source):
        with pytest.raises(UnreadableSource, match=sentence) as caught:
            call((name, data))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(12))
def test_damage_to_a_good_file_gives_a_dataset_or_a_sentence_never_a_crash(seed):
    rng = random.Random(seed)
    for name, good in (("t.csv", TABLE), ("t.json", b'[{"a": 1, "b": "x y"}, {"a": 2}]')):
        data = bytearray(good)
        for _ in range(rng.randint(1, 12)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 4)] = rng.randbytes(rng.randint(0, 4))
        for call in (inspect_source, read_dataset):
            with contextlib.suppress(EmbedscopeError):  # anything else fails the test
                call((name, bytes(data)))


_PIECES = (
    '"', "'", ",", ";", "\t", "|", " ", "\n", "\r\n", "\r", "\\", "a", "12", "1.5", "-3", "NA",
    "2020-01-02", "é", "\0", "{", "[", "]", "<", "\ufeff", "id", "text", "some words here", "007",
    "1,234", "inf", "9" * 25, "True",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["a.csv", "a.tsv", "a.txt", "a", "a.json", "a.jsonl", "a.xlsx"]),
    pieces=st.lists(st.sampled_from(_PIECES), min_size=1, max_size=60),
    codec=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "cp1252"]),
)
def test_any_jumble_of_signs_gives_a_dataset_or_a_sentence(name, pieces, codec):
    data = "".join(pieces).encode(codec, "replace")
    for call in (inspect_source, read_dataset):
        with contextlib.suppress(EmbedscopeError):  # anything else fails the test
            call((name, data), kind="text")
            call((name, data), kind="table")


def test_missing_paths_and_folders_are_refused_without_their_place(tmp_path):
    with pytest.raises(UnreadableSource, match=r"^nothing\.csv does not exist") as caught:
        read_dataset(tmp_path / "nothing.csv")
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(UnreadableSource, match="is a folder"):
        read_dataset(tmp_path)


def test_too_large_a_file_is_refused_before_it_is_read():
    with pytest.raises(TooLarge, match=r"big.csv has 3 MB; at most 2.*max_file_mb"):
        read_dataset(("big.csv", b"a,b\n" + b"1,2\n" * 800_000), limits=Limits(max_file_mb=2))


def test_misspelt_options_are_refused_with_the_nearest():
    with pytest.raises(ParameterError, match=r"no option 'delimeter'.*Did you mean 'delimiter'"):
        read_dataset(("t.csv", TABLE), delimeter=";")


def test_an_unknown_kind_is_refused_with_those_that_exist():
    with pytest.raises(ParameterError, match=r"kind='sound' is unknown.*'text'"):
        read_dataset(("t.csv", TABLE), kind="sound")


def test_numbers_are_no_pairs_even_if_they_are_said_to_be():
    with pytest.raises(UnreadableSource, match=r"left=.*right="):
        read_dataset(("t.csv", b"a\n1\n2\n"), kind="pairs")


def test_unrelated_files_together_are_refused():
    with pytest.raises((UnreadableSource, ParameterError)):
        read_dataset([("a.pdf.txt2", b"\x00\x01\x02\x03" * 50), ("b.xyz", b"\x00\x07\x02" * 50)])


def test_the_kind_can_be_said_and_the_others_are_offered():
    preview = inspect_source(shared_data("penguins") / "penguins.csv")
    assert preview.kind is Modality.TABLE
    assert Modality.TEXT in preview.other_kinds
    assert inspect_source(("t.csv", TABLE), kind="text").kind is Modality.TEXT


def test_a_harmless_zip_of_many_tables_is_refused_with_what_is_read():
    with pytest.raises(UnreadableSource, match="archive of files of a kind that is not read"):
        read_dataset(shared_data("pollock_csv") / "pollock.zip")
