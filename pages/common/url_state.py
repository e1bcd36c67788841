"""The question in plain query parameters, defaults left out: filter, place (patient, site, visits), choices.

An address that differs from what this session wrote last is one that a person followed: it wins. Otherwise
the session wins and the address is written again, because a menu may drop parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import streamlit as st

from core.domain import CohortFilter
from pages.common import session_keys as keys
from pages.common.views import choices
from pages.common.views.choices import Parameters
from pages.common.views.notices import notice

PATIENT_PAGE = "pages/2_Patient.py"
PATIENT = choices.slug_of(PATIENT_PAGE)
LISTS = {"arm": "arms", "sex": "sexes", "visit": "visits", "in": "subjects", "centre": "centres"}
OF_FILTER = (*LISTS, "with", "range", "campaign", "system")
OF_PLACE = ("patient", "site", "first", "last")


@dataclass(frozen=True)
class Place:
    """What is looked at: a patient, a site, and the two visits that are compared; "" where not chosen."""

    patient: str = ""
    site: str = ""
    first: str = ""
    last: str = ""


def sync(script: str) -> None:
    """Bring session and address together; once at the start of every page."""
    page = choices.slug_of(script)
    here = {name: st.query_params.get_all(name) for name in st.query_params}
    before = st.session_state.get(keys.HERE)
    st.session_state[keys.HERE] = page
    st.session_state.setdefault(keys.FILTER, CohortFilter())
    st.session_state.setdefault(keys.PLACE, Place())
    is_other = here not in (st.session_state.get(keys.WRITTEN), parameters())
    if is_other and (here or before == page):  # none on another page: a menu that drops them
        _follow(page, here)
    write()


def _follow(page: str, here: Parameters) -> None:
    """Take the question from an address; of another page's place and choices it says nothing."""
    st.session_state[keys.FILTER] = read_filter(here)
    if page == PATIENT or any(name in here for name in OF_PLACE):
        st.session_state[keys.PLACE] = read_place(here)
    choices.read(page, here, (*OF_FILTER, *OF_PLACE))
    for text in here.get("range", ()):
        if _range(text) is None:
            notice(f"The link's range {text} is none, so it does not filter: it needs a name and two limits.")


def write() -> None:
    """Write the session's question into the address."""
    wanted = parameters()
    st.session_state[keys.WRITTEN] = wanted
    if {name: st.query_params.get_all(name) for name in st.query_params} != wanted:
        st.query_params.from_dict(wanted)


def parameters(script: str = "", *, whole: bool = False) -> Parameters:
    """The session's question as query parameters of a page, of the one that is open without a name.

    whole: also what is the default today, for a question that shall stay when defaults change.
    """
    page = choices.slug_of(script) if script else st.session_state.get(keys.HERE, "")
    of_filter, of_place = _whole() if whole else _short()
    return of_filter | (of_place if page == PATIENT else {}) | choices.written(page, whole=whole)


def _short() -> tuple[Parameters, Parameters]:
    chosen: CohortFilter = st.session_state.get(keys.FILTER, CohortFilter())
    return write_filter(chosen), write_place(st.session_state.get(keys.PLACE, Place()))


def _whole() -> tuple[Parameters, Parameters]:
    """Filter and place as they are used, with what is the default today."""
    chosen: CohortFilter = st.session_state.get(keys.SHOWN_FILTER, st.session_state.get(keys.FILTER))
    place = st.session_state.get(keys.SHOWN_PLACE, st.session_state.get(keys.PLACE, Place()))
    return write_filter(chosen) | {"system": [chosen.system]}, write_place(place)


def place() -> Place:
    return st.session_state.setdefault(keys.PLACE, Place())


def go(**changed: str) -> None:
    """Look at another patient, site or pair of visits."""
    st.session_state[keys.PLACE] = replace(place(), **changed)


def shown(**used: str) -> None:
    """What is shown, chosen or by default; the address names what was chosen."""
    st.session_state[keys.SHOWN_PLACE] = replace(place(), **used)
    write()


def open_patient(subject: str, *, site: str = "", first: str = "", last: str = "") -> None:
    """Leave for a patient's films, at a site and two visits where they are named."""
    go(patient=subject, site=site, first=first, last=last)
    st.switch_page(PATIENT_PAGE, query_params=parameters(PATIENT_PAGE))


def write_filter(chosen: CohortFilter) -> Parameters:
    found: Parameters = {name: list(getattr(chosen, field)) for name, field in LISTS.items()}
    found["with"] = [f"{name}:{level}" for name, level in chosen.covariates]
    found["range"] = [_range_text(*one) for one in chosen.ranges]
    found["campaign"] = [chosen.campaign] if chosen.campaign else []
    found["system"] = [chosen.system] if chosen.system != CohortFilter().system else []
    return {name: values for name, values in found.items() if values}


def _range_text(name: str, low: float | None, high: float | None) -> str:
    """``CRP:5..12``; an open end is empty."""
    return f"{name}:{choices.number_text(low)}..{choices.number_text(high)}"


def _range(text: str) -> tuple[str, float | None, float | None] | None:
    """The range of a parameter; None for what is none."""
    name, colon, limits = text.rpartition(":")
    low, dots, high = limits.partition("..")
    try:
        found = [None if not part else float(part) for part in (low, high)]
    except ValueError:
        return None
    known = [part for part in found if part is not None]
    is_range = name and colon and dots and known == sorted(known) and all(map(math.isfinite, known))
    return (name, found[0], found[1]) if is_range and known else None


def read_filter(parameters: Parameters) -> CohortFilter:
    """The filter in an address; what it does not name stays at the default."""
    lists = {field: tuple(parameters.get(name, ())) for name, field in LISTS.items()}
    pairs = (text.partition(":") for text in parameters.get("with", ()))
    ranges = (_range(text) for text in parameters.get("range", ()))
    return CohortFilter(
        ranges=tuple(one for one in ranges if one is not None),
        system=next(iter(parameters.get("system", ())), CohortFilter().system),
        campaign=next(iter(parameters.get("campaign", ())), ""),
        covariates=tuple((name, level) for name, colon, level in pairs if colon),
        **lists,
    )


def write_place(place: Place) -> Parameters:
    found = {"patient": place.patient, "site": place.site, "first": place.first, "last": place.last}
    return {name: [value] for name, value in found.items() if value}


def read_place(parameters: Parameters) -> Place:
    return Place(**{name: parameters[name][0] for name in OF_PLACE if parameters.get(name)})
