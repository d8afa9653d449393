"""The map's bars: hover, click against st.plotly_chart, recolouring, first picture.

Run ``python benchmarks/map_drawing.py`` (needs Chromium). Chromium draws in software here, so the
seconds are pessimistic; the ratio compares two pages of the same server in the same browser.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from tests.browser.conftest import (  # noqa: E402
    CHROMIUM_FLAGS,
    VIEWPORT,
    chromium_path,
    start_app,
)

MAP = "window.__embedscopeMaps.get('map')"
READY = '[data-testid=embedding-map][data-drawn="true"]'
PEER_READY = "document.querySelector('.js-plotly-plot')?.calcdata"
CLICKS = 6

# Both pages tell where a point is: ours by its own question, Plotly's by its axes.
OUR_PLACE = "(i) => window.__embedscopeMaps.get('map').pointOnPage(i)"
PEER_PLACE = """(i) => { const gd = document.querySelector('.js-plotly-plot');
  const box = gd.getBoundingClientRect(); const {xaxis: x, yaxis: y} = gd._fullLayout;
  const t = gd._fullData[0];
  return [box.left + x._offset + x.d2p(t.x[i]), box.top + y._offset + y.d2p(t.y[i])]; }"""


class Page:
    """A fresh page that counts what the websocket brings."""

    def __init__(self, browser: Any, url: str) -> None:
        self.page = browser.new_page(viewport=VIEWPORT)
        self.received = 0
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        self.page.goto(url, wait_until="commit")

    def _count(self, frame: Any) -> None:
        self.received += len(frame)

    def clicks(self, place: str) -> list[float]:
        """Click points one after another; seconds from release to the list of neighbours."""
        seconds = []
        for i in range(CLICKS):
            x, y = self.page.evaluate(place, 50 + i)
            self.page.mouse.move(x - 3, y - 3)
            self.page.mouse.move(x, y)
            self.page.wait_for_timeout(400)  # Plotly wants its hover first
            before = self.page.get_by_text("neighbours of ").all_inner_texts()
            self.page.mouse.down()
            self.page.wait_for_timeout(60)
            self.page.mouse.up()
            start = time.perf_counter()
            self.page.wait_for_function(
                """(old) => [...document.querySelectorAll('[data-testid=stText]')].some(
                (e) => e.textContent.startsWith('neighbours of ') && e.textContent !== old)""",
                arg=before[0] if before else "",
                timeout=30_000,
            )
            seconds.append(time.perf_counter() - start)
            self.page.wait_for_timeout(600)
        return seconds


def hover(page: Page) -> list[float]:
    """Milliseconds from the mouse event to the neighbours drawn, over twenty points."""
    times = []
    for i in range(20):
        x, y = page.page.evaluate(OUR_PLACE, i * 31)
        page.page.mouse.move(x - 60, y - 40)
        page.page.mouse.move(x, y)
        page.page.wait_for_timeout(80)
        times.append(page.page.evaluate(f"{MAP}.hoverMs"))
    return times


def main() -> None:
    """Print one line per bar."""
    folder = Path(tempfile.mkdtemp())
    server = start_app("benchmarks/apps/click.py", folder)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_path(), args=list(CHROMIUM_FLAGS)
            )
            Page(browser, f"{server.url}/?n=7600").page.wait_for_selector(READY, timeout=60_000)

            start = time.perf_counter()
            small = Page(browser, f"{server.url}/?n=7600")
            small.page.wait_for_selector(READY, timeout=60_000)
            took = time.perf_counter() - start
            start = time.perf_counter()
            plain = Page(browser, f"{server.url}/?n=7600&peer=1")
            plain.page.wait_for_function(PEER_READY, timeout=60_000)
            peer_took = time.perf_counter() - start
            plain.page.close()
            print(
                f"first picture of 7,600 points, from the address: {took:.2f} s (bar 3 s), "
                f"st.plotly_chart {peer_took:.2f} s"
            )
            lit = statistics.median(hover(small))
            print(f"hover, 7,600 points: median {lit:.0f} ms (bar 50 ms)")
            small.page.close()

            ours = Page(browser, f"{server.url}/?n=100000")
            ours.page.wait_for_selector(READY, timeout=90_000)
            print(f"100,000 points with ten neighbours each: {ours.received:,} bytes, once")
            lit = statistics.median(hover(ours))
            print(f"hover, 100,000 points: median {lit:.0f} ms (bar 50 ms)")
            our_clicks = ours.clicks(OUR_PLACE)
            before, paint = ours.received, ours.page.evaluate(f"{MAP}.paint.sig")
            start = time.perf_counter()
            ours.page.get_by_text("recolour").click()
            ours.page.wait_for_function(f"{MAP}.frame.dataset.paint !== '{paint}'", timeout=30_000)
            took, cost = time.perf_counter() - start, ours.received - before
            print(f"recolour 100,000 points: {cost:,} bytes, {took:.2f} s (bar 150,000 bytes)")
            ours.page.close()

            peer = Page(browser, f"{server.url}/?n=100000&peer=1")
            peer.page.wait_for_function(PEER_READY, timeout=90_000)
            peer.page.wait_for_timeout(3000)
            peer_clicks = peer.clicks(PEER_PLACE)
            mine, theirs = statistics.median(our_clicks), statistics.median(peer_clicks)
            print(
                f"click at 100,000 until neighbours are listed: {mine:.3f} s, st.plotly_chart "
                f"{theirs:.3f} s, ratio {mine / theirs:.2f} (bar 0.33)"
            )
            browser.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
