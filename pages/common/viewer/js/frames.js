/* Frames of a stack or a cine: one is shown at a time; where two are linked, both go on together: two stacks to the
   slices that lie at one place, never by number. */

const WHEEL_STEP = 60; /* of deltaY a frame: a notch of a wheel is at least that, a touchpad sends many small ones */

/* Where a film begins: at the place that was in view of this patient, else in the middle. */
function firstFrame(film, seen) {
  if (film.places.length && seen && seen.patient === film.patient) return nearestSlice(film, seen.place);
  if (film.graded.length) return film.graded[0];
  return film.frames >> 1;
}

function hasFrames(view) { return Boolean(view.data) && view.sheets.some((sheet) => sheet.film?.frames > 1); }

/* The sheet that the slider moves: the first one with several frames. */
function leadingSheet(view) { return view.sheets.find((sheet) => sheet.film?.frames > 1); }

function isOn(sheet, mark) { return mark.frame === null || mark.frame === undefined || mark.frame === sheet.frame; }

function frameText(view, index) {
  const { film, frame } = view.sheets[index];
  if (!(film?.frames > 1)) return "";
  const note = film.notes[frame], number = `${film.word} ${frame + 1} of ${film.frames}`;
  if (!film.places.length) return number + (note ? ` (${note})` : "") + (film.graded.includes(frame) ? ", graded here" : "");
  return [number, note, apartText(view, index)].filter(Boolean).join(", ");
}

/* How far a slice lies from the one beside it, where they do not show the same. */
function apartText(view, index) {
  const [one, two] = view.sheets, { partners } = view.data;
  if (!partners || !index || !two?.film?.places.length || partners[0][one.frame] === two.frame) return "";
  return `${Math.abs(one.film.places[one.frame] - two.film.places[two.frame]).toFixed(1)} mm beside the other slice`;
}

/* What was made of the frame before goes with it. */
function toFrame(view, index, frame) {
  const sheet = view.sheets[index], { rows, columns, frames, places, patient } = sheet.film, long = rows * columns * channelsOf(sheet.film);
  sheet.frame = Math.max(0, Math.min(frames - 1, frame));
  if (places.length) sheet.seen = { patient, place: places[sheet.frame] };
  sheet.pixels = sheet.all?.subarray(sheet.frame * long, (sheet.frame + 1) * long) ?? null;
  sheet.stale = true;
  view.difference = null;
  view.panes[index].darkRight = undefined;
}

/* One sheet by so many frames; the other follows where they are linked. */
function stepFrames(view, by, lead = leadingSheet(view), isLinked = view.linked) {
  const before = lead.frame;
  toFrame(view, view.sheets.indexOf(lead), before + by);
  if (isLinked) followFrames(view, lead, by);
  drawFrames(view);
  view.panes.forEach(paint);
}

function followFrames(view, lead, by) {
  const at = view.sheets.indexOf(lead);
  view.sheets.forEach((other, index) => {
    if (other === lead || !(other.film?.frames > 1)) return;
    toFrame(view, index, view.data.partners ? partnerOf(view, at, lead, other) : other.frame + by);
  });
}

/* The frame that lies at the same place; where none does, the nearest one. */
function partnerOf(view, at, lead, other) {
  return view.data.partners[at][lead.frame] ?? nearestSlice(other.film, lead.film.places[lead.frame]);
}

function nearestSlice({ places }, place) {
  return places.reduce((best, one, i) => (Math.abs(one - place) < Math.abs(places[best] - place) ? i : best), 0);
}

/* A site is shown on its slice: both films go there, each to its own; where one has no mark of it, to the same place. */
function showFrames(view, site, panes) {
  const at = ({ film }) => boxAt(film, site)?.frame ?? film?.siteFrames[site];
  const found = panes.filter((pane) => pane.film?.frames > 1 && Number.isInteger(at(pane)));
  found.forEach((pane) => toFrame(view, pane.index, at(pane)));
  if (found.length === 1 && view.linked) followFrames(view, view.sheets[found[0].index], 0);
  if (found.length) drawFrames(view);
}

function scroll(pane, delta) {
  const { view } = pane;
  pane.wheeled = (pane.wheeled ?? 0) + delta;
  const steps = Math.trunc(pane.wheeled / WHEEL_STEP);
  if (!steps) return;
  pane.wheeled = 0;
  stepFrames(view, Math.sign(steps), view.sheets[faceOf(pane)]);
}

