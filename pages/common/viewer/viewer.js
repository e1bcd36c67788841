/* The film viewer: 16-bit grey films on canvas, one or a pair side by side.

   data.films[]: {id, title, subtitle, url, rows, columns, spacing: [row mm, column mm] | null,
                  window: {low, high}, range: {low, high}, message, boxes[]}
   box: {site, x0, y0, x1, y1 (film pixels), colour, cells: [{text, colour}], tip}
   data.heads: the names over the cells; data.focus: site to show large, or null; data.height: pixels.
   A click on a box or its label sets the trigger `site` to {site, film}.
   Positions: film pixels (x right, y down), "flat" = film pixels with the aspect of the real thing, screen = CSS pixels. */

const CACHE = (globalThis.__sharpline_films ??= new Map());
const CACHE_FILMS = 6;
const DIGEST_BYTES = 32;
const FOCUS_MM = 46;
const PRESETS = {
  film: { level: 0, width: 1 },
  bone: { level: 0.12, width: 0.7 },
  soft: { level: -0.22, width: 0.55 },
  shoulder: { level: 0.25, width: 0.5 },
};

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".viewer");
  const view = (root.__view ??= createView(root));
  view.send = (value) => setTriggerValue("site", value);
  update(view, data);
  view.resizes.observe(view.strip);
  return () => view.resizes.disconnect();
}

/* ---- state ---- */

function createView(root) {
  const view = {
    root, strip: root.querySelector(".films"), panes: [], data: null, picked: null, shown: undefined,
    level: 0, width: 1, full: false, invert: false, boxes: true, labels: true, linked: true, send: () => {},
  };
  view.resizes = new ResizeObserver(() => { view.panes.forEach(resize); });
  root.querySelectorAll("[data-do]").forEach((tool) => {
    const event = tool.tagName === "BUTTON" ? "click" : "input";
    tool.addEventListener(event, () => act(view, tool.dataset.do, tool.value));
  });
  root.addEventListener("keydown", (event) => key(view, event));
  document.addEventListener("fullscreenchange", () => fitHeight(view));
  return view;
}

function createPane(view) {
  const element = document.createElement("div");
  element.className = "film";
  element.innerHTML =
    '<canvas role="img"></canvas><div class="title"></div><div class="state"></div><div class="message" hidden></div>';
  const canvas = element.querySelector("canvas");
  const pane = {
    view, element, canvas, film: null, pixels: null, grey: null, stale: true, scale: 1, x: 0, y: 0, fitted: true,
    hits: [], over: null,
  };
  canvas.addEventListener("wheel", (event) => wheel(pane, event), { passive: false });
  canvas.addEventListener("pointerdown", (event) => press(pane, event));
  canvas.addEventListener("pointermove", (event) => hover(pane, event));
  canvas.addEventListener("pointerleave", () => { pane.over = null; paint(pane); });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", (event) => {
    const site = hit(pane, ...spot(pane, event));
    targets(pane).forEach((one) => { if (site) focus(one, site); else fit(one); });
  });
  view.strip.append(element);
  return pane;
}

function update(view, data) {
  view.data = data;
  while (view.panes.length < data.films.length) view.panes.push(createPane(view));
  while (view.panes.length > data.films.length) view.panes.pop().element.remove();
  view.root.querySelector('[data-do="linked"]').hidden = data.films.length < 2;
  fitHeight(view);
  data.films.forEach((film, index) => show(view.panes[index], film));
  if (view.shown !== data.focus) {
    const chosenHere = view.picked === data.focus;
    view.shown = data.focus;
    view.picked = data.focus;
    if (!chosenHere) view.panes.forEach((pane) => { if (pane.pixels) focus(pane, data.focus); });
  }
  view.panes.forEach(paint);
}

function fitHeight(view) {
  const bar = view.root.querySelector(".bar").offsetHeight;
  const whole = document.fullscreenElement ? window.innerHeight - bar - 24 : view.data?.height ?? 560;
  view.strip.style.height = `${whole}px`;
  view.panes.forEach(resize);
}

/* ---- one film ---- */

