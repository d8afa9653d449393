// Bytes from Python: uint32 header length, JSON header, then blocks aligned to four bytes.
const READERS = { f4: Float32Array, i4: Int32Array, u4: Uint32Array, u2: Uint16Array, u1: Uint8Array };

function unpack(bytes) {
  // The message gives a view at any offset; typed arrays need an aligned one of their own.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const length = new DataView(buffer, byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, byteOffset + 4, length)));
  const blocks = {};
  for (const [name, [type, offset, count]] of Object.entries(header.blocks)) {
    blocks[name] = new READERS[type](buffer, byteOffset + offset, count);
  }
  return { ...header, blocks };
}

// The scene as the map uses it: columns of coordinates, lazily decoded hover texts.
function readScene(scene) {
  const { blocks, n, dims, k } = scene;
  scene.columns = Array.from({ length: dims }, (_, axis) => blocks.coordinates.subarray(axis * n, (axis + 1) * n));
  scene.sheetUrls ??= []; // pictures, made when first shown
  const decoder = new TextDecoder();
  scene.hoverText = (i) => (blocks.hover
    ? decoder.decode(blocks.hover.subarray(blocks.hoverEnds[i - 1] ?? 0, blocks.hoverEnds[i])) : "");
  scene.neighboursOf = (i) => {
    if (!blocks.neighbours) return [];
    const row = Array.from(blocks.neighbours.subarray(i * k, (i + 1) * k));
    return row.filter((j) => j >= 0 && j < n && j !== i); // the missing-value code lies outside 0..n-1
  };
  scene.links = blocks.edges ? linkTable(scene) : null;
  return scene;
}

// A selection goes up as one bit per point, little-endian within each byte, base64.
function packBits(mask) {
  const bits = new Uint8Array((mask.length + 7) >> 3);
  for (let i = 0; i < mask.length; i++) if (mask[i]) bits[i >> 3] |= 1 << (i & 7);
  let text = "";
  for (let i = 0; i < bits.length; i += 0x8000) text += String.fromCharCode(...bits.subarray(i, i + 0x8000));
  return btoa(text);
}

// Search hits come down as a list of positions or, if that is shorter, as such bits.
function readLook(bytes) {
  const look = unpack(bytes);
  const { foundAt, foundBits } = look.blocks;
  look.found = Array.from(foundAt ?? []);
  for (let at = 0; foundBits && at < foundBits.length; at++) {
    for (let bit = 0; bit < 8; bit++) if (foundBits[at] & (1 << bit)) look.found.push(8 * at + bit);
  }
  return look;
}

// Browsers keep a dozen or so of these contexts alive: the one for asking is given back at once.
let webGL = false;
function hasWebGL() {
  if (webGL) return true;
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  webGL = Boolean(gl);
  return webGL;
}
