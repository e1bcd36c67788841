"""What a person chose in the widgets of the pages: kept in the session, and parameters of the address.

A key such as ``progression_section`` is the parameter ``section`` of the page Progression; a key of
``SHARED`` belongs to all pages. What is the default where it is drawn is not kept, so addresses stay short.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from pages.common import session_keys as keys

Values = tuple[str, ...]
Parameters = dict[str, list[str]]
SHARED = {"score": "component", "sort": "list_sort"}  # parameter -> key
NONE = "-"  # of a choice of several: none of them
NAME = re.compile(r"[a-z]\w{0,30}")
MAX_VALUES, LONGEST = 30, 200  # of a parameter in an address


@dataclass
class Choices:
    """key -> values. kept: other than the default. aside: not possible where it was drawn last, for when it
    is again. linked: keys whose values came with an address and were not drawn since. drawn: as drawn last,
    also the default.
    """

    kept: dict[str, Values] = field(default_factory=dict)
    aside: dict[str, Values] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)
    drawn: dict[str, Values] = field(default_factory=dict)


def choices() -> Choices:
    """Those of this session."""
    found: Choices = st.session_state.setdefault(keys.CHOICES, Choices())
    return found


def slug_of(script: str) -> str:
    """The name of a page in keys: ``pages/4_Progression.py`` -> progression, ``app.py`` -> home."""
    stem = Path(script).stem
    return "home" if stem == "app" else stem.split("_")[-1].lower()


def settle(key: str, options: Sequence[str], default: str = "", *, now: str | None = None) -> tuple[str, str]:
    """(what a choice shows now, what an address asked for in vain or "").

    The first that is possible of: what is kept, what was set aside, the default, the first option.
    now: what the widget holds, None where it was not drawn.
    """
    return _settle(key, options, default if default in options else options[0], now)


def _settle(key: str, possible: Container[str], usual: str, now: str | None) -> tuple[str, str]:
    held = choices()
    wanted = _set_since(held, key, None if now is None else (now,)) or held.kept.pop(key, ())
    value = next(one for one in (*wanted, *held.aside.get(key, ()), usual) if one in possible)
    was_linked = key in held.linked
    held.linked.discard(key)
    lost = "".join(one for one in wanted if one not in possible)
    if lost and not was_linked:
        held.aside[key] = wanted
    if value in held.aside.get(key, ()):
        del held.aside[key]
    _keep(held, key, (value,), (usual,))
    return value, lost if was_linked else ""


@dataclass(frozen=True)
class Between:
    """Numbers as text, between two limits; without an upper one where it is None."""

    low: float
    high: float | None = None

    def __contains__(self, text: object) -> bool:
        try:
            value = float(str(text))
        except ValueError:
            return False
        return math.isfinite(value) and self.low <= value and (self.high is None or value <= self.high)


class OptionalBetween(Between):
    """The same, or no number."""

    def __contains__(self, text: object) -> bool:
        return text == "" or super().__contains__(text)


def settle_number(
    key: str, possible: Between, default: float | None, *, now: str | None = None
) -> tuple[float | None, str]:
    """The same for a number, which is text in an address: 0.05, 90; None where none is given."""
    held = choices()
    if key in held.kept:
        held.kept[key] = tuple(_plain(one) if one in possible else one for one in held.kept[key])
    value, lost = _settle(key, possible, number_text(default), now)
    return (float(value) if value else None), lost


def number_text(value: float | None) -> str:
    """``40`` for 40.0, every digit that counts, nothing for None."""
    return "" if value is None else repr(float(value)).removesuffix(".0")


def _plain(text: str) -> str:
    return number_text(float(text)) if text else ""


def anew(mark: str, about: Any, *these: str) -> None:
    """Choices about something that is no longer looked at are forgotten; those of a link stay.

    mark: the key of the session that holds what they are about.
    """
    if st.session_state.get(mark) == about:
        return
    st.session_state[mark] = about
    held = choices()
    for key in these:
        if key not in held.linked:
            for part in (held.kept, held.aside, held.drawn):
                part.pop(key, None)
        st.session_state.pop(key, None)


def settle_many(
    key: str, options: Sequence[str], default: Sequence[str] = (), *, now: Values | None = None
) -> tuple[Values, Values]:
    """The same for a choice of several: (chosen, asked for in vain). An address names none by ``-``."""
    held = choices()
    usual = tuple(one for one in default if one in options)
    since = _set_since(held, key, now)
    wanted = held.kept.pop(key, usual) if since is None else since
    was_linked = key in held.linked
    held.linked.discard(key)
    value = tuple(one for one in wanted if one in options)
    _keep(held, key, value, usual)
    return value, tuple(one for one in wanted if one not in (*options, NONE)) if was_linked else ()


def _set_since(held: Choices, key: str, now: Values | None) -> Values | None:
    """What the widget was set to since it was drawn, None where it was not: an address wins over it."""
    if now is None or now == held.drawn.get(key) or key in held.linked:
        return None
    held.kept.pop(key, None)
    return now


def _keep(held: Choices, key: str, value: Values, usual: Values) -> None:
    held.drawn[key] = value
    if value != usual:
        held.kept[key] = value or (NONE,)


def keep(key: str, *values: str) -> None:
    """A choice is made: by a person, or by what a click leads to."""
    held = choices()
    held.kept[key] = values or (NONE,)
    held.aside.pop(key, None)
    held.linked.discard(key)


def written(page: str, *, whole: bool = False) -> Parameters:
    """The choices of a page as parameters. whole: also those that are the default where they were drawn."""
    held = choices()
    found = held.drawn | held.kept if whole else held.kept
    return {name: list(values or (NONE,)) for key, values in found.items() if (name := _parameter(page, key))}


def read(page: str, given: Mapping[str, Sequence[str]], taken: Sequence[str] = ()) -> None:
    """Take the choices of a page from an address; those that it does not name go back to the default.

    taken: parameters that are no choice of a widget.
    """
    held = choices()
    for key in [key for key in (*held.kept, *held.aside) if _parameter(page, key)]:
        held.kept.pop(key, None)
        held.aside.pop(key, None)
    for name, values in given.items():
        if name not in taken and NAME.fullmatch(name) and values:
            key = SHARED.get(name, f"{page}_{name}")
            held.kept[key] = tuple(value[:LONGEST] for value in values[:MAX_VALUES])
            held.linked.add(key)


def _parameter(page: str, key: str) -> str:
    """The parameter of a key in the addresses of a page, "" where it has none there."""
    shared = next((name for name, one in SHARED.items() if one == key), "")
    return shared or (key.removeprefix(f"{page}_") if key.startswith(f"{page}_") else "")