/* By keys: the sheet that was touched last where they are not linked. */
function stepByKey(view, by) {
  const touched = view.sheets[view.touched ?? 0];
  stepFrames(view, by, !view.linked && touched?.film?.frames > 1 ? touched : undefined);
}

function drawFrames(view) {
  const group = view.root.querySelector(".frames"), slider = view.root.querySelector('[data-do="frame"]');
  group.hidden = !hasFrames(view);
  if (group.hidden) return;
  const { film, frame } = leadingSheet(view);
  Object.assign(slider, { max: String(film.frames), value: String(frame + 1), ariaLabel: capital(film.word) });
  group.querySelector(".frame-word").textContent = capital(film.word);
  const isGraded = film.graded.includes(frame);
  group.querySelector(".frame-number").textContent = `${frame + 1} of ${film.frames}${isGraded ? ", graded here" : ""}`;
  const play = view.root.querySelector('[data-do="play"]');
  play.hidden = !hasCine(view);
  play.textContent = view.playing ? "Pause" : "Play";
  play.setAttribute("aria-pressed", String(Boolean(view.playing)));
  view.root.querySelector('[data-do="graded"]').hidden = !view.sheets.some((sheet) => sheet.film?.graded.length);
}

/* ---- a cine: frames over time, played at the pace at which they were taken ---- */

const USUAL_MS = 50, FASTEST_MS = 15;

/* The sheets that are played: frames without a place in the patient. */
function cinesOf(view) { return view.sheets.filter((sheet) => sheet.film?.frames > 1 && !sheet.film.places.length); }

function hasCine(view) { return Boolean(view.data) && cinesOf(view).length > 0; }

function play(view) {
  if (view.playing) return stopPlaying(view);
  if (!hasCine(view)) return;
  view.playing = setTimeout(() => playOn(view), 0);
  drawFrames(view);
}

/* The next frame of the leading cine, from the last one to the first; the other goes on beside it. */
function playOn(view) {
  const [lead] = cinesOf(view);
  if (!lead || !view.root.isConnected) return stopPlaying(view);
  const { frames, times } = lead.film, next = (lead.frame + 1) % frames;
  cinesOf(view).forEach((sheet) => {
    const index = view.sheets.indexOf(sheet);
    toFrame(view, index, sheet === lead ? next : (sheet.frame + 1) % sheet.film.frames);
  });
  drawFrames(view);
  view.panes.forEach(paint);
  const wait = next && times.length ? times[next] - times[next - 1] : USUAL_MS;
  view.playing = setTimeout(() => playOn(view), Math.max(FASTEST_MS, wait || USUAL_MS));
}

function stopPlaying(view) {
  clearTimeout(view.playing);
  view.playing = null;
  if (view.data) drawFrames(view);
}

/* Each film at the frame from which its grade was made. */
function toGraded(view) {
  stopPlaying(view);
  view.sheets.forEach((sheet, index) => { if (sheet.film?.graded.length) toFrame(view, index, sheet.film.graded[0]); });
  drawFrames(view);
  view.panes.forEach(paint);
}

function capital(word) { return word[0].toUpperCase() + word.slice(1); }

/* ---- words: a stack is no film ---- */

function thing(view) { return view.data?.thing ?? "film"; }

function spoken(view, words) {
  const name = thing(view);
  return name === "film" ? words : words.replaceAll("film", name).replaceAll("Film", capital(name));
}

/* Once for each viewer: what its tools and its help say. */
function speak(view) {
  if (thing(view) === "film" || view.root.dataset.thing) return;
  view.root.dataset.thing = thing(view);
  [view.root, ...view.root.querySelectorAll("[title], [aria-label]")].forEach((one) => {
    ["title", "aria-label", "data-title"].forEach((name) => {
      if (one.hasAttribute(name)) one.setAttribute(name, spoken(view, one.getAttribute(name)));
    });
  });
  view.root.querySelectorAll(".help p, .panel button").forEach((part) => part.childNodes.forEach((node) => {
    if (node.nodeType === Node.TEXT_NODE) node.textContent = spoken(view, node.textContent);
  }));
}
