// The inline part of the map: fetches the map's script once per page and hands over to it.
function headerOf(data) {
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  return JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
}

async function loadMap(file, basePath) {
  let problem;
  for (const base of staticBases(basePath)) {
    try { return await import(`${base}app/static/${file}`); } catch (error) { problem = error; }
  }
  throw new Error(`The map could not be loaded from this server (${problem.message}).`);
}

export default async function (component) {
  const { script, plotly, basePath } = headerOf(component.data);
  loadPlotly(plotly, basePath).catch(() => {}); // both at once; the map waits for it and tells
  const { mount } = await loadMap(script, basePath);
  return mount(component);
}
