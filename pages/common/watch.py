"""A part of the page that runs again by itself, once the page has come to rest.

Not by ``run_every`` of ``st.fragment``: its clock runs on while a page is changed, and in a slow browser
the answer comes before the new page stands; then the page is emptied ("Bad delta path").
"""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

JS = """
const STEP = 250;

export default function ({ data, setTriggerValue, parentElement }) {
  const isAtRest = () =>
    document.querySelector('[data-test-script-state="notRunning"]') && document.visibilityState === "visible";
  let rest = 0;
  const clock = setInterval(() => {
    rest = isAtRest() ? rest + STEP : 0;
    if (rest < 1000 * data) return;
    rest = 0;
    setTriggerValue("tick", Date.now());
  }, STEP);
  return () => clearInterval(clock);
}
"""


def again_after(seconds: float, key: str) -> None:
    """Run the fragment in which this stands again, after so many seconds in which the page was at rest."""
    _component()(key=key, data=seconds, on_tick_change=lambda: None, height=0)


@cache
def _component() -> Any:
    return st.components.v2.component("sharpline.watch", js=JS)
