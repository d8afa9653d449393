"""Vectors from a service: what it is sent, what is made of its answers, and what can go wrong."""

from __future__ import annotations

import email.utils
import logging
import math
import pickle
import queue
import socket
import threading
import time
import traceback

import numpy as np
import pytest
import small_service
from small_datasets import make_texts
from small_service import DIM, answer, vector

from core import waiting
from core.errors import (
    Cancelled,
    DatasetError,
    EmbedderUnavailable,
    EmbedscopeError,
    ParameterError,
    QueryError,
)
from embedders import api_text, endpoint, get_embedder
from embedders.api_text import ApiText

KEY = "sk-sentinel-q8Zr41vTnW0xKp"
TEXTS = [
    "red apple",
    "green pear",
    "red apple",
    "a much longer text about apples and pears",
    "plum",
]


@pytest.fixture
def service():
    with small_service.running() as one:
        yield one


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch):
    monkeypatch.setattr(endpoint, "BACK_OFF_S", 0.01)


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("TEST_API_KEY", KEY)
    return {"key_variable": "TEST_API_KEY"}


def asking(service, **params):
    return get_embedder("api", **{"url": service.url, "model": "tiny", **params})


def fitted(service, texts=TEXTS, **params):
    """Return a fitted embedder and its data; the service has forgotten the first request."""
    data = make_texts(list(texts))
    embedder = asking(service, **params).fit(data)
    for kept in (service.bodies, service.headers, service.paths, service.times):
        kept.clear()
    return embedder, data


def refusal(service, reply, **params):
    """Return the sentence for a service that answers so, for good."""
    service.forever = reply
    with pytest.raises(EmbedderUnavailable) as caught:
        asking(service, **params).fit(make_texts(TEXTS))
    text = str(caught.value)
    assert text.endswith(".")
    assert "127.0.0.1" in text
    assert len(text) < 400
    return text


def edited(change):
    """Return a reply whose good answer was changed."""

    def made(body):
        good = answer(body)
        changed = change(good)
        whole = isinstance(changed, list | bytes) or (
            isinstance(changed, dict) and "data" in changed
        )
        return changed if whole else good

    return 200, {}, made


# what is sent, and what comes of it


def test_every_text_gets_the_vector_the_service_gave_it(service):
    embedder, data = fitted(service, batch_size=2)
    matrix = embedder.vectors(data).matrix
    np.testing.assert_array_equal(matrix, [vector(text) for text in TEXTS])
    assert service.paths == ["/v1/embeddings"] * 2
    assert [body["input"] for body in service.bodies] == [
        ["a much longer text about apples and pears", "green pear"],
        ["red apple", "plum"],
    ]
    assert service.bodies[0]["model"] == "tiny"
    assert "dimensions" not in service.bodies[0]
    assert service.connections == 1, "the connection is kept"


def test_a_request_holds_no_more_than_services_take(service):
    texts = [chr(97 + i) * 19_000 for i in range(26)]
    embedder, data = fitted(service, texts, batch_size=2_048)
    embedder.vectors(data)
    sizes = [sum(map(len, body["input"])) for body in service.bodies]
    assert max(sizes) <= 400_000
    assert len(sizes) == 2


def test_base64_gives_the_same_vectors_as_numbers(service):
    embedder, data = fitted(service, encoding="base64")
    np.testing.assert_array_equal(embedder.vectors(data).matrix, [vector(text) for text in TEXTS])
    assert service.bodies[0]["encoding_format"] == "base64"


def test_shorter_vectors_are_asked_for_and_checked(service):
    embedder, data = fitted(service, dimensions=8)
    assert embedder.vectors(data).dim == 8
    assert service.bodies[0]["dimensions"] == 8
    service.forever = edited(lambda good: answer({"input": ["x"]}))
    with pytest.raises(EmbedderUnavailable, match=r"32 numbers, 8 were .* Set dimensions to 0\."):
        asking(service, dimensions=8).fit(data)


