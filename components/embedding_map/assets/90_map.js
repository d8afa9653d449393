// The map itself: owns the DOM and the state, puts the parts together, talks to Python.

const maps = (window.__embedscopeMaps ??= new Map()); // by name; also what the tests look at
const inbox = (window.__embedscopeInbox ??= new Map()); // what the control mounts have left
const remembered = (window.__embedscopeViews ??= new Map()); // views by layout, while the tab lives
const flown = (window.__embedscopeFlown ??= new Map()); // last flight by map: a remount does not repeat it

const FLAT_LIMIT = 5000; // points drawn as SVG where the browser has no WebGL
const NO_LOOK = { focus: null, neighbours: null, found: [], fly: null, pointSize: null, showEdges: false, linked: null };

class EmbeddingMap {
  // In a group (LinkedMaps) the views have one state: what happens in one shows in all its peers.
  constructor(root, scene, group = null) {
    this.name = scene.name;
    this.group = group;
    this.peers = group ? group.panes : [this];
    this.index = this.peers === group?.panes ? this.peers.push(this) - 1 : 0;
    this.draws = 0; this.hoverMs = null; this.note = "";
    this.paint = NO_PAINT; this.look = NO_LOOK;
    this.work = Promise.resolve();
    this.stroke = null;
    if (this.index) this.state = this.peers[0].state; else this.forget();
    this.scene = scene;
    this.build(root);
    attachGestures(this);
    if (!group) maps.set(this.name, this);
    this.observer = new ResizeObserver(() => { clearTimeout(this.resizing); this.resizing = setTimeout(() => this.resize(), 80); });
    this.observer.observe(this.stage);
    const watch = () => { if (this.gone) return; this.followView(); requestAnimationFrame(watch); };
    requestAnimationFrame(watch);
  }

  get items() { return this.scene.items; }

  get size() { return 1; }

  forget() { this.adopt({ mode: "pan", isolated: new Set(), mask: null, hovered: null, clicked: null }); }

  adopt(state) { for (const map of this.peers) map.state = state; }

  build(root) {
    this.frame = element("section", this.group ? "em-map em-pane" : "em-map", { testid: "embedding-map" });
    const head = element("header", "em-head");
    this.titleText = element("span", "em-title");
    this.detailText = element("span", "em-detail");
    const heading = element("div", "em-heading");
    heading.append(this.titleText, this.detailText);
    this.toolbarHost = element("div");
    head.append(heading);
    if (this.group) this.group.lend(this);
    else head.append(buildChip(this));
    head.append(this.toolbarHost);
    this.stage = element("div", "em-stage", { testid: "map-stage", tabIndex: 0 });
    this.stage.setAttribute("role", "application");
    this.under = element("canvas", "em-layer em-under");
    this.host = element("div", "em-host");
    this.overlay = element("canvas", "em-layer em-over");
    this.tip = element("div", "em-tip", { testid: "map-tip", hidden: true });
    this.tip.setAttribute("role", "tooltip");
    this.message = element("div", "em-message", { testid: "map-message", text: "Drawing…" });
    this.toast = element("div", "em-toast", { hidden: true });
    this.toast.setAttribute("role", "status");
    this.stage.append(this.under, this.host, this.overlay, this.tip, this.message, this.toast);
    this.caption = element("footer", "em-caption", { testid: "map-caption" });
    this.captionText = element("span");
    this.caption.append(this.captionText);
    this.frame.append(head, this.stage, this.group ? this.caption : this.buildFoot());
    root.append(this.frame);
  }

  buildFoot() {
    const foot = element("div", "em-foot");
    this.legend = element("div", "em-legend", { testid: "map-legend" });
    this.lines = element("div", "em-lines", { testid: "map-lines" });
    foot.append(this.legend, this.lines, this.caption);
    return foot;
  }

  // --- from Python -------------------------------------------------------------------------

