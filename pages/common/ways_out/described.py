"""What the figures of a page say of themselves when they leave it: kept for one run of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from data.store.transaction import software_version
from pages.common import session_keys as keys
from pages.common.ways_out import chosen

PHANTOM = "Phantom data: no real patient."


@dataclass(frozen=True)
class Described:
    """title: score and visits. lines: n, who was left out, the filter, the rule ... made_with: version and
    cohort, and that the data are phantoms or whose set they are. methods: sentences for the paper.
    settings: what was chosen below the question until the figure was drawn."""

    title: str = ""
    lines: tuple[str, ...] = ()
    made_with: str = ""
    methods: str = ""
    settings: tuple[str, ...] = ()

    @property
    def inside(self) -> list[str]:
        """What stands inside a file, below the figure."""
        return [line for line in (*self.lines, *self.settings, self.made_with) if line]


def describe(title: str, lines: list[str], methods: str) -> None:
    """Say it once, below the question and before the first figure is drawn."""
    chosen.begin()
    made = st.session_state.get(keys.MADE_WITH, "")
    st.session_state[keys.DESCRIBED] = Described(title, (*lines, _patients()), made, methods)


def made_with(state: Mapping[str, Any], version: int) -> str:
    """Study, software and version of the cohort; phantoms are called so, and an open data set is named with
    its terms. state: see ``cohort.state``.
    """
    study = f"{state['study']}, " if state["study"] else ""
    phantom = f" {PHANTOM}" if state["phantom"] else ""
    data_set = state.get("data_set")
    source = f" {data_set['notice']}" if data_set else ""
    return f"{study}cohort version {version}, Sharpline {software_version()}. Research only.{phantom}{source}"


def described() -> Described:
    """What was said in this run; of a page that said nothing, its version and filter."""
    found: Described | None = st.session_state.get(keys.DESCRIBED)
    if found is not None:
        return replace(found, settings=tuple(chosen.chosen().lines))
    return Described(lines=(_patients(),), made_with=st.session_state.get(keys.MADE_WITH, ""))


def for_the_paper() -> str:
    """The methods of the page, and of the section that is open; "" for a page that said none."""
    methods = described().methods
    return "\n\n".join(part for part in (methods, chosen.chosen().paragraph) if part) if methods else ""


def _patients() -> str:
    words, _ = st.session_state.get(keys.SELECTION, ("", ""))
    return words
