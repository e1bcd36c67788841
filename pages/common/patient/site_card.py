"""One site of a total: crop, every reading, rule, run and event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.markdown import md
from core.patient import breakdown as core
from core.reader_labels import display_name, md_name
from core.scores.display.words import of_images
from core.scores.engine.contributions import Parts
from core.scores.system import ScoreSystem
from core.ties import TIE
from pages.common.page import Page
from pages.common.patient.breakdown import LARGE, Breakdown, breakdown_of
from pages.common.patient.cards import Place, bars, card, facts, grade_table, picture
from pages.common.patient.case import Asked, Case, case_of
from pages.common.patient.heat_map import why_this_grade
from pages.common.patient.site_location import place_of, side_of
from pages.common.queries import computed


@dataclass(frozen=True)
class SiteCard:
    """What is said of one site of a total, but for its crop. beside, provenance: HTML; the rest Markdown."""

    title: str
    place: Place
    side: float
    beside: str
    origin: str
    rule: str
    provenance: str


def show_site_card(page: Page, case: Case, label: str, visit: str, code: str) -> None:
    found: SiteCard = computed(page, _site_card, case.asked, label, visit, code)
    st.markdown(found.title)
    card(picture(page, found.place, found.side, LARGE, code), found.beside)
    if found.place.image:
        why_this_grade(page, found.place.image, code, case.system)
    st.markdown(found.origin)
    st.caption(found.rule)
    if found.provenance:
        card(found.provenance)


def _site_card(page: Page, asked: Asked, label: str, visit: str, code: str) -> SiteCard:
    case = case_of(page, *asked)
    found = breakdown_of(page, case)
    site = case.system.by_code[code]
    reading = core.reading_of(found.parts, label, visit)
    row = reading[reading["site"] == code].iloc[0]
    place = place_of(page, case, found, visit, code)
    adds = "no sum" if pd.isna(row["value"]) else f"adds {row['value']:.4g}"
    grades = [_reading_line(found, name, visit, code, site.feature) for name in found.kinds]
    origin, rule = _rule_lines(case.system, found, row, label, visit)
    read = found.read(label, visit, code, site.feature)
    return SiteCard(
        f"**{code}** · {site.name} · {md_name(label)}, {md(visit)}: **{adds}**",
        place,
        side_of([place]),
        _measured(found, visit, code)
        + _probabilities(case.system, found, visit, code)
        + f'<div class="soft" style="margin-top:0.5rem">Every reading at {escape(visit)}</div>'
        + grade_table(grades, page.look),
        origin,
        rule,
        "" if read is None else facts(_provenance(read, place.image, _thing(case.system))),
    )


def _thing(system: ScoreSystem) -> str:
    return "Slice" if system.of_stacks else system.image_title.capitalize()


def _reading_line(
    found: Breakdown, label: str, visit: str, code: str, feature: str
) -> tuple[str, list[Any], str]:
    read = found.read(label, visit, code, feature)
    if read is None:
        grade = found.grade(label, visit, code)
        return label, [grade], "not read" if grade is None else "looked up"
    states = states_at(found, label, visit, code)
    reason = read["reason"] if isinstance(read["reason"], str) else ""
    return label, [read["grade"]], "; ".join([*([reason] if reason else []), *states])


def states_at(found: Breakdown, label: str, visit: str, code: str) -> list[str]:
    """Findings that this reading has at the joint of a site, by name."""
    known = {state.code: state.name for state in found.parts.system.states}
    features = dict.fromkeys(found.states(label, visit, found.parts.system.by_code[code].unit))
    return [known[feature] for feature in features]


def _probabilities(system: ScoreSystem, found: Breakdown, visit: str, code: str) -> str:
    """Grade and probabilities of every finding of a model here, and what else it saw at the joint."""
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
            pieces.append(
                f'<div class="soft">{escape(display_name(label))} sees {known[feature]}{sure}</div>'
            )
        elif shares and not row.get("measured") and _is_read(found.read(label, visit, code, feature), row):
            grades = system.by_feature[site.feature].grades
            pieces.append(of_images(system, _grade_and_bars(row, shares, grades)))
    return "".join(pieces)


def _measured(found: Breakdown, visit: str, code: str) -> str:
    """What a rule measured for every model's point here: value against limit, and what it rests on."""
    rows = found.found
    here = rows[(rows["visit"] == visit) & (rows["site"] == code)]
    return "".join(
        f'<div class="soft" data-measured="{escape(code)}">{escape(display_name(str(row["label"])))}</div>'
        + facts(measured_facts(row["measured"]))
        for row in here.to_dict("records")
        if row.get("measured")
    )


