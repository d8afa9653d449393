// Pointer and keyboard. Plotly keeps pan, orbit and wheel; hover, click and lasso are ours, in
// 2-D and 3-D alike: Plotly has no lasso in 3-D, throttles hover by 50 ms and restyles on select.

const CLICK_REACH = 4; // a press that moves less than this is a click
const KEYS = {
  p: (map) => map.setMode("pan"), l: (map) => map.setMode("lasso"), b: (map) => map.setMode("box"),
  0: (map) => map.fit(), Escape: (map) => map.escape(),
  "+": (map) => map.view.zoom(0.65), "=": (map) => map.view.zoom(0.65), "-": (map) => map.view.zoom(1 / 0.65),
  ArrowLeft: (map) => map.view.pan(-0.1, 0), ArrowRight: (map) => map.view.pan(0.1, 0),
  ArrowUp: (map) => map.view.pan(0, 0.1), ArrowDown: (map) => map.view.pan(0, -0.1),
};

function strokePolygon({ kind, path }) {
  if (kind === "lasso") return path;
  const [[x0, y0], [x1, y1]] = [path[0], path[path.length - 1]];
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
}

function attachGestures(map) {
  const { stage } = map;
  const at = (event) => {
    const box = map.host.getBoundingClientRect(); // inside the stage's border, as pixel(i) counts
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const strokes = (event) => event.button === 0 && (map.state.mode !== "pan" || event.shiftKey);

  stage.addEventListener("mousedown", (event) => {
    if (!strokes(event)) return;
    event.stopPropagation(); // keep Plotly's pan and orbit out of a lasso
    event.preventDefault();
  }, true);

  stage.addEventListener("pointerdown", (event) => {
    if (!map.view || event.button !== 0) return;
    stage.dataset.pointer = "true"; // focused by mouse: no focus ring
    stage.focus({ preventScroll: true });
    const start = at(event);
    let far = false;
    if (strokes(event)) {
      const kind = map.state.mode === "box" ? "box" : "lasso";
      map.stroke = { kind, path: [start] };
    }
    const move = (next) => {
      const here = at(next);
      far ||= Math.hypot(here[0] - start[0], here[1] - start[1]) > CLICK_REACH;
      if (!far) return;
      map.hover(null);
      if (map.stroke) { map.stroke.path.push(here); drawOverlay(map); }
    };
    const finish = (next) => {
      window.removeEventListener("pointermove", move, true);
      window.removeEventListener("pointerup", finish, true);
      window.removeEventListener("pointercancel", finish, true);
      const { stroke } = map;
      map.stroke = null;
      if (next.type === "pointercancel") { drawOverlay(map); return; }
      if (!far) map.click(map.nearest(...start), next);
      else if (stroke) map.lasso(strokePolygon(stroke), next.altKey ? "subtract" : next.shiftKey && map.state.mode !== "pan" ? "add" : "replace");
    };
    window.addEventListener("pointermove", move, true);
    window.addEventListener("pointerup", finish, true);
    window.addEventListener("pointercancel", finish, true);
  }, true);

  stage.addEventListener("pointermove", (event) => {
    if (!map.view || event.buttons) return;
    if (map.hover(map.nearest(...at(event)))) map.hoverMs = performance.now() - event.timeStamp;
  });
  stage.addEventListener("pointerleave", () => map.hover(null));
  stage.addEventListener("blur", () => delete stage.dataset.pointer);
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !map.view) return;
    const action = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has keys of its own (R, C)
    action(map);
  });
}
