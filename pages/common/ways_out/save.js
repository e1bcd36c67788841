/* Saves a figure of the page as SVG or PNG with what must stand inside the file: a heading above, lines below.

   data: {chart: key of the figure, kinds, file, heading, lines[], text, muted, background (colours)}
   The picture is made by the figure's own camera (plotly.js, part of the page) from a layout that is put in its
   place for the moment of the click: nothing is fetched, and what stands on the page does not change. */

const LINE = 17, ABOVE = 30, APART = 26, LETTER = 6.3, BOLD = 8.4; // APART: for the title of the axis, which moves down

export default function (component) {
  const { parentElement, data } = component;
  for (const button of parentElement.querySelectorAll("button")) button.onclick = () => save(button.dataset.kind, data);
}

function save(kind, data) {
  const plot = document.querySelector(`.st-key-${CSS.escape(data.chart)} .js-plotly-plot`);
  const camera = plot?.querySelector('.modebar-btn[data-title^="Download"]');
  if (!camera) return;
  const before = { layout: plot.layout, options: plot._context.toImageButtonOptions };
  const full = plot._fullLayout, lines = data.lines.flatMap((line) => folded(line, full.width / LETTER));
  const heading = folded(data.heading, full.width / BOLD), above = ABOVE + (heading.length - 1) * LINE;
  const below = lines.length * LINE + APART + 10, height = full.height + above + below;
  plot.layout = withCaption(before.layout, full, data, { heading, lines, above, below, height });
  const scale = kind === "svg" ? 1 : 3;
  plot._context.toImageButtonOptions = { format: kind, filename: data.file, width: full.width, height, scale };
  camera.dispatchEvent(new MouseEvent("click"));  // does not bubble: what is open stays open
  plot.layout = before.layout;
  plot._context.toImageButtonOptions = before.options;
}

function withCaption(layout, full, data, { heading, lines, above, below, height }) {
  const size = full._size, words = layout.title?.text ? `<br><span style="font-size:12px">${layout.title.text}</span>` : "";
  const title = { text: `<b>${heading.join("<br>")}</b>${words}`, font: { size: 15, color: data.text }, x: 0, xref: "container",
    xanchor: "left", y: 1, yref: "container", yanchor: "top", pad: { t: 8, l: 10 } };
  const caption = { text: lines.join("<br>"), align: "left", showarrow: false, xref: "paper", yref: "paper", x: 0, y: 0,
    xanchor: "left", yanchor: "top", xshift: 10 - size.l, yshift: -size.b - APART, font: { size: 12, color: data.muted } };
  const margin = { ...layout.margin, l: size.l, r: size.r, t: size.t + above, b: size.b + below };
  const annotations = [...(layout.annotations ?? []), caption];
  return { ...layout, title, margin, annotations, height, width: full.width, paper_bgcolor: data.background, autosize: false };
}

function folded(line, letters) {
  const rows = [""];
  for (const word of line.split(" ")) {
    const last = rows[rows.length - 1];
    if (last && last.length + word.length + 1 > letters) rows.push(word);
    else rows[rows.length - 1] = last ? `${last} ${word}` : word;
  }
  return rows;
}
