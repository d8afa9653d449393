// Toolbar, legend and caption: our own, with tooltips, names for screen readers, and keys.

const ICONS = { // paths on a 24 x 24 grid, drawn as strokes
  pan: "M12 3v18M3 12h18M12 3l-3 3M12 3l3 3M12 21l-3-3M12 21l3-3M3 12l3-3M3 12l3 3M21 12l-3-3M21 12l-3 3",
  rotate: "M20 12a8 8 0 1 1-2.6-5.9M20 3v4.5h-4.5",
  lasso: "M12 4c5 0 9 2.5 9 6s-4 6-9 6c-1.8 0-3.5-.3-4.9-.9M7 15.1C4.6 14 3 12.2 3 10c0-3.5 4-6 9-6M7 15a2.2 2.2 0 1 0 .1 4.3M7 19.3c-.4 1-1.3 1.7-2.5 1.7",
  box: "M4 4h3M10.5 4h3M17 4h3v3M20 10.5v3M20 17v3h-3M13.5 20h-3M7 20H4v-3M4 13.5v-3M4 7V4",
  zoomIn: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M15.3 15.3L21 21M10.5 7.5v6M7.5 10.5h6",
  zoomOut: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M15.3 15.3L21 21M7.5 10.5h6",
  fit: "M9 4H4v5M15 4h5v5M20 15v5h-5M4 15v5h5M9.5 12a2.5 2.5 0 1 0 5 0a2.5 2.5 0 0 0-5 0",
  clear: "M6 6l12 12M18 6L6 18",
  png: "M4 7h3l2-2.5h6L17 7h3v12H4zM12 9.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1.2 1.2M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1.2-1.2",
};

const NS = "http://www.w3.org/2000/svg";

function icon(name) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function emptyToolbar(label) {
  const bar = element("div", "em-toolbar", { role: "toolbar" });
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", label);
  const button = (name, picture, title, action) => {
    const made = element("button", "em-button", { title, testid: `map-${name}`, type: "button", onclick: action });
    made.append(icon(picture));
    bar.append(made);
    return made;
  };
  const gap = () => bar.append(element("span", "em-gap"));
  return { bar, button, gap };
}

function modeButtons(map, button, deep, drag) {
  return {
    pan: button("pan", deep ? "rotate" : "pan", `${drag} (P)`, () => map.setMode("pan")),
    lasso: button("lasso", "lasso", "Lasso: draw around points to select them; Shift adds, Alt takes away (L)", () => map.setMode("lasso")),
    box: button("box", "box", "Box: drag a rectangle to select points; Shift adds, Alt takes away (B)", () => map.setMode("box")),
  };
}

// All tools of a map that stands alone; beside others it leaves out those that all views share.
function buildToolbar(map) {
  const deep = map.scene.dims === 3;
  const { bar, button, gap } = emptyToolbar(map.group ? `Tools of ${map.scene.title}` : "Map tools");
  if (!map.group) {
    map.modeButtons = modeButtons(map, button, deep, deep ? "Rotate: drag to turn the map" : "Pan: drag to move the map");
    gap();
  }
  button("zoom-in", "zoomIn", "Zoom in (+)", () => map.view.zoom(0.65));
  button("zoom-out", "zoomOut", "Zoom out (−)", () => map.view.zoom(1 / 0.65));
  button("fit", "fit", "Show the whole map again (0)", () => map.fit());
  gap();
  button("png", "png", "Save this view as a PNG picture", () => map.savePng());
  if (!map.group) button("link", "link", "Copy a link to this view", () => map.copyLink());
  return bar;
}

// What linked views share: what a drag does, and the link to all of them.
function buildSharedToolbar(group) {
  const { bar, button, gap } = emptyToolbar("Tools of all views");
  const [first] = group.panes;
  const depths = new Set(group.panes.map(({ scene }) => scene.dims));
  const drag = depths.size > 1 ? "Move: drag to pan the flat views and to turn the 3-D ones"
    : depths.has(3) ? "Rotate: drag to turn a view" : "Pan: drag to move a view";
  group.modeButtons = modeButtons(first, button, depths.size === 1 && depths.has(3), drag);
  gap();
  button("link", "link", "Copy a link to these views", () => first.copyLink());
  return bar;
}

