"""Waiting for what cannot be interrupted: answers, errors, limits and cancel."""

from __future__ import annotations

import threading
import time

import pytest

from core.errors import Cancelled
from core.waiting import wait_for


def test_the_answer_of_the_call_comes_back():
    assert wait_for(lambda: 7, lambda: None, 5, "test") == 7


def test_an_error_of_the_call_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 / 0, lambda: None, 5, "test")


def test_a_silent_call_is_given_up_after_the_limit():
    never = threading.Event()
    with pytest.raises(TimeoutError, match=r"0\.3 seconds"):
        wait_for(never.wait, lambda: None, 0.3, "test")
    never.set()


def test_a_beat_may_cancel_while_the_call_hangs():
    never, begun = threading.Event(), time.monotonic()

    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        wait_for(never.wait, cancel, 60, "test")
    assert time.monotonic() - begun < 10
    never.set()