function show(pane, film) {
  const changed = !pane.film || pane.film.id !== film.id || pane.film.url !== film.url;
  pane.film = film;
  pane.darkRight = undefined;
  const title = pane.element.querySelector(".title");
  title.textContent = film.title;
  if (film.subtitle) title.append(Object.assign(document.createElement("small"), { textContent: film.subtitle }));
  pane.canvas.setAttribute("aria-label", `${film.title}: ${film.boxes.length} marked sites`);
  say(pane, film.message ?? "");
  if (!changed) return;
  Object.assign(pane, { pixels: null, grey: null, fitted: true });
  delete pane.element.dataset.drawn;
  if (film.url) load(pane, film);
}

async function load(pane, film) {
  const started = performance.now();
  say(pane, "Loading the film …");
  try {
    const pixels = await fetchFilm(film.url);
    if (pane.film.id !== film.id) return;
    if (pixels.length !== film.rows * film.columns) throw new Error(`${pixels.length} pixels, not ${film.rows} x ${film.columns}`);
    Object.assign(pane, { pixels, grey: null, stale: true });
    say(pane, "");
    fit(pane);
    focus(pane, pane.view.data.focus);
    paint(pane);
    pane.element.dataset.drawn = (performance.now() - started).toFixed(1);
    pane.element.dataset.at = String(performance.timeOrigin + performance.now());
  } catch (error) {
    if (pane.film.id === film.id) say(pane, `The film could not be loaded (${error.message}); reload the page.`);
  }
}

function fetchFilm(url) {
  if (!CACHE.has(url)) {
    /* A range of everything: Streamlit gzips whole answers on each request, which takes longer than the film. */
    const request = fetch(url, { cache: "no-store", headers: { Range: "bytes=0-" } }).then(async (answer) => {
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      return new Uint16Array(await answer.arrayBuffer(), DIGEST_BYTES);
    });
    request.catch(() => CACHE.delete(url));
    CACHE.set(url, request);
    if (CACHE.size > CACHE_FILMS) CACHE.delete(CACHE.keys().next().value);
  }
  return CACHE.get(url);
}

function say(pane, text) {
  const message = pane.element.querySelector(".message");
  message.textContent = text;
  message.hidden = !text;
}

/* ---- geometry ---- */

function aspect(film) { return film.spacing ? film.spacing[0] / film.spacing[1] : 1; }
function toScreen(pane, x, y) { return [pane.x + x * pane.scale, pane.y + y * pane.scale * aspect(pane.film)]; }
function size(pane) { return [pane.canvas.clientWidth, pane.canvas.clientHeight]; }
function targets(pane) { return pane.view.linked ? pane.view.panes : [pane]; }

function fit(pane) {
  const [width, height] = size(pane);
  const { rows, columns } = pane.film;
  if (!width || !height || !rows) return;
  pane.scale = Math.min(width / columns, height / (rows * aspect(pane.film)));
  pane.x = (width - columns * pane.scale) / 2;
  pane.y = (height - rows * aspect(pane.film) * pane.scale) / 2;
  pane.fitted = true;
  paint(pane);
}

function focus(pane, site) {
  const box = pane.film?.boxes.find((one) => one.site === site);
  const [width, height] = size(pane);
  if (!box || !width) return;
  const film = pane.film;
  const across = film.spacing ? FOCUS_MM / film.spacing[1] : Math.max(box.x1 - box.x0, box.y1 - box.y0) * 8;
  pane.scale = Math.min(width, height) / across;
  pane.x = width / 2 - ((box.x0 + box.x1) / 2) * pane.scale;
  pane.y = height / 2 - ((box.y0 + box.y1) / 2) * pane.scale * aspect(film);
  pane.fitted = false;
  paint(pane);
}

function zoom(pane, factor, atX, atY) {
  const next = Math.min(24, Math.max(0.03, pane.scale * factor));
  const real = next / pane.scale;
  pane.x = atX - (atX - pane.x) * real;
  pane.y = atY - (atY - pane.y) * real;
  pane.scale = next;
  pane.fitted = false;
  paint(pane);
}

function move(pane, dx, dy) {
  pane.x += dx;
  pane.y += dy;
  pane.fitted = false;
  paint(pane);
}

