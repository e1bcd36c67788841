"""Who looks: the person who signed in, or without sign-in whoever started the dashboard."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

import streamlit as st

from core.domain import Role, Viewer
from core.errors import InputError
from core.sign_in import LOCAL, VARIABLE, Person, SignIn, parse_viewer, read_sign_in
from data.store.cohort import current_actor

VIEWER = "SHARPLINE_VIEWER"


class Act(StrEnum):
    """What changes a study for everybody."""

    IMPORT = "import"
    DECIDE = "decide"  # margins, frozen sets
    UNBLIND = "unblind"


def acts_of(viewer: Viewer) -> frozenset[Act]:
    """What a viewer may do. Without sign-in the analyst at this machine does everything."""
    if viewer.role is Role.MANAGER or (viewer.role is Role.ANALYST and sign_in() is None):
        return frozenset(Act)
    return frozenset({Act.DECIDE}) if viewer.role is Role.ANALYST else frozenset()


def is_guarded() -> bool:
    """Whether the gate or the address keeps others out; not where ``streamlit run`` serves other machines."""
    return sign_in() is not None or st.get_option("server.address") in LOCAL


def sign_in() -> SignIn | None:
    """The list of people as the file holds it now; None where nobody signs in.

    A file that is no longer right lets nobody in.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return None
    try:
        return read_sign_in(Path(path))
    except InputError:
        return SignIn("", {})


def local_viewer() -> Viewer:
    """Who looks without sign-in: ``SHARPLINE_VIEWER=reader:R1`` makes this a blinded reader's dashboard."""
    return parse_viewer(os.environ.get(VIEWER, Role.ANALYST.value))


def person() -> Person | None:
    """Whoever looks at this page; None where signing in comes first."""
    people = sign_in()
    if people is None:
        return Person(current_actor(), local_viewer())
    return people.person(st.user.to_dict()) if st.user.is_logged_in else None