// The button that shows how many points are selected, and clears them.
function buildChip(owner) {
  owner.chip = element("button", "em-chip", { type: "button", testid: "map-clear", title: "Clear the selection (Esc)", onclick: () => owner.escape(), hidden: true });
  owner.chipText = element("span");
  owner.chip.append(owner.chipText, icon("clear"));
  return owner.chip;
}

const grouped = (value) => value.toLocaleString("en-US");

function legendCounts(map) { // per class: how many are selected
  const counts = new Array(map.paint.names.length).fill(0);
  const { base } = map.effective;
  for (let i = 0; i < base.length; i++) if (map.state.mask[i]) counts[base[i]]++;
  return counts;
}

function drawLegend(map) {
  const { legend, paint, state } = map;
  const { scale, title, names, counts } = paint;
  const focused = document.activeElement?.dataset?.code; // keep keyboard focus over a redraw
  legend.replaceChildren();
  legend.hidden = scale === "none";
  if (scale === "none") return;
  legend.append(element("span", "em-legend-title", { text: title }));
  if (scale === "continuous") { legend.append(...gradient(map)); return; }
  const selected = state.mask ? legendCounts(map) : null;
  names.forEach((name, code) => {
    if (!counts[code]) return;
    const on = !state.isolated.size || state.isolated.has(code);
    const row = element("button", `em-class${on ? "" : " em-off"}`, { type: "button", testid: "legend-row" });
    row.dataset.code = String(code);
    row.dataset.name = name;
    row.setAttribute("aria-pressed", String(state.isolated.has(code)));
    row.title = `${name}: click to show only this, Shift-click to add, click again for all`;
    const swatch = element("span", "em-swatch");
    swatch.style.background = map.effective.colours[code];
    const count = selected ? `${grouped(selected[code])} / ${grouped(counts[code])}` : grouped(counts[code]);
    row.append(swatch, element("span", "em-class-name", { text: name }), element("span", "em-count", { text: count }));
    row.onclick = (event) => map.isolate(code, event.shiftKey);
    legend.append(row);
    if (focused === String(code)) row.focus({ preventScroll: true });
  });
  if (state.isolated.size) {
    legend.append(element("button", "em-class em-all", { text: "show all", type: "button", testid: "legend-all", onclick: () => map.isolate(null) }));
  }
}

function gradient(map) {
  const { colours } = map.effective;
  const { low, high, missing } = map.paint;
  const bar = element("span", "em-gradient", { testid: "legend-gradient" });
  const shown = colours.slice(0, -1).filter((_, at) => at % 9 === 0 || at === colours.length - 2);
  bar.style.background = `linear-gradient(90deg, ${shown.join(", ")})`;
  const parts = [element("span", "em-count", { text: low }), bar, element("span", "em-count", { text: high })];
  if (missing) {
    const swatch = element("span", "em-swatch");
    swatch.style.background = colours[colours.length - 1];
    parts.push(swatch, element("span", "em-count", { text: `${grouped(missing)} missing` }));
  }
  return parts;
}

function drawCaption(map) {
  const { caption, scene, state } = map;
  const parts = [scene.caption];
  if (map.view?.outside) parts.push(`${grouped(map.view.outside)} far out, beyond the first view`);
  parts.push(edgeCaption(map), trailCaption(map), neighbourCaption(map));
  if (map.note) parts.push(map.note);
  map.captionText.textContent = parts.filter(Boolean).join(" · ");
  const chosen = state.mask ? state.mask.reduce((sum, bit) => sum + bit, 0) : 0;
  map.chip.hidden = !state.mask;
  map.chipText.textContent = `${grouped(chosen)} selected`;
  caption.dataset.selected = String(chosen);
}