def test_prompts_are_put_before_texts_and_queries(service):
    embedder, data = fitted(service, ["apple"], document_prompt="doc: ", query_prompt="ask: ")
    embedder.vectors(data)
    embedder.embed_query("pear")
    assert [body["input"] for body in service.bodies] == [["doc: apple"], ["ask: pear"]]


def test_long_texts_are_cut_and_listed(service):
    embedder, data = fitted(service, ["x" * 50, "short", "y" * 11], max_chars=10)
    about = embedder.vectors(data).provenance
    assert service.bodies[0]["input"] == ["x" * 10, "y" * 10, "short"]
    assert about["truncated"] == ["t0", "t2"]
    assert any("10 characters per text: 2 of 3 texts were longer" in n for n in about["notes"])


def test_blank_texts_are_not_sent_and_get_zeros(service):
    embedder, data = fitted(service, ["", "apple", " \n", "pear"])
    vectors = embedder.vectors(data)
    assert [text for body in service.bodies for text in body["input"]] == ["apple", "pear"]
    assert not vectors.matrix[[0, 2]].any()
    assert vectors.matrix[[1, 3]].any(axis=1).all()
    assert "2 of 4 texts are blank: not sent, all zeros." in vectors.provenance["notes"]
    with pytest.raises(DatasetError, match="None of the 2 texts"):
        embedder.vectors(make_texts(["", "  "]))
    with pytest.raises(QueryError, match="empty"):
        embedder.embed_query("  ")


def test_a_text_that_is_no_unicode_is_sent_as_valid_json(service):
    embedder, data = fitted(service, ["broken \ud800 text", "nul \x00 text"])
    assert np.isfinite(embedder.vectors(data).matrix).all()
    assert service.bodies[0]["input"] == ["broken ? text", "nul \x00 text"]


def test_the_cost_is_estimated_before_anything_is_sent(service):
    data = make_texts(["x" * 4_000, "y" * 4_000, "x" * 4_000, ""])
    told = asking(service, price=0.5).estimate(data)
    assert told == (
        "2 distinct texts, about 2,000 tokens (estimated: characters / 4), "
        "about 0.001 at 0.5 per million tokens."
    )
    assert "million" not in asking(service).estimate(data)
    assert service.bodies == []
    notes = []
    asking(service, price=0.5).fit(data, lambda d, t, s="", note="": notes.append(note))
    assert notes[0] == told


def test_provenance_names_model_service_and_counted_tokens(service):
    embedder, data = fitted(service)
    about = embedder.vectors(data).provenance
    assert about["model"] == "tiny"
    assert about["service"] == f"127.0.0.1:{service.port}"
    assert about["n_tokens"] == sum(len(text.split()) for text in set(TEXTS))
    assert any("which calls it tiny-1" in note for note in about["notes"])


def test_how_a_service_is_asked_does_not_change_what_was_paid_for(service):
    data = make_texts(TEXTS)
    base = asking(service).fingerprint(data)
    for same in (
        {"batch_size": 3},
        {"requests_per_minute": 9},
        {"key_variable": "OTHER_API_KEY"},
        {"price": 2.0},
        {"timeout_s": 9},
        {"url": service.url + "/"},
        {"url": f" {service.url}/embeddings"},
    ):
        assert asking(service, **same).fingerprint(data) == base, same
    for other in ({"model": "b"}, {"dimensions": 8}, {"query_prompt": "q"}, {"max_chars": 9}):
        assert asking(service, **other).fingerprint(data) != base, other


# answers that are odd


def test_vectors_are_put_in_the_order_of_their_index(service):
    service.forever = edited(lambda good: good["data"].reverse())
    embedder, data = fitted(service)
    np.testing.assert_array_equal(embedder.vectors(data).matrix, [vector(text) for text in TEXTS])


@pytest.mark.parametrize("left_out", [{0}, {0, 1, 2, 3}], ids=["zero", "all"])
def test_an_index_may_be_left_out_where_the_order_is_clear(service, left_out):
    def change(good):
        for each in good["data"]:
            if each["index"] in left_out:
                del each["index"]

    service.forever = edited(change)
    embedder, data = fitted(service)
    np.testing.assert_array_equal(embedder.vectors(data).matrix, [vector(text) for text in TEXTS])


