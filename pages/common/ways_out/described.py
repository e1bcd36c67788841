"""What the figures of a page say of themselves when they leave it: kept for one run of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from data.store.transaction import software_version
from pages.common import session_keys as keys

PHANTOM = "Phantom data: no real patient."


@dataclass(frozen=True)
class Described:
    """title: score and visits. lines: n, who was left out, the filter, the rule ... made_with: version and
    cohort, and that the data are phantoms or whose set they are. methods: sentences for the paper."""

    title: str = ""
    lines: tuple[str, ...] = ()
    made_with: str = ""
    methods: str = ""

    @property
    def inside(self) -> list[str]:
        """What stands inside a file, below the figure."""
        return [line for line in (*self.lines, self.made_with) if line]


def describe(title: str, lines: list[str], methods: str) -> None:
    """Say it once, before the first figure is drawn."""
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
        return found
    return Described(lines=(_patients(),), made_with=st.session_state.get(keys.MADE_WITH, ""))


def _patients() -> str:
    words, _ = st.session_state.get(keys.SELECTION, ("", ""))
    return words
