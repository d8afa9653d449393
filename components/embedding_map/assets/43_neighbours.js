// The same items beside each other: each view lights the neighbours of its own graph, and tells
// those that the point has in another view too from those that it has in this one alone.

const hasGraph = ({ scene }) => Boolean(scene.blocks.neighbours);

// With a single graph there is nothing to compare.
const comparesNeighbours = (map) => hasGraph(map) && map.peers.filter(hasGraph).length > 1;

const litNeighbours = (map, i) => (i === map.focus() ? map.focusNeighbours() : map.scene.neighboursOf(i));

// What the other views call neighbours of point i; null where nothing is compared.
function neighboursElsewhere(map, i) {
  if (!comparesNeighbours(map)) return null;
  return new Set(map.peers.filter((peer) => peer !== map).flatMap((peer) => litNeighbours(peer, i)));
}

const sharedWords = ({ peers }) => (peers.length === 2 ? "in both views" : "in another view too");

// What a view's caption says of the point that is lit.
function neighbourCaption(map) {
  const i = map.state.hovered ?? map.focus();
  if (i === null || map.peers.length < 2) return "";
  if (!isPlaced(map.scene.columns, i)) return "this item has no position here";
  if (!hasGraph(map)) return "no neighbours known for this view";
  const own = litNeighbours(map, i);
  const others = neighboursElsewhere(map, i);
  if (!own.length) return "no neighbours here";
  const count = `${own.length} neighbour${own.length === 1 ? "" : "s"}`;
  if (!others) return count;
  const both = own.filter((j) => others.has(j)).length;
  return `${count}: ${both} ${sharedWords(map)}, ${own.length - both} only in this view`;
}

// Which line is which; above the views.
function neighbourKey(map) {
  const parts = [element("span", "", { text: "Nearest neighbours:" })];
  for (const [kind, text] of [["shared", sharedWords(map)], ["only", "only in this view"]]) parts.push(keyRow(kind, text));
  return parts;
}

function keyRow(kind, text) {
  const row = element("span", "em-line-row");
  row.append(element("span", `em-line em-line-${kind}`), element("span", "", { text }));
  return row;
}
