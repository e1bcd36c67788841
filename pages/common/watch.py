"""A part of the page that runs again by itself, once the page has come to rest.

Not by ``run_every`` of ``st.fragment``, whose clock knows nothing of clicks. Where it asks between a click
on another page and the server's answer, it asks for a part of the page that is left; Streamlit answers that
after the new page, and the browser then empties it ("Bad delta path"): 6 of 86 clicks on a busy server.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

RUNNING = """
const isRunning = () => !document.querySelector('[data-test-script-state="notRunning"]');
const whenItRuns = (call) => new MutationObserver(() => { if (isRunning()) call(); })
  .observe(document.body, { subtree: true, attributeFilter: ["data-test-script-state"] });
"""
JS = (
    RUNNING
    + """
const STEP = 250, ANSWERED_WITHIN = 20000;

// Until when a click, a key or Back may still wait for its run: nothing on the page says so before it begins.
function watchGestures() {
  if (window.sharplineWaits) return;
  const waits = window.sharplineWaits = { until: 0 };
  const wait = () => { waits.until = Date.now() + ANSWERED_WITHIN; };
  for (const kind of ["pointerdown", "pointerup", "keydown"]) document.addEventListener(kind, wait, true);
  window.addEventListener("popstate", wait, true);
  whenItRuns(() => { waits.until = 0; });
}

export default function ({ data, setTriggerValue }) {
  watchGestures();
  let rest = 0;
  const clock = setInterval(() => {
    const isSeen = document.visibilityState === "visible";
    rest = isSeen && !isRunning() && Date.now() > window.sharplineWaits.until ? rest + STEP : 0;
    if (rest < 1000 * data) return;
    rest = 0;
    setTriggerValue("tick", Date.now());
  }, STEP);
  return () => clearInterval(clock);
}
"""
)


def again_after(seconds: float, key: str) -> None:
    """Run the fragment in which this stands again, after so many seconds in which the page was at rest."""
    _component()(key=key, data=seconds, on_tick_change=lambda: None, height=0)


@cache
def _component() -> Any:
    return st.components.v2.component("sharpline.watch", js=JS)