def spoil(change):
    """Return a change of the answers to several texts; the first request stays good."""

    def one(good):
        return change(good) if len(good["data"]) > 1 else None

    return edited(one)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda g: g["data"][1].pop("index"), "index is missing, doubled or too large"),
        (lambda g: g["data"][1].update(index=0), "index is missing, doubled or too large"),
        (lambda g: g["data"][1].update(index=99), "index is missing, doubled or too large"),
        (lambda g: g["data"][1].update(index="1"), "index is missing, doubled or too large"),
        (lambda g: g["data"][1].update(index=[1]), "index is missing, doubled or too large"),
        (lambda g: g["data"].pop(), "3 vectors for 4 texts"),
        (lambda g: g["data"].append(g["data"][0]), "5 vectors for 4 texts"),
        (lambda g: g["data"][2]["embedding"].append(1.0), r"different lengths \(32 and 33"),
        (
            lambda g: g.update(answer({"input": "abcd", "dimensions": 31})),
            "31 numbers, before with 32",
        ),
        (lambda g: g["data"][0]["embedding"].__setitem__(3, math.nan), "NaN or infinity in 1 of 4"),
        (lambda g: g["data"][0]["embedding"].__setitem__(3, 1e300), "NaN or infinity in 1 of 4"),
        (lambda g: g["data"][0].update(embedding=None), "no list of numbers"),
        (lambda g: g["data"][0].update(embedding=[]), "no list of numbers"),
        (lambda g: g["data"][0].update(embedding=["a"]), "no list of numbers"),
        (lambda g: g["data"][0].update(embedding=[[1.0], [2.0]]), "no list of numbers"),
        (lambda g: g["data"][0].update(embedding=[1.0, [2.0]]), "no list of numbers"),
        (lambda g: g["data"][0].update(embedding=[10**400]), "no list of numbers"),
        (lambda g: g["data"][0].update(embedding="!!!!"), "no list of numbers"),
        (lambda g: g["data"][0].update(embedding="AAA="), "no list of numbers"),
        (lambda g: g.update(data={}), r"without vectors \(data\)"),
        (lambda g: g.update(data=[1, 2, 3, 4]), r"without vectors \(data\)"),
        (lambda g: [1, 2], r"without vectors \(data\)"),
        (lambda g: b"<html>hello</html>", "something else instead of JSON"),
        (lambda g: b'{"data": [', "something else instead of JSON"),
        (lambda g: b"\xff\xfe\x00", "something else instead of JSON"),
        (lambda g: b"[" * 100_000, "something else instead of JSON"),
        (lambda g: b"", "nothing instead of JSON"),
    ],
)
def test_an_answer_that_makes_no_sense_is_told_in_one_sentence(service, change, told):
    embedder, data = fitted(service)
    service.forever = spoil(change)
    with pytest.raises(EmbedderUnavailable, match=told) as caught:
        embedder.vectors(data)
    assert str(caught.value).endswith(".")
    assert len(service.bodies) == 1, "asking again would not help"


def test_an_answer_too_large_for_memory_is_refused(service, monkeypatch):
    monkeypatch.setattr(endpoint, "MOST_BYTES", 1024**2)
    told = refusal(service, (200, {}, b" " * (1024**2 + 1)))
    assert "more than 1 MiB" in told
    assert len(service.bodies) == 1


# refusals and lost connections


