"""Video and audio: told by name and first bytes, and refused with one sentence everywhere."""

from __future__ import annotations

from pathlib import PurePosixPath

MEDIA_REASON = "video and audio are not read yet"
"""The one reason, for a file that is refused and for one that is listed beside others."""

_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".wmv", ".asf", ".flv", ".mpg", ".mpeg",
    ".mpe", ".m2v", ".m2ts", ".mts", ".3gp", ".3g2", ".ogv", ".vob", ".mp3", ".wav", ".wave",
    ".flac", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".aac", ".wma", ".aif", ".aiff", ".aifc",
    ".mid", ".midi", ".amr", ".mka",
})  # fmt: skip
_STARTS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"ID3",  # MP3 with tags
    b"OggS",
    b"fLaC",
    b"FLV\x01",
    b"MThd",  # MIDI
    b"\0\0\x01\xba",  # MPEG program stream
    b"\0\0\x01\xb3",  # MPEG video
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: WMV, WMA
)
_STILL = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
"""Brands of pictures in the container of MP4 (ISO/IEC 23008-12)."""


def has_media_name(name: str) -> bool:
    """Tell whether a file is called like a video or a sound."""
    return PurePosixPath(name).suffix.lower() in _SUFFIXES


def is_media(name: str, head: bytes) -> bool:
    """Tell whether a file is a video or a sound.

    Parameters
    ----------
    name : str
    head : bytes
        Its first 32 bytes or more. Where they decide nothing, the name does, unless the file
        begins like a text.
    """
    if head[4:8] == b"ftyp":
        return head[8:12] not in _STILL
    if head[:4] == b"RIFF":
        return head[8:12] in {b"WAVE", b"AVI "}
    if head[:4] == b"FORM":
        return head[8:12] in {b"AIFF", b"AIFC"}
    if head.startswith(_STARTS):
        # A text may well begin with "ID3" or "fLaC"; the tags and blocks after them do not.
        return has_media_name(name) or any(byte < 9 for byte in head[:32])
    return has_media_name(name) and any(byte < 9 or byte > 127 for byte in head[:32])
