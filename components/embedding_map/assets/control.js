// Light mount: leaves the bytes of colours or highlights where the map of that name finds them.
export default function ({ data }) {
  const bytes = data.byteOffset % 4 ? data.slice() : data;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const { name, kind } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const inbox = (window.__embedscopeInbox ??= new Map());
  inbox.set(name, { ...inbox.get(name), [kind]: bytes });
  window.__embedscopeMaps?.get(name)?.receive(kind);
}
