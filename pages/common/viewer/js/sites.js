/* The bar's overlay buttons, and the list of sites beside the films. */

function drawTools(view) {
  const { root, data } = view, compare = data ? canCompare(view) : false;
  const tool = (name) => root.querySelector(`[data-do="${name}"]`);
  ["boxes", "labels", "invert", "linked", "whole"].forEach((name) => tool(name).setAttribute("aria-pressed", String(Boolean(view[name]))));
  Object.assign(tool("linked"), { hidden: !compare, disabled: modeOf(view) !== "side" });
  ["length", "angle"].forEach((name) => tool(name).setAttribute("aria-pressed", String(view.tool === name)));
  tool("lens").setAttribute("aria-pressed", String(view.lens));
  if (data) { drawWindow(view); drawMillimetres(view); markMenus(view); }
  tool("whole").hidden = !hasArea(view);
  root.querySelector(".modes").hidden = !compare;
  tool("difference").hidden = compare && !data.canSubtract;
  MODES.forEach((mode) => tool(mode).setAttribute("aria-pressed", String(modeOf(view) === mode)));
  root.querySelector(".blink").hidden = modeOf(view) !== "blink";
  tool("pause").textContent = view.paused ? "Go on" : "Pause";
  tool("rate").value = String(view.rate);
  root.querySelector(".rate").textContent = `${view.rate.toFixed(1)} a second`;
  root.querySelector(".visits").hidden = !data?.visits;
  ["earlier", "later"].forEach((name) => { tool(name).disabled = !data?.canVisit?.[name]; });
  tool("sites").setAttribute("aria-pressed", String(listIsOpen(view)));
  drawFrames(view);
  drawOverlays(view);
}

function drawOverlays(view) {
  const legend = view.root.querySelector(".legend"), { layers = [], structures = [] } = view.data ?? {};
  view.root.querySelector(".overlays").replaceChildren(...layers.map((layer) => layerButton(view, layer, layer.short, "marks and grades")));
  legend.hidden = !structures.length;
  legend.replaceChildren(...structures.map((layer) => layerButton(view, layer, layer.short, "outlines")));
}

/* A switch that is its own legend. */
function layerButton(view, layer, name, what) {
  const on = isShown(view, layer.code), button = document.createElement("button");
  button.setAttribute("aria-pressed", String(on));
  button.dataset.layer = layer.code;
  button.title = `${layer.title}: ${on ? "hide" : "show"} its ${what}`;
  const swatch = document.createElement("i");
  swatch.style.borderColor = layer.colour;
  swatch.style.borderStyle = layer.dash === "solid" ? "solid" : "dashed";
  button.append(swatch, name);
  button.addEventListener("click", () => switchLayer(view, layer.code));
  return button;
}

function switchLayer(view, code) {
  view.off = view.off.includes(code) ? view.off.filter((one) => one !== code) : [...view.off, code];
  keepHabits(view);
  drawTools(view);
  drawSites(view);
  view.panes.forEach(paint);
}

/* ---- list ---- */

function listIsOpen(view) { return view.list ?? view.root.clientWidth > 1150; }

function listed(view) {
  const { films, order } = view.data, names = new Set(films.flatMap((film) => [...film.boxes, ...film.unplaced].map((one) => one.site)));
  const known = order.filter((site) => names.has(site));
  return [...known, ...[...names].filter((site) => !order.includes(site))];
}

function cellsAt(film, site) { return (boxAt(film, site) ?? film.unplaced.find((one) => one.site === site))?.cells ?? []; }

function drawSites(view) {
  const panel = view.root.querySelector(".sites");
  panel.hidden = !listIsOpen(view);
  if (panel.hidden) return panel.replaceChildren();
  const heads = view.data.layers.map((layer, i) => ({ ...layer, i })).filter((layer) => isShown(view, layer.code));
  const sites = listed(view), changed = sites.filter((site) => heads.some(({ i }) => isChanged(view, site, i)));
  const shown = view.changed && changed.length ? changed : sites;
  const table = document.createElement("table"), head = table.createTHead().insertRow();
  ["Site", ...heads.map((layer) => layer.short)].forEach((name, i) => {
    head.append(Object.assign(document.createElement("th"), { textContent: name, scope: "col", title: i ? heads[i - 1].title : "" }));
  });
  const body = table.createTBody();
  shown.forEach((site) => body.append(siteRow(view, site, heads)));
  const top = document.createElement("div");
  top.className = "sites-head";
  const only = document.createElement("button");
  only.textContent = `Changed: ${changed.length} of ${sites.length}`;
  only.title = spoken(view, "List only the sites that a shown reading grades otherwise on the second film");
  only.disabled = !changed.length;
  only.setAttribute("aria-pressed", String(view.changed && changed.length > 0));
  only.addEventListener("click", () => { view.changed = !view.changed; drawSites(view); });
  if (view.data.films.length > 1) top.append(only);
  panel.replaceChildren(top, table);
  scrollToPicked(view);
}

function isChanged(view, site, i) {
  const [one, two] = view.data.films.map((film) => cellsAt(film, site)[i]);
  return Boolean(one?.colour && two?.colour && one.text !== two.text);
}

function siteRow(view, site, heads) {
  const row = document.createElement("tr"), name = document.createElement("th"), button = document.createElement("button");
  row.dataset.site = site;
  row.classList.toggle("picked", site === view.picked);
  button.textContent = site;
  button.title = view.data.films.some((film) => boxAt(film, site)) ? "Show it large" : spoken(view, "Not found on these films");
  button.addEventListener("click", () => {
    pick(view, site, view.data.films[0].id);
    focusAll(view, site);
  });
  name.append(button);
  row.append(name, ...heads.map(({ i }) => gradeCell(view.data.films.map((film) => cellsAt(film, site)[i]), isChanged(view, site, i))));
  return row;
}

/* One reading's grade: "1", or "1→2" where it differs between the films. */
function gradeCell(cells, changed) {
  const cell = document.createElement("td"), last = cells[cells.length - 1] ?? { text: "–", colour: "" };
  cell.textContent = changed ? cells.map((one) => one.text).join("→") : (cells.find((one) => one?.colour) ?? last).text;
  if (changed) { cell.style.background = last.colour; cell.style.color = ink(last.colour); }
  return cell;
}

function scrollToPicked(view) {
  const panel = view.root.querySelector(".sites");
  panel.querySelectorAll("tbody tr").forEach((row) => {
    const picked = row.dataset.site === view.picked;
    row.classList.toggle("picked", picked);
    if (!picked) return;
    const top = row.offsetTop, bottom = top + row.offsetHeight;
    if (top < panel.scrollTop + 60) panel.scrollTop = top - 60;
    else if (bottom > panel.scrollTop + panel.clientHeight) panel.scrollTop = bottom - panel.clientHeight + 20;
  });
}
