/* The film viewer: 16-bit grey films on canvas, one or a pair: side by side, blinking or subtracted.

   data.films[]: {id, title, subtitle, patient, side, view, url, rows, columns, frames, notes[] (said of each frame), spacing: [row mm, column mm] | null,
                  window: {low, high}, range: {low, high}, message, boxes[], shapes[], unplaced[], word (of a frame), places[] (mm along the
                  slice normal, of both films from one middle), focusMm (how much a chosen site is shown with) | null, area: [x0, y0, x1, y1] (film pixels) that it opens on | null, siteFrames: {site: frame}}
   box: {site, x0, y0, x1, y1 (film pixels), colour (of its grade), layer, cells: [{text, colour}], tip}
   shape: {kind: "polygon", layer, site, label, points} or {kind: "mask", layer, site, label, x0, y0, rows, columns, runs}
   A box or shape with a number as ``frame`` is of that frame, else of all.
   unplaced: {site, cells}: graded, but not found on the film
   data.layers[]: {code, title, short, colour, dash}: who marks and grades, in the order of the cells
   data.structures[]: as layers, of outlines that belong to nobody's grades; data.thing: film or stack; data.canSubtract: whether grey means the same in both;
   data.partners: for each of two stacks, frame -> the frame of the other at the same place, or null; null without places
   data.registration: {whole, near: {site: movement}, reason} | null; movement: {matrix (first film's pixels to the
                  second's, as canvas has it), residual, unit, kind, used, out}
   data.order: sites from head to foot; data.focus: site to show large, or null; data.height: pixels;
   data.visits: whether the page can go to another visit, data.canVisit: {earlier, later}: whether there is one;
   data.reveal: another number than before brings the viewer into sight; data.caption: {study, patient, ...} | null;
   data.key: under which the viewport is remembered; data.zero, data.none: colours of grade 0 and of no grade.
   A click on a box, its label or the list sets the trigger `site` to {site, film}; the keys N and P set `visit` to
   {by: 1 or -1}.
   The files beside this one are joined to one script (see __init__.py). */

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".viewer");
  const view = (root.__view ??= createView(root));
  view.send = (value) => setTriggerValue("site", value);
  view.sendVisit = (value) => setTriggerValue("visit", value);
  update(view, data);
  view.resizes.observe(view.strip);
  return () => { view.resizes.disconnect(); stopBlink(view); };
}
