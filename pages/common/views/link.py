"""The button that copies the address of the question, and the place on the page that is found again."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from pages.common.watch import RUNNING

HTML = '<button type="button" class="copy" aria-live="polite">Copy link</button>'
CSS = """
.copy {
  font: inherit; font-size: 0.85rem; color: inherit; background: none; cursor: pointer;
  border: 1px solid color-mix(in srgb, currentColor 35%, transparent); border-radius: 6px; padding: 3px 10px;
}
.copy:hover { border-color: currentColor; }
.copy:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
"""
JS = (
    RUNNING
    + """
const PATIENCE = 60000, CALM = 1500, RUNS_WITHIN = 15000;

async function copy(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* no secure context: by hand */ }
  const field = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  return isDone;
}

function keepPlace() {
  if (window.sharplineKeepsPlace) return;
  window.sharplineKeepsPlace = true;
  const main = () => document.querySelector('[data-testid="stMain"]');
  const name = () => `sharpline ${location.pathname} ${new URLSearchParams(location.search).get("patient")}`;
  const kept = () => Number(sessionStorage.getItem(name()) || 0);
  let page = "", isNew = false, wanted = 0, end = 0, calm = 0, runsBy = 0;
  // Back changes the path first, and the rest of the address when the script runs; until then the page that
  // was left still stands there.
  window.addEventListener("popstate", () => { runsBy = isRunning() ? 0 : Date.now() + RUNS_WITHIN; });
  whenItRuns(() => { runsBy = 0; });
  for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) {
    document.addEventListener(kind, () => { end = 0; isNew = false; }, { capture: true, passive: true });
  }
  setInterval(() => {
    if (!main()) return;
    const now = Date.now(), isComing = isRunning() || now < runsBy;
    if (location.pathname !== page) {
      page = location.pathname;
      isNew = true;
    }
    if (isNew) {
      wanted = kept();
      end = wanted ? now + PATIENCE : 0;
      calm = now;
      isNew = isComing;
    }
    if (!end) {
      if (!isComing) sessionStorage.setItem(name(), main().scrollTop);
      return;
    }
    if (isComing || Math.abs(main().scrollTop - wanted) > 2) calm = now;
    main().scrollTop = wanted;
    if (now > end || now - calm > CALM) end = 0;
  }, 120);
}

export default function ({ parentElement }) {
  const button = parentElement.querySelector("button");
  button.onclick = async () => {
    button.textContent = (await copy(location.href)) ? "Link copied" : location.href;
    setTimeout(() => { button.textContent = "Copy link"; }, 2500);
  };
  keepPlace();
}
"""
)


def copy_link() -> None:
    """The button; in the sidebar of every page. Coming back to a page shows the part of it that was left."""
    _component()(key="copy_link", height=34)


@cache
def _component() -> Any:
    return st.components.v2.component("sharpline.copy_link", html=HTML, css=CSS, js=JS)
