/* Mouse, keys and tools. */

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
  if (pane.view.sheets[faceOf(pane)].film.frames > 1 && !event.ctrlKey) return scroll(pane, event.deltaY);
  const factor = Math.exp(-Math.sign(event.deltaY) * Math.min(120, Math.abs(event.deltaY)) * 0.0018);
  const [x, y] = spot(pane, event);
  together(pane, (one) => zoom(one, factor, x, y));
}

function press(pane, event) {
  pane.view.root.focus({ preventScroll: true });
  pane.canvas.setPointerCapture(event.pointerId);
  pane.view.touched = pane.index;
  if (pane.view.tool && event.button === 0) return measurePress(pane, event);
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
      together(pane, (one) => move(one, dx, dy));
    }
  };
  const end = (now) => {
    pane.canvas.classList.remove("moving");
    ["pointermove", "pointerup", "pointercancel"].forEach((name) => pane.canvas.removeEventListener(name, name === "pointermove" ? drag : end));
    const site = now.type === "pointerup" && !moved && !grey ? hit(pane, ...spot(pane, now)) : null;
    if (site) pick(pane.view, site, pane.view.data.films[faceOf(pane)].id);
  };
  pane.canvas.addEventListener("pointermove", drag);
  pane.canvas.addEventListener("pointerup", end);
  pane.canvas.addEventListener("pointercancel", end);
}

function hover(pane, event) {
  const at = spot(pane, event), site = pane.view.tool ? null : hit(pane, ...at);
  if (pane.view.lens) { pane.at = at; pane.view.panes.forEach(paint); }
  measureMove(pane, at);
  if (site === pane.over) return;
  pane.view.panes.forEach((one) => { one.over = site; paint(one); });
  pane.canvas.classList.toggle("over", Boolean(site));
  pane.canvas.title = (site && boxAt(pane.film, site)?.tip) || "";
}

function choose(view, site) {
  view.picked = site;
  scrollToPicked(view);
  view.panes.forEach(paint);
}

function pick(view, site, film) {
  clearTimeout(view.pending);
  view.pending = null;
  choose(view, site);
  ask(view, site, film);
}

const REST = 250; /* milliseconds without a key before the page follows */

/* The page goes to the site as well, once the keys rest. */
function pickSoon(view, site) {
  clearTimeout(view.pending);
  choose(view, site);
  view.pending = setTimeout(() => { view.pending = null; ask(view, site, view.data.films[0]?.id); }, REST);
}

function ask(view, site, film) {
  if (site !== view.shown || view.asked.length) view.asked.push(site);
  view.send({ site, film });
}

/* Whether the site that the page comes back with is one that a person has left behind since. */
function isLeftBehind(view, site) {
  const at = view.asked.lastIndexOf(site), isKnown = at >= 0 || site === view.shown;
  view.asked = isKnown ? view.asked.slice(at + 1) : [];
  return isKnown && (view.asked.length > 0 || Boolean(view.pending));
}

function goVisit(view, by) {
  if (!view.data.visits || !view.data.canVisit[by > 0 ? "later" : "earlier"]) return;
  blankOut(view, view.sheets.length - 1, `Loading the ${by > 0 ? "next" : "previous"} visit …`);
  view.sendVisit({ by });
}

