/* Films: fetched, windowed to a picture, and subtracted. */

const CACHE = (globalThis.__sharpline_films ??= new Map());
const CACHE_FILMS = 6;
const DIGEST_BYTES = 32;
const PRESETS = {
  film: { level: 0, width: 1 },
  bone: { level: 0.12, width: 0.7 },
  soft: { level: -0.22, width: 0.55 },
  shoulder: { level: 0.25, width: 0.5 },
};

function show(view, index, film) {
  const pane = view.panes[index], sheet = view.sheets[index];
  const another = !sheet.film || sheet.blanked || sheet.film.id !== film.id || sheet.film.url !== film.url;
  sheet.film = pane.film = film;
  pane.darkRight = undefined;
  sheet.masks = new Map();
  view.difference = null;
  entitle(pane);
  pane.canvas.setAttribute("aria-label", `${film.title}: ${film.boxes.length} marked sites`);
  if (!another) return;
  view.isNew = true;
  empty(view, index);
  Object.assign(sheet, { frame: firstFrame(film, sheet.seen), blanked: false });
  view.nudge = null;
  if (film.rows) {
    if (pane.before) carry(pane, pane.before, film);
    else anew(pane);
    pane.before = film;
  }
  load(view, index, film);
}

async function load(view, index, film) {
  const pane = view.panes[index], sheet = view.sheets[index], started = performance.now();
  if (!film.url) return say(view, index, film.message ?? "");
  say(view, index, spoken(view, "Loading the film …"), true);
  try {
    const pixels = await fetchFilm(film);
    if (sheet.film.id !== film.id || sheet.blanked) return;
    if (pixels.length !== film.rows * film.columns * film.frames * channelsOf(film)) {
      throw new Error(`${pixels.length} pixels, not ${film.frames} x ${film.rows} x ${film.columns}`);
    }
    Object.assign(sheet, { all: pixels, grey: null });
    toFrame(view, index, sheet.frame);
    say(view, index, film.message ?? "");
    paintNow(pane);
    if (view.strip.dataset.mode !== "side") paint(view.panes[0]);
    pane.element.dataset.drawn = (performance.now() - started).toFixed(1);
    pane.element.dataset.at = String(performance.timeOrigin + performance.now());
  } catch (error) {
    if (sheet.film.id === film.id) say(view, index, spoken(view, `The film could not be loaded (${error.message}); reload the page.`));
  }
}

/* Values a pixel: one of 16 bits of grey, or red, green and blue of 8 bits. */
function channelsOf(film) { return film.colour ? 3 : 1; }

function fetchFilm({ url, colour }) {
  if (!CACHE.has(url)) {
    /* A range of everything: Streamlit gzips whole answers on each request, which takes longer than the film. */
    const request = fetch(url, { cache: "no-store", headers: { Range: "bytes=0-" } }).then(async (answer) => {
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const values = await answer.arrayBuffer();
      return colour ? new Uint8Array(values, DIGEST_BYTES) : new Uint16Array(values, DIGEST_BYTES);
    });
    request.catch(() => CACHE.delete(url));
    CACHE.set(url, request);
    if (CACHE.size > CACHE_FILMS) CACHE.delete(CACHE.keys().next().value);
  }
  return CACHE.get(url);
}

