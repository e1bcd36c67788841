"""How every page opens: look, menu, what this study is not, and a watch on the cohort's version."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from core.cohort_place import default_cohort
from core.domain import Role, Viewer
from core.errors import CohortError
from core.figures.style import Look, look
from core.markdown import md
from data.queries import cohort
from data.store.cohort import CohortStore
from pages.common import session_keys as keys
from pages.common import url_state
from pages.common.look import give_look
from pages.common.sign_in.who import Act, Person, acts_of, is_guarded, person, sign_in
from pages.common.tidy import tidy_up
from pages.common.views import saved
from pages.common.views.link import copy_link
from pages.common.views.notices import place_for_notices
from pages.common.watch import again_after
from pages.common.ways_out.described import made_with

ICON = Path(__file__).with_name("icon.svg")  # an icon by name would be fetched from a network
WATCH_SECONDS = 2
QUIET_SECONDS = 8
SPACING_SECONDS = 1  # between two sessions that run again after a write
MENU = (
    ("app.py", "Home", ":material/home:"),
    ("pages/1_Cohort.py", "Cohort", ":material/groups:"),
    ("pages/2_Patient.py", "Patient", ":material/person:"),
    ("pages/3_Agreement.py", "Agreement", ":material/compare_arrows:"),
    ("pages/4_Progression.py", "Progression", ":material/trending_up:"),
    ("pages/5_Import.py", "Import and score", ":material/upload_file:"),
)


@dataclass(frozen=True)
class Page:
    """What a page works with: the cohort, its state at this run, who looks, and the look of figures.

    as_of: an earlier version of the cohort that is looked at instead of today's (then ``version`` is it).
    person: who acts, for the audit trail. acts: what this person may do here.
    """

    path: str
    state: dict[str, Any]
    viewer: Viewer
    look: Look
    as_of: int | None = None
    person: str = ""
    acts: frozenset[Act] = frozenset(Act)

    @property
    def store(self) -> CohortStore:
        return CohortStore(self.path)

    @property
    def version(self) -> int:
        return int(self.state["version"])

    @property
    def is_reader(self) -> bool:
        """Whether a blinded reader looks: no arm, no other reader, no model, no visit order."""
        return self.viewer.role is Role.READER

    @property
    def sees_arm(self) -> bool:
        return not self.is_reader and not self.state["blinded"]


def open_page(title: str) -> Page:
    """Start a page: must be its first call."""
    st.set_page_config(page_title=f"{title} · Sharpline", layout="wide", page_icon=str(ICON))
    give_look()
    place_for_notices()
    url_state.sync(_script(title))
    path = cohort_path()
    try:
        state = _state(path, stamp(path))
    except CohortError as error:
        show_error(error)
    someone = _signed_in()
    page = Page(
        path,
        state,
        someone.viewer,
        look(st.context.theme.type == "dark"),
        person=someone.name,
        acts=acts_of(someone.viewer),
    )
    st.session_state[keys.SEEN_VERSION] = page.version
    st.session_state[keys.SEEN_THEME] = st.context.theme.type
    st.session_state[keys.MADE_FROM] = {}
    st.session_state.pop(keys.DESCRIBED, None)
    st.session_state.pop(keys.CHOSEN, None)
    st.session_state[keys.MADE_WITH] = made_with(state, page.version)
    _sidebar_top(page)
    tidy_up()
    return page


def _script(title: str) -> str:
    """The script of the page with this title in the menu."""
    return next(script for script, label, _ in MENU if label == title)


def cohort_path() -> str:
    """The cohort that the app shows: ``SHARPLINE_COHORT``, as ``sharpline serve`` sets it."""
    return default_cohort()


def _signed_in() -> Person:
    """Whoever looks. Stops the page for nobody, and where other machines could reach it without the gate."""
    someone = None
    try:
        someone = person() if is_guarded() else None
    except CohortError as error:
        show_error(error)
    if someone is not None:
        return someone
    st.warning("Sign in first.", icon=":material/lock:")
    st.link_button("Sign in", "/sign-in")
    _stop()


def show_error(error: CohortError) -> NoReturn:
    """Say what was given, what is needed and what to do, and stop the page."""
    given, needed, todo = md(error.given), md(error.needed), md(error.todo)
    st.error(f"**{given}**: {needed}. What to do: {todo}.", icon=":material/build:")
    _stop()


def _stop() -> NoReturn:
    st.stop()
    raise AssertionError("a stopped page goes on")


def stamp(path: str) -> tuple[int, ...]:
    """Changes when the cohort file does; costs no opening of the store."""
    files = (Path(path), Path(path + ".wal"))
    return tuple(
        part for file in files if file.exists() for part in (file.stat().st_mtime_ns, file.stat().st_size)
    )


@st.cache_data(show_spinner=False, max_entries=8)
def _state(path: str, stamp: tuple[int, ...]) -> dict[str, Any]:
    return cohort.state(CohortStore(path))


def _sidebar_top(page: Page) -> None:
    with st.sidebar:
        st.markdown("## Sharpline")
        for script, label, icon in MENU:
            st.page_link(script, label=label, icon=icon, query_params=url_state.parameters(script))
        copy_link()
        if not page.state["is_empty"]:
            saved.in_sidebar(shelf_of(page))
        if page.state["phantom"]:
            st.badge("Phantom data: no real patient", color="orange", icon=":material/science:")
        if data_set := page.state.get("data_set"):
            st.badge(f"Data set: {md(data_set['name'])}", color="blue", icon=":material/database:")
            st.caption(md(f"{data_set['title']}. Terms: {data_set['licence']}."))
        if not page.state["phantom"] and page.state.get("model_reads") and not page.is_reader:
            st.badge("Model: outside its training domain", color="orange", icon=":material/science:")
            st.caption("It was trained on phantom images only; how it does on these images is not known.")
        st.caption("Research only. Not a medical device.")
        if page.is_reader:
            st.caption(f"Blinded reader **{md(page.viewer.reader)}**: own scores only.")
        elif page.state["blinded"] and not page.state["is_empty"]:
            st.caption("Blinded study: arms are hidden.")
        _sign_out(page)
        _watch(page.path)


def shelf_of(page: Page) -> saved.Shelf:
    """Where the saved views of this cohort are, for who looks."""
    menu = {script: (label, icon) for script, label, icon in MENU}
    return saved.Shelf(page.path, stamp(page.path), page.viewer, page.person, menu)


def _sign_out(page: Page) -> None:
    """Who is signed in, and the way out; nothing without sign-in."""
    if sign_in() is None:
        return
    st.caption(f"{md(page.person)}, {page.viewer.role.value}")
    st.button("Sign out", on_click=st.logout, icon=":material/logout:")


@st.fragment
def _watch(path: str) -> None:
    """Show the cohort's version; when another process wrote rows that the page shows, run it again.

    A run of the page alone learns of another theme (day or night): figures would keep the old colours.
    """
    again_after(WATCH_SECONDS, "watch_cohort")
    if st.context.theme.type != st.session_state.get(keys.SEEN_THEME):
        st.rerun()
    state = _state(path, stamp(path))
    version = int(state["version"])
    st.caption(f"Cohort version {version}")
    now = time.monotonic()
    if (
        version == st.session_state.get(keys.SEEN_VERSION)
        or not _is_old(st.session_state.get(keys.MADE_FROM, {}), state["last_writes"])
        or now - st.session_state.get(keys.SEEN_AT, 0) < QUIET_SECONDS
        or not _pace().is_free(now)
    ):
        return
    st.session_state[keys.SEEN_AT] = now
    st.rerun()


def _is_old(made_from: Mapping[str, int], last_writes: Mapping[str, int]) -> bool:
    """Whether something was written to a table that the page shows; one that shows none shows everything."""
    return not made_from or any(last_writes.get(table, 0) != event for table, event in made_from.items())


@dataclass
class _Pace:
    """After a write sessions run again one by one, so that a person's click does not wait for them all."""

    last: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_free(self, now: float) -> bool:
        with self.lock:
            if now - self.last < SPACING_SECONDS:
                return False
            self.last = now
            return True


@st.cache_resource(show_spinner=False)
def _pace() -> _Pace:
    return _Pace()