function resize(pane) {
  const [width, height] = size(pane);
  const dots = window.devicePixelRatio || 1;
  if (pane.canvas.width !== Math.round(width * dots) || pane.canvas.height !== Math.round(height * dots)) {
    pane.canvas.width = Math.round(width * dots);
    pane.canvas.height = Math.round(height * dots);
  }
  if (pane.film && pane.fitted) fit(pane); else paint(pane);
}

/* ---- grey values ---- */

function windowOf(pane) {
  const { film, view } = pane;
  if (view.full) return { low: film.range.low, high: film.range.high };
  const span = Math.max(1, film.window.high - film.window.low);
  const centre = (film.window.low + film.window.high) / 2 + view.level * span;
  return { low: centre - (span * view.width) / 2, high: centre + (span * view.width) / 2 };
}

function lookup({ low, high }, invert) {
  const table = new Uint32Array(65536);
  const step = 255 / Math.max(1, high - low);
  for (let value = 0; value < 65536; value++) {
    let grey = (value - low) * step;
    grey = grey < 0 ? 0 : grey > 255 ? 255 : grey | 0;
    if (invert) grey = 255 - grey;
    table[value] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}

function develop(pane) {
  const { rows, columns } = pane.film;
  if (!pane.grey) {
    pane.grey = document.createElement("canvas");
    pane.grey.width = columns;
    pane.grey.height = rows;
    pane.image = new ImageData(columns, rows);
  }
  const table = lookup(windowOf(pane), pane.view.invert);
  const out = new Uint32Array(pane.image.data.buffer);
  const pixels = pane.pixels;
  for (let i = 0; i < pixels.length; i++) out[i] = table[pixels[i]];
  pane.grey.getContext("2d").putImageData(pane.image, 0, 0);
  pane.stale = false;
}

function restage(view) {
  view.panes.forEach((pane) => { pane.stale = true; paint(pane); });
  const at = (name) => view.root.querySelector(`[data-do="${name}"]`);
  at("level").value = String(Math.round(-view.level * 100));
  at("width").value = String(Math.round(-Math.log2(view.width) * 50));
}

/* ---- painting ---- */

function paint(pane) {
  if (pane.queued) return;
  pane.queued = true;
  requestAnimationFrame(() => { pane.queued = false; paintNow(pane); });
  if (pane.element.dataset.drawn === undefined && pane.pixels) { paintNow(pane); }
}

function paintNow(pane) {
  const context = pane.canvas.getContext("2d");
  const dots = window.devicePixelRatio || 1;
  const [width, height] = size(pane);
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.clearRect(0, 0, width, height);
  pane.hits = [];
  if (!pane.pixels) return;
  if (pane.stale || !pane.grey) develop(pane);
  const film = pane.film;
  context.imageSmoothingEnabled = pane.scale < 3;
  context.imageSmoothingQuality = pane.scale < 0.6 ? "medium" : "low";
  context.drawImage(pane.grey, pane.x, pane.y, film.columns * pane.scale, film.rows * pane.scale * aspect(film));
  if (pane.view.boxes) paintBoxes(pane, context);
  if (pane.view.labels) paintLabels(pane, context, width, height);
  paintScale(pane, context, width, height);
  paintState(pane);
  pane.element.dataset.view = [pane.scale, pane.x, pane.y].join(" ");
}

function placed(pane) {
  return pane.film.boxes.map((box) => {
    const [left, top] = toScreen(pane, box.x0, box.y0);
    const [right, bottom] = toScreen(pane, box.x1, box.y1);
    return { box, left, top, right, bottom };
  });
}

function paintBoxes(pane, context) {
  for (const { box, left, top, right, bottom } of placed(pane)) {
    const strong = box.site === pane.view.picked || box.site === pane.over;
    context.lineWidth = strong ? 5 : 3.5;
    context.strokeStyle = "rgba(0,0,0,.65)";
    context.strokeRect(left, top, right - left, bottom - top);
    context.lineWidth = strong ? 3 : 1.75;
    context.strokeStyle = strong && box.site === pane.view.picked ? "#ffffff" : box.colour;
    context.strokeRect(left, top, right - left, bottom - top);
    if (strong) {
      context.lineWidth = 1.5;
      context.strokeStyle = box.colour;
      context.strokeRect(left - 3, top - 3, right - left + 6, bottom - top + 6);
    }
    pane.hits.push({ site: box.site, left: left - 3, top: top - 3, right: right + 3, bottom: bottom + 3 });
  }
}

const ROW = 19, CELL = 22, NAME = 38;

function paintLabels(pane, context, width, height) {
  const inside = placed(pane).filter((one) => one.bottom > 0 && one.top < height && one.right > 0 && one.left < width);
  if (!inside.length) return;
  const heads = pane.view.data.heads;
  const wide = NAME + heads.length * CELL;
  const right = Math.max(...inside.map((one) => one.right));
  const left = Math.min(...inside.map((one) => one.left));
  const onRight = labelsOnRight(pane, left, right, wide, width);
  const x = onRight ? Math.min(right + 18, width - wide - 6) : Math.max(6, left - 18 - wide);
  const rows = spread(inside.sort((a, b) => a.top + a.bottom - b.top - b.bottom), 84, height - 66);
  context.textBaseline = "middle";
  context.font = "11px sans-serif";
  rows.forEach((row) => paintLabel(pane, context, row, x, wide, onRight));
  context.font = "11px sans-serif";
  context.textAlign = "center";
  heads.forEach((head, i) => {
    const y = rows[0].y - ROW + 2;
    shade(context, x + NAME + i * CELL, y - 8, CELL, 15);
    context.fillStyle = "#e8ecf0";
    context.fillText(head, x + NAME + i * CELL + CELL / 2, y, CELL);
  });
}

/* Labels stand on the darker side of the sites, away from the bone, where there is room for them. */
function labelsOnRight(pane, left, right, wide, width) {
  pane.darkRight ??= darkerOnRight(pane);
  const roomLeft = left - 18 - wide >= 0, roomRight = right + 18 + wide <= width;
  if (pane.darkRight ? roomRight : roomLeft) return pane.darkRight;
  if (pane.darkRight ? roomLeft : roomRight) return !pane.darkRight;
  return pane.darkRight;
}

function darkerOnRight(pane) {
  const { rows, columns, boxes } = pane.film;
  let left = 0, right = 0;
  for (const box of boxes) {
    const size = box.x1 - box.x0, y = Math.round((box.y0 + box.y1) / 2);
    if (y < 0 || y >= rows) continue;
    for (let step = 0; step < 2 * size; step += 4) {
      left += pane.pixels[y * columns + Math.max(0, Math.round(box.x0 - step))];
      right += pane.pixels[y * columns + Math.min(columns - 1, Math.round(box.x1 + step))];
    }
  }
  return right < left;
}

function spread(rows, top, bottom) {
  const wanted = rows.map((row) => (row.top + row.bottom) / 2);
  const room = Math.max(ROW, Math.min(ROW, (bottom - top) / rows.length));
  const y = [...wanted];
  for (let turn = 0; turn < 60; turn++) {
    y[0] = Math.max(y[0], top);
    for (let i = 1; i < y.length; i++) {
      const short = room - (y[i] - y[i - 1]);
      if (short > 0) { y[i] += short / 2; y[i - 1] -= short / 2; }
    }
    y[y.length - 1] = Math.min(y[y.length - 1], bottom);
  }
  for (let i = 1; i < y.length; i++) y[i] = Math.max(y[i], y[i - 1] + room);
  return rows.map((row, i) => ({ ...row, y: y[i] }));
}

function shade(context, x, y, width, height) {
  context.fillStyle = "rgba(7,9,11,.72)";
  context.fillRect(x, y, width, height);
}

function paintLabel(pane, context, { box, left, right, top, bottom, y }, x, wide, onRight) {
  const picked = box.site === pane.view.picked, over = box.site === pane.over;
  const edge = onRight ? right : left, near = onRight ? x - 3 : x + wide + 3;
  context.lineWidth = picked || over ? 1.8 : 1;
  context.strokeStyle = picked ? "#ffffff" : box.colour;
  context.beginPath();
  context.moveTo(edge, (top + bottom) / 2);
  context.lineTo(near, y);
  context.stroke();
  shade(context, x - 3, y - ROW / 2, wide + 6, ROW);
  if (picked) { context.strokeRect(x - 3, y - ROW / 2 + 0.5, wide + 6, ROW - 1); }
  context.textAlign = "left";
  context.font = `${picked ? "bold " : ""}13px sans-serif`;
  context.fillStyle = "#ffffff";
  context.fillText(box.site, x + 1, y + 0.5, NAME - 4);
  context.textAlign = "center";
  box.cells.forEach((cell, i) => {
    const at = x + NAME + i * CELL;
    if (cell.colour) {
      context.fillStyle = cell.colour;
      context.fillRect(at + 2, y - 8, CELL - 4, 16);
    }
    context.font = "bold 12px sans-serif";
    context.fillStyle = cell.colour ? ink(cell.colour) : "#c3cad1";
    context.fillText(cell.text, at + CELL / 2, y + 0.5, CELL);
  });
  pane.hits.push({ site: box.site, left: x - 3, top: y - ROW / 2, right: x + wide + 3, bottom: y + ROW / 2 });
}

function ink(colour) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return red * 0.3 + green * 0.59 + blue * 0.11 > 120 ? "#101418" : "#ffffff";
}

