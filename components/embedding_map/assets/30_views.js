// Two drawings of the same points, one interface:
//   mount, paint, swap, pixel(i), nearest(x, y), signature(), fit, zoom, pan, flyTo, getView, setView, canvas()

const REACH = 12; // pixels around the cursor in which a point is found
const GREY_PENALTY = 6; // a coloured point wins over a grey one that is a little nearer

const ease = (t) => 1 - (1 - t) ** 3;
const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// Steps take as long as they take: a slow machine sees fewer frames, never a longer flight.
async function animate(step, duration = 600) {
  const start = performance.now();
  for (let t = calm() ? 1 : 0; ;) {
    t = Math.min(1, calm() ? 1 : (performance.now() - start) / duration);
    await step(ease(t));
    if (t >= 1) return;
    await new Promise(requestAnimationFrame);
  }
}

const mix = (a, b, t) => a + (b - a) * t;

class View {
  constructor(Plotly, host, scene) {
    Object.assign(this, { Plotly, host, scene, order: null });
    this.gd = host.appendChild(document.createElement("div"));
    this.gd.className = "em-plot";
    this.config = { displayModeBar: false, displaylogo: false, scrollZoom: true, doubleClick: false, responsive: false };
  }

  get sizeFactor() { return 1; }

  // Grey points are drawn first, so that they never cover a coloured one.
  _ordered(paint) {
    const { n, columns } = this.scene;
    const { codes, grey } = paint;
    if (!paint.someGrey) { this.order = null; return { columns, codes }; }
    const order = new Int32Array(n);
    let at = 0;
    for (let i = 0; i < n; i++) if (codes[i] === grey) order[at++] = i;
    for (let i = 0; i < n; i++) if (codes[i] !== grey) order[at++] = i;
    const arrange = (values) => { const out = new values.constructor(n); for (let i = 0; i < n; i++) out[i] = values[order[i]]; return out; };
    this.order = order;
    return { columns: columns.map(arrange), codes: arrange(codes) };
  }

  _marker(paint, codes, extra) {
    const { stops } = paint;
    return { size: paint.size * this.sizeFactor, color: codes, cmin: -0.5, cmax: paint.levels - 0.5, colorscale: stops, showscale: false, ...extra };
  }

  paint(paint) {
    const reordered = paint.someGrey || this.order !== null;
    const { columns, codes } = this._ordered(paint);
    const update = {
      "marker.color": [codes], "marker.colorscale": [paint.stops], "marker.cmax": paint.levels - 0.5, "marker.size": paint.size * this.sizeFactor,
    };
    if (reordered) ["x", "y", "z"].slice(0, columns.length).forEach((axis, a) => { update[axis] = [columns[a]]; });
    return this.Plotly.restyle(this.gd, update, [0]);
  }

  resize() { return this.Plotly.Plots.resize(this.gd); }