@pytest.mark.parametrize(
    ("reply", "told", "tries"),
    [
        ((401, {}, {"error": {"message": f"Incorrect key: {KEY}"}}), "refused the key in TEST_", 1),
        ((403, {}, b"no"), "refused the key in TEST_API_KEY (HTTP 403)", 1),
        ((404, {}, {"error": {"message": 'model "x" not found.'}}), '“model "x" not found”', 1),
        ((404, {}, b"404 page not found"), "most addresses (url) end in /v1", 1),
        ((400, {}, {"error": "input too long"}), "did not accept the texts (HTTP 400): “input", 1),
        ((413, {}, {"detail": "batch size 64 > 32"}), "“batch size 64 > 32”", 1),
        ((422, {}, [{"error": {"message": "bad"}}]), "HTTP 422): “bad”", 1),
        ((418, {}, b""), "answered with HTTP 418", 1),
        ((429, {}, {"error": {"message": "slow", "code": "x"}}), "asked too often", 8),
        ((429, {}, {"error": {"message": "pay", "code": "insufficient_quota"}}), "quota", 1),
        ((500, {}, {"message": "out of memory"}), "failed (HTTP 500): “out of memory”", 5),
        ((503, {}, b"<html>"), "failed (HTTP 503). It was tried 5 times", 5),
        ((501, {}, b""), "failed (HTTP 501)", 1),
    ],
)
def test_a_refusal_is_told_in_a_sentence_and_tried_again_only_if_it_may_pass(
    service, key, reply, told, tries
):
    text = refusal(service, reply, **key)
    assert told in text
    assert "<" not in text
    assert len(service.bodies) == tries


def test_a_service_that_recovers_is_asked_again_and_nothing_is_lost(service):
    embedder, data = fitted(service, batch_size=2)
    service.script = [(500, {}, b""), (429, {}, b""), (200, {}, answer), 0.0, (503, {}, b"")]
    np.testing.assert_array_equal(embedder.vectors(data).matrix, [vector(text) for text in TEXTS])
    assert len(service.bodies) == 6


def test_what_a_broken_off_call_has_paid_for_is_not_asked_again(service):
    embedder, data = fitted(service, batch_size=1)
    service.script = [None, None, (400, {}, b"")]
    with pytest.raises(EmbedderUnavailable):
        embedder.vectors(data)
    service.bodies.clear()
    np.testing.assert_array_equal(embedder.vectors(data).matrix, [vector(text) for text in TEXTS])
    assert [body["input"] for body in service.bodies] == [["red apple"], ["plum"]]


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "1"},
        {"retry-after-ms": "1000", "Retry-After": "99"},
        {"Retry-After": lambda: email.utils.formatdate(time.time() + 2, usegmt=True)},
    ],
    ids=["seconds", "milliseconds", "date"],
)
def test_a_pause_that_the_service_asks_for_is_kept(service, headers):
    embedder, data = fitted(service)
    made = {name: value() if callable(value) else value for name, value in headers.items()}
    service.script = [(429, made, b"")]
    notes = []
    embedder.vectors(data, lambda d, t, s="", note="": notes.append(note))
    assert service.times[1] - service.times[0] >= 0.9
    assert any(note.startswith("HTTP 429, next attempt (2) in ") for note in notes)


def test_a_pause_of_an_hour_ends_the_work_at_once(service):
    told = refusal(service, (429, {"Retry-After": "3600"}, b""))
    assert "asks for a pause of 60 minutes" in told
    assert len(service.bodies) == 1


@pytest.mark.parametrize("value", ["soon", "-5", "nan", "inf", "1e999"])
def test_a_pause_that_is_nonsense_is_ignored(service, value):
    embedder, data = fitted(service)
    service.script = [(429, {"Retry-After": value}, b"")]
    embedder.vectors(data)
    assert len(service.bodies) == 2


def test_a_port_where_nobody_listens_is_told_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    embedder = get_embedder("api", url=f"http://localhost:{port}/v1", model="tiny")
    with pytest.raises(EmbedderUnavailable, match=f"localhost:{port} refused the connection"):
        embedder.fit(make_texts(TEXTS))
    assert not embedder.is_fitted


def test_a_service_that_stays_silent_is_given_up(service, monkeypatch):
    monkeypatch.setattr(endpoint, "TRIES", 2)
    service.forever = 30.0
    with pytest.raises(EmbedderUnavailable, match=r"did not answer in time .* tried 2 times"):
        asking(service, timeout_s=1).fit(make_texts(TEXTS))


