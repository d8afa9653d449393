// Plotly.js and the map's script lie in the app's own static folder. The browser knows under which path the app is
// reached (also behind a proxy that strips a prefix): it loaded Streamlit's scripts from there.
function staticBases(basePath) {
  const bases = [];
  const own = document.querySelector('script[src*="static/js/"]');
  if (own) bases.push(own.src.slice(0, own.src.indexOf("static/js/")));
  bases.push(`${location.origin}/${basePath ? `${basePath}/` : ""}`);
  return [...new Set(bases)];
}

function addScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("no Plotly in it")));
    script.onerror = () => { script.remove(); reject(new Error(url)); };
    document.head.appendChild(script);
  });
}

function loadPlotly(file, basePath) {
  window.__embedscopePlotly ??= (async () => {
    if (window.Plotly) return window.Plotly;
    for (const base of staticBases(basePath)) {
      try { return await addScript(`${base}app/static/${file}`); } catch { /* the next place */ }
    }
    window.__embedscopePlotly = undefined; // a later attempt may find it
    throw new Error("The drawing library could not be loaded from this server.");
  })();
  return window.__embedscopePlotly;
}