function paintScale(pane, context, width, height) {
  const { spacing } = pane.film;
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.font = "13px sans-serif";
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0,0,0,.8)";
  context.fillStyle = "#ffffff";
  if (!spacing) {
    context.strokeText("no scale: the file gives no pixel spacing", 12, height - 12);
    context.fillText("no scale: the file gives no pixel spacing", 12, height - 12);
    return;
  }
  const perMm = pane.scale / spacing[1];
  const mm = [0.5, 1, 2, 5, 10, 20, 50, 100, 200].findLast((one) => one * perMm <= Math.min(150, width / 3)) ?? 0.5;
  const long = mm * perMm, y = height - 14;
  context.fillStyle = "rgba(0,0,0,.8)";
  context.fillRect(10, y - 7, long + 4, 10);
  context.fillStyle = "#ffffff";
  context.fillRect(12, y - 2, long, 3);
  context.fillRect(12, y - 6, 2, 8);
  context.fillRect(10 + long, y - 6, 2, 8);
  context.strokeText(`${mm} mm`, 20 + long, y + 3);
  context.fillText(`${mm} mm`, 20 + long, y + 3);
}

function paintState(pane) {
  const { low, high } = windowOf(pane);
  pane.element.querySelector(".state").textContent =
    `W ${Math.round(high - low)}  C ${Math.round((low + high) / 2)}  ·  ${Math.round(pane.scale * 100)} %`;
}

