"""Images of one joint side by side: one mode at two visits, or both modes of a visit."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.imaging.ultrasound.terms import MODE_NAMES, MODES
from core.markdown import md
from core.reader_labels import md_name, short_names
from core.scores.system import ScoreSystem, Site
from data.queries import patient
from pages.common import session_keys as keys
from pages.common import url_state
from pages.common.blanking import blank_until_drawn, drawn
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.queries import ask
from pages.common.sticky_widgets import pick_one
from pages.common.viewer import ViewedFilm, film_viewer, stored_films
from pages.common.viewer.stored_scans import viewed_scan
from pages.common.views.choices import anew

VIEWER = "scans"
JOINT, SHOWN = "patient_joint", "patient_scans"
BOTH_MODES = "both modes, "  # of a visit


def scan_pair(page: Page, case: Case, site: str | None) -> None:
    """The images of a joint; those of which no joint is known are counted below."""
    stored = ask(page, patient.films, case.subject)
    stored = stored[(stored["modality"] == "US") & stored["visit"].notna()]
    if stored.empty:
        st.caption(f"{md(case.subject)} has no images of joints in this cohort.")
        return
    visits = list(dict.fromkeys([case.first, case.last]))
    here = stored[stored["visit"].isin(visits)]
    here = here.assign(unit=units_of(here))
    known = here[here["unit"] != ""]
    nameless = len(here) - len(known)
    if known.empty:
        st.caption(f"No image of a known joint at {md(' or '.join(visits))}. {_without_joint(nameless)}")
        return
    unit, which = _choose(case, known, visits, site)
    panes = _panes(which, visits)
    found = ask(page, patient.findings, case.subject, case.system.name)
    own = known[known["unit"] == unit]
    films = [_pane(page, case, own, found, visit, mode) for visit, mode in panes]
    with blank_until_drawn(VIEWER, (*_identity(case), unit, which)):
        film_viewer(
            films, key=VIEWER, heads=stored_films.heads(case.kinds), order=case.system.codes, focus=site,
            height=450, thing="image", can_subtract=False,
            on_pick=lambda picked, _: url_state.go(site=picked),
            reveal=st.session_state.get(keys.REVEAL, 0),
            caption=stored_films.caption_of(page, case.subject, case.system),
        )  # fmt: skip
    drawn(VIEWER, (*_identity(case), unit, which))
    st.caption(f"{_legend(case)} {_without_joint(nameless)}")


def units_of(films: pd.DataFrame) -> list[str]:
    """The joint of each image as the score names it (side and joint); "" where either is not known."""
    sides, joints = (films[name].fillna("").astype(str) for name in ("laterality", "joint"))
    return [
        f"{side}.{joint}" if side in ("R", "L") and joint else ""
        for side, joint in zip(sides, joints, strict=True)
    ]


def showing(films: pd.DataFrame, system: ScoreSystem, site: Site) -> pd.DataFrame:
    """The images of the joint of a site, of those in the mode that the site is graded on."""
    mode = _mode_of(system, site)
    own = pd.Series(units_of(films), films.index, dtype=object) == site.unit
    return films[own & (films["mode"] == mode)] if mode else films[own]


def _mode_of(system: ScoreSystem, site: Site) -> str:
    """Of the images that a site is graded on; "" where its grade is looked up from those of two."""
    table = system.combination
    modes = {} if table is None else {table.rows: "B", table.columns: "PD"}
    return modes.get(site.feature, "")


def _without_joint(count: int) -> str:
    if not count:
        return ""
    many = "1 image says" if count == 1 else f"{count} images say"
    return f"{many} no joint or side; 'sharpline ingest --map' states them."


def _choose(case: Case, known: pd.DataFrame, visits: list[str], site: str | None) -> tuple[str, str]:
    """The joint shown, that of the site unless a person chose another after it, and what of it is shown."""
    there = set(known["unit"])
    units = [unit for unit in case.system.units if unit in there]
    of_site = case.system.by_code[site].unit if site else ""
    anew("scans_for", (case.subject, site), JOINT)
    joint, view = st.columns([1.5, 1])
    with joint:
        unit = pick_one(
            "Joint", units, JOINT, of_site if of_site in there else units[0], label_visibility="collapsed",
            format_func=lambda one: one.replace(".", " "),
        )  # fmt: skip
    own = known[known["unit"] == unit]
    modes = [mode for mode in MODES if mode in set(own["mode"])]
    ways = [MODE_NAMES[mode] for mode in modes]
    if len(modes) > 1:
        ways += [
            BOTH_MODES + visit for visit in visits if own.loc[own["visit"] == visit, "mode"].nunique() > 1
        ]
    ways = ways or ["mode not known"]
    wanted = MODE_NAMES.get(_mode_of(case.system, case.system.by_code[site]) if site else "", "")
    default = wanted if wanted in ways else ways[0]
    with view:
        which = pick_one("Shown", ways, SHOWN, default, label_visibility="collapsed")
    return unit, which


def _panes(which: str, visits: list[str]) -> list[tuple[str, str]]:
    """(visit, mode) of each pane."""
    if which.startswith(BOTH_MODES):
        visit = which.removeprefix(BOTH_MODES)
        return [(visit, mode) for mode in MODES]
    mode = next((mode for mode, name in MODE_NAMES.items() if name == which), "")
    return [(visit, mode) for visit in visits]


def _pane(
    page: Page, case: Case, own: pd.DataFrame, found: pd.DataFrame, visit: str, mode: str
) -> ViewedFilm:
    here = own[(own["visit"] == visit) & (own["mode"].fillna("") == mode)]
    title = " · ".join(part for part in (visit, MODE_NAMES.get(mode, "")) if part)
    if here.empty:
        name = f"none-{case.subject}-{visit}-{mode}"
        message = f"No {MODE_NAMES.get(mode, 'such')} image of this joint at this visit."
        return ViewedFilm(name, title, message=message, patient=case.subject)
    row = _which_of(here, found, visit, mode)
    grades = case.grades[case.grades["visit"] == visit]
    own_findings = found[(found["image"] == row["image"]) & found["site"].notna()]
    graded = own_findings.loc[own_findings["grade"].notna(), "frame"].astype(int)
    seen = own_findings[own_findings["box"].notna()]
    cells = stored_films.cells_of(grades)
    boxes = tuple(
        stored_films.box_of_finding(one, cells, case.kinds, case.system, frame=int(one.frame))
        for one in seen.itertuples()
    )
    return viewed_scan(page, row, title, _said(row, found), boxes, graded, patient=case.subject)


def _which_of(here: pd.DataFrame, found: pd.DataFrame, visit: str, mode: str) -> pd.Series:
    """Of several images that with the highest grade, as the visit's score has it, unless one is chosen."""
    grades = found[found["grade"].notna()].groupby("image")["grade"].max()
    ranked = here.assign(top=here["image"].map(grades).fillna(-1).astype(float))
    ranked = ranked.sort_values(["top", "image"], ascending=[False, True])
    if len(ranked) == 1:
        return ranked.iloc[0]
    of_image = zip(ranked["image"].tolist(), ranked["top"].tolist(), strict=True)
    names = {image: f"image {number}{_graded(top)}" for number, (image, top) in enumerate(of_image, 1)}
    picked = st.segmented_control(
        f"{md(visit)} has {len(names)} such images", list(names), format_func=names.get, required=True,
        key=f"scan_of_{visit}_{mode}_{ranked['image'].iloc[0][:8]}", default=ranked["image"].iloc[0],
    )  # fmt: skip
    return ranked[ranked["image"] == picked].iloc[0] if picked in names else ranked.iloc[0]


def _graded(top: float) -> str:
    return f", grade {top:.0f} by the model" if top >= 0 else ""


def _said(row: pd.Series, found: pd.DataFrame) -> str:
    """What a model made of the image, and how many frames it has."""
    here = found[found["image"] == row["image"]]
    refused = here["abstained"].dropna()
    frames = int(row["frame_count"]) if pd.notna(row["frame_count"]) else 1
    parts = [f"cine, {frames} frames" if frames > 1 else ""]
    parts.append(f"rejected by the model: {refused.iloc[0]}" if len(refused) else "")
    return " · ".join(part for part in parts if part)


def _identity(case: Case) -> tuple[str, ...]:
    return case.subject, case.system.name, case.first, case.last


def _legend(case: Case) -> str:
    short = short_names(case.kinds)
    who = ", ".join(
        f"**{md(letters)}** {md_name(label)}" for label, letters in short.items() if letters != label
    )
    return (
        f"{who + '. ' if who else ''}Space plays a cine, arrow keys step; *graded here* marks the frame that "
        "the model's grade is from."
    )
