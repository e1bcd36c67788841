/* Positions: film pixels (x right, y down), screen = CSS pixels of a canvas.
   A matrix is [a, b, c, d, e, f] as canvas has it: x' = a x + c y + e, y' = b x + d y + f. */

const FOCUS_MM = 46;
const FOCUS_BOXES = 5;
const UNKNOWN_SHARE = 0.7; // of these boxes on a film without spacing: about FOCUS_MM, as on the film beside it

function aspect(film) { return film.spacing ? film.spacing[0] / film.spacing[1] : 1; }
function size(pane) { return [pane.canvas.clientWidth, pane.canvas.clientHeight]; }
function toScreen(pane, x, y) { return apply(ownOf(pane), [x, y]); }
function toFilm(pane, x, y) { return apply(invert(ownOf(pane)), [x, y]); }

/* A pane's film on its screen, turned and mirrored as it is. */
function ownOf(pane) {
  const [a, b, c, d] = orientOf(pane), across = pane.scale, down = pane.scale * aspect(pane.film);
  return [across * a, across * b, down * c, down * d, pane.x, pane.y];
}

function apply([a, b, c, d, e, f], [x, y]) { return [a * x + c * y + e, b * x + d * y + f]; }
function compose(m, n) {
  return [
    m[0] * n[0] + m[2] * n[1], m[1] * n[0] + m[3] * n[1], m[0] * n[2] + m[2] * n[3], m[1] * n[2] + m[3] * n[3],
    ...apply(m, [n[4], n[5]]),
  ];
}
function invert([a, b, c, d, e, f]) {
  const det = a * d - b * c;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}

/* First film's pixels to the second's. Without a registration the middles lie together, in mm where known. */
function between(view) {
  const found = movement(view);
  if (found) return found.matrix;
  const [one, two] = view.data.films;
  const known = one.spacing && two.spacing;
  const right = known ? one.spacing[1] / two.spacing[1] : 1, down = known ? one.spacing[0] / two.spacing[0] : 1;
  const [x, y] = middleOf(one), [atX, atY] = middleOf(two);
  return [right, 0, 0, down, atX - right * x, atY - down * y];
}

function middleOf({ area, columns, rows }) {
  const [x0, y0, x1, y1] = area ?? [0, 0, columns, rows];
  return [(x0 + x1) / 2, (y0 + y1) / 2];
}

/* Film pixels of a sheet to the screen of a pane. */
function layOn(pane, index) {
  const own = ownOf(pane);
  if (index === pane.index) return own;
  return compose(own, index > pane.index ? invert(between(pane.view)) : between(pane.view));
}

/* ---- one pane ---- */

/* What a film opens on: the part of it that its film names, unless a person asked for all of it. */
function hasPart(pane) { return Boolean(pane.film?.area) && !pane.view.whole; }
function hasArea(view) { return Boolean(view.data?.films.some((film) => film.area)); }

function partOf(pane) {
  const { area, rows, columns } = pane.film;
  return hasPart(pane) ? area : [0, 0, columns, rows];
}

const OVER_PART = 66, UNDER_PART = 52; /* pixels of the heading and of the scale, which lie on no part */

/* The zoom at which a pane shows its part. */
function fitting(pane) {
  const [width, height] = size(pane), [x0, y0, x1, y1] = partOf(pane);
  const sizes = [x1 - x0, (y1 - y0) * aspect(pane.film)], [wide, high] = orientOf(pane)[0] ? sizes : sizes.reverse();
  const room = hasPart(pane) ? Math.max(height / 2, height - OVER_PART - UNDER_PART) : height;
  return Math.min(width / wide, room / high);
}

/* Parts that lie side by side are as large as each other in mm. */
function alike(pane) {
  const panes = pane.view.linked ? pane.view.panes.filter((one) => hasPart(one) && one.film.spacing && size(one)[0]) : [];
  if (!panes.includes(pane)) return fitting(pane);
  return pane.film.spacing[1] * Math.min(...panes.map((one) => fitting(one) / one.film.spacing[1]));
}

function fit(pane) {
  const [width, height] = size(pane);
  if (!width || !height || !pane.film?.rows) return;
  const { rows, columns } = pane.film;
  pane.scale = alike(pane);
  centre(pane, ...middleOf(hasPart(pane) ? pane.film : { rows, columns }));
  if (hasPart(pane)) pane.y += (OVER_PART - UNDER_PART) / 2;
  pane.fitted = true;
  pane.own = false;
  pane.view.nudge = null;
  paint(pane);
}

/* Another film beside it may have changed the size that both can have. */
function refit(view) { view.panes.filter((pane) => pane.fitted && hasPart(pane)).forEach(fit); }

const MOST_OF_PART = 0.7;

/* Whether a box is about all that the film opens on. */
function isPart({ area }, box) {
  return Boolean(area) && (box.x1 - box.x0) * (box.y1 - box.y0) >= MOST_OF_PART * (area[2] - area[0]) * (area[3] - area[1]);
}

function boxAt(film, site) { return film?.boxes.find((one) => one.site === site); }

