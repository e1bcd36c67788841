/* What is drawn on a pane. ``pen`` is a canvas context, or an SvgPen that records the same strokes (save.js). */

const DOT = 13, CROWD = 24, CROWD_DOT = 38; /* boxes smaller than that on the screen are dots; where many are in view, larger ones too */
const WHITE = "#ffffff", BLACK = "rgba(0,0,0,.65)", PLACE = "#8A97A4";

function paint(pane) {
  if (pane.queued) return;
  pane.queued = true;
  requestAnimationFrame(() => { pane.queued = false; paintNow(pane); });
}

function paintNow(pane) {
  const { view } = pane, pen = pane.canvas.getContext("2d"), dots = window.devicePixelRatio || 1;
  const [width, height] = size(pane);
  pane.hits = [];
  tell(pane);
  if (!width || !pane.film) return;
  pen.setTransform(dots, 0, 0, dots, 0, 0);
  pen.clearRect(0, 0, width, height);
  const ready = paintPane(pane, pen, width, height);
  if (ready) paintLens(pane, pen);
  paintState(pane, ready);
  pane.element.dataset.view = [pane.scale, pane.x, pane.y].join(" ");
  pane.element.dataset.face = String(faceOf(pane));
  remember(view);
}

/* Film, marks, labels, scale; false where there is no film to draw. */
function paintPane(pane, pen, width, height) {
  const { view } = pane, difference = modeOf(view) === "difference", face = faceOf(pane), sheet = view.sheets[face];
  if (difference ? view.sheets.some((one) => !one.pixels) : !sheet.pixels) return false;
  if (difference && !movement(view)) { paintRefusal(pane, pen, width, height); return true; }
  if (!difference && (sheet.stale || !sheet.grey)) develop(view, sheet);
  picture(pen, difference ? differencePicture(view) : sheet.grey, layOn(pane, face), pane.scale < 3);
  paintMasks(pane, pen, face);
  paintShapes(pane, pen, face);
  if (view.boxes) paintBoxes(pane, pen, face);
  if (view.labels) paintLabels(pane, pen, face, width, height);
  paintMeasures(pane, pen, face);
  paintScale(pane, pen, width, height);
  if (difference) paintLegend(pane, pen, width, height);
  else if (modeOf(view) === "blink") paintNote(pen, [movementText(view)], width, height);
  if (isWarned(view)) paintWarning(pane, pen, width);
  return true;
}

function picture(pen, canvas, matrix, smooth) {
  if (pen.picture) return pen.picture(canvas, matrix, smooth);
  pen.save();
  pen.imageSmoothingEnabled = smooth;
  pen.imageSmoothingQuality = Math.hypot(matrix[0], matrix[1]) < 0.6 ? "medium" : "low";
  pen.transform(...matrix);
  pen.drawImage(canvas, 0, 0);
  pen.restore();
}

/* ---- overlays: whose marks are shown, and how they look ---- */

function shownLayers(view) { return view.data.layers.filter((layer) => !view.off.includes(layer.code)); }
function isShown(view, code) { return !code || !view.off.includes(code); }

/* The layer that a box is drawn for: the one that marked it, else the first shown one with a grade there. */
function leadOf(view, box) {
  const { layers } = view.data;
  if (!box.layer || !layers.length) return { colour: PLACE, dash: "solid", grade: box.colour };
  const shown = layers.map((layer, i) => ({ ...layer, cell: box.cells[i] })).filter((layer) => isShown(view, layer.code));
  const maker = shown.find((layer) => layer.code === box.layer);
  if (maker) return { ...maker, grade: box.colour };
  const lead = shown.find((layer) => layer.cell?.colour);
  return lead ? { ...lead, grade: lead.cell.colour } : null;
}

