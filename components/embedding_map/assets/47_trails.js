// Trails: from where an item lies in another view to where it lies here. The layouts are laid
// into one frame before they come, so a place there is a place here. Flat views only.

const GHOST = 3; // radius in pixels of the ring at the other place

// The view that the trails of this one come from, or null. The view of origin itself has trails
// only beside a single other one.
function trailSource(map) {
  const { peers, look, index } = map;
  if (!look.trails?.length || map.scene.dims !== 2) return null;
  const origin = peers[look.trailOrigin];
  const other = origin !== map ? origin : peers.length === 2 ? peers[1 - index] : null;
  return other?.scene.dims === 2 ? other : null;
}

function drawTrails(context, map) {
  const source = trailSource(map);
  if (!source) return;
  const { view, theme, look } = map;
  const [xs, ys] = source.scene.columns;
  for (const i of look.trails) {
    const [from, to] = [view.pixelAt(xs[i], ys[i]), view.pixel(i)];
    if (![...from, ...to].every(Number.isFinite)) continue;
    const colour = map.colourOf(i);
    const line = (style, width, alpha) => {
      context.globalAlpha = alpha; context.lineWidth = width; context.strokeStyle = style;
      context.beginPath(); context.moveTo(...from); context.lineTo(...to); context.stroke();
    };
    line(theme.background, 3, 0.6); // a halo, as for the lines to neighbours
    const fade = context.createLinearGradient(...from, ...to); // strong where the item is now
    fade.addColorStop(0, `${colour}55`); fade.addColorStop(1, colour);
    line(fade, 1.3, 1);
    dot(context, from, GHOST, theme.background, colour, 1.2);
    dot(context, to, map.dotRadius() + 1, colour, theme.background, 1);
  }
  context.globalAlpha = 1;
}

function trailCaption(map) {
  const source = trailSource(map);
  if (!source) return "";
  const { trails, trailsLost } = map.look;
  const drawn = trails.filter((i) => isPlaced(map.scene.columns, i) && isPlaced(source.scene.columns, i)).length;
  const lost = trails.length - drawn + trailsLost;
  return `${grouped(drawn)} trail${drawn === 1 ? "" : "s"}${lost ? `, ${grouped(lost)} without a place` : ""}`;
}

function trailWords({ look, peers }) {
  const place = peers.length === 2 ? "the other view" : peers[look.trailOrigin].scene.title;
  return `trail: from its place in ${place}`;
}
