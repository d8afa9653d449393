// Two to four views of the same items beside each other. Each is an EmbeddingMap with a camera, a
// toolbar and a caption of its own; state, legend, colours and what is told to Python are shared.

class LinkedMaps {
  constructor(root, scene) {
    this.name = scene.name;
    this.panes = []; // each view adds itself
    this.build(root);
    for (const view of scene.views) new EmbeddingMap(this.grid, view, this);
    this.toolbarHost.append(buildSharedToolbar(this));
    maps.set(this.name, this);
  }

  build(root) {
    this.room = element("div", "em-room"); // its width decides on the number of columns
    this.frame = element("section", "em-map em-linked", { testid: "linked-maps" });
    const head = element("header", "em-head em-shared-head");
    this.key = element("div", "em-lines", { testid: "map-key" });
    this.toolbarHost = element("div");
    head.append(this.toolbarHost, buildChip(this), this.key);
    this.grid = element("div", "em-grid");
    const foot = element("div", "em-foot");
    this.legend = element("div", "em-legend", { testid: "map-legend" });
    this.caption = element("footer", "em-caption", { testid: "linked-caption" });
    foot.append(this.legend, this.caption);
    this.frame.append(head, this.grid, foot);
    this.room.append(this.frame);
    root.append(this.room);
  }

  // The first view keeps the legend of all; the button that clears the selection is everyone's.
  lend(pane) {
    Object.assign(pane, { chip: this.chip, chipText: this.chipText });
    if (pane.index === 0) pane.legend = this.legend;
  }

  get size() { return this.panes.length; }

  get items() { return this.panes[0].items; }

  get state() { return this.panes[0].state; }

  get work() { return Promise.all(this.panes.map((pane) => pane.work)); }

  set send(send) { for (const pane of this.panes) pane.send = send; }

  adopt(state) { this.panes[0].adopt(state); }

  escape() { this.panes[0].escape(); }

  receive(kind) { for (const pane of this.panes) pane.receive(kind); }

  retheme() { for (const pane of this.panes) if (pane.theme) pane.retheme(); }

  show({ views, height, caption }) {
    this.frame.style.setProperty("--em-height", `${height}px`);
    this.grid.dataset.views = String(views.length);
    this.caption.textContent = caption;
    views.forEach((view, at) => {
      const pane = this.panes[at];
      const layout = `${view.sig}/${view.items}`;
      if (pane.shown !== layout) { pane.shown = layout; pane.show(view); return; }
      pane.describe(view);
      if (pane.view) drawCaption(pane);
    });
    this.refreshKey();
  }

  // What the lines mean, where there are such lines.
  refreshKey() {
    const compared = this.panes.find(comparesNeighbours);
    const trailed = this.panes.find(trailSource);
    this.key.replaceChildren(...(compared ? neighbourKey(compared) : []), ...(trailed ? [keyRow("trail", trailWords(trailed))] : []));
  }

  destroy() {
    this.gone = true;
    if (maps.get(this.name) === this) maps.delete(this.name);
    for (const pane of this.panes) pane.destroy();
    this.room.remove();
  }
}

// A message names its parts (what the items share, then one layout per view) by signature and
// brings those that this page does not hold. As many are kept as PARTS_HELD in component.py.
const PARTS_HELD = 12;
const parts = (window.__embedscopeParts ??= new Map());

function takeLinkedScene(fresh) {
  const { views, common, name, height, caption, items, n, plotly, basePath } = fresh;
  for (const { sig } of [common, ...views]) {
    if (!sig) continue; // neither texts nor pictures
    const part = ownBlocks(fresh.blocks, sig) ?? parts.get(sig);
    if (!part) return { wanted: sig };
    parts.delete(sig);
    parts.set(sig, part); // the latest is the last
  }
  for (const [sig, old] of parts) {
    if (parts.size <= PARTS_HELD) break;
    for (const url of old.sheetUrls ?? []) if (url) URL.revokeObjectURL(url);
    parts.delete(sig);
  }
  const shared = parts.get(common.sig) ?? { blocks: {} };
  shared.sheetUrls ??= [];
  const scenes = views.map((view) => readScene({
    ...view, name, height, items, n, plotly, basePath, sprites: common.sprites, edges: null, sheetUrls: shared.sheetUrls,
    blocks: { ...shared.blocks, ...parts.get(view.sig).blocks },
  }));
  return { name, height, caption, items, views: scenes };
}

function ownBlocks(blocks, sig) {
  const own = Object.entries(blocks).filter(([name]) => name.startsWith(`${sig}.`));
  if (!own.length) return null;
  return { blocks: Object.fromEntries(own.map(([name, block]) => [name.slice(sig.length + 1), block])) };
}