def measured_facts(measured: Mapping[str, Any]) -> dict[str, str]:
    """The rule of a point, its value and limit, and what else it was compared with."""
    unit = str(measured.get("unit", "")).replace("mm2", "mm²")
    value, limit = (_number(measured.get(name)) for name in ("value", "limit"))
    said = {
        "Rule": escape(str(measured.get("rule", ""))),
        "Value": f"{value} {escape(unit)}" if value else "",
        "Limit": f"{limit} {escape(unit)}" if limit else "",
    }
    beside = measured.get("compared") or {}
    return said | {str(name): escape(_number(one) or str(one)) for name, one in beside.items()}


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else ""


def _is_read(read: pd.Series | None, row: dict[Any, Any]) -> bool:
    """Whether the grade of this reading is of this film: of two exposures only one is."""
    return read is None or pd.isna(read["image"]) or read["image"] == row["image"]


HOW_READ = {"single": "this film alone", "paired": "films compared side by side"}


def _grade_and_bars(row: dict[Any, Any], shares: list[float], meanings: Sequence[str]) -> str:
    """The grade of one finding, how films were read for it, and the probabilities of that same reading."""
    how = HOW_READ.get(str(row["read_mode"]), "")
    by = ", ".join(part for part in (display_name(str(row["label"])), how) if part)
    graded = "" if pd.isna(row["grade"]) else f"Grade {int(row['grade'])}: "
    said = f'<div class="soft">{escape(f"{graded}{by}. Grade probabilities of that reading")}</div>'
    return said + bars(shares, meanings) + _why_not_likeliest(row, shares)


def _why_not_likeliest(row: dict[Any, Any], shares: list[float]) -> str:
    """Why the grade is not the likeliest one, where it is not."""
    if pd.isna(row["grade"]) or shares[int(row["grade"])] >= max(shares) - TIE:
        return ""
    why = "the model grades by a rule that was tuned to find all grades, not by the longest bar"
    if row["read_mode"] == "paired":
        why = f"the grades of all the patient's films are chosen together, and {why}"
    return f'<div class="soft" style="max-width:16rem">Not the likeliest grade: {why}.</div>'


def _rule_lines(
    system: ScoreSystem, found: Breakdown, row: pd.Series, label: str, visit: str
) -> tuple[str, str]:
    """Where the number comes from, and the rule for missing sites."""
    findings = found.reads
    unit = {site.code: site.unit for site in system.sites}
    mask = (findings["label"] == label) & (findings["visit"] == visit) & (findings["grade"] == 1)
    codes = findings.loc[mask & (findings["site"].map(unit) == unit[row["site"]]), "feature"].tolist()
    made = core.origin(found.parts, row, codes)
    from_ = core.sources_text(made.sources, visit)
    return (
        f"{made.text}" + (f" From: {from_}." if from_ else ""),
        f"Rule {core.rule_text(found.parts.rule)}{_settings(found.parts)}",
    )


def _settings(made: Parts) -> str:
    chosen = ", ".join(f"`{name}` = {value}" for name, value in made.settings.items())
    return f" Settings: {chosen}." if chosen else ""


def _provenance(read: pd.Series, film: str, named: str = "Film") -> dict[str, str]:
    """Who read it, how, on which film, with what, and the event of the audit trail that wrote it."""
    mode = "" if pd.isna(read["read_mode"]) else f", read mode {read['read_mode']}"
    event = ""
    if pd.notna(read["event"]):
        when = f"{read['happened_at']:%Y-%m-%d %H:%M:%S}"
        event = f"{int(read['event'])}: {read['actor']}, {read['action']}, {when}"
    return {
        "Reader": escape(f"{md_name(read['reader'])} ({read['kind']})"),
        "Campaign": escape(f"{md(read['campaign'])}{mode}"),
        named: _code(film or None),
        "Run": _code(read["run"]),
        "Weights": _code(read["weights_hash"]),
        "Software": "" if pd.isna(read["software"]) else escape(str(read["software"])),
        "Event": escape(event),
    }


def _code(value: Any) -> str:
    """The beginning of a hash, all of it on hover."""
    text = "" if pd.isna(value) else escape(str(value))
    return f'<code title="{text}">{text[:16]}</code>' if text else ""
