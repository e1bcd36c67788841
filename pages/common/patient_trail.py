"""From a total to its sites and their pixels, and from a change to the sites that made it (Patient page)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import scores as systems
from core import trail as core
from core.changes import chance_of_change
from core.crops import Spacing, side_for
from core.domain import ReaderKind
from core.figures.style import NO_GRADE_COLOUR, grade_colour
from core.readings import label_kinds, models, people, short_names, shown_readings
from core.scores.parts import How, Parts, parts
from core.scores.system import ScoreSystem
from data.queries import patient, trail
from pages.common import address
from pages.common.explain_view import why_this_grade
from pages.common.films import of_region
from pages.common.opening import Page
from pages.common.patient_case import Case
from pages.common.queries import asking, fetch, worked_out
from pages.common.trail_cards import Place, bars, card, facts, grade_table, picture

AT_ONCE = 6  # sites whose crops are made
LARGE, SMALL = 230, 132  # sides of a crop on the screen
TOTAL, COMPONENT, READING, MORE = "trail_total", "trail_component", "why_reading", "why_more"


@dataclass(frozen=True)
class Trail:
    """What stands behind the totals of one patient.

    reads: first reads of the readings that are shown, with ``label``; see ``data.queries.trail.reads``.
    found: findings of their models, with ``label``. films: see ``data.queries.patient.films``.
    """

    parts: Parts
    reads: pd.DataFrame
    found: pd.DataFrame
    films: pd.DataFrame
    kinds: dict[str, str]

    def read(self, label: str, visit: str, site: str, feature: str) -> pd.Series | None:
        rows = self.reads
        mask = (rows["label"] == label) & (rows["visit"] == visit) & (rows["site"] == site)
        rows = rows[mask & (rows["feature"] == feature)]
        return None if rows.empty else rows.iloc[0]


def trail_of(page: Page, case: Case) -> Trail:
    """The trail of the patient in view, worked out once a cohort version."""
    found: Trail = worked_out(
        page, _trail, case.subject, case.system.name, case.chosen.campaign, tuple(case.visits)
    )
    return found


def _trail(page: Page, subject: str, system: str, campaign: str, visits: tuple[str, ...]) -> Trail:
    reads, found, films = fetch(
        page,
        asking(trail.reads, subject, system),
        asking(trail.findings, subject, system),
        asking(patient.films, subject),
    )
    shown = shown_readings(reads, campaign)
    made = parts(shown, systems.get(system), by=("label",), visits=visits)
    kinds = label_kinds(shown)
    names = shown.loc[shown["kind"] == ReaderKind.MODEL, ["reader", "campaign", "label"]].drop_duplicates()
    seen = found.merge(names, on=["reader", "campaign"], how="inner")
    return Trail(made, shown, seen, films, kinds)


# -- why did it change ---------------------------------------------------------------------------------------


def why(page: Page, case: Case) -> None:
    """The change of the chosen reading taken apart by site, each with its two crops."""
    if case.first == case.last:
        return
    st.markdown(f"##### Why did it change, {case.first} to {case.last}?")
    found = trail_of(page, case)
    options = _readings(case, found)
    if not options:
        st.markdown("No reading has a total at both visits: there is no change to take apart.")
        return
    name = st.segmented_control("Change of", list(options), key=READING, default=next(iter(options)))
    name = name if name in options else next(iter(options))
    labels = options[name]
    rows = core.changes(found.parts, labels, case.first, case.last)
    st.markdown(_change_sentence(case, name, labels, rows))
    if rows.empty:
        return
    key = (case.subject, case.system.name, case.first, case.last, name)
    held = st.session_state.get(MORE)
    count = held[1] if held and held[0] == key else AT_ONCE
    columns = st.columns(2)
    for number, row in enumerate(rows.head(count).to_dict("records")):
        with columns[number % 2], st.container(border=True):
            _change_card(page, case, found, row)
    if len(rows) > count:
        more = f"Show the next {min(AT_ONCE, len(rows) - count)} of {len(rows)} sites"
        if st.button(more, key="why_next", icon=":material/expand_more:"):
            st.session_state[MORE] = (key, count + AT_ONCE)
            st.rerun()


def _readings(case: Case, found: Trail) -> dict[str, list[str]]:
    """Name -> labels whose mean it is: the people together, then every reading that has both totals."""
    counted = core.counted_labels(found.parts, list(found.kinds), case.first, case.last)
    who = [label for label in people(found.kinds) if label in counted]
    mean = {f"mean of {', '.join(who)}": who} if len(who) > 1 else {}
    return mean | {label: [label] for label in counted}


def _change_sentence(case: Case, name: str, labels: list[str], rows: pd.DataFrame) -> str:
    changes = [case.change(label) for label in labels]
    shown = None if any(one is None for one in changes) else sum(changes) / len(changes)  # type: ignore[arg-type]
    total = float(rows["change"].sum())
    if shown is None or abs(total - shown) > core.EQUAL:
        said = "none" if shown is None else f"{shown:+.4g}"
        return f":red[The sites add up to {total:+.4g}, the totals changed by {said}: please report this.]"
    graded, imputed = rows[rows["graded"] != 0], rows[rows["imputed"] != 0]
    up, down = int((rows["change"] > 0).sum()), int((rows["change"] < 0).sum())
    if rows.empty:
        return f"**{shown:+.1f}** {case.system.title}, {name}: no site changed."
    text = (
        f"**{shown:+.1f}** {case.system.title}, {name}: {up} {_sites(case.system, up)} up, {down} down. "
        f"From grades {graded['graded'].sum():+.2f} ({len(graded)} {_sites(case.system, len(graded))})"
    )
    if len(imputed):
        return (
            f"{text}; from {len(imputed)} that the rule filled at a visit {imputed['imputed'].sum():+.2f}, "
            "which is no finding."
        )
    return f"{text}, nothing from imputed ones."


def _sites(system: ScoreSystem, count: int) -> str:
    return system.site_title.removesuffix("s") if count == 1 else system.site_title


def _change_card(page: Page, case: Case, found: Trail, row: dict[Any, Any]) -> None:
    code = str(row["site"])
    site = case.system.by_code[code]
    visits = (case.first, case.last)
    places = alike([place_of(page, case, found, visit, code) for visit in visits])
    side = _side(places)
    grades = [
        (
            label,
            [_grade(found.read(label, visit, code, site.feature)) for visit in visits],
            _lifted(found, label, visits, code),
        )
        for label in found.kinds
    ]
    imputed = f" ({row['imputed']:+.2f} imputed)" if row["imputed"] else ""
    st.markdown(f"**{code}** {row['change']:+.2f}{imputed} · {site.name}")
    chance = chance_of_change(found.found, found.films, code, case.first, case.last)
    told = (
        ""
        if chance is None
        else f'<div class="soft">Model, films together:<br>{_percent(chance)} chance of change</div>'
    )
    card(
        *(picture(page, place, side, SMALL, code) for place in places),
        grade_table(grades, site.maximum, page.look, visits=visits, short=short_names(found.kinds)) + told,
    )
    st.button(
        "Show in the films", key=f"why_open_{code}", icon=":material/center_focus_strong:", type="tertiary",
        on_click=address.go, kwargs={"site": code},
    )  # fmt: skip


def _lifted(found: Trail, label: str, visits: Sequence[str], code: str) -> str:
    """Findings at the joint, with the visit: grades alone would not explain the change."""
    return ", ".join(f"{name} ({visit})" for visit in visits for name in _states(found, label, visit, code))


def _grade(read: pd.Series | None) -> Any:
    return None if read is None else read["grade"]


def _percent(chance: float) -> str:
    return "over 99 %" if chance > 0.99 else "under 1 %" if chance < 0.01 else f"{100 * chance:.0f} %"


# -- from total to pixels ------------------------------------------------------------------------------------


def open_total(page: Page, case: Case, label: str, visit: str, component: str = "total") -> None:
    """Look at a total, or at a part of it, next: the site that adds most to it is shown, on the films too."""
    st.session_state[TOTAL] = (case.subject, case.system.name, label, visit)
    st.session_state[COMPONENT] = component
    made = trail_of(page, case).parts
    made_of = core.making(made, core.reading_of(made, label, visit), component)
    if len(made_of):
        address.go(site=str(made_of["site"].iloc[0]))


def total_to_pixels(page: Page, case: Case, site: str | None) -> None:
    """Total, components, sites, and the pixels, grades, rule and run behind one site."""
    st.markdown("##### From total to pixels")
    found = trail_of(page, case)
    rows = case.totals[case.totals["component"] == "total"]
    labels = [label for label in found.kinds if label in set(rows["label"])]
    if not labels:
        st.markdown("No total yet.")
        return
    _totals_table(page, case, labels)
    label, visit = _chosen_total(case, labels)
    reading = core.reading_of(found.parts, label, visit)
    if reading.empty:
        st.markdown(f"{label} has not read {visit}.")
        return
    component = _branches(case, found.parts, reading, label, visit)
    made_of = core.making(found.parts, reading, component)
    shown = _shown_site(case, made_of, site)
    left, right = st.columns([1, 1.25])
    with left:
        _sites_table(case, found, made_of, reading, label, visit)
    with right, st.container(border=True):
        if shown is None:
            st.markdown("No site adds anything.")
        else:
            _site_card(page, case, found, reading, label, visit, shown)


def _shown_site(case: Case, made_of: pd.DataFrame, site: str | None) -> str | None:
    """The site that a person chose, else the page's where it adds something, else the one that adds most."""
    chosen = address.place().site
    if chosen in case.system.by_code:
        return chosen
    return site if site in set(made_of["site"]) else next(iter(made_of["site"]), site)


