"""Linked maps alone, in a real browser: what happens in one view happens in all."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.browser

APP = "tests/browser/apps/linked_page.py"
MAPS = "window.__embedscopeMaps?.get('map')"
DRAWN = f"({MAPS}?.panes ?? [{MAPS}]).every((p) => p?.view && p.frame.dataset.drawn)"

# Of which colour the ring around each point is: "shared", "only" or "".
RINGS = """([view, points]) => { const m = MAPS.panes[view]; const r = window.devicePixelRatio;
  const context = m.overlay.getContext('2d');
  const rgb = (c) => [1, 3, 5].map((a) => parseInt(c.slice(a, a + 2), 16));
  return points.map((j) => { const [x, y] = m.view.pixel(j); const seen = { shared: 0, only: 0 };
    for (let t = 0; t < 6.28; t += 0.1) {
      const at = m.dotRadius() + 2.5;
      const spot = [x + at * Math.cos(t), y + at * Math.sin(t)].map((v) => Math.round(r * v));
      const d = context.getImageData(...spot, 1, 1).data;
      for (const kind of ['shared', 'only'])
        seen[kind] += d[3] > 200 && rgb(m.theme[kind]).every((v, c) => Math.abs(v - d[c]) < 40);
    }
    return seen.shared > 20 ? 'shared' : seen.only > 20 ? 'only' : ''; }); }"""

# A point whose marks do not touch each other in any view, and which nothing covers.
CLEAR = """(own) => { const m = MAPS; const n = m.panes[0].scene.n;
  for (let i = 0; i < n; i++) {
    const fits = m.panes.every((p) => {
      const spots = [i, ...own(i, n)].map((j) => p.view.pixel(j));
      const [x, y] = spots[0];
      const apart = ([a, b], s) =>
        spots.slice(0, s).every(([c, d]) => Math.hypot(a - c, b - d) > 24);
      return x > 20 && y > 20 && p.nearest(x, y) === i && spots.every(apart); });
    if (fits) return i;
  }
  return -1; }"""


class LinkedPage:
    """A page with linked maps, and the few gestures the tests make."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.received = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        page.goto(url)
        self.wait_drawn()

    def _count(self, frame: Any) -> None:
        self.received += len(frame)

    def wait_drawn(self) -> None:
        self.page.wait_for_function(DRAWN, timeout=60_000)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being painted and no size changes any more."""
        self.page.wait_for_timeout(250)
        self.page.evaluate(f"{MAPS}.work.then(() => new Promise(requestAnimationFrame))")

    def ask(self, expression: str) -> Any:
        return self.page.evaluate(f"{MAPS}.{expression}")

    def each(self, expression: str) -> list[Any]:
        return self.page.evaluate(f"{MAPS}.panes.map((p) => p.{expression})")

    def hover(self, view: int, i: int) -> None:
        x, y = self.ask(f"panes[{view}].pointOnPage({i})")
        self.page.mouse.move(x - 30, y - 20)
        self.page.mouse.move(x, y)
        self.page.wait_for_function(f"{MAPS}.state.hovered === {i}", timeout=60_000)

    def press(self) -> None:
        self.page.mouse.down()
        self.page.mouse.up()

    def box(self, view: int) -> None:
        area = self.page.locator(".em-host").nth(view).bounding_box()
        self.page.get_by_test_id("map-box").click()
        at = [(area["x"] + s * area["width"], area["y"] + s * area["height"]) for s in (0.05, 0.6)]
        self.page.mouse.move(*at[0])
        self.page.mouse.down()
        self.page.mouse.move(*at[1], steps=4)
        self.page.mouse.up()

    def rings(self, view: int, points: list[int]) -> list[str]:
        return self.page.evaluate(RINGS.replace("MAPS", MAPS), [view, points])

    def clear_point(self, own: str) -> int:
        i = self.page.evaluate(f"({CLEAR.replace('MAPS', MAPS)})({own})")
        assert i >= 0
        return i

    def inked(self, view: int) -> int:
        return self.ask(
            f"""panes.slice({view}, {view} + 1).map(({{ overlay: c }}) => {{
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }})[0]"""
        )

    def says(self) -> str:
        return self.page.get_by_text(re.compile("focus=")).inner_text()

    def wait_text(self, pattern: str) -> None:
        self.page.get_by_text(re.compile(pattern)).wait_for(timeout=60_000)


@pytest.fixture
def open_maps(shared_app: Any, page: Any) -> Any:
    return lambda query: LinkedPage(page, f"{shared_app(APP).url}/?{query}")


def test_two_views_share_hover_click_selection_and_each_lights_its_own_neighbours(
    open_maps: Any,
) -> None:
    it = open_maps("n=500&dims=22")
    # As the page makes them: three neighbours in both views, then three of each view's own.
    target = it.clear_point("(i, n) => [1, 2, 3, 4, 5, 6, 10, 11, 12].map((s) => (i + s) % n)")
    near = [(target + step) % 500 for step in (1, 2, 3, 4, 5, 6, 10, 11, 12)]
    both, first, second = ["shared"] * 3, ["only"] * 3, [""] * 3
    before, times = it.received, []
    for view in (0, 1, 0):
        it.hover(view, target)
        times.append(it.ask(f"panes[{view}].hoverMs"))
        assert it.rings(0, near) == [*both, *first, *second]
        assert it.rings(1, near) == [*both, *second, *first]
        tips = it.page.get_by_test_id("map-tip")
        assert [tips.nth(v).is_visible() for v in (0, 1)] == [view == 0, view == 1]
    assert sorted(times)[1] < 50, times
    captions = it.page.get_by_test_id("map-caption").all_inner_texts()
    assert captions == ["6 neighbours: 3 in both views, 3 only in this view"] * 2
    assert "only in this view" in it.page.get_by_test_id("map-key").inner_text()
    assert it.received == before
    it.page.mouse.move(5, 5)
    it.page.wait_for_function(f"{MAPS}.state.hovered === null")
    assert [it.inked(view) for view in (0, 1)] == [0, 0]

    it.hover(1, target)
    it.press()
    it.wait_text(f"focus={target} clicks=1 ")
    it.page.mouse.move(5, 5)
    assert it.each("focus()") == [target, target]
    assert it.rings(0, near) == [*both, *first, *second]
    it.page.get_by_role("button", name="Rerun").click()
    it.page.wait_for_timeout(400)
    assert f"focus={target} clicks=1 " in it.says()  # a click counts once

    it.box(1)
    it.settle()
    chosen = it.page.evaluate(
        f"Array.from({MAPS}.state.mask).flatMap((bit, i) => (bit ? [i] : []))"
    )
    assert 50 < len(chosen) < 450
    it.wait_text(f"selected={len(chosen)} sum={sum(chosen)}$")
    assert it.each("counts().coloured") == [len(chosen)] * 2  # the others are grey in both
    it.page.get_by_text("one", exact=True).click()
    it.page.wait_for_function(f"{MAPS}?.size === 1 && {MAPS}.view", timeout=60_000)
    it.settle()
    assert it.ask("counts().selected") == len(chosen)  # alone, it is the same map
    it.page.get_by_text("all", exact=True).click()
    it.page.wait_for_function(f"{MAPS}?.size === 2 && {DRAWN}", timeout=60_000)
    it.settle()
    assert it.each("counts().selected") == [len(chosen)] * 2
    it.page.get_by_test_id("map-clear").click()
    it.wait_text("selected=0 ")
    assert it.each("counts().coloured") == [500, 500]
    it.page.get_by_test_id("map-stage").nth(0).focus()
    it.page.keyboard.press("Escape")
    it.wait_text("focus=None")
    assert it.each("focus()") == [None, None]


def test_colours_and_another_view_do_not_send_the_points_again(open_maps: Any) -> None:
    it = open_maps("n=4000&dims=22")
    page, points = it.page, it.received
    assert points > 250_000
    page.get_by_test_id("map-zoom-in").nth(1).click()
    page.wait_for_timeout(400)
    views = it.each("view.getView()")
    before, paint = it.received, it.ask("panes[0].paint.sig")
    page.get_by_text("number", exact=True).click()
    page.wait_for_function(f"{MAPS}.panes.every((p) => p.frame.dataset.paint !== '{paint}')")
    it.settle()
    assert it.received - before < 20_000  # a byte per point, once for both views
    assert it.each("view.getView()") == views  # each camera stays where it was
    before, old, draws = it.received, it.each("scene.sig"), it.each("draws")
    page.get_by_text("another first", exact=True).click()
    page.wait_for_function(f"{MAPS}.panes[0].scene.sig !== '{old[0]}' && {DRAWN}")
    it.settle()
    assert 70_000 < it.received - before < 110_000  # 80,000: places and neighbours of one view
    assert it.each("draws")[1] == draws[1]  # the other view stays as it is
    page.evaluate("window.__embedscopeParts.clear()")
    before = it.received
    page.get_by_text("all", exact=True).click()
    page.wait_for_function(f"{MAPS}.panes[0].scene.sig === '{old[0]}' && {DRAWN}")
    assert it.received - before > 0.8 * points  # what the browser has lost comes again


def test_four_views_flat_and_deep_live_beside_each_other(open_maps: Any) -> None:
    it = open_maps("n=500&dims=2232&height=820")
    assert it.page.get_by_test_id("embedding-map").count() == 4
    assert [name.split("\n")[0] for name in it.page.locator(".em-heading").all_inner_texts()] == [
        "TF-IDF",
        "Word2Vec trained here",
        "MiniLM",
        "MiniLM, layer 3",
    ]
    labels = [stage.get_attribute("aria-label") for stage in it.page.locator(".em-stage").all()]
    assert labels[2] == "View 3 of 4: map of 500 points: MiniLM · PCA · trustworthiness .71"
    target = it.clear_point("(i, n) => [1, 2, 3].map((s) => (i + s) % n)")
    for view in (2, 0):  # the 3-D one too
        it.hover(view, target)
        assert all(it.inked(other) > 100 for other in range(4))
    assert "3 in another view too" in it.page.get_by_test_id("map-caption").nth(3).inner_text()
    it.page.get_by_test_id("legend-row").nth(1).click()
    it.settle()
    coloured = it.each("counts().coloured")
    assert len(set(coloured)) == 1
    assert 0 < coloured[0] < 250
    # A view that goes gives its WebGL contexts back: browsers kill the oldest beyond sixteen.
    sig = it.page.evaluate(
        f"(window.__old = {MAPS}.panes[0].view.contexts(), {MAPS}.panes[0].scene.sig)"
    )
    it.page.get_by_text("another first", exact=True).click()
    it.page.wait_for_function(f"{MAPS}.panes[0].scene.sig !== '{sig}' && {MAPS}.panes[0].view")
    it.settle()
    assert it.page.evaluate("window.__old.map((gl) => gl.isContextLost())") == [True] * 2
    alive = f"{MAPS}.panes.flatMap((p) => p.view.contexts()).map((gl) => !gl.isContextLost())"
    assert it.page.evaluate(alive) == [True] * 7  # two of each flat view and one of the 3-D one


def test_trails_lead_from_the_other_view_and_narrow_pages_stack_the_views(open_maps: Any) -> None:
    it = open_maps("n=300&dims=22&trails=1")
    ghosts = it.page.evaluate(
        f"""{MAPS}.panes.map((p, at) => {{ const r = window.devicePixelRatio;
        const [xs, ys] = {MAPS}.panes[1 - at].scene.columns;
        const context = p.overlay.getContext('2d');
        const places = p.look.trails.map((i) => p.view.pixelAt(xs[i], ys[i]))
          .filter(([x, y]) => x > 5 && y > 5 && x < p.stage.clientWidth - 5
            && y < p.stage.clientHeight - 5);
        return [places.length, places.filter(([x, y]) => [[3, 0], [-3, 0], [0, 3], [0, -3]]
          .every(([a, b]) => context.getImageData(r * (x + a), r * (y + b), 1, 1).data[3] > 90))
          .length]; }})"""
    )
    assert all(found == places > 20 for places, found in ghosts), ghosts
    assert "40 trails" in it.page.get_by_test_id("map-caption").nth(0).inner_text()
    assert "trail:" in it.page.get_by_test_id("map-key").inner_text()
    it.page.locator("label", has_text="Trails").click()
    it.page.wait_for_function(f"{MAPS}.panes.every((p) => !p.look.trails.length)")
    assert [it.inked(view) for view in (0, 1)] == [0, 0]
    assert "trail" not in it.page.get_by_test_id("map-key").inner_text()
    with it.page.expect_download() as download:
        it.page.get_by_test_id("map-png").nth(1).click()
    assert download.value.suggested_filename.startswith("Word2Vec-trained-here-UMAP")
    it.page.get_by_test_id("map-link").click()
    it.page.wait_for_function("location.search.includes('view=')")
    link = it.page.evaluate("new URLSearchParams(location.search).get('view')")
    assert [part[:6] for part in link.split("~")] == [sig[:6] for sig in it.each("scene.sig")]
    it.page.set_viewport_size({"width": 600, "height": 900})
    it.page.wait_for_function(
        f"""{MAPS}.panes[1].stage.getBoundingClientRect().top
        > {MAPS}.panes[0].stage.getBoundingClientRect().bottom"""
    )
    it.settle()
    assert min(it.each("stage.clientHeight")) > 250
