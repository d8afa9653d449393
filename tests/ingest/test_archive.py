"""Archives: nothing leaves them, nothing explodes out of them."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile

import pytest

from core.errors import TooLarge, UnreadableSource, UnsafeSource
from ingest.archive import gunzipped, is_zip, member_names, safe_members
from ingest.limits import Limits
from ingest.source import Source, as_source
from tests.conftest import shared_data

LIMITS = Limits()


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> Source:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return Source("files.zip", data=out.getvalue())


def test_members_come_in_order_without_what_systems_add():
    source = zipped(
        ("b/2.txt", b"two"),
        ("__MACOSX/b/._2.txt", b"x"),
        ("b/.DS_Store", b"x"),
        ("empty folder/", b""),
        ("a.txt", b"one"),
    )
    assert list(safe_members(source, LIMITS)) == [("b/2.txt", b"two"), ("a.txt", b"one")]
    assert member_names(source) == ["b/2.txt", "a.txt"]
    assert is_zip(source)


@pytest.mark.parametrize(
    "name", ["../evil.txt", "a/../../evil.txt", "/etc/evil.txt", "C:/evil.txt", "..\\evil.txt"]
)
def test_path_out_of_the_archive_is_refused_before_any_member_is_given(name):
    source = zipped(("good.txt", b"good"), (name, b"evil"))
    with pytest.raises(UnsafeSource, match="leads out of the archive"):
        next(safe_members(source, LIMITS))


def test_zip_slip_sample_is_refused():
    source = as_source(shared_data("zip_slip") / "zip-slip.zip")
    with pytest.raises(UnsafeSource, match="leads out of the archive"):
        list(safe_members(source, LIMITS))


def test_tar_is_refused_as_no_zip():
    source = as_source(shared_data("zip_slip") / "zip-slip.tar")
    with pytest.raises(UnreadableSource, match="not a readable zip"):
        list(safe_members(source, LIMITS))


def test_symbolic_link_is_refused():
    link = zipfile.ZipInfo("link.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(UnsafeSource, match="symbolic link"):
        list(safe_members(zipped((link, b"/etc/passwd")), LIMITS))


def test_archive_in_an_archive_is_refused():
    with pytest.raises(UnsafeSource, match="another archive"):
        list(safe_members(zipped(("inner.ZIP", b"PK")), LIMITS))


def test_bomb_is_refused_by_its_ratio():
    with pytest.raises(UnsafeSource, match="max_zip_ratio is 200"):
        list(safe_members(zipped(("zeros.bin", bytes(5 << 20))), LIMITS))


def test_sum_of_members_is_limited():
    source = zipped(("a", bytes(700_000)), ("b", bytes(700_000)))
    with pytest.raises(TooLarge, match="max_unpacked_mb"):
        list(safe_members(source, Limits(max_unpacked_mb=1)))


def test_lying_directory_does_not_get_past_the_size_limit():
    """A member that says 10 bytes and holds 3 MB gives at most what it said."""
    source = zipped(("a", bytes(3 << 20)))
    data = bytearray(source.read())
    directory = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, directory + 24, 10)
    with pytest.raises(UnreadableSource, match="damaged at 'a'"):
        list(safe_members(Source("files.zip", data=bytes(data)), LIMITS))


def test_count_of_members_is_limited():
    source = zipped(*((f"{i}.txt", b"x") for i in range(5)))
    with pytest.raises(TooLarge, match="5 entries; at most 4"):
        list(safe_members(source, Limits(max_zip_members=4)))


def test_encrypted_member_is_refused():
    source = zipped(("a.txt", b"secret"))
    data = bytearray(source.read())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnreadableSource, match="encrypted"):
        list(safe_members(Source("files.zip", data=bytes(data)), LIMITS))


def test_damaged_member_is_an_error_or_is_told_and_skipped():
    data = zipped(("a.txt", b"hello " * 50), ("b.txt", b"fine")).read()
    at = data.index(b"a.txt") + 8
    source = Source("files.zip", data=data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :])
    with pytest.raises(UnreadableSource, match=r"damaged at 'a\.txt'"):
        list(safe_members(source, LIMITS))
    told = []
    kept = list(safe_members(source, LIMITS, on_damaged=lambda *what: told.append(what)))
    assert kept == [("b.txt", b"fine")]
    assert [name for name, _ in told] == ["a.txt"]


def test_truncated_archive_is_refused_with_a_sentence():
    data = zipped(("a.txt", b"hello")).read()
    with pytest.raises(UnreadableSource, match="not a readable zip"):
        member_names(Source("half.zip", data=data[: len(data) // 2]))


def test_utf8_names_without_the_flag_are_read_as_utf8():
    raw = zipped(("Mxxller.txt", b"x")).read().replace(b"Mxxller.txt", "Müller.txt".encode())
    assert member_names(Source("mac.zip", data=raw)) == ["Müller.txt"]


def test_gzip_is_unpacked_under_its_inner_name():
    inner = gunzipped(Source("map.tsv.gz", data=gzip.compress(b"a\tb\n")), LIMITS)
    assert (inner.name, inner.read()) == ("map.tsv", b"a\tb\n")


def test_other_sources_pass_gunzip_untouched():
    source = Source("a.txt", data=b"plain")
    assert gunzipped(source, LIMITS) is source


def test_gzip_bomb_is_refused_while_unpacking():
    bomb = Source("bomb.gz", data=gzip.compress(bytes(64 << 20)))
    with pytest.raises(TooLarge, match="unpacks to more than"):
        gunzipped(bomb, LIMITS)


def test_truncated_gzip_is_refused():
    half = gzip.compress(bytes(range(256)) * 100)[:-20]
    with pytest.raises(UnreadableSource, match="truncated gzip"):
        gunzipped(Source("half.gz", data=half), LIMITS)
