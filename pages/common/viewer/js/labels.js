/* Names and grades beside the boxes: all of them where they fit, else those of the chosen site and its neighbours. */

const ROW = 19, CELL = 22, WIDE_CELL = 34;
const CLEAR = 8; /* pixels between the chosen box and labels that cannot stand beside it */
const NEIGHBOURS = 4, NEAR_SIZE = 60; /* boxes that large on the screen have room for labels of neighbours */

function paintLabels(pane, pen, face, width, height) {
  const isIn = (from, to, end) => from + to > 0 && from + to < 2 * end; /* the middle of a box is in view */
  const inside = placed(pane, face).filter((one) => isIn(one.left, one.right, width) && isIn(one.top, one.bottom, height));
  const told = toldOf(pane, inside, width, height);
  if (!told.length) return;
  const { view } = pane, heads = view.data.layers.map((layer, i) => ({ ...layer, i })).filter((layer) => isShown(view, layer.code));
  pen.font = "bold 13px sans-serif";
  const name = 8 + Math.max(30, ...told.flatMap((place) => place.rows.map(({ box }) => pen.measureText(box.site).width)));
  const cell = modeOf(view) === "difference" ? WIDE_CELL : CELL, wide = name + heads.length * cell;
  const right = Math.max(...told.map((one) => one.right)), left = Math.min(...told.map((one) => one.left));
  const onRight = labelsOnRight(pane, face, left, right, wide, width);
  const x = onRight ? Math.min(right + 18, width - wide - 6) : Math.max(6, left - 18 - wide);
  const ordered = told.sort((a, b) => a.top + a.bottom - b.top - b.bottom);
  const top = isWarned(view) ? WARNING_TOP + 3 * WARNING_LINE + ROW : 90;
  const rows = laid(pane, ordered.flatMap((place) => place.rows.map(({ box, lead }) => ({ place, box, lead }))), [x, x + wide], [top, height - 66]);
  if (!rows.length) return;
  rows.forEach((row) => paintLabel(pane, pen, row, { x, name, cell, wide, onRight, heads }));
  pen.font = "11px sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  heads.forEach((head, place) => {
    const y = rows[0].y - ROW + 2, at = x + name + place * cell;
    shade(pen, at, y - 8, cell, 15);
    pen.fillStyle = "#e8ecf0";
    pen.fillText(head.short, at + cell / 2, y, cell);
  });
}

/* Which places have a label: all where they are large enough and their rows have room, else a few. */
function toldOf(pane, inside, width, height) {
  const { picked } = pane.view, rows = inside.reduce((sum, place) => sum + place.rows.length, 0);
  const large = inside.filter((place) => !isSmall(place));
  if (large.length === inside.length && rows * ROW <= height - 150) return inside;
  const told = inside.filter((place) => has(place, picked) || has(place, pane.over));
  const chosen = inside.find((place) => has(place, picked));
  if (chosen && chosen.bottom - chosen.top > NEAR_SIZE) {
    told.push(...nearest(chosen, inside.filter((one) => one.left > 0 && one.right < width && one.top > 0 && one.bottom < height)));
  }
  return [...new Set(told)];
}

function nearest(chosen, inside) {
  const far = (one) => Math.hypot(one.left + one.right - chosen.left - chosen.right, one.top + one.bottom - chosen.top - chosen.bottom);
  return [...inside].sort((a, b) => far(a) - far(b)).slice(0, NEIGHBOURS);
}

/* Labels stand on the darker side of the sites, away from the bone, where there is room for them. */
function labelsOnRight(pane, face, left, right, wide, width) {
  pane.darkRight ??= darkerOnRight(pane.view.sheets[face]);
  const isDark = orientOf(pane)[0] < 0 ? !pane.darkRight : pane.darkRight;
  const roomLeft = left - 18 - wide >= 0, roomRight = right + 18 + wide <= width;
  if (isDark ? roomRight : roomLeft) return isDark;
  if (isDark ? roomLeft : roomRight) return !isDark;
  return isDark;
}

function darkerOnRight({ film: { rows, columns, boxes }, pixels }) {
  let left = 0, right = 0;
  for (const box of boxes) {
    const wide = box.x1 - box.x0, y = Math.round((box.y0 + box.y1) / 2);
    if (y < 0 || y >= rows) continue;
    for (let step = 0; step < 2 * wide; step += 4) {
      left += pixels[y * columns + Math.max(0, Math.round(box.x0 - step))];
      right += pixels[y * columns + Math.min(columns - 1, Math.round(box.x1 + step))];
    }
  }
  return right < left;
}

