"""Letters come out right, and bytes that are no text are not taken for one."""

from __future__ import annotations

import random

import pytest

from core.errors import ParameterError
from ingest.encoding import detect_encoding, looks_binary
from ingest.source import Source

TEXTS = {
    "cp1252": "Größe, naïve façade, señor, 5 € – “quoted”\n",
    "cp1251": "Быстрая коричневая лиса прыгает через ленивую собаку\n",
    "gb18030": "敏捷的棕色狐狸跳过了懒狗，今天天气很好。\n",
    "cp932": "素早い茶色の狐がのろまな犬を飛び越える。\n",
    "big5": "雲嘉南濱海國家風景區以台十七線公路為東界\n",
}


@pytest.mark.parametrize("codec", TEXTS)
def test_older_encodings_are_told_by_their_letters(codec):
    data = (TEXTS[codec] * 20).encode(codec)
    found = detect_encoding(Source("a.txt", data=data))
    assert data.decode(found.codec) == TEXTS[codec] * 20
    assert "encoding" in found.note


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]
)
def test_unicode_encodings_are_told_by_mark_or_pattern(codec):
    text = "plain words and ünïcode\n" * 20
    found = detect_encoding(Source("a.txt", data=text.encode(codec)))
    assert text.encode(codec).decode(found.codec) == text


def test_a_letter_far_beyond_the_head_still_decides():
    data = b"plain ascii line\n" * 300_000 + "señor\n".encode("cp1252")
    assert detect_encoding(Source("a.txt", data=data)).codec == "cp1252"


def test_a_letter_split_between_two_blocks_is_still_utf8():
    data = b"a" * ((1 << 20) - 1) + "é".encode() + b"b" * 10
    assert detect_encoding(Source("a.txt", data=data)).codec == "utf-8"


def test_utf8_with_a_few_broken_bytes_is_kept_and_counted():
    data = ("größe und maß\n" * 100).encode() + b"\xff\n"
    found = detect_encoding(Source("a.txt", data=data))
    assert (found.codec, found.errors) == ("utf-8", "replace")
    assert found.note.startswith("1 byte")


def test_an_unknown_encoding_is_refused_with_examples():
    with pytest.raises(ParameterError, match=r"encoding='utf-9' is unknown.*'utf-8'"):
        detect_encoding(Source("a.txt", data=b"x"), given="utf-9")


def test_binary_is_told_from_text():
    noise = random.Random(0).randbytes(5000)
    assert looks_binary(noise)
    assert looks_binary(b"\x00" * 100 + b"\x01\x02" * 50)
    assert not looks_binary("Größe\n".encode("cp1252") * 50)
    assert not looks_binary("plain\n".encode("utf-16"))
    assert not looks_binary("plain words\n".encode("utf-16-le") * 9)
    assert not looks_binary(b"col\twith\ttabs\r\n\x0c")
