/* What is on the screen as PNG or SVG with its caption below, made in the browser. */

const SHARP = 2; /* dots a screen pixel in a saved picture */
const GAP = 6, MARGIN = 14, LINE = 18, CAPTION_FONT = "13px sans-serif";

/* Records the strokes of paint.js as SVG; pictures become PNG inside it. */
class SvgPen {
  constructor(width, height) {
    Object.assign(this, {
      width, height, parts: [], d: "", dash: [], fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, font: "13px sans-serif",
      textAlign: "left", textBaseline: "alphabetic",
    });
    this.ruler = blank(1, 1).getContext("2d");
  }
  add(tag, attributes, content = "") {
    const inside = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(typeof value === "number" ? round(value) : value)}"`).join("");
    this.parts.push(`<${tag}${inside}${content === "" ? "/>" : `>${escaped(content)}</${tag}>`}`);
  }
  picture(canvas, matrix, smooth) {
    const whole = blank(this.width * SHARP, this.height * SHARP), pen = whole.getContext("2d");
    pen.scale(SHARP, SHARP);
    picture(pen, canvas, matrix, smooth);
    this.parts.push(`<image width="${this.width}" height="${this.height}" preserveAspectRatio="none" href="${whole.toDataURL("image/png")}"/>`);
  }
  setLineDash(dash) { this.dash = dash; }
  measureText(words) { this.ruler.font = this.font; return this.ruler.measureText(words); }
  beginPath() { this.d = ""; }
  moveTo(x, y) { this.d += `M${round(x)} ${round(y)}`; }
  lineTo(x, y) { this.d += `L${round(x)} ${round(y)}`; }
  closePath() { this.d += "Z"; }
  arc(x, y, r) { this.d += `M${round(x - r)} ${round(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`; }
  line() { return { fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth, ...(this.dash.length ? { "stroke-dasharray": this.dash.join(" ") } : {}) }; }
  stroke() { this.add("path", { d: this.d, ...this.line() }); }
  fill() { this.add("path", { d: this.d, fill: this.fillStyle }); }
  strokeRect(x, y, width, height) { this.add("rect", { x, y, width, height, ...this.line() }); }
  fillRect(x, y, width, height) { this.add("rect", { x, y, width, height, fill: this.fillStyle }); }
  strokeText(words, x, y) { this.words(words, x, y, { ...this.line(), "stroke-linejoin": "round" }); }
  fillText(words, x, y) { this.words(words, x, y, { fill: this.fillStyle }); }
  words(words, x, y, look) {
    const [, bold, px] = this.font.match(/^(bold )?(\d+)px/), anchor = { left: "start", center: "middle", right: "end" }[this.textAlign];
    const down = this.textBaseline === "middle" ? 0.35 * px : 0;
    this.add("text", { x, y: y + down, "text-anchor": anchor, "font-size": Number(px), ...(bold ? { "font-weight": "bold" } : {}), ...look }, words);
  }
}

function round(value) { return Math.round(value * 100) / 100; }
function escaped(value) { return String(value).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]); }

function save(view, kind) {
  const panes = view.panes.filter((pane) => !pane.element.hidden && size(pane)[0]);
  const width = panes.reduce((sum, pane) => sum + size(pane)[0], GAP * (panes.length - 1)), height = size(panes[0])[1];
  const lines = wrapped(captionOf(view, panes), width - 2 * MARGIN);
  const sheet = { panes, width, height, lines, whole: height + lines.length * LINE + 2 * MARGIN };
  if (kind === "svg") download(view, new Blob([asSvg(sheet)], { type: "image/svg+xml" }), "svg");
  else asPng(sheet).toBlob((blob) => download(view, blob, "png"), "image/png");
}

function asPng({ panes, width, height, lines, whole }) {
  const canvas = blank(width * SHARP, whole * SHARP), pen = canvas.getContext("2d");
  pen.scale(SHARP, SHARP);
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, width, whole);
  let x = 0;
  panes.forEach((pane) => {
    const [wide] = size(pane);
    pen.save();
    pen.translate(x, 0);
    pen.beginPath();
    pen.rect(0, 0, wide, height);
    pen.clip();
    paintSaved(pane, pen, wide, height);
    pen.restore();
    x += wide + GAP;
  });
  Object.assign(pen, { font: CAPTION_FONT, fillStyle: "#1F2933", textAlign: "left", textBaseline: "alphabetic" });
  lines.forEach((line, i) => pen.fillText(line, MARGIN, captionAt(height, i)));
  return canvas;
}

function asSvg({ panes, width, height, lines, whole }) {
  let x = 0;
  const drawn = panes.map((pane) => {
    const [wide] = size(pane), pen = new SvgPen(wide, height);
    paintSaved(pane, pen, wide, height);
    const part = `<svg x="${x}" y="0" width="${wide}" height="${height}" overflow="hidden" class="film">${pen.parts.join("\n")}</svg>`;
    x += wide + GAP;
    return part;
  });
  const told = lines.map((line, i) => `<text class="caption" x="${MARGIN}" y="${captionAt(height, i)}" font-size="13" fill="#1F2933">${escaped(line)}</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${whole}" viewBox="0 0 ${width} ${whole}" font-family="sans-serif">`,
    `<rect width="${width}" height="${whole}" fill="#ffffff"/>`, ...drawn, ...told, "</svg>",
  ].join("\n");
}

