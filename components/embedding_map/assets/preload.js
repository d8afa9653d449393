// Mounted on pages without a map: reads the drawing library while the user is still choosing, so
// that the first map does not wait for its 4.8 MB to be compiled.
export default function ({ data }) {
  const timer = setTimeout(() => {
    const idle = window.requestIdleCallback ?? ((work) => work());
    idle(() => loadPlotly(data.plotly, data.basePath).catch(() => {})); // the map itself will tell
  }, 1200);
  return () => clearTimeout(timer);
}
