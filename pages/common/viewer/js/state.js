/* What the viewer shows now, and what it remembers.

   view: one viewer. sheets[]: one film each (all: every frame; frame: which is shown; its pixels; developed picture). panes[]: one canvas each; pane i looks
   at sheet i, but in blink and difference mode pane 0 alone is shown and both sheets lie on it.
   Remembered between films, reruns and pages: zoom and place, window, mode, chosen site (in this tab), and which
   overlays, labels and site list are on and the blink rate (in this browser). */

const MEMORY = (globalThis.__sharpline_memory ??= new Map());
const HABITS = "sharpline.viewer";
const MODES = ["side", "blink", "difference"];
const FAST_BLINK = 3; /* changes a second: more can harm people with photosensitive epilepsy */

function createView(root) {
  const view = {
    root, strip: root.querySelector(".films"), sheets: [], panes: [], data: null, picked: null, shown: undefined,
    level: 0, width: 1, full: false, invert: false, linked: true, mode: "side", face: 1, paused: false, nudge: null,
    accepted: "", boxes: true, labels: true, list: null, changed: false, off: [], rate: 1.5, asked: [], tool: null, draft: null, rekeyed: null,
    whole: false, lens: false, orients: new Map(), measures: new Map(), ...habits(),
    send: () => {}, sendVisit: () => {},
  };
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) view.paused = true;
  view.resizes = new ResizeObserver(() => { view.panes.forEach(resize); });
  root.querySelectorAll("[data-do]").forEach((tool) => {
    const event = tool.tagName === "BUTTON" ? "click" : tool.type === "number" ? "change" : "input";
    tool.addEventListener(event, () => act(view, tool.dataset.do, tool.value));
  });
  createMenus(view);
  globalThis.__sharpline_keys ??= ownKeys();
  writeTitles(view);
  root.addEventListener("keydown", (event) => key(view, event));
  document.addEventListener("fullscreenchange", () => fitHeight(view));
  return view;
}

function habits() {
  try { return JSON.parse(localStorage.getItem(HABITS)) ?? {}; } catch { return {}; }
}

function keepHabits(view) {
  const { boxes, labels, list, off, rate } = view;
  try { localStorage.setItem(HABITS, JSON.stringify({ boxes, labels, list, off, rate })); } catch { /* private window */ }
}

/* Called after every painting: what a new viewer of the same name starts with. */
function remember(view) {
  const { level, width, full, invert, linked, mode, accepted, picked, shown, revealed, orients, measures, whole } = view;
  const panes = view.panes.map((pane) => {
    const [wide, high] = size(pane);
    if (wide && pane.film?.rows) {
      const [x, y] = toFilm(pane, wide / 2, high / 2);
      pane.last = { film: pane.film, scale: pane.scale, x, y, fitted: pane.fitted, own: pane.own, seen: view.sheets[pane.index]?.seen };
    }
    return pane.last ?? pane.kept;
  });
  MEMORY.set(view.data.key, { level, width, full, invert, linked, mode, accepted, picked, shown, revealed, orients, measures, whole, panes });
}

function recall(view) {
  const kept = MEMORY.get(view.data.key);
  if (!kept) return;
  const { panes, ...rest } = kept;
  Object.assign(view, rest);
  view.kept = panes;
}

function update(view, data) {
  const fresh = view.data === null;
  stopPlaying(view);
  view.data = data;
  speak(view);
  if (fresh) recall(view);
  while (view.panes.length < data.films.length) addPane(view);
  while (view.panes.length > data.films.length) { view.panes.pop().element.remove(); view.sheets.pop(); }
  const isOld = isLeftBehind(view, data.focus);
  const zoomIn = !isOld && view.shown !== data.focus && (fresh || view.picked !== data.focus);
  if (!isOld && view.shown !== data.focus) view.picked = data.focus;
  view.shown = data.focus;
  fitHeight(view);
  view.isNew = false;
  data.films.forEach((film, index) => show(view, index, film));
  if (view.isNew) refit(view);
  if (view.isNew && view.linked && data.partners) followFrames(view, view.sheets[0], 0);
  if (view.mode === "difference" && isLoose(view) && view.accepted !== pairOf(view)) view.mode = "side";
  setMode(view, view.mode);
  if (zoomIn) focusAll(view, data.focus);
  drawTools(view);
  drawSites(view);
  view.panes.forEach(paint);
  reveal(view, data.reveal);
}

/* A person asked elsewhere on the page to see the films. */
function reveal(view, asked) {
  if (asked && asked !== view.revealed) requestAnimationFrame(() => view.root.scrollIntoView({ block: "center", behavior: "instant" }));
  view.revealed = asked;
}

