"""What a person sees when the server or a worker dies in the middle of the work."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.browser import driving

pytestmark = pytest.mark.browser

# Long enough that a job is surely still encoding when it is killed.
SENTENCES = [
    f"sentence {i} tells of {a} {b} and of what happened next to all the {c} in the old town hall"
    for i, (a, b, c) in enumerate(
        (a, b, c)
        for a in ("red", "green", "blue", "old", "new", "tall", "small", "loud", "quiet", "odd")
        for b in ("houses", "rivers", "trains", "songs", "letters", "markets", "bridges")
        for c in ("people", "dogs", "clocks", "guests", "birds") * 12
    )
]


def start_long_job(page) -> None:
    file = {
        "name": "long.txt",
        "mimeType": "text/plain",
        "buffer": "\n".join(SENTENCES).encode(),
    }
    driving.upload(page, file)
    driving.add_to_workspace(page)
    driving.choose_method(page, "BERT")
    driving.embed(page)
    panel = page.locator(".st-key-job_panel")
    panel.get_by_text("embedding").first.wait_for(timeout=driving.LONG)


def busiest_child(pid: int) -> psutil.Process:
    """Return the child of the server that has used most of the processor."""
    children = psutil.Process(pid).children(recursive=True)
    return max(children, key=lambda child: child.cpu_times().user)


def test_after_a_killed_server_finished_work_is_there_and_the_job_can_be_started_again(
    app, page, console_errors
):
    first = app("app.py")
    driving.open_sample(page, first.url, "iris")
    start_long_job(page)
    address = page.url.split("?", 1)[1]
    first.kill()
    second = app("app.py", home=first.home)
    page.goto(f"{second.url}/map?{address}")
    panel = page.locator(".st-key-job_panel")
    panel.get_by_text("The server stopped while this job ran").wait_for(timeout=driving.LONG)
    driving.go(page, "Start")
    page.get_by_role("heading", name="In this workspace").wait_for(timeout=driving.LONG)
    body = page.inner_text("body")
    assert "Iris flowers" in body
    assert "long" in body
    panel.get_by_role("button", name="Start again").click()
    panel.get_by_role("button", name="Cancel").wait_for(timeout=driving.LONG)
    console_errors.clear()  # the browser rightly complained while its server was dead


def test_a_killed_worker_fails_its_job_with_a_sentence_and_the_app_goes_on(app, page):
    server = app("app.py")
    page.goto(server.url)
    start_long_job(page)
    page.wait_for_timeout(1_500)
    os.kill(busiest_child(server.process.pid).pid, signal.SIGKILL)
    page.get_by_text("ended unexpectedly").first.wait_for(timeout=60_000)
    driving.open_sample(page, server.url, "iris")
    assert "150 of 150 drawn" in page.inner_text("body")
