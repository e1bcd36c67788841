"""What the cohort holds of each scoring system, in words and as a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import scores
from core.domain import CohortFilter
from core.scores.system import ScoreSystem
from data.queries import systems
from pages.common.page import Page
from pages.common.queries import Request, asking, fetch
from pages.common.shown_table import show_table


def held(page: Page, chosen: CohortFilter) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``data.queries.systems``: what is held of every known system, and the films by body part."""
    rows, films = fetch(page, *requests(chosen))
    return rows[rows["system"].isin(scores.names())], films


def requests(chosen: CohortFilter) -> list[Request]:
    """What ``held`` asks, for pages that ask more in one opening."""
    return [asking(systems.held, chosen), asking(systems.films_of, chosen)]


def in_words(rows: pd.DataFrame) -> str:
    """Which films are scored by which score, and by whom."""
    known = [scores.get(name) for name in scores.names() if name in set(rows["system"])]
    if not known:
        return "An imaging study; no film has been scored yet."
    said = "; ".join(_score(system) for system in known)
    who = " and ".join(
        name for name, there in (("readers", rows["readers"].sum()), ("a model", rows["seen"].sum())) if there
    )
    return f"An imaging study: {said}{', by ' + who if who else ''}."


def _score(system: ScoreSystem) -> str:
    what = system.films or system.long_name
    return (
        f"{what}, scored by the **{system.title}** ({len(system.codes)} {system.site_title}, 0 to "
        f"{system.maximum})"
    )


def table(page: Page, chosen: CohortFilter) -> None:
    """A row per system, where there is more than one; films by the regions that it scores."""
    rows, films = held(page, chosen)
    if len(rows) < 2:
        return
    st.markdown("## By score")
    show_table(as_table(rows, films))
    st.caption("Each page shows one score: choose it in the sidebar.")


def as_table(rows: pd.DataFrame, films: pd.DataFrame) -> pd.DataFrame:
    """``score, patients, visits, readers, films, read by the model, rejected`` in the systems' order."""
    found = []
    for name in scores.names():
        for row in rows[rows["system"] == name].to_dict("records"):
            counts = {"patients": row["patients"], "visits scored": row["visits"], "readers": row["readers"]}
            found.append(
                {"score": scores.get(name).title, **counts, "films": by_region(scores.get(name), films),
                 "read by the model": row["seen"], "rejected": row["refused"]}
            )  # fmt: skip
    return pd.DataFrame(found)


def by_region(system: ScoreSystem, films: pd.DataFrame) -> str:
    """Films of the regions that a system scores: ``36 hand, 35 foot``."""
    said = []
    for region in dict.fromkeys(site.region for site in system.sites):
        count = int(films.loc[films["body_part"].str.startswith(region), "films"].sum())
        said.append(f"{count:,} {region}")
    return ", ".join(said)