def _totals_table(page: Page, case: Case, labels: list[str]) -> None:
    cells = [[label, *(_total(case.total(label, visit)) for visit in case.visits)] for label in labels]
    table = pd.DataFrame(cells, columns=["reading", *case.visits])
    st.dataframe(
        table, hide_index=True, key="trail_totals", selection_mode="single-cell", height="content",
        on_select=lambda: _keep_total(page, case, labels),
        column_config={"reading": st.column_config.TextColumn("Reading", help="Click a total: its sites")},
    )  # fmt: skip


def _total(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.2f}".removesuffix(".00")


def _keep_total(page: Page, case: Case, labels: list[str]) -> None:
    cells = st.session_state["trail_totals"]["selection"]["cells"]
    if not cells:
        return
    row, visit = cells[0]
    visit = visit if visit in case.visits else case.last
    open_total(page, case, labels[row], visit, st.session_state.get(COMPONENT) or "total")


def _chosen_total(case: Case, labels: list[str]) -> tuple[str, str]:
    """The total that was clicked, else the first reading's at the later visit."""
    subject, system, label, visit = st.session_state.get(TOTAL, ("", "", "", ""))
    if (subject, system) == (case.subject, case.system.name) and label in labels and visit in case.visits:
        return label, visit
    return labels[0], case.last