def test_a_server_that_speaks_something_else_is_told(service):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        def talk():
            for _ in range(endpoint.TRIES):
                connection, _ = other.accept()
                connection.recv(65_536)
                connection.sendall(b"220 mail.example.org ready\r\n")
                connection.close()

        threading.Thread(target=talk, daemon=True).start()
        with pytest.raises(EmbedderUnavailable, match="does not speak HTTP"):
            get_embedder("api", url=f"http://127.0.0.1:{port}", model="m").fit(make_texts(TEXTS))


def test_https_to_a_plain_server_is_told_at_once(service):
    url = service.url.replace("http", "https")
    with pytest.raises(EmbedderUnavailable, match="does not speak https"):
        asking(service, url=url, key_variable="").fit(make_texts(TEXTS))
    assert service.bodies == []


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(service):
    embedder, _ = fitted(service)
    embedder._endpoint._connection.sock.shutdown(socket.SHUT_RDWR)
    np.testing.assert_array_equal(embedder.embed_query("b"), vector("b"))
    assert service.connections == 2


# waiting: limits and cancel


class Clock:
    """Stands in for the module ``time``: only sleeping, or somebody by hand, moves it on."""

    def __init__(self, at=1_000.0):
        self.now = at

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    one = Clock()
    for module in (api_text, endpoint):
        monkeypatch.setattr(module, "time", one)
    return one


def test_no_more_requests_are_sent_than_allowed(service, clock, monkeypatch):
    embedder, data = fitted(service, batch_size=1, requests_per_minute=300)
    at, send = [], endpoint.Endpoint._try
    monkeypatch.setattr(
        endpoint.Endpoint, "_try", lambda *args: (at.append(clock.now), send(*args))[1]
    )
    embedder.vectors(data)
    assert len(service.bodies) == 4
    np.testing.assert_allclose(np.diff(at), 0.2, atol=1e-9)  # 60 s / 300
    assert at[0] == pytest.approx(1_000.2), "the request of fit counts too"


class Impatient:
    """A progress that cancels a while after work has begun."""

    def __init__(self, after_s, clock=time):
        self.clock, self.at = clock, clock.monotonic() + after_s

    def __call__(self, done, total, stage="", note=""):
        if self.clock.monotonic() > self.at:
            raise Cancelled


@pytest.fixture
def silent_clock(clock, monkeypatch):
    """Let the clock run on while an answer is awaited that never comes."""

    class Waiting(queue.SimpleQueue):
        def get(self, timeout):
            clock.sleep(timeout)
            return super().get(timeout=0.01)

    monkeypatch.setattr(waiting, "time", clock)
    monkeypatch.setattr(waiting.queue, "SimpleQueue", Waiting)


@pytest.mark.parametrize(
    ("reply", "params"),
    [
        (30.0, {}),
        ((429, {"Retry-After": "60"}, b""), {}),
        (None, {"requests_per_minute": 1, "batch_size": 1}),
    ],
    ids=["silence", "back-off", "rate limit"],
)
def test_cancel_takes_effect_in_the_middle_of_waiting(service, clock, reply, params, request):
    embedder, data = fitted(service, **params)
    service.forever = reply
    if reply == 30.0:
        request.getfixturevalue("silent_clock")
    begun = clock.now
    with pytest.raises(Cancelled):
        embedder.vectors(data, Impatient(5.5, clock))
    assert 5.5 < clock.now - begun <= 7.5, "within two seconds"
    before = len(service.bodies)
    time.sleep(0.1)
    assert len(service.bodies) == before, "nothing more is paid for"


def test_nothing_is_sent_after_a_cancel_even_if_the_connection_comes_later(service, monkeypatch):
    embedder, data = fitted(service)
    embedder._endpoint.close()
    connect, late = socket.create_connection, threading.Event()

    def slow(*args, **kwargs):
        late.wait(10)
        return connect(*args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", slow)
    with pytest.raises(Cancelled):
        embedder.vectors(data, Impatient(0.2))
    before = service.connections
    late.set()
    until = time.monotonic() + 5
    while service.connections == before and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.2)
    assert service.connections == before + 1
    assert service.bodies == []


