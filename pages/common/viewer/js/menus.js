/* The bar stays one line: what is not used all the time lies in menus over the films. One is open at a time. */

function createMenus(view) {
  menusOf(view).forEach((menu) => {
    const [button, panel] = [menu.querySelector("[data-menu]"), menu.querySelector(".panel")];
    button.addEventListener("click", () => openMenu(view, panel.hidden ? menu : null));
  });
  view.root.addEventListener("pointerdown", (event) => {
    if (!event.composedPath().some((one) => one.classList?.contains("menu"))) openMenu(view, null);
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.composedPath().includes(view.root)) openMenu(view, null);
  });
}

function menusOf(view) { return [...view.root.querySelectorAll(".menu")]; }

/* Whether one was open before. */
function openMenu(view, wanted) {
  let was = false;
  menusOf(view).forEach((menu) => {
    const panel = menu.querySelector(".panel");
    was ||= !panel.hidden;
    panel.hidden = menu !== wanted;
    menu.querySelector("[data-menu]").setAttribute("aria-expanded", String(menu === wanted));
  });
  return was;
}

/* A menu in which a tool is on says so while it is closed. */
function markMenus(view) {
  const isOn = { measure: Boolean(view.tool || view.lens), view: view.panes.some((pane) => pane.film && orientText(pane)), window: view.invert };
  menusOf(view).forEach((menu) => menu.classList.toggle("on", Boolean(isOn[menu.querySelector("[data-menu]").dataset.menu])));
}

/* ---- window in numbers ---- */

function shownFilm(view) { return (view.sheets.find((sheet) => sheet.film?.rows) ?? {}).film ?? null; }

function drawWindow(view) {
  const film = shownFilm(view);
  if (!film) return;
  const { low, high } = windowOf(view, film), at = (name) => view.root.querySelector(`[data-do="${name}"]`);
  at("exactWidth").value = String(Math.round(high - low));
  at("exactCentre").value = String(Math.round((low + high) / 2));
  view.root.querySelector(".of-film").textContent =
    view.data.films.length > 1 ? spoken(view, `W and C of ${film.title}; the other film is changed in proportion.`) : "";
}

function setWindow(view, { width, centre }) {
  const film = shownFilm(view), span = film ? Math.max(1, film.window.high - film.window.low) : 0;
  if (!film || [width, centre].some((value) => value !== undefined && !Number.isFinite(value))) return drawWindow(view);
  const now = windowOf(view, film), wide = Math.max(1, width ?? now.high - now.low), middle = centre ?? (now.low + now.high) / 2;
  Object.assign(view, { full: false, width: wide / span, level: (middle - (film.window.low + film.window.high) / 2) / span });
  restage(view);
}