def _branches(case: Case, made: Parts, reading: pd.DataFrame, label: str, visit: str) -> str:
    """The total and its components, one of which is taken apart below; returns its name."""
    rows = core.branches(made, reading)
    names = rows["component"].tolist()
    value = dict(zip(names, map(_total, rows["value"].tolist()), strict=True))
    st.session_state[COMPONENT] = _one_of(names, st.session_state.get(COMPONENT))
    chosen = st.segmented_control(
        f"{label}, {visit}", names, key=COMPONENT, required=True,
        format_func=lambda name: f"{name} {value.get(name, '')}",
    )  # fmt: skip
    row = rows[rows["component"] == chosen].iloc[0]
    st.markdown(_branch_sentence(case, row, label, visit))
    return str(chosen)


def _one_of(names: list[str], kept: str | None) -> str:
    """What was chosen, the total where this system has no such part."""
    return kept if kept in names else names[0]


def _branch_sentence(case: Case, row: pd.Series, label: str, visit: str) -> str:
    name = row["component"] if row["component"] == "total" else row["title"]
    stored = case.total(label, visit, str(row["component"]))
    value = None if pd.isna(row["value"]) else float(row["value"])
    if (stored is None) != (value is None) or (
        stored is not None and value is not None and abs(stored - value) > core.EQUAL
    ):
        return (
            f":red[The sites of {label}, {visit} add up to {_total(value)}, the stored {name} is "
            f"{_total(stored)}: please report this.]"
        )
    sites = case.system.site_title
    counts = f"{row['above_0']} of {row['sites']} {sites} above 0, {row['imputed_sites']} imputed"
    if value is None:
        return f"**{label}, {visit}: no {name}** ({_reason(case, label, visit, row['component'])}). {counts}."
    put_in = f" + {row['imputed']:.4g} imputed" if row["imputed_sites"] else ""
    return (
        f"**{label}, {visit}: {name} {_total(value)}** = {row['graded']:.4g} from grades{put_in}; {counts}, "
        f"{row['not_scored']} not scored and without a share."
    )


def _reason(case: Case, label: str, visit: str, component: str) -> str:
    rows = case.totals
    mask = (rows["label"] == label) & (rows["visit"] == visit) & (rows["component"] == component)
    reasons = rows.loc[mask, "missing_reason"].dropna()
    return str(reasons.iloc[0]) if len(reasons) else "not read"