  // Plotly leaves its contexts to the garbage collector. A browser keeps sixteen and takes those of
  // the oldest view beside this one away first: they are given back at once.
  destroy() {
    const contexts = this.contexts();
    this.Plotly.purge(this.gd);
    this.gd.remove();
    for (const gl of contexts) gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

class FlatView extends View {
  async mount(paint, { svg = false } = {}) {
    this.svg = svg;
    const [xs, ys] = this.scene.columns;
    this.tree = new PointTree(xs, ys);
    const robust = robustBounds(this.scene.columns);
    this.bounds = robust.bounds; this.outside = robust.outside;
    const { columns, codes } = this._ordered(paint);
    const axis = { visible: false, showgrid: false, zeroline: false, autorange: false };
    const layout = {
      margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
      hovermode: false, dragmode: "pan", width: this.host.clientWidth, height: this.host.clientHeight,
      xaxis: { ...axis, range: [...this.bounds[0]] }, yaxis: { ...axis, range: [...this.bounds[1]], scaleanchor: "x" },
    };
    const trace = {
      type: svg ? "scatter" : "scattergl", mode: "markers", x: columns[0], y: columns[1], hoverinfo: "skip",
      marker: this._marker(paint, codes, { opacity: 1, line: { width: 0 } }),
    };
    await this.Plotly.newPlot(this.gd, [trace], layout, this.config);
  }

  contexts() {
    const found = [];
    this.gd._fullLayout?._glcanvas?.each((canvas) => found.push(canvas.regl?._gl));
    return found.filter(Boolean);
  }

  get axes() { const { xaxis, yaxis } = this.gd._fullLayout; return [xaxis, yaxis]; }

  pixel(i) { return this.pixelAt(this.scene.columns[0][i], this.scene.columns[1][i]); }

  pixelAt(px, py) {
    const [x, y] = this.axes;
    return [x._offset + x.l2p(px), y._offset + y.l2p(py)];
  }

  // Data → clip space in one 4x4 matrix, as in 3-D.
  clipMatrix() {
    const [x, y] = this.axes;
    const [width, height] = [this.host.clientWidth, this.host.clientHeight];
    const [sx, sy] = [x._length / (x.range[1] - x.range[0]), y._length / (y.range[1] - y.range[0])];
    const matrix = new Float64Array(16);
    matrix[0] = (2 * sx) / width; matrix[12] = (2 * (x._offset - sx * x.range[0])) / width - 1;
    matrix[5] = (2 * sy) / height; matrix[13] = 1 - (2 * (y._offset + y._length + sy * y.range[0])) / height;
    matrix[15] = 1;
    return matrix;
  }

  nearest(px, py, isGrey) {
    const [x, y] = this.axes;
    const [x0, x1] = [x.p2l(px - x._offset - REACH), x.p2l(px - x._offset + REACH)];
    const [y1, y0] = [y.p2l(py - y._offset - REACH), y.p2l(py - y._offset + REACH)];
    let best = null;
    let least = REACH + GREY_PENALTY;
    this.tree.within(x0, y0, x1, y1, (i) => {
      const [qx, qy] = this.pixel(i);
      const distance = Math.hypot(qx - px, qy - py);
      if (distance > REACH) return;
      const score = distance + (isGrey(i) ? GREY_PENALTY : 0);
      if (score < least) { least = score; best = i; }
    });
    return best;
  }

  signature() {
    const [x, y] = this.axes;
    return `${x.range[0]},${x.range[1]},${y.range[0]},${y.range[1]},${x._length},${y._length}`;
  }

  getView() { const [x, y] = this.axes; return [...x.range, ...y.range]; }

  // Plotly.relayout recalculates every point (0.6 s at 100,000). Where the WebGL scene is at hand
  // the new ranges are given to it directly, as Plotly's own wheel and drag do.
  setView(view) {
    const [x0, x1, y0, y1] = this._framed([view.slice(0, 2), view.slice(2)]); // equal units on both axes
    const { _plots, _glcanvas } = this.gd._fullLayout;
    const gl = _plots?.xy?._scene;
    if (this.svg || !gl?.update || !gl.draw || !_glcanvas) {
      return this.Plotly.relayout(this.gd, { "xaxis.range": [x0, x1], "yaxis.range": [y0, y1] });
    }
    this.axes.forEach((axis, a) => {
      axis.range = a ? [y0, y1] : [x0, x1];
      axis.setScale();
      this.gd.layout[a ? "yaxis" : "xaxis"].range = [...axis.range];
    });
    _glcanvas.each((canvas) => canvas.regl?.clear({ color: [0, 0, 0, 0], depth: 1 }));
    gl.update({ range: [x0, y0, x1, y1] });
    gl.draw();
    return undefined;
  }

  _glide(target, duration) {
    const from = this.getView();
    return animate((t) => this.setView(from.map((value, a) => mix(value, target[a], t))), duration);
  }

  // Grow a box to the window's aspect, so that the animation ends where Plotly would put it.
  _framed([[x0, x1], [y0, y1]]) {
    const [x, y] = this.axes;
    const unit = Math.max((x1 - x0) / x._length, (y1 - y0) / y._length) || 1e-6;
    const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const [w, h] = [(unit * x._length) / 2, (unit * y._length) / 2];
    return [cx - w, cx + w, cy - h, cy + h];
  }

  fit(slow = true) { return this._glide(this._framed(this.bounds), slow ? 400 : 0); }

  zoom(factor) {
    const [x0, x1, y0, y1] = this.getView();
    const around = (low, high) => { const c = (low + high) / 2; const h = ((high - low) / 2) * factor; return [c - h, c + h]; };
    return this._glide([...around(x0, x1), ...around(y0, y1)], 180);
  }

  pan(dx, dy) {
    const [x0, x1, y0, y1] = this.getView();
    const [sx, sy] = [(x1 - x0) * dx, (y1 - y0) * dy];
    return this._glide([x0 + sx, x1 + sx, y0 + sy, y1 + sy], 120);
  }

  // One point: come to a quarter of the map, never farther out than now. Several: show them all.
  flyTo(points) {
    const full = this._framed(this.bounds);
    const now = this.getView();
    const width = full[1] - full[0];
    const least = points.length > 1 ? width / 12 : Math.min(now[1] - now[0], width / 4);
    const [x, y] = boundsOf(this.scene.columns, points, 0.15);
    const lack = Math.max(0, (least - (x[1] - x[0])) / 2);
    const flat = points.length > 1 ? 0 : (y[1] - y[0]) / 2; // of a single point only the width counts
    const target = this._framed([[x[0] - lack, x[1] + lack], [y[0] + flat, y[1] - flat]]);
    return this._glide(target[1] - target[0] > width ? full : target, 700);
  }

  async toCanvas(draw) {
    for (const canvas of this.gd.querySelectorAll("canvas")) if (canvas.width && canvas.height) draw(canvas);
    if (this.svg) draw(await imageOf(await this.Plotly.toImage(this.gd, { format: "svg" })));
  }
}

function imageOf(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("The picture could not be drawn."));
    image.src = url;
  });
}

