/* The keys of the viewer: what each does, the help that lists them, and other keys that a person gives (kept in this browser). */

const OWN_KEYS = "sharpline.viewer.keys";
const FIXED = ["Escape", "?"]; /* ways out and the way to this list stay where they are */

/* Every key: which, how the help writes it, what the help says, what it does, when it does so. The help is made of this. */
const KEYS = [
  [["n"], "n", "next site", (view) => step(view, 1)],
  [["p"], "p", "previous site", (view) => step(view, -1)],
  [["Enter"], "Enter", "choose the site", (view) => { if (view.picked) pick(view, view.picked, view.data.films[0]?.id); }],
  [["z"], "z", "show the site large", (view) => { view.panes.forEach((pane) => { pane.own = false; }); focusAll(view, view.picked); }],
  [["N"], "N", "next visit", (view) => act(view, "later"), (view) => view.data.visits],
  [["P"], "P", "previous visit", (view) => act(view, "earlier"), (view) => view.data.visits],
  [["c"], "c", "side by side", (view) => act(view, "side"), canCompare],
  [["x"], "x", "blink on or off", (view) => act(view, "blink"), canCompare],
  [[" "], "Space", "play the cine, pause it", (view) => act(view, "play"), (view) => hasCine(view) && modeOf(view) !== "blink"],
  [["g"], "g", "the frame that was graded", (view) => act(view, "graded"), (view) => view.sheets.some((sheet) => sheet.film?.graded.length)],
  [[" "], "Space", "blink: pause, go on", (view) => act(view, "pause"), (view) => canCompare(view) && (!hasCine(view) || modeOf(view) === "blink")],
  [["v"], "v", "blink: the other film", (view) => act(view, "turn"), canCompare],
  [["<"], "<", "blink slower", (view) => act(view, "slower"), canCompare],
  [[">"], ">", "blink faster", (view) => act(view, "faster"), canCompare],
  [["d"], "d", "difference on or off", (view) => act(view, "difference"), canSubtract],
  [["+", "="], "+", "zoom in", (view) => act(view, "in")],
  [["-"], "−", "zoom out", (view) => act(view, "out")],
  [["0"], "0", "whole film", (view) => act(view, "fit"), (view) => !hasArea(view)],
  [["0"], "0", "the scan in the middle", (view) => act(view, "fit"), hasArea],
  [["w"], "w", "whole screen of the machine, scan alone", (view) => act(view, "whole"), hasArea],
  [["1"], "1", "film pixels", (view) => act(view, "real")],
  [["ArrowLeft"], "←", "move", (view) => pan(view, NUDGE, 0)],
  [["ArrowRight"], "→", "move", (view) => pan(view, -NUDGE, 0)],
  [["ArrowUp"], "↑", "previous frame", (view) => stepByKey(view, -1), hasFrames],
  [["ArrowDown"], "↓", "next frame", (view) => stepByKey(view, 1), hasFrames],
  [["ArrowUp"], "↑", "move", (view) => pan(view, 0, NUDGE), (view) => !hasFrames(view)],
  [["ArrowDown"], "↓", "move", (view) => pan(view, 0, -NUDGE), (view) => !hasFrames(view)],
  [["["], "[", "less contrast", (view) => shift(view, 0, 1.1)],
  [["]"], "]", "more contrast", (view) => shift(view, 0, 1 / 1.1)],
  [[","], ",", "darker", (view) => shift(view, 0.04, 1)],
  [["."], ".", "brighter", (view) => shift(view, -0.04, 1)],
  [["e"], "e", "measure a length", (view) => act(view, "length")],
  [["a"], "a", "measure an angle", (view) => act(view, "angle")],
  [["Backspace", "Delete"], "Backspace", "remove the last measurement", (view) => act(view, "unmeasure")],
  [["Escape"], "Escape", "close help or menu, end measuring", escape, (view) => Boolean(view.tool || view.lens || view.draft || menuIsOpen(view) || helpIsOpen(view))],
  [["m"], "m", "magnifier", (view) => act(view, "lens")],
  [["r"], "r", "turn to the right", (view) => act(view, "right")],
  [["R"], "R", "turn to the left", (view) => act(view, "left")],
  [["h"], "h", "mirror", (view) => act(view, "mirror")],
  [["u"], "u", "as stored: not turned", (view) => act(view, "upright")],
  [["i"], "i", "black on white", (view) => act(view, "invert")],
  [["b"], "b", "boxes", (view) => act(view, "boxes")],
  [["l"], "l", "grades", (view) => act(view, "labels")],
  [["t"], "t", "list of sites", (view) => act(view, "sites")],
  [["k"], "k", "films linked", (view) => act(view, "linked")],
  [["s"], "s", "save as PNG", (view) => act(view, "png")],
  [["S"], "S", "save as SVG", (view) => act(view, "svg")],
  [["f"], "f", "full screen", (view) => act(view, "full")],
  [["?"], "?", "this help", (view) => act(view, "help")],
];