def test_a_query_is_not_waited_for_as_long_as_a_job(service, monkeypatch):
    monkeypatch.setattr("embedders.api_text.QUERY_PATIENCE_S", 0.5)
    embedder, _ = fitted(service)
    service.forever = (429, {"Retry-After": "60"}, b"")
    with pytest.raises(EmbedderUnavailable, match="tried once"):
        embedder.embed_query("apple")
    service.forever = 30.0
    with pytest.raises(EmbedderUnavailable, match="did not answer in time"):
        embedder.embed_query("apple")


@pytest.mark.parametrize("renamed", [False, True], ids=["restored", "renamed under way"])
def test_a_query_that_takes_two_requests_has_one_deadline(service, clock, monkeypatch, renamed):
    embedder, _ = fitted(service, batch_size=1)
    if renamed:
        service.forever = (200, {}, lambda body: answer(body, "tiny-2"))
    else:
        embedder = asking(service, batch_size=1).restore(embedder.state())
    limits, post = [], endpoint.Endpoint._in_thread

    def slow(self, payload, beat, limit_s):
        limits.append(limit_s)
        clock.now += 6.0
        return post(self, payload, beat, limit_s)

    monkeypatch.setattr(endpoint.Endpoint, "_in_thread", slow)
    np.testing.assert_array_equal(embedder.embed_query("apple"), vector("apple"))
    assert limits == ([20, 14, 8] if renamed else [20, 14])


def test_a_query_does_not_wait_for_a_rate_limit_that_is_longer_than_its_patience(service, clock):
    embedder, _ = fitted(service, requests_per_minute=2)
    with pytest.raises(EmbedderUnavailable, match=r"requests_per_minute lets the next .* in 30 s"):
        embedder.embed_query("apple")
    assert (clock.now, service.bodies) == (1_000.0, [])
    clock.now += 15
    np.testing.assert_array_equal(embedder.embed_query("apple"), vector("apple"))
    assert clock.now == 1_030.0


# addresses


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://api.openai.com/v1",
        "http://0.0.0.0:8000/v1",
        "http://[::]:8000/v1",
        "http://[::ffff:10.0.0.1]/v1",
        "http://2130706433/v1",
        "http://127.0.0.1.nip.io/v1",
        "http://localhost.example.org/v1",
    ],
)
def test_other_machines_are_not_asked_unless_the_operator_allows_them(url, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("it was asked"))
    embedder = get_embedder("api", url=url, model="m")
    with pytest.raises(ParameterError, match="EMBEDSCOPE_API_HOSTS"):
        embedder.fit(make_texts(TEXTS))
    ready = ApiText.availability(embedder.params)
    assert ready.state == "needs_extra"
    assert "this server allows localhost" in ready.hint


def test_the_operator_can_allow_others_and_forbid_this_machine(service, monkeypatch):
    params = {"url": "https://api.openai.com/v1", "model": "m"}
    monkeypatch.setenv("EMBEDSCOPE_API_HOSTS", "api.openai.com")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    ready = ApiText.availability(ApiText.params_class(**params))
    assert ready.state == "ready"
    with pytest.raises(ParameterError, match=r"127\.0\.0\.1.* allows api\.openai\.com"):
        asking(service).fit(make_texts(TEXTS))
    http = ApiText.params_class(**{**params, "url": "http://api.openai.com:443/v1"})
    assert "without encryption" in ApiText.availability(http).hint
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "OPENAI_API_KEY is not set" in ApiText.availability(ApiText.params_class(**params)).hint


def test_an_address_that_is_forbidden_later_is_not_asked_any_more(service, monkeypatch):
    embedder, data = fitted(service)
    embedder._endpoint.close()
    monkeypatch.setenv("EMBEDSCOPE_API_HOSTS", "none")
    with pytest.raises(ParameterError, match="no address at all"):
        embedder.vectors(data)
    assert service.bodies == []


def test_a_name_that_leads_away_from_this_machine_is_not_followed(service, monkeypatch):
    class Elsewhere(socket.socket):
        def getpeername(self):
            return ("10.0.0.1", 80)

    def connect(address, *args, **kwargs):
        made = Elsewhere()
        made.connect(address)
        return made

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(EmbedderUnavailable, match="refused the connection"):
        asking(service).fit(make_texts(TEXTS))
    assert service.bodies == []