def _sites_table(
    case: Case, found: Trail, made_of: pd.DataFrame, reading: pd.DataFrame, label: str, visit: str
) -> None:
    rows = [
        {
            "site": row["site"],
            "adds": None if pd.isna(row["value"]) else round(float(row["value"]), 3),
            "grade": "–" if pd.isna(row["given"]) else f"{row['given']:g}",
            "how": _how_words(case.system, found, row, label, visit),
        }
        for row in made_of.to_dict("records")
    ]
    table = pd.DataFrame(rows, columns=["site", "adds", "grade", "how"])
    st.dataframe(
        table, hide_index=True, key="trail_sites", selection_mode="single-cell",
        height=min(38 + 35 * max(len(table), 1), 458),
        on_select=lambda: _keep_site(table["site"].tolist()),
        column_config={
            "site": st.column_config.TextColumn("Site", help="Click: its pixels, grades and rule", width=90),
            "adds": st.column_config.NumberColumn("Adds", format="%.4g", width=60),
            "grade": st.column_config.TextColumn("Grade", width=60, help="As the reader gave it"),
            "how": st.column_config.TextColumn("How it counts"),
        },
    )  # fmt: skip
    rest = len(reading[reading["site"].isin(case.system.codes)]) - len(made_of)
    st.caption(f"{len(made_of)} {_sites(case.system, len(made_of))}; the other {rest} add nothing.")


def _keep_site(sites: list[str]) -> None:
    cells = st.session_state["trail_sites"]["selection"]["cells"]
    if cells:
        address.go(site=sites[cells[0][0]])


def _how_words(system: ScoreSystem, found: Trail, row: dict[Any, Any], label: str, visit: str) -> str:
    how = How(row["how"])
    if how in (How.LIFTED, How.SURGERY):
        return next(state.name for state in system.states if state.code == row["state"])
    read = found.read(label, visit, row["site"], system.by_code[row["site"]].feature)
    reason = "" if read is None or not isinstance(read["reason"], str) else read["reason"]
    if how in (How.IMPUTED, How.MISSING, How.DROPPED) and reason:
        return f"{how}: {reason}"
    return str(how)


# -- one site ------------------------------------------------------------------------------------------------


def _site_card(
    page: Page, case: Case, found: Trail, reading: pd.DataFrame, label: str, visit: str, code: str
) -> None:
    site = case.system.by_code[code]
    row = reading[reading["site"] == code].iloc[0]
    place = place_of(page, case, found, visit, code)
    adds = "no sum" if pd.isna(row["value"]) else f"adds {row['value']:.4g}"
    st.markdown(f"**{code}** · {site.name} · {label}, {visit}: **{adds}**")
    grades = [_reading_line(found, name, visit, code, site.feature) for name in found.kinds]
    card(
        picture(page, place, _side([place]), LARGE, code),
        _probabilities(case.system, found, visit, code)
        + f'<div class="soft" style="margin-top:0.5rem">Every reading at {escape(visit)}</div>'
        + grade_table(grades, site.maximum, page.look),
    )
    if place.image:
        why_this_grade(page, place.image, code, case.system.name)
    _rule_lines(case.system, found, row, label, visit)
    read = found.read(label, visit, code, site.feature)
    if read is not None:
        card(facts(_provenance(read)))


def _reading_line(
    found: Trail, label: str, visit: str, code: str, feature: str
) -> tuple[str, list[Any], str]:
    read = found.read(label, visit, code, feature)
    if read is None:
        return label, [None], "not read"
    states = _states(found, label, visit, code)
    reason = read["reason"] if isinstance(read["reason"], str) else ""
    return label, [read["grade"]], "; ".join([*([reason] if reason else []), *states])


def _states(found: Trail, label: str, visit: str, code: str) -> list[str]:
    """Findings that this reading has at the joint of a site, by name."""
    known = {state.code: state.name for state in found.parts.system.states}
    unit = {site.code: site.unit for site in found.parts.system.sites}
    rows = found.reads
    mask = (rows["label"] == label) & (rows["visit"] == visit) & rows["feature"].isin(known)
    rows = rows[mask & (rows["grade"] == 1) & (rows["site"].map(unit) == unit[code])]
    return [known[feature] for feature in dict.fromkeys(rows["feature"])]


def _probabilities(system: ScoreSystem, found: Trail, visit: str, code: str) -> str:
    """Bars of the model's grade probabilities, and what else it saw at the joint."""
    site, rows = system.by_code[code], found.found
    here = rows[(rows["visit"] == visit) & (rows["site"] == code)]
    known = {state.code: state.name for state in system.states}
    pieces = []
    for row in here.to_dict("records"):
        given = row["grade_probabilities"]
        shares = [float(share) for share in given] if isinstance(given, list | np.ndarray) else []
        label, feature = str(row["label"]), str(row["feature"])
        if feature in known:
            sure = f", probability {shares[-1]:.2f}" if shares else ""
            pieces.append(f'<div class="soft">{escape(label)} sees {known[feature]}{sure}</div>')
        elif shares:
            meanings = system.by_feature[site.feature].grades
            pieces.append(f'<div class="soft">{escape(f"Grade probabilities, {label}")}</div>')
            pieces.append(bars(shares, meanings))
    return "".join(pieces)


