"""Which character encoding a file is in, and a text stream over it."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from typing import TextIO

from core.errors import ParameterError, UnreadableSource
from ingest.source import Source
from ingest.wording import count

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What charset-normalizer may answer: without a list it proposes EBCDIC and Mac code pages for a
# few accented letters.
_CANDIDATES = [
    "cp1252", "gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1251", "koi8_r", "cp1250",
    "cp1253", "cp1254", "cp1255", "cp1256",
]  # fmt: skip
_BLOCK = 1 << 20
_SAMPLE = 40_000
# Letters of Western European languages, and the signs that Windows programs put among them.
_WESTERN = re.compile("[À-ÖØ-öø-ÿŠšŽžŒœŸ£€§°±²³µ·¹º¼½¾«»¿¡©®™´¨–—‘’“”„…•†ªƒ‰\xa0×÷¥¢]")


@dataclass(frozen=True)
class Encoding:
    """How to decode a file.

    Attributes
    ----------
    codec : str
        Python's name of it.
    errors : {"strict", "replace"}
        ``replace`` where a few bytes do not fit; ``note`` then says how many.
    note : str
        Sentence for the user, or empty.
    """

    codec: str
    errors: str = "strict"
    note: str = ""

    @property
    def title(self) -> str:
        """Return the name as people write it."""
        names = {"utf-8-sig": "UTF-8 with BOM", "utf-8": "UTF-8", "cp1252": "Windows-1252"}
        return names.get(self.codec, self.codec.upper().replace("_", "-"))


def detect_encoding(
    source: Source, *, given: str | None = None, whole: bool = True, limit: int = _BLOCK
) -> Encoding:
    """Return the encoding of ``source``: as given, by its mark, UTF-8 if valid, else by letters.

    Parameters
    ----------
    source : Source
    given : str or None
        What the user says; only checked to exist.
    whole : bool
        Check every byte for UTF-8 (about 1 GB/s), else the first ``limit`` bytes.
    limit : int

    Raises
    ------
    ParameterError
        If ``given`` is no encoding that Python knows.
    """
    if given:
        try:
            return Encoding(codecs.lookup(given).name)
        except LookupError:
            raise ParameterError(
                f"encoding={given!r} is unknown. Examples: 'utf-8', 'utf-16', 'cp1252', 'latin-1'."
            ) from None
    head = source.head(4096)
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return Encoding(codec)
    wide = _utf16_without_mark(head)
    if wide:
        return Encoding(wide, note=f"No byte order mark; read as {wide.upper()}.")
    bad, multibyte = _utf8_errors(source, None if whole else limit)
    if bad == 0:
        return Encoding("utf-8")
    if multibyte > 20 * bad:  # UTF-8 with an accident, not another encoding
        return Encoding(
            "utf-8", "replace", f"{count(bad, 'byte')} not valid in UTF-8, read as \ufffd."
        )
    return _by_letters(_non_ascii_sample(source, None if whole else limit))


def open_text(source: Source, encoding: Encoding) -> TextIO:
    """Return a text stream that keeps line ends as they are (``newline=""``)."""
    return io.TextIOWrapper(
        source.open(), encoding=encoding.codec, errors=encoding.errors, newline=""
    )


def head_text(source: Source, encoding: Encoding, n: int = 262_144) -> tuple[str, bool]:
    """Return the first ``n`` characters, cut after a whole line, and whether that is all.

    Raises
    ------
    UnreadableSource
        If the bytes do not decode.
    """
    with open_text(source, encoding) as stream:
        try:
            text = stream.read(n + 1)
        except UnicodeError as error:
            raise undecodable(source, encoding) from error
    if len(text) <= n:
        return text, True
    cut = max(text.rfind("\n"), text.rfind("\r"))
    return (text[: cut + 1] if cut > 0 else text), False


def undecodable(source: Source, encoding: Encoding) -> UnreadableSource:
    """Return the refusal of a source that does not decode."""
    return UnreadableSource(
        f"{source.name} is not valid {encoding.title}. Give its encoding, for example "
        "encoding='cp1252', or save it as UTF-8."
    )


def looks_binary(head: bytes) -> bool:
    """Tell whether ``head`` is no text in any encoding (control bytes, no 16-bit pattern)."""
    if any(head.startswith(mark) for mark, _ in _BOMS) or _utf16_without_mark(head):
        return False
    sample = head[:8192]
    control = sum(byte < 9 or (13 < byte < 32 and byte != 27) for byte in sample)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:  # neither UTF-8 nor, with control bytes, an older encoding
        return control > 0.003 * len(sample)
    nul = sample.count(0)
    return control - nul > len(sample) * 0.02 or nul > len(sample) * 0.2


def _utf16_without_mark(head: bytes) -> str:
    sample = head[: len(head) // 2 * 2]
    if len(sample) < 4:
        return ""
    even, odd, pairs = sample[0::2].count(0), sample[1::2].count(0), len(sample) // 2
    if odd > 0.7 * pairs and even < 0.1 * pairs:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * pairs and odd < 0.1 * pairs else ""


def _utf8_errors(source: Source, limit: int | None) -> tuple[int, int]:
    """Count bytes that are not valid UTF-8, and valid characters beyond ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    bad = multibyte = done = 0
    with source.open() as stream:
        while block := stream.read(_BLOCK):
            done += len(block)
            last = limit is not None and done >= limit
            if not block.isascii() or decoder.getstate()[0]:
                text = decoder.decode(block)
                if not text.isascii():
                    wrong = text.count("\ufffd") - block.count("\ufffd".encode())
                    bad += max(wrong, 0)
                    multibyte += sum(map(_is_wide, text)) - wrong
            if last:
                return bad, multibyte
    return bad + len(decoder.decode(b"", True)), multibyte


