// Every text on the page whose contrast is too low, as rows of {text, ratio, colour, on, at}: text of HTML, of figures
// (SVG, where the fill counts) and in open shadow trees. What axe leaves out: SVG, placeholders, shadow trees.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, under) => {
    const shade = [0, 1, 2].map((place) => top[place] * top[3] + under[place] * (1 - top[3]));
    return [...shade, 1];
  };
  const light = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const above = (node) => node.parentElement || (node.getRootNode().host ?? null);
  const page = rgba(getComputedStyle(document.querySelector(".stApp")).backgroundColor);
  // null where a picture or a gradient is behind the text: then no one colour is
  const behind = (node) => {
    const layers = [];
    const own = node.getBoundingClientRect();
    const [x, y] = [own.left + own.width / 2, own.top + own.height / 2];
    for (let one = node; one; one = above(one)) {
      const style = getComputedStyle(one);
      const box = one.getBoundingClientRect();
      if (x < box.left || x > box.right || y < box.top || y > box.bottom) continue; // it stands outside its parent
      if (style.backgroundImage !== "none") return null;
      const colour = rgba(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), page);
  };
  const opacity = (node) => {
    let all = 1;
    for (let one = node; one; one = above(one)) all *= Number(getComputedStyle(one).opacity);
    return all;
  };
  const found = new Map();
  const look = (node, text, colour) => {
    const on = behind(node);
    const ink = rgba(colour);
    ink[3] *= opacity(node);
    if (!on || ink[3] === 0) return;
    const shade = over(ink, on);
    const ratio = contrast(shade, on);
    const size = parseFloat(getComputedStyle(node).fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(getComputedStyle(node).fontWeight) >= 700);
    if (ratio >= (isLarge ? 3 : 4.5)) return;
    const row = { text: text.trim().slice(0, 60), ratio: ratio.toFixed(2), colour: shade.map(Math.round).slice(0, 3),
      on: on.map(Math.round).slice(0, 3), at: `${node.tagName}.${node.className.baseVal ?? node.className}` };
    found.set(JSON.stringify([row.colour, row.on, row.text]), row);
  };
  const isShown = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && node.checkVisibility({ visibilityProperty: true });
  };
  const walk = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) walk(node.shadowRoot);
      if (["SCRIPT", "STYLE", "TITLE", "NOSCRIPT"].includes(node.tagName) || node.closest("canvas, [inert], :disabled, [aria-disabled=true]")) continue;
      if (!isShown(node)) continue;
      if (node.placeholder && !node.value) look(node, node.placeholder, getComputedStyle(node, "::placeholder").color);
      if (node.closest(".scatterlayer")) continue; // on its mark, whose ink is tested with the colours of figures
      const words = [...node.childNodes].filter((one) => one.nodeType === 3).map((one) => one.textContent).join(" ");
      if (!words.trim()) continue;
      const style = getComputedStyle(node);
      look(node, words, node instanceof SVGElement ? style.fill : style.color);
    }
  };
  walk(document);
  return [...found.values()];
}