def test_a_redirect_is_told_and_not_followed(service, key):
    with small_service.running() as other:
        for status in (301, 302, 307, 308):
            told = refusal(service, (status, {"Location": other.url}, b""), **key)
            assert "points to another address" in told
        assert other.connections == 0


@pytest.mark.parametrize(
    "url", ["ftp://localhost/v1", "localhost:11434", "http://", "http://a b/", "x"]
)
def test_an_address_that_is_none_is_refused_when_it_is_set(url):
    with pytest.raises(ParameterError, match=r"must look like https://host/v1"):
        get_embedder("api", url=url, model="m")


@pytest.mark.parametrize(
    "params",
    [
        {"url": f"https://user:{KEY}@localhost/v1"},
        {"url": f"https://localhost/v1?key={KEY}"},
        {"url": f"https://localhost/v1#{KEY}"},
        {"url": KEY},
        {"key_variable": KEY},
        {"key_variable": "HOME"},
        {"key_variable": "AWS_SECRET_ACCESS_KEY"},
    ],
)
def test_a_setting_that_holds_a_key_is_refused_without_repeating_it(params):
    with pytest.raises(ParameterError) as caught:
        get_embedder("api", **{"model": "m", **params})
    assert KEY not in str(caught.value)


def test_without_address_or_model_the_hint_says_what_to_enter():
    for params in ({}, {"url": "http://localhost:1/v1"}, {"model": "m"}):
        ready = ApiText.availability(ApiText.params_class(**params))
        assert ready.state == "needs_extra"
        assert "(url)" in ready.hint
        assert "model" in ready.hint
        with pytest.raises(ParameterError, match="enter both"):
            get_embedder("api", **params).fit(make_texts(TEXTS))


# the key


def test_the_key_is_sent_and_openais_never_without_encryption(service, key, monkeypatch):
    fitted(service)
    asking(service, **key).fit(make_texts(TEXTS))
    assert service.headers[-1]["Authorization"] == f"Bearer {KEY}"
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    asking(service).fit(make_texts(TEXTS))
    assert "Authorization" not in service.headers[-1]
    told = refusal(service, (401, {}, b""))
    assert "OPENAI_API_KEY is not sent unencrypted" in told


@pytest.mark.parametrize("value", [f"{KEY}\n{KEY}", f"{KEY} x", f"{KEY}ü"])
def test_a_key_that_cannot_be_one_is_not_repeated(service, key, monkeypatch, value):
    monkeypatch.setenv("TEST_API_KEY", value)
    with pytest.raises(EmbedderUnavailable, match="TEST_API_KEY holds") as caught:
        asking(service, **key).fit(make_texts(TEXTS))
    assert KEY not in str(caught.value)
    assert service.bodies == []


