"""The parts of the Cohort page."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.markdown import md
from core.reader_labels import label_kinds, people
from core.table_one import table_one
from data.queries import cohort, scores
from data.queries.readings import visits_in_order
from pages.common import guards, systems, url_state
from pages.common.clickable_table import clicked_row, height_for
from pages.common.page import Page
from pages.common.provenance import download, how_made
from pages.common.queries import ask, asking, computed, fetch
from pages.common.readings import chosen_totals, rejected_films, status_table, system_of
from pages.common.shown_table import show_table
from pages.common.views.work_list import HELP, WorkList, pick_order, work_list


def patients(page: Page, chosen: CohortFilter) -> pd.DataFrame:
    """The selected patients; stops with a way on where the filter leaves none."""
    with guards.errors_shown():
        subjects, *_ = fetch(
            page,
            *(asking(query, chosen) for query in (cohort.subjects, cohort.films, cohort.without_film)),
            *(asking(query, chosen) for query in (cohort.films_by_visit, cohort.baseline, scores.totals)),
            asking(scores.abstentions, chosen),
            asking(cohort.unassigned),
            asking(cohort.refused),
            *systems.requests(chosen),
        )
    if subjects.empty and not ask(page, cohort.subjects, CohortFilter()).empty:
        st.info("No patient matches the filter. Clear it in the sidebar.", icon=":material/filter_alt:")
        st.stop()
    return subjects


def counts(page: Page, chosen: CohortFilter, subjects: pd.DataFrame) -> None:
    """How many patients, films and abstentions are selected."""
    films = ask(page, cohort.films, chosen)
    gaps = ask(page, cohort.without_film, chosen)
    open_films = ask(page, cohort.unassigned)
    refused, by_any = rejected(page, chosen)["image"].nunique(), int(films["abstained"].notna().sum())
    rows, _ = systems.held(page, chosen)
    of_model = rows[rows["system"] == chosen.system]
    read, unread = (int(of_model[name].sum()) for name in ("read", "unread"))
    thing = system_of(chosen).image_title
    for_any = f"for {system_of(chosen).title}; {read:,} read, {unread:,} not yet read"
    for_any += f"; {by_any} rejected for at least one score" if by_any != refused else ""
    shown = (
        ("Patients", len(subjects), "", ""),
        (systems.counted_words(*_things(films)), films["thing"].nunique(), "of these patients", ""),
        ("Rejected by the model", refused, f"{thing}s, with the reason below", for_any),
        (f"Visits without {_one(thing)}", len(gaps), "counted per region", ""),
        ("Unassigned images", len(open_films), "no patient or visit", ""),
    )
    for column, (label, value, note, under) in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(label, f"{value:,}", help=note or None)
        if under:
            column.caption(under)
    systems.table(page, chosen)


def _one(thing: str) -> str:
    """``a film``, ``an image``."""
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _things(films: pd.DataFrame) -> tuple[int, int]:
    """How many things there are, and how many of them are stacks."""
    stacks = films.loc[films["is_slice"].astype(bool), "thing"]
    return int(films["thing"].nunique()), int(stacks.nunique())


def rejected(page: Page, chosen: CohortFilter) -> pd.DataFrame:
    """Films of these patients, and those without a patient, that the model of the chosen score rejected."""
    return ask(page, scores.abstentions, chosen)


def films_by_visit(page: Page, chosen: CohortFilter) -> None:
    """Patients with a film, by visit and region."""
    rows, films = fetch(page, asking(cohort.films_by_visit, chosen), asking(cohort.films, chosen))
    words = systems.counted_words(*_things(films))
    st.markdown(f"## {words} per visit")
    if rows.empty:
        st.markdown("No image is assigned to these patients.")
        guards.link(guards.IMPORT, "Import images")
        return
    order = visits_in_order(rows)
    parts = _in_order(rows["body_part"].unique().tolist(), chosen)
    patients, films = (
        rows.pivot(index="body_part", columns="visit", values=value).reindex(index=parts, columns=order)
        for value in ("patients", "films")
    )
    table = patients.fillna(0).astype(int).astype(str)
    more = films.fillna(0).astype(int) > patients.fillna(0).astype(int)
    table = table.where(~more, table + " (" + films.fillna(0).astype(int).astype(str) + f" {words.lower()})")
    show_table(table.rename_axis(index=None, columns=None), hide_index=False)
    one = {"Films": "a film", "Stacks": "a stack"}.get(words, "a film or stack")
    several = f"several {words.lower()} of one patient in brackets"
    st.caption(f"Patients with {one} of the region at that visit; {several}.")


def _in_order(parts: list[str], chosen: CohortFilter) -> list[str]:
    """Body parts, those of the chosen score first and from head to foot, the others by name."""
    regions = list(dict.fromkeys(site.region for site in system_of(chosen).sites))

    def place(part: str) -> tuple[int, str]:
        return next((i for i, region in enumerate(regions) if part.startswith(region)), len(regions)), part

    return sorted(parts, key=place)


def first_table(page: Page, chosen: CohortFilter, subjects: pd.DataFrame) -> None:
    """Table 1 by arm."""
    st.markdown("## Table 1" + (" by arm" if page.sees_arm else ""))
    if page.is_reader:
        st.markdown("Not shown to a blinded reader.")
        return
    title = system_of(chosen).title
    table: pd.DataFrame = computed(page, _table_one, chosen)
    show_table(table, height="content")
    note = "" if page.sees_arm else " Arms are hidden: the study is blinded."
    st.caption(
        f"n = {len(subjects)}. Median (quartiles) or n (%) of those known; [missing]. {title}: mean of the "
        f"readers at the first visit.{note}"
    )
    download(table, "table_1")


def _table_one(page: Page, chosen: CohortFilter) -> pd.DataFrame:
    totals = chosen_totals(page, chosen)
    score = pd.Series(dtype=float)
    if len(totals):
        first = status_table(totals, visits_in_order(totals)[0])
        score = first[people(label_kinds(totals))].mean(axis=1)
    subjects, covariates = ask(page, cohort.subjects, chosen), ask(page, cohort.baseline, chosen)
    title = system_of(chosen).title
    return table_one(subjects, covariates, score, unit=title, by_arm=page.sees_arm)


def who_is_in(page: Page, chosen: CohortFilter, subjects: pd.DataFrame) -> None:
    """The patients as a work list; a click on a row opens the patient."""
    title, order = st.columns([3, 1], vertical_alignment="bottom")
    title.markdown("## Patients")
    with guards.errors_shown():
        found = work_list(page, chosen)
    with order:
        listed = found.sorted_by(pick_order(found))
    table = who_table(page, listed, subjects, found)
    row = clicked_row(table, "cohort_patients", height=height_for(table, 420), column_config=_columns(found))
    if row:
        url_state.open_patient(row["subject"])
    st.caption(
        f"n = {len(subjects):,}. Click a row to open the patient, a column's head to sort.{_told(found)}"
    )
    download(table, "patients")


def who_table(page: Page, listed: pd.DataFrame, subjects: pd.DataFrame, found: WorkList) -> pd.DataFrame:
    """A row per patient in the order of the list, with what this viewer may see and what is known."""
    table = listed[["subject"]].merge(subjects, on="subject", how="left")
    if page.is_reader:
        return table[["subject", "visits", "films"]]
    if not page.sees_arm:
        table = table.drop(columns="arm")
    if found.first:
        table.insert(1, "change", listed["change"])
        table.insert(2, "beyond SDC", listed["beyond"].map({True: "yes", False: "no"}))
        table = table.assign(disagreement=listed["disagreement"], doubt=listed["doubt"])
    return table.dropna(axis="columns", how="all") if len(table) else table


def _columns(found: WorkList) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "change": number(
            "change", format="%+.1f", help=f"{md(found.first)} to {md(found.last)}, mean of the readers"
        ),
        "beyond SDC": st.column_config.TextColumn(help="Whether the change is beyond the readers' error"),
        "birth_year": number("born", format="%d"),
        "last_day": number("last day", help="Days from baseline to last visit"),
        "abstained": number("rejected", help="By the model of any score"),
        "disagreement": number("readers differ by", format="%.1f", help="Largest minus smallest change"),
        "doubt": number("doubt of the model", format="%.1f", help=HELP),
    }


def _told(found: WorkList) -> str:
    """What the columns of change are of."""
    if not found.first:
        return ""
    limit = f"; {found.error.text}" if found.error else "; no SDC: it needs two readers of two patients"
    return f" Change from {md(found.first)} to {md(found.last)}, mean of the readers{limit}."


def missing(page: Page, chosen: CohortFilter) -> None:
    """What is missing, rejected or unassigned, each with its reason."""
    st.markdown("## Missing, rejected, unassigned")
    gaps = ask(page, cohort.without_film, chosen)[["subject", "visit", "body_part"]]
    title, thing = system_of(chosen).title, system_of(chosen).image_title
    none = f"Every visit of these patients has {_one(thing)} of every region."
    _list(f"Visits without {_one(thing)}", gaps, none)
    refused = rejected_films(rejected(page, chosen))
    nothing = f"No {thing} of these patients was rejected for {title}."
    _list(
        f"{thing.capitalize()}s rejected by the model",
        refused,
        nothing,
        count=refused["image"].nunique(),
        of=title,
    )
    open_films = ask(page, cohort.unassigned)
    _list("Images without patient or visit", open_films, "Every image belongs to a patient and a visit.")
    not_imported = ask(page, cohort.refused)
    _list("Files and rows that were not imported", not_imported, "Everything was imported.")


def _list(title: str, rows: pd.DataFrame, nothing: str, *, count: int | None = None, of: str = "") -> None:
    """count: of what is listed, where that is not the rows. of: the score that they belong to."""
    whose = f", {of}" if of else ""
    with st.expander(f"{title}{whose}: {len(rows) if count is None else count}", icon=":material/checklist:"):
        if rows.empty:
            st.markdown(nothing)
        elif "subject" in rows:
            st.caption("Click a row to open the patient at that visit.")
            row = clicked_row(rows, f"cohort_{title}")
            if row and pd.notna(row["subject"]):
                visit = row.get("visit")
                url_state.open_patient(str(row["subject"]), last="" if pd.isna(visit) else str(visit))
            download(rows, title.lower().replace(" ", "_"))
        else:
            show_table(rows)
            download(rows, title.lower().replace(" ", "_"))


def footer(page: Page, chosen: CohortFilter, subjects: pd.DataFrame) -> None:
    frames = [subjects, ask(page, cohort.films_by_visit, chosen), ask(page, cohort.baseline, chosen)]
    how_made(page, chosen, frames)
