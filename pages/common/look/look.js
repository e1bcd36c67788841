// What a style sheet cannot do: the sidebar is closed in a narrow window, and a page fits the paper.
const NARROW = 1100; // pixels; as in look.css
const ON_PAPER = { upright: 700, across: 1020 }; // pixels between the margins, of A4 and of US Letter

function closeSidebar() {
  const of = location.pathname;
  if (window.innerWidth >= NARROW || window.sharplineClosedOn === of) return;
  const button = document.querySelector(
    '[data-testid="stSidebarCollapseButton"] button[aria-expanded="true"]'
  );
  if (!button) return;
  window.sharplineClosedOn = of; // a person who opens it again keeps it on this page
  button.click();
}

function fitPaper() {
  const content = document.querySelector('[data-testid="stMainBlockContainer"]');
  if (!content) return;
  const style = getComputedStyle(content);
  const width = content.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const isWide = width > 1200;
  const zoom = Math.min(1, (isWide ? ON_PAPER.across : ON_PAPER.upright) / width);
  document.documentElement.style.setProperty("--print-width", `${width}px`);
  document.documentElement.style.setProperty("--print-zoom", zoom.toFixed(3));
  const sheet = document.querySelector("#sharpline-paper") ?? document.head.appendChild(document.createElement("style"));
  sheet.id = "sharpline-paper";
  sheet.textContent = isWide ? "@page { size: landscape; }" : "";
}

// Tables are painted: their numbers get the minus that the text around them has, and no change has no sign.
function trueMinus() {
  const paint = CanvasRenderingContext2D.prototype.fillText;
  if (paint.isSharpline) return;
  const painted = function (text, ...place) {
    return paint.call(this, String(text).replace(/^[+-](?=0[.0]*$)/, "").replace(/^-(?=[\d.])/, "−"), ...place);
  };
  CanvasRenderingContext2D.prototype.fillText = Object.assign(painted, { isSharpline: true });
}

export default function () {
  closeSidebar();
  trueMinus();
  if (window.sharplineFitsPaper) return;
  window.sharplineFitsPaper = true;
  window.addEventListener("beforeprint", fitPaper);
}
