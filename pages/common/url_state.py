"""The filter and the place (patient, site, visits) in plain query parameters, defaults left out.

An address that differs from what this session wrote last is one that a person followed: it wins. Otherwise
the session wins and the address is written again, because a menu may drop parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.domain import CohortFilter
from pages.common import session_keys as keys

Parameters = dict[str, list[str]]
PATIENT_PAGE = "pages/2_Patient.py"
LISTS = {"arm": "arms", "sex": "sexes", "visit": "visits", "in": "subjects"}


@dataclass(frozen=True)
class Place:
    """What is looked at: a patient, a site, and the two visits that are compared; "" where not chosen."""

    patient: str = ""
    site: str = ""
    first: str = ""
    last: str = ""


def sync() -> None:
    """Bring session and address together; once at the start of every page."""
    here = {name: st.query_params.get_all(name) for name in st.query_params}
    if here and here != st.session_state.get(keys.WRITTEN):
        st.session_state[keys.FILTER] = read_filter(here)
        st.session_state[keys.PLACE] = read_place(here)
    st.session_state.setdefault(keys.FILTER, CohortFilter())
    st.session_state.setdefault(keys.PLACE, Place())
    write()


def write() -> None:
    """Write the session's filter and place into the address."""
    wanted = parameters()
    st.session_state[keys.WRITTEN] = wanted
    if {name: st.query_params.get_all(name) for name in st.query_params} != wanted:
        st.query_params.from_dict(wanted)


def parameters() -> Parameters:
    """The session's filter and place as query parameters."""
    chosen: CohortFilter = st.session_state.get(keys.FILTER, CohortFilter())
    place: Place = st.session_state.get(keys.PLACE, Place())
    return write_filter(chosen) | write_place(place)


def place() -> Place:
    return st.session_state.setdefault(keys.PLACE, Place())


def go(**changed: str) -> None:
    """Look at another patient, site or pair of visits."""
    st.session_state[keys.PLACE] = replace(place(), **changed)


def open_patient(subject: str, *, site: str = "", first: str = "", last: str = "") -> None:
    """Leave for a patient's films, at a site and two visits where they are named."""
    go(patient=subject, site=site, first=first, last=last)
    st.switch_page(PATIENT_PAGE, query_params=parameters())


def write_filter(chosen: CohortFilter) -> Parameters:
    found: Parameters = {name: list(getattr(chosen, field)) for name, field in LISTS.items()}
    found["with"] = [f"{name}:{level}" for name, level in chosen.covariates]
    found["campaign"] = [chosen.campaign] if chosen.campaign else []
    found["system"] = [chosen.system] if chosen.system != CohortFilter().system else []
    return {name: values for name, values in found.items() if values}


def read_filter(parameters: Parameters) -> CohortFilter:
    """The filter in an address; what it does not name stays at the default."""
    lists = {field: tuple(parameters.get(name, ())) for name, field in LISTS.items()}
    pairs = (text.partition(":") for text in parameters.get("with", ()))
    return CohortFilter(
        system=next(iter(parameters.get("system", ())), CohortFilter().system),
        campaign=next(iter(parameters.get("campaign", ())), ""),
        covariates=tuple((name, level) for name, colon, level in pairs if colon),
        **lists,
    )


def write_place(place: Place) -> Parameters:
    found = {"patient": place.patient, "site": place.site, "first": place.first, "last": place.last}
    return {name: [value] for name, value in found.items() if value}


def read_place(parameters: Parameters) -> Place:
    fields = ("patient", "site", "first", "last")
    return Place(**{name: parameters[name][0] for name in fields if parameters.get(name)})
