"""Downloads from a server on this machine: progress, resuming, digests, no network."""

from __future__ import annotations

import hashlib
import http.server
import socket
import threading
import time

import pytest

from core.errors import Cancelled, EmbedderUnavailable, TooLarge, UnsafeSource
from ingest import download as module
from ingest.download import Remote, download

CONTENT = bytes(range(256)) * 24_000  # 6 MB
INSTEAD = "Other things work."


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; can break off, ignore ranges, refuse, or hang."""

    daemon_threads = True
    breaks_at: int | None = None
    knows_ranges = True
    status: int | None = None
    is_silent = False
    n_slow = 0
    etag: str | None = None
    content = CONTENT
    wrong_start = 0

    def __init__(self):
        self.asked = []
        self.conditions = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_):
        pass

    def do_GET(self):
        asked, content = self.headers.get("Range"), self.server.content
        condition = self.headers.get("If-Range")
        self.server.asked.append(asked)
        self.server.conditions.append(condition)
        if self.server.n_slow:
            self.server.n_slow -= 1
            time.sleep(0.8)
            return
        if self.server.is_silent:
            time.sleep(3)
            return
        if self.server.status:
            self.send_error(self.server.status)
            return
        start = 0
        if asked and self.server.knows_ranges and condition in (None, self.server.etag):
            start = int(asked.removeprefix("bytes=").removesuffix("-")) - self.server.wrong_start
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if self.server.etag:
            self.send_header("ETag", self.server.etag)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content)
        if self.server.breaks_at is not None:
            end, self.server.breaks_at = self.server.breaks_at, None
        self.wfile.write(content[start:end])
        self.close_connection = True


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def remote(server, **changes):
    digest = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
    url = f"http://127.0.0.1:{server.server_port}/words.gz"
    return Remote(**{"url": url, "size": len(CONTENT), "digest": digest, **changes})


class Log:
    def __init__(self, cancel_above=None):
        self.calls, self.cancel_above = [], cancel_above

    def __call__(self, done, total, stage="", note=""):
        self.calls.append((done, total, stage, note))
        if self.cancel_above is not None and done > self.cancel_above:
            raise Cancelled


def test_a_file_arrives_whole_with_progress(server, tmp_path):
    log, target = Log(), tmp_path / "folder" / "words.gz"
    assert download(remote(server), target, log, instead=INSTEAD) == target
    assert target.read_bytes() == CONTENT
    assert [p.name for p in target.parent.iterdir()] == ["words.gz"]
    counts = [done for done, _, stage, _ in log.calls if stage.startswith("downloading")]
    assert counts == sorted(counts)
    assert set(counts) >= {0, 2, 4, 6}
    assert log.calls[0] == (0, 6, "downloading from 127.0.0.1, megabyte", "")
    assert log.calls[-1] == (6, 6, "checking the download, megabyte", "")


def test_what_is_there_is_not_fetched_again(server, tmp_path):
    target = tmp_path / "words.gz"
    target.write_bytes(b"mine")
    assert download(remote(server), target, instead=INSTEAD).read_bytes() == b"mine"
    assert server.asked == []


def test_a_lost_connection_is_resumed_where_it_broke(server, tmp_path):
    server.breaks_at = 700_000
    target = download(remote(server), tmp_path / "words.gz", instead=INSTEAD)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=700000-"]


def test_a_cancelled_download_goes_on_from_where_it_stood(server, tmp_path):
    target = tmp_path / "words.gz"
    with pytest.raises(Cancelled):
        download(remote(server), target, Log(cancel_above=1), instead=INSTEAD)
    assert not target.exists()
    have = (tmp_path / "words.gz.part").stat().st_size
    assert 2_000_000 < have < len(CONTENT)
    download(remote(server), target, instead=INSTEAD)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={have}-"]


def test_a_server_without_ranges_starts_over(server, tmp_path):
    server.knows_ranges = False
    (tmp_path / "words.gz.part").write_bytes(b"x" * 1_000)
    target = download(remote(server), tmp_path / "words.gz", instead=INSTEAD)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, "md5:" + "0" * 32])
def test_a_wrong_digest_is_refused_and_deleted(server, tmp_path, digest):
    with pytest.raises(UnsafeSource, match=r"is not the published .* and was deleted"):
        download(remote(server, digest=digest), tmp_path / "words.gz", instead=INSTEAD)
    assert list(tmp_path.iterdir()) == []


def test_a_file_longer_than_published_is_refused(server, tmp_path):
    with pytest.raises(UnsafeSource, match="instead of 1,000 bytes"):
        download(remote(server, size=1_000, digest=""), tmp_path / "words.gz", instead=INSTEAD)
    assert list(tmp_path.iterdir()) == []


def test_damaged_leftovers_are_found_by_the_digest(server, tmp_path):
    (tmp_path / "words.gz.part").write_bytes(b"x" * 1_000)
    with pytest.raises(UnsafeSource):
        download(remote(server), tmp_path / "words.gz", instead=INSTEAD)
    assert download(remote(server), tmp_path / "words.gz", instead=INSTEAD).stat().st_size


def test_a_refusal_by_the_server_is_one_sentence(server, tmp_path):
    server.status = 404
    with pytest.raises(EmbedderUnavailable, match=r"refused The file \(HTTP 404\). Other things"):
        download(remote(server), tmp_path / "words.gz", instead=INSTEAD)


def test_no_network_is_told_at_once(tmp_path):
    with socket.socket() as taken:  # a port that nobody listens on
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(EmbedderUnavailable, match=r"127.0.0.1 cannot be reached.*Other things"):
            download(Remote(url, 10, "", "Words"), tmp_path / "x", instead=INSTEAD)


def test_a_name_that_is_looked_up_for_ever_does_not_hang(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "CONNECT_S", 0.5)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(10))
    begun = time.monotonic()
    with pytest.raises(EmbedderUnavailable, match=r"no\.where cannot be reached"):
        download(Remote("https://no.where/x", 10), tmp_path / "x", instead=INSTEAD)
    assert time.monotonic() - begun < 8


def test_a_silent_server_can_be_cancelled(server, tmp_path):
    server.is_silent = True
    calls = []

    def stop(*call):
        calls.append(call)
        if len(calls) > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        download(remote(server), tmp_path / "words.gz", stop, instead=INSTEAD)


def test_a_full_disk_is_told_before_anything_is_fetched(server, tmp_path):
    with pytest.raises(TooLarge, match="needs 1,000,000,000,000 MB of disk"):
        download(remote(server, size=10**18), tmp_path / "words.gz", instead=INSTEAD)
    assert server.asked == []


def test_room_is_asked_for_what_is_made_of_the_file_too(server, tmp_path):
    with pytest.raises(TooLarge, match="needs 1,000,000,000,006 MB of disk"):
        download(remote(server), tmp_path / "words.gz", instead=INSTEAD, room=10**18)
    assert server.asked == []


def test_a_server_that_is_slow_to_answer_gets_a_second_longer_attempt(
    server, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "CONNECT_S", 0.5)
    server.n_slow = 1
    target = download(remote(server), tmp_path / "words.gz", instead=INSTEAD)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, None]


def test_a_file_that_changed_on_the_server_is_not_spliced(server, tmp_path):
    server.etag = '"old"'
    target = tmp_path / "words.gz"
    with pytest.raises(Cancelled):
        download(remote(server, digest=""), target, Log(cancel_above=1), instead=INSTEAD)
    server.etag, server.content = '"new"', CONTENT[::-1]
    download(remote(server, digest=""), target, instead=INSTEAD)
    assert target.read_bytes() == CONTENT[::-1]
    assert server.conditions == [None, '"old"']
    assert [p.name for p in tmp_path.iterdir()] == ["words.gz"]


def test_an_unchanged_file_is_continued_by_its_version(server, tmp_path):
    server.etag, server.breaks_at = '"same"', 700_000
    target = download(remote(server, digest=""), tmp_path / "words.gz", instead=INSTEAD)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=700000-"]


def test_a_part_of_unknown_version_is_not_continued_where_nothing_would_tell(server, tmp_path):
    (tmp_path / "words.gz.part").write_bytes(b"x" * 1_000)
    target = download(remote(server, digest=""), tmp_path / "words.gz", instead=INSTEAD)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None]


def test_another_part_than_the_one_asked_for_is_not_appended(server, tmp_path):
    (tmp_path / "words.gz.part").write_bytes(CONTENT[:1_000])
    server.wrong_start = 10
    target = download(remote(server), tmp_path / "words.gz", instead=INSTEAD)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-", None]