function addPane(view) {
  const index = view.panes.length;
  view.sheets.push({ film: null, all: null, pixels: null, frame: 0, grey: null, image: null, stale: true, said: "", busy: false });
  const pane = createPane(view, index);
  pane.kept = view.kept?.[index] ?? null;
  view.sheets[index].seen = pane.kept?.seen ?? null;
  pane.film = pane.before = pane.kept?.film ?? null;
  view.panes.push(pane);
}

function createPane(view, index) {
  const element = document.createElement("div");
  element.className = "film";
  element.innerHTML =
    '<canvas role="img"></canvas><div class="heading"><div class="who"></div><div class="title"></div></div><div class="state"></div>' +
    '<div class="message" role="status" hidden><i></i><span></span></div>';
  const canvas = element.querySelector("canvas");
  const pane = { view, index, element, canvas, film: null, kept: null, scale: 1, x: 0, y: 0, fitted: true, own: false, hits: [], over: null };
  canvas.addEventListener("wheel", (event) => wheel(pane, event), { passive: false });
  canvas.addEventListener("pointerdown", (event) => press(pane, event));
  canvas.addEventListener("pointermove", (event) => hover(pane, event));
  canvas.addEventListener("pointerleave", () => { pane.at = null; view.panes.forEach((one) => { one.over = null; paint(one); }); });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", (event) => {
    const site = hit(pane, ...spot(pane, event));
    if (site) focusAll(view, site, view.linked ? view.panes : [pane]);
    else (view.linked ? view.panes : [pane]).forEach(fit);
  });
  view.strip.append(element);
  return pane;
}

function fitHeight(view) {
  const bar = view.root.querySelector(".bar").offsetHeight;
  const below = view.root.dataset.thing ? ["strip", "legend"].reduce((sum, one) => sum + view.root.querySelector(`.${one}`).offsetHeight + 6, 0) : 0;
  const whole = document.fullscreenElement ? window.innerHeight - bar - below - 24 : view.data?.height ?? 560;
  view.strip.style.height = `${whole}px`;
  view.root.querySelector(".sites").style.height = `${whole}px`;
  view.panes.forEach(resize);
}

/* ---- side by side, blink, difference ---- */

function canCompare(view) {
  return view.data.films.length === 2 && view.data.films.every((film) => film.url && film.id) &&
    view.data.films[0].id !== view.data.films[1].id;
}

function canSubtract(view) { return canCompare(view) && view.data.canSubtract; }

function modeOf(view) {
  if (!canCompare(view) || (view.mode === "difference" && !view.data.canSubtract)) return "side";
  return view.mode;
}

function setMode(view, mode) {
  view.mode = mode;
  const now = modeOf(view);
  view.panes.forEach((pane) => { pane.element.hidden = now !== "side" && pane.index > 0; });
  view.strip.dataset.mode = now;
  stopBlink(view);
  if (now === "blink") startBlink(view);
  view.panes.forEach((pane) => { entitle(pane); resize(pane); });
  if (now === "side" && view.panes[1]?.film && !view.panes[0].fitted) follow(view, view.panes[0]);
  drawTools(view);
}

function startBlink(view) {
  stopBlink(view);
  if (view.paused || modeOf(view) !== "blink") return;
  view.timer = setInterval(() => turn(view), 1000 / view.rate);
}

function stopBlink(view) { clearInterval(view.timer); }

function turn(view) {
  view.face = 1 - view.face;
  entitle(view.panes[0]);
  paint(view.panes[0]);
}

/* The sheet that a pane shows on top. */
function faceOf(pane) { return modeOf(pane.view) === "blink" ? pane.view.face : pane.index; }

/* How the second film lies on the first, near the chosen site where that fits better; null where unknown. */
function movement(view) {
  const { registration } = view.data;
  return registration ? registration.near[view.picked] ?? registration.whole : null;
}

/* Registered so loosely that a difference may be displacement: shown with a warning, and for films for which a person asked. */
function isLoose(view) { return Boolean(movement(view)?.loose); }
function pairOf(view) { return view.data.films.map((film) => film.id).join(" "); }
function isWarned(view) { return modeOf(view) !== "side" && isLoose(view); }

function movementText(view) {
  const found = movement(view);
  if (!found) return `not registered: ${view.data.registration?.reason ?? spoken(view, "one film only")}`;
  const near = view.data.registration.near[view.picked] ? ` near ${view.picked}` : "";
  const out = found.out ? `, ${found.out} left out` : "";
  return `registered on ${found.used} sites${near}${out}, residual ${found.residual.toFixed(1)} ${found.unit} (${found.kind})`;
}
