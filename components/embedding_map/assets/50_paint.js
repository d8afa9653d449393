// Colours: codes from Python, theme variants, and what the legend and the selection turn grey.

const NO_PAINT = { sig: "", scale: "none", title: "", names: [], counts: [], light: [], dark: [], codes: null };

function readPaint(bytes) {
  const paint = unpack(bytes);
  return { ...paint, codes: paint.blocks.codes };
}

function readTheme(host) {
  const style = getComputedStyle(host);
  const value = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const background = value("--st-background-color", "#ffffff");
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = background; // the canvas normalises any CSS colour to #rrggbb
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(probe.fillStyle.slice(at, at + 2), 16));
  const dark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
  return {
    background, dark, text: value("--st-text-color", dark ? "#eeeeee" : "#222222"),
    raised: value("--st-secondary-background-color", dark ? "#262730" : "#f4f5f7"),
    accent: value("--st-primary-color", dark ? "#7fb0ff" : "#2f6db5"),
    found: dark ? "#ffd84d" : "#b00068", link: dark ? "#ffab5e" : "#c2410c",
    // Blue and orange: told apart by colour-blind readers too.
    shared: dark ? "#6cb8ff" : "#0b5cad", only: dark ? "#ffab5e" : "#c2410c", font: value("--st-font", "sans-serif"),
    grey: dark ? "#4a4f57" : "#d3d6da", plain: dark ? "#8fb4e8" : "#3d6fa8",
  };
}

// What the views need: a code per point, the colour scale with one code more for grey, the size.
function effectivePaint(paint, theme, isolated, mask, n, size) {
  const colours = paint.scale === "none" ? [theme.plain] : theme.dark ? paint.dark : paint.light;
  const levels = colours.length + 1;
  const grey = colours.length;
  const base = paint.codes && paint.codes.length === n ? paint.codes : new Uint8Array(n);
  const all = !isolated.size && !mask;
  let codes = base;
  let someGrey = false;
  if (!all) {
    codes = new Uint8Array(n);
    for (let i = 0; i < n; i++) {
      const out = (isolated.size && !isolated.has(base[i])) || (mask && !mask[i]);
      codes[i] = out ? grey : base[i];
      someGrey ||= out;
    }
  }
  const stops = [...colours, theme.grey].flatMap((colour, at) => [[at / levels, colour], [(at + 1) / levels, colour]]);
  return { codes, base, grey, levels, stops, colours, someGrey, size };
}