/* Boxes of a film on the screen of a pane; boxes at one place (two features of a joint) come as one. */
function placed(pane, face) {
  const { view } = pane, matrix = layOn(pane, face), places = new Map();
  for (const box of view.sheets[face].film.boxes) {
    if (!isOn(view.sheets[face], box)) continue;
    const lead = leadOf(view, box);
    if (!lead) continue;
    const name = [box.x0, box.y0, box.x1, box.y1].join(" ");
    if (places.has(name)) { places.get(name).rows.push({ box, lead }); continue; }
    const corners = [[box.x0, box.y0], [box.x1, box.y0], [box.x1, box.y1], [box.x0, box.y1]].map((point) => apply(matrix, point));
    const xs = corners.map(([x]) => x), ys = corners.map(([, y]) => y);
    places.set(name, {
      corners, left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys), rows: [{ box, lead }],
    });
  }
  const found = [...places.values()], [width, height] = size(pane);
  const inView = found.filter((one) => one.right > 0 && one.left < width && one.bottom > 0 && one.top < height);
  const least = inView.length > CROWD ? CROWD_DOT : DOT;
  found.forEach((one) => { one.small = Math.min(one.right - one.left, one.bottom - one.top) < least; });
  return found;
}

function isSmall(place) { return place.small; }
function has(place, site) { return place.rows.some(({ box }) => box.site === site); }

/* The row of a place that colours it: the chosen one, else the one with the highest grade. */
function foremost(view, place) {
  const number = ({ box, lead }) => Number(box.cells[view.data.layers.findIndex((one) => one.code === lead.code)]?.text) || 0;
  return place.rows.find(({ box }) => box.site === view.picked) ??
    place.rows.reduce((best, row) => (number(row) > number(best) ? row : best));
}

function outline(pen, points, colour, width, dash) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
  stroke(pen, colour, width, dash);
}

function stroke(pen, colour, width, dash) {
  pen.setLineDash(dash === "solid" || !dash ? [] : [6, 4]);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
  pen.setLineDash([]);
}

function paintBoxes(pane, pen, face) {
  const { view } = pane;
  for (const place of placed(pane, face)) {
    const picked = has(place, view.picked), over = has(place, pane.over), { lead } = foremost(view, place);
    const graded = lead.grade !== view.data.zero && lead.grade !== view.data.none;
    if (isSmall(place)) dot(pen, place, lead, graded, picked || over);
    else {
      outline(pen, place.corners, BLACK, picked || over ? 5 : graded ? 4 : 3, "solid");
      outline(pen, place.corners, picked ? WHITE : lead.colour, picked || over ? 3 : graded ? 2 : 1.25, lead.dash);
      if (graded) badge(pen, place, lead);
      if (picked || over) outline(pen, around(place, 4), lead.colour, 1.5, lead.dash);
    }
    const room = isSmall(place) ? 5 : 3;
    place.rows.forEach(({ box }) => pane.hits.push({
      site: box.site, left: place.left - room, top: place.top - room, right: place.right + room, bottom: place.bottom + room,
    }));
  }
}

function around({ left, top, right, bottom }, by) {
  return [[left - by, top - by], [right + by, top - by], [right + by, bottom + by], [left - by, bottom + by]];
}

function dot(pen, { left, right, top, bottom }, lead, graded, strong) {
  const x = (left + right) / 2, y = (top + bottom) / 2, radius = (graded ? 4 : 2.5) + (strong ? 2 : 0);
  pen.beginPath();
  pen.arc(x, y, radius + 1, 0, 2 * Math.PI);
  pen.fillStyle = BLACK;
  pen.fill();
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = graded ? lead.grade : lead.colour;
  pen.fill();
  if (strong) {
    pen.beginPath();
    pen.arc(x, y, radius + 2, 0, 2 * Math.PI);
    stroke(pen, WHITE, 1.5, "solid");
  }
}

function badge(pen, { right, top }, lead) {
  pen.fillStyle = BLACK;
  pen.fillRect(right - 5, top - 5, 10, 10);
  pen.fillStyle = lead.grade;
  pen.fillRect(right - 4, top - 4, 8, 8);
}

