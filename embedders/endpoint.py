"""Asking an embedding service over HTTP: patiently, within its limits, and never elsewhere."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import json
import random
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from core.allowed_hosts import is_loopback
from core.errors import EmbedderUnavailable
from core.waiting import wait_for
from embedders.endpoint_address import OPENAI_KEY, Address, check_allowed, key_for
from embedders.endpoint_answer import read_json, told

Beat = Callable[[str], None]
"""Called about once a second while waiting, with a note; may raise ``Cancelled``."""

CONNECT_S = 10.0
BEAT_S = 1.0
TRIES, TRIES_WHEN_BUSY = 5, 8
"""Attempts at one request; more where the service says that it is only asked too often."""
BACK_OFF_S, LONGEST_PAUSE_S = 1.0, 60.0
LONGEST_OBEYED_S = 120.0
"""Longest pause that a service may ask for; beyond it, the work is ended with a sentence."""
MOST_BYTES = 256 * 1024**2
_TOO_OFTEN = 429
_PASSING = {408, 409, 425, _TOO_OFTEN, 500, 502, 503, 504, 529}
_PAUSES = {"retry-after-ms": 1e-3, "retry-after": 1.0}
"""Headers that ask for a pause, and their units in seconds."""
_NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached"}
_LOST = (OSError, http.client.HTTPException)
_NOT_THERE = (ConnectionRefusedError, socket.gaierror)
_STALE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class _Reply(NamedTuple):
    status: int
    pauses: Mapping[str, str]
    body: bytes


class Endpoint:
    """One service, asked through one connection that is kept open.

    Parameters
    ----------
    address : Address
        Checked against what the operator allows, again before every connection.
    key_variable : str
        Name of the environment variable that holds the key. The key is read when a request is
        sent and kept nowhere: no attribute, no message and no traceback holds it.
    requests_per_minute : int
        0 for no limit. Requests are spread evenly.
    timeout_s : float
        How long one answer may take.

    Notes
    -----
    Redirects are not followed: an allowed host could send texts and key anywhere. Answers 408, 409,
    425, 429 and 5xx, time-outs and lost connections are tried again after 1, 2, 4 … 60 s, each
    shortened by up to half at random so that several users do not come back at once, or after as
    long as the service asks for (``Retry-After``), at most two minutes.
    """

    def __init__(
        self, address: Address, key_variable: str, requests_per_minute: int, timeout_s: float
    ) -> None:
        self._address, self._key_variable = address, key_variable
        self._gap_s = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._timeout_s = timeout_s
        self._next_at = 0.0
        self._has_answered = False
        self._connection: http.client.HTTPConnection | None = None
        self._turn = 0

    @property
    def shown(self) -> str:
        """Return how the service is called in sentences."""
        return self._address.shown

    def post(self, body: Mapping[str, Any], beat: Beat, patience_s: float = float("inf")) -> object:
        """Send ``body`` as JSON and return the JSON value of the answer.

        Parameters
        ----------
        body : mapping
        beat : callable
            Called while waiting for an answer, a pause or the rate limit.
        patience_s : float
            No new attempt is made that would begin later than this, nor awaited any longer.

        Raises
        ------
        EmbedderUnavailable
            With the reason, once trying again is of no use.
        ParameterError
            If the operator does not allow the address.
        """
        payload = json.dumps(body).encode("ascii")
        until = time.monotonic() + patience_s
        attempt = 0
        while True:
            attempt += 1
            self._check_turn(until)
            self._wait_for_turn(beat)
            limit_s = min(self._timeout_s, until - time.monotonic())
            reply, problem = self._try(payload, beat, limit_s)
            if reply is not None and reply.status == http.client.OK:
                return read_json(reply.body, self.shown)
            busy = reply is not None and reply.status == _TOO_OFTEN
            asked = None if reply is None else _retry_after(reply.pauses)
            pause = _pause(attempt) if asked is None else asked
            if pause > LONGEST_OBEYED_S:
                raise EmbedderUnavailable(
                    f"{problem} It asks for a pause of {_in_words(pause)}: start again after that."
                )
            late = time.monotonic() + pause > until
            if attempt >= (TRIES_WHEN_BUSY if busy else TRIES) or late:
                times = "once" if attempt == 1 else f"{attempt} times"
                raise EmbedderUnavailable(f"{problem} It was tried {times}; start again later.")
            why = f"HTTP {reply.status}" if reply is not None else "no answer"
            self._sleep(pause, beat, f"{why}, next attempt ({attempt + 1})")

    def _try(self, payload: bytes, beat: Beat, limit_s: float) -> tuple[_Reply | None, str]:
        """Return the reply, if there was one, and what was wrong; raise what is wrong for good."""
        try:
            reply = self._in_thread(payload, beat, limit_s)
        except ssl.SSLError as error:
            raise EmbedderUnavailable(self._untrusted(error)) from None
        except _LOST as error:
            problem = self._silence(error)
            if not self._has_answered and isinstance(error, _NOT_THERE):
                raise EmbedderUnavailable(problem) from None
            return None, problem
        self._has_answered = True
        if reply.status == http.client.OK:
            return reply, ""
        text, code = told(reply.body, key_for(self._address, self._key_variable))
        problem = self._refusal(reply, text)
        if reply.status not in _PASSING or code in _NO_MONEY:
            raise EmbedderUnavailable(problem)
        return reply, problem

    def _exchange(self, payload: bytes, turn: int) -> _Reply:
        """Send one request and read its answer, on the open connection if there is one."""
        used = self._connection is not None
        try:
            return self._send(payload, turn)
        except _STALE:
            if not used:
                raise
            return self._send(payload, turn)  # the server had closed what lay idle

    def _send(self, payload: bytes, turn: int) -> _Reply:
        connection = self._connection or self._connect()
        if turn != self._turn:
            connection.close()
            raise ConnectionAbortedError  # given up meanwhile: nothing more may be sent
        self._connection = connection
        headers = {"Content-Type": "application/json", "User-Agent": "Embedscope"}
        key = key_for(self._address, self._key_variable)
        if key:
            headers["Authorization"] = f"Bearer {key}"
        finished = False
        try:
            connection.request("POST", self._address.path, payload, headers)
            response = connection.getresponse()
            body = response.read(MOST_BYTES + 1)
            if len(body) > MOST_BYTES:
                raise EmbedderUnavailable(
                    f"{self.shown} answered with more than {MOST_BYTES // 1024**2} MiB. Try a "
                    "smaller batch size."
                )
            finished = not response.will_close
        finally:
            if not finished:
                connection.close()
                if self._connection is connection:
                    self._connection = None
        if key:  # some services repeat it
            body = body.replace(key.encode("ascii"), b"")
        pauses = {n.lower(): v for n, v in response.headers.items() if n.lower() in _PAUSES}
        return _Reply(response.status, pauses, body)

    def _connect(self) -> http.client.HTTPConnection:
        check_allowed(self._address)
        host, port = self._address.host, self._address.port
        if self._address.is_encrypted:
            trusted = ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=CONNECT_S, context=trusted
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=CONNECT_S)
        connection.connect()
        if self._address.is_local and not is_loopback(connection.sock.getpeername()[0]):
            connection.close()  # a name table that sends "localhost" elsewhere
            raise ConnectionRefusedError("localhost is not this machine")
        connection.sock.settimeout(self._timeout_s)
        return connection

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads from it
        connection.close()

    def _in_thread(self, payload: bytes, beat: Beat, limit_s: float) -> _Reply:
        """Return the answer to one request, with a beat while it is awaited."""
        self._turn += 1
        turn = self._turn

        def exchange() -> _Reply:
            try:
                return self._exchange(payload, turn)
            except Exception as error:
                # The frames below hold the header with the key: no traceback may show them.
                error.__context__ = error.__cause__ = None
                raise error.with_traceback(None) from None

        try:
            return wait_for(exchange, lambda: beat("waiting for the service"), limit_s, "endpoint")
        except BaseException:
            self._turn += 1
            self.close()  # nobody waits for that answer any more
            raise

    def _check_turn(self, until: float) -> None:
        """Refuse at once where the rate limit lets nothing be sent before ``until``."""
        if self._next_at > until:
            raise EmbedderUnavailable(
                f"{self.shown} was asked a moment ago, and requests_per_minute lets the next "
                f"request go in {self._next_at - time.monotonic():.0f} s. Try again then, or raise "
                "that limit."
            )

    def _wait_for_turn(self, beat: Beat) -> None:
        self._sleep(self._next_at - time.monotonic(), beat, "rate limit, next request")
        self._next_at = time.monotonic() + self._gap_s

    def _sleep(self, seconds: float, beat: Beat, why: str) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            beat(f"{why} in {left:.0f} s")
            time.sleep(min(left, BEAT_S))

    def _silence(self, error: Exception) -> str:
        who = self.shown
        if isinstance(error, TimeoutError):
            return f"{who} did not answer in time (timeout_s {self._timeout_s:g})."
        if isinstance(error, ConnectionRefusedError):
            return (
                f"{who} refused the connection: nothing listens there. Start the service or "
                "correct the address (url)."
            )
        if isinstance(error, socket.gaierror):
            return f"{who} cannot be found. Check the address (url) and the network."
        if isinstance(error, _STALE) or self._has_answered:
            return f"The connection to {who} was lost."
        if isinstance(error, http.client.HTTPException):
            return f"{who} does not speak HTTP. Check scheme and port of the address (url)."
        return f"{who} cannot be reached. Check the address (url) and the network."

    def _untrusted(self, error: ssl.SSLError) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"{self.shown} shows a certificate that this machine does not trust, so nothing "
                "was sent. Correct the address (url), or have its authority added to this machine."
            )
        return f"{self.shown} does not speak https. Check scheme and port of the address (url)."

    def _refusal(self, reply: _Reply, text: str) -> str:
        """Return the sentence for an answer that is no success."""
        who, status = self.shown, reply.status
        said = f": “{text}”" if text else ""
        if status in {401, 403}:
            return self._unauthorised(status)  # what it says may hold parts of the key
        if status == _TOO_OFTEN:
            return (
                f"{who} is asked too often or its quota is used up (HTTP 429){said}. "
                "Lower requests_per_minute or look at the account."
            )
        if status == 404:
            return (
                f"{who} does not know this model or this address (HTTP 404){said}. Check the "
                "model's name; most addresses (url) end in /v1."
            )
        if status in {400, 413, 422}:
            return (
                f"{who} did not accept the texts (HTTP {status}){said}. Try a smaller batch size "
                "or shorter texts, and no dimensions of your own."
            )
        if 300 <= status < 400:
            return (
                f"{who} points to another address (HTTP {status}), which is not followed. Give the "
                "final address (url)."
            )
        if 500 <= status < 600:
            return f"{who} failed (HTTP {status}){said}."
        return f"{who} answered with HTTP {status}{said}. Check the address (url)."

    def _unauthorised(self, status: int) -> str:
        name = self._key_variable
        if key_for(self._address, name):
            what = f"refused the key in {name}"
            remedy = "Put a valid key there and start the app again."
        elif name == OPENAI_KEY and not self._address.is_encrypted:
            what = "wants a key"
            remedy = (
                f"{OPENAI_KEY} is not sent unencrypted: set another variable whose name ends in "
                "_API_KEY and name it in key_variable."
            )
        else:
            what = "wants a key"
            remedy = f"Set {name} where the app is started." if name else "Name it in key_variable."
        return f"{self.shown} {what} (HTTP {status}). {remedy}"


def _pause(attempt: int) -> float:
    """Return the seconds to wait after failed attempt number ``attempt``."""
    longest = min(LONGEST_PAUSE_S, BACK_OFF_S * 2.0 ** (attempt - 1))
    return random.uniform(0.5, 1.0) * longest


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a service asks to wait, as a number or as a date; None if unsaid."""
    for name, unit in _PAUSES.items():
        with contextlib.suppress(KeyError, ValueError):
            seconds = float(headers[name]) * unit
            if 0 <= seconds < float("inf"):
                return seconds
    with contextlib.suppress(KeyError, ValueError, TypeError, OverflowError):
        date = email.utils.parsedate_to_datetime(headers["retry-after"])
        return max(0.0, date.timestamp() - time.time())
    return None


def _in_words(seconds: float) -> str:
    if seconds < 5_400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3_600:.0f} hours"
