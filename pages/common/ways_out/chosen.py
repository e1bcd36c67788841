"""What was chosen on a page below its question: for how it was made, for the paper and inside every file.

Widgets that last note themselves (``pages.common.sticky_widgets``) and what a section did is the text that
its function returns (``pages.common.views.sections``), so that no section can forget either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import streamlit as st

from pages.common import session_keys as keys

Choice = tuple[str, str]  # title and words


@dataclass
class Chosen:
    """Of one run of a page. above: chosen before the sections; inside: in the open one, by key of the widget.

    section: its title. methods: what it did, in sentences for a paper.
    """

    above: dict[str, Choice] = field(default_factory=dict)
    section: str = ""
    inside: dict[str, Choice] = field(default_factory=dict)
    methods: str = ""

    @property
    def lines(self) -> list[str]:
        """A line for what is above and one for the section, where anything was chosen there."""
        parts = [(f"{self.section}: " if self.section else "", self.inside), ("", self.above)]
        return [f"{title}{_line(said)}." for title, said in parts if said]

    @property
    def paragraph(self) -> str:
        """The section in sentences; what was chosen in it is in them or behind them."""
        if not self.methods:
            return ""
        left = {key: said for key, said in self.inside.items() if not _is_in(said[1], self.methods)}
        more = f" Settings: {_line(left)}." if left else ""
        return f"{self.section}: {self.methods}{more}"


def _is_in(words: str, text: str) -> bool:
    """Whether a text names what was chosen; a number or a yes in it may be another's."""
    return len(words) > 2 and words != "none" and bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text))


def _line(said: dict[str, Choice]) -> str:
    return "; ".join(f"{title}: {words}" for title, words in said.values())


def begin() -> None:
    """What is chosen from here on is noted; the question above it is said as such."""
    st.session_state[keys.CHOSEN] = Chosen()


def chosen() -> Chosen:
    """What was noted in this run so far."""
    found: Chosen | None = st.session_state.get(keys.CHOSEN)
    return found or Chosen()


def note(key: str, title: str, words: str) -> None:
    """A choice that was drawn just now."""
    held: Chosen | None = st.session_state.get(keys.CHOSEN)
    if held is not None:
        (held.inside if held.section else held.above)[key] = (title, words or "none")