/* ---- polygons, boxes and masks of a layer ---- */

function shapesOf(pane, face, kinds) {
  const { view } = pane;
  const sheet = view.sheets[face];
  return sheet.film.shapes.filter((shape) => kinds.includes(shape.kind) && isShown(view, shape.layer) && isOn(sheet, shape));
}

function styleOf(view, code) { return [...view.data.layers, ...view.data.structures].find((layer) => layer.code === code) ?? { colour: PLACE, dash: "solid", width: 2 }; }

function paintShapes(pane, pen, face) {
  if (!pane.view.boxes) return;
  const matrix = layOn(pane, face);
  for (const shape of shapesOf(pane, face, ["polygon"])) {
    const points = shape.points.map((point) => apply(matrix, point)), style = styleOf(pane.view, shape.layer);
    const wide = (style.width ?? 2) + (shape.site && shape.site === pane.view.picked ? 1 : 0);
    outline(pen, points, BLACK, wide + 2, "solid");
    outline(pen, points, style.colour, wide, style.dash);
    if (pane.view.labels) shapeLabel(pen, shape, points, style);
    const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
    if (shape.site) pane.hits.push({ site: shape.site, left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) });
  }
}

function shapeLabel(pen, shape, points, style) {
  if (!shape.label) return;
  const [x, y] = points.reduce((best, point) => (point[1] < best[1] ? point : best));
  text(pen, shape.label, x, y - 6, { align: "center", colour: style.colour });
}

function paintMasks(pane, pen, face) {
  if (!pane.view.boxes) return;
  const sheet = pane.view.sheets[face], matrix = layOn(pane, face);
  for (const shape of shapesOf(pane, face, ["mask"])) {
    const style = styleOf(pane.view, shape.layer);
    if (!sheet.masks.has(shape)) sheet.masks.set(shape, maskPicture(shape, style.colour));
    picture(pen, sheet.masks.get(shape), compose(matrix, [1, 0, 0, 1, shape.x0, shape.y0]), false);
    const corner = apply(matrix, [shape.x0, shape.y0]);
    if (pane.view.labels) shapeLabel(pen, shape, [[corner[0], corner[1]]], style);
  }
}

/* Run lengths, off and on in turn, row by row: the inside a third covered, its edge fully. */
function maskPicture({ rows, columns, runs }, colour) {
  const on = new Uint8Array(rows * columns);
  let at = 0;
  runs.forEach((long, i) => { if (i % 2) on.fill(1, at, at + long); at += long; });
  const image = new ImageData(columns, rows), [red, green, blue] = rgb(colour);
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, i++) {
      if (!on[i]) continue;
      const inner = x && y && x < columns - 1 && y < rows - 1 && on[i - 1] && on[i + 1] && on[i - columns] && on[i + columns];
      image.data.set([red, green, blue, inner ? 85 : 255], 4 * i);
    }
  }
  const canvas = blank(columns, rows);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function rgb(colour) { return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)); }

/* ---- scale, legend, notes ---- */

function text(pen, words, x, y, { align = "left", colour = WHITE, font = "13px sans-serif" } = {}) {
  Object.assign(pen, { textBaseline: "alphabetic", textAlign: align, font, lineWidth: 3, lineJoin: "round", strokeStyle: "rgba(0,0,0,.8)", fillStyle: colour });
  pen.strokeText(words, x, y);
  pen.fillText(words, x, y);
}

/* Screen pixels a millimetre along a row; rows are drawn so that it is the same down a column. */
function perMm(pane) { return pane.film.spacing ? pane.scale / pane.film.spacing[1] : null; }

