"""The parts of the Patient page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.changes import by_joint, chance_of_change, confirmed_share, site_changes
from core.domain import CohortFilter
from core.readings import label_kinds, models, people, short_names, shown_readings
from core.scores.system import Feature
from data.queries import patient, scores
from pages.common import address, films
from pages.common import patient_context as context
from pages.common import session_keys as keys
from pages.common.made import download, how_made
from pages.common.opening import Page
from pages.common.patient_case import Case
from pages.common.queries import ask, asking, fetch, worked_out
from pages.common.study import all_patients
from pages.common.viewer import ViewedFilm, film_viewer


def headline(page: Page, case: Case) -> None:
    """What changed in one sentence a reading, and whether it is more than error."""
    unit = case.system.title
    before, after, change = case.mean_of_people(case.first), case.mean_of_people(case.last), case.mean_change
    names = people(case.kinds)
    columns = st.columns([1, 0.9, 2.1])
    with columns[0]:
        title = (
            f"{unit}, mean of {', '.join(names)}"
            if len(names) > 1
            else f"{unit}, {', '.join(names) or 'no reader'}"
        )
        missing = "one visit" if case.first == case.last else "no pair read"
        value = missing if change is None else f"{before:.1f} → {after:.1f}"
        st.metric(title, value, None if change is None else f"{change:+.1f}", delta_color="off")
        parts = _parts(case)
        if parts:
            st.caption(parts)
    with columns[1]:
        for label in models(case.kinds)[:1]:
            moved = case.change(label)
            pair = (case.total(label, case.first), case.total(label, case.last))
            missing = "one visit" if case.first == case.last else "no pair scored"
            text = missing if moved is None else f"{pair[0]:.1f} → {pair[1]:.1f}"
            name = f"Model ({label.partition(':')[2] or label})"
            st.metric(name, text, None if moved is None else f"{moved:+.1f}", delta_color="off")
    with columns[2]:
        lines = [_verdict(case, change), context.since_last(case), context.standing(page, case)]
        st.markdown("\n\n".join(line for line in lines if line), help=context.formula(case) or None)


def _parts(case: Case) -> str:
    """The parts of the score, first to last visit, mean of the readers; empty with one visit."""
    if case.first == case.last:
        return ""
    said = []
    for component in case.system.components:
        before, after = (case.mean_of_people(visit, component.name) for visit in (case.first, case.last))
        if before is not None and after is not None:
            said.append(f"{case.system.name_of(component.name)} {before:.1f} → {after:.1f}")
    return "; ".join(said)


def _verdict(case: Case, change: float | None) -> str:
    if case.first == case.last:
        at = case.mean_of_people(case.last)
        status = "no total yet" if at is None else f"{case.system.title} {at:.1f}"
        return f"One visit ({case.last}, {status}): nothing to compare with yet."
    if change is None:
        return "No reader has a total at both visits."
    if case.error is None:
        return "No smallest detectable change: it needs two readers over two or more patients."
    beyond = abs(change) > case.error.mean + 1e-9
    told = "**more than reading error**" if beyond else "**within reading error**"
    sure = context.how_sure(case)
    return f"A change of {change:+.1f} is {told}: {case.error.text}; campaign {case.chosen.campaign}.{sure}"


def what_changed(page: Page, case: Case) -> str | None:
    """The list of sites that changed; returns the site that the films should show."""
    changed = site_changes(case.grades, case.system, case.first, case.last, case.kinds)
    changed = by_joint(changed, case.system)
    st.markdown(f"##### What changed, {case.first} to {case.last}")
    if changed.empty:
        st.markdown("No reading has a different grade at any site.")
    else:
        _pick_from(changed, case)
    place = address.place().site
    site = place if place in case.system.by_code else (changed["site"].iloc[0] if len(changed) else None)
    st.caption(f"{_yardstick(page, case)}{_model_chance(page, case, site)}")
    return site


def _model_chance(page: Page, case: Case, site: str | None) -> str:
    """What a model that read both films together makes of the site in view; nothing where none did."""
    if site is None:
        return ""
    findings, films = fetch(
        page, asking(patient.findings, case.subject, case.chosen.system), asking(patient.films, case.subject)
    )
    chance = chance_of_change(findings, films, site, case.first, case.last)
    if chance is None:
        return ""
    return f" The model, reading both films together, gives {site} a chance of {_percent(chance)} of change."


def _percent(chance: float) -> str:
    if chance > 0.99:
        return "over 99 %"
    return "under 1 %" if chance < 0.01 else f"{100 * chance:.0f} %"


def _pick_from(changed: pd.DataFrame, case: Case) -> None:
    short = short_names(case.kinds)
    table = changed.rename(columns=short)[["site", *short.values()]]
    pairs = zip(changed["seen_by"].tolist(), changed["readers"].tolist(), strict=True)
    seen = [f"{count} of {of}" if of else "–" for count, of in pairs]
    table.insert(1, "seen by", seen)
    narrow = {name: st.column_config.TextColumn(name, width=45) for name in short.values()}
    wide = 46 if len(case.system.features) == 1 else 82
    st.dataframe(
        table,
        hide_index=True,
        key="changed_sites",
        height=min(38 + 35 * len(table), 388),
        selection_mode="single-cell",
        on_select=lambda: _keep_row(changed["site"].tolist()),
        column_config=narrow
        | {
            "site": st.column_config.TextColumn("Site", width=wide, help="Click: the films show it"),
            "seen by": st.column_config.TextColumn("Seen by", width=58, help="Readers who see it"),
        },
    )


def _keep_row(sites: list[str]) -> None:
    cells = st.session_state["changed_sites"]["selection"]["cells"]
    if cells:
        address.go(site=sites[cells[0][0]])


def _yardstick(page: Page, case: Case) -> str:
    confirmed, seen = worked_out(page, _confirmed, all_patients(case.chosen), case.first, case.last)
    if not seen:
        return (
            "Single sites: no two readers read both visits, so nothing says how often one confirms the other."
        )
    return (
        f"How far to trust a single site: of {seen} site changes that one reader saw in this cohort, another "
        f"reader saw {confirmed} ({100 * confirmed / seen:.0f} %) too."
    )


def _confirmed(page: Page, chosen: CohortFilter, first: str, last: str) -> tuple[int, int]:
    grades = shown_readings(ask(page, scores.site_grades, chosen), chosen.campaign)
    return confirmed_share(grades, first, last, people(label_kinds(grades)) if len(grades) else [])


def film_pair(page: Page, case: Case, site: str | None) -> None:
    """Both films side by side at a site, with the grades of every reading."""
    region = _region(case, site)
    stored = ask(page, patient.films, case.subject)
    found = ask(page, patient.findings, case.subject, case.system.name)
    shown = [
        _pane(page, case, visit, region, stored, found) for visit in dict.fromkeys([case.first, case.last])
    ]
    film_viewer(
        shown, key="films", heads=films.heads(case.kinds), order=case.system.codes, focus=site, height=470,
        on_pick=lambda picked, _: address.go(site=picked),
        on_visit=(lambda by: _to_visit(case, by)) if len(_later(case)) > 1 else None,
        caption=films.caption_of(page, case.subject, case.system),
    )  # fmt: skip
    several = context.several_films(stored, case, region)
    st.caption(f"{several + '. ' if several else ''}{_legend(case)}")


def _later(case: Case) -> list[str]:
    """The visits that the first one can be compared with."""
    return case.visits[case.visits.index(case.first) + 1 :]


def _to_visit(case: Case, by: int) -> None:
    """Compare the first visit with the next (1) or previous (-1) later one; stay where there is none."""
    later = _later(case)
    place = later.index(case.last) + by
    if 0 <= place < len(later):
        address.go(last=later[place])


def _region(case: Case, site: str | None) -> str:
    """The region shown: the one of the site, unless a person chose another one after it."""
    regions = list(dict.fromkeys(one.region for one in case.system.sites))
    of_site = case.system.by_code[site].region if site else regions[0]
    if st.session_state.get("region_for") != (case.subject, site):
        st.session_state["region_for"] = (case.subject, site)
        st.session_state[keys.REGION] = of_site
    region = st.segmented_control(
        "Films", regions, key=keys.REGION, label_visibility="collapsed", required=True
    )
    return region or of_site


def _pane(
    page: Page, case: Case, visit: str, region: str, stored: pd.DataFrame, found: pd.DataFrame
) -> ViewedFilm:
    film = films.of_region(stored, visit, region)
    if film is None:
        return films.no_film(visit, region)
    grades = case.grades[case.grades["visit"] == visit]
    boxes = films.boxes_of(film["image"], found, grades, case.kinds, case.system)
    refused = found.loc[(found["image"] == film["image"]) & found["abstained"].notna(), "abstained"]
    note = (
        f"refused by the model: {refused.iloc[0]}" if len(refused) else f"{region}, {len(boxes)} sites found"
    )
    missing = films.unplaced_of(boxes, grades, case.kinds, case.system, region)
    return films.viewed_film(page, film, visit, boxes, note, missing)


def _legend(case: Case) -> str:
    """Short names of the readings, and what each grade means: of every feature, or below where drawn."""
    short = short_names(case.kinds)
    who = ", ".join(f"**{letters}** {label}" for label, letters in short.items() if letters != label)
    grades = "; ".join(_words(feature, len(case.system.features) > 1) for feature in case.system.features)
    return f"{who + '. ' if who else ''}Marks and dots at a site in the colour of the grade: {grades}."


def _words(feature: Feature, is_named: bool) -> str:
    words = ", ".join(f"**{grade}** {text}" for grade, text in enumerate(feature.grades))
    note = f" ({feature.note})" if feature.note else ""
    return f"{feature.name}{note} {words}" if is_named else words


def left_out(page: Page, case: Case) -> None:
    """Films that the model would not score, and sites without a grade, with the reasons."""
    only = CohortFilter(system=case.chosen.system, subjects=(case.subject,))
    refused = ask(page, scores.abstentions, only)
    refused = refused[refused["subject"] == case.subject]
    gaps = case.grades[case.grades["grade"].isna()]
    with st.expander(f"Not scored: films {len(refused)}, site grades {len(gaps)}", icon=":material/block:"):
        st.dataframe(refused[["visit", "body_part", "reader", "reason"]], hide_index=True)
        st.dataframe(gaps[["visit", "site", "label", "reason"]], hide_index=True)


def ending(page: Page, case: Case) -> None:
    covariates = ask(page, patient.covariates, case.subject)
    columns = st.columns(3)
    with columns[0]:
        download(case.totals, f"{case.subject}_totals", label="Totals (CSV)")
    with columns[1]:
        download(case.grades, f"{case.subject}_site_grades", label="Site grades (CSV)")
    with columns[2]:
        download(covariates, f"{case.subject}_covariates", label="Covariates (CSV)")
    settings = {
        "patient": case.subject,
        "from": case.first,
        "to": case.last,
        "rule": case.system.default_rule.name,
    }
    how_made(page, case.chosen, [case.totals, case.grades, covariates], settings)
