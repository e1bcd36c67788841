/* How a film is turned and mirrored: [a, b, c, d] of a matrix, kept by film for as long as the tab is open. */

const UPRIGHT = [1, 0, 0, 1], TURN_RIGHT = [0, 1, -1, 0], TURN_LEFT = [0, -1, 1, 0], MIRROR = [-1, 0, 0, 1], FLIP = [1, 0, 0, -1];

function orientOf(pane) { return (pane.film && pane.view.orients.get(pane.film.id)) ?? UPRIGHT; }

function orient(pane, by) {
  if (!pane.film?.rows) return;
  const [width, height] = size(pane), [x, y] = toFilm(pane, width / 2, height / 2), { fitted } = pane;
  const next = by === UPRIGHT ? UPRIGHT : compose([...by, 0, 0], [...orientOf(pane), 0, 0]).slice(0, 4).map((value) => value + 0);
  pane.view.orients.set(pane.film.id, next);
  if (fitted) fit(pane);
  else centre(pane, x, y);
}

/* Both films where they are linked, else the one that was touched last. */
function orientAll(view, by) {
  const alone = view.panes[view.touched ?? 0] ?? view.panes[0];
  (view.linked || modeOf(view) !== "side" ? view.panes : [alone]).forEach((pane) => orient(pane, by));
  view.panes.forEach((pane) => { entitle(pane); paint(pane); });
  markMenus(view);
}

/* What a reader must know of it; nothing for a film as it is stored. */
function orientText(pane) {
  const [a, b, c, d] = orientOf(pane), isMirrored = a * d - b * c < 0;
  if (a === 1 && d === -1) return "flipped top to bottom";
  const [x, y] = isMirrored ? [-a, -b] : [a, b];
  const turned = x === 1 ? "" : x === -1 ? "turned by 180°" : `turned ${y > 0 ? "right" : "left"} by 90°`;
  return [isMirrored ? "mirrored" : "", turned].filter(Boolean).join(", ");
}
