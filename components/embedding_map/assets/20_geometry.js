// Nearest point under the cursor, robust bounds, point in polygon.

// A k-d tree over (x, y) in one index array: unlike a grid it does not mind extreme outliers.
class PointTree {
  constructor(xs, ys) {
    this.xs = xs; this.ys = ys;
    const ids = [];
    for (let i = 0; i < xs.length; i++) if (Number.isFinite(xs[i]) && Number.isFinite(ys[i])) ids.push(i);
    this.ids = Int32Array.from(ids);
    this._sort(0, this.ids.length - 1, 0);
  }

  _sort(left, right, axis) {
    if (right - left < 16) return; // a small leaf is scanned
    const middle = (left + right) >> 1;
    this._select(middle, left, right, axis ? this.ys : this.xs);
    this._sort(left, middle - 1, 1 - axis);
    this._sort(middle + 1, right, 1 - axis);
  }

  _select(target, left, right, values) { // quickselect; equal values are split to both sides
    const { ids } = this;
    while (right > left) {
      const pivot = values[ids[(left + right) >> 1]];
      let i = left;
      let j = right;
      while (i <= j) {
        while (values[ids[i]] < pivot) i++;
        while (values[ids[j]] > pivot) j--;
        if (i <= j) { const swap = ids[i]; ids[i++] = ids[j]; ids[j--] = swap; }
      }
      if (target <= j) right = j; else if (target >= i) left = i; else return;
    }
  }

  // Calls visit(i) for each point in the rectangle.
  within(x0, y0, x1, y1, visit) {
    const { ids, xs, ys } = this;
    const stack = [[0, ids.length - 1, 0]];
    while (stack.length) {
      const [left, right, axis] = stack.pop();
      if (right - left < 16) {
        for (let m = left; m <= right; m++) {
          const i = ids[m];
          if (xs[i] >= x0 && xs[i] <= x1 && ys[i] >= y0 && ys[i] <= y1) visit(i);
        }
        continue;
      }
      const middle = (left + right) >> 1;
      const i = ids[middle];
      if (xs[i] >= x0 && xs[i] <= x1 && ys[i] >= y0 && ys[i] <= y1) visit(i);
      const value = axis ? ys[i] : xs[i];
      if ((axis ? y0 : x0) <= value) stack.push([left, middle - 1, 1 - axis]);
      if ((axis ? y1 : x1) >= value) stack.push([middle + 1, right, 1 - axis]);
    }
  }
}

const isPlaced = (columns, i) => columns.every((values) => Number.isFinite(values[i]));

// The range a first view shows: everything, unless a few points lie so far out that the rest
// would shrink to a dot; then the bulk (0.2 % to 99.8 %), and `outside` counts what is left out.
function robustBounds(columns) {
  const bounds = columns.map((values) => {
    const sorted = values.filter(Number.isFinite).sort();
    const m = sorted.length;
    if (!m) return [-1, 1];
    const cut = Math.max(1, Math.floor(m * 0.002));
    const inner = m > 20 ? [sorted[cut], sorted[m - 1 - cut]] : [sorted[0], sorted[m - 1]];
    const width = inner[1] - inner[0];
    const far = sorted[m - 1] - sorted[0] > 4 * width && width > 0;
    const [low, high] = far ? [inner[0] - 0.2 * width, inner[1] + 0.2 * width] : [sorted[0], sorted[m - 1]];
    const margin = 0.04 * (high - low) || 1;
    return [low - margin, high + margin];
  });
  let outside = 0;
  for (let i = 0; i < columns[0].length; i++) {
    if (columns.some((values, axis) => values[i] < bounds[axis][0] || values[i] > bounds[axis][1])) outside++;
  }
  return { bounds, outside };
}

function boundsOf(columns, points, margin = 0.25) {
  return columns.map((values) => {
    let low = Infinity;
    let high = -Infinity;
    for (const i of points) if (Number.isFinite(values[i])) { low = Math.min(low, values[i]); high = Math.max(high, values[i]); }
    const pad = (high - low) * margin;
    return [low - pad, high + pad];
  });
}

function insidePolygon(x, y, polygon) {
  let inside = false;
  for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
    const [xa, ya] = polygon[a];
    const [xb, yb] = polygon[b];
    if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) inside = !inside;
  }
  return inside;
}

// One point size for the whole map: large where few, small where many.
function automaticSize(n) {
  return Math.max(2.2, Math.min(10, 34 / Math.max(n, 1) ** 0.23));
}