function captionAt(height, line) { return height + MARGIN + LINE * (line + 0.75); }

function paintSaved(pane, pen, width, height) {
  pen.fillStyle = "#07090b";
  pen.fillRect(0, 0, width, height);
  const { hits } = pane;
  const ready = paintPane(pane, pen, width, height);
  pane.hits = hits;
  const [who, title, small] = headingOf(pane), down = who ? 20 : 0;
  if (who) text(pen, who, 10, 22, { font: "bold 15px sans-serif" });
  text(pen, title, 10, 22 + down, { font: "bold 15px sans-serif" });
  if (small) text(pen, small, 10, 40 + down);
  if (ready) stateOf(pane).split("\n").reverse().forEach((line, i) => text(pen, line, 10, height - 38 - 17 * i));
  else text(pen, messageOf(pane).said, width / 2, height / 2, { align: "center" });
}

/* ---- caption ---- */

function captionOf(view, panes) {
  const { films, caption, layers } = view.data, mode = modeOf(view), about = caption ?? {};
  const shown = layers.filter((layer) => isShown(view, layer.code));
  const visits = films.map((film, i) => [film.title, film.subtitle, film.side, film.view, view.panes[i] && orientText(view.panes[i]), frameText(view, i)].filter(Boolean).join(" "));
  const how = { side: films.length > 1 ? "side by side" : "", blink: `blink, ${films[faceOf(panes[0])].title} shown`, difference: `${films[1]?.title} minus ${films[0].title}` }[mode];
  const windows = films.map((film) => { const { low, high } = windowOf(view, film); return `${film.title} W ${Math.round(high - low)} C ${Math.round((low + high) / 2)}`; });
  return [
    [about.study, whoOf(view) && `patient ${whoOf(view)}`, about.system, visits.join(" and "), how].filter(Boolean).join(" · "),
    sitesText(view, panes, shown),
    structuresText(view),
    measuresText(view),
    `Window: ${windows.join(", ")}${view.invert ? ", inverted" : ""}. ${mode === "side" ? "" : spoken(view, `Films ${movementText(view)}.`)}`,
    [about.version && `Cohort version ${about.version}`, about.weights && `weights ${about.weights}`, about.software].filter(Boolean).join(" · "),
    about.phantom ? "Phantom, research only; not a medical device." : "Research only; not a medical device.",
  ].filter(Boolean);
}

function whoOf({ data: { films, caption } }) { return caption?.patient || films[0]?.patient || ""; }

/* What is outlined besides the sites. */
function structuresText(view) {
  const shown = view.data.structures.filter((one) => view.boxes && isShown(view, one.code));
  return shown.length ? `Outlined: ${shown.map((one) => one.title).join(", ")}.` : "";
}

const TOLD_SITES = 14;

function sitesText(view, panes, shown) {
  const inView = new Set(panes.flatMap((pane) => {
    const [width, height] = size(pane);
    return placed(pane, faceOf(pane)).filter((one) => one.left < width && one.right > 0 && one.top < height && one.bottom > 0)
      .flatMap((place) => place.rows.map(({ box }) => box.site));
  }));
  const sites = listed(view).filter((site) => inView.has(site));
  if (!sites.length) return view.picked ? `Site ${view.picked}.` : "";
  const { layers, films } = view.data;
  const isZero = (site) => films.every((film) => shown.every((layer) => ["0", "–", undefined].includes(cellsAt(film, site)[layers.indexOf(layer)]?.text)));
  const first = sites.filter((site) => site === view.picked || !isZero(site)).sort((a, b) => (b === view.picked) - (a === view.picked));
  const told = first.slice(0, TOLD_SITES).map((site) => {
    const grades = films.map((film) => shown.map((layer) => cellsAt(film, site)[layers.indexOf(layer)]?.text ?? "–").join(" "));
    return shown.length ? `${site} ${[...new Set(grades)].join(" → ")}` : site;
  });
  const who = shown.length ? ` (grades of ${shown.map((layer) => (layer.short === layer.title ? layer.title : `${layer.short}: ${layer.title}`)).join(", ")})` : "";
  const more = first.length > TOLD_SITES ? `; ${first.length - TOLD_SITES} more with a grade above 0` : "";
  const rest = sites.length - first.length, others = rest > 1 ? `${rest} others` : "1 other";
  const zero = rest ? `${told.length ? "; " : ""}${others} without a grade above 0` : "";
  return `Sites in view${who}: ${told.join("; ")}${more}${zero}.`;
}

function wrapped(lines, width) {
  const ruler = blank(1, 1).getContext("2d");
  ruler.font = CAPTION_FONT;
  return lines.flatMap((line) => {
    const rows = [""];
    for (const word of line.split(" ")) {
      const longer = rows[rows.length - 1] ? `${rows[rows.length - 1]} ${word}` : word;
      if (ruler.measureText(longer).width > width && rows[rows.length - 1]) rows.push(word);
      else rows[rows.length - 1] = longer;
    }
    return rows;
  });
}

function download(view, blob, kind) {
  const { films } = view.data;
  const name = [whoOf(view), ...films.map((film) => film.title), view.picked, modeOf(view) === "side" ? "" : modeOf(view)];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${name.filter(Boolean).join("_").replace(/[^\w.-]+/g, "_") || "film"}.${kind}`;
  view.root.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
