/* Lengths and angles drawn by hand, in film pixels by film; millimetres only where the film's spacing is known. */

const POINTS = { length: 2, angle: 3 }; /* of an angle the second one is the corner */
const MEASURE = "#FFD54A";

function toFace(pane, x, y) { return apply(invert(layOn(pane, faceOf(pane))), [x, y]); }

function setTool(view, name) {
  Object.assign(view, { tool: view.tool === name ? null : name, draft: null });
  if (view.tool) openMenu(view, null);
  drawTools(view);
  view.panes.forEach((pane) => { pane.canvas.classList.toggle("measuring", Boolean(view.tool)); paint(pane); });
}

/* A press begins a measurement or goes on with it: ends are clicked, or drawn by dragging. */
function measurePress(pane, event) {
  const { view } = pane, face = faceOf(pane), start = spot(pane, event);
  if (!view.sheets[face].pixels) return;
  if (view.draft?.pane !== pane || view.draft.face !== face) view.draft = { kind: view.tool, pane, face, points: [], at: null };
  addPoint(view, start);
  const end = (now) => {
    ["pointerup", "pointercancel"].forEach((name) => pane.canvas.removeEventListener(name, end));
    const [x, y] = spot(pane, now);
    if (now.type === "pointerup" && view.draft && Math.hypot(x - start[0], y - start[1]) > 3) addPoint(view, [x, y]);
  };
  ["pointerup", "pointercancel"].forEach((name) => pane.canvas.addEventListener(name, end));
}

function addPoint(view, [x, y]) {
  const { draft } = view, { film, frame } = view.sheets[draft.face];
  draft.points.push(toFace(draft.pane, x, y));
  draft.at = null;
  if (draft.points.length === POINTS[draft.kind]) {
    measuresOf(view, film).push({ kind: draft.kind, points: draft.points, frame });
    view.draft = null;
  }
  view.panes.forEach(paint);
}

function measureMove(pane, at) {
  const { draft } = pane.view;
  if (draft?.pane !== pane) return;
  draft.at = toFace(pane, ...at);
  paint(pane);
}

function measuresOf(view, film) {
  if (!view.measures.has(film.id)) view.measures.set(film.id, []);
  return view.measures.get(film.id);
}

function unmeasure(view, all) {
  view.draft = null;
  const lists = view.data.films.map((film) => measuresOf(view, film));
  if (all) lists.forEach((list) => list.splice(0));
  else (lists.findLast((list) => list.length) ?? []).pop();
  view.panes.forEach(paint);
}

function measureText({ kind, points }, { spacing }) {
  const [down, right] = spacing ?? [1, 1], [p, q, r] = points.map(([x, y]) => [x * right, y * down]);
  const note = spacing ? "" : " (spacing unknown)";
  if (kind === "length") return `${Math.hypot(q[0] - p[0], q[1] - p[1]).toFixed(1)} ${spacing ? "mm" : "pixels"}${note}`;
  const [one, two] = [p, r].map(([x, y]) => Math.atan2(y - q[1], x - q[0]));
  const apart = Math.abs(one - two), degrees = (Math.min(apart, 2 * Math.PI - apart) * 180) / Math.PI;
  return `${degrees.toFixed(1)}°${note}`;
}

function paintMeasures(pane, pen, face) {
  const { view } = pane, { film, frame } = view.sheets[face], matrix = layOn(pane, face);
  measuresOf(view, film).filter((one) => one.frame === frame).forEach((one) => paintMeasure(pen, one, film, matrix));
  const { draft } = view;
  if (draft?.pane !== pane || draft.face !== face) return;
  const points = draft.at ? [...draft.points, draft.at] : draft.points;
  paintMeasure(pen, { kind: draft.kind, points }, film, matrix, points.length === POINTS[draft.kind]);
}

function paintMeasure(pen, one, film, matrix, isWhole = true) {
  const points = one.points.map((point) => apply(matrix, point));
  for (const [colour, width] of [[BLACK, 4], [MEASURE, 1.75]]) {
    pen.beginPath();
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    stroke(pen, colour, width, "solid");
  }
  points.forEach(([x, y]) => {
    pen.beginPath();
    pen.arc(x, y, 3, 0, 2 * Math.PI);
    stroke(pen, MEASURE, 1.5, "solid");
  });
  if (!isWhole) return;
  const [x, y] = points[one.kind === "angle" ? 1 : points.length - 1];
  text(pen, measureText(one, film), x + 9, y - 9, { colour: MEASURE, font: "bold 13px sans-serif" });
}

/* What a saved picture says about them. */
function measuresText(view) {
  const told = view.data.films.flatMap((film, i) =>
    measuresOf(view, film).filter((one) => one.frame === view.sheets[i].frame).map((one) => `${film.title} ${measureText(one, film)}`));
  return told.length ? `Measured by hand: ${told.join("; ")}. ${millimetres(view)}` : "";
}

/* Where the millimetres of each film are from; films of one source are said once. */
function millimetres(view) {
  const said = view.data.films.filter((film) => film.rows).map(({ title, spacing, source }) =>
    [title, spacing ? `millimetres from ${source ? `the header: ${source}` : "the header (which words: not on record)"}` : "no millimetres: the file gives no spacing"]);
  const words = [...new Set(said.map(([, says]) => says))];
  return words.map((says) => `${words.length > 1 ? `${said.filter((one) => one[1] === says).map(([title]) => title).join(", ")}: ` : ""}${says}`)
    .map((says) => `${says[0].toUpperCase()}${says.slice(1)}.`).join(" ");
}

function drawMillimetres(view) { view.root.querySelector(".of-millimetres").textContent = millimetres(view); }

/* ---- magnifier ---- */

const LENS = 90, MAGNIFIED = 2.5; /* radius in screen pixels, times larger than the film around it */

/* Where the lens lies on a pane: under the pointer, and on the other film over the same anatomy. */
function lensAt(pane) {
  const { view } = pane, lead = view.panes.find((one) => one.at);
  if (!view.lens || !lead || lead === pane || modeOf(view) !== "side") return view.lens ? pane.at ?? null : null;
  if (!view.linked || !movement(view)) return null;
  const there = toFace(lead, ...lead.at), matrix = lead.index ? invert(between(view)) : between(view);
  return toScreen(pane, ...apply(matrix, there));
}

function paintLens(pane, pen) {
  const at = lensAt(pane);
  if (!at) return;
  const { view } = pane, face = faceOf(pane), [x, y] = at, difference = modeOf(view) === "difference";
  const matrix = compose([MAGNIFIED, 0, 0, MAGNIFIED, x * (1 - MAGNIFIED), y * (1 - MAGNIFIED)], layOn(pane, face));
  pen.save();
  pen.beginPath();
  pen.arc(x, y, LENS, 0, 2 * Math.PI);
  pen.clip();
  pen.fillStyle = "#07090b";
  pen.fillRect(x - LENS, y - LENS, 2 * LENS, 2 * LENS);
  picture(pen, difference ? differencePicture(view) : view.sheets[face].grey, matrix, MAGNIFIED * pane.scale < 3);
  pen.restore();
  pen.beginPath();
  pen.arc(x, y, LENS, 0, 2 * Math.PI);
  stroke(pen, WHITE, 2, "solid");
}
