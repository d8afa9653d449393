// The real edges of a graph: below the points all of them, over the points those of one node.
// A program of our own on the graphics card: the lines stay in its memory, a turn of the camera
// sends one matrix. (Lines of a 2-D canvas are worked out anew each time: see drawPlainly.)

// While the view moves as many are drawn as the machine manages in time; the list begins with a
// fair sample. When the view rests all are drawn.
const SLOW_FRAME = 45; // milliseconds
const PAUSE = 400; // milliseconds without a drawing: the view stood still
const FEW_EDGES = 500;
const LIT_LINKS = 2000; // lines from one node
const CROWD = 100; // links of one node, above which they get thinner and their ends no rings
// Width in pixels and share of the strength, by class of weight; the second where all are equal.
const EDGE_STYLES = [[0.7, 0.6], [1.1, 0.85], [2.2, 1], [3.8, 1]];

// Who is linked to whom, from the pairs that were sent: strongest first, each other end once.
function linkTable({ n, blocks: { edges, degrees } }) {
  const starts = new Int32Array(n + 1);
  for (const end of edges) starts[end + 1]++;
  for (let i = 0; i < n; i++) starts[i + 1] += starts[i];
  const others = new Int32Array(edges.length);
  const next = starts.slice(0, n);
  for (let e = 0; e < edges.length; e += 2) {
    const [a, b] = [edges[e], edges[e + 1]];
    others[next[a]++] = b; others[next[b]++] = a;
  }
  const of = (i) => [...new Set(others.subarray(starts[i], starts[i + 1]))];
  return { of, degree: (i) => (degrees ? degrees[i] : of(i).length) };
}

// Positions in the list of the edges in sight: not those between two points that are greyed out.
function edgesInSight(map) {
  const { scene: { blocks: { edges }, columns }, effective: { codes, grey, someGrey } } = map;
  const key = sightKey(map);
  if (map.sight?.key === key) return map.sight.own;
  const found = new Int32Array(edges.length / 2);
  let m = 0;
  for (let e = 0; e < found.length; e++) {
    const [a, b] = [edges[2 * e], edges[2 * e + 1]];
    if (someGrey && codes[a] === grey && codes[b] === grey) continue;
    if (isPlaced(columns, a) && isPlaced(columns, b)) found[m++] = e;
  }
  map.sight = { key, own: found.subarray(0, m) };
  return map.sight.own;
}

// What is in sight changes with the scene and with the set of grey points only.
const sightKey = ({ effective, scene }) => (effective.someGrey ? effective : scene.sig);

// Much ink is drawn fainter, so that dense places stay darker than others; and the whole layer is
// half transparent: even the densest place never hides the colours of the points.
const EDGE_LAYER = 0.45;
const INK = 60; // lines across the whole map that may be drawn strong
const edgeAlpha = (ink) => Math.max(0.03, 0.85 * Math.min(1, INK / Math.max(ink, 1)) ** 0.6);

// How much there is to draw: the length of all lines, in diagonals of the first view.
function inkOf({ scene: { blocks: { edges }, columns }, view: { bounds } }, own) {
  const diagonal = Math.hypot(...bounds.map(([low, high]) => high - low));
  let ink = 0;
  for (const e of own) {
    const [a, b] = [edges[2 * e], edges[2 * e + 1]];
    let square = 0;
    for (const values of columns) square += (values[a] - values[b]) ** 2;
    ink += Math.min(1, Math.sqrt(square) / diagonal);
  }
  return ink;
}

function rgbOf(colour) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = colour;
  return [1, 3, 5].map((at) => parseInt(probe.fillStyle.slice(at, at + 2), 16) / 255);
}

// Each line is a narrow rectangle of four corners, laid out in pixels and soft at its rims.
const EDGE_CORNERS = `#version 300 es
in vec3 a; in vec3 b; in float strength;
uniform mat4 matrix; uniform vec2 halfSize; uniform vec2 styles[4];
out float across; out float reach; out float alpha;
void main() {
  vec4 p = matrix * vec4(a, 1.0), q = matrix * vec4(b, 1.0);
  const float near = 1e-3;
  if (p.w < near && q.w < near) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; } // behind the camera
  if (p.w < near) p = mix(p, q, (near - p.w) / (q.w - p.w));
  if (q.w < near) q = mix(q, p, (near - q.w) / (p.w - q.w));
  vec2 from = p.xy / p.w * halfSize, to = q.xy / q.w * halfSize;
  vec2 along = to - from;
  float size = length(along);
  along = size > 0.0 ? along / size : vec2(1.0, 0.0);
  vec2 style = styles[int(strength)];
  reach = 0.5 * style.x + 0.5; alpha = style.y;
  across = (gl_VertexID & 1) == 1 ? reach : -reach;
  vec2 spot = ((gl_VertexID & 2) == 2 ? to : from) + across * vec2(-along.y, along.x);
  gl_Position = vec4(spot / halfSize, 0.0, 1.0);
}`;
const EDGE_COLOUR = `#version 300 es
precision mediump float;
in float across; in float reach; in float alpha;
uniform vec3 colour;
out vec4 shade;
void main() { float a = alpha * clamp(reach - abs(across), 0.0, 1.0); shade = vec4(colour * a, a); }`;