/* ---- mouse and keys ---- */

function spot(pane, event) {
  const frame = pane.canvas.getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
}

function hit(pane, x, y) {
  const under = pane.hits.filter((one) => x >= one.left && x <= one.right && y >= one.top && y <= one.bottom);
  const area = (one) => (one.right - one.left) * (one.bottom - one.top);
  return under.sort((a, b) => area(a) - area(b))[0]?.site ?? null;
}

function wheel(pane, event) {
  event.preventDefault();
  const factor = Math.exp(-Math.sign(event.deltaY) * Math.min(120, Math.abs(event.deltaY)) * 0.0018);
  const [x, y] = spot(pane, event);
  targets(pane).forEach((one) => zoom(one, factor, x, y));
}

function press(pane, event) {
  pane.view.root.focus({ preventScroll: true });
  pane.canvas.setPointerCapture(event.pointerId);
  const start = spot(pane, event);
  const grey = event.button === 2;
  let last = start, moved = false;
  const drag = (now) => {
    const at = spot(pane, now), dx = at[0] - last[0], dy = at[1] - last[1];
    if (Math.hypot(at[0] - start[0], at[1] - start[1]) > 3) moved = true;
    if (!moved) return;
    last = at;
    if (grey) shift(pane.view, -dy / 300, Math.exp(-dx / 200));
    else {
      pane.canvas.classList.add("moving");
      targets(pane).forEach((one) => move(one, dx, dy));
    }
  };
  const end = (now) => {
    pane.canvas.classList.remove("moving");
    ["pointermove", "pointerup", "pointercancel"].forEach((name) => pane.canvas.removeEventListener(name, name === "pointermove" ? drag : end));
    const site = now.type === "pointerup" && !moved && !grey ? hit(pane, ...spot(pane, now)) : null;
    if (site) pick(pane.view, site, pane.film.id);
  };
  pane.canvas.addEventListener("pointermove", drag);
  pane.canvas.addEventListener("pointerup", end);
  pane.canvas.addEventListener("pointercancel", end);
}

