"""Drive the app in a real Chromium: server, browser and page fixtures for all browser tests.

``app(script, env)`` starts a Streamlit server on a free port with a home folder of its own,
``page`` is a fresh 1400 x 900 page that collects console errors and lets nothing reach the
outside, ``open_page`` makes more of them (each with its own cookies). Where Chromium or
Playwright is missing every test here is skipped, and the summary says so in capitals.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
VIEWPORT = {"width": 1400, "height": 900}

# Software WebGL: the only combination that draws scattergl and scatter3d without a GPU.
CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)

_missing: list[str] = []
_started: list[App] = []  # the servers of this process, for the report of a failure


def chromium_path() -> str | None:
    """Return the installed Chromium or Chrome, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright keeps an event loop in the main thread once started."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly that the browser tests did not run."""
    if _missing:
        terminalreporter.section("BROWSER TESTS DID NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.write_line(_missing[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Fail a story whose page wrote errors to its console, as a part of the story itself."""
    result = yield
    if "page" in getattr(item, "funcargs", {}):
        errors = item.funcargs["console_errors"]  # type: ignore[attr-defined]
        assert not errors, "\n".join(errors)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    """Add to a failed story what its page showed and what the servers wrote last."""
    report = yield
    if report.when == "call" and report.failed:
        with contextlib.suppress(Exception):  # the page may be the very thing that is broken
            shown = item.funcargs["page"]  # type: ignore[attr-defined]
            text = shown.inner_text("body", timeout=5000)
            report.sections.append(("the page", f"{shown.url}\n{text[-6000:]}"))
        for one in _started:
            report.sections.append((f"server {one.url}", one.read_log()[-3000:]))
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Yield one headless Chromium for the whole session (a Playwright ``Browser``)."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing.append("Playwright is not installed (see requirements-dev.txt).")
        pytest.skip(_missing[-1])
    path = chromium_path()
    if path is None:
        _missing.append("No Chromium on this machine; on Debian: the package is named chromium.")
        pytest.skip(_missing[-1])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class App:
    """One running server: its address, its home folder, its log and its process."""

    url: str
    home: Path
    log: Path
    process: subprocess.Popen[bytes]

    def read_log(self) -> str:
        """Return what the server has written so far."""
        return self.log.read_text(errors="replace")

    def wait_until_healthy(self, timeout: float) -> None:
        """Wait for the health route, and fail with the log when it does not come."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                pytest.fail(f"the server stopped while starting:\n{self.read_log()[-4000:]}")
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1)
                return
            time.sleep(0.1)
        pytest.fail(f"the server did not answer in {timeout} s:\n{self.read_log()[-4000:]}")

    def kill(self) -> None:
        """End the server at once, as a power cut would (its workers go with the group)."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End the server and what it started, politely first."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self._signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def start_app(
    script: Path | str,
    folder: Path,
    env: dict[str, str] | None = None,
    *,
    home: Path | None = None,
    base_path: str = "",
    timeout: float = 60.0,
) -> App:
    """Start ``streamlit run script`` on a free port and wait until it answers.

    ``home`` is the folder to use as EMBEDSCOPE_HOME (a new one under ``folder`` by default;
    give an old one to start the same workspace again after a crash).
    """
    port = _free_port()
    home = home or folder / f"home-{port}"
    home.mkdir(parents=True, exist_ok=True)
    log = folder / f"server-{port}.log"
    base = base_path.strip("/")
    flags = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.enableStaticServing": "true",
        "browser.gatherUsageStats": "false",
        "server.baseUrlPath": base,
    }
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / script)]
    command += [f"--{name}={value}" for name, value in flags.items() if value != ""]
    environment = {**os.environ, "EMBEDSCOPE_HOME": str(home), **(env or {})}
    environment["PYTHONPATH"] = os.pathsep.join(
        part for part in (str(ROOT), environment.get("PYTHONPATH", "")) if part
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdout=stream,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment,
            start_new_session=True,  # one group: stopping it also ends the worker processes
        )
    url = f"http://127.0.0.1:{port}" + (f"/{base}" if base else "")
    app = App(url=url, home=home, log=log, process=process)
    _started.append(app)
    try:
        app.wait_until_healthy(timeout)
    except BaseException:
        app.stop()
        raise
    return app


@pytest.fixture
def app(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., App]]:
    """Start servers: ``app("app.py", {"EMBEDSCOPE_X": "1"})``; all are stopped at the end."""
    running: list[App] = []

    def start(script: Path | str = "app.py", env: dict[str, str] | None = None, **how: Any) -> App:
        running.append(start_app(script, tmp_path, env, **how))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def shared_app(chromium: Any, tmp_path_factory: Any) -> Iterator[Callable[..., App]]:
    """Start servers as ``app`` does, kept for all tests (equal calls share one).

    Every page is a workspace of its own; what is computed is shared, as on a real server.
    """
    running: dict[str, App] = {}

    def start(script: Path | str = "app.py", env: dict[str, str] | None = None, **how: Any) -> App:
        key = repr((str(script), sorted((env or {}).items()), sorted(how.items())))
        if key not in running:
            running[key] = start_app(script, tmp_path_factory.mktemp("app"), env, **how)
        return running[key]

    yield start
    for one in running.values():
        one.stop()


@pytest.fixture
def console_errors() -> list[str]:
    """Collect console errors, page errors and requests that tried to leave the machine."""
    return []


@pytest.fixture
def open_page(chromium: Any, console_errors: list[str]) -> Iterator[Callable[..., Any]]:
    """Open fresh pages, each in a context of its own: ``open_page(color_scheme="dark")``."""
    contexts: list[Any] = []

    def open_one(**context_options: Any) -> Any:
        options: dict[str, Any] = {"viewport": VIEWPORT, "accept_downloads": True}
        context = chromium.new_context(**{**options, **context_options})
        contexts.append(context)

        def guard(route: Any) -> None:
            if route.request.url.startswith(("http://127.0.0.1", "blob:", "data:")):
                route.continue_()
                return
            console_errors.append(f"request to the outside: {route.request.url}")
            route.abort()

        context.route("**/*", guard)
        page = context.new_page()

        def listen(note: Any) -> None:
            # A preview that a page has left may be gone before a slow browser asks for it; and
            # opened below the root, Streamlit first asks for its own routes beside the page.
            url = note.location.get("url", "")
            late = "404" in note.text and ("/media/" in url or "/_stcore/" in url)
            if note.type == "error" and not late:
                console_errors.append(f"{note.text} {note.location.get('url', '')}".strip())

        page.on("console", listen)
        page.on("pageerror", lambda error: console_errors.append(str(error)))
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """Return a fresh page; its test fails on console errors (clear ``console_errors`` to allow)."""
    return open_page()