class EdgePainter {
  constructor(canvas) {
    Object.assign(this, { canvas, budget: 10000, drewAt: 0, partial: false });
    canvas.style.opacity = EDGE_LAYER;
    this.gl = canvas.getContext("webgl2", { antialias: false, depth: false, premultipliedAlpha: true });
    if (!this.gl) return; // then plainly
    this.build();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => { this.build(); this.loaded = null; });
  }

  build() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, EDGE_CORNERS], [gl.FRAGMENT_SHADER, EDGE_COLOUR]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text); gl.compileShader(shader); gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    this.at = (name) => gl.getUniformLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    [["a", 3, 0], ["b", 3, 12], ["strength", 1, 24]].forEach(([name, size, offset]) => {
      const place = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, 28, offset);
      gl.vertexAttribDivisor(place, 1);
    });
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  // The lines that are in sight now; kept until another scene or another set of grey points.
  load(map) {
    const key = sightKey(map);
    if (this.loaded === key) return;
    this.loaded = key;
    this.own = edgesInSight(map);
    this.alpha = edgeAlpha(inkOf(map, this.own));
    if (!this.gl) return;
    const { blocks: { edges, strengths }, columns } = map.scene;
    this.centre = map.view.bounds.map(([low, high]) => (low + high) / 2); // small numbers keep their digits
    const lines = new Float32Array(7 * this.own.length);
    this.own.forEach((e, at) => {
      [edges[2 * e], edges[2 * e + 1]].forEach((i, end) => columns.forEach((values, axis) => {
        lines[7 * at + 3 * end + axis] = values[i] - this.centre[axis];
      }));
      lines[7 * at + 6] = strengths?.[e] ?? 0;
    });
    this.gl.bufferData(this.gl.ARRAY_BUFFER, lines, this.gl.STATIC_DRAW);
  }

  draw(map, resting) {
    this.load(map);
    const count = Math.min(this.own.length, resting ? Infinity : this.pace());
    this.partial = count < this.own.length;
    const styles = (map.scene.blocks.strengths ? EDGE_STYLES : EDGE_STYLES.slice(1, 2)).map(([width, share]) => [width, this.alpha * share]);
    if (!this.gl) { drawPlainly(map, this.own.subarray(0, count), styles); return; }
    const { gl, canvas } = this;
    const ratio = this.clear();
    gl.uniformMatrix4fv(this.at("matrix"), false, moved(map.view.clipMatrix(), this.centre));
    gl.uniform2f(this.at("halfSize"), canvas.width / 2, canvas.height / 2);
    const padded = Array.from({ length: 4 }, (_, at) => styles[at] ?? styles[0]);
    gl.uniform2fv(this.at("styles"), padded.flatMap(([width, strength]) => [width * ratio, strength]));
    gl.uniform3fv(this.at("colour"), rgbOf(map.theme.text));
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, Math.floor(count));
  }

  // How many lines to draw in this frame of a movement, by the time that the last one took.
  pace() {
    const now = performance.now();
    const gap = now - this.drewAt;
    this.drewAt = now;
    if (gap < PAUSE) this.budget = Math.max(FEW_EDGES, this.budget * (gap > SLOW_FRAME ? 0.5 : 1.25));
    this.budget = Math.min(this.budget, 2 * this.own.length + FEW_EDGES);
    return this.budget;
  }

  clear() {
    if (!this.gl) { sizedContext(this.canvas); return 1; }
    const { gl, canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    return ratio;
  }

  // Browsers keep a dozen or so of these contexts alive; a map that goes gives its own back.
  destroy() { this.gl?.getExtension("WEBGL_lose_context")?.loseContext(); }
}

