"""Parts of a page that are blank until what they should show is there: never the old under a new name.

Streamlit leaves what a part showed on the screen until the part is reached again. Where something else is to
be shown, it is taken away at once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import streamlit as st

KEYS = "drawn_in"  # part -> what it shows, and in which of its two places
SPINNER = """
<style>
@keyframes sharpline-turn { to { transform: rotate(1turn); } }
.sharpline-loading { display: flex; gap: 10px; align-items: center; padding: 24px 4px; }
.sharpline-loading i {
  width: 18px; height: 18px; border-radius: 50%;
  border: 3px solid currentColor; border-right-color: transparent;
  animation: sharpline-turn 1s linear infinite;
}
@media (prefers-reduced-motion: reduce) { .sharpline-loading i { animation-duration: 6s; } }
</style>
<div class="sharpline-loading" role="status"><i></i>Loading …</div>
"""


@contextmanager
def blank_until_drawn(part: str, shown: Hashable) -> Iterator[None]:
    """What is written inside is the part; where it showed something else before, it is emptied at once.

    A spinner stands above it until it is whole.

    shown: what it is to show, such as the patient and the score. There are two places that take
    turns: of what is written to one place in quick succession the browser sees the last alone.
    """
    before, turn = _all_drawn().get(part, (shown, 0))
    spinner = st.empty()
    if before != shown:
        turn = 1 - turn
        spinner.html(SPINNER)
    _all_drawn()[part] = (shown, turn)
    places = [st.container() if place == turn else st.empty() for place in (0, 1)]
    try:
        with places[turn]:
            yield
    finally:
        spinner.empty()


def drawn(part: str, shown: Hashable) -> None:
    """A part shows this now, in the place where it is."""
    _, turn = _all_drawn().get(part, (shown, 0))
    _all_drawn()[part] = (shown, turn)


def _all_drawn() -> dict[str, tuple[Hashable, int]]:
    found: dict[str, tuple[Hashable, int]] = st.session_state.setdefault(KEYS, {})
    return found
