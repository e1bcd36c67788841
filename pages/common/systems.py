"""What the cohort holds of each scoring system, in words and as a table."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core import scores
from core.domain import CohortFilter
from core.scores.system import ScoreSystem
from data.queries import systems
from pages.common.page import Page
from pages.common.queries import Request, asking, fetch
from pages.common.shown_table import show_table


@dataclass(frozen=True)
class ByModel:
    """Films that a model read, that it rejected, and that it has not read yet: together all of them."""

    read: int
    rejected: int
    unread: int

    @property
    def words(self) -> str:
        """The same words on every page."""
        return f"{self.read:,} read, {self.rejected:,} rejected, {self.unread:,} not yet read"


def by_model(system: ScoreSystem, states: pd.DataFrame) -> ByModel:
    """Of the films of a system's regions, and of others that its model has seen.

    states: see ``data.queries.systems.film_states``.
    """
    own = states[states["system"] == system.name]
    regions = tuple(dict.fromkeys(site.region for site in system.sites))
    of_regions = own if system.of_stacks else own[own["body_part"].str.startswith(regions)]
    unread = of_regions["films"].sum() - of_regions["read"].sum() - of_regions["rejected"].sum()
    return ByModel(int(own["read"].sum()), int(own["rejected"].sum()), int(unread))


def of_films(system: ScoreSystem, films: pd.DataFrame, findings: pd.DataFrame) -> ByModel:
    """The same of single films, such as one patient's.

    films: ``image, body_part, thing, is_slice, may_be_read`` (``data.queries.patient.films``). findings: of
    the system, ``image, abstained``.
    """
    if system.of_stacks:
        return _of_stacks(films, findings)
    if "is_slice" in films:
        films = films[~films["is_slice"].astype(bool)]
    seen = set(findings["image"]) & set(films["image"])
    read = seen & set(findings.loc[findings["abstained"].isna(), "image"])
    regions = tuple(dict.fromkeys(site.region for site in system.sites))
    own = set(films.loc[films["body_part"].fillna("").str.startswith(regions), "image"])
    return ByModel(len(read), len(seen - read), len(own - seen))


def _of_stacks(films: pd.DataFrame, findings: pd.DataFrame) -> ByModel:
    """Stacks are counted by their series: one of which any slice was read is a read one."""
    slices = films[films["is_slice"].astype(bool)]
    of = dict(zip(slices["image"], slices["thing"], strict=True))
    seen = findings.assign(thing=findings["image"].map(of)).dropna(subset="thing")
    read = set(seen.loc[seen["abstained"].isna(), "thing"])
    candidates = set(slices.loc[slices["may_be_read"].astype(bool), "thing"])
    return ByModel(len(read), len(set(seen["thing"]) - read), len(candidates - set(seen["thing"])))


def held(page: Page, chosen: CohortFilter) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``data.queries.systems``: what is held of every known system, with the films that its model read, and
    the films by body part.

    Adds ``read, rejected, unread``.
    """
    rows, films, states = fetch(page, *requests(chosen))
    rows = rows[rows["system"].isin(scores.names())]
    found = [by_model(scores.get(name), states) for name in rows["system"]]
    counts = {name: [getattr(one, name) for one in found] for name in ("read", "rejected", "unread")}
    return rows.assign(**counts), films


def requests(chosen: CohortFilter) -> list[Request]:
    """What ``held`` asks, for pages that ask more in one opening."""
    return [asking(query, chosen) for query in (systems.held, systems.films_of, systems.film_states)]


def counted_words(things: int, stacks: int) -> str:
    """What is counted: films, stacks of slices, or both."""
    if not stacks:
        return "Films"
    return "Stacks" if stacks == things else "Films and stacks"


def in_words(rows: pd.DataFrame) -> str:
    """Which films are scored by which score, and by whom."""
    known = [scores.get(name) for name in scores.names() if name in set(rows["system"])]
    if not known:
        return "An imaging study; nothing has been scored yet."
    said = "; ".join(_score(system) for system in known)
    seen = rows["read"].sum() + rows["rejected"].sum()
    by = (("readers", rows["readers"].sum()), ("a model", seen))
    who = " and ".join(name for name, there in by if there)
    return f"An imaging study: {said}{', by ' + who if who else ''}."


def _score(system: ScoreSystem) -> str:
    what = system.films or system.long_name
    return (
        f"{what}, scored by the **{system.title}** ({len(system.codes)} {system.site_title}, 0 to "
        f"{system.most_of()})"
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
    """``score, patients, visits, readers, films, read by the model, rejected, not yet read`` in the order of
    the systems."""
    found = []
    for name in scores.names():
        for row in rows[rows["system"] == name].to_dict("records"):
            counts = {"patients": row["patients"], "visits scored": row["visits"], "readers": row["readers"]}
            found.append(
                {"score": scores.get(name).title, **counts, "films": by_region(scores.get(name), films),
                 "read by the model": row["read"], "rejected": row["rejected"],
                 "not yet read": row["unread"]}
            )  # fmt: skip
    return pd.DataFrame(found)


def by_region(system: ScoreSystem, films: pd.DataFrame) -> str:
    """Films of the regions that a system scores: ``36 hand, 35 foot``."""
    said = []
    for region in dict.fromkeys(site.region for site in system.sites):
        count = int(films.loc[films["body_part"].str.startswith(region), "films"].sum())
        said.append(f"{count:,} {region}")
    return ", ".join(said)