function hover(pane, event) {
  const site = hit(pane, ...spot(pane, event));
  if (site === pane.over) return;
  pane.view.panes.forEach((one) => { one.over = site; paint(one); });
  pane.canvas.classList.toggle("over", Boolean(site));
  const box = site && pane.film.boxes.find((one) => one.site === site);
  pane.canvas.title = box?.tip ?? "";
}

function pick(view, site, film) {
  view.picked = site;
  view.panes.forEach(paint);
  view.send({ site, film });
}

function shift(view, level, width) {
  if (view.full) Object.assign(view, { full: false });
  view.level = Math.max(-1, Math.min(1, view.level + level));
  view.width = Math.max(0.05, Math.min(4, view.width * width));
  restage(view);
}

function step(view, by) {
  const sites = view.data.order.filter((site) => view.data.films.some((film) => film.boxes.some((box) => box.site === site)));
  if (!sites.length) return;
  const at = sites.indexOf(view.picked);
  view.picked = sites[(at + by + sites.length + (at < 0 && by < 0 ? 1 : 0)) % sites.length];
  view.panes.forEach(paint);
}

function middle(view, work) {
  view.panes.forEach((pane) => { const [width, height] = size(pane); work(pane, width / 2, height / 2); });
}

function toggle(view, name) {
  view[name] = !view[name];
  view.root.querySelector(`[data-do="${name}"]`).setAttribute("aria-pressed", String(view[name]));
}

function act(view, name, value) {
  const does = {
    fit: () => view.panes.forEach(fit),
    in: () => middle(view, (pane, x, y) => zoom(pane, 1.35, x, y)),
    out: () => middle(view, (pane, x, y) => zoom(pane, 1 / 1.35, x, y)),
    real: () => middle(view, (pane, x, y) => zoom(pane, 1 / pane.scale, x, y)),
    preset: () => { Object.assign(view, { level: 0, width: 1 }, PRESETS[value] ?? {}, { full: value === "full" }); restage(view); },
    level: () => { Object.assign(view, { level: -value / 100, full: false }); restage(view); },
    width: () => { Object.assign(view, { width: 2 ** (-value / 50), full: false }); restage(view); },
    invert: () => { toggle(view, "invert"); restage(view); },
    boxes: () => { toggle(view, "boxes"); view.panes.forEach(paint); },
    labels: () => { toggle(view, "labels"); view.panes.forEach(paint); },
    linked: () => toggle(view, "linked"),
    full: () => { if (document.fullscreenElement) document.exitFullscreen(); else view.root.requestFullscreen?.(); },
    help: () => {
      const help = view.root.querySelector(".help");
      help.hidden = !help.hidden;
      view.root.querySelector('[data-do="help"]').setAttribute("aria-pressed", String(!help.hidden));
    },
  };
  does[name]?.();
}

function key(view, event) {
  if (event.target !== view.root || event.ctrlKey || event.metaKey || event.altKey) return;
  const by = 40;
  const does = {
    "+": () => act(view, "in"), "=": () => act(view, "in"), "-": () => act(view, "out"),
    0: () => act(view, "fit"), 1: () => act(view, "real"),
    ArrowLeft: () => view.panes.forEach((pane) => move(pane, by, 0)),
    ArrowRight: () => view.panes.forEach((pane) => move(pane, -by, 0)),
    ArrowUp: () => view.panes.forEach((pane) => move(pane, 0, by)),
    ArrowDown: () => view.panes.forEach((pane) => move(pane, 0, -by)),
    "[": () => shift(view, 0, 1.1), "]": () => shift(view, 0, 1 / 1.1),
    ",": () => shift(view, 0.04, 1), ".": () => shift(view, -0.04, 1),
    i: () => act(view, "invert"), b: () => act(view, "boxes"), l: () => act(view, "labels"),
    k: () => act(view, "linked"), f: () => act(view, "full"), "?": () => act(view, "help"),
    n: () => step(view, 1), p: () => step(view, -1),
    Enter: () => { if (view.picked) pick(view, view.picked, view.data.films[0]?.id); },
  }[event.key];
  if (!does) return;
  event.preventDefault();
  event.stopPropagation();
  does();
}