/* Rows beside the chosen site; where they cannot be beside it they stand above and below, never on it. */
function laid(pane, rows, [from, to], [top, bottom]) {
  const { picked } = pane.view, chosen = rows.find(({ place }) => has(place, picked))?.place;
  if (!chosen || chosen.right + CLEAR < from || chosen.left - CLEAR > to) return spread(rows, top, bottom);
  const over = chosen.top - CLEAR - ROW / 2, under = chosen.bottom + CLEAR + ROW / 2, middle = chosen.top + chosen.bottom;
  const roomFor = (one, two) => Math.max(0, Math.floor((two - one) / ROW) + 1);
  const room = [roomFor(top, over), roomFor(under, bottom)], own = rows.filter((row) => row.place === chosen).length;
  const isUnder = room[1] > own || room[1] >= room[0]; /* where the rows of the chosen site stand */
  const isAbove = ({ place }) => (place === chosen ? !isUnder : place.top + place.bottom < middle);
  const above = nearestRows(rows.filter(isAbove), chosen, room[0]), head = above.length ? 0 : ROW; /* the short names stand above the first row */
  const below = nearestRows(rows.filter((row) => !isAbove(row)), chosen, room[1] - Math.sign(head));
  return [...stacked(above, over - (above.length - 1) * ROW), ...stacked(below, under + head)];
}

/* So many rows as there is room for: those of the chosen place, then of the nearest ones, from top to bottom. */
function nearestRows(rows, chosen, room) {
  const far = ({ place }) => Math.hypot(place.left + place.right - chosen.left - chosen.right, place.top + place.bottom - chosen.top - chosen.bottom);
  const near = new Set([...rows].sort((a, b) => far(a) - far(b)).slice(0, Math.max(0, room)));
  return rows.filter((row) => near.has(row));
}

function stacked(rows, from) { return rows.map((row, i) => ({ ...row, y: from + i * ROW, aside: true })); }

function spread(rows, top, bottom) {
  const y = rows.map(({ place }) => (place.top + place.bottom) / 2);
  for (let turn = 0; turn < 60; turn++) {
    y[0] = Math.max(y[0], top);
    for (let i = 1; i < y.length; i++) {
      const short = ROW - (y[i] - y[i - 1]);
      if (short > 0) { y[i] += short / 2; y[i - 1] -= short / 2; }
    }
    y[y.length - 1] = Math.min(y[y.length - 1], bottom);
  }
  for (let i = 1; i < y.length; i++) y[i] = Math.max(y[i], y[i - 1] + ROW);
  return rows.map((row, i) => ({ ...row, y: y[i] }));
}

function shade(pen, x, y, width, height) {
  pen.fillStyle = "rgba(7,9,11,.72)";
  pen.fillRect(x, y, width, height);
}

function paintLabel(pane, pen, { place, box, lead, y, aside }, { x, name, cell: across, wide, onRight, heads }) {
  const picked = box.site === pane.view.picked, over = box.site === pane.over;
  const edge = onRight ? place.right : place.left, near = onRight ? x - 3 : x + wide + 3;
  pen.beginPath();
  if (aside) { /* from the nearest side of the box to the row's end */
    const end = onRight ? x - 3 : x + wide + 3;
    pen.moveTo(Math.min(place.right, Math.max(place.left, end)), y < place.top ? place.top : y > place.bottom ? place.bottom : (place.top + place.bottom) / 2);
  } else pen.moveTo(edge, (place.top + place.bottom) / 2);
  pen.lineTo(near, y);
  stroke(pen, picked ? WHITE : lead.colour, picked || over ? 1.8 : 1, "solid");
  shade(pen, x - 3, y - ROW / 2, wide + 6, ROW);
  if (picked) {
    pen.lineWidth = 1.8;
    pen.strokeStyle = WHITE;
    pen.strokeRect(x - 3, y - ROW / 2 + 0.5, wide + 6, ROW - 1);
  }
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.font = `${picked ? "bold " : ""}13px sans-serif`;
  pen.fillStyle = WHITE;
  pen.fillText(box.site, x + 1, y + 0.5, name - 4);
  pen.textAlign = "center";
  pen.font = "bold 12px sans-serif";
  heads.forEach(({ i }, column) => {
    const at = x + name + column * across, cell = cellOn(pane.view, box, i);
    if (cell.colour) {
      pen.fillStyle = cell.colour;
      pen.fillRect(at + 2, y - 8, across - 4, 16);
    }
    pen.fillStyle = cell.colour ? ink(cell.colour) : "#c3cad1";
    pen.fillText(cell.text, at + across / 2, y + 0.5, across);
  });
  pane.hits.push({ site: box.site, left: x - 3, top: y - ROW / 2, right: x + wide + 3, bottom: y + ROW / 2 });
}

/* One reading's grade: of the film that is shown; in a difference both, "1→3", where they differ. */
function cellOn(view, box, i) {
  const none = { text: "–", colour: "" };
  if (modeOf(view) !== "difference") return box.cells[i] ?? none;
  const [one, two] = view.data.films.map((film) => cellsAt(film, box.site)[i] ?? none);
  return isChanged(view, box.site, i) ? { text: `${one.text}→${two.text}`, colour: two.colour } : one.colour ? one : two;
}

function ink(colour) {
  const [red, green, blue] = rgb(colour);
  return red * 0.3 + green * 0.59 + blue * 0.11 > 120 ? "#101418" : WHITE;
}
