// The view in a link, and the view as a picture.

const fullTitle = ({ title, detail }) => [title, detail].filter(Boolean).join(" · ");

const written = (value) => Number(value.toPrecision(5)).toString();

// The views beside each other in one text.
function viewText({ peers }) {
  const one = (map) => [map.scene.sig.slice(0, 6), ...map.view.getView().map(written)].join("_");
  return peers.filter(({ view }) => view).map(one).join("~");
}

// A view belongs to one layout: numbers of another one would look at nothing.
function viewFromText(text, scene) {
  for (const part of (text ?? "").split("~")) {
    const [sig, ...rest] = part.split("_");
    const numbers = rest.map(Number);
    const fits = sig === scene.sig.slice(0, 6) && numbers.length === (scene.dims === 3 ? 9 : 4);
    if (fits && numbers.every(Number.isFinite)) return numbers;
  }
  return null;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // plain http or no permission: the old way still works there
    const area = element("textarea", "", { value: text });
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
  return true;
}

async function pictureOf(map) {
  const scale = 2;
  const { theme, stage, scene } = map;
  const [width, height] = [stage.clientWidth, stage.clientHeight];
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const font = (size, weight = 400) => { context.font = `${weight} ${size}px ${theme.font}`; };
  const rows = layOutLegend(map, context, font, width);
  font(11);
  const notes = wrapped(context, pictureNotes(map), width - 28);
  const [top, bottom] = [44, 20 * rows.length + 16 + 18 * notes.length];
  canvas.width = width * scale;
  canvas.height = (top + height + bottom) * scale;
  context.scale(scale, scale);
  context.fillStyle = theme.background;
  context.fillRect(0, 0, width, top + height + bottom);
  drawEdges(map, true); // a WebGL canvas holds its picture only until the browser has shown it
  context.globalAlpha = EDGE_LAYER;
  context.drawImage(map.under, 0, top, width, height);
  context.globalAlpha = 1;
  await map.view.toCanvas((part) => context.drawImage(part, 0, top, width, height));
  context.drawImage(map.overlay, 0, top, width, height);
  context.fillStyle = theme.text;
  context.textBaseline = "middle";
  font(17, 600);
  context.fillText(fullTitle(scene) || "Map", 14, 24, width - 28);
  rows.forEach((row, line) => row.forEach(({ x, label, colour, off }) => {
    const y = top + height + 16 + 20 * line;
    context.globalAlpha = off ? 0.45 : 1;
    context.fillStyle = colour; context.fillRect(x, y - 5, 10, 10);
    context.fillStyle = theme.text; font(12); context.fillText(label, x + 15, y);
    context.globalAlpha = 1;
  }));
  font(11);
  context.globalAlpha = 0.75;
  notes.forEach((line, at) => context.fillText(line, 14, top + height + 20 * rows.length + 18 * (at + 1), width - 28));
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

// What stands below the picture: all that the page says of this view.
function pictureNotes(map) {
  const { paint, state, group } = map;
  const told = [group?.caption.textContent, map.captionText.textContent, paint.scale !== "none" ? `colour: ${paint.title}` : ""];
  if (state.mask) told.push(map.chipText.textContent);
  if (comparesNeighbours(map) && map.focus() !== null) told.push(`solid lines: ${sharedWords(map)}, broken lines: only in this view`);
  if (trailSource(map)) told.push(trailWords(map));
  return told.filter(Boolean);
}

// Break notes between words into lines of a width, measured in the context's font.
function wrapped(context, notes, width) {
  const lines = [""];
  for (const word of notes.join(" · ").split(" ")) {
    const longer = lines[lines.length - 1] ? `${lines[lines.length - 1]} ${word}` : word;
    if (context.measureText(longer).width > width && lines[lines.length - 1]) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function layOutLegend({ paint, effective, state }, context, font, width) {
  font(12);
  const entries = paint.scale === "categorical"
    ? paint.names.map((name, code) => ({ name, code })).filter(({ code }) => paint.counts[code])
      .map(({ name, code }) => ({ label: `${name} ${grouped(paint.counts[code])}`, colour: effective.colours[code], off: state.isolated.size > 0 && !state.isolated.has(code) }))
    : paint.scale === "continuous" ? [{ label: paint.low, colour: effective.colours[0] }, { label: paint.high, colour: effective.colours[effective.colours.length - 2] }] : [];
  const rows = [];
  let x = Infinity;
  for (const entry of entries) {
    const wide = 33 + context.measureText(entry.label).width;
    if (x + wide > width - 14) { rows.push([]); x = 14; }
    rows[rows.length - 1].push({ ...entry, x });
    x += wide;
  }
  return rows;
}
