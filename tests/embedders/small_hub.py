"""A model hub on this machine, for tests: lists and serves tiny models that are made on the fly.

It speaks the part of the hub's protocol that programs download with: ``/api/models/{repo}`` (with
sizes, object ids and SHA-256 of large files), ``/{repo}/resolve/{revision}/{path}`` with ranges,
ETag, ``X-Repo-Commit`` and the redirect of large files to another place; and it can be told to
misbehave.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

LARGE = (".safetensors", ".bin", ".pt")


def git_id(data: bytes) -> str:
    """Return the id under which git keeps a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Repo:
    """A model on the hub."""

    files: dict[str, bytes]
    licence: str = "apache-2.0"
    gated: str | bool = False
    commit: str = ""

    def __post_init__(self) -> None:
        if not self.commit:
            names = "".join(f"{n}:{git_id(d)}" for n, d in sorted(self.files.items()))
            self.commit = hashlib.sha1(names.encode()).hexdigest()

    def listed(self, blobs: bool) -> list[dict[str, Any]]:
        rows = []
        for name, data in sorted(self.files.items()):
            row: dict[str, Any] = {"rfilename": name}
            if blobs:
                row |= {"size": len(data), "blobId": git_id(data)}
                if name.endswith(LARGE):
                    digest = hashlib.sha256(data).hexdigest()
                    row["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 134}
            rows.append(row)
        return rows


@dataclass
class Hub:
    """What a test sees of the hub, and what it tells it to do.

    Attributes
    ----------
    asked : list of (method, path, range)
    status : int or None
        Answer every question with this code.
    file_status : int or None
        Answer every request for a file with this code.
    breaks_at : int or None
        Hang up once after so many bytes of a file.
    corrupts : bool
        Turn around the last byte of large files.
    answer : bytes or None
        What the API says instead of the truth.
    pause_s : float
        Seconds to wait after every quarter of a file.
    """

    repos: dict[str, Repo] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int | None = None
    file_status: int | None = None
    breaks_at: int | None = None
    corrupts: bool = False
    answer: bytes | None = None
    error_code: str = ""
    pause_s: float = 0.0
    url: str = ""
    store: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)

    def add(self, name: str, files: Mapping[str, bytes], **about: Any) -> Repo:
        """Publish a model."""
        self.repos[name] = Repo(dict(files), **about)
        return self.repos[name]

    def files_asked(self) -> list[str]:
        """Return the paths of the files that were asked for, in order."""
        return [path.split("/resolve/")[1].partition("/")[2] for _, path, _ in self.asked
                if "/resolve/" in path]  # fmt: skip


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a saved model by their path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def text_model_files(*, size: int = 60_000, seed: int = 0) -> dict[str, bytes]:
    """Return files with the names of a text model's; the numbers in them mean nothing."""
    import numpy as np
    from safetensors.numpy import save

    noise = np.random.default_rng(seed).normal(size=size // 4).astype(np.float32)
    return {
        "config.json": b'{"model_type": "bert"}',
        "tokenizer.json": b'{"version": "1.0"}',
        "tokenizer_config.json": b"{}",
        "modules.json": json.dumps(
            [
                {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
                {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                {"idx": 2, "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
            ]
        ).encode(),
        "1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}',
        "model.safetensors": save({"weights": noise}),
        "pytorch_model.bin": b"a pickle that nobody asks for",
        "onnx/model.onnx": b"another form that nobody asks for",
        "modeling_custom.py": b"raise SystemExit('never run')",
        "README.md": b"# A model",
    }


@contextmanager
def small_hub() -> Iterator[Hub]:
    """Run a hub; set HF_ENDPOINT to its ``url``."""
    hub = Hub()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    hub.store = f"http://localhost:{server.server_port}"  # large files lie with another host
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hub: Hub) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = unquote(parts.path)
            hub.asked.append((self.command, path, self.headers.get("Range")))
            hub.headers.append(dict(self.headers.items()))
            if path.startswith("/api/models/"):
                self._tell(path.removeprefix("/api/models/"), parse_qs(parts.query))
            elif path.startswith("/large/"):
                self._send(next(d for r in hub.repos.values() for n, d in r.files.items()
                                if n.endswith(LARGE) and hashlib.sha256(d).hexdigest()
                                == path.removeprefix("/large/")))  # fmt: skip
            else:
                self._resolve(path)

        def _refuse(self, status: int) -> None:
            self.send_response(status)
            if hub.error_code:
                self.send_header("X-Error-Code", hub.error_code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _tell(self, path: str, query: dict[str, list[str]]) -> None:
            if "/tree/" in path:
                return self._tree(path)
            name, _, revision = path.partition("/revision/")
            repo = hub.repos.get(name)
            if hub.status:
                return self._refuse(hub.status)
            if repo is None:
                return self._refuse(401)  # as the public hub answers who has no account
            if revision not in {"", "main", repo.commit}:
                hub.error_code = "RevisionNotFound"
                return self._refuse(404)
            told = {
                "id": name,
                "sha": repo.commit,
                "gated": repo.gated,
                "private": False,
                "tags": [f"license:{repo.licence}"],
                "cardData": {"license": repo.licence},
                "siblings": repo.listed("blobs" in query),
            }
            self._json(hub.answer if hub.answer is not None else json.dumps(told).encode())
            return None

        def _tree(self, path: str) -> None:
            rows = []
            for row in hub.repos[path.partition("/tree/")[0]].listed(blobs=True):
                lfs = row.get("lfs")
                told = {"type": "file", "path": row["rfilename"], "size": row["size"]}
                rows.append(
                    {**told, "oid": row["blobId"]}
                    | ({"lfs": {**lfs, "oid": lfs["sha256"]}} if lfs else {})
                )
            self._json(json.dumps(rows).encode())

        def _json(self, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _resolve(self, path: str) -> None:
            name, _, rest = path[1:].partition("/resolve/")
            revision, _, file = rest.partition("/")
            repo = hub.repos.get(name)
            if hub.file_status:
                return self._refuse(hub.file_status)
            if repo is None or revision not in {"main", repo.commit} or file not in repo.files:
                return self._refuse(404)
            data = repo.files[file]
            if not file.endswith(LARGE):
                return self._send(data, {"X-Repo-Commit": repo.commit})
            digest = hashlib.sha256(data).hexdigest()
            self.send_response(302)
            self.send_header("Location", f"{hub.store}/large/{digest}")
            self.send_header("X-Repo-Commit", repo.commit)
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("X-Linked-Etag", f'"{digest}"')
            self.send_header("ETag", f'"{digest}"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None

        def _send(self, data: bytes, more: Mapping[str, str] | None = None) -> None:
            tag, asked = f'"{hashlib.sha256(data).hexdigest()}"', self.headers.get("Range")
            if hub.corrupts and len(data) > 10_000:
                data = data[:-1] + bytes([data[-1] ^ 255])
            start = 0
            if asked and self.headers.get("If-Range") in (None, tag):
                start = int(asked.removeprefix("bytes=").partition("-")[0])
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            for key, value in (more or {}).items():
                self.send_header(key, value)
            self.send_header("ETag", tag)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            if self.command == "HEAD":
                return
            end = len(data)
            if hub.breaks_at is not None and end - start > hub.breaks_at:
                end, hub.breaks_at = start + hub.breaks_at, None
            step = max(1, (len(data) + 3) // 4) if hub.pause_s and len(data) > 10_000 else end
            for at in range(start, end, max(1, step)):
                self.wfile.write(data[at : min(end, at + step)])
                hub.stopping.wait(hub.pause_s)
            self.close_connection = True

    return Handler


@contextmanager
def in_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Run a hub that the code under test asks, with folders of its own and no other setting."""
    monkeypatch.setenv("EMBEDSCOPE_HOME", str(home / "home"))
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE",
                 "EMBEDSCOPE_DOWNLOADS", "http_proxy", "HTTP_PROXY", "all_proxy"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    with small_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub
