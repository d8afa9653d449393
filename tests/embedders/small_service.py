"""An OpenAI-compatible embedding service on this machine, for tests: well-behaved or scripted."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

DIM = 32


def vector(text: str, dim: int = DIM) -> np.ndarray:
    """Return counts of hashed trigrams: similar texts get similar vectors."""
    counts = np.zeros(dim, np.float32)
    padded = f"  {text}  "
    for i in range(len(padded) - 2):
        code = zlib.crc32(padded[i : i + 3].encode("utf-8", "replace"))
        counts[code % dim] += 1 - 2 * (code >> 16 & 1)
    return counts / 8


def other_answer(body, model="tiny-1"):
    """Return what it answers once another model stands behind the name, as long as the first."""
    good = answer(body, model)
    for row in good["data"]:
        row["embedding"] = row["embedding"][::-1]
    return good


def answer(body, model="tiny-1"):
    """Return what a service answers to a request."""
    dim = body.get("dimensions", DIM)
    data = []
    for i, text in enumerate(body["input"]):
        row = vector(text, dim)
        if body.get("encoding_format") == "base64":
            numbers = base64.b64encode(row.astype("<f4").tobytes()).decode()
        else:
            numbers = row.tolist()
        data.append({"object": "embedding", "index": i, "embedding": numbers})
    tokens = sum(len(text.split()) for text in body["input"])
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": model, "data": data, "usage": usage}


class Service:
    """What a test sees of the service.

    ``script`` holds what the next requests get instead of a good answer, one after another:
    ``(status, headers, body)``, where body may be bytes, a JSON value, or a function of the
    request's body; or a number of seconds to say nothing and then hang up.
    """

    def __init__(self):
        self.script, self.forever = [], None
        self.bodies, self.headers, self.paths, self.times = [], [], [], []
        self.connections = 0
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = 30

            def setup(self):
                service.connections += 1
                super().setup()

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.times.append(time.monotonic())
                service.bodies.append(body)
                service.headers.append(dict(self.headers.items()))
                service.paths.append(self.path)
                turn = service.script.pop(0) if service.script else service.forever
                if isinstance(turn, float):
                    service.silence.wait(turn)
                    self.close_connection = True
                    return
                status, headers, made = turn or (200, {}, answer)
                made = made(body) if callable(made) else made
                data = made if isinstance(made, bytes) else json.dumps(made).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.silence = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def running() -> Iterator[Service]:
    """Run a service while the block lasts."""
    service = Service()
    thread = threading.Thread(
        target=service.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield service
    finally:
        service.silence.set()
        service.server.shutdown()
        service.server.server_close()
        thread.join(5)