/* The next site: films that are zoomed in go there at the same zoom. */
function step(view, by) {
  const sites = listed(view).filter((site) => view.data.films.some((film) => boxAt(film, site)));
  if (!sites.length) return;
  const at = sites.indexOf(view.picked);
  pickSoon(view, sites[(at + by + sites.length + (at < 0 && by < 0 ? 1 : 0)) % sites.length]);
  showFrames(view, view.picked, view.panes);
  view.panes.filter((pane) => !pane.fitted).forEach((pane) => {
    const box = boxAt(pane.film, view.picked);
    if (box) centre(pane, (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2);
  });
}

function shift(view, level, width) {
  if (view.full) Object.assign(view, { full: false });
  view.level = Math.max(-1, Math.min(1, view.level + level));
  view.width = Math.max(0.05, Math.min(4, view.width * width));
  restage(view);
}

/* From the middle of the first film; a linked one follows. */
function middle(view, work) {
  const lead = view.panes.find((pane) => pane.film?.rows && !pane.element.hidden);
  if (!lead) return;
  const about = (pane) => { const [width, height] = size(pane); work(pane, width / 2, height / 2); };
  if (view.linked) together(lead, about);
  else view.panes.forEach(about);
}

function toggle(view, name) {
  view[name] = !view[name];
  keepHabits(view);
  drawTools(view);
  view.panes.forEach(paint);
}

function setRate(view, rate) {
  view.rate = Math.max(0.5, Math.min(FAST_BLINK, rate));
  keepHabits(view);
  drawTools(view);
  startBlink(view);
}

function act(view, name, value) {
  const does = {
    fit: () => view.panes.forEach(fit),
    whole: () => { toggle(view, "whole"); view.panes.forEach(fit); },
    in: () => middle(view, (pane, x, y) => zoom(pane, 1.35, x, y)),
    out: () => middle(view, (pane, x, y) => zoom(pane, 1 / 1.35, x, y)),
    frame: () => { stopPlaying(view); stepFrames(view, Number(value) - 1 - leadingSheet(view).frame); },
    play: () => play(view),
    graded: () => toGraded(view),
    real: () => middle(view, (pane, x, y) => zoom(pane, 1 / pane.scale, x, y)),
    side: () => setMode(view, "side"),
    blink: () => setMode(view, view.mode === "blink" ? "side" : "blink"),
    difference: () => { view.accepted = pairOf(view); setMode(view, view.mode === "difference" ? "side" : "difference"); },
    pause: () => { view.paused = !view.paused; drawTools(view); startBlink(view); },
    turn: () => { if (modeOf(view) === "blink") turn(view); },
    rate: () => setRate(view, Number(value)),
    faster: () => setRate(view, view.rate + 0.5),
    slower: () => setRate(view, view.rate - 0.5),
    preset: () => { Object.assign(view, { level: 0, width: 1 }, PRESETS[value] ?? {}, { full: value === "full" }); restage(view); },
    level: () => { Object.assign(view, { level: -value / 100, full: false }); restage(view); },
    width: () => { Object.assign(view, { width: 2 ** (-value / 50), full: false }); restage(view); },
    exactWidth: () => setWindow(view, { width: parseFloat(value) }),
    exactCentre: () => setWindow(view, { centre: parseFloat(value) }),
    invert: () => { toggle(view, "invert"); restage(view); },
    boxes: () => toggle(view, "boxes"),
    labels: () => toggle(view, "labels"),
    linked: () => { toggle(view, "linked"); keepNudge(view); },
    sites: () => { view.list = !listIsOpen(view); keepHabits(view); drawTools(view); drawSites(view); view.panes.forEach(resize); },
    length: () => setTool(view, "length"),
    angle: () => setTool(view, "angle"),
    unmeasure: () => unmeasure(view, false),
    clear: () => unmeasure(view, true),
    lens: () => { view.lens = !view.lens; openMenu(view, null); drawTools(view); view.panes.forEach((pane) => { pane.at = null; paint(pane); }); },
    left: () => orientAll(view, TURN_LEFT),
    right: () => orientAll(view, TURN_RIGHT),
    mirror: () => orientAll(view, MIRROR),
    flip: () => orientAll(view, FLIP),
    upright: () => orientAll(view, UPRIGHT),
    png: () => { openMenu(view, null); save(view, "png"); },
    svg: () => { openMenu(view, null); save(view, "svg"); },
    earlier: () => goVisit(view, -1),
    later: () => goVisit(view, 1),
    resetKeys: () => resetKeys(view),
    full: () => { if (document.fullscreenElement) document.exitFullscreen(); else view.root.requestFullscreen?.(); },
    help: () => {
      const help = view.root.querySelector(".help");
      help.hidden = !help.hidden;
      view.rekeyed = null;
      if (!help.hidden) writeHelp(view);
      view.root.querySelector('[data-do="help"]').setAttribute("aria-pressed", String(!help.hidden));
    },
  };
  does[name]?.();
}

const NUDGE = 40;

function pan(view, dx, dy) {
  const lead = view.panes.find((pane) => pane.film?.rows && !pane.element.hidden);
  if (!lead) return;
  if (view.linked) together(lead, (pane) => move(pane, dx, dy));
  else view.panes.forEach((pane) => move(pane, dx, dy));
}

function menuIsOpen(view) { return menusOf(view).some((menu) => !menu.querySelector(".panel").hidden); }

/* The innermost thing first. */
function helpIsOpen(view) { return !view.root.querySelector(".help").hidden; }

function escape(view) {
  const closes = helpIsOpen(view);
  if (closes) act(view, "help");
  if (openMenu(view, null) || closes) return view.root.focus({ preventScroll: true });
  if (view.draft) { view.draft = null; return view.panes.forEach(paint); }
  if (view.tool) return setTool(view, view.tool);
  if (view.lens) act(view, "lens");
}