/* Nothing of a film stays on the screen. */
function empty(view, index) {
  Object.assign(view.sheets[index], { all: null, pixels: null, grey: null, stale: true });
  delete view.panes[index].element.dataset.drawn;
  const { canvas } = view.panes[index];
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

/* Another film was asked for: this one goes at once. */
function blankOut(view, index, text) {
  empty(view, index);
  view.sheets[index].blanked = true;
  say(view, index, text, true);
}

function say(view, index, text, busy = false) {
  Object.assign(view.sheets[index], { said: text, busy });
  view.panes.forEach((pane) => { tell(pane); paint(pane); });
}

/* What is said in the place of a film; of a difference, what the film that lacks says. */
function messageOf(pane) {
  const { view } = pane, faces = modeOf(view) === "difference" ? view.sheets : [view.sheets[faceOf(pane)]];
  return faces.find((sheet) => sheet.said) ?? faces[0];
}

function tell(pane) {
  const message = pane.element.querySelector(".message"), { said, busy } = messageOf(pane);
  message.querySelector("span").textContent = said;
  message.querySelector("i").hidden = !busy;
  message.hidden = !said;
}

/* The corner of a film: patient, side and view; visit; what is seen on it. */
function headingOf(pane) {
  const { films } = pane.view.data, of = (film) => [film.patient, film.side, film.view, orientText(pane)].filter(Boolean).join(" · ");
  if (modeOf(pane.view) === "difference") return [of(films[0]), `${films[1].title} − ${films[0].title}`, "difference"];
  const film = films[faceOf(pane)];
  return [of(film), film.title, film.subtitle];
}

function entitle(pane) {
  const title = pane.element.querySelector(".title"), [who, text, small] = headingOf(pane);
  pane.element.querySelector(".who").textContent = who;
  title.textContent = text;
  if (small) title.append(Object.assign(document.createElement("small"), { textContent: small }));
}

/* ---- grey values ---- */

function windowOf(view, film) {
  if (view.full) return { low: film.range.low, high: film.range.high };
  const span = Math.max(1, film.window.high - film.window.low);
  const centre = (film.window.low + film.window.high) / 2 + view.level * span;
  return { low: centre - (span * view.width) / 2, high: centre + (span * view.width) / 2 };
}

function lookup({ low, high }, invert) {
  const table = new Uint32Array(65536);
  const step = 255 / Math.max(1, high - low);
  for (let value = 0; value < 65536; value++) {
    const grey = toByte((value - low) * step, invert);
    table[value] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}

function toByte(value, invert) {
  const grey = value < 0 ? 0 : value > 255 ? 255 : value | 0;
  return invert ? 255 - grey : grey;
}

/* Each channel through the window, so that colours stay. */
function developColour(pixels, out, { low, high }, invert) {
  const step = 255 / Math.max(1, high - low), table = Uint8Array.from({ length: 256 }, (_, value) => toByte((value - low) * step, invert));
  for (let i = 0, at = 0; i < out.length; i++, at += 3) {
    out[i] = 0xff000000 | (table[pixels[at + 2]] << 16) | (table[pixels[at + 1]] << 8) | table[pixels[at]];
  }
}

function blank(columns, rows) { return Object.assign(document.createElement("canvas"), { width: columns, height: rows }); }

function develop(view, sheet) {
  const { rows, columns } = sheet.film;
  if (!sheet.grey) {
    sheet.grey = blank(columns, rows);
    sheet.image = new ImageData(columns, rows);
  }
  const out = new Uint32Array(sheet.image.data.buffer), { pixels } = sheet, window = windowOf(view, sheet.film);
  if (sheet.film.colour) developColour(pixels, out, window, view.invert);
  else {
    const table = lookup(window, view.invert);
    for (let i = 0; i < pixels.length; i++) out[i] = table[pixels[i]];
  }
  sheet.grey.getContext("2d").putImageData(sheet.image, 0, 0);
  sheet.stale = false;
}

function restage(view) {
  view.sheets.forEach((sheet) => { sheet.stale = true; });
  if (view.difference) view.difference.stale = true;
  view.panes.forEach(paint);
  const at = (name) => view.root.querySelector(`[data-do="${name}"]`);
  at("level").value = String(Math.round(-view.level * 100));
  at("width").value = String(Math.round(-Math.log2(view.width) * 50));
  drawWindow(view);
}

/* ---- difference ---- */

const OUTSIDE = -32768, FULL = 16384; /* FULL: a difference as large as the first film's window */

/* Follow-up minus baseline on the first film's grid, as a picture: grey the same, bright denser, black outside. */
function differencePicture(view) {
  const matrix = between(view), name = matrix.join(" ");
  if (view.difference?.name !== name) view.difference = { name, values: subtract(view.sheets, matrix), stale: true };
  const { difference, sheets: [{ film }] } = view;
  if (difference.stale) {
    const image = new ImageData(film.columns, film.rows), out = new Uint32Array(image.data.buffer);
    const gain = (127.5 * 1.6) / (FULL * view.width), { values } = difference;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === OUTSIDE) continue;
      const grey = 127.5 + values[i] * gain;
      const shade = grey < 0 ? 0 : grey > 255 ? 255 : grey | 0;
      out[i] = 0xff000000 | (shade << 16) | (shade << 8) | shade;
    }
    difference.canvas ??= blank(film.columns, film.rows);
    difference.canvas.getContext("2d").putImageData(image, 0, 0);
    difference.stale = false;
  }
  return difference.canvas;
}

function subtract([one, two], matrix) {
  const { rows, columns, window } = one.film, span = Math.max(1, window.high - window.low);
  const { gain, offset } = exposure(one, two, matrix);
  const values = new Int16Array(rows * columns), to = FULL / span;
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, i++) {
      const later = sample(two, matrix, x, y);
      values[i] = later < 0 ? OUTSIDE : Math.max(-32767, Math.min(32767, (later * gain + offset - one.pixels[i]) * to));
    }
  }
  return values;
}

/* The second film's grey value (bilinear) under a pixel of the first; -1 outside. */
function sample(sheet, [a, b, c, d, e, f], x, y) {
  const u = a * x + c * y + e, v = b * x + d * y + f;
  const { rows, columns } = sheet.film, left = Math.floor(u), top = Math.floor(v);
  if (left < 0 || top < 0 || left >= columns - 1 || top >= rows - 1) return -1;
  const i = top * columns + left, right = u - left, low = v - top, { pixels } = sheet;
  return (pixels[i] * (1 - right) + pixels[i + 1] * right) * (1 - low) + (pixels[i + columns] * (1 - right) + pixels[i + columns + 1] * right) * low;
}

/* Films are exposed differently: mean and spread of the common part, within the first window, are made equal. */
function exposure(one, two, matrix) {
  const { rows, columns, window } = one.film;
  let n = 0, sumA = 0, sumB = 0, squareA = 0, squareB = 0;
  for (let y = 7; y < rows; y += 13) {
    for (let x = 7; x < columns; x += 13) {
      const before = one.pixels[y * columns + x], later = sample(two, matrix, x, y);
      if (later < 0 || before < window.low || before > window.high) continue;
      n += 1; sumA += before; sumB += later; squareA += before * before; squareB += later * later;
    }
  }
  if (n < 50) return { gain: 1, offset: 0 };
  const spread = (square, sum) => Math.sqrt(Math.max(1, square / n - (sum / n) ** 2));
  const gain = Math.max(0.5, Math.min(2, spread(squareA, sumA) / spread(squareB, sumB)));
  return { gain, offset: sumA / n - (gain * sumB) / n };
}