  // Steps that touch the plot run one after another, in the order they were asked for.
  queue(step) {
    this.work = this.work.then(() => (this.gone ? undefined : step())).catch((error) => this.tell(error.message));
    return this.work;
  }

  show(scene) {
    const same = this.scene.items === scene.items;
    this.scene = scene;
    if (!this.group) this.frame.style.height = `${scene.height}px`;
    this.describe(scene);
    if (this.lines) this.lines.hidden = !scene.links;
    if (this.lines && scene.links) this.lines.replaceChildren(...lineKey(scene.edges.noun));
    if (!same) { this.forget(); this.look = NO_LOOK; this.paint = NO_PAINT; }
    return this.queue(() => this.draw());
  }

  // The words of a view; they may change without its points.
  describe({ title, detail = "", caption, n }) {
    Object.assign(this.scene, { title, detail, caption });
    this.titleText.textContent = title;
    this.detailText.textContent = detail;
    this.titleText.parentElement.title = fullTitle(this.scene);
    const place = this.group ? `View ${this.index + 1} of ${this.peers.length}: map` : "Map";
    this.stage.setAttribute("aria-label", `${place} of ${grouped(n)} points: ${fullTitle(this.scene)}`);
  }

  async draw() {
    this.takeTheme(readTheme(this.frame));
    this.receivePaint(false);
    this.receiveLook(false);
    this.repaintPlan();
    this.refreshTexts(); // the legend takes its room before the plot is measured
    const Plotly = await loadPlotly(this.scene.plotly, this.scene.basePath);
    if (this.gone) return;
    this.Plotly = Plotly;
    const old = this.view;
    if (old) { this.stage.classList.add("em-fading"); await new Promise((done) => setTimeout(done, calm() ? 0 : 120)); }
    this.view = null;
    old?.destroy();
    await this.mountView();
    this.stage.classList.remove("em-fading");
    this.toolbarHost.replaceChildren(buildToolbar(this));
    this.setMode(this.state.mode);
    const start = remembered.get(this.memory) ?? viewFromText(new URLSearchParams(location.search).get("view"), this.scene);
    if (start) await this.view.setView(start);
    this.refreshTexts();
    const { columns } = this.scene;
    if (columns[0].some((_, i) => isPlaced(columns, i))) this.message.hidden = true;
    else this.tell("No item has a position in this view.");
    this.drawn();
    this.receiveLook(true);
  }

  get slot() { return this.group ? `${this.name}/${this.index}` : this.name; }

  get memory() { return `${this.slot}/${this.scene.sig}`; }

  async mountView() {
    const { scene, Plotly, host } = this;
    const webgl = hasWebGL();
    this.note = "";
    if (!webgl) {
      this.note = "this browser has no WebGL: drawn in a simpler way";
      if (scene.dims === 3) this.note += ", 3-D seen from the front";
    }
    if (!webgl && scene.n > FLAT_LIMIT) throw new Error(`This browser has no WebGL, and ${grouped(scene.n)} points are too many without it (at most ${grouped(FLAT_LIMIT)}). Open the app in a browser with WebGL, or draw fewer points.`);
    const View = scene.dims === 3 && webgl ? DeepView : FlatView;
    const view = new View(Plotly, host, webgl ? scene : { ...scene, columns: scene.columns.slice(0, 2) });
    await view.mount(this.effective, { svg: !webgl });
    if (this.gone) { view.destroy(); return; }
    this.view = view;
  }

  // A control mount has left new bytes; `live` = the plot stands and must follow.
  receive(kind) {
    if (kind === "look") this.queue(() => (this.view ? this.receiveLook(true) : undefined));
    else this.queue(() => (this.view ? this.receivePaint(true) : undefined));
  }

  receivePaint(live) {
    const bytes = inbox.get(this.name)?.paint;
    if (!bytes || bytes === this.paintBytes) return undefined;
    const paint = readPaint(bytes);
    if (paint.items !== this.scene.items) return undefined; // belongs to another scene
    this.paintBytes = bytes;
    if (paint.sig === this.paint.sig) return undefined;
    if (paint.names.join("\n") !== this.paint.names.join("\n")) this.state.isolated = new Set();
    this.paint = paint;
    return live ? this.repaint() : undefined;
  }

