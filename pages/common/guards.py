"""What a page says instead of its content: nothing there yet, not for this viewer, or a problem to fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import streamlit as st

from core.errors import CohortError, NotAllowed
from core.markdown import md
from pages.common import url_state
from pages.common.page import Page, show_error
from pages.common.sign_in.who import Act

IMPORT = "pages/5_Import.py"


def needs_cohort(page: Page) -> None:
    """Stop with a link to the import where there is no cohort yet: a normal state, not an error."""
    if not page.state["is_empty"]:
        return
    st.info("No patients yet.", icon=":material/inbox:")
    link(IMPORT, "Import images, patients and reader scores")
    st.caption("Or generate the phantom study on the command line: `sharpline demo`.")
    st.stop()


def needs_rows(frame: pd.DataFrame, missing: str, script: str = IMPORT, label: str = "Go to Import") -> None:
    """Stop with a sentence and a link where a frame has no rows."""
    if len(frame):
        return
    st.info(missing, icon=":material/inbox:")
    link(script, label)
    st.stop()


def not_for_readers(page: Page, what: str) -> None:
    """Stop for a blinded reader."""
    if page.is_reader:
        st.info(f"{what} is not shown to a blinded reader.", icon=":material/visibility_off:")
        st.stop()


def only_for(page: Page, act: Act, what: str) -> None:
    """Stop for somebody who may not do this."""
    if act not in page.acts:
        st.info(f"{what} is for the data manager of this study.", icon=":material/lock:")
        st.stop()


@contextmanager
def errors_shown() -> Iterator[None]:
    """Turn a known problem into a sentence for the person; anything else is a bug and stays one."""
    try:
        yield
    except NotAllowed as error:
        given, needed, todo = md(error.given), md(error.needed), md(error.todo)
        st.warning(f"Not shown: {given}. {needed[:1].upper()}{needed[1:]}: {todo}.")
        st.stop()
    except CohortError as error:
        show_error(error)


def link(script: str, label: str, icon: str = ":material/arrow_forward:") -> None:
    """A link that carries the question."""
    st.page_link(script, label=label, icon=icon, query_params=url_state.parameters(script))
