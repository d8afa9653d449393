"""The embedding map alone, in a real browser: what the pointer, the legend and Python do to it."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.browser.driving import eventually

pytestmark = pytest.mark.browser

APP = "tests/browser/apps/map_page.py"
MAP = "window.__embedscopeMaps.get('map')"


class MapPage:
    """A page with one map, and the few gestures the tests make."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.received = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        page.goto(url)
        page.wait_for_selector('[data-testid=embedding-map][data-drawn="true"]', timeout=60_000)
        page.wait_for_function(f"{MAP}.message.hidden")

    def _count(self, frame: Any) -> None:
        self.received += len(frame)

    def ask(self, expression: str) -> Any:
        return self.page.evaluate(f"{MAP}.{expression}")

    def settle(self) -> None:
        self.page.evaluate(f"{MAP}.work.then(() => new Promise(requestAnimationFrame))")

    def point(self, i: int) -> tuple[float, float]:
        x, y = self.ask(f"pointOnPage({i})")
        return x, y

    def hover(self, i: int) -> None:
        x, y = self.point(i)
        self.page.mouse.move(x - 60, y - 40)
        self.page.mouse.move(x, y)

    def click(self, i: int) -> None:
        self.hover(i)
        self.page.mouse.down()
        self.page.mouse.up()

    def drag(self, path: list[tuple[float, float]], key: str | None = None) -> None:
        """Drag along shares of the stage's width and height."""
        box = self.page.locator(".em-host").bounding_box()
        spots = [(box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in path]
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.move(*spots[0])
        self.page.mouse.down()
        for spot in spots[1:]:
            self.page.mouse.move(*spot, steps=5)
        self.page.mouse.up()
        if key:
            self.page.keyboard.up(key)

    def wait_text(self, pattern: str) -> None:
        self.page.get_by_text(re.compile(pattern)).wait_for(timeout=60_000)

    def inked(self) -> int:
        """Count the pixels the overlay canvas has painted."""
        return self.page.evaluate(
            f"""(() => {{ const c = {MAP}.overlay;
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }})()"""
        )

    def isolated_point(self) -> int:
        """Return a point with no other within 14 pixels, so that a hover can mean only it."""
        return self.page.evaluate(
            f"""(() => {{ const m = {MAP};
            const q = Array.from({{length: m.scene.n}}, (_, i) => m.view.pixel(i));
            return q.findIndex(([x, y], i) => x > 80 && y > 60 && x < m.stage.clientWidth - 80
              && y < m.stage.clientHeight - 60
              && q.every(([a, b], j) => i === j || Math.hypot(a - x, b - y) > 14)); }})()"""
        )


@pytest.fixture
def open_map(shared_app: Any, page: Any) -> Callable[..., MapPage]:
    def open_one(query: str = "n=3000", **how: Any) -> MapPage:
        return MapPage(page, f"{shared_app(APP, **how).url}/?{query}")

    return open_one


def test_hover_lights_the_true_neighbours_within_50_ms_and_asks_nobody(open_map: Any) -> None:
    it = open_map()
    target = it.isolated_point()
    assert it.inked() == 0
    before = it.received
    times = []
    for i in (target, 1, target, 2, target):
        it.hover(i)
        it.page.wait_for_timeout(60)
        times.append(it.ask("hoverMs"))
    assert it.ask("state.hovered") == target
    assert it.inked() > 100  # ring, lines and neighbour dots
    tip = it.page.get_by_test_id("map-tip")
    assert f"<b>Item {target}</b>" in tip.inner_text()  # shown as text, not as markup
    assert tip.locator("b").count() == 0
    assert sorted(times)[2] < 50, times
    assert it.received == before
    it.page.mouse.move(5, 5)
    it.page.wait_for_timeout(100)
    assert it.inked() == 0
    assert not tip.is_visible()


def test_click_tells_python_and_the_focus_stays_lit(open_map: Any) -> None:
    it = open_map()
    target = it.isolated_point()
    it.click(target)
    it.wait_text(f"focus={target} ")
    it.page.mouse.move(5, 5)
    it.page.wait_for_timeout(200)
    assert it.ask("focus()") == target
    assert it.inked() > 100
    it.page.get_by_test_id("map-stage").focus()
    it.page.keyboard.press("Escape")
    it.wait_text("focus=None")
    assert it.ask("focus()") is None


def test_lasso_and_box_select_exactly_the_points_inside(open_map: Any) -> None:
    it = open_map()
    it.page.get_by_test_id("map-box").click()
    it.drag([(0.3, 0.1), (0.62, 0.6)])
    inside = it.page.evaluate(
        f"""(() => {{ const m = {MAP}; const [w, h] = [m.stage.clientWidth, m.stage.clientHeight];
        return Array.from({{length: m.scene.n}}, (_, i) => i).filter((i) => {{
          const [x, y] = m.view.pixel(i);
          return x > .3 * w && x < .62 * w && y > .1 * h && y < .6 * h; }}); }})()"""
    )
    it.settle()
    assert 300 < len(inside) < 2700
    # Half a pixel at the border may fall to either side.
    text = it.page.get_by_text(re.compile(r"selected=[1-9]")).inner_text()
    counted = int(re.search(r"selected=(\d+)", text)[1])
    assert abs(counted - len(inside)) <= 3
    if counted == len(inside):
        assert f"sum={sum(inside)}" in text
    assert it.ask("counts().coloured") == counted  # the others are grey
    assert f"{counted:,} selected" in it.page.get_by_test_id("map-clear").inner_text()

    it.page.get_by_test_id("map-lasso").click()
    it.drag([(0.6, 0.5), (0.98, 0.5), (0.98, 0.98), (0.6, 0.98)], key="Shift")
    it.settle()
    assert it.ask("counts().selected") > counted
    it.page.keyboard.press("Escape")
    it.wait_text("selected=0")
    assert it.ask("counts().coloured") == 3000


def test_legend_isolates_adds_and_shows_all_without_python(open_map: Any) -> None:
    it = open_map()
    rows = it.page.get_by_test_id("legend-row")
    counts = [int(rows.nth(i).locator(".em-count").inner_text()) for i in range(rows.count())]
    assert sum(counts) == 3000
    assert rows.count() == 13
    before = it.received
    rows.nth(1).click()
    it.settle()
    assert it.ask("counts().coloured") == counts[1]
    rows.nth(2).click(modifiers=["Shift"])
    it.settle()
    assert it.ask("counts().coloured") == counts[1] + counts[2]
    rows.nth(0).click()
    it.settle()
    assert it.ask("counts().coloured") == counts[0]
    rows.nth(0).click()
    it.settle()
    assert it.ask("counts().coloured") == 3000
    assert it.received == before


def test_recolouring_keeps_the_zoom_and_does_not_send_the_points_again(open_map: Any) -> None:
    it = open_map("n=100000")
    it.page.get_by_test_id("map-zoom-in").click()
    it.page.wait_for_timeout(1500)
    view = it.ask("view.getView()")
    it.page.evaluate(f"window.__gd = {MAP}.view.gd")
    before, paint = it.received, it.ask("paint.sig")
    it.page.get_by_text("half", exact=True).click()
    it.page.wait_for_function(f"{MAP}.frame.dataset.paint !== '{paint}'", timeout=60_000)
    it.settle()
    assert it.received - before < 150_000
    assert it.ask("view.getView()") == view
    assert it.page.evaluate(f"window.__gd === {MAP}.view.gd && window.__gd.isConnected")
    names = it.page.get_by_test_id("legend-row").all_inner_texts()
    assert [name.split()[0] for name in names] == ["left", "right"]

    draws, before = it.ask("draws"), it.received
    it.page.get_by_role("button", name="Rerun").click()
    it.page.wait_for_timeout(1500)
    assert it.ask("draws") == draws  # a rerun that changes nothing draws nothing
    assert it.received - before < 20_000


def test_another_layout_of_the_same_items_keeps_legend_and_selection(open_map: Any) -> None:
    it = open_map()
    it.page.get_by_test_id("legend-row").nth(3).click()
    it.page.get_by_test_id("map-box").click()
    it.drag([(0.2, 0.05), (0.9, 0.95)])
    it.settle()
    selected, scene = it.ask("counts().selected"), it.ask("scene.sig")
    assert selected > 50
    it.wait_text(f"selected={selected} ")
    it.page.get_by_text("second", exact=True).click()
    it.page.wait_for_function(f"{MAP}.frame.dataset.scene !== '{scene}'", timeout=60_000)
    it.settle()
    assert it.page.get_by_test_id("embedding-map").count() == 1
    assert it.ask("counts().selected") == selected
    assert it.ask("state.isolated.has(3)")
    it.wait_text(f"selected={selected} ")
    x, y = it.ask("view.pixel(0)")
    assert 0 < x < it.ask("stage.clientWidth")
    assert 0 < y < it.ask("stage.clientHeight")


def test_points_are_sent_once_and_again_when_the_browser_lost_them(open_map: Any) -> None:
    it = open_map("n=20000")
    first = it.ask("scene.sig")
    points = eventually(it.page, lambda: it.received, lambda got: got > 1_000_000)

    def show(name: str, other_than: str, at_least: float = 0) -> int:
        before = it.received
        it.page.get_by_text(name, exact=True).click()
        it.page.wait_for_function(f"{MAP}.frame.dataset.scene !== '{other_than}'", timeout=60_000)
        it.settle()
        # What the socket received may be told after what the page did with it.
        return eventually(it.page, lambda: it.received - before, lambda got: got > at_least)

    assert show("second", first, 0.4 * points) > 0.4 * points
    second = it.ask("scene.sig")
    assert show("first", second) < 0.4 * points  # known here: only its name travels
    assert it.ask("scene.sig") == first
    it.page.evaluate("window.__embedscopeScenes.clear()")
    # Streamlit's own cache of messages may still hold the points: whether they come over the
    # wire once more is its affair, that the page has them again is ours.
    show("second", first)
    assert it.page.evaluate("sig => window.__embedscopeScenes.has(sig)", second)
    assert it.ask("scene.sig") == second
    assert it.ask("counts().drawn") == 20_000


def test_three_dimensions_hover_click_turn_and_lasso(open_map: Any) -> None:
    it = open_map("n=800&dims=3")
    target = it.isolated_point()
    it.hover(target)
    it.page.wait_for_timeout(150)
    assert it.ask("state.hovered") == target
    assert it.inked() > 100
    assert it.ask("hoverMs") < 50
    it.click(target)
    it.wait_text(f"focus={target} ")
    spot = it.ask(f"view.pixel({target})")
    it.drag([(0.5, 0.9), (0.7, 0.8)])  # turn
    it.page.wait_for_timeout(600)
    turned = it.ask(f"view.pixel({target})")
    assert max(abs(a - b) for a, b in zip(spot[:2], turned[:2], strict=True)) > 10
    it.page.get_by_test_id("map-lasso").click()
    it.drag([(0.1, 0.02), (0.98, 0.02), (0.98, 0.98), (0.1, 0.98)])
    it.settle()
    assert it.ask("counts().selected") > 600
    it.wait_text("selected=[6-8]")


def test_the_drawn_3d_point_lies_where_the_overlay_says(open_map: Any) -> None:
    it = open_map("n=200&dims=3")
    target = it.isolated_point()
    shot = it.page.screenshot()
    x, y = it.point(target)
    from PIL import Image

    pixel = Image.open(io.BytesIO(shot)).convert("RGB").getpixel((round(x), round(y)))
    colour = it.ask(f"colourOf({target})")
    wanted = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
    assert max(abs(a - b) for a, b in zip(pixel, wanted, strict=True)) < 12


def test_png_has_title_points_and_legend(open_map: Any) -> None:
    it = open_map()
    with it.page.expect_download() as download:
        it.page.get_by_test_id("map-png").click()
    assert download.value.suggested_filename == "Made-up-news-3-000-texts.png"
    from PIL import Image

    picture = Image.open(download.value.path()).convert("RGB")
    assert picture.width == 2 * it.ask("stage.clientWidth")
    colours = {colour for _, colour in picture.getcolors(1 << 24)}
    shown = it.ask("effective.colours")
    assert all(tuple(int(c[a : a + 2], 16) for a in (1, 3, 5)) in colours for c in shown)
    top = picture.crop((0, 0, picture.width, 80))
    assert min(top.convert("L").getextrema()) < 120  # the title is written there


def test_a_link_opens_the_same_view(open_map: Any, open_page: Any) -> None:
    it = open_map()
    it.page.get_by_test_id("map-zoom-in").click()
    it.page.wait_for_timeout(500)
    it.page.get_by_test_id("map-link").click()
    assert "view=" in it.page.url
    view = it.ask("view.getView()")
    other = MapPage(open_page(), it.page.url)
    assert other.ask("view.getView()") == pytest.approx(view, rel=1e-3, abs=1e-2)


def test_find_rings_the_hits_and_flies_to_them(open_map: Any) -> None:
    it = open_map("n=3000&few=1")
    wide = it.ask("view.getView()")
    it.page.get_by_text("Find some").click()
    it.page.wait_for_function(f"{MAP}.look.found.length === 3")
    it.page.wait_for_timeout(1500)
    view = it.ask("view.getView()")
    assert view[1] - view[0] < 0.9 * (wide[1] - wide[0])
    assert it.inked() > 100
    for i in (0, 1, 2):
        x, y = it.ask(f"view.pixel({i})")
        assert 0 < x < it.ask("stage.clientWidth")
        assert 0 < y < it.ask("stage.clientHeight")


def test_one_far_outlier_does_not_hide_the_rest(open_map: Any) -> None:
    it = open_map("n=3000&outlier=1")
    assert "1 far out" in it.page.get_by_test_id("map-caption").inner_text()
    target = it.isolated_point()
    it.hover(target)
    it.page.wait_for_timeout(100)
    assert it.ask("state.hovered") == target


def test_dark_theme_switches_colours_in_place(open_map: Any) -> None:
    it = open_map()
    light = it.ask("effective.colours")
    it.page.emulate_media(color_scheme="dark")
    it.page.wait_for_function(f"{MAP}.theme.dark", timeout=60_000)
    it.settle()
    dark = it.ask("effective.colours")
    assert len(dark) == len(light)
    assert not set(dark) & set(light)


def test_the_map_works_under_a_base_path(open_map: Any) -> None:
    it = open_map("n=300", base_path="apps/scope")
    assert it.ask("counts().drawn") == 300
    assert "/apps/scope/" in it.page.url


def test_thumbnails_appear_in_the_tooltip(open_map: Any) -> None:
    it = open_map("n=300&pictures=1")
    it.hover(it.isolated_point())
    it.page.wait_for_timeout(200)
    picture = it.page.get_by_test_id("map-tip").locator(".em-tip-picture")
    assert picture.is_visible()
    assert picture.evaluate("e => e.style.backgroundImage").startswith('url("blob:')
    shot = base64.b64encode(picture.screenshot())
    assert len(shot) > 2000  # noise, not one flat colour


def test_every_tool_is_named_and_works_by_keyboard(open_map: Any) -> None:
    it = open_map("n=300")
    buttons = it.page.locator(".em-toolbar button")
    assert buttons.count() == 8
    assert all(buttons.nth(i).get_attribute("aria-label") for i in range(8))
    it.page.get_by_test_id("map-stage").focus()
    view = it.ask("view.getView()")
    it.page.keyboard.press("+")
    it.page.wait_for_timeout(500)
    closer = it.ask("view.getView()")
    assert closer[1] - closer[0] < 0.8 * (view[1] - view[0])
    it.page.keyboard.press("l")
    assert it.page.get_by_test_id("map-lasso").get_attribute("aria-pressed") == "true"
    it.page.keyboard.press("0")
    it.page.wait_for_timeout(800)
    assert it.ask("view.getView()") == pytest.approx(view, rel=1e-3, abs=1e-3)


def test_without_webgl_small_maps_are_drawn_and_say_so(shared_app: Any, page: Any) -> None:
    page.add_init_script(
        """const own = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return kind.startsWith('webgl') || kind.startsWith('experimental-webgl')
            ? null : own.call(this, kind, ...rest); };"""
    )
    it = MapPage(page, f"{shared_app(APP).url}/?n=300")
    assert "no WebGL" in page.get_by_test_id("map-caption").inner_text()
    it.hover(it.isolated_point())
    page.wait_for_timeout(100)
    assert it.inked() > 100


def edge_ink(it: MapPage) -> int:
    """Count the pixels painted below the points (drawn anew: WebGL forgets what was shown)."""
    return it.page.evaluate(
        f"""(() => {{ const m = {MAP}; const painter = m.edgePainter;
        if (m.look.showEdges) painter.draw(m, true); else painter.clear();
        const {{ width, height }} = m.under; const {{ gl }} = painter;
        const d = new Uint8Array(4 * width * height);
        gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, d);
        let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }})()"""
    )


def painted_below(it: MapPage, share: float, a: int, b: int) -> int:
    """Return the strongest alpha of the edge layer around a place on the line between points."""
    return it.page.evaluate(
        f"""(([t, a, b]) => {{ const m = {MAP}; m.edgePainter.draw(m, true);
        const [p, q] = [m.view.pixel(a), m.view.pixel(b)]; const r = window.devicePixelRatio;
        const x = Math.round(r * (p[0] + t * (q[0] - p[0])));
        const y = m.under.height - 1 - Math.round(r * (p[1] + t * (q[1] - p[1])));
        const d = new Uint8Array(100); const gl = m.edgePainter.gl;
        gl.readPixels(x - 2, y - 2, 5, 5, gl.RGBA, gl.UNSIGNED_BYTE, d);
        return Math.max(...d.filter((_, i) => i % 4 === 3)); }})"""
        + f"([{share}, {a}, {b}])"
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_edges_are_drawn_where_their_points_are_and_stay_there(open_map: Any, dims: int) -> None:
    it = open_map(f"n=40&edges=39&dims={dims}")
    it.page.wait_for_function(f"{MAP}.edgePainter?.own?.length === 39")
    assert "39 of 39 edges drawn" in it.page.get_by_test_id("map-caption").inner_text()
    for share in (0.3, 0.6):
        assert painted_below(it, share, 4, 5) > 40
    if dims == 3:
        it.drag([(0.5, 0.9), (0.65, 0.8)])  # turn
    else:
        it.page.get_by_test_id("map-zoom-out").click()
    it.page.wait_for_timeout(700)
    for share in (0.3, 0.6):
        assert painted_below(it, share, 4, 5) > 40


def test_edges_are_switched_off_and_recoloured_without_being_sent_again(open_map: Any) -> None:
    it = open_map("n=500&edges=9000")
    it.page.wait_for_function(f"{MAP}.edgePainter?.own?.length > 8900")
    assert edge_ink(it) > 5_000
    view, before = it.ask("view.getView()"), it.received
    it.page.get_by_text("half", exact=True).click()
    it.page.wait_for_function(f"{MAP}.paint.title === 'side'")
    it.page.locator("label", has_text="Edges").click()
    it.page.wait_for_function(f"!{MAP}.look.showEdges")
    it.page.wait_for_timeout(200)
    assert edge_ink(it) == 0
    assert "edges" not in it.page.get_by_test_id("map-caption").inner_text()
    assert it.ask("view.getView()") == view
    assert it.received - before < 20_000  # the edges alone are 36,000


def test_hover_lights_the_edges_of_a_point_within_50_ms_and_asks_nobody(open_map: Any) -> None:
    it = open_map("n=300&edges=600")
    target = it.isolated_point()
    linked = it.ask(f"scene.links.of({target})")
    near = it.ask(f"scene.neighboursOf({target})")
    assert {target - 1, target + 1} - {-1, 300} <= set(linked)
    before, times = it.received, []
    for i in (target, 1, target, 2, target):
        it.hover(i)
        it.page.wait_for_timeout(60)
        times.append(it.ask("hoverMs"))
    assert sorted(times)[2] < 50, times
    both = len(set(linked) & set(near))
    tip = it.page.get_by_test_id("map-tip").inner_text()
    assert f"linked to {len(linked)} nodes · {both} of its {len(near)} nearest are linked" in tip
    assert it.page.get_by_test_id("map-lines").is_visible()
    alone = next(j for j in linked if j not in near)
    colour = it.page.evaluate(
        f"""((j) => {{ const m = {MAP}; const r = window.devicePixelRatio;
        const [p, q] = [m.view.pixel({target}), m.view.pixel(j)];
        const context = m.overlay.getContext('2d');
        const seen = [.35, .45, .55, .65].map((t) => [...context.getImageData(
          Math.round(r * (p[0] + t * (q[0] - p[0]))), Math.round(r * (p[1] + t * (q[1] - p[1]))),
          1, 1).data]);
        const hex = ([a, b, c]) => '#' + [a, b, c].map(
          (v) => v.toString(16).padStart(2, '0')).join('');
        return [m.theme.link, seen.map(hex)]; }})({alone})"""
    )
    # Drawn in the colour of links, unlike neighbours; a thin line blends with the ground.
    link, *seen = [
        np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (colour[0], *colour[1])
    ]
    assert min(np.abs(link - pixel).max() for pixel in seen) < 32, colour
    assert it.received == before


def test_a_map_without_edges_does_not_speak_of_them(open_map: Any) -> None:
    it = open_map("n=300")
    assert not it.page.get_by_test_id("map-lines").is_visible()
    assert "edges" not in it.page.get_by_test_id("map-caption").inner_text()
    it.hover(it.isolated_point())
    assert "linked" not in it.page.get_by_test_id("map-tip").inner_text()


def test_edges_between_greyed_out_points_go_and_the_caption_counts(open_map: Any) -> None:
    it = open_map("n=500&edges=2000")
    it.page.wait_for_function(f"{MAP}.edgePainter?.own?.length > 1900")
    it.page.get_by_test_id("legend-row").nth(0).click()
    it.settle()
    it.page.wait_for_function(f"{MAP}.edgePainter.own.length < 1000")
    left = it.ask("edgePainter.own.length")
    touching = it.page.evaluate(
        f"""(() => {{ const {{ scene, effective }} = {MAP}; const e = scene.blocks.edges; let n = 0;
        for (let at = 0; at < e.length; at += 2) n += effective.base[e[at]] === 0
          || effective.base[e[at + 1]] === 0; return n; }})()"""
    )
    assert left == touching > 0
    assert f"{left:,} of 2,000 edges drawn" in it.page.get_by_test_id("map-caption").inner_text()


def test_heavier_edges_are_thicker(open_map: Any) -> None:
    it = open_map("n=60&edges=59&weighted=1")
    it.page.wait_for_function(f"{MAP}.edgePainter?.own?.length === 59")
    assert "thicker is heavier (1 to " in it.page.get_by_test_id("map-caption").inner_text()
    strengths = it.page.evaluate(f"Array.from({MAP}.scene.blocks.strengths)")
    assert strengths == sorted(strengths, reverse=True)  # the heaviest first
    heavy = edge_ink(it)
    it.page.evaluate(f"{MAP}.scene.blocks.strengths.fill(0); {MAP}.edgePainter.loaded = null")
    assert heavy > 1.03 * edge_ink(it)


def test_the_picture_holds_the_edges(open_map: Any) -> None:
    it = open_map("n=40&edges=39")
    it.page.wait_for_function(f"{MAP}.edgePainter?.own?.length === 39")
    from PIL import Image

    def greys() -> int:
        with it.page.expect_download() as download:
            it.page.get_by_test_id("map-png").click()
        picture = Image.open(download.value.path()).convert("RGB")
        inside = picture.crop((0, 100, picture.width, picture.height - 250))
        white = inside.getpixel((2, 2))
        return int((np.asarray(inside) != white).any(axis=2).sum())

    with_edges = greys()
    it.page.locator("label", has_text="Edges").click()
    it.page.wait_for_function(f"!{MAP}.look.showEdges")
    assert with_edges > 1.5 * greys()


def test_without_webgl_2_edges_are_drawn_more_plainly(shared_app: Any, page: Any) -> None:
    page.add_init_script(
        """const own = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return kind === 'webgl2' ? null : own.call(this, kind, ...rest); };"""
    )
    it = MapPage(page, f"{shared_app(APP).url}/?n=40&edges=39&weighted=1")
    it.page.wait_for_function(f"{MAP}.edgePainter?.own?.length === 39")
    painted = it.page.evaluate(
        f"""(() => {{ const c = {MAP}.under;
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }})()"""
    )
    assert painted > 2_000
