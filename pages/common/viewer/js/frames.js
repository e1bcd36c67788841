/* Frames of a stack or a cine: one is shown at a time; where two are linked, both go on together. */

const WHEEL_STEP = 60; /* of deltaY a frame: a notch of a wheel is at least that, a touchpad sends many small ones */

function firstFrame(film) { return film.frames >> 1; }

function hasFrames(view) { return Boolean(view.data) && view.sheets.some((sheet) => sheet.film?.frames > 1); }

/* The sheet that the slider moves: the first one with several frames. */
function leadingSheet(view) { return view.sheets.find((sheet) => sheet.film?.frames > 1); }

function frameText({ film, frame }) {
  if (!(film?.frames > 1)) return "";
  const note = film.notes[frame];
  return `frame ${frame + 1} of ${film.frames}${note ? ` (${note})` : ""}`;
}

/* What was made of the frame before goes with it. */
function toFrame(view, index, frame) {
  const sheet = view.sheets[index], { rows, columns, frames } = sheet.film, long = rows * columns;
  sheet.frame = Math.max(0, Math.min(frames - 1, frame));
  sheet.pixels = sheet.all?.subarray(sheet.frame * long, (sheet.frame + 1) * long) ?? null;
  sheet.stale = true;
  view.difference = null;
  view.panes[index].darkRight = undefined;
}

function stepFrames(view, by, sheets = view.sheets) {
  sheets.filter((sheet) => sheet.film?.frames > 1).forEach((sheet) => toFrame(view, view.sheets.indexOf(sheet), sheet.frame + by));
  drawFrames(view);
  view.panes.forEach(paint);
}

function scroll(pane, delta) {
  const { view } = pane;
  pane.wheeled = (pane.wheeled ?? 0) + delta;
  const steps = Math.trunc(pane.wheeled / WHEEL_STEP);
  if (!steps) return;
  pane.wheeled = 0;
  stepFrames(view, Math.sign(steps), view.linked ? view.sheets : [view.sheets[faceOf(pane)]]);
}

function drawFrames(view) {
  const group = view.root.querySelector(".frames"), slider = view.root.querySelector('[data-do="frame"]');
  group.hidden = !hasFrames(view);
  if (group.hidden) return;
  const { film, frame } = leadingSheet(view);
  Object.assign(slider, { max: String(film.frames), value: String(frame + 1) });
  group.querySelector(".frame-number").textContent = `${frame + 1} of ${film.frames}`;
}