/* A site large in the middle; a zoom that a person set stays, unless it is far out. */
function focus(pane, site) {
  const box = boxAt(pane.film, site);
  const [width, height] = size(pane);
  if (!box || !width) return false;
  if (!pane.own && isPart(pane.film, box)) { fit(pane); return true; }
  const { spacing } = pane.film;
  const boxes = FOCUS_BOXES * Math.max(box.x1 - box.x0, (box.y1 - box.y0) * aspect(pane.film));
  const wide = pane.film.focusMm ?? FOCUS_MM, mm = (spacing ? wide / spacing[1] : 0);
  const near = Math.min(width, height) / (spacing ? (pane.film.focusMm ? mm : Math.min(mm, boxes)) : UNKNOWN_SHARE * boxes);
  if (!pane.own || pane.scale < 0.6 * near) pane.scale = near;
  centre(pane, (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2);
  return true;
}

function focusAll(view, site, panes = view.panes) {
  view.nudge = null;
  showFrames(view, site, panes);
  const found = panes.filter((pane) => focus(pane, site));
  if (found.length && found.length < panes.length) follow(view, found[0]);
}

function centre(pane, x, y) {
  const [width, height] = size(pane);
  Object.assign(pane, { x: 0, y: 0 });
  const [right, down] = toScreen(pane, x, y);
  Object.assign(pane, { x: width / 2 - right, y: height / 2 - down, fitted: false });
  paint(pane);
}

function zoom(pane, factor, atX, atY) {
  const next = Math.min(24, Math.max(0.03, pane.scale * factor));
  const real = next / pane.scale;
  pane.x = atX - (atX - pane.x) * real;
  pane.y = atY - (atY - pane.y) * real;
  pane.scale = next;
  pane.fitted = false;
  pane.own = true;
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
  const wide = Math.round(width * dots), high = Math.round(height * dots);
  if (!width || !pane.film) return;
  if (pane.canvas.width !== wide || pane.canvas.height !== high) {
    const [x, y] = pane.kept ? [pane.kept.x, pane.kept.y] : toFilm(pane, (pane.wide ?? width) / 2, (pane.high ?? height) / 2);
    if (pane.kept) Object.assign(pane, { scale: pane.kept.scale, fitted: pane.kept.fitted, own: pane.kept.own, kept: null });
    Object.assign(pane.canvas, { width: wide, height: high });
    if (!pane.fitted) centre(pane, x, y);
    Object.assign(pane, { wide: width, high: height });
  }
  if (pane.fitted) fit(pane);
  paint(pane);
}

/* ---- both panes ---- */

/* Do something with a pane; where films are linked, the other one goes to the same anatomy. */
function together(pane, work) {
  const { view } = pane;
  if (!view.linked || modeOf(view) !== "side") work(pane);
  else if (movement(view)) { work(pane); follow(view, pane); }
  else view.panes.forEach(work);
}

function follow(view, lead) {
  const other = view.panes[1 - lead.index];
  if (!view.linked || !other?.film?.rows || !lead.film?.rows || !movement(view)) return;
  const [width, height] = size(lead);
  const forth = between(view), nudge = view.nudge ?? [0, 0];
  const here = toFilm(lead, width / 2, height / 2);
  const back = ([x, y]) => apply(invert(forth), [x - nudge[0], y - nudge[1]]);
  const [x, y] = lead.index ? back(here) : apply(forth, here).map((value, i) => value + nudge[i]);
  const known = lead.film.spacing && other.film.spacing;
  const stretch = Math.hypot(forth[0], forth[1]);
  other.scale = lead.scale * (known ? other.film.spacing[1] / lead.film.spacing[1] : lead.index ? stretch : 1 / stretch);
  other.own = lead.own;
  centre(other, x, y);
}

/* Linked again after a film was moved alone: how a person laid it stays. */
function keepNudge(view) {
  const [one, two] = view.panes;
  if (!view.linked || !two?.film?.rows || !movement(view)) return;
  const middle = (pane) => { const [width, height] = size(pane); return toFilm(pane, width / 2, height / 2); };
  const meant = apply(between(view), middle(one));
  view.nudge = middle(two).map((value, i) => value - meant[i]);
}

/* Another film in a pane: the anatomy that was in view stays in view, at the same size. */
function carry(pane, old, film) {
  if (pane.fitted || !old?.rows || !film.rows) return fit(pane);
  const [width, height] = size(pane);
  const [x, y] = pane.kept ? [pane.kept.x, pane.kept.y] : toFilm({ ...pane, film: old }, width / 2, height / 2);
  const ratio = old.spacing && film.spacing ? film.spacing[1] / old.spacing[1] : 1;
  const shared = old.boxes.filter((box) => boxAt(film, box.site));
  if (old.boxes.length && film.boxes.length && !shared.length) return anew(pane);
  const scale = (pane.kept ?? pane).scale * ratio;
  let at = [(x / old.columns) * film.columns, (y / old.rows) * film.rows];
  if (shared.length) {
    const far = (box) => Math.hypot((box.x0 + box.x1) / 2 - x, (box.y0 + box.y1) / 2 - y);
    const near = shared.reduce((best, box) => (far(box) < far(best) ? box : best));
    const now = boxAt(film, near.site);
    const down = old.spacing && film.spacing ? film.spacing[0] / old.spacing[0] : 1;
    at = [
      (now.x0 + now.x1) / 2 + (x - (near.x0 + near.x1) / 2) / ratio, (now.y0 + now.y1) / 2 + (y - (near.y0 + near.y1) / 2) / down,
    ];
  }
  if (pane.kept) { Object.assign(pane.kept, { scale, x: at[0], y: at[1] }); return; }
  pane.scale = scale;
  centre(pane, ...at);
}

function anew(pane) {
  pane.kept = null;
  fit(pane);
  focus(pane, pane.view.data.focus);
}