/* ---- keys that a person gave ---- */

function nameOf([, shown, says]) { return `${shown} ${says}`; }

function ownKeys() {
  try { return JSON.parse(localStorage.getItem(OWN_KEYS)) ?? {}; } catch { return {}; }
}

function keepKeys(own) {
  try { localStorage.setItem(OWN_KEYS, JSON.stringify(own)); } catch { /* private window: they last as long as the page */ }
  globalThis.__sharpline_keys = own;
}

function keysOf(entry) {
  const own = (globalThis.__sharpline_keys ??= ownKeys())[nameOf(entry)];
  return own ? [own] : entry[0];
}

function shownKey(entry) {
  const own = globalThis.__sharpline_keys?.[nameOf(entry)];
  return own ? (KEYS.find(([keys]) => keys[0] === own)?.[1] ?? own) : entry[1];
}

/* The key that is pressed next is that of the entry, unless another has it. */
function giveKey(view, event) {
  const entry = view.rekeyed;
  if (["Shift", "CapsLock", "Tab"].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  view.rekeyed = null;
  const other = KEYS.find((one) => one !== entry && keysOf(one).includes(event.key) && isUsed(view, one));
  const says = other ? `${shownKey(other)} is taken: ${other[2]}. Choose another key.` : "";
  if (event.key !== "Escape" && !other) {
    const own = { ...globalThis.__sharpline_keys };
    if (entry[0].includes(event.key)) delete own[nameOf(entry)];
    else own[nameOf(entry)] = event.key;
    keepKeys(own);
  }
  writeHelp(view, event.key === "Escape" ? "" : says);
  view.root.querySelector(`.help [data-key="${CSS.escape(nameOf(entry))}"]`)?.focus();
}

function isUsed(view, [, , , , when]) { return !when || when(view); }

function key(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !view.data) return;
  if (view.rekeyed) return giveKey(view, event);
  const inTool = event.target !== view.root;
  if (inTool && event.key !== "Escape" && (event.target.tagName !== "BUTTON" || ["Enter", " "].includes(event.key))) return;
  const found = KEYS.find((entry) => keysOf(entry).includes(event.key) && isUsed(view, entry));
  if (!found) return;
  event.preventDefault();
  event.stopPropagation();
  found[3](view);
}

function writeHelp(view, says = "") {
  const list = view.root.querySelector(".help dl");
  list.replaceChildren(...KEYS.filter((entry) => isUsed(view, entry)).map((entry) => helpRow(view, entry)));
  view.root.querySelector(".help .says").textContent = says;
  writeTitles(view);
}

function helpRow(view, entry) {
  const row = document.createElement("div"), head = document.createElement("dt");
  if (entry[0].some((one) => FIXED.includes(one))) head.textContent = shownKey(entry);
  else head.append(keyButton(view, entry));
  row.append(head, Object.assign(document.createElement("dd"), { textContent: spoken(view, entry[2]) }));
  return row;
}

function keyButton(view, entry) {
  const button = Object.assign(document.createElement("button"), { textContent: view.rekeyed === entry ? "press a key" : shownKey(entry) });
  button.dataset.key = nameOf(entry);
  button.title = `Another key for: ${entry[2]}`;
  button.setAttribute("aria-label", `${shownKey(entry)}, another key for: ${entry[2]}`);
  button.addEventListener("click", () => {
    view.rekeyed = entry;
    writeHelp(view);
    view.root.querySelector(`.help [data-key="${CSS.escape(nameOf(entry))}"]`).focus();
  });
  return button;
}

function resetKeys(view) {
  view.rekeyed = null;
  keepKeys({});
  writeHelp(view, "All keys are as they were.");
}

/* Titles of tools name their key in brackets at the end: the one that it has now. */
function writeTitles(view) {
  view.root.querySelectorAll(".bar [title], .strip [title]").forEach((tool) => {
    const [, words, shown] = (tool.dataset.title ??= tool.title).match(/^(.*) \((\S+)\)$/) ?? [];
    const entry = KEYS.find((one) => one[1] === shown || one[0].includes(shown));
    if (entry) tool.title = `${words} (${shownKey(entry)})`;
  });
}