// matrix * translation(centre), in double precision before it becomes float32.
function moved(matrix, centre) {
  const out = Float64Array.from(matrix);
  centre.forEach((c, axis) => { for (let r = 0; r < 4; r++) out[12 + r] += c * matrix[4 * axis + r]; });
  return Float32Array.from(out);
}

// Without WebGL 2: short paths, since the time for one grows much faster than its length.
const PATH_LINES = 100;

function drawPlainly(map, own, styles) {
  const context = sizedContext(map.under);
  const { view, theme, scene: { blocks: { edges, strengths } } } = map;
  context.strokeStyle = theme.text;
  styles.forEach(([width, alpha], strength) => {
    context.lineWidth = width; context.globalAlpha = alpha;
    context.beginPath();
    let lines = 0;
    for (const e of own) {
      if (strengths && strengths[e] !== strength) continue;
      if (++lines % PATH_LINES === 0) { context.stroke(); context.beginPath(); }
      const [from, to] = [view.pixel(edges[2 * e]), view.pixel(edges[2 * e + 1])];
      if (!Number.isFinite(from[0]) || !Number.isFinite(to[0])) continue;
      context.moveTo(from[0], from[1]); context.lineTo(to[0], to[1]);
    }
    context.stroke();
  });
  context.globalAlpha = 1;
}

const showsEdges = (map) => Boolean(map.scene.blocks.edges && map.look.showEdges);

function drawEdges(map, resting) {
  if (!showsEdges(map) || !map.view) { map.edgePainter?.clear(); return; }
  map.edgePainter ??= new EdgePainter(map.under);
  map.edgePainter.draw(map, resting);
}

// The edges of one point: a bright line each, one path for all.
function drawLinks(context, map, centre, links, strong) {
  const { view, theme } = map;
  const middle = view.pixel(centre);
  if (!Number.isFinite(middle[0])) return;
  context.beginPath();
  for (const j of links.slice(0, LIT_LINKS)) {
    const end = view.pixel(j);
    if (!Number.isFinite(end[0])) continue;
    context.moveTo(middle[0], middle[1]); context.lineTo(end[0], end[1]);
  }
  const many = links.length > CROWD;
  const line = (colour, width, alpha) => {
    context.strokeStyle = colour; context.lineWidth = width; context.globalAlpha = alpha; context.stroke();
  };
  if (!many) line(theme.background, strong ? 4.5 : 4, 0.7);
  line(theme.link, many ? 1 : strong ? 2.2 : 1.8, many ? 0.7 : 1);
  context.globalAlpha = 1;
}

// What the caption says of the edges below the points.
function edgeCaption(map) {
  const { scene } = map;
  if (!scene.edges || !showsEdges(map)) return "";
  const { total, loops, chosen, weights } = scene.edges;
  const words = [`${grouped(edgesInSight(map).length)} of ${grouped(total)} ${map.scene.edges.noun === "node" ? "edges" : "pairs"} drawn${chosen ? ` (${chosen})` : ""}`];
  if (weights) words.push(`thicker is heavier (${weights[0]} to ${weights[1]})`);
  if (loops) words.push(`${grouped(loops)} from a node to itself not shown`);
  return words.join(", ");
}

// What the tooltip says: how many links, and how many of the nearest are among them.
function linkWords(map, i) {
  const links = map.scene.links.of(i);
  const degree = map.scene.links.degree(i);
  const lit = Math.min(links.length, LIT_LINKS);
  const near = map.scene.neighboursOf(i);
  const own = new Set(links);
  const both = near.filter((j) => own.has(j)).length;
  const noun = map.scene.edges.noun;
  const words = [`linked to ${grouped(degree)} ${noun}${degree === 1 ? "" : "s"}`];
  if (lit < degree) words.push(`${grouped(lit)} of them lit`);
  else if (near.length) words.push(`${both} of its ${near.length} nearest are linked`);
  return words.join(" · ");
}

// Which line is which; below every map that has edges.
function lineKey(noun) {
  const [linked, near] = noun === "node"
    ? ["linked in the graph", "near in the embedding, not linked"]
    : ["a pair", "near in the embedding, no pair"];
  const parts = [element("span", "", { text: "Under the pointer:" })];
  for (const [kind, text] of [["link", linked], ["near", near], ["both", "both"]]) {
    const row = element("span", "em-line-row");
    row.append(element("span", `em-line em-line-${kind}`), element("span", "", { text }));
    parts.push(row);
  }
  return parts;
}