  receiveLook(live) {
    const bytes = inbox.get(this.name)?.look;
    if (!bytes || (bytes === this.lookBytes && !live)) return undefined;
    const look = readLook(bytes);
    if (look.items !== this.scene.items) return undefined;
    const resized = look.pointSize !== this.look.pointSize;
    if (bytes !== this.lookBytes) this.state.clicked = null; // Python has answered: its focus holds
    if (this.group && look.neighbours) look.neighbours = look.neighbours[this.index];
    this.lookBytes = bytes;
    this.look = look;
    this.group?.refreshKey();
    if (!live) return undefined;
    drawCaption(this);
    this.lastSignature = null; // edges and marks are drawn again with the next frame
    drawOverlay(this);
    const aims = look.found.length ? look.found : [look.focus].filter((i) => i !== null);
    const points = aims.filter((i) => isPlaced(this.scene.columns, i));
    const fresh = look.fly && points.length && flown.get(this.slot) !== look.fly;
    if (fresh) flown.set(this.slot, look.fly);
    return Promise.resolve(resized ? this.repaint() : undefined).then(() => (fresh ? this.view?.flyTo(points) : undefined));
  }

  // --- painting ----------------------------------------------------------------------------

  repaintPlan() {
    const size = this.look.pointSize ?? automaticSize(this.scene.n);
    const { isolated, mask } = this.state;
    this.effective = effectivePaint(this.paint, this.theme, isolated, mask, this.scene.n, size);
  }

  async repaint() {
    this.repaintPlan();
    this.refreshTexts();
    if (!this.view) return;
    await this.view.paint(this.effective);
    this.drawn();
  }

  drawn() {
    this.draws += 1;
    this.lastSignature = null;
    const { dataset } = this.frame;
    dataset.drawn = "true"; dataset.points = String(this.scene.n); dataset.draws = String(this.draws);
    dataset.dims = String(this.scene.dims); dataset.scene = this.scene.sig; dataset.paint = this.paint.sig;
  }

  refreshTexts() { if (this.legend) drawLegend(this); drawCaption(this); }

  followView() {
    if (!this.view || !this.theme) return;
    const signature = this.view.signature();
    if (signature !== this.lastSignature) {
      this.lastSignature = signature;
      const moved = signature !== this.seenAt; // or only painted anew
      this.seenAt = signature;
      this.movedAt = performance.now();
      this.rested = false;
      remembered.set(this.memory, this.view.getView());
      drawOverlay(this);
      drawEdges(this, false);
      if (moved && this.pointing) this.hover(null); // the point has moved away from under the pointer
    } else if (!this.rested && performance.now() - this.movedAt > 150) {
      this.rested = true;
      if (this.edgePainter?.partial) drawEdges(this, true);
    }
  }

  resize() {
    if (!this.view || !this.stage.clientWidth) return;
    this.queue(() => this.view && this.Plotly.relayout(this.view.gd, { width: this.host.clientWidth, height: this.host.clientHeight }).then(() => { this.lastSignature = null; }));
  }

  retheme() {
    const before = JSON.stringify(this.theme);
    const theme = readTheme(this.frame);
    if (JSON.stringify(theme) === before) return;
    this.takeTheme(theme);
    this.queue(() => this.repaint());
  }

  takeTheme(theme) {
    this.theme = theme;
    const { style } = (this.group ?? this).frame;
    for (const kind of ["link", "shared", "only"]) style.setProperty(`--em-${kind}`, theme[kind]);
  }

  // --- what the pointer does ---------------------------------------------------------------

  isGrey(i) { return this.effective.codes[i] === this.effective.grey; }

  nearest(x, y) { return this.view ? this.view.nearest(x, y, (i) => this.isGrey(i)) : null; }