def everything_in(thing, seen=None):
    """Yield the text of every attribute that can be reached from ``thing``."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield repr(thing)
    for value in getattr(thing, "__dict__", {}).values():
        yield from everything_in(value, seen)


@pytest.mark.parametrize(
    "odd",
    [
        lambda: None,
        lambda: (400, {}, {"error": {"message": f"you sent {KEY}, {KEY[:9]}***{KEY[-6:]}"}}),
        lambda: (401, {}, {"error": {"message": f"you sent {KEY}"}}),
        lambda: (429, {}, {"error": {"message": f"you sent Bearer {KEY}"}}),
        lambda: (500, {}, {"error": f"you sent {KEY}" + "x" * 300}),
        lambda: (200, {}, f"garbage {KEY}".encode()),
        lambda: edited(lambda good: good.update(model=KEY, data=good["data"])),
        lambda: 0.0,
        lambda: (200, {}, KEY.encode() + b" " * 2_000_000),
    ],
    ids=["good", "400", "401", "429", "500", "garbage", "as model", "hung up", "too large"],
)
def test_the_key_is_found_nowhere_but_in_the_request(service, key, caplog, capfd, monkeypatch, odd):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(endpoint, "MOST_BYTES", 1_000_000)
    data = make_texts(TEXTS)
    service.forever = odd()
    embedder = asking(service, **key)
    found, notes, whole = [], [], ""
    try:
        vectors = embedder.fit(data, lambda *a, **k: notes.append((a, k))).vectors(data)
        found += [repr(dict(vectors.provenance)), pickle.dumps(embedder.state()).decode("latin-1")]
    except EmbedscopeError as error:
        with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
        whole = "".join(with_locals.format())
        found += [str(error), traceback.format_exc()]
    assert service.headers[0]["Authorization"] == f"Bearer {KEY}"
    found += [*everything_in(embedder), repr(notes), embedder.fingerprint(data), caplog.text]
    found += list(capfd.readouterr())
    for text in found:
        for piece in (KEY, KEY[:9], KEY[-6:]):
            assert piece not in text
    assert KEY not in whole


def test_a_service_whose_vectors_change_between_fit_and_query_is_told(service):
    embedder, _ = fitted(service)
    again = asking(service).restore(embedder.state())
    assert again.embed_query("apple").shape == (DIM,)
    service.forever = edited(lambda good: answer({"input": ["x"], "dimensions": 5}))
    with pytest.raises(EmbedderUnavailable, match="5 numbers, before with 32"):
        again.embed_query("apple")


def test_a_query_is_refused_once_another_model_of_the_same_length_answers(service):
    embedder, _ = fitted(service)
    for size in (32, 1):  # a service that takes one text at a time is asked twice
        again = asking(service, batch_size=size).restore(embedder.state())
        service.bodies.clear()
        np.testing.assert_array_equal(again.embed_query("apple"), vector("apple"))
        asked = [text for body in service.bodies for text in body["input"]]
        assert asked == ["embedding", "apple"]
        service.bodies.clear()
        again.embed_query("pear")
        assert [body["input"] for body in service.bodies] == [["pear"]], "asked once"
    service.forever = (200, {}, small_service.other_answer)
    with pytest.raises(EmbedderUnavailable, match="has changed the model behind tiny since") as no:
        asking(service).restore(embedder.state()).embed_query("apple")
    assert "Embed the data again" in str(no.value)
    service.forever = (200, {}, lambda body: small_service.other_answer(body, "tiny-2"))
    for _ in range(2):  # under way: the service names another model now, and goes on naming it
        with pytest.raises(EmbedderUnavailable, match="has changed the model"):
            embedder.embed_query("apple")


def test_a_model_replaced_under_its_name_is_noticed_within_minutes(service, clock):
    embedder, _ = fitted(service)
    clock.now += 200
    embedder.embed_query("apple")
    assert [body["input"] for body in service.bodies] == [["apple"]]
    clock.now += 101
    embedder.embed_query("apple")
    embedder.embed_query("pear")
    assert [body["input"] for body in service.bodies[1:]] == [["embedding", "apple"], ["pear"]]
    service.forever = (200, {}, small_service.other_answer)
    clock.now += 301
    with pytest.raises(EmbedderUnavailable, match="has changed the model"):
        embedder.embed_query("apple")
    service.forever = None  # the model of the vectors is back
    np.testing.assert_array_equal(embedder.embed_query("apple"), vector("apple"))


def test_a_state_of_an_earlier_version_answers_as_before(service):
    embedder, _ = fitted(service)
    state = embedder.state()
    del state["probe"]
    assert asking(service).restore(state).embed_query("apple").shape == (DIM,)


def test_more_than_one_name_for_the_model_is_told(service):
    embedder, data = fitted(service, batch_size=2)
    service.script = [(200, {}, lambda body: answer(body, "tiny-b"))]
    notes = embedder.vectors(data).provenance["notes"]
    told = "more than one model while it answered (tiny-1, tiny-b): the word “embedding” kept"
    assert any(told in note for note in notes)
    assert not any(
        "more than one" in n for n in fitted(service)[0].vectors(data).provenance["notes"]
    )