const START = { eye: { x: 0.9, y: 0.9, z: 0.6 }, center: { x: 0, y: 0, z: 0 }, up: { x: 0, y: 0, z: 1 } };

class DeepView extends View {
  async mount(paint) {
    const robust = robustBounds(this.scene.columns);
    this.bounds = robust.bounds; this.outside = robust.outside;
    const { columns, codes } = this._ordered(paint);
    const axis = (range) => ({ visible: false, showspikes: false, autorange: false, range: [...range] });
    const [x, y, z] = this.bounds.map(axis);
    // Equal units on all axes, the longest one unit long: the camera then fits every layout alike.
    const spans = this.bounds.map(([low, high]) => high - low);
    const longest = Math.max(...spans);
    this.aspect = spans.map((span) => span / longest);
    const [ax, ay, az] = this.aspect;
    const layout = {
      margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: false,
      width: this.host.clientWidth, height: this.host.clientHeight,
      scene: { xaxis: x, yaxis: y, zaxis: z, bgcolor: "rgba(0,0,0,0)", aspectmode: "manual", aspectratio: { x: ax, y: ay, z: az },
        camera: START, dragmode: "orbit", hovermode: false },
    };
    const trace = {
      type: "scatter3d", mode: "markers", x: columns[0], y: columns[1], z: columns[2], hoverinfo: "skip",
      marker: this._marker(paint, codes, { opacity: 1, line: { width: 0 } }),
    };
    await this.Plotly.newPlot(this.gd, [trace], layout, this.config);
    // Plotly would draw a second, hidden picture and read it back on every move of the mouse to
    // find the point below it: 300 ms without a graphics card. We project the points ourselves.
    this.gl.glplot.mouseListener.enabled = false;
  }

  get sizeFactor() { return 0.62; } // scatter3d draws the same number larger

  contexts() { return [this.gd._fullLayout?.scene?._scene?.glplot?.gl].filter(Boolean); }

  get gl() { return this.gd._fullLayout.scene._scene; }

  // Data → clip space in one 4x4 matrix (projection · view · model, data scaled as Plotly scales it).
  _matrix() {
    const { glplot, dataScale } = this.gl;
    const { model, view, projection } = glplot.cameraParams;
    const product = (a, b) => {
      const out = new Float64Array(16);
      for (let c = 0; c < 4; c++) for (let r = 0; r < 4; r++) for (let m = 0; m < 4; m++) out[4 * c + r] += a[4 * m + r] * b[4 * c + m];
      return out;
    };
    const matrix = product(projection, product(view, model));
    for (let axis = 0; axis < 3; axis++) for (let r = 0; r < 4; r++) matrix[4 * axis + r] *= dataScale[axis];
    return matrix;
  }

  _project(matrix, i, width, height) {
    const [x, y, z] = [this.scene.columns[0][i], this.scene.columns[1][i], this.scene.columns[2][i]];
    const w = matrix[3] * x + matrix[7] * y + matrix[11] * z + matrix[15];
    if (!(w > 0)) return [NaN, NaN, Infinity]; // behind the camera
    const cx = (matrix[0] * x + matrix[4] * y + matrix[8] * z + matrix[12]) / w;
    const cy = (matrix[1] * x + matrix[5] * y + matrix[9] * z + matrix[13]) / w;
    return [(0.5 + 0.5 * cx) * width, (0.5 - 0.5 * cy) * height, w];
  }