  hover(i) {
    if (i === this.state.hovered) return false;
    this.state.hovered = i;
    this.redrawMarks();
    for (const map of this.peers) {
      map.pointing = map === this && i !== null;
      if (map.view) showTip(map, map === this ? i : null);
    }
    this.stage.classList.toggle("em-pointing", i !== null);
    return i !== null;
  }

  // Marks of all views; beside others the caption counts the neighbours that are lit.
  redrawMarks() {
    for (const map of this.peers) { drawOverlay(map); if (map.group && map.view) drawCaption(map); }
  }

  click(i) {
    if (i === null) return;
    this.state.clicked = i; // lit at once; Python's answer confirms it
    this.redrawMarks();
    this.send.setTriggerValue("clicked", { point: i, items: this.scene.items });
  }

  focus() { return this.state.clicked ?? this.look.focus ?? null; }

  focusNeighbours() {
    const answered = this.state.clicked === null && this.look.neighbours;
    return answered ? this.look.neighbours : this.scene.neighboursOf(this.focus());
  }

  // The scene may carry only some of the edges; Python's answer names all of a point's.
  focusLinks() {
    if (!this.scene.links) return null;
    const answered = this.state.clicked === null && this.look.linked;
    return answered ? this.look.linked : this.scene.links.of(this.focus());
  }

  lasso(polygon, how) {
    const { n } = this.scene;
    const mask = how === "replace" || !this.state.mask ? new Uint8Array(n) : this.state.mask.slice();
    if (how === "subtract" && !this.state.mask) mask.fill(1);
    const xs = polygon.map(([x]) => x);
    const ys = polygon.map(([, y]) => y);
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const { isolated } = this.state;
    for (let i = 0; i < n; i++) {
      if (isolated.size && !isolated.has(this.effective.base[i])) continue; // what is switched off stays out
      const [x, y] = this.view.pixel(i);
      if (x < x0 || x > x1 || y < y0 || y > y1 || !insidePolygon(x, y, polygon)) continue;
      mask[i] = how === "subtract" ? 0 : 1;
    }
    this.select(mask.some(Boolean) ? mask : null);
  }

  select(mask) {
    const had = this.state.mask !== null;
    this.state.mask = mask;
    this.repaintAll();
    this.redrawMarks();
    if (mask || had) this.send.setStateValue("selected", mask ? { bits: packBits(mask), n: mask.length, items: this.scene.items } : null);
  }

  // Esc: first the selection, then the point in focus.
  escape() {
    if (this.stroke) { this.stroke = null; drawOverlay(this); return; }
    if (this.state.mask) { this.select(null); return; }
    if (this.focus() === null) return;
    this.state.clicked = null;
    for (const map of this.peers) map.look = { ...map.look, focus: null, neighbours: null, linked: null };
    this.redrawMarks();
    this.send.setTriggerValue("cleared", { items: this.scene.items });
  }

  isolate(code, add = false) {
    const { isolated } = this.state;
    if (code === null) this.state.isolated = new Set();
    else if (add) { if (!isolated.delete(code)) isolated.add(code); }
    else this.state.isolated = isolated.size === 1 && isolated.has(code) ? new Set() : new Set([code]);
    this.repaintAll();
  }

  repaintAll() { for (const map of this.peers) map.queue(() => map.repaint()); }

  setMode(mode) {
    this.state.mode = mode;
    for (const { stage } of this.peers) stage.dataset.mode = mode;
    for (const [name, button] of Object.entries((this.group ?? this).modeButtons ?? {})) button.setAttribute("aria-pressed", String(name === mode));
  }

  fit() { remembered.delete(this.memory); return this.view?.fit(); }

  // --- small questions ---------------------------------------------------------------------

  dotRadius() { return Math.max(2.5, this.effective.size / 2); } // on screen, in both views

  colourOf(i) { return this.isGrey(i) ? this.theme.grey : this.ownColourOf(i); }

