"""Saved views: the question of a page by name, opened from the sidebar and from Home."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.domain import Role, Viewer
from core.errors import CohortError
from core.markdown import md
from data.store.cohort import CohortStore
from data.study.saved_views import SavedView, delete_view, rename_view, save_view, saved_views
from pages.common import session_keys as keys
from pages.common import url_state
from pages.common.views.choices import slug_of

NAME, WHICH, NEW_NAME, SAID = "view_name", "view_which", "view_new_name", "view_said"
MEANING = (
    "A saved view keeps the question and shows today's numbers. A frozen analysis (Progression, Access log "
    "and frozen analyses) keeps the numbers as well."
)
WITH_A_QUESTION = ("cohort", "patient", "agreement", "progression")


@dataclass(frozen=True)
class Shelf:
    """Where views are kept, who looks, and the menu: script -> (title, icon)."""

    path: str
    stamp: tuple[int, ...]
    viewer: Viewer
    person: str
    menu: Mapping[str, tuple[str, str]]

    @property
    def views(self) -> list[SavedView]:
        """Those that this viewer may open, of pages that there are."""
        return [one for one in _views(self.path, self.stamp, self.viewer) if one.page in self.menu]


@st.cache_data(show_spinner=False, max_entries=8)
def _views(path: str, stamp: tuple[int, ...], viewer: Viewer) -> list[SavedView]:
    return saved_views(CohortStore(path), viewer)


def in_sidebar(shelf: Shelf) -> None:
    """The views, a field to save what the page shows, and their names; nothing for a blinded reader."""
    if shelf.viewer.role is Role.READER:
        return
    views = shelf.views
    with st.expander("Saved views", icon=":material/bookmark:"):
        for view in views:
            _link(shelf, view)
        script = _here(shelf)
        if script:
            st.text_input("Name for what this page shows", key=NAME, placeholder="Week 52, women")
            st.button(
                "Save this view", key="view_save", on_click=_save, args=(shelf, script),
                icon=":material/bookmark_add:",
            )  # fmt: skip
        _say()
        if views:
            _names(shelf, [view.name for view in views])
        st.caption(MEANING)


def on_home(shelf: Shelf) -> None:
    """The views with who saved them and when; nothing where there is none."""
    views = shelf.views
    if not views:
        return
    st.markdown("## Saved views")
    for column, group in zip(st.columns(3), (views[0::3], views[1::3], views[2::3]), strict=True):
        with column:
            for view in group:
                _link(shelf, view)
                st.caption(f"{shelf.menu[view.page][0]}, saved by {md(view.by)} on {view.at:%Y-%m-%d}")
    st.caption(MEANING)


def _link(shelf: Shelf, view: SavedView) -> None:
    icon = shelf.menu[view.page][1]
    st.page_link(view.page, label=md(view.name), icon=icon, query_params=view.parameters)


def _here(shelf: Shelf) -> str:
    """The script of the page that is open, "" where it asks no question."""
    here = st.session_state.get(keys.HERE)
    return next((one for one in shelf.menu if slug_of(one) == here and here in WITH_A_QUESTION), "")


def _names(shelf: Shelf, names: list[str]) -> None:
    with st.popover("Rename or delete", icon=":material/edit:"):
        if st.session_state.get(WHICH) not in names:
            st.session_state[WHICH] = names[0]
        st.selectbox("View", names, key=WHICH)
        st.text_input("New name", key=NEW_NAME)
        st.button("Rename", key="view_rename", on_click=_rename, args=(shelf,))
        st.button("Delete", key="view_delete", on_click=_delete, args=(shelf,), icon=":material/delete:")


def _save(shelf: Shelf, script: str) -> None:
    asked = url_state.parameters(script, whole=True)
    name = st.session_state[NAME]
    _do(
        lambda: save_view(
            CohortStore(shelf.path), name, actor=shelf.person, viewer=shelf.viewer, page=script,
            parameters=asked,
        ),
        f"Saved: {name}.",
    )  # fmt: skip


def _rename(shelf: Shelf) -> None:
    old, new = st.session_state[WHICH], st.session_state[NEW_NAME]
    store = CohortStore(shelf.path)
    _do(
        lambda: rename_view(store, old, new, actor=shelf.person, viewer=shelf.viewer),
        f"{old} is now called {new}.",
    )


def _delete(shelf: Shelf) -> None:
    name, store = st.session_state[WHICH], CohortStore(shelf.path)
    _do(lambda: delete_view(store, name, actor=shelf.person, viewer=shelf.viewer), f"Deleted: {name}.")


def _do(act: Callable[[], None], done: str) -> None:
    try:
        act()
    except CohortError as error:
        st.session_state[SAID] = (False, f"{error.given}: {error.needed}; {error.todo}.")
        return
    st.session_state[SAID] = (True, done)
    st.session_state[NAME] = st.session_state[NEW_NAME] = ""


def _say() -> None:
    """What came of the last act, once."""
    is_done, text = st.session_state.pop(SAID, (True, ""))
    if text:
        (st.success if is_done else st.error)(md(text))