def _rule_lines(system: ScoreSystem, found: Trail, row: pd.Series, label: str, visit: str) -> None:
    findings = found.reads
    unit = {site.code: site.unit for site in system.sites}
    mask = (findings["label"] == label) & (findings["visit"] == visit) & (findings["grade"] == 1)
    codes = findings.loc[mask & (findings["site"].map(unit) == unit[row["site"]]), "feature"].tolist()
    made = core.origin(found.parts, row, codes)
    from_ = core.sources_text(made.sources, visit)
    st.markdown(f"{made.text}" + (f" From: {from_}." if from_ else ""))
    st.caption(f"Rule {core.rule_text(found.parts.rule)}{_settings(found.parts)}")


def _settings(made: Parts) -> str:
    chosen = ", ".join(f"`{name}` = {value}" for name, value in made.settings.items())
    return f" Settings: {chosen}." if chosen else ""


def _provenance(read: pd.Series) -> dict[str, str]:
    """Who read it, how, with what, and the event of the audit trail that wrote it."""
    mode = "" if pd.isna(read["read_mode"]) else f", read mode {read['read_mode']}"
    event = ""
    if pd.notna(read["event"]):
        when = f"{read['happened_at']:%Y-%m-%d %H:%M:%S}"
        event = f"{int(read['event'])}: {read['actor']}, {read['action']}, {when}"
    return {
        "Reader": escape(f"{read['reader']} ({read['kind']})"),
        "Campaign": escape(f"{read['campaign']}{mode}"),
        "Run": _code(read["run"]),
        "Weights": _code(read["weights_hash"]),
        "Software": "" if pd.isna(read["software"]) else escape(str(read["software"])),
        "Event": escape(event),
    }


def _code(value: Any) -> str:
    """The beginning of a hash, all of it on hover."""
    text = "" if pd.isna(value) else escape(str(value))
    return f'<code title="{text}">{text[:16]}</code>' if text else ""


# -- where a site lies ---------------------------------------------------------------------------------------


def place_of(page: Page, case: Case, found: Trail, visit: str, code: str) -> Place:
    """The film and box of a site at a visit, or why there is none."""
    site = case.system.by_code[code]
    here = found.found[(found.found["visit"] == visit) & found.found["box"].notna()]
    own = here[here["site"] == code]
    own = own[own["feature"] == site.feature] if (own["feature"] == site.feature).any() else own
    if len(own):
        row = own.iloc[-1]
        colour = NO_GRADE_COLOUR if pd.isna(row["grade"]) else grade_colour(int(row["grade"]), site.maximum)
        return Place(visit, row["image"], _spacing(found, row["image"]), row["box"], row["box"], colour)
    unit = {one.code: one.unit for one in case.system.sites}
    beside = here[here["site"].map(unit) == site.unit]
    if len(beside):
        row = beside.iloc[-1]
        why = f"not found; beside {row['site']}"
        return Place(visit, row["image"], _spacing(found, row["image"]), None, row["box"], why=why)
    return Place(visit, why=_why_no_place(page, case, found, visit, site.region))


def _why_no_place(page: Page, case: Case, found: Trail, visit: str, region: str) -> str:
    film = of_region(found.films, visit, region)
    if film is None:
        return f"no {region} film at this visit"
    if page.is_reader:
        return "where this site lies is not shown to a blinded reader"
    refused = found.found[(found.found["image"] == film["image"]) & found.found["abstained"].notna()]
    if len(refused):
        return f"film refused by the model: {refused['abstained'].iloc[0]}"
    if not models(found.kinds):
        return "no model has read this film, so no box is known"
    return "the model did not find this site"


def _spacing(found: Trail, image: str) -> Spacing | None:
    rows = found.films[found.films["image"] == image]
    if rows.empty or pd.isna(rows["spacing_row_mm"].iloc[0]):
        return None
    return float(rows["spacing_row_mm"].iloc[0]), float(rows["spacing_column_mm"].iloc[0])


def alike(places: list[Place]) -> list[Place]:
    """The places to compare, in film pixels all of them where a film among them has no spacing."""
    if all(place.spacing for place in places if place.about is not None):
        return places
    return [replace(place, spacing=None) for place in places]


def _side(places: Sequence[Place]) -> float:
    """One side of the square for all of them, so that they compare."""
    boxes = [(place.about, place.spacing) for place in places if place.about is not None]
    return side_for(boxes) if boxes else 0.0