  ownColourOf(i) { return this.effective.colours[this.effective.base[i]] ?? this.theme.plain; }

  nameOf(i) { return this.paint.scale === "categorical" ? this.paint.names[this.effective.base[i]] : ""; }

  // Where a point is on the page (client coordinates), for tests and for help bubbles.
  pointOnPage(i) {
    const box = this.host.getBoundingClientRect();
    const [x, y] = this.view.pixel(i);
    return [box.left + x, box.top + y];
  }

  counts() {
    const coloured = this.effective.codes.reduce((sum, code) => sum + (code !== this.effective.grey), 0);
    return { drawn: this.scene.n, coloured, selected: this.state.mask ? this.state.mask.reduce((a, b) => a + b, 0) : 0 };
  }

  tell(text) { this.message.hidden = false; this.message.textContent = text; }

  say(text) {
    this.toast.textContent = text;
    this.toast.hidden = false;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { this.toast.hidden = true; }, 2500);
  }

  async savePng() {
    const link = element("a", "", { href: URL.createObjectURL(await pictureOf(this)), download: `${(fullTitle(this.scene) || "map").replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60)}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async copyLink() {
    const url = new URL(location.href);
    url.searchParams.set("view", viewText(this));
    history.replaceState(history.state, "", url);
    this.say(await copyText(url.href) ? `Link to ${this.group ? "these views" : "this view"} copied` : "The link is in the address bar");
  }

  destroy() {
    this.gone = true;
    this.observer.disconnect();
    if (maps.get(this.name) === this) maps.delete(this.name);
    this.view?.destroy();
    this.edgePainter?.destroy();
    this.frame.remove();
  }
}

// Scenes this page holds, by signature: Python sends the points of each only once.
const HELD = 3;
const scenes = (window.__embedscopeScenes ??= new Map());

function takeScene(bytes) {
  const fresh = unpack(bytes);
  if (fresh.views) return takeLinkedScene(fresh);
  const scene = fresh.known ? scenes.get(fresh.sig) : readScene(fresh);
  if (!scene) return { wanted: fresh.sig };
  scenes.delete(fresh.sig);
  scenes.set(fresh.sig, scene); // the latest is the last
  for (const [sig, old] of scenes) {
    if (scenes.size <= HELD) break;
    for (const url of old.sheetUrls ?? []) if (url) URL.revokeObjectURL(url);
    scenes.delete(sig);
  }
  const { name, height, caption, title } = fresh; // what may change without the points
  return { ...scene, name, height, caption, title };
}

// STYLES stands above the first part: the style sheet as text.
function addStyles() {
  if (document.querySelector("style[data-embedscope-map]")) return;
  const sheet = element("style", "", { text: STYLES });
  sheet.dataset.embedscopeMap = "";
  document.head.append(sheet);
}

export function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  addStyles();
  const scene = takeScene(data);
  const send = { setStateValue, setTriggerValue };
  let map = parentElement.__embedscopeMap;
  const cleanup = () => { map?.destroy(); if (parentElement.__embedscopeMap === map) delete parentElement.__embedscopeMap; };
  if (scene.wanted) { setTriggerValue("wanted", scene.wanted); return cleanup; }
  const size = scene.views?.length ?? 1;
  if (map && !map.gone && map.name === scene.name && map.size === size) {
    map.send = send;
    map.retheme(); // called again for new bytes, or because the theme changed
    if (scene.views || map.scene.sig !== scene.sig || map.scene.height !== scene.height) map.show(scene);
    return cleanup;
  }
  const before = map;
  map?.destroy();
  map = scene.views ? new LinkedMaps(parentElement, scene) : new EmbeddingMap(parentElement, scene);
  // Another number of views of the same items: what was selected and switched off stays so.
  if (before?.name === scene.name && before.items === scene.items) map.adopt({ ...before.state, hovered: null });
  parentElement.__embedscopeMap = map;
  map.send = send;
  map.show(scene);
  return cleanup;
}