def _is_wide(char: str) -> bool:
    return char > "\x7f"


def _non_ascii_sample(source: Source, limit: int | None) -> bytes:
    """Return the lines that hold bytes above 127: they tell encodings apart, others do not."""
    kept, size, done = [], 0, 0
    with source.open() as stream:
        for line in stream:
            done += len(line)
            if not line.isascii():
                kept.append(line[:4000])
                size += len(kept[-1])
            if size > _SAMPLE or (limit is not None and done > limit):
                break
    return b"".join(kept)


def _by_letters(sample: bytes) -> Encoding:
    western = sample.decode("cp1252", "replace")
    high = [char for char in western if char > "\x7f"]
    alone = _isolated(sample)
    fitting = sum(bool(_WESTERN.match(char)) for char in high)
    if fitting > 0.9 * len(high) and alone > 0.5:
        return Encoding("cp1252", "replace" if "\ufffd" in western else "strict", _said("cp1252"))
    for codec in ("cp932", "euc_jp"):
        if _kana_share(sample, codec) > 0.3:
            return Encoding(codec, "replace", _said(codec))
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=_CANDIDATES, threshold=0.4).best()
    if best is None:
        return Encoding("latin-1", note=_said("latin-1"))
    codec = "gb18030" if best.encoding.startswith("gb") else best.encoding
    return Encoding(codec, "replace", _said(codec))


def _kana_share(sample: bytes, codec: str) -> float:
    """Return the share of kana: Japanese has them, bytes misread as Japanese do not."""
    try:
        wide = [char for char in sample.decode(codec) if char > "\x7f"]
    except UnicodeDecodeError:
        return 0.0
    return sum("\u3041" <= char <= "\u30ff" for char in wide) / max(len(wide), 1)


def _isolated(sample: bytes) -> float:
    """Return the share of high bytes that stand alone: accents do, letters of other scripts not."""
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", sample)]
    return sum(length == 1 for length in runs) / max(len(runs), 1)


def _said(codec: str) -> str:
    return f"Not UTF-8; read as {Encoding(codec).title}. Set the encoding if letters look wrong."