  clipMatrix() { return this._cached(); }

  pixel(i) { return this._project(this._cached(), i, this.host.clientWidth, this.host.clientHeight); }

  _cached() {
    const signature = this.signature();
    if (this._at !== signature) { this._at = signature; this._last = this._matrix(); }
    return this._last;
  }

  nearest(px, py, isGrey) {
    const matrix = this._cached();
    const [width, height] = [this.host.clientWidth, this.host.clientHeight];
    const found = [];
    for (let i = 0; i < this.scene.n; i++) {
      const [qx, qy, depth] = this._project(matrix, i, width, height);
      const distance = Math.hypot(qx - px, qy - py);
      if (distance <= REACH) found.push([distance + (isGrey(i) ? GREY_PENALTY : 0), depth, i]);
    }
    if (!found.length) return null;
    // Among points that are about equally near the cursor the one in front is meant.
    const least = Math.min(...found.map(([score]) => score));
    return found.filter(([score]) => score <= least + 3).sort((a, b) => a[1] - b[1])[0][2];
  }

  signature() {
    const { view, projection } = this.gl.glplot.cameraParams;
    return `${view.join()};${projection[0]};${projection[5]};${this.host.clientWidth},${this.host.clientHeight}`;
  }

  getView() {
    const { eye, center, up } = this.gl.getCamera();
    return [eye, center, up].flatMap(({ x, y, z }) => [x, y, z]);
  }

  setView(v) {
    const point = (at) => ({ x: v[at], y: v[at + 1], z: v[at + 2] });
    const camera = { ...this.gl.getCamera(), eye: point(0), center: point(3), up: point(6) };
    if (!this.gl.camera?.lookAt) return this.Plotly.relayout(this.gd, { "scene.camera": camera });
    this.gl.camera.lookAt(v.slice(0, 3), v.slice(3, 6), v.slice(6)); // as in 2-D: no recalculation
    this.gd.layout.scene.camera = camera;
    this.gd._fullLayout.scene.camera = camera;
    return undefined;
  }

  _glide(target, duration) {
    const from = this.getView();
    return animate((t) => this.setView(from.map((value, a) => mix(value, target[a], t))), duration);
  }

  fit(slow = true) { return this._glide([START.eye, START.center, START.up].flatMap(({ x, y, z }) => [x, y, z]), slow ? 500 : 0); }

  zoom(factor) {
    const v = this.getView();
    return this._glide(v.map((value, a) => (a < 3 ? v[a + 3] + (value - v[a + 3]) * factor : value)), 180);
  }

  // Arrow keys turn the camera around the vertical axis and tilt it.
  pan(dx, dy) {
    const v = this.getView();
    const d = [0, 1, 2].map((a) => v[a] - v[a + 3]);
    const turn = -dx * 2;
    const [x, y] = [d[0] * Math.cos(turn) - d[1] * Math.sin(turn), d[0] * Math.sin(turn) + d[1] * Math.cos(turn)];
    const z = d[2] + dy * 2 * Math.hypot(...d);
    const keep = Math.hypot(...d) / Math.hypot(x, y, z);
    return this._glide([v[3] + x * keep, v[4] + y * keep, v[5] + z * keep, ...v.slice(3)], 150);
  }

  flyTo(points) {
    const box = boundsOf(this.scene.columns, points, 0);
    const center = box.map(([low, high], a) => ((low + high) / 2 - this.bounds[a][0]) / (this.bounds[a][1] - this.bounds[a][0]))
      .map((share, a) => (share - 0.5) * this.aspect[a]);
    const v = this.getView();
    const d = [0, 1, 2].map((a) => v[a] - v[a + 3]);
    const spread = Math.max(...box.map(([low, high], a) => ((high - low) / (this.bounds[a][1] - this.bounds[a][0])) * this.aspect[a]));
    const far = Math.max(0.45, Math.min(Math.hypot(...d), spread * 1.8)) / Math.hypot(...d);
    return this._glide([...center.map((c, a) => c + d[a] * far), ...center, ...v.slice(6)], 800);
  }

  async toCanvas(draw) { draw(await imageOf(this.gl.toImage("png"))); }
}
