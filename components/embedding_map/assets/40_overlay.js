// Everything that lies over (or under) the points: highlights, lines to neighbours, edges, lasso.
// A canvas of its own costs a millisecond where restyling the plot costs a second.

function sizedContext(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  return context;
}

function dot(context, [x, y], radius, fill, stroke, width) {
  if (!Number.isFinite(x)) return;
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  if (fill) { context.fillStyle = fill; context.fill(); }
  if (stroke) { context.strokeStyle = stroke; context.lineWidth = width; context.stroke(); }
}

// A star from one point to its neighbours; nearer neighbours get stronger lines. In a graph the
// real edges are lit too: lines to neighbours that are not linked are then broken. Beside other
// views the lines to neighbours of this view alone are broken and of another colour.
function drawStar(context, map, centre, neighbours, strong, links = null) {
  const { view, theme } = map;
  const middle = view.pixel(centre);
  const linked = new Set(links);
  const others = neighboursElsewhere(map, centre);
  const tint = (j) => (!others ? theme.text : others.has(j) ? theme.shared : theme.only);
  const broken = (j) => (others ? !others.has(j) : Boolean(links));
  if (links) drawLinks(context, map, centre, links, strong);
  neighbours.forEach((j, rank) => {
    const end = view.pixel(j);
    if (!Number.isFinite(end[0]) || !Number.isFinite(middle[0]) || linked.has(j)) return;
    context.setLineDash(broken(j) ? [5, 4] : []);
    const line = (colour, width, alpha) => {
      context.globalAlpha = alpha; context.lineWidth = width; context.strokeStyle = colour;
      context.beginPath(); context.moveTo(...middle); context.lineTo(...end); context.stroke();
    };
    line(theme.background, strong ? 4 : 3, 0.75); // a halo: the line stays visible over its own class
    line(tint(j), strong || others ? 1.8 : 1.1, (strong || others ? 1 : 0.8) * (1 - (others ? 0.35 : 0.55) * (rank / neighbours.length)));
  });
  context.globalAlpha = 1;
  context.setLineDash([]);
  const radius = map.dotRadius();
  for (const j of links && links.length <= CROWD ? links : []) dot(context, view.pixel(j), radius + 1, map.colourOf(j), theme.link, 1.2);
  for (const j of neighbours) {
    dot(context, view.pixel(j), radius + 1.5, map.colourOf(j), theme.background, 1);
    dot(context, view.pixel(j), radius + 2.5, null, tint(j), others ? 2 : strong ? 1.6 : 1.2);
  }
  dot(context, middle, radius + 3, map.colourOf(centre), theme.background, 1.5);
  dot(context, middle, radius + 5, null, strong ? theme.accent : theme.text, strong ? 3 : 2);
}

function drawOverlay(map) {
  const context = sizedContext(map.overlay);
  const { theme, look, state } = map;
  if (!map.view) return; // beside another view that stands already
  drawTrails(context, map);
  for (const i of look.found) {
    dot(context, map.view.pixel(i), map.dotRadius() + 4.5, null, theme.background, 4);
    dot(context, map.view.pixel(i), map.dotRadius() + 4.5, null, theme.found, 2.2);
  }
  const focus = map.focus();
  if (focus !== null) drawStar(context, map, focus, map.focusNeighbours(), true, map.focusLinks());
  if (state.hovered !== null && state.hovered !== focus) {
    drawStar(context, map, state.hovered, map.scene.neighboursOf(state.hovered), false, map.scene.links?.of(state.hovered));
  }
  if (map.stroke) drawStroke(context, map);
}

function drawStroke(context, { stroke, theme }) {
  const path = strokePolygon(stroke);
  if (path.length < 2) return;
  context.beginPath();
  path.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
  context.globalAlpha = 0.12; context.fillStyle = theme.accent; context.fill();
  context.globalAlpha = 1; context.strokeStyle = theme.accent; context.lineWidth = 1.5;
  context.setLineDash([5, 4]); context.stroke(); context.setLineDash([]);
}

// Tooltip: text or thumbnail; user text only ever through textContent.
function showTip(map, i) {
  const { tip, scene, theme } = map;
  tip.replaceChildren();
  if (i === null) { tip.hidden = true; return; }
  if (scene.sprites && i >= scene.sprites.first && i < scene.sprites.end) tip.append(thumbnail(scene, i));
  const text = scene.hoverText(i);
  if (text) tip.append(element("div", "em-tip-text", { text }));
  const name = map.nameOf(i);
  if (name) {
    const row = element("div", "em-tip-class");
    const swatch = element("span", "em-swatch");
    swatch.style.background = map.ownColourOf(i);
    row.append(swatch, element("span", "", { text: name }));
    tip.append(row);
  }
  if (scene.links) tip.append(element("div", "em-tip-class", { text: linkWords(map, i) }));
  tip.style.background = theme.raised;
  tip.hidden = tip.childElementCount === 0;
  const [x, y] = map.view.pixel(i);
  const [w, h] = [tip.offsetWidth, tip.offsetHeight];
  const left = x + 16 + w > map.stage.clientWidth ? x - 16 - w : x + 16;
  const top = Math.max(4, Math.min(y + 12, map.stage.clientHeight - h - 4));
  tip.style.transform = `translate(${Math.round(Math.max(4, left))}px, ${Math.round(top)}px)`;
}

function thumbnail(scene, i) {
  const { tile, columns, perSheet, mime, shown, first } = scene.sprites;
  const number = i - first;
  const sheet = Math.floor(number / perSheet);
  scene.sheetUrls[sheet] ??= URL.createObjectURL(new Blob([scene.blocks[`sheet${sheet}`]], { type: mime }));
  const at = number % perSheet;
  const picture = element("div", "em-tip-picture");
  const scale = shown / tile;
  const rows = Math.ceil(perSheet / columns);
  Object.assign(picture.style, {
    width: `${shown}px`, height: `${shown}px`, backgroundImage: `url(${scene.sheetUrls[sheet]})`,
    backgroundPosition: `-${(at % columns) * shown}px -${Math.floor(at / columns) * shown}px`,
    backgroundSize: `${columns * tile * scale}px ${rows * tile * scale}px`,
  });
  return picture;
}

function element(tag, className, { text, title, testid, ...rest } = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (title) { made.title = title; made.setAttribute("aria-label", title); }
  if (testid) made.dataset.testid = testid;
  return Object.assign(made, rest);
}