function paintScale(pane, pen, width, height) {
  const one = perMm(pane);
  if (!one) {
    text(pen, "no scale: the file gives no pixel spacing", 12, height - 12);
    return;
  }
  const mm = [0.5, 1, 2, 5, 10, 20, 50, 100, 200].findLast((long) => long * one <= Math.min(150, width / 3)) ?? 0.5;
  const long = mm * one, y = height - 14;
  pen.fillStyle = "rgba(0,0,0,.8)";
  pen.fillRect(10, y - 7, long + 4, 10);
  pen.fillStyle = WHITE;
  pen.fillRect(12, y - 2, long, 3);
  pen.fillRect(12, y - 6, 2, 8);
  pen.fillRect(10 + long, y - 6, 2, 8);
  text(pen, `${mm} mm`, 20 + long, y + 3);
}

const LEGEND = 140;

function paintLegend(pane, pen, width, height) {
  const { films } = pane.view.data, x = width - LEGEND - 12, y = height - 62, steps = 28;
  for (let i = 0; i < steps; i++) {
    const grey = Math.round((255 * i) / (steps - 1));
    pen.fillStyle = `rgb(${grey},${grey},${grey})`;
    pen.fillRect(x + (i * LEGEND) / steps, y, LEGEND / steps + 0.5, 9);
  }
  pen.lineWidth = 1;
  pen.strokeStyle = "rgba(255,255,255,.6)";
  pen.strokeRect(x, y, LEGEND, 9);
  text(pen, "less dense", x, y - 6, { font: "12px sans-serif" });
  text(pen, "denser", x + LEGEND, y - 6, { align: "right", font: "12px sans-serif" });
  text(pen, `grey: same in ${films[0].title} and ${films[1].title}`, x + LEGEND, y + 25, { align: "right", font: "12px sans-serif" });
  paintNote(pen, [movementText(pane.view)], width, height);
}

function paintNote(pen, lines, width, height) {
  lines.forEach((line, i) => text(pen, line, width - 12, height - 14 - 16 * (lines.length - 1 - i), { align: "right", font: "12px sans-serif" }));
}

const WARNING_TOP = 70, WARNING_LINE = 18;

function paintWarning(pane, pen, width) {
  const { residual, unit } = movement(pane.view);
  const lines = [`Registered only to ${residual.toFixed(1)} ${unit}:`, "what differs here may be displacement, not change."];
  pen.font = "bold 13px sans-serif";
  const wide = Math.min(width - 20, 20 + Math.max(...lines.map((line) => pen.measureText(line).width)));
  pen.fillStyle = "#F5D76E";
  pen.fillRect(10, WARNING_TOP, wide, lines.length * WARNING_LINE + 8);
  pen.fillStyle = "#1F2933";
  Object.assign(pen, { textBaseline: "middle", textAlign: "left" });
  lines.forEach((line, i) => pen.fillText(line, 20, WARNING_TOP + 13 + WARNING_LINE * i, wide - 20));
}

function paintRefusal(pane, pen, width, height) {
  const reason = pane.view.data.registration?.reason || spoken(pane.view, "no site is marked on both films");
  const lines = [spoken(pane.view, "These two films cannot be registered, so there is no difference picture:"), `${reason}.`];
  const hint = Object.keys(pane.view.data.registration?.near ?? {}).length;
  if (hint) lines.push(spoken(pane.view, "Choose a site: near some of them the films can be registered."));
  lines.forEach((line, i) => text(pen, line, width / 2, height / 2 - 12 + 22 * i, { align: "center", font: "15px sans-serif" }));
}

function stateOf(pane) {
  if (modeOf(pane.view) === "difference") return `${Math.round(pane.scale * 100)}%`;
  const { low, high } = windowOf(pane.view, pane.view.sheets[faceOf(pane)].film);
  const frame = frameText(pane.view, faceOf(pane));
  const isLong = pane.view.sheets[faceOf(pane)].film.places.length;
  return `${frame && `${frame}${isLong ? "\n" : "  ·  "}`}W ${Math.round(high - low)}  C ${Math.round((low + high) / 2)}  ·  ${Math.round(pane.scale * 100)}%`;
}

function paintState(pane, ready) { pane.element.querySelector(".state").textContent = ready ? stateOf(pane) : ""; }
